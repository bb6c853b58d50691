"""`trtviewer quantize`, as a user runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from tests import model_zoo
from tests.interrupted import interrupted
from tests.oracles import rtx_build
from trtviewer.cli.main import run
from trtviewer.cli.quantize import frame_indices
from trtviewer.errors import BadInput, BadUsage, TrtviewerError
from trtviewer.models.load import load_spec
from trtviewer.models.spec import Precision


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return model_zoo.tiny_yolo_anchor(tmp_path / "tiny.onnx")


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    return pictures(tmp_path / "frames", 6)


def pictures(folder: Path, count: int) -> Path:
    folder.mkdir()
    random = np.random.default_rng(0)
    for index in range(count):
        cv2.imwrite(str(folder / f"{index:05}.png"), random.integers(0, 256, (48, 60, 3), np.uint8))
    return folder


def quantize(*arguments: object) -> int:
    return run(["quantize", *(str(argument) for argument in arguments)])


def metadata(path: Path) -> dict[str, str]:
    return {entry.key: entry.value for entry in onnx.load(str(path)).metadata_props}


def scales(path: Path) -> dict[str, np.float32]:
    initializers = onnx.load(str(path)).graph.initializer
    return {
        entry.name.removesuffix("_scale"): numpy_helper.to_array(entry)[()]
        for entry in initializers
        if entry.name.endswith("_scale") and not entry.dims
    }


def test_that_a_model_its_sidecar_and_a_report_are_written(
    model: Path, frames: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "int8.onnx"
    assert quantize(model, "-o", out, "--source", frames) == 0
    told = capsys.readouterr()
    assert "layers in INT8, mse, 6 frames of" in told.out
    assert "tensors are clipped at all" in told.out
    assert told.err == ""
    spec, original = load_spec(out), load_spec(model)
    assert spec.precision is Precision.INT8
    assert (spec.family, spec.classes, spec.heads) == (original.family, original.classes, original.heads)
    assert metadata(out)["trtviewer.calibration.method"] == "mse"
    assert metadata(out)["trtviewer.calibration.frames"] == "6"
    assert metadata(out)["trtviewer.calibration.source"] == str(frames)
    # Complete in itself: it means the same where the original's class names are not.
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("int8.onnx", "int8.toml"):
        (tmp_path / name).rename(elsewhere / name)
    assert load_spec(elsewhere / "int8.onnx").classes == original.classes


def test_that_what_is_written_is_built_by_tensorrt_for_rtx(model: Path, frames: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorrt_rtx_bindings")
    for kind in ("float32", "float16"):
        out = tmp_path / f"{kind}.onnx"
        assert (
            quantize(model, "-o", out, "--source", frames, "--float-type", kind, "--keep-float", "heads") == 0
        )
        assert rtx_build.build(out).startswith("built")


def test_that_a_network_of_any_size_is_calibrated_at_the_size_of_its_sidecar(
    frames: Path, tmp_path: Path
) -> None:
    model = model_zoo.tiny_yolo_anchor(tmp_path / "any.onnx", size=96, dynamic=True)
    assert quantize(model, "-o", tmp_path / "int8.onnx", "--source", frames) == 0
    given = load_spec(tmp_path / "int8.onnx").input
    assert given is not None
    assert given.size == (96, 96)


def test_that_the_methods_give_different_ranges(model: Path, frames: Path, tmp_path: Path) -> None:
    found = {}
    for method in ("minmax", "percentile", "entropy", "mse"):
        out = tmp_path / f"{method}.onnx"
        assert quantize(model, "-o", out, "--source", frames, "--method", method) == 0
        found[method] = scales(out)
    names = found["minmax"].keys()
    assert all(found["minmax"][name] >= found["mse"][name] for name in names)
    assert len({tuple(one.values()) for one in found.values()}) == 4


def test_that_a_percentile_alone_chooses_its_method(model: Path, frames: Path, tmp_path: Path) -> None:
    out = tmp_path / "int8.onnx"
    assert quantize(model, "-o", out, "--source", frames, "--percentile", 99.5) == 0
    assert metadata(out)["trtviewer.calibration.method"] == "percentile 99.5"


def test_that_layers_kept_in_float_are_told_and_written_down(
    model: Path, frames: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "int8.onnx"
    assert (
        quantize(model, "-o", out, "--source", frames, "--keep-float", "first", "--keep-float", "heads") == 0
    )
    nodes = {node.name: node for node in onnx.load(str(out)).graph.node}
    kept = metadata(out)["trtviewer.calibration.keep_float"].split(",")
    assert len(kept) == 4
    assert not any("Dequantize" in name for layer in kept for name in nodes[layer].input)
    assert all(layer in capsys.readouterr().out.replace("\n", "") for layer in kept[:1])


def test_that_a_table_written_and_read_gives_the_same_model(
    model: Path, frames: Path, tmp_path: Path
) -> None:
    first, second, table = tmp_path / "a.onnx", tmp_path / "b.onnx", tmp_path / "t.cache"
    assert quantize(model, "-o", first, "--source", frames, "--write-calibration-table", table) == 0
    assert quantize(model, "-o", second, "--calibration-table", table) == 0
    assert scales(first) == scales(second)
    one, other = onnx.load(str(first)), onnx.load(str(second))
    del one.metadata_props[:], other.metadata_props[:]
    assert one.SerializeToString() == other.SerializeToString()


def test_that_what_a_table_lacks_is_listed(
    model: Path, frames: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "t.cache"
    quantize(model, "-o", tmp_path / "a.onnx", "--source", frames, "--write-calibration-table", table)
    lines = table.read_text().splitlines()
    lacking = lines.pop(3).partition(":")[0]
    table.write_text("\n".join(lines))
    assert quantize(model, "-o", tmp_path / "b.onnx", "--calibration-table", table) == 0
    assert f"the table lacks, so these stay float: {lacking}" in capsys.readouterr().out
    assert lacking not in scales(tmp_path / "b.onnx")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((100, None, None, 0), (64, 0, 99)),
        ((100, 10, None, 0), (10, 0, 99)),
        ((100, 10, None, 90), (10, 90, 99)),
        ((100, 64, None, 90), (10, 90, 99)),
        ((100, 20, 3, 10), (20, 10, 67)),
        ((100, None, 2, 0), (50, 0, 98)),
        ((None, 5, None, 3), (5, 3, 7)),
        ((5, None, None, 0), (5, 0, 4)),
    ],
)
def test_that_frames_are_spread_unless_every_is_given(
    arguments: tuple[int | None, int | None, int | None, int], expected: tuple[int, int, int]
) -> None:
    indices = frame_indices(*arguments)
    assert (len(indices), indices[0], indices[-1]) == expected
    assert len(set(indices)) == len(indices)


def test_that_bad_usage_says_what_to_do(model: Path, frames: Path, tmp_path: Path) -> None:
    out = tmp_path / "int8.onnx"
    source = ("--source", frames)
    before = sorted(tmp_path.iterdir())
    cases: list[tuple[tuple[object, ...], type[TrtviewerError], str]] = [
        ((model, "-o", out), BadUsage, "needs frames to calibrate on"),
        ((model, "-o", model, *source), BadUsage, "the output is the model itself"),
        ((model, "-o", tmp_path / "x.engine", *source), BadUsage, "trtviewer build"),
        ((model, "-o", tmp_path / "no" / "x.onnx", *source), BadInput, "folder does not exist"),
        ((model, "-o", out, *source, "--frames", 0), BadUsage, "--frames: must be at least 1"),
        ((model, "-o", out, *source, "--start", 6), BadInput, "has no frame from index 6 on"),
        ((model, "-o", out, *source, "--percentile", 101), BadUsage, "at most 100"),
        ((model, "-o", out, *source, "--method", "mse", "--percentile", 99), BadUsage, "means nothing"),
        ((model, "-o", out, *source, "--method", "kl"), BadUsage, "--method"),
        ((model, "-o", out, *source, "--keep-float", "Convv"), BadUsage, "nearest: Conv"),
        ((model, "-o", out, "--source", tmp_path / "none.mp4"), TrtviewerError, "none.mp4"),
        ((tmp_path / "none.onnx", "-o", out, *source), BadInput, "none.onnx"),
    ]
    for arguments, kind, message in cases:
        with pytest.raises(kind, match=message) as caught:
            quantize(*arguments)
        assert "\n" not in str(caught.value)
    assert sorted(tmp_path.iterdir()) == before


def test_that_a_sidecar_of_other_contents_is_refused_before_any_work(
    model: Path, frames: Path, tmp_path: Path
) -> None:
    out = tmp_path / "int8.onnx"
    (tmp_path / "int8.toml").write_text('family = "yolox"\n')
    with pytest.raises(BadInput, match="not overwritten"):
        quantize(model, "-o", out, "--source", frames)
    assert not out.exists()
    (tmp_path / "int8.toml").unlink()
    assert quantize(model, "-o", out, "--source", frames) == 0
    assert quantize(model, "-o", out, "--source", frames) == 0, "its own sidecar is no obstacle"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("opset", "is of opset 12, and INT8 by channel needs 13"),
        ("batch", "its batch is N, not 1"),
        ("external", "external data|not beside it|tiny.data"),
        ("outside", "outside"),
        ("nan", "is NaN or infinite on frame 0"),
        ("no conv", "has no Conv"),
    ],
)
def test_that_a_model_that_cannot_be_quantized_says_so_in_one_line(
    model: Path, frames: Path, tmp_path: Path, damage: str, message: str
) -> None:
    graph = onnx.load(str(model))
    if damage == "opset":
        graph.opset_import[0].version = 12
    elif damage == "batch":
        graph.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "N"
    elif damage == "nan":
        weights = next(entry for entry in graph.graph.initializer if len(entry.dims) == 4)
        weights.CopyFrom(
            numpy_helper.from_array(np.full_like(numpy_helper.to_array(weights), np.nan), weights.name)
        )
    elif damage == "no conv":
        for node in graph.graph.node:
            if node.op_type == "Conv":
                node.op_type = "NotConv"
    if damage in ("external", "outside"):
        onnx.save_model(graph, str(model), save_as_external_data=True, location="tiny.data", size_threshold=0)
        if damage == "external":
            (tmp_path / "tiny.data").unlink()
        else:
            graph = onnx.load(str(model), load_external_data=False)
            for tensor in graph.graph.initializer:
                for entry in tensor.external_data:
                    if entry.key == "location":
                        entry.value = "../tiny.data"
            model.write_bytes(graph.SerializeToString())
    else:
        onnx.save(graph, model)
    out = tmp_path / "int8.onnx"
    with pytest.raises(BadInput, match=message) as caught:
        quantize(model, "-o", out, "--source", frames)
    assert "\n" not in str(caught.value)
    assert not out.exists()
    assert not out.with_suffix(".toml").exists()


def process(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "trtviewer", "quantize", *(str(argument) for argument in arguments)]


@pytest.mark.parametrize("damage", ["empty folder", "not a picture", "cut model", "quantized", "text table"])
def test_that_bad_input_is_one_line_and_status_2(
    model: Path, frames: Path, tmp_path: Path, damage: str
) -> None:
    out = tmp_path / "int8.onnx"
    arguments: list[object] = [model, "-o", out, "--source", frames]
    if damage == "empty folder":
        empty = tmp_path / "empty"
        empty.mkdir()
        arguments[-1] = empty
    elif damage == "not a picture":
        for picture in frames.iterdir():
            picture.write_bytes(b"\x89PNG\r\n\x1a\n" + b"rubbish" * 20)
    elif damage == "cut model":
        model.write_bytes(model.read_bytes()[: model.stat().st_size // 2])
    elif damage == "quantized":
        quantize(model, "-o", tmp_path / "first.onnx", "--source", frames)
        arguments[0] = tmp_path / "first.onnx"
    else:
        (tmp_path / "t.cache").write_text("no table\n")
        arguments[-2:] = ["--calibration-table", tmp_path / "t.cache"]
    done = subprocess.run(process(*arguments), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert not out.exists()
    assert not list(tmp_path.glob(".int8*"))


def test_that_ctrl_c_in_the_middle_ends_with_130_and_leaves_nothing(model: Path, tmp_path: Path) -> None:
    folder = pictures(tmp_path / "many", 1)
    for index in range(1, 3000):
        (folder / f"{index:05}.png").symlink_to(folder / "00000.png")
    before = sorted(path.name for path in tmp_path.iterdir())
    words = ("quantize", model, "-o", tmp_path / "int8.onnx", "--source", folder, "--frames", 3000)
    status, shown = interrupted(*words, shown=b"calibrating", environment={"OMP_NUM_THREADS": "1"})
    assert status == 130
    assert b"interrupted" in shown
    assert b"Traceback" not in shown
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.real
def test_that_the_real_model_is_quantized_and_built(real_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "int8.onnx"
    model, video = real_data / "yolov4-tiny.onnx", real_data / "street.avi"
    assert quantize(model, "-o", out, "--source", video, "--frames", 4) == 0
    assert load_spec(out).classes[0] == "person"
    assert out.stat().st_size < 0.3 * model.stat().st_size
    pytest.importorskip("tensorrt_rtx_bindings")
    assert rtx_build.build(out).startswith("built")
