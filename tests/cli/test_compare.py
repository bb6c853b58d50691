from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from tests.cli.test_main import program
from tests.interrupted import interrupted
from tests.model_zoo import quantized_twin, tiny_end2end, tiny_yolo_anchor
from tests.sources.videos import write_cut_video
from trtviewer.cli.main import run
from trtviewer.errors import BadInput, BadUsage, TrtviewerError
from trtviewer.opencv import cv2

FRAMES = 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`a.onnx`, its INT8 twin `b.onnx`, and `pictures` of noise."""
    folder = tmp_path_factory.mktemp("compare")
    quantized_twin(tiny_yolo_anchor(folder / "a.onnx", seed=1), folder / "b.onnx")
    (folder / "pictures").mkdir()
    for index in range(FRAMES):
        noise = np.random.default_rng(index).integers(0, 256, (60, 80, 3), np.uint8)
        cv2.imwrite(str(folder / "pictures" / f"{index}.png"), noise)
    return folder


Compare = Callable[..., int]


@pytest.fixture
def compare(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Compare:
    """Runs compare in the folder, with the models and pictures of it unless told otherwise."""
    monkeypatch.chdir(folder)

    def run_compare(
        *options: str, reference: str = "a.onnx", candidate: str = "b.onnx", source: str = "pictures"
    ) -> int:
        return run(
            ["compare", "--reference", reference, "--candidate", candidate, "--source", source, *options]
        )

    return run_compare


def report_of(compare: Compare, tmp_path: Path, *options: str, **names: str) -> dict[str, Any]:
    assert compare("--json", str(tmp_path / "r.json"), *options, **names) == 0
    report: dict[str, Any] = json.loads((tmp_path / "r.json").read_text())
    return report


def test_that_the_report_has_every_key_of_the_schema(compare: Compare, tmp_path: Path) -> None:
    report = report_of(compare, tmp_path)
    assert report["schema"] == "trtviewer.compare/1"
    assert report["frames"] == FRAMES
    assert report["candidate"]["precision"] == "int8"
    assert report["candidate"]["emulated"] is True
    assert report["speedup"] is None
    assert [output["stride"] for output in report["outputs"]] == [8, 16, 32]
    found = report["detections"]
    assert found["reference"] == found["matched"] + found["missed"]
    assert found["missed"] == sum(found["missed_reasons"].values())
    assert found["reference"] == sum(row["reference"] for row in report["by_stride"])
    assert found["reference"] == sum(row["reference"] for row in report["by_class"])


def test_that_a_model_agrees_with_itself(compare: Compare, tmp_path: Path) -> None:
    report = report_of(compare, tmp_path, candidate="a.onnx")
    assert report["detections"]["agreement_f1"] == 1
    assert all(output["mse"] == 0 and output["sqnr_db"] is None for output in report["outputs"])


def test_that_frames_are_those_that_the_options_name(compare: Compare, tmp_path: Path) -> None:
    report = report_of(compare, tmp_path, "--start", "1", "--every", "2", "--frames", "2")
    assert sorted(frame["frame"] for frame in report["frames_worst"]) == [1, 3]


def test_that_a_true_gate_fails_the_run_and_says_its_figure(
    compare: Compare, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare("--fail-on", "outputs.head8.mse >= 0", "--fail-on", "missed_rate > 1") == 1
    assert capsys.readouterr().err.startswith("trtviewer: gate failed: outputs.head8.mse >= 0 (")


def test_that_an_unknown_figure_in_a_gate_is_refused_before_any_frame_runs(compare: Compare) -> None:
    with pytest.raises(BadUsage, match=r"mised_rate: there is no figure of that name \(nearest: missed_rate"):
        compare("--fail-on", "mised_rate > 0.1")


def test_that_against_an_end_to_end_model_only_detections_are_compared(
    compare: Compare, folder: Path, tmp_path: Path
) -> None:
    tiny_end2end(folder / "e.onnx", seed=1)
    (folder / "e.toml").write_text('family = "end2end"\nclasses = ["one", "two", "three"]\n')
    report = report_of(compare, tmp_path, candidate="e.onnx")
    assert report["outputs"] == []
    assert report["outputs_reason"]
    assert report["detections"]["reference"] > 0


def truncated(folder: Path) -> None:
    data = (folder / "a.onnx").read_bytes()
    (folder / "cut.onnx").write_bytes(data[: len(data) // 2])
    (folder / "cut.toml").write_text((folder / "a.toml").read_text())


def contradicting_classes(folder: Path) -> None:
    (folder / "classes.onnx").write_bytes((folder / "a.onnx").read_bytes())
    text = (folder / "a.toml").read_text()
    lines = ['classes = ["one", "two"]' if line.startswith("classes") else line for line in text.splitlines()]
    (folder / "classes.toml").write_text("\n".join(lines))


def misspelt(folder: Path) -> None:
    (folder / "typo.onnx").write_bytes((folder / "a.onnx").read_bytes())
    (folder / "typo.toml").write_text((folder / "a.toml").read_text().replace("colour", "color"))


def other_size(folder: Path) -> None:
    tiny_yolo_anchor(folder / "large.onnx", seed=1, size=96)


def a_text(folder: Path) -> None:
    (folder / "notes.txt").write_text("not a video\n")
    (folder / "notes.mp4").write_text("not a video\n" * 100)


def an_empty_folder(folder: Path) -> None:
    (folder / "empty").mkdir(exist_ok=True)


def foreign_models(folder: Path) -> None:
    for suffix in ("pt", "weights", "pb", "uff", "tflite"):
        (folder / f"model.{suffix}").write_bytes(b"\0" * 64)


@pytest.mark.parametrize(
    ("make", "options", "says"),
    [
        (a_text, {"source": "notes.mp4"}, "notes.mp4: "),
        (an_empty_folder, {"source": "empty"}, "empty: "),
        (a_text, {"source": "absent.mp4"}, "absent.mp4: "),
        (a_text, {"source": "camera:97"}, "camera:97: "),
        (truncated, {"candidate": "cut.onnx"}, "cut.onnx: "),
        (a_text, {"candidate": "absent.onnx"}, "absent.onnx: does not exist"),
        (foreign_models, {"candidate": "model.pt"}, "export it to ONNX"),
        (foreign_models, {"candidate": "model.weights"}, "export it to ONNX"),
        (foreign_models, {"candidate": "model.pb"}, "export it to ONNX"),
        (foreign_models, {"candidate": "model.uff"}, "to ONNX"),
        (foreign_models, {"candidate": "model.tflite"}, "export it to ONNX"),
        (contradicting_classes, {"candidate": "classes.onnx"}, "2"),
        (misspelt, {"candidate": "typo.onnx"}, "colour"),
        (other_size, {"candidate": "large.onnx"}, "input size 64x64 against 96x96"),
    ],
)
def test_that_bad_input_is_one_clear_line(
    compare: Compare,
    folder: Path,
    tmp_path: Path,
    make: Callable[[Path], None],
    options: dict[str, str],
    says: str,
) -> None:
    make(folder)
    with pytest.raises(TrtviewerError) as caught:
        compare("--json", str(tmp_path / "r.json"), **options)
    line = str(caught.value)
    assert says in line
    assert "\n" not in line
    assert not (tmp_path / "r.json").exists()


def test_that_an_unwritable_report_is_told_before_any_frame_runs(compare: Compare) -> None:
    with pytest.raises(BadInput, match="no-such-folder"):
        compare("--json", "no-such-folder/r.json")


def test_that_bad_input_in_a_process_is_exactly_one_line_and_status_2(folder: Path, tmp_path: Path) -> None:
    a_text(folder)
    done = program(
        *["compare", "--reference", str(folder / "a.onnx"), "--candidate", str(folder / "b.onnx")],
        *["--source", str(folder / "notes.mp4")],
        home=tmp_path,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("trtviewer: ")


def test_that_a_cut_video_is_compared_and_said_to_be_one(
    compare: Compare, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    film = write_cut_video(tmp_path / "cut.avi")
    report = report_of(compare, tmp_path, source=str(film))
    said = f"trtviewer: {film}: its header speaks of 60 frames, {report['frames']} can be read"
    assert capfd.readouterr().err.startswith(said)
    assert 0 < report["frames"] < 60


def test_that_ctrl_c_writes_what_was_measured_and_ends_with_130(folder: Path, tmp_path: Path) -> None:
    report = tmp_path / "r.json"
    long_video(tmp_path / "long.avi")
    models = ("--reference", folder / "a.onnx", "--candidate", folder / "b.onnx")
    words = ("compare", "--json", report, *models, "--source", tmp_path / "long.avi")
    status, shown = interrupted(
        *words, shown=rb"[1-9]\d*/20000", environment={"XDG_STATE_HOME": str(tmp_path)}
    )
    assert status == 130, shown
    assert re.search(rb"interrupted after \d+ frames .*\n", shown), shown
    assert 0 < json.loads(report.read_text())["frames"] < 20_000


def long_video(path: Path) -> None:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 30, (64, 48))
    picture = np.zeros((48, 64, 3), np.uint8)
    for _ in range(20_000):
        writer.write(picture)
    writer.release()


@pytest.mark.parametrize("option", ["--conf", "--nms", "--match-iou", "--epsilon"])
@pytest.mark.parametrize("value", ["nan", "inf", "-1"])
def test_that_a_threshold_that_is_no_threshold_is_refused(compare: Compare, option: str, value: str) -> None:
    with pytest.raises(BadUsage, match=f"is {value}, but goes from"):
        compare(f"{option}={value}")


def test_that_nan_outputs_are_counted_and_poison_nothing(
    compare: Compare, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = onnx.load(folder / "a.onnx")
    head = next(node for node in reversed(model.graph.node) if node.op_type == "Conv")
    bias = next(tensor for tensor in model.graph.initializer if tensor.name == head.input[2])
    values = numpy_helper.to_array(bias).copy()
    values[0] = np.nan
    bias.CopyFrom(numpy_helper.from_array(values, bias.name))
    onnx.save(model, folder / "nan.onnx")
    (folder / "nan.toml").write_text((folder / "a.toml").read_text())
    report = report_of(compare, tmp_path, candidate="nan.onnx")
    broken = [output for output in report["outputs"] if output["nonfinite"]["candidate"]]
    assert len(broken) == 1
    rows, columns = broken[0]["shape"][2:]
    assert broken[0]["nonfinite"] == {"reference": 0, "candidate": FRAMES * rows * columns}
    assert broken[0]["mse"] == 0
    assert "NaN" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--html", "a.onnx"), "a.onnx: the output is the model itself"),
        (("--json", "pictures/../b.onnx"), "the output is the model itself"),
        (("--json", "a.toml"), "the output is the sidecar of a.onnx"),
        (("--json", "r.json", "--html", "./r.json"), "the output is also that of another option"),
        (("--truth", "labels.json", "--json", "labels.json"), "the output is what is read"),
    ],
)
def test_that_no_result_takes_the_place_of_what_is_read(
    compare: Compare, folder: Path, options: tuple[str, ...], says: str
) -> None:
    before = {path: path.read_bytes() for path in folder.glob("*.*") if path.is_file()}
    with pytest.raises(BadUsage, match=re.escape(says)):
        compare(*options)
    assert {path: path.read_bytes() for path in folder.glob("*.*") if path.is_file()} == before


def test_that_an_error_is_one_line_even_of_a_cut_video(folder: Path, tmp_path: Path) -> None:
    film = write_cut_video(tmp_path / "cut.avi")
    models = ("--reference", str(folder / "a.onnx"), "--candidate", str(folder / "b.onnx"))
    done = program("compare", *models, "--source", str(film), "--truth", "nowhere", home=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_that_the_figures_are_told_where_they_cannot_be_written(
    compare: Compare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(path: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(BadInput, match="No space left"):
        compare("--json", str(tmp_path / "r.json"))
    assert "missed rate" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())
