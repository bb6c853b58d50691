"""`compare --truth`, as a user gives it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.model_zoo import quantized_twin, tiny_yolo_anchor
from trtviewer.cli.main import run
from trtviewer.detect.families import decode
from trtviewer.detect.nms import suppress
from trtviewer.errors import BadInput, BadUsage
from trtviewer.models.load import load_spec
from trtviewer.opencv import cv2
from trtviewer.preprocess import Preprocessor
from trtviewer.runners.choose import open_runner
from trtviewer.sources.address import open_source


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`a.onnx`, its INT8 twin, three pictures of noise and YOLO labels of two of them."""
    folder = tmp_path_factory.mktemp("truth")
    quantized_twin(tiny_yolo_anchor(folder / "a.onnx", seed=1), folder / "b.onnx")
    for name in ("pictures", "labels"):
        (folder / name).mkdir()
    for index in range(3):
        noise = np.random.default_rng(index).integers(0, 256, (60, 80, 3), np.uint8)
        cv2.imwrite(str(folder / "pictures" / f"{index}.png"), noise)
    (folder / "labels" / "0.txt").write_text("0 0.5 0.5 0.2 0.2\n1 0.3 0.3 0.4 0.4\n")
    (folder / "labels" / "2.txt").write_text("2 0.5 0.5 0.9 0.9\n")
    return folder


def compare(folder: Path, *options: str) -> int:
    models = ["--reference", str(folder / "a.onnx"), "--candidate", str(folder / "b.onnx")]
    return run(["compare", *models, "--source", str(folder / "pictures"), *options])


def report_of(folder: Path, tmp_path: Path, *options: str) -> dict[str, Any]:
    assert compare(folder, "--json", str(tmp_path / "r.json"), *options) == 0
    report: dict[str, Any] = json.loads((tmp_path / "r.json").read_text())
    return report


def test_that_the_report_has_both_sides_against_the_truth(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = report_of(folder, tmp_path, "--truth", str(folder / "labels"))["truth"]
    assert (truth["kind"], truth["frames"], truth["objects"]) == ("yolo", 3, 3)
    for side in ("reference", "candidate"):
        assert 0 <= truth[side]["ap50"] <= 1
    assert truth["difference"]["ap50"] == truth["candidate"]["ap50"] - truth["reference"]["ap50"]
    found = truth["found"]
    assert found["both"] + found["only_reference"] + found["only_candidate"] + found["neither"] == 3
    differences = truth["differences"]
    assert differences["all"] == sum(
        differences[key] for key in ("lost", "false_new", "gained", "false_gone", "same_object", "ignored")
    )
    printed = capsys.readouterr().out
    assert "AP50-95" in printed
    assert "of 3 true objects both find" in printed


def test_that_a_source_without_truth_has_none_in_its_report(folder: Path, tmp_path: Path) -> None:
    assert "truth" not in report_of(folder, tmp_path)


def test_that_a_scene_s_own_truth_is_taken_unasked(tmp_path: Path) -> None:
    quantized_twin(tiny_yolo_anchor(tmp_path / "a.onnx", seed=1), tmp_path / "b.onnx")
    for name in ("a", "b"):
        toml = (tmp_path / f"{name}.toml").read_text().splitlines()
        kept = [line for line in toml if not line.startswith("classes")]
        text = "\n".join(['classes = ["car", "person", "boat"]', *kept])
        (tmp_path / f"{name}.toml").write_text(text)
    command = ["compare", "--reference", str(tmp_path / "a.onnx"), "--candidate", str(tmp_path / "b.onnx")]
    command += ["--source", "scene:street?frames=4&size=320x180", "--json", str(tmp_path / "r.json")]
    assert run(command) == 0
    truth = json.loads((tmp_path / "r.json").read_text())["truth"]
    assert (truth["kind"], truth["frames"]) == ("scene", 4)
    assert truth["classes_left_out"] == ["truck", "cyclist"]
    assert truth["objects"] > 0


def test_that_a_gate_may_be_on_the_truth(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = str(folder / "labels")
    assert compare(folder, "--truth", labels, "--fail-on", "truth.candidate.ap50 < 2") == 1
    assert "truth.candidate.ap50 is" in capsys.readouterr().err
    with pytest.raises(BadUsage, match="takes true objects with --truth"):
        compare(folder, "--fail-on", "truth.candidate.ap50 < 2")


def test_that_bad_truth_is_told_before_any_frame_runs(folder: Path) -> None:
    with pytest.raises(BadInput, match="knows no truth of its own"):
        compare(folder, "--truth", "scene")
    with pytest.raises(BadInput, match="is neither a file nor a folder"):
        compare(folder, "--truth", "absent.json")


def test_that_the_page_is_written_with_the_command_that_made_it(folder: Path, tmp_path: Path) -> None:
    assert compare(folder, "--html", str(tmp_path / "r.html"), "--truth", str(folder / "labels")) == 0
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "Does INT8 find what FP32 finds?" in page
    assert "Against the truth" in page
    with pytest.raises(BadInput, match="no-such-folder"):
        compare(folder, "--html", "no-such-folder/r.html")


def test_that_forty_pictures_have_an_interval_of_the_difference_in_ap(folder: Path, tmp_path: Path) -> None:
    pictures, labels = tmp_path / "pictures", tmp_path / "labels"
    pictures.mkdir()
    labels.mkdir()
    for index in range(40):
        noise = np.random.default_rng(index).integers(0, 256, (60, 80, 3), np.uint8)
        cv2.imwrite(str(pictures / f"{index}.png"), noise)
    models = ["--reference", str(folder / "a.onnx"), "--candidate", str(folder / "b.onnx")]
    # What the reference finds is the truth, so that the candidate is the worse one.
    spec = load_spec(folder / "a.onnx")
    with open_source(str(pictures)) as source, open_runner(spec, threads=1) as runner:
        assert spec.input is not None
        preprocessor = Preprocessor(spec.input)
        for index in range(40):
            prepared = preprocessor.prepare(source.read(index).picture)
            boxes = decode(spec, runner.run(prepared.tensor, index).heads, prepared.placement)
            found = suppress(boxes, 0.25, 0.45)
            centre, side = (found.xyxy[:, :2] + found.xyxy[:, 2:]) / 2, found.xyxy[:, 2:] - found.xyxy[:, :2]
            shares = np.clip(np.concatenate((centre, side), axis=1) / (80, 60, 80, 60), 0, 1)
            rows = (
                f"{class_id} " + " ".join(f"{value:.5f}" for value in row)
                for class_id, row in zip(found.class_id, shares, strict=True)
            )
            (labels / f"{index}.txt").write_text("\n".join(rows))
    last = ["--truth", str(labels), "--json", str(tmp_path / "last.json")]
    assert run(["compare", *models, "--source", str(pictures), *last]) == 0
    truth = json.loads((tmp_path / "last.json").read_text())["truth"]
    for name in ("ap50", "ap50_95"):
        interval = truth["difference_intervals"][name]
        assert interval["low"] < truth["difference"][name] < interval["high"]
        assert interval["settled"] is (interval["low"] > 0 or interval["high"] < 0)
        assert interval["reason"] is None
