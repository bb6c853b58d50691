"""YOLOv5 and v7 exported with their grid: [1, N, 5+C], centre and size in input pixels, probabilities."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from trtviewer.detect.boxes import NO_STRIDE
from trtviewer.detect.decoded import Decoded, centred
from trtviewer.detect.flat import channels_of, grids_of, maps_of, rows_of
from trtviewer.detect.scale_map import Channel, Grid, ScaleMap, strides_of
from trtviewer.models.spec import HeadSpec, ModelSpec

ANCHORS = 3
"""Boxes a cell of these networks."""


def decode(spec: ModelSpec, heads: Mapping[str, NDArray[np.float32]], floor: float) -> list[Decoded]:
    """Boxes whose objectness x best class may be above the floor."""
    parts: list[Decoded] = []
    for index, head in enumerate(spec.heads):
        rows = _rows(spec, head, heads[head.output])
        position = np.flatnonzero(rows[:, 4] > floor)
        parts.append(scored(spec, rows[position], position, grids_of(spec, len(rows), ANCHORS), index))
    return parts


def scored(
    spec: ModelSpec,
    rows: NDArray[np.float32],
    position: NDArray[np.intp],
    grids: tuple[Grid, ...],
    head: int,
) -> Decoded:
    """The boxes of rows [M, 5+C] that are decoded already: x, y, width, height in input pixels, then probabilities."""
    classes = rows[:, 5 : 5 + len(spec.classes)].astype(np.float64)
    class_id = classes.argmax(axis=1)
    box = rows[:, :4].astype(np.float64)
    return Decoded(
        xyxy=centred(box[:, :2], box[:, 2:]),
        score=rows[:, 4].astype(np.float64) * np.take_along_axis(classes, class_id[:, None], axis=1)[:, 0],
        class_id=class_id.astype(np.int32),
        stride=strides_of(grids, position, NO_STRIDE),
        position=position.astype(np.int32),
        head=head,
    )


def scale_maps(spec: ModelSpec, head: HeadSpec, array: NDArray[np.float32]) -> tuple[ScaleMap, ...]:
    """One map a stride, [3*(5+C), H, W]."""
    return maps_of(spec, head, _rows(spec, head, array), ANCHORS, objectness=True)


def canonical(spec: ModelSpec, head: HeadSpec, array: NDArray[np.float32]) -> NDArray[np.float32]:
    """[5+C, N], a view."""
    return _rows(spec, head, array).T


def channels(spec: ModelSpec, head: HeadSpec) -> tuple[Channel, ...]:
    """x, y, width, height, objectness, the classes."""
    return channels_of(spec, head, objectness=True)


def grids(spec: ModelSpec, head: HeadSpec, shape: tuple[int, ...]) -> tuple[Grid, ...]:
    """One a stride, of three anchors each."""
    return grids_of(spec, shape[2 if head.layout == "ncp" else 1], ANCHORS)


def cell_channels(
    spec: ModelSpec, head: HeadSpec, array: NDArray[np.float32], position: NDArray[np.int32]
) -> NDArray[np.float32]:
    """[M, 5+C]."""
    return _rows(spec, head, array)[position]


def _rows(spec: ModelSpec, head: HeadSpec, array: NDArray[np.float32]) -> NDArray[np.float32]:
    return rows_of(spec, head, array, objectness=True)
