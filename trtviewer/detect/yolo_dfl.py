"""YOLOv8 to v12, decoded in the network: [1, 4+C, N] or its transpose, centre and size in input pixels, class probabilities."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from trtviewer.detect.boxes import NO_STRIDE
from trtviewer.detect.decoded import Decoded, centred
from trtviewer.detect.flat import channels_of, grids_of, maps_of, rows_of
from trtviewer.detect.scale_map import Channel, Grid, ScaleMap, strides_of
from trtviewer.models.spec import HeadSpec, ModelSpec


def decode(spec: ModelSpec, heads: Mapping[str, NDArray[np.float32]], floor: float) -> list[Decoded]:
    """Boxes whose best class is above the floor."""
    return [_decode_head(spec, index, heads[head.output], floor) for index, head in enumerate(spec.heads)]


def _decode_head(spec: ModelSpec, index: int, array: NDArray[np.float32], floor: float) -> Decoded:
    rows = _rows(spec, spec.heads[index], array)
    classes = rows[:, 4 : 4 + len(spec.classes)]
    # One pass over everything finds the few positions that matter; NaN is above nothing.
    best = classes.max(axis=1)
    position = (best > floor).nonzero()[0]
    box = rows[position, :4].astype(np.float64)
    return Decoded(
        xyxy=centred(box[:, :2], box[:, 2:]),
        score=best[position].astype(np.float64),
        class_id=classes[position].argmax(axis=1).astype(np.int32),
        stride=strides_of(grids_of(spec, len(rows), 1), position, NO_STRIDE),
        position=position.astype(np.int32),
        head=index,
    )


def scale_maps(spec: ModelSpec, head: HeadSpec, array: NDArray[np.float32]) -> tuple[ScaleMap, ...]:
    """One map a stride, [4+C, H, W], views."""
    return maps_of(spec, head, _rows(spec, head, array), 1, objectness=False)


def canonical(spec: ModelSpec, head: HeadSpec, array: NDArray[np.float32]) -> NDArray[np.float32]:
    """[4+C, N], a view."""
    return _rows(spec, head, array).T


def channels(spec: ModelSpec, head: HeadSpec) -> tuple[Channel, ...]:
    """x, y, width, height, the classes."""
    return channels_of(spec, head, objectness=False)


def grids(spec: ModelSpec, head: HeadSpec, shape: tuple[int, ...]) -> tuple[Grid, ...]:
    """One a stride."""
    return grids_of(spec, shape[2 if head.layout == "ncp" else 1], 1)


def cell_channels(
    spec: ModelSpec, head: HeadSpec, array: NDArray[np.float32], position: NDArray[np.int32]
) -> NDArray[np.float32]:
    """[M, 4+C]."""
    return _rows(spec, head, array)[position]


def _rows(spec: ModelSpec, head: HeadSpec, array: NDArray[np.float32]) -> NDArray[np.float32]:
    return rows_of(spec, head, array, objectness=False)
