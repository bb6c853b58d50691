"""Small networks that TensorRT refuses, one for each row of its rules, one that it takes with an open shape, and one that never ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

CHANNELS = 18
"""Of the one output: a yolo-anchor head of one class and three anchors."""
_WEIGHTS = np.random.default_rng(0).normal(size=(CHANNELS, 3, 3, 3)).astype(np.float32)
_SIDECAR = """family = "yolo-anchor"
classes = ["one"]
[input]
size = [64, 64]
[[head]]
output = "y"
stride = 64
anchors = [[8, 8], [16, 16], [32, 32]]
"""


def refused(path: Path, row: str) -> Path:
    """The network of that row of `ROWS`, with its sidecar."""
    nodes, constants, domains = _ROWS[row]()
    return _write(path, nodes, constants, domains)


def open_shaped(path: Path) -> Path:
    """One convolution whose batch, height and width are open."""
    return _write(path, [_conv("x", "w")], {"w": _WEIGHTS}, (), ["n", 3, "h", "w"])


def endless(path: Path) -> Path:
    """A convolution whose output goes round a loop that ends after centuries; with its sidecar."""
    open_shaped(path)
    model = onnx.load(path)
    (convolution,) = model.graph.node
    convolution.output[0] = "begun"
    value, shape = helper.make_tensor_value_info, [1, CHANNELS, 1, 1]
    body = helper.make_graph(
        [helper.make_node("Identity", ["more"], ["again"]), helper.make_node("Neg", ["at"], ["turned"])],
        "turn",
        [
            value("turn", TensorProto.INT64, []),
            value("more", TensorProto.BOOL, []),
            value("at", TensorProto.FLOAT, shape),
        ],
        [value("again", TensorProto.BOOL, []), value("turned", TensorProto.FLOAT, shape)],
    )
    model.graph.initializer.append(numpy_helper.from_array(np.array(2**60, np.int64), "turns"))
    model.graph.node.append(helper.make_node("Loop", ["turns", "", "begun"], ["y"], body=body))
    onnx.save(model, path)
    return path


def _write(
    path: Path,
    nodes: Sequence[NodeProto],
    constants: Mapping[str, NDArray[Any]],
    domains: Sequence[str],
    shape: Sequence[int | str] = (1, 3, 64, 64),
) -> Path:
    graph = helper.make_graph(
        nodes,
        "refused",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, CHANNELS, 1, 1])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", 17), *(helper.make_opsetid(domain, 1) for domain in domains)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), path)
    path.with_suffix(".toml").write_text(_SIDECAR)
    return path


def _conv(data: str, weights: str, *bias: str) -> NodeProto:
    return helper.make_node("Conv", [data, weights, *bias], ["y"], "convolve", strides=[64, 64])


def _around_the_input(scale: float, zero: NDArray[Any]) -> _Made:
    pair = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"], "quantize_x"),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["d"], "dequantize_x"),
    ]
    return [*pair, _conv("d", "w")], {"s": np.float32(scale), "z": zero, "w": _WEIGHTS}, ()


def _int32_bias() -> _Made:
    dequantize = helper.make_node("DequantizeLinear", ["b", "s"], ["bias"], "dequantize_bias")
    constants = {"b": np.zeros(CHANNELS, np.int32), "s": np.float32(0.01), "w": _WEIGHTS}
    return [dequantize, _conv("x", "w", "bias")], constants, ()


def _uint8_weights() -> _Made:
    dequantize = helper.make_node("DequantizeLinear", ["q", "s", "z"], ["w"], "dequantize_w")
    weights = np.ones(_WEIGHTS.shape, np.uint8)
    return [dequantize, _conv("x", "w")], {"q": weights, "s": np.float32(0.01), "z": np.uint8(0)}, ()


def _integer_arithmetic() -> _Made:
    constants = {"w": np.zeros(_WEIGHTS.shape, np.int8), "s": np.float32(0.01), "z": np.int8(0)}
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"], "quantize_x"),
        helper.make_node(
            "QLinearConv", ["q", "s", "z", "w", "s", "z", "s", "z"], ["t"], "integers", strides=[64, 64]
        ),
        helper.make_node("DequantizeLinear", ["t", "s", "z"], ["y"], "dequantize_y"),
    ]
    return nodes, constants, ()


def _computed_scale() -> _Made:
    nodes = [
        helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"], "measure_x"),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["d"], "dequantize_x"),
        _conv("d", "w"),
    ]
    return nodes, {"w": _WEIGHTS}, ()


def _unknown_operator() -> _Made:
    own = helper.make_node("Sharpen", ["x"], ["t"], "sharpen", domain="acme")
    return [own, _conv("t", "w")], {"w": _WEIGHTS}, ("acme",)


_Made = tuple[list[NodeProto], dict[str, Any], Sequence[str]]
_ROWS = {
    "int32 bias": _int32_bias,
    "asymmetric int8": lambda: _around_the_input(0.01, np.int8(3)),
    "uint8 activations": lambda: _around_the_input(0.01, np.uint8(128)),
    "scale of zero": lambda: _around_the_input(0.0, np.int8(0)),
    "uint8 weights": _uint8_weights,
    "integer arithmetic": _integer_arithmetic,
    "computed scale": _computed_scale,
    "unknown operator": _unknown_operator,
}
