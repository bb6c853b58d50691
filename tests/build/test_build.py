"""`trtviewer build` with the real TensorRT for RTX builder, which needs no GPU."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
from pathlib import Path

import numpy as np
import pytest

from tests import model_zoo
from tests.build import networks
from tests.int8_twin import make_int8_twin
from tests.interrupted import interrupted
from trtviewer.build.engine import build_engine
from trtviewer.build.request import BuildProgress, BuildRequest, Runtime
from trtviewer.cli.main import run
from trtviewer.errors import BadInput, BadUsage, Cancelled, MissingRuntime
from trtviewer.models.load import load_spec
from trtviewer.models.trust import UntrustedPlan, require_trusted, trust
from trtviewer.runners.nvidia import driver

pytest.importorskip("tensorrt_rtx_bindings", reason="needs the wheels of the extra `rtx`")

RTX = BuildRequest(Path(), Runtime.TENSORRT_RTX)


def build(*arguments: object) -> int:
    return run(["build", *(str(argument) for argument in arguments), "--runtime", "tensorrt-rtx"])


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return model_zoo.tiny_yolo_anchor(tmp_path / "tiny.onnx")


def test_that_engine_sidecar_and_sha256_are_written_and_agree(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.engine"
    assert build(model, "-o", out) == 0
    told = capsys.readouterr()
    assert "TensorRT for RTX" in told.out
    assert "layers" in told.out
    assert told.err == ""
    plan = out.read_bytes()
    assert plan[:4] == b"vtrt", "the magic of a plan for RTX"
    assert (tmp_path / "out.engine.sha256").read_text() == f"{hashlib.sha256(plan).hexdigest()}  out.engine\n"
    spec, original = load_spec(out), load_spec(model)
    assert (spec.family, spec.classes, spec.heads) == (original.family, original.classes, original.heads)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_that_what_was_built_here_is_trusted_and_nothing_else(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.engine"
    build(model, "-o", out)
    require_trusted(out)
    moved = out.rename(tmp_path / "moved.plan")
    require_trusted(moved)
    # Whoever sends an engine can send its SHA-256 too.
    foreign = tmp_path / "foreign.engine"
    foreign.write_bytes(moved.read_bytes() + b"\0")
    digest = hashlib.sha256(foreign.read_bytes()).hexdigest()
    (tmp_path / "foreign.engine.sha256").write_text(f"{digest}  foreign.engine\n")
    with pytest.raises(UntrustedPlan, match="--trust") as caught:
        require_trusted(foreign)
    assert caught.value.digest == digest
    trust(foreign)
    trust(foreign)
    require_trusted(foreign)


def test_that_an_engine_that_is_not_what_was_built_is_told_as_damaged(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.engine"
    build(model, "-o", out)
    out.write_bytes(out.read_bytes()[:-100])
    with pytest.raises(BadInput, match=r"is not what out\.engine\.sha256 says was built"):
        require_trusted(out)


def test_that_a_quantized_model_is_built(model: Path, tmp_path: Path) -> None:
    pictures = [np.random.default_rng(0).random((1, 3, 64, 64), np.float32)]
    twin = make_int8_twin(model, tmp_path / "int8.onnx", pictures)
    twin.with_suffix(".toml").write_text(model.with_suffix(".toml").read_text())
    assert build(twin, "-o", tmp_path / "built.engine") == 0
    assert (tmp_path / "built.engine").stat().st_size > 0


def test_that_progress_names_phases_and_never_falls(model: Path, tmp_path: Path) -> None:
    told: list[BuildProgress] = []
    build_engine(load_spec(model), tmp_path / "out.engine", RTX, told.append)
    shares = [progress.share for progress in told]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert shares[-1] == pytest.approx(1)
    assert len({progress.phase for progress in told}) >= 5
    assert told[0].phase == "Reading tiny.onnx"


def test_that_a_cancelled_build_leaves_nothing(model: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    told: list[BuildProgress] = []
    with pytest.raises(Cancelled):
        build_engine(
            load_spec(model),
            tmp_path / "out.engine",
            RTX,
            told.append,
            lambda: told != [] and told[-1].share > 0.1,
        )
    assert sorted(tmp_path.iterdir()) == before
    assert multiprocessing.active_children() == []


def test_that_an_error_while_progress_is_shown_ends_the_builder(model: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())

    def throw(progress: BuildProgress) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        build_engine(load_spec(model), tmp_path / "out.engine", RTX, throw)
    assert sorted(tmp_path.iterdir()) == before
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize(
    ("row", "node", "what", "advice"),
    [
        ("int32 bias", "dequantize_bias", "it is an int32 bias", "QuantizeBias=False"),
        ("asymmetric int8", "quantize_x", "its zero point is 3", "ActivationSymmetric=True"),
        ("uint8 activations", "quantize_x", "its zero point is 128", "QuantType.QInt8"),
        ("uint8 weights", "dequantize_w", "its weights are uint8", "weight_type=QuantType.QInt8"),
        ("scale of zero", "quantize_x", "its scale is not above 0", "calibrate"),
        ("integer arithmetic", "integers", "computes in integers", "QuantFormat.QDQ"),
        ("computed scale", "measure_x", "computes in integers", "QuantFormat.QDQ"),
        ("unknown operator", "sharpen", "the operator acme::Sharpen is not known", "--plugin"),
    ],
)
def test_that_a_refusal_names_the_node_and_what_to_change(
    row: str, node: str, what: str, advice: str, tmp_path: Path
) -> None:
    path = networks.refused(tmp_path / "refused.onnx", row)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(BadInput) as caught:
        build(path, "-o", tmp_path / "out.engine")
    text = str(caught.value)
    assert f"refuses node '{node}'" in text
    assert what in caught.value.what
    assert advice in caught.value.advice
    assert "\n" not in text
    assert sorted(tmp_path.iterdir()) == before


def test_that_an_open_shape_becomes_the_sidecars(tmp_path: Path) -> None:
    path = networks.open_shaped(tmp_path / "open.onnx")
    assert build(path, "-o", tmp_path / "open.engine") == 0


def test_that_gpus_can_be_listed_and_an_unknown_one_is_told(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.engine"
    assert build(model, "-o", out, "--compute-capability", "8.6", "--compute-capability", "12.0") == 0
    with pytest.raises(
        BadUsage, match=r"does not build for compute capability 9\.0 .*it knows 7\.5, 8\.0, 8\.6"
    ):
        build(model, "-o", tmp_path / "other.engine", "--compute-capability", "9.0")


def test_that_what_rtx_does_not_have_is_told(model: Path, tmp_path: Path) -> None:
    table = tmp_path / "t.cache"
    table.write_text("TRT-8601-EntropyCalibration2\nimages: 3c010a14\n")
    library = tmp_path / "libplugin.so"
    library.touch()
    out = tmp_path / "out.engine"
    with pytest.raises(BadUsage, match="trtviewer quantize --calibration-table"):
        build(model, "-o", out, "--calibration-table", table)
    with pytest.raises(BadInput, match="takes no plugins"):
        build(model, "-o", out, "--plugin", library)
    with pytest.raises(BadInput, match=r"none\.so: does not exist"):
        build(model, "-o", out, "--plugin", tmp_path / "none.so")
    with pytest.raises(BadUsage, match="--keep-float is for --calibration-table"):
        build(model, "-o", out, "--keep-float", "first")


@pytest.mark.skipif(bool(driver().gpus), reason="a GPU is here")
def test_that_tensorrt_without_a_gpu_says_so_and_offers_rtx(model: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingRuntime, match="--runtime tensorrt-rtx") as caught:
        run(["build", str(model), "-o", str(tmp_path / "out.engine")])
    assert caught.value.exit_status == 3


def test_that_bad_places_are_told_before_any_work(model: Path, tmp_path: Path) -> None:
    with pytest.raises(BadUsage, match=r"name it out\.engine"):
        build(model, "-o", tmp_path / "out.onnx")
    with pytest.raises(BadInput, match="cannot be written"):
        build(model, "-o", tmp_path / "no" / "out.engine")
    (tmp_path / "folder.engine").mkdir()
    with pytest.raises(BadInput, match="is a folder"):
        build(model, "-o", tmp_path / "folder.engine")
    (tmp_path / "other.toml").write_text('family = "yolox"\n')
    with pytest.raises(BadInput, match="not overwritten"):
        build(model, "-o", tmp_path / "other.engine")
    assert not (tmp_path / "other.engine").exists()


def test_that_a_sidecar_that_is_too_little_for_an_engine_is_told_before_any_work(
    model: Path, tmp_path: Path
) -> None:
    sidecar = model.with_suffix(".toml")
    assert "size" not in sidecar.read_text(), "the ONNX model says it itself"
    with pytest.raises(BadInput, match=r"tiny\.toml: is there already, and leaves out .*\[input\] size"):
        build(model, "-o", tmp_path / "tiny.engine")
    assert not (tmp_path / "tiny.engine").exists()
    sidecar.write_text(sidecar.read_text().replace("[input]", "[input]\nsize = [64, 64]"))
    assert build(model, "-o", tmp_path / "tiny.engine") == 0
    assert load_spec(tmp_path / "tiny.engine").heads == load_spec(model).heads


def test_that_an_engine_that_is_there_is_replaced(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.engine"
    out.write_bytes(b"old")
    assert build(model, "-o", out) == 0
    assert build(model, "-o", out) == 0, "its own sidecar is no obstacle"
    assert out.read_bytes()[:4] == b"vtrt"


def test_that_ctrl_c_ends_with_130_and_leaves_nothing(model: Path, tmp_path: Path, own_home: Path) -> None:
    before = sorted(path.name for path in tmp_path.iterdir())
    words = ("build", model, "-o", tmp_path / "o.engine", "--runtime", "tensorrt-rtx")
    status, shown = interrupted(*words, shown=b"building")
    assert status == 130
    assert b"interrupted" in shown
    assert b"Traceback" not in shown
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.real
def test_that_the_real_model_and_its_int8_twin_are_built(real_data: Path, tmp_path: Path) -> None:
    model = real_data / "yolov4-tiny.onnx"
    pictures = [np.random.default_rng(0).random((1, 3, 416, 416), np.float32)]
    twin = make_int8_twin(model, tmp_path / "int8.onnx", pictures)
    (tmp_path / "int8.toml").write_bytes((real_data / "yolov4-tiny.toml").read_bytes())
    (tmp_path / "coco.names").write_bytes((real_data / "coco.names").read_bytes())
    sizes = {}
    for path in (model, twin):
        out = tmp_path / f"{path.stem}-built.engine"
        told: list[BuildProgress] = []
        built = build_engine(load_spec(path), out, RTX, told.append)
        assert built.layers > 50
        assert len({progress.phase for progress in told}) >= 5
        assert load_spec(out).classes[0] == "person"
        sizes[path] = built.size
    assert sizes[twin] < 0.5 * sizes[model], "weights of the INT8 engine are a quarter"


@pytest.mark.real
def test_that_building_the_real_model_can_be_cancelled(real_data: Path, tmp_path: Path) -> None:
    told: list[BuildProgress] = []
    with pytest.raises(Cancelled):
        build_engine(
            load_spec(real_data / "yolov4-tiny.onnx"),
            tmp_path / "out.engine",
            RTX,
            told.append,
            lambda: len(told) > 3,
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(bool(driver().gpus), reason="a GPU is here")
def test_that_info_tells_of_an_engine_what_its_file_says_and_why_it_was_not_opened(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.engine"
    build(model, "-o", out)
    capsys.readouterr()
    assert run(["info", str(out), "--json", str(tmp_path / "i.json")]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "yolo-anchor" in told
    assert "not opened" in told
    assert "needs an NVIDIA GPU" in told
    report = json.loads((tmp_path / "i.json").read_text())
    assert report["engine"]["layers"] is None
    assert "needs an NVIDIA GPU" in report["engine"]["trouble"]
