"""What of each tensor a head's cell can see: its receptive field, walked backwards through the network node by node."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from onnx import NodeProto, helper

from trtviewer.blame.twin import Twin

_WINDOWS = ("Conv", "ConvTranspose", "MaxPool", "AveragePool")
_MOVING = ("Resize", "Upsample", "Slice", "DepthToSpace", "SpaceToDepth")
_SAME_PLACE = frozenset(
    {
        "Relu",
        "LeakyRelu",
        "PRelu",
        "Sigmoid",
        "HardSigmoid",
        "HardSwish",
        "Mish",
        "Softplus",
        "Tanh",
        "Elu",
        "Clip",
        "Selu",
    }
    | {
        "Swish",
        "Gelu",
        "Erf",
        "Exp",
        "Sqrt",
        "Pow",
        "Abs",
        "Neg",
        "Add",
        "Sub",
        "Mul",
        "Div",
        "Max",
        "Min",
        "Identity",
    }
    | {"BatchNormalization", "Cast", "Dropout", "Concat", "Split", "QuantizeLinear", "DequantizeLinear"}
)
"""Operators of which an output at a place sees its inputs at that place, where these are as high and wide."""


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle of a tensor [1, C, H, W]: rows from `top` to before `bottom`, columns from `left` to before `right`."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def rows(self) -> slice:
        return slice(self.top, self.bottom)

    @property
    def columns(self) -> slice:
        return slice(self.left, self.right)

    def joined(self, other: Region) -> Region:
        """The smallest rectangle that holds both."""
        return Region(
            min(self.top, other.top),
            max(self.bottom, other.bottom),
            min(self.left, other.left),
            max(self.right, other.right),
        )


def receptive_fields(
    twin: Twin, output: str, grid: tuple[int, int], row: int, column: int
) -> dict[str, Region | None]:
    """The part of every tensor of the reference that a cell of one of its outputs depends on.

    Args:
        grid: rows and columns of the cells at that stride; an output that holds several strides is followed back to the maps
            that are as high and wide.
        row, column: of the cell.

    Returns: by tensor; None where all of it counts (it is no map, or an operator looks everywhere); tensors that the cell
        cannot see are not in it.
    """
    fields: dict[str, Region | None] = {}
    makers = {name: step.node for step in twin.steps for name in step.node.output}
    for start in _maps_before(twin, makers, output, grid):
        fields[start] = Region(row, row + 1, column, column + 1)
    if not fields:
        fields[output] = None
    for step in reversed(twin.steps):
        seen = [fields[name] for name in step.node.output if name in fields]
        if not seen:
            continue
        for name in step.node.input:
            if name and name not in twin.weights:
                _see(fields, name, _before(twin, step.node, name, seen))
    return fields


def _maps_before(
    twin: Twin, makers: Mapping[str, NodeProto], output: str, grid: tuple[int, int]
) -> list[str]:
    """The last maps of that height and width on the ways to an output; other maps are of other strides."""
    found: list[str] = []
    waiting, known = [output], {output}
    while waiting:
        name = waiting.pop()
        shape = twin.shapes.get(name, ())
        if len(shape) == 4 and shape[2:] == grid and _is_map(twin, makers, name):
            found.append(name)
            continue
        node = makers.get(name)
        if node is None or _is_map(twin, makers, name):
            continue
        for before in node.input:
            if before and before not in twin.weights and before not in known:
                known.add(before)
                waiting.append(before)
    return found


def _is_map(twin: Twin, makers: Mapping[str, NodeProto], name: str) -> bool:
    """Whether a tensor is made by a layer, or place by place from one that is: not a list of boxes that happens to have four axes."""
    shape = twin.shapes.get(name, ())
    node = makers.get(name)
    if node is None or len(shape) != 4:
        return False
    if node.op_type in _SAME_PLACE:
        alike = (before for before in node.input if twin.shapes.get(before, ())[2:] == shape[2:])
        return any(_is_map(twin, makers, before) for before in alike)
    return node.op_type in (*_WINDOWS, *_MOVING)


def _see(fields: dict[str, Region | None], name: str, region: Region | None) -> None:
    known = fields.get(name, region)
    fields[name] = None if region is None or known is None else region.joined(known)


def _before(twin: Twin, node: NodeProto, name: str, seen: list[Region | None]) -> Region | None:
    """What the node looks at in one of its inputs, for what is seen of its outputs."""
    before, after = twin.shapes.get(name, ()), twin.shapes.get(node.output[0], ())
    regions = [region for region in seen if region is not None]
    if len(before) != 4 or len(after) != 4 or len(regions) < len(seen):
        return None
    region = regions[0]
    for other in regions[1:]:
        region = region.joined(other)
    if node.op_type in _WINDOWS:
        sides = [_window(node, axis, before[2 + axis], after[2 + axis]) for axis in (0, 1)]
        top, bottom = sides[0].seen(region.top, region.bottom)
        left, right = sides[1].seen(region.left, region.right)
        return Region(top, bottom, left, right)
    if node.op_type in _SAME_PLACE:
        return region if before[2:] == after[2:] else None
    if node.op_type in _MOVING:
        return _scaled(region, before, after, 0 if before[2:] == after[2:] else _reach(node))
    return None


@dataclass(frozen=True, slots=True)
class _Window:
    """A window that slides over one axis of `length` values."""

    kernel: int
    stride: int
    pad: int
    length: int
    transposed: bool

    def seen(self, first: int, end: int) -> tuple[int, int]:
        if self.transposed:
            low = -(-(first + self.pad - self.kernel + 1) // self.stride)
            high = (end - 1 + self.pad) // self.stride + 1
        else:
            low = first * self.stride - self.pad
            high = (end - 1) * self.stride - self.pad + self.kernel
        return max(0, min(low, self.length - 1)), max(1, min(high, self.length))


def _window(node: NodeProto, axis: int, before: int, after: int) -> _Window:
    given = {entry.name: helper.get_attribute_value(entry) for entry in node.attribute}
    kernel = int(given["kernel_shape"][axis]) if "kernel_shape" in given else before
    dilated = (kernel - 1) * int(given.get("dilations", [1, 1])[axis]) + 1
    stride = int(given.get("strides", [1, 1])[axis])
    pad = int(given.get("pads", [0, 0, 0, 0])[axis])
    kind = given.get("auto_pad", b"NOTSET")
    transposed = node.op_type == "ConvTranspose"
    if kind in (b"SAME_UPPER", b"SAME_LOWER") and not transposed:
        missing = max(0, (after - 1) * stride + dilated - before)
        pad = missing // 2 if kind == b"SAME_UPPER" else missing - missing // 2
    return _Window(dilated, stride, pad, before, transposed)


def _reach(node: NodeProto) -> int:
    """Neighbours that are looked at beside the nearest: of an interpolating Resize, and of a strided Slice."""
    mode = next((entry.s for entry in node.attribute if entry.name == "mode"), b"nearest")
    return {b"linear": 1, b"cubic": 2}.get(mode, 1 if node.op_type == "Slice" else 0)


def _scaled(region: Region, before: tuple[int, ...], after: tuple[int, ...], reach: int) -> Region:
    edges = []
    for axis, (first, end) in enumerate(((region.top, region.bottom), (region.left, region.right))):
        ratio = before[2 + axis] / after[2 + axis]
        edges.append(max(0, math.floor(first * ratio) - reach))
        edges.append(min(before[2 + axis], math.ceil(end * ratio) + reach))
    return Region(*edges)
