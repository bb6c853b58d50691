"""Small networks, their Q/DQ twins, and what is known of both."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import onnx
from numpy.typing import NDArray

from tests.int8_twin import make_int8_twin
from tests.quantize.networks import pictures
from tests.quantize.twin import write_qdq
from trtviewer.blame.pairing import load_twin
from trtviewer.blame.twin import Twin
from trtviewer.models.load import load_spec
from trtviewer.models.sidecar import sidecar_path, write_sidecar
from trtviewer.models.spec import Family, HeadSpec, InputSpec, ModelSpec, Precision
from trtviewer.quantize.graph import load_network
from trtviewer.quantize.methods import amax_by_tensor
from trtviewer.quantize.ranges import collect_ranges

Make = Callable[[Path], Path]


def spec_of(path: Path, precision: Precision = Precision.FP32, size: int = 16) -> ModelSpec:
    """What is known of a small model: maps of 6 channels are one anchor and one class; others have no family."""
    model = onnx.shape_inference.infer_shapes(onnx.load(path))
    heads = []
    for output in model.graph.output:
        shape = tuple(each.dim_value for each in output.type.tensor_type.shape.dim)
        heads.append(
            HeadSpec(output.name, shape, stride=size // (shape + (size,) * 4)[3], anchors=((8.0, 8.0),))
        )
    boxes = all(len(head.shape) == 4 and head.shape[1] == 6 for head in heads)
    family, classes = (Family.YOLO_ANCHOR, ("thing",)) if boxes else (Family.NONE, ())
    return ModelSpec(path, family, classes, InputSpec("images", (size, size)), tuple(heads), precision)


def ours(
    model: Path, out: Path, keep_float: Collection[str] = (), method: str = "minmax", **more: str
) -> Path:
    """The twin that `trtviewer quantize` writes."""
    network = load_network(model)
    ranges = collect_ranges(network, pictures(3, seed=1), threads=1)
    write_qdq(network, amax_by_tensor(ranges, method), keep_float, out, **more)  # type: ignore[arg-type]
    return out


def onnxruntimes(model: Path, out: Path) -> Path:
    """The twin that onnxruntime's own quantizer writes."""
    return make_int8_twin(model, out, pictures(3, seed=1))


def twin_of(model: Path, candidate: Path) -> Twin:
    return load_twin(spec_of(model), spec_of(candidate, Precision.INT8))


def run(path: Path, tensor: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """A model's outputs, from the unoptimised graph."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    results: list[NDArray[np.float32]] = session.run(None, {session.get_inputs()[0].name: tensor})
    return results


def ours_of(model: Path, out: Path, keep_float: Collection[str] = ()) -> Path:
    """The twin of a model of the zoo, calibrated on noise, with its sidecar."""
    spec = load_spec(model)
    assert spec.input is not None
    random = np.random.default_rng(2)
    tensors = [random.random((1, 3, *spec.input.size), dtype=np.float32) for _ in range(2)]
    ranges = collect_ranges(load_network(model), tensors, threads=1)
    write_qdq(load_network(model), amax_by_tensor(ranges, "minmax"), keep_float, out)
    write_sidecar(sidecar_path(out), replace(spec, path=out, precision=Precision.INT8))
    return out


def noise_pictures(folder: Path, count: int) -> Path:
    """A folder of pictures to be a source."""
    folder.mkdir()
    random = np.random.default_rng(0)
    for index in range(count):
        cv2.imwrite(str(folder / f"{index:05}.png"), random.integers(0, 256, (48, 60, 3), np.uint8))
    return folder
