"""A Q/DQ candidate laid on the float network that it was made from: which node is which, and what is quantized on its way.

Any Q/DQ file will do, onnxruntime's, TensorRT's Model Optimizer's or our own: between the nodes of the float network it has
nothing but QuantizeLinear, DequantizeLinear and Cast. What goes into a node through such a chain is a `Feed`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto

from trtviewer.models.spec import ModelSpec

PAIR = ("QuantizeLinear", "DequantizeLinear")
"""The operators that quantize, and the way back."""


@dataclass(frozen=True, slots=True)
class Range:
    """What a Q/DQ pair can carry of an activation: whole steps of `scale`, from `low` to `high`.

    Attributes:
        tensor: name in the reference of what is quantized.
    """

    tensor: str
    scale: float
    low: float
    high: float

    @property
    def amax(self) -> float:
        """The calibrated extreme; symmetric int8 reaches one step further below 0."""
        return max(self.high, -self.low - self.scale)


@dataclass(frozen=True, eq=False, slots=True)
class Feed:
    """One input of a node of the candidate.

    Attributes:
        root: where it comes from: a tensor of the reference, or, where `constant`, an initializer of the candidate; "" for an
            input that is left out.
        chain: Q, DQ and Cast nodes on the way, in the order in which the values pass them.
        dtype: ONNX element type that the chain, or the node, reads.
    """

    root: str
    chain: tuple[NodeProto, ...]
    constant: bool
    dtype: int = TensorProto.FLOAT

    @property
    def quantized(self) -> bool:
        """Whether the values go through integers on the way."""
        return any(node.op_type in PAIR for node in self.chain)


@dataclass(frozen=True, eq=False, slots=True)
class Layer:
    """A node of the network that is quantized, or has weights and could be.

    Attributes:
        name, op, output: of the node in the reference.
        macs: multiplications and additions of one frame; 0 for what has no weights.
        precision: "int8" where anything that it reads is quantized, else "fp32" or "fp16".
        ranges: of its quantized activations, in the order of its inputs.
        weights: the reference's; None for what has none.
        weight_scales: steps of the candidate's weights, broadcast to `weights`; None where these are float.
        feeds: of a node without weights (Concat, Add), indices of the layers in INT8 that read it before any other layer does:
            its pairs are there for them, and go when all of them are float. Empty for what stands for itself.
    """

    name: str
    op: str
    output: str
    macs: int
    precision: str
    ranges: tuple[Range, ...]
    weights: NDArray[np.float32] | None = None
    weight_scales: NDArray[np.float64] | None = None
    feeds: frozenset[int] = frozenset()

    @property
    def is_int8(self) -> bool:
        """Whether anything that it reads is quantized."""
        return self.precision == "int8"


@dataclass(frozen=True, eq=False, slots=True)
class Step:
    """One node of the reference, with its partner.

    Attributes:
        node: the reference's.
        candidate: the candidate's; None where it has none (an Identity that was taken out).
        feeds: what the candidate's reads, by input.
        dtypes: element types of what the candidate's gives, by output.
        layer: index into `Twin.layers`; -1 where it is none.
    """

    node: NodeProto
    candidate: NodeProto | None = None
    feeds: tuple[Feed, ...] = ()
    dtypes: tuple[int, ...] = ()
    layer: int = -1


@dataclass(frozen=True, eq=False, slots=True)
class Twin:
    """Both networks as one. Nothing in it changes any more.

    Attributes:
        reference, candidate: what is known of the two.
        model: the reference's, with names for all nodes, batch norm folded, at the candidate's opset, its input of a fixed size.
        steps: every node, in an order of execution.
        layers: in that order.
        outputs: the reference's, each with what the candidate puts between that tensor and its own output.
        output_layers: by output, the layers whose pair that is, if it is one: the last before it.
        weights: the reference's initializers by name.
        constants: the candidate's.
        shapes: of the reference's tensors, where known.
    """

    reference: ModelSpec
    candidate: ModelSpec
    model: ModelProto
    steps: tuple[Step, ...]
    layers: tuple[Layer, ...]
    outputs: Mapping[str, Feed]
    output_layers: Mapping[str, frozenset[int]]
    weights: Mapping[str, TensorProto]
    constants: Mapping[str, TensorProto]
    shapes: Mapping[str, tuple[int, ...]]

    @property
    def input(self) -> str:
        """The name of the one input, the same in every mixture."""
        return input_of(self.model)

    @property
    def int8(self) -> tuple[int, ...]:
        """Indices of the layers that can be put in INT8 or float one by one; other pairs go with the layers that they feed."""
        return tuple(index for index, layer in enumerate(self.layers) if layer.is_int8 and not layer.feeds)

    def runs_in_int8(self, index: int, int8: Collection[int]) -> bool:
        """Whether a layer keeps its pairs where only `int8` are to run in INT8."""
        return index in int8 or any(layer in int8 for layer in self.layers[index].feeds)


def input_of(model: ModelProto) -> str:
    """The name of the model's one input that is not a weight."""
    weights = {tensor.name for tensor in model.graph.initializer}
    return next(str(given.name) for given in model.graph.input if given.name not in weights)
