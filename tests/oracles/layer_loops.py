"""Errors of layers by storing everything: all tensors of both models as plain arrays, convolutions in float64."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import helper, numpy_helper


def all_tensors(path: Path, inputs: list[NDArray[np.float32]]) -> dict[str, list[NDArray[np.float32]]]:
    """Every float tensor that a model makes, on every input, from the unoptimised graph."""
    model = onnx.shape_inference.infer_shapes(onnx.load(path))
    present = {output.name for output in model.graph.output}
    for info in model.graph.value_info:
        if info.name not in present and info.type.tensor_type.elem_type == onnx.TensorProto.FLOAT:
            model.graph.output.append(helper.make_tensor_value_info(info.name, onnx.TensorProto.FLOAT, None))
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    given = session.get_inputs()[0].name
    names = [output.name for output in session.get_outputs()]
    kept: dict[str, list[NDArray[np.float32]]] = {given: list(inputs)}
    for tensor in inputs:
        for name, value in zip(names, session.run(names, {given: tensor}), strict=True):
            kept.setdefault(name, []).append(value)
    return kept


def figures(
    reference: list[NDArray[np.float64]], other: list[NDArray[np.float64]]
) -> tuple[float, float | None, float]:
    """MSE, SQNR in dB and cosine over all frames at once, in float64."""
    r = np.concatenate([value.astype(np.float64).ravel() for value in reference])
    c = np.concatenate([value.astype(np.float64).ravel() for value in other])
    noise = float(((c - r) ** 2).sum())
    sqnr = 10 * math.log10(float((r**2).sum()) / noise) if noise else None
    return noise / r.size, sqnr, float(r @ c / math.sqrt((r @ r) * (c @ c)))


def rounded(values: NDArray[np.float32], scale: np.float32) -> NDArray[np.float64]:
    """Through Q and DQ, symmetric int8."""
    steps = np.clip(np.rint(values / scale), -128, 127)
    return steps.astype(np.float64) * float(scale)


def own_output(
    candidate: onnx.ModelProto, node: onnx.NodeProto, inputs: dict[int, NDArray[np.float32]]
) -> NDArray[np.float64]:
    """What a quantized Conv, Concat or Add of the candidate makes of float activations (by input's index), in float64."""
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in candidate.graph.initializer}
    producer = {name: each for each in candidate.graph.node for name in each.output}
    read: list[NDArray[np.float64]] = []
    for index, name in enumerate(node.input):
        pair = producer.get(name)
        is_pair = pair is not None and pair.op_type == "DequantizeLinear"
        if index in inputs:
            value = inputs[index]
            read.append(rounded(value, constants[pair.input[1]]) if is_pair else value.astype(np.float64))
        elif is_pair:
            scale = constants[pair.input[1]].astype(np.float64)
            stored = constants[pair.input[0]].astype(np.float64)
            read.append(stored * scale.reshape(-1, *[1] * (stored.ndim - 1)))
        else:
            read.append(constants[name].astype(np.float64))
    if node.op_type == "Concat":
        return np.concatenate(read, axis=1)
    if node.op_type == "Add":
        return read[0] + read[1]
    return convolved(read[0], read[1], read[2], _pad(node))


def convolved(
    x: NDArray[np.float64], weights: NDArray[np.float64], bias: NDArray[np.float64], pad: int
) -> NDArray[np.float64]:
    """A convolution of stride 1, tap by tap."""
    padded = np.pad(x, [(0, 0), (0, 0), (pad, pad), (pad, pad)])
    rows, columns = x.shape[2], x.shape[3]
    result = np.zeros((1, len(weights), rows, columns)) + bias.reshape(1, -1, 1, 1)
    for row in range(weights.shape[2]):
        for column in range(weights.shape[3]):
            part = padded[0, :, row : row + rows, column : column + columns]
            result[0] += np.einsum("oi,ihw->ohw", weights[:, :, row, column], part)
    return result


def _pad(node: onnx.NodeProto) -> int:
    return next((int(entry.ints[0]) for entry in node.attribute if entry.name == "pads"), 0)
