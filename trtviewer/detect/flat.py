"""What the families share that hold all strides in one row of positions: [1, N, K] or [1, K, N]."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trtviewer.detect.scale_map import (
    Channel,
    Grid,
    ScaleMap,
    box_channels,
    flat_grids,
    only_batch,
    wrong_width,
)
from trtviewer.models.spec import HeadSpec, ModelSpec


def rows_of(
    spec: ModelSpec, head: HeadSpec, array: NDArray[np.float32], *, objectness: bool
) -> NDArray[np.float32]:
    """[N, K], a view in both layouts. Raises: ShapeMismatch: K is too small for the classes."""
    flat = only_batch(spec, head, array, 3)
    rows = flat.T if head.layout == "ncp" else flat
    least = 4 + objectness + len(spec.classes)
    if rows.shape[1] < least:
        raise wrong_width(spec, head, rows.shape[1], f"{4 + objectness} + {len(spec.classes)} = {least}")
    return rows


def grids_of(spec: ModelSpec, positions: int, anchors: int) -> tuple[Grid, ...]:
    """The strides that N positions are."""
    return flat_grids(positions, None if spec.input is None else spec.input.size, anchors)


def maps_of(
    spec: ModelSpec, head: HeadSpec, rows: NDArray[np.float32], anchors: int, *, objectness: bool
) -> tuple[ScaleMap, ...]:
    """One map a stride; views, but for several anchors, whose channels come one anchor after the other."""
    maps: list[ScaleMap] = []
    for grid in grids_of(spec, len(rows), anchors):
        block = rows[grid.start : grid.stop].T
        width = len(block)
        planes = block.reshape(width, grid.anchors, grid.rows, grid.columns).swapaxes(0, 1)
        maps.append(
            ScaleMap(
                name=head.output if grid.stride is None else f"{head.output}/{grid.stride}",
                output=head.output,
                stride=grid.stride,
                values=planes.reshape(-1, grid.rows, grid.columns),
                channels=box_channels(spec.classes, objectness=objectness, anchors=grid.anchors, width=width),
            )
        )
    return tuple(maps)


def channels_of(spec: ModelSpec, head: HeadSpec, *, objectness: bool) -> tuple[Channel, ...]:
    """The channels of one position."""
    width = head.shape[1] if head.layout == "ncp" else head.shape[-1]
    return box_channels(spec.classes, objectness=objectness, width=width)
