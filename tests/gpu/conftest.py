"""GPU tests: marked `gpu`, skipped with a reason where there is none; the stand-in for TensorRT is the module `tensorrt` here."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.gpu.video import frames_of
from tests.int8_twin import make_int8_twin
from trtviewer import optional
from trtviewer.build.engine import build_engine
from trtviewer.build.request import BuildRequest
from trtviewer.models.load import load_spec
from trtviewer.models.spec import ModelSpec
from trtviewer.preprocess import Preprocessor
from trtviewer.runners.nvidia import driver
from trtviewer.runners.ort_cuda import cuda_available

HERE = Path(__file__).parent
DOUBLE = HERE / "double"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    reason = _missing()
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.gpu)
            if reason:
                item.add_marker(pytest.mark.skip(reason=reason))


def _missing() -> str:
    if not driver().gpus:
        return f"needs an NVIDIA GPU: {driver().trouble}"
    for name in ("pycuda.driver", "cuda.bindings.nvrtc"):
        if not optional.installed(name):
            return f"needs {name}"
    return "" if cuda_available() else "needs onnxruntime-gpu in place of onnxruntime"


@pytest.fixture(scope="session", autouse=True)
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The double as `tensorrt`, here and in child processes; and a home of its own for trust, caches and log."""
    home = tmp_path_factory.mktemp("home")
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        os.environ[name] = str(home / name.lower())
    sys.path.insert(0, str(DOUBLE))
    yield
    sys.path.remove(str(DOUBLE))


@pytest.fixture(scope="session")
def onnx_pair(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[ModelSpec, ModelSpec]:
    """yolov4-tiny in FP32, and its fake-quant INT8 twin calibrated on four frames of the street."""
    folder = tmp_path_factory.mktemp("models")
    for name in ("yolov4-tiny.onnx", "yolov4-tiny.toml", "coco.names"):
        (folder / name).write_bytes((real_data / name).read_bytes())
    reference = load_spec(folder / "yolov4-tiny.onnx")
    assert reference.input is not None
    preprocessor = Preprocessor(reference.input)
    frames = frames_of(real_data / "street.avi", range(0, 80, 20))
    tensors = [preprocessor.prepare(frame).tensor for frame in frames]
    twin = make_int8_twin(reference.path, folder / "int8.onnx", tensors)
    (folder / "int8.toml").write_bytes((real_data / "yolov4-tiny.toml").read_bytes())
    return reference, load_spec(twin)


@pytest.fixture(scope="session")
def engine_pair(onnx_pair: tuple[ModelSpec, ModelSpec]) -> tuple[ModelSpec, ModelSpec]:
    """Engines of both, built by the program itself with the double's builder, and so trusted."""
    engines = []
    for spec in onnx_pair:
        out = spec.path.with_name(spec.path.stem + "-built.engine")
        build_engine(spec, out, BuildRequest(spec.path))
        engines.append(load_spec(out))
    return engines[0], engines[1]


@pytest.fixture(scope="session")
def pictures(real_data: Path) -> list[np.ndarray]:
    """Some frames of the street."""
    return frames_of(real_data / "street.avi", range(0, 100, 5))
