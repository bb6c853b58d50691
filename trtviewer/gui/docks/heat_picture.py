"""What the heatmaps show of one frame: maps of both sides as pixels, and where their cells lie in the frame."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF

from trtviewer.compare.frame_comparison import FrameComparison
from trtviewer.detect.families import scale_maps
from trtviewer.detect.heat import HeatChannel, HeatRow, heat_rows, scale_title
from trtviewer.detect.scale_map import Channel
from trtviewer.gui.docks.colour_maps import coloured, diverging, pixel, viridis
from trtviewer.gui.theme import Theme
from trtviewer.preprocess import Placement


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of one scale: `row_index` counts the scales, `row` and `column` the cells."""

    row_index: int
    row: int
    column: int


@dataclass(frozen=True, eq=False, slots=True)
class PaintedRow:
    """One scale with its pixels: reference, candidate, difference; None where that map is not there."""

    row: HeatRow
    pixels: tuple[NDArray[np.uint32] | None, NDArray[np.uint32] | None, NDArray[np.uint32] | None]


@dataclass(frozen=True, eq=False, slots=True)
class HeatPicture:
    """Everything that the widget paints for one frame."""

    frame_index: int
    frame_size: tuple[int, int]
    placement: Placement
    channel: HeatChannel
    rows: tuple[PaintedRow, ...]

    def crop(self, row_index: int) -> QRectF:
        """The part of a map that the frame covers, in cells: a letterbox's bars are left out."""
        row = self.rows[row_index].row
        rows, columns = row.grid
        whole = QRectF(0, 0, columns, rows)
        if row.stride is None:
            return whole
        height, width = self.frame_size
        corners = self.placement.to_input(np.array([[0, 0, width, height]], np.float32))[0] / row.stride
        left, top, right, bottom = (float(value) for value in corners)
        return QRectF(left, top, right - left, bottom - top).intersected(whole) or whole

    def cell_at(self, row_index: int, x: float, y: float) -> Cell | None:
        """The cell of that scale which holds a point of the source frame."""
        row = self.rows[row_index].row
        if row.stride is None:
            return None
        point = self.placement.to_input(np.array([[x, y, x, y]], np.float32))[0] / row.stride
        return self.inside(Cell(row_index, math.floor(float(point[1])), math.floor(float(point[0]))))

    def inside(self, cell: Cell) -> Cell | None:
        """The cell, or None where its scale has no such cell."""
        rows, columns = self.rows[cell.row_index].row.grid
        return cell if 0 <= cell.row < rows and 0 <= cell.column < columns else None

    def xyxy(self, cell: Cell, around: int = 0) -> tuple[float, float, float, float] | None:
        """The cell's square, and `around` cells on each side of it, in pixels of the source frame."""
        stride = self.rows[cell.row_index].row.stride
        if stride is None:
            return None
        square = np.array(
            [
                [
                    (cell.column - around) * stride,
                    (cell.row - around) * stride,
                    (cell.column + 1 + around) * stride,
                    (cell.row + 1 + around) * stride,
                ]
            ],
            np.float32,
        )
        left, top, right, bottom = (float(value) for value in self.placement.to_source(square)[0])
        return left, top, right, bottom


@dataclass(frozen=True, eq=False, slots=True)
class HeatRequest:
    """All that the maps of one frame are made from; `stride` for one scale only."""

    comparison: FrameComparison
    channel: HeatChannel
    theme: Theme
    stride: int | None = None


@dataclass(frozen=True, eq=False, slots=True)
class HeatAnswer:
    """The maps, the channels that these models have (of the scale that has most), and all their scales: stride, title."""

    request: HeatRequest
    picture: HeatPicture
    channels: tuple[Channel, ...]
    scales: tuple[tuple[int, str], ...]


def picture_of(request: HeatRequest) -> HeatAnswer:
    """Computes and colours the maps; runs on the dock's thread."""
    comparison, theme = request.comparison, request.theme
    reference, candidate = comparison.reference, comparison.candidate
    rows = heat_rows(
        (reference.spec, reference.heads),
        (candidate.spec, candidate.heads),
        comparison.correspondence.pairs,
        request.channel,
        stride=request.stride,
    )
    undefined = pixel(theme.color("warning"))
    painted = tuple(
        PaintedRow(
            row,
            (
                None if row.reference is None else coloured(row.reference, row.levels, viridis(), undefined),
                None if row.candidate is None else coloured(row.candidate, row.levels, viridis(), undefined),
                None
                if row.difference is None
                else coloured(row.difference, (-row.reach, row.reach), diverging(theme), undefined),
            ),
        )
        for row in rows
    )
    height, width = comparison.frame.size
    picture = HeatPicture(
        comparison.frame.index, (height, width), comparison.placement, request.channel, painted
    )
    maps = (*scale_maps(reference.spec, reference.heads), *scale_maps(candidate.spec, candidate.heads))
    channels = max((one.channels for one in maps), key=len, default=())
    scales = {one.stride: scale_title(one) for one in maps if one.stride is not None}
    return HeatAnswer(request, picture, channels, tuple(sorted(scales.items())))
