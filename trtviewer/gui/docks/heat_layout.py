"""Where the heatmaps lie: a block for each scale, three maps in it, as large as the room lets them be."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF

_GAP = 4
_APART = 12
"""Between the pair, which has one colour scale, and the difference, which has its own."""
_BLOCK_GAP = 20
_MARGIN = 8


def above(line: int) -> int:
    """The room over a block's maps, for its title and their names. Args: line: the height of a line of text."""
    return 2 * line + 4


def lay_out(crops: Sequence[QRectF], width: int, height: int, line: int) -> list[list[QRectF]]:
    """The places of each scale's three maps: scales below each other, or side by side where that shows more.

    Args:
        crops: the part of each scale's maps that is shown, in cells.
        line: the height of a line of text; there is one under the maps, for the colour bars.
    """
    count, below = len(crops), line + 4
    aspect = max(crop.width() / crop.height() for crop in crops)
    best: tuple[float, int] = (0.0, 1)
    for blocks_across in range(1, count + 1):
        blocks_down = -(-count // blocks_across)
        room = (width - 2 * _MARGIN - (blocks_across - 1) * _BLOCK_GAP) / blocks_across - _GAP - _APART
        left = (height - 2 * _MARGIN - (blocks_down - 1) * _MARGIN) / blocks_down - above(line) - below
        size = min(room / 3, left * aspect)
        if size > best[0]:
            best = (size, blocks_across)
    tile_width = max(16.0, best[0])
    tile_height = tile_width / aspect
    block_width = 3 * tile_width + _GAP + _APART
    block_height = above(line) + tile_height + below
    return [
        _block(
            _MARGIN + index % best[1] * (block_width + _BLOCK_GAP),
            _MARGIN + index // best[1] * (block_height + _MARGIN) + above(line),
            tile_width,
            tile_height,
        )
        for index in range(count)
    ]


def _block(left: float, top: float, width: float, height: float) -> list[QRectF]:
    return [
        QRectF(
            round(left + column * (width + _GAP) + (column == 2) * (_APART - _GAP)),
            round(top),
            round(width),
            round(height),
        )
        for column in range(3)
    ]
