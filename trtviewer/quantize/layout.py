"""Which layers run in INT8, which tensors are quantized for that, and which of these share one scale.

TensorRT's rules for explicit quantization: all inputs of a weighted layer are quantized; nothing is quantized between
a weighted layer and its activation; of a residual Add only the skipping input is; a Concat's inputs and output share
one scale, or each would be quantized again; MaxPool, Slice, Resize (nearest) and the like commute with Q/DQ, so what
goes in and what comes out share one scale too.
Source: NVIDIA's "Explicit Quantization"; modelopt.onnx.quantization.graph_utils.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from onnx import NodeProto

from trtviewer.quantize.graph import Network, weights_of

_COMMUTING = frozenset(
    {"MaxPool", "Reshape", "Transpose", "Slice", "Split", "Squeeze", "Unsqueeze", "Flatten", "Identity"}
    | {"DepthToSpace", "SpaceToDepth"}
)
_ACTIVATIONS = frozenset(
    {"Relu", "LeakyRelu", "Sigmoid", "Mul", "HardSwish", "HardSigmoid", "Clip", "PRelu", "Elu", "Selu"}
    | {"Tanh", "Softplus", "Mish", "Swish"}
)


@dataclass(frozen=True, slots=True)
class Layout:
    """What is quantized.

    Attributes:
        layers: names of the weighted nodes that run in INT8, in the graph's order.
        tensors: activations that get a Q/DQ pair, in the graph's order; the model's input first, if it is one.
        groups: for each of `tensors`, the number of the group that shares its scale.
    """

    layers: tuple[str, ...]
    tensors: tuple[str, ...]
    groups: Mapping[str, int]

    def shared(self, amax: Mapping[str, float]) -> dict[str, float]:
        """The range of each quantized tensor once groups share: the largest of the group's, so that none clips more."""
        largest: dict[int, float] = {}
        for tensor in self.tensors:
            group = self.groups[tensor]
            largest[group] = max(largest.get(group, 0.0), amax[tensor])
        return {tensor: largest[self.groups[tensor]] for tensor in self.tensors}


def plan(network: Network, keep_float: Collection[str] = ()) -> Layout:
    """The layout in which every layer runs in INT8 but those in `keep_float` (names of nodes, Concat and Add too)."""
    layers = [node for node in network.weighted() if node.name not in keep_float]
    targets = {node.input[0] for node in layers}
    feeding = _Feeding(network, targets, keep_float)
    tensors = set(targets)
    for node in network.nodes:
        if node.name in keep_float:
            continue
        if node.op_type == "Concat" and feeding(node.output[0]):
            tensors.update(name for name in node.input if _can_be_quantized(network, name))
        elif node.op_type == "Add" and _feeds_with_activation(network, node.output[0], feeding):
            skip = _skip_input(network, node, {layer.name for layer in layers})
            if skip is not None:
                tensors.add(skip)
    order = _in_order(network, tensors)
    return Layout(
        layers=tuple(node.name for node in layers), tensors=order, groups=_groups(network, order, feeding)
    )


def quantizable(network: Network) -> tuple[NodeProto, ...]:
    """The nodes that `keep_float` may name: those whose inputs the full layout quantizes."""
    tensors = set(plan(network).tensors)
    weighted = {node.name for node in network.weighted()}
    return tuple(
        node
        for node in network.nodes
        if node.name in weighted or (node.op_type in ("Concat", "Add") and tensors.intersection(node.input))
    )


def picture_tensors(network: Network) -> frozenset[str]:
    """The model's input and what holds nothing but its values, sliced or put together again (a Focus layer)."""
    same = {network.input}
    for node in network.nodes:
        data = node.input if node.op_type == "Concat" else node.input[:1]
        if (commutes(node) or node.op_type == "Concat") and same.issuperset(data):
            same.update(node.output)
    return frozenset(same)


def first_layers(network: Network) -> tuple[str, ...]:
    """The weighted nodes that read the picture, with nothing but unweighted operators before them."""
    weighted = {node.name for node in network.weighted()}
    found: list[str] = []
    waiting, seen = [network.input], {network.input}
    while waiting:
        for node in network.consumers.get(waiting.pop(), ()):
            if node.name in weighted:
                found.append(node.name)
                continue
            for output in node.output:
                if output not in seen:
                    seen.add(output)
                    waiting.append(output)
    return tuple(node.name for node in network.nodes if node.name in found)


