"""YOLOX: [1, N, 5+C], objectness and classes already probabilities; boxes still offsets in their cells, or decoded."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from trtviewer.detect.decoded import Decoded, centred
from trtviewer.detect.flat import FlatHeads
from trtviewer.detect.scale_map import Grid
from trtviewer.detect.yolo_flat import scored
from trtviewer.errors import BadInput
from trtviewer.models.spec import HeadSpec, ModelSpec

_FLAT = FlatHeads(objectness=True)


def decode(spec: ModelSpec, heads: Mapping[str, NDArray[np.float32]], floor: float) -> list[Decoded]:
    """Boxes whose objectness x best class may be above the floor. Source: YOLOX's demo_utils.demo_postprocess."""
    parts: list[Decoded] = []
    for index, head in enumerate(spec.heads):
        rows = _FLAT.rows(spec, head, heads[head.output])
        grids = _FLAT.grids_of(spec, len(rows))
        position = np.flatnonzero(rows[:, 4] > floor)
        part = scored(spec, rows[position], position, grids, index)
        parts.append(part if head.decoded else _placed(spec, head, part, rows[position, :4], grids))
    return parts


def _placed(
    spec: ModelSpec, head: HeadSpec, part: Decoded, box: NDArray[np.float32], grids: tuple[Grid, ...]
) -> Decoded:
    """The part with its boxes moved to their cells: (xy + cell) * stride, exp(wh) * stride."""
    if any(grid.stride is None for grid in grids):
        raise BadInput(
            f"output {head.output} has {grids[-1].stop} boxes, which is no sum of cells at strides 8, 16 and 32",
            subject=spec.path,
            advice="check the input's size",
        )
    cells = np.concatenate([_cells(grid) for grid in grids])[part.position]
    stride = part.stride[:, None].astype(np.float64)
    size = np.exp(box[:, 2:].astype(np.float64)) * stride
    return Decoded(
        xyxy=centred((box[:, :2] + cells) * stride, size),
        score=part.score,
        class_id=part.class_id,
        stride=part.stride,
        position=part.position,
        head=part.head,
    )


def _cells(grid: Grid) -> NDArray[np.float64]:
    """[rows * columns, 2]: column and row of each cell."""
    row, column = np.divmod(np.arange(grid.rows * grid.columns), grid.columns)
    return np.stack((column, row), axis=1).astype(np.float64)


scale_maps, canonical, channels = _FLAT.scale_maps, _FLAT.canonical, _FLAT.channels
grids, cell_channels = _FLAT.grids, _FLAT.cell_channels
