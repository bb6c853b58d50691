from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from tests.model_zoo import quantized_twin, tiny_yolo_anchor, tiny_yolo_dfl
from trtviewer.errors import BadInput, MissingRuntime
from trtviewer.models.load import load_spec
from trtviewer.runners.choose import open_runner
from trtviewer.runners.ort import OrtRunner
from trtviewer.runners.ort_cuda import OrtCudaRunner, cuda_available


def unoptimised(path: Path, tensor: np.ndarray) -> dict[str, np.ndarray]:
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"images": tensor}), strict=True))


@pytest.mark.parametrize("seed", range(4))
def test_that_a_qdq_model_gives_the_standards_arithmetic(seed: int, tmp_path: Path) -> None:
    path = quantized_twin(tiny_yolo_anchor(tmp_path / "a.onnx", seed=seed), tmp_path / "b.onnx")
    tensor = np.random.default_rng(seed).random((1, 3, 64, 64), np.float32)
    expected = unoptimised(path, tensor)
    with open_runner(load_spec(path)) as runner:
        heads = runner.run(tensor, 0).heads
    for name, head in heads.items():
        assert ((head.astype(np.float64) - expected[name]) ** 2).mean() < 1e-8


@pytest.mark.real
def test_that_the_real_qdq_model_gives_the_standards_arithmetic(real_data: Path, tmp_path: Path) -> None:
    from tests.int8_twin import make_int8_twin

    tensor = np.random.default_rng(0).random((1, 3, 416, 416), np.float32)
    path = make_int8_twin(real_data / "yolov4-tiny.onnx", tmp_path / "b.onnx", [tensor])
    (tmp_path / "b.toml").write_text((real_data / "yolov4-tiny.toml").read_text())
    (tmp_path / "coco.names").write_text((real_data / "coco.names").read_text())
    expected = unoptimised(path, tensor)
    with open_runner(load_spec(path)) as runner:
        heads = runner.run(tensor, 0).heads
    for name, head in heads.items():
        assert ((head.astype(np.float64) - expected[name]) ** 2).mean() < 1e-8


def test_that_heads_are_read_only_float32_and_owned_by_their_frame(tmp_path: Path) -> None:
    spec = load_spec(tiny_yolo_anchor(tmp_path / "a.onnx", seed=1))
    tensors = np.random.default_rng(0).random((2, 1, 3, 64, 64), np.float32)
    with open_runner(spec) as runner:
        first = runner.run(tensors[0], 0)
        before = {name: head.copy() for name, head in first.heads.items()}
        runner.run(tensors[1], 1)
    for name, head in first.heads.items():
        np.testing.assert_array_equal(head, before[name])
        assert head.dtype == np.float32
        with pytest.raises(ValueError, match="read-only"):
            head[:] = 0
    assert first.times.compute_ms > 0


def test_that_info_says_what_runs_and_that_int8_is_emulated(tmp_path: Path) -> None:
    reference = tiny_yolo_dfl(tmp_path / "a.onnx", seed=1)
    candidate = quantized_twin(tiny_yolo_anchor(tmp_path / "c.onnx", seed=1), tmp_path / "b.onnx")
    infos = [open_runner(load_spec(path), device="cpu").info for path in (reference, candidate)]
    assert [(info.name, info.precision, info.emulated) for info in infos] == [
        ("ONNX Runtime CPU", "fp32", False),
        ("ONNX Runtime CPU", "int8", True),
    ]


def test_that_a_damaged_model_is_told_in_one_line(tmp_path: Path) -> None:
    path = tiny_yolo_anchor(tmp_path / "a.onnx", seed=1)
    spec = load_spec(path)
    path.write_bytes(path.read_bytes()[:1000])
    with (
        pytest.raises(BadInput, match=r"a\.onnx: cannot be opened by ONNX Runtime") as caught,
        OrtRunner(spec),
    ):
        pass
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(cuda_available(), reason="this ONNX Runtime has CUDA")
def test_that_cuda_is_never_replaced_in_silence(tmp_path: Path) -> None:
    spec = load_spec(tiny_yolo_anchor(tmp_path / "a.onnx", seed=1))
    with pytest.raises(MissingRuntime, match="needs ONNX Runtime with CUDA"), OrtCudaRunner(spec):
        pass
