"""What the families share that hold all strides in one row of positions: [1, N, K] or [1, K, N]."""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class FlatHeads:
    """How such a family lays out its positions; its methods are those of `families.Decoder`.

    Attributes:
        objectness: whether one stands between the box and the classes.
        anchors: of each cell.
    """

    objectness: bool
    anchors: int = 1

    def rows(self, spec: ModelSpec, head: HeadSpec, array: NDArray[np.float32]) -> NDArray[np.float32]:
        """[N, K], a view in both layouts. Raises: ShapeMismatch: K is too small for the classes."""
        flat = only_batch(spec, head, array, 3)
        rows = flat.T if head.layout == "ncp" else flat
        least = 4 + self.objectness + len(spec.classes)
        if rows.shape[1] < least:
            said = f"{4 + self.objectness} + {len(spec.classes)} = {least}"
            raise wrong_width(spec, head, rows.shape[1], said)
        return rows

    def grids_of(self, spec: ModelSpec, positions: int) -> tuple[Grid, ...]:
        """The strides that N positions are."""
        return flat_grids(positions, None if spec.input is None else spec.input.size, self.anchors)

    def grids(self, spec: ModelSpec, head: HeadSpec, shape: tuple[int, ...]) -> tuple[Grid, ...]:
        """One a stride."""
        return self.grids_of(spec, shape[2 if head.layout == "ncp" else 1])

    def scale_maps(self, spec: ModelSpec, head: HeadSpec, array: NDArray[np.float32]) -> tuple[ScaleMap, ...]:
        """One map a stride, [anchors*K, H, W]; views, but for several anchors, which come one after the other."""
        rows = self.rows(spec, head, array)
        maps: list[ScaleMap] = []
        for grid in self.grids_of(spec, len(rows)):
            block = rows[grid.start : grid.stop].T
            planes = block.reshape(len(block), grid.anchors, grid.rows, grid.columns).swapaxes(0, 1)
            maps.append(
                ScaleMap(
                    name=head.output if grid.stride is None else f"{head.output}/{grid.stride}",
                    output=head.output,
                    stride=grid.stride,
                    values=planes.reshape(-1, grid.rows, grid.columns),
                    channels=self._channels(spec, len(block), grid.anchors),
                )
            )
        return tuple(maps)

    def canonical(self, spec: ModelSpec, head: HeadSpec, array: NDArray[np.float32]) -> NDArray[np.float32]:
        """[K, N], a view."""
        return self.rows(spec, head, array).T

    def channels(self, spec: ModelSpec, head: HeadSpec) -> tuple[Channel, ...]:
        """Of one position: x, y, width, height, objectness where there is one, the classes."""
        return self._channels(spec, head.shape[1] if head.layout == "ncp" else head.shape[-1], 1)

    def cell_channels(
        self, spec: ModelSpec, head: HeadSpec, array: NDArray[np.float32], position: NDArray[np.int32]
    ) -> NDArray[np.float32]:
        """[M, K]."""
        return self.rows(spec, head, array)[position]

    def _channels(self, spec: ModelSpec, width: int, anchors: int) -> tuple[Channel, ...]:
        return box_channels(spec.classes, objectness=self.objectness, anchors=anchors, width=width)
