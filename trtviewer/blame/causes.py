"""Causes that the structure shows: why a layer cannot do with 8 bits, with the evidence and the cure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from trtviewer.blame.coach import CoachReport, TensorRange
from trtviewer.blame.twin import Twin

CONCAT_RATIO = 16.0
"""Inputs of one Concat share a step; from this ratio on the smaller one is left with 8 of 127 steps."""
OUTLIER_RATIO = 16.0
"""A channel so many times the median channel takes the step away from all others of its tensor."""
DEAD_SHARE = 0.1
"""From this share of channels on it is said that they are dead: always rounded to 0."""
SATURATED = 1e-3
"""Share of clipped values behind the first layer from which on it is called saturated."""


class CauseKind(StrEnum):
    """What is wrong."""

    CONCAT_RANGES = "concat_ranges"
    OUTLIER_CHANNELS = "outlier_channels"
    DEAD_CHANNELS = "dead_channels"
    SATURATED_FIRST = "saturated_first"


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause.

    Attributes:
        layer: the node that it is about.
        evidence: the figures that show it.
        cure: what to do.
        severity: how many times over the mark it is, for sorting.
    """

    kind: CauseKind
    layer: str
    evidence: str
    cure: str
    severity: float


def causes(twin: Twin, report: CoachReport) -> tuple[Cause, ...]:
    """All causes that these frames show, the most severe first."""
    found = [*_concats(twin, report)]
    for tensor in report.tensors:
        found += _channels(twin, tensor)
    found += _first(twin, report)
    return tuple(sorted(found, key=lambda cause: -cause.severity))


def _concats(twin: Twin, report: CoachReport) -> list[Cause]:
    quantized = {tensor.tensor for tensor in report.tensors}
    found = []
    for step in twin.steps:
        node = step.node
        if node.op_type != "Concat" or not _is_shared(twin, node.output[0], quantized, set()):
            continue
        amax = {name: float(report.maps[name].max()) for name in node.input if name in report.maps}
        # An input that is all zeros loses nothing, whatever the step.
        amax = {name: value for name, value in amax.items() if value}
        if len(amax) < 2:
            continue
        least, most = min(amax, key=lambda name: amax[name]), max(amax, key=lambda name: amax[name])
        ratio = amax[most] / amax[least]
        if ratio >= CONCAT_RATIO:
            steps = round(127 / ratio)
            found.append(
                Cause(
                    CauseKind.CONCAT_RANGES,
                    node.name,
                    f"{most} goes up to {amax[most]:.3g}, {least} to {amax[least]:.3g}: {ratio:.3g} times less, "
                    f"so that {steps} of 127 steps are left for it",
                    f"keep {', '.join(_readers(twin, node.output[0]))} in float, or calibrate with a percentile",
                    ratio / CONCAT_RATIO,
                )
            )
    return found


def _is_shared(twin: Twin, tensor: str, quantized: set[str], known: set[str]) -> bool:
    """Whether the tensor is quantized, itself or once it went through nodes without weights."""
    if tensor in quantized:
        return True
    if tensor in known:
        return False
    known.add(tensor)
    return any(
        _is_shared(twin, output, quantized, known)
        for step in twin.steps
        if tensor in step.node.input
        and step.node.op_type in ("MaxPool", "Resize", "Slice", "Concat", "Identity")
        for output in step.node.output
    )


def _readers(twin: Twin, tensor: str) -> list[str]:
    """The layers with weights that read a tensor, through nodes without."""
    names: list[str] = []
    for step in twin.steps:
        if tensor in step.node.input:
            layer = twin.layers[step.layer] if step.layer >= 0 else None
            if layer is not None and layer.weights is not None:
                names.append(layer.name)
            elif step.node.op_type in ("MaxPool", "Resize", "Slice", "Concat", "Identity"):
                names += _readers(twin, step.node.output[0])
    return list(dict.fromkeys(names))


def _channels(twin: Twin, tensor: TensorRange) -> list[Cause]:
    amax = tensor.channel_amax
    if len(amax) < 4 or tensor.tensor == twin.input:
        return []
    found = []
    step = tensor.limit / 127
    dead = amax < step / 2
    living = amax[amax > 0]
    median = float(np.median(living)) if len(living) else 0.0
    outliers = np.flatnonzero(amax > OUTLIER_RATIO * median) if median else np.zeros(0, np.intp)
    layer = tensor.layers[0]
    if len(outliers):
        worst = int(amax.argmax())
        found.append(
            Cause(
                CauseKind.OUTLIER_CHANNELS,
                layer,
                f"{_counted(outliers, 'channel')} of {len(amax)} of {tensor.tensor} reach {amax[worst]:.3g}, "
                f"the median channel {median:.3g}",
                f"keep {layer} in float, or clip harder: --method mse or --percentile 99.9",
                float(amax[worst] / median / OUTLIER_RATIO),
            )
        )
    if dead.mean() >= DEAD_SHARE and amax.max():
        found.append(
            Cause(
                CauseKind.DEAD_CHANNELS,
                layer,
                f"{int(dead.sum())} of {len(amax)} channels of {tensor.tensor} never reach half a step "
                f"({step / 2:.3g}) and are always 0 in INT8",
                f"where they carry anything in FP32, keep {layer} in float; where not, prune them",
                float(dead.mean() / DEAD_SHARE),
            )
        )
    return found


def _first(twin: Twin, report: CoachReport) -> list[Cause]:
    """Whether the picture, or what the first layer makes of it, is cut off: no later layer can make that good."""
    found = []
    first = set(_readers_of_input(twin))
    for tensor in report.tensors:
        picture = tensor.tensor == twin.input
        if tensor.clipped_share < SATURATED or not (picture or first & set(_makers(twin, tensor.tensor))):
            continue
        where = "the picture" if picture else f"what {', '.join(sorted(first))} gives"
        found.append(
            Cause(
                CauseKind.SATURATED_FIRST,
                tensor.layers[0],
                f"{100 * tensor.clipped_share:.2g} % of {where} ({tensor.tensor}) lies beyond {tensor.limit:.3g}; "
                f"the largest is {tensor.here:.3g}",
                f"calibrate on frames like these and clip less (--method mse), or keep {', '.join(tensor.layers)} in float",
                tensor.clipped_share / SATURATED,
            )
        )
    return found


def _readers_of_input(twin: Twin) -> list[str]:
    """The first layers with weights behind the picture."""
    behind = {twin.input}
    first = []
    for step in twin.steps:
        if behind.intersection(step.node.input):
            if step.layer >= 0 and twin.layers[step.layer].weights is not None:
                first.append(twin.layers[step.layer].name)
            else:
                behind.update(step.node.output)
    return first


def _makers(twin: Twin, tensor: str) -> list[str]:
    """The layers with weights nearest before a tensor."""
    made_by = {name: step for step in twin.steps for name in step.node.output}
    names: list[str] = []
    waiting, known = [tensor], {tensor}
    while waiting:
        step = made_by.get(waiting.pop())
        if step is None:
            continue
        if step.layer >= 0 and twin.layers[step.layer].weights is not None:
            names.append(twin.layers[step.layer].name)
            continue
        fresh = [name for name in step.node.input if name not in known]
        known.update(fresh)
        waiting.extend(fresh)
    return names


def _counted(found: NDArray[np.intp], noun: str) -> str:
    return f"{len(found)} {noun}" + ("" if len(found) == 1 else "s")
