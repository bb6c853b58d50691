"""Lays a Q/DQ candidate on its float network, node by node, or says where the two are not the same."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, numpy_helper

from trtviewer.blame.twin import PAIR, Feed, Layer, Range, Step, Twin, input_of
from trtviewer.errors import BadInput
from trtviewer.models.correspond import correspond
from trtviewer.models.spec import ModelSpec
from trtviewer.quantize.graph import (
    WEIGHTED,
    load_model,
    load_network,
    name_nodes,
    opset_of,
    with_constants_as_initializers,
)

_MOVED_OUTPUT = "_QuantizeLinear_Input"
"""What onnxruntime adds to the name of an output of the model that it puts a pair behind."""
_QOPERATORS = ("QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger", "DynamicQuantizeLinear")
_OTHER_TRAINING = 0.5
"""Squared difference of the weights over their square: rounding to 8 bits makes at most a hundredth, another training about 2."""
_ADVICE = "give the FP32 model that the candidate was quantized from"


def load_twin(reference: ModelSpec, candidate: ModelSpec) -> Twin:
    """Reads both files and lays the candidate on the reference.

    Raises:
        BadInput: one is no ONNX file, the reference is no float model, the candidate has no Q/DQ, or they are not the same network.
    """
    for spec in (reference, candidate):
        if spec.path.suffix.lower() != ".onnx":
            raise BadInput(
                "is no ONNX file: layers can be looked at only there",
                subject=spec.path,
                advice="give the .onnx that it was built from",
            )
    pairs = dict(correspond(reference, candidate).pairs)
    theirs = _candidate_model(candidate.path)
    ours = _reference_model(reference, theirs)
    return _Pairing(reference, candidate, ours, theirs, pairs).twin()


def _candidate_model(path: Path) -> ModelProto:
    model = load_model(path)
    operators = {node.op_type for node in model.graph.node}
    found = sorted(operators.intersection(_QOPERATORS))
    if found:
        raise BadInput(
            f"is quantized with {found[0]}, which hides the float network",
            subject=path,
            advice="quantize with quant_format=QDQ, or with trtviewer quantize",
        )
    if not operators.issuperset(PAIR[1:]):
        raise BadInput(
            "has no quantized layer: it is not a Q/DQ model",
            subject=path,
            advice="trtviewer quantize writes one",
        )
    model = with_constants_as_initializers(model)
    name_nodes(model)
    return onnx.shape_inference.infer_shapes(model)


def _reference_model(spec: ModelSpec, candidate: ModelProto) -> ModelProto:
    network = load_network(spec.path)
    model = ModelProto()
    if any(node.op_type == "BatchNormalization" for node in candidate.graph.node):
        # It was quantized with its batch norm apart, so the reference is taken so, too.
        model = with_constants_as_initializers(load_model(spec.path))
        name_nodes(model)
    else:
        model.CopyFrom(network.model)
    opset = opset_of(candidate)
    if opset_of(model) != opset:
        try:
            model = onnx.version_converter.convert_version(model, opset)
        except Exception as error:  # the converter raises whatever its C++ throws
            raise BadInput(
                f"cannot be brought to the candidate's opset {opset}: {' '.join(str(error).split())}",
                subject=spec.path,
                advice=f"export it with opset {opset}",
            ) from error
    if spec.input is not None:
        rows, columns = spec.input.size
        size = (1, 3, rows, columns) if spec.input.layout == "nchw" else (1, rows, columns, 3)
        given = next(entry for entry in model.graph.input if entry.name == spec.input.name)
        for dimension, value in zip(given.type.tensor_type.shape.dim, size, strict=True):
            dimension.dim_value = value
        del model.graph.value_info[:]
    return onnx.shape_inference.infer_shapes(model)


class _Pairing:
    """Finds the partner of every node, or says which one has none."""

    def __init__(
        self,
        reference: ModelSpec,
        candidate: ModelSpec,
        ours: ModelProto,
        theirs: ModelProto,
        outputs: Mapping[str, str],
    ) -> None:
        self._specs = (reference, candidate)
        self._ours, self._theirs = ours, theirs
        self._output_pairs = outputs
        self._weights = {tensor.name: tensor for tensor in ours.graph.initializer}
        self._constants = {tensor.name: tensor for tensor in theirs.graph.initializer}
        self._by_name = {node.name: node for node in ours.graph.node}
        self._producer = {name: node for node in ours.graph.node for name in node.output if name}
        self._their_producer = {name: node for node in theirs.graph.node for name in node.output if name}
        self._shapes = _shapes(ours)
        self._types = _types(theirs)
        # Tensors of the candidate, and what they are called in the reference.
        self._called = {input_of(theirs): input_of(ours)}
        self._partners: dict[str, NodeProto] = {}

    def twin(self) -> Twin:
        self._same_input()
        for node in self._theirs.graph.node:
            if not self._is_transparent(node):
                self._pair(node)
        lost = [
            node
            for node in self._ours.graph.node
            if node.name not in self._partners and self._is_weighted(node)
        ]
        if lost:
            raise self._not_the_same(f"it has no partner for the {lost[0].op_type} '{lost[0].name}'")
        steps: list[Step] = []
        layers: list[Layer] = []
        for node in self._ours.graph.node:
            partner = self._partners.get(node.name)
            if partner is None:
                steps.append(Step(node))
                continue
            feeds = tuple(self._feed(name) for name in partner.input)
            dtypes = tuple(self._types.get(name, TensorProto.FLOAT) for name in partner.output)
            layer = self._layer(node, feeds, dtypes)
            if layer is not None:
                self._fits(node, feeds)
                layers.append(layer)
            steps.append(Step(node, partner, feeds, dtypes, -1 if layer is None else len(layers) - 1))
        self._same_weights(steps, layers)
        layers = self._with_feeds(steps, layers)
        if not any(layer.is_int8 for layer in layers):
            raise BadInput(
                "has no quantized layer", subject=self._specs[1].path, advice="trtviewer quantize writes one"
            )
        return Twin(
            reference=self._specs[0],
            candidate=self._specs[1],
            model=self._ours,
            steps=tuple(steps),
            layers=tuple(layers),
            outputs={output.name: self._output(output.name) for output in self._ours.graph.output},
            output_layers={
                output.name: self._layers_before(output.name, steps, layers)
                for output in self._ours.graph.output
            },
            weights=self._weights,
            constants=self._constants,
            shapes=self._shapes,
        )

    def _same_input(self) -> None:
        types = [_types(model).get(input_of(model)) for model in (self._ours, self._theirs)]
        layouts = [spec.input.layout if spec.input else "" for spec in self._specs]
        if types[0] != types[1] or layouts[0] != layouts[1]:
            raise self._not_the_same("its input is of another element type or layout")

    def _is_transparent(self, node: NodeProto) -> bool:
        return node.op_type in PAIR or (node.op_type == "Cast" and node.name not in self._by_name)

    def _pair(self, node: NodeProto) -> None:
        made = node.output[0].removesuffix(_MOVED_OUTPUT)
        for partner in (self._producer.get(made), self._by_name.get(node.name)):
            if partner is None or partner.op_type != node.op_type or partner.name in self._partners:
                continue
            self._partners[partner.name] = node
            self._called.update(zip(node.output, partner.output, strict=False))
            return
        raise self._not_the_same(f"its {node.op_type} '{node.name}' has no partner there")

    def _feed(self, name: str) -> Feed:
        chain: list[NodeProto] = []
        while (node := self._their_producer.get(name)) is not None and self._is_transparent(node):
            chain.insert(0, node)
            name = node.input[0]
        dtype = self._types.get(name, TensorProto.FLOAT)
        if not name or name in self._constants:
            return Feed(name, tuple(chain), True, dtype)
        if name not in self._called:
            raise self._not_the_same(f"its tensor '{name}' has no partner there")
        return Feed(self._called[name], tuple(chain), False, dtype)

    def _output(self, name: str) -> Feed:
        other = self._output_pairs.get(name, name)
        if other not in self._their_producer:
            raise self._not_the_same(f"it has no output '{name}'")
        return self._feed(other)

    def _is_weighted(self, node: NodeProto) -> bool:
        return node.op_type in WEIGHTED and node.input[1] in self._weights

    def _layer(self, node: NodeProto, feeds: Sequence[Feed], dtypes: Sequence[int]) -> Layer | None:
        quantized = any(feed.quantized for feed in feeds)
        if not quantized and not self._is_weighted(node):
            return None
        half = bool(dtypes) and dtypes[0] == TensorProto.FLOAT16
        weights = scales = None
        if self._is_weighted(node):
            weights = np.asarray(numpy_helper.to_array(self._weights[node.input[1]]), np.float32)
            scales = self._weight_scales(feeds[1], weights.ndim)
        return Layer(
            name=node.name,
            op=node.op_type,
            output=node.output[0],
            macs=macs_of(node, weights, self._shapes),
            precision="int8" if quantized else "fp16" if half else "fp32",
            ranges=tuple(self._range(feed) for feed in feeds if feed.quantized and not feed.constant),
            weights=weights,
            weight_scales=scales,
        )

    def _range(self, feed: Feed) -> Range:
        node = next(node for node in feed.chain if node.op_type in PAIR)
        scale = float(self._value(node.input[1]).reshape(-1)[0])
        zero_point = self._value(node.input[2]) if len(node.input) > 2 else np.zeros((), np.uint8)
        if zero_point.dtype.kind not in "iu":
            raise BadInput(
                f"is quantized to {zero_point.dtype}: layers can be looked at only of integers of 8 bits or more",
                subject=self._specs[1].path,
                advice="quantize to INT8: trtviewer quantize",
            )
        limits = np.iinfo(zero_point.dtype)
        zero = int(zero_point.reshape(-1)[0])
        return Range(feed.root, scale, (int(limits.min) - zero) * scale, (int(limits.max) - zero) * scale)

    def _weight_scales(self, feed: Feed, axes: int) -> NDArray[np.float64] | None:
        node = next((node for node in feed.chain if node.op_type in PAIR), None)
        if node is None:
            return None
        scale = self._value(node.input[1]).astype(np.float64)
        if scale.size == 1:
            return scale.reshape((1,) * axes)
        axis = next((entry.i for entry in node.attribute if entry.name == "axis"), 1)
        shape = [1] * axes
        shape[axis] = scale.size
        return scale.reshape(shape)

    def _value(self, name: str) -> NDArray[Any]:
        if name not in self._constants:
            raise BadInput(
                f"the scale '{name}' is not a constant",
                subject=self._specs[1].path,
                advice="TensorRT needs it fixed, too: quantize with static calibration",
            )
        value: NDArray[Any] = numpy_helper.to_array(self._constants[name])
        return value

    def _with_feeds(self, steps: Sequence[Step], layers: Sequence[Layer]) -> list[Layer]:
        """The layers, with what each one without weights feeds."""
        feeding: dict[str, frozenset[int]] = {}
        result = list(layers)
        for step in reversed(steps):
            fed = frozenset[int]().union(*(feeding.get(name, frozenset()) for name in step.node.output))
            if step.layer >= 0:
                layer = layers[step.layer]
                if layer.weights is None:
                    result[step.layer] = replace(layer, feeds=fed)
                else:
                    fed = frozenset([step.layer] if layer.is_int8 else [])
            for name in step.node.input:
                feeding[name] = feeding.get(name, frozenset()) | fed
        return result

    def _layers_before(self, name: str, steps: Sequence[Step], layers: Sequence[Layer]) -> frozenset[int]:
        """The layers that can be switched nearest before a tensor."""
        made_by = {output: step for step in steps for output in step.node.output}
        found: set[int] = set()
        waiting, seen = [name], {name}
        while waiting:
            step = made_by.get(waiting.pop())
            if step is None:
                continue
            if step.layer >= 0 and layers[step.layer].is_int8 and not layers[step.layer].feeds:
                found.add(step.layer)
                continue
            fresh = [each for each in step.node.input if each not in seen]
            seen.update(fresh)
            waiting.extend(fresh)
        return frozenset(found)

    def _fits(self, node: NodeProto, feeds: Sequence[Feed]) -> None:
        """A layer must read the same tensors on both sides, but for nodes that only one side has."""
        for name, feed in zip(node.input, feeds, strict=False):
            if feed.constant or not name or feed.root == name:
                continue
            before = self._producer.get(name)
            if before is None or before.name in self._partners:
                raise self._not_the_same(f"its '{node.name}' reads '{feed.root}', there it reads '{name}'")

    def _same_weights(self, steps: Sequence[Step], layers: Sequence[Layer]) -> None:
        shares = []
        for step in steps:
            if step.layer < 0 or (weights := layers[step.layer].weights) is None:
                continue
            theirs = self._constant_value(step.feeds[1])
            if theirs.shape != weights.shape:
                shapes = f"{list(theirs.shape)} against {list(weights.shape)}"
                raise self._not_the_same(f"the weights of '{step.node.name}' are {shapes}")
            power = float(np.square(weights, dtype=np.float64).sum())
            shares.append(
                float(np.square(theirs - weights, dtype=np.float64).sum()) / power if power else 0.0
            )
        if shares and float(np.median(shares)) > _OTHER_TRAINING:
            raise self._not_the_same("its weights are of another training")

    def _constant_value(self, feed: Feed) -> NDArray[np.float32]:
        values: NDArray[np.float32] = numpy_helper.to_array(self._constants[feed.root]).astype(np.float32)
        pairs = [node for node in feed.chain if node.op_type in PAIR]
        if [node.op_type for node in pairs] != ["DequantizeLinear"]:
            return values  # float weights before their own Q and DQ
        scales = self._weight_scales(feed, values.ndim)
        assert scales is not None
        if len(pairs[0].input) > 2:
            values = values - self._value(pairs[0].input[2]).astype(np.float32).reshape(scales.shape)
        real: NDArray[np.float32] = (values * scales).astype(np.float32)
        return real

    def _not_the_same(self, why: str) -> BadInput:
        return BadInput(
            f"is not the network of {self._specs[0].path}: {why}", subject=self._specs[1].path, advice=_ADVICE
        )


def macs_of(
    node: NodeProto, weights: NDArray[np.float32] | None, shapes: Mapping[str, tuple[int, ...]]
) -> int:
    """Multiplications of one frame; 0 for a node without constant weights, or where the shapes are not known."""
    if weights is None:
        return 0
    shape = shapes.get(node.output[0])
    if node.op_type == "ConvTranspose":  # each value of the input meets each weight of its channel once
        before = shapes.get(node.input[0])
        return math.prod(before) * math.prod(weights.shape[1:]) if before else 0
    if shape is None:
        return 0
    if node.op_type == "Conv":
        return math.prod(shape) * math.prod(weights.shape[1:])
    transposed = any(entry.name == "transB" and entry.i for entry in node.attribute)
    inner: int = weights.shape[-1 if transposed else -2]
    return math.prod(shape) * inner


def _types(model: ModelProto) -> dict[str, int]:
    graph = model.graph
    known = {
        info.name: info.type.tensor_type.elem_type
        for info in (*graph.value_info, *graph.input, *graph.output)
    }
    known.update((tensor.name, tensor.data_type) for tensor in graph.initializer)
    return known


def _shapes(model: ModelProto) -> dict[str, tuple[int, ...]]:
    graph = model.graph
    shapes = {}
    for info in (*graph.value_info, *graph.input, *graph.output):
        dimensions = info.type.tensor_type.shape.dim
        if info.type.tensor_type.HasField("shape") and all(each.HasField("dim_value") for each in dimensions):
            shapes[info.name] = tuple(each.dim_value for each in dimensions)
    return shapes
