"""The figures of a variant: what it loses on the frames that it is judged on, and how much of it runs in INT8; no Qt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trtviewer.compare.settings import CompareSettings
from trtviewer.models.spec import ModelSpec

if TYPE_CHECKING:
    from trtviewer.compare.kept import KeptFrame
    from trtviewer.quantize.graph import Network


@dataclass(frozen=True, slots=True)
class Figures:
    """What a variant does on the frames that it is judged on, at one setting of the thresholds; None where undefined."""

    frames: int
    reference: int
    missed: int
    extra: int
    small_missed: int
    small: int
    mse: float | None


def figures_of(kept: Sequence[KeptFrame], settings: CompareSettings, spec: ModelSpec) -> Figures:
    """The figures of kept frames at any settings; no model runs."""
    from trtviewer.compare.matched_video import rematch
    from trtviewer.compare.totals import strides_of

    totals = rematch(kept, settings, spec.classes, strides=strides_of(spec)).totals
    errors = [frame.error for frame in kept if math.isfinite(frame.error)]
    small = totals.by_size["small"]
    return Figures(
        len(kept),
        totals.counts.reference,
        totals.counts.missed,
        totals.counts.extra,
        small.missed,
        small.reference,
        sum(errors) / len(errors) if errors else None,
    )


def macs_share_of(network: Network, keep_float: frozenset[str]) -> float | None:
    """Of the network's multiplications, those that stay in INT8; None where its shapes are not known."""
    from trtviewer.blame.pairing import macs_of
    from trtviewer.quantize.graph import weights_of

    graph = network.model.graph
    shapes = {
        info.name: tuple(each.dim_value for each in info.type.tensor_type.shape.dim)
        for info in (*graph.value_info, *graph.input, *graph.output)
        if all(each.HasField("dim_value") for each in info.type.tensor_type.shape.dim)
    }
    macs = {node.name: macs_of(node, weights_of(network, node), shapes) for node in network.weighted()}
    total = sum(macs.values())
    return sum(count for name, count in macs.items() if name not in keep_float) / total if total else None
