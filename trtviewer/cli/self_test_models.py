"""The network of the self test: four convolutions in FP32, and the same as Q/DQ."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from trtviewer.models.load import load_spec
from trtviewer.models.sidecar import sidecar_path, write_sidecar
from trtviewer.models.spec import ModelSpec
from trtviewer.quantize.graph import load_network
from trtviewer.quantize.methods import Method, amax_by_tensor
from trtviewer.quantize.qdq import make_qdq, shared_scales
from trtviewer.quantize.ranges import collect_ranges

SIDE = 64
_CHANNELS = (3, 8, 16, 16, 18)
_SIDECAR = """family = "yolo-anchor"
classes = ["thing"]
[[head]]
output = "head"
stride = 8
anchors = [[8, 8], [16, 16], [32, 32]]
"""


def write_models(folder: Path) -> tuple[ModelSpec, ModelSpec]:
    """Writes `float.onnx` and `int8.onnx` with their sidecars; the same files every time."""
    path = folder / "float.onnx"
    onnx.save(_network(), str(path))
    path.with_suffix(".toml").write_text(_SIDECAR, encoding="utf-8")
    spec = load_spec(path)
    network = load_network(path)
    ranges = collect_ranges(network, pictures(4), input_amax=1.0, threads=1)
    quantized = make_qdq(network, shared_scales(network, amax_by_tensor(ranges, Method.MINMAX)))
    twin = folder / "int8.onnx"
    twin.write_bytes(quantized.model.SerializeToString())
    write_sidecar(sidecar_path(twin), spec)
    return spec, load_spec(twin)


def pictures(count: int) -> list[NDArray[np.float32]]:
    """Inputs, [1, 3, 64, 64] in 0..1; the same every time."""
    random = np.random.default_rng(7)
    return [random.random((1, 3, SIDE, SIDE), np.float32) for _ in range(count)]


def _network() -> onnx.ModelProto:
    random = np.random.default_rng(11)
    nodes, weights, at = [], [], "images"
    for number, (before, after) in enumerate(pairwise(_CHANNELS)):
        last = number == len(_CHANNELS) - 2
        size, stride, pad = (1, 1, 0) if last else (3, 2, 1)
        kernel = random.normal(0, (2 / (before * size * size)) ** 0.5, (after, before, size, size))
        weights.append(numpy_helper.from_array(kernel.astype(np.float32), f"weight{number}"))
        weights.append(
            numpy_helper.from_array(random.normal(0, 0.1, after).astype(np.float32), f"bias{number}")
        )
        made = "head" if last else f"map{number}"
        given = [at, f"weight{number}", f"bias{number}"]
        shape = {"kernel_shape": [size, size], "strides": [stride, stride], "pads": [pad] * 4}
        nodes.append(helper.make_node("Conv", given, [made], f"conv{number}", **shape))
        at = made
        if not last:
            nodes.append(helper.make_node("Relu", [made], [f"active{number}"], f"relu{number}"))
            at = f"active{number}"
    graph = helper.make_graph(
        nodes,
        "self_test",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("head", TensorProto.FLOAT, [1, _CHANNELS[-1], SIDE // 8, SIDE // 8])],
        weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
