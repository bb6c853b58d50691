"""YOLOv5 and v7 exported with their grid: [1, N, 5+C], centre and size in input pixels, probabilities."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from trtviewer.detect.boxes import NO_STRIDE
from trtviewer.detect.decoded import Decoded, centred
from trtviewer.detect.flat import FlatHeads
from trtviewer.detect.scale_map import Grid, strides_of
from trtviewer.models.spec import ModelSpec

_FLAT = FlatHeads(objectness=True, anchors=3)


def decode(spec: ModelSpec, heads: Mapping[str, NDArray[np.float32]], floor: float) -> list[Decoded]:
    """Boxes whose objectness x best class may be above the floor."""
    parts: list[Decoded] = []
    for index, head in enumerate(spec.heads):
        rows = _FLAT.rows(spec, head, heads[head.output])
        position = np.flatnonzero(rows[:, 4] > floor)
        parts.append(scored(spec, rows[position], position, _FLAT.grids_of(spec, len(rows)), index))
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


scale_maps, canonical, channels = _FLAT.scale_maps, _FLAT.canonical, _FLAT.channels
grids, cell_channels = _FLAT.grids, _FLAT.cell_channels
