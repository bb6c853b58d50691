"""Small networks with the structures that the layout has rules for, as ONNX files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper


class Builder:
    """A graph over an input `images` [1, 3, size, size]; each method gives the name of the tensor it adds."""

    def __init__(self, seed: int = 0, size: int = 16) -> None:
        self.random = np.random.default_rng(seed)
        self.size = size
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def op(self, kind: str, *inputs: str, name: str | None = None, **attributes: object) -> str:
        name = name or f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name.lower()], name=name, **attributes))
        return name.lower()

    def const(self, values: NDArray[np.generic]) -> str:
        name = f"constant{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def conv(self, data: str, inputs: int, outputs: int, kernel: int = 3, name: str | None = None) -> str:
        shape = (outputs, inputs, kernel, kernel)
        scale = np.sqrt(2 / (inputs * kernel * kernel))
        weights = self.const((self.random.standard_normal(shape) * scale).astype(np.float32))
        bias = self.const(self.random.standard_normal(outputs).astype(np.float32) * np.float32(0.1))
        pads = [kernel // 2] * 4
        return self.op("Conv", data, weights, bias, name=name, kernel_shape=[kernel] * 2, pads=pads)

    def model(self, *outputs: str, opset: int = 17, batch: int | str = 1) -> ModelProto:
        size = self.size
        given = helper.make_tensor_value_info("images", TensorProto.FLOAT, [batch, 3, size, size])
        made = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
        graph = helper.make_graph(self.nodes, "small", [given], made, self.weights)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)

    def save(self, path: Path, *outputs: str, opset: int = 17, batch: int | str = 1) -> Path:
        onnx.save(self.model(*outputs, opset=opset, batch=batch), path)
        return path


def plain(path: Path, seed: int = 0, opset: int = 17, batch: int | str = 1) -> Path:
    """Three layers: first (LeakyReLU), middle (SiLU), head (nothing)."""
    net = Builder(seed)
    x = net.op("LeakyRelu", net.conv("images", 3, 8, name="First"), alpha=0.1, name="Leaky")
    x = net.conv(x, 8, 8, name="Middle")
    x = net.op("Mul", x, net.op("Sigmoid", x), name="Silu")
    return net.save(path, net.conv(x, 8, 6, 1, name="Head"), opset=opset, batch=batch)


def residual(path: Path) -> Path:
    """A block that skips from its own input, then one whose skip has a convolution (ResNet's), then a head."""
    net = Builder(1)
    x = net.op("Relu", net.conv("images", 3, 8, name="First"), name="Act_first")
    y = net.op("Relu", net.conv(x, 8, 8, name="A1"), name="Act_a1")
    x = net.op("Relu", net.op("Add", net.conv(y, 8, 8, name="A2"), x, name="Add_a"), name="Act_a")
    short = net.conv(x, 8, 12, 1, name="Short")
    y = net.op("Relu", net.conv(x, 8, 12, name="B1"), name="Act_b1")
    x = net.op("Relu", net.op("Add", net.conv(y, 12, 12, name="B2"), short, name="Add_b"), name="Act_b")
    return net.save(path, net.conv(x, 12, 6, 1, name="Head"))


def routed(path: Path) -> Path:
    """YOLO's ways: slice and concat, pooling, nearest upsampling into a concat; one more concat that only leaves the network."""
    net = Builder(2)
    wide = net.op("LeakyRelu", net.conv("images", 3, 8, name="First"), alpha=0.1, name="Act_wide")
    ends = [net.const(np.array([value], np.int64)) for value in (4, 8, 1)]
    half = net.op("Slice", wide, *ends, name="Half")
    small = net.op("LeakyRelu", net.conv(half, 4, 4, name="Small"), alpha=0.1, name="Act_small")
    joined = net.op("Concat", wide, small, axis=1, name="Join")
    pooled = net.op("MaxPool", joined, kernel_shape=[2, 2], strides=[2, 2], name="Pool")
    deep = net.op("LeakyRelu", net.conv(pooled, 12, 8, name="Deep"), alpha=0.1, name="Act_deep")
    head = net.conv(deep, 8, 6, 1, name="Head_deep")
    scales = net.const(np.array([1, 1, 2, 2], np.float32))
    up = net.op("Resize", deep, "", scales, mode="nearest", name="Up")
    route = net.op("Concat", up, small, axis=1, name="Route")
    other = net.conv(route, 12, 6, 1, name="Head_wide")
    flat = [net.op("Flatten", each, axis=1, name=f"Flat_{each}") for each in (head, other)]
    return net.save(path, net.op("Concat", *flat, axis=1, name="Out"))


def transposed(path: Path) -> Path:
    """A learned upsampling (ConvTranspose), and a fully connected layer at the end."""
    net = Builder(4)
    x = net.op("Relu", net.conv("images", 3, 8, name="First"), name="Act")
    x = net.op("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2], name="Pool")
    weights = net.const(net.random.standard_normal((8, 4, 2, 2)).astype(np.float32))
    x = net.op("ConvTranspose", x, weights, name="Up", kernel_shape=[2, 2], strides=[2, 2])
    x = net.op("Flatten", net.op("Relu", x, name="Act_up"), axis=1, name="Flat")
    rows = net.const(net.random.standard_normal((4 * 16 * 16, 10)).astype(np.float32) * np.float32(0.05))
    bias = net.const(net.random.standard_normal(10).astype(np.float32))
    return net.save(path, net.op("Gemm", x, rows, bias, name="Full"))


def normalised(path: Path) -> Path:
    """Conv, batch norm, activation, twice; nodes have no names, weights are Constant nodes."""
    net = Builder(3)
    x = "images"
    for index, (inputs, outputs) in enumerate([(3, 8), (8, 6)]):
        x = net.conv(x, inputs, outputs)
        parts = [net.random.uniform(0.5, 2, outputs).astype(np.float32) for _ in range(4)]
        x = net.op("BatchNormalization", x, *(net.const(part) for part in parts), name=f"Bn_{index}")
        x = net.op("Relu", x, name=f"Act_{index}") if not index else x
    model = net.model(x)
    for node in model.graph.node:
        node.name = ""
    constants = [
        helper.make_node("Constant", [], [tensor.name], value=tensor) for tensor in model.graph.initializer
    ]
    nodes = [*constants, *model.graph.node]
    del model.graph.initializer[:]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, path)
    return path


def pictures(count: int, size: int = 16, seed: int = 9) -> list[NDArray[np.float32]]:
    """Inputs [1, 3, size, size], 0..1."""
    random = np.random.default_rng(seed)
    return [random.random((1, 3, size, size), dtype=np.float32) for _ in range(count)]
