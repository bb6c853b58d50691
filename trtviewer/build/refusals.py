"""Why a parser refuses a model: the node by name, what is wrong with it, and what to change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper

from trtviewer.errors import BadInput

_QUANTIZE = ("QuantizeLinear", "DequantizeLinear")
_INTEGER_ARITHMETIC = (
    "QLinearConv",
    "QLinearMatMul",
    "QLinearAdd",
    "ConvInteger",
    "MatMulInteger",
    "DynamicQuantizeLinear",
)
_REQUANTIZE = "or start from the float model with trtviewer quantize"


@dataclass(frozen=True, slots=True)
class ParserError:
    """One error of TensorRT's ONNX parser: which node (its place in the graph, name and operator), and the parser's words."""

    node: int
    name: str
    operator: str
    code: str
    text: str


def explain(path: Path, errors: Sequence[ParserError], parser: str) -> BadInput:
    """The first of the parser's errors, as one line with what to change.

    Args:
        path: the model.
        errors: at least one.
        parser: "TensorRT 10.13.3", for the message.
    """
    first = errors[0]
    what, advice = _cause(_Graph(path), first)
    name = f"node '{first.name or first.node}'" + (f" ({first.operator})" if first.operator else "")
    more = f"; {len(errors) - 1} more nodes are refused" if len(errors) > 1 else ""
    return BadInput(f"{parser} refuses {name}: {what}{more}", subject=path, advice=advice)


class _Graph:
    """The model's nodes and constants; weights in other files are not read."""

    def __init__(self, path: Path) -> None:
        try:
            self.graph = onnx.load(str(path), load_external_data=False).graph
        except (DecodeError, OSError) as error:
            raise BadInput("is not an ONNX model, or is cut short", subject=path) from error
        self._constants = {tensor.name: tensor for tensor in self.graph.initializer}
        for node in self.graph.node:
            if node.op_type == "Constant" and node.attribute and node.attribute[0].HasField("t"):
                self._constants[node.output[0]] = node.attribute[0].t

    def node(self, error: ParserError) -> onnx.NodeProto | None:
        named = [node for node in self.graph.node if error.name and node.name == error.name]
        if named:
            return named[0]
        nodes = self.graph.node
        return nodes[error.node] if 0 <= error.node < len(nodes) else None

    def constant(self, node: onnx.NodeProto, index: int) -> onnx.TensorProto | None:
        return self._constants.get(node.input[index]) if index < len(node.input) else None

    def value(self, tensor: onnx.TensorProto | None) -> NDArray[Any] | None:
        if tensor is None or tensor.data_location == TensorProto.EXTERNAL:
            return None
        return np.asarray(numpy_helper.to_array(tensor))


def _cause(graph: _Graph, error: ParserError) -> tuple[str, str]:
    node = graph.node(error)
    operator = error.operator or (node.op_type if node is not None else "")
    if node is not None and operator in _QUANTIZE:
        found = _quantization(graph, node)
        if found is not None:
            return found
    if operator in _INTEGER_ARITHMETIC:
        return (
            "it computes in integers itself, and only Q/DQ pairs around float operators are taken",
            f"quantize again with quant_format=QuantFormat.QDQ, {_REQUANTIZE}",
        )
    if "plugin not found" in error.text.lower() or "no importer" in error.text.lower():
        domain = f"{node.domain}::" if node is not None and node.domain else ""
        return (
            f"the operator {domain}{operator} is not known",
            "give the library that has it by --plugin LIB, or export the model without it",
        )
    if error.code.startswith("UNSUPPORTED"):
        return (
            f"not supported: {_plain(error.text) or operator}",
            "export it with other operators, or give a plugin that has this one by --plugin LIB",
        )
    return _plain(error.text) or error.code, "trtviewer info shows what the model is; export it again"


def _quantization(graph: _Graph, node: onnx.NodeProto) -> tuple[str, str] | None:
    """What is wrong with one Q or DQ, by the rules of TensorRT's explicit quantization."""
    data, scale, zero = (graph.constant(node, index) for index in range(3))
    if node.op_type == "DequantizeLinear" and data is not None and data.data_type == TensorProto.INT32:
        return (
            "it is an int32 bias, and biases stay in float",
            f"quantize again with QuantizeBias=False among onnxruntime's extra_options, {_REQUANTIZE}",
        )
    if node.op_type == "DequantizeLinear" and data is not None and data.data_type == TensorProto.UINT8:
        return (
            "its weights are uint8, and only int8 is taken",
            f"quantize again with weight_type=QuantType.QInt8, {_REQUANTIZE}",
        )
    point = graph.value(zero)
    if point is not None and np.any(point != 0):
        option = "activation_type=QuantType.QInt8 and ActivationSymmetric=True"
        return (
            f"its zero point is {np.ravel(point)[0]}, and only symmetric INT8 with zero point 0 is taken",
            f"quantize again with {option}, {_REQUANTIZE}",
        )
    if zero is not None and zero.data_type == TensorProto.UINT8:
        return (
            "it quantizes to uint8, and only int8 is taken",
            f"quantize again with activation_type=QuantType.QInt8, {_REQUANTIZE}",
        )
    steps = graph.value(scale)
    if steps is not None and not np.all(steps > 0):
        return (
            "its scale is not above 0: no value but 0 came by in calibration",
            f"leave this layer in float, or calibrate on frames that use it, {_REQUANTIZE}",
        )
    if scale is None:
        return "its scale is computed, and only constant scales are taken", f"export it again, {_REQUANTIZE}"
    return None


def _plain(text: str) -> str:
    """The parser's words without its own file names and assertions."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return first.removeprefix("Assertion failed: ").strip()