def head_layers(network: Network) -> tuple[str, ...]:
    """The last weighted nodes before the outputs.

    The search goes on behind a weighted node with one output channel: that is the fixed sum over bins in the heads of
    YOLOv8 and later, and the layers that matter are before it.
    """
    weighted = {node.name for node in network.weighted()}
    found: set[str] = set()
    waiting, seen = list(network.outputs), set(network.outputs)
    while waiting:
        node = network.producer.get(waiting.pop())
        if node is None:
            continue
        inputs: Iterable[str] = node.input
        if node.name in weighted:
            found.add(node.name)
            if node.op_type != "Conv" or weights_of(network, node).shape[0] != 1:
                continue
            inputs = node.input[:1]
        for name in inputs:
            if name not in seen:
                seen.add(name)
                waiting.append(name)
    return tuple(node.name for node in network.nodes if node.name in found)


class _Feeding:
    """Whether a tensor reaches the input of a layer in INT8 through nothing but commuting operators and Concats."""

    def __init__(self, network: Network, targets: Collection[str], keep_float: Collection[str]) -> None:
        self._network = network
        self._known = dict.fromkeys(targets, True)
        self._keep_float = keep_float

    def __call__(self, tensor: str) -> bool:
        if tensor not in self._known:
            self._known[tensor] = any(
                self(output)
                for node in self._network.consumers.get(tensor, ())
                if self.shares(node)
                for output in node.output
            )
        return self._known[tensor]

    def shares(self, node: NodeProto) -> bool:
        """Whether what goes into the node and what comes out are to have one scale."""
        if node.op_type == "Concat":
            return node.name not in self._keep_float
        return commutes(node)


def commutes(node: NodeProto) -> bool:
    """Whether quantizing before the operator is the same as quantizing after it."""
    if node.op_type == "Resize":
        mode = next((entry.s for entry in node.attribute if entry.name == "mode"), b"nearest")
        return bool(mode == b"nearest")
    return node.op_type in _COMMUTING


def _feeds_with_activation(network: Network, tensor: str, feeding: _Feeding) -> bool:
    activations = (node for node in network.consumers.get(tensor, ()) if node.op_type in _ACTIVATIONS)
    return feeding(tensor) or any(feeding(node.output[0]) for node in activations)


def _can_be_quantized(network: Network, tensor: str) -> bool:
    """Not the output of a layer that its activation still has to read: that pair runs as one."""
    if not network.is_float_activation(tensor):
        return False
    node = network.producer.get(tensor)
    if node is None or not network.is_weighted(node):
        return True
    return not any(user.op_type in _ACTIVATIONS for user in network.consumers[tensor])


def _skip_input(network: Network, node: NodeProto, layers: Collection[str]) -> str | None:
    """The input of a residual Add that does not come straight from a layer; None where this is no residual of a layer in INT8.

    Where both do (a shortcut with its own convolution), the one made earlier skips. What skips never depends on what is kept in
    float: ranges collected once serve every choice of layers.
    """
    if not all(network.is_float_activation(name) for name in node.input):
        return None
    order = {each.name: index for index, each in enumerate(network.nodes)}
    branches = {name: _layer_behind(network, name) for name in node.input}
    made = {name: order[layer.name] for name, layer in branches.items() if layer is not None}
    if not made:
        return None
    branch = max(made, key=lambda name: made[name])
    if network.nodes[made[branch]].name not in layers:
        return None
    skip = next((name for name in node.input if name != branch), None)
    return skip if skip is not None and _can_be_quantized(network, skip) else None


def _layer_behind(network: Network, tensor: str) -> NodeProto | None:
    """The weighted node that made the tensor, directly or with its activation."""
    for _ in range(3):  # SiLU is two operators: Sigmoid, then Mul
        node = network.producer.get(tensor)
        if node is None or network.is_weighted(node):
            return node
        if node.op_type not in _ACTIVATIONS:
            return None
        tensor = next((name for name in node.input if network.is_float_activation(name)), "")
    return None


def _in_order(network: Network, tensors: Collection[str]) -> tuple[str, ...]:
    made = [network.input, *(output for node in network.nodes for output in node.output)]
    return tuple(name for name in made if name in tensors)


def _groups(network: Network, tensors: tuple[str, ...], feeding: _Feeding) -> dict[str, int]:
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for node in network.nodes:
        if not feeding.shares(node):
            continue
        data = node.input if node.op_type == "Concat" else node.input[:1]
        for output in node.output:
            if feeding(output):
                for name in data:
                    if network.is_float_activation(name):
                        parent[root(name)] = root(output)
    numbers: dict[str, int] = {}
    return {tensor: numbers.setdefault(root(tensor), len(numbers)) for tensor in tensors}
