"""Labels of boxes: where they go, so that none covers another or a small object, and their pictures, kept by text."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping as Table
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QImage, QPainter

from trtviewer.gui.panes.marks import Mark
from trtviewer.gui.panes.paint import paint_label
from trtviewer.gui.panes.viewport import Mapping

PAD_X, PAD_Y = 4, 1
GAP = 2.0
SMALL_SIDE = 40.0
"""A box with a side below this, in pane pixels, is a small object: no label may lie on it."""
LEAST_SIDE = 14.0
"""A matched box smaller than this on the screen has no label of its own: hovering tells."""


@dataclass(frozen=True, eq=False, slots=True)
class LabelFont:
    """A font, and how wide its texts are, measured once: to ask the font for every label of every frame is slow.

    Attributes:
        font: what the labels are written in.
        height: of a label, in logical pixels.
        advances: by character; `other` for any that is not in it.
    """

    font: QFont
    height: float
    advances: Table[str, float]
    other: float

    def width(self, text: str) -> float:
        return sum(self.advances.get(character, self.other) for character in text) + 2 * PAD_X

    @staticmethod
    def of(font: QFont) -> LabelFont:
        metrics = QFontMetricsF(font)
        characters = [chr(code) for code in range(32, 127)] + ["−", "≈", "…"]
        advances = {character: metrics.horizontalAdvance(character) for character in characters}
        return LabelFont(font, metrics.height() + 2 * PAD_Y, advances, metrics.horizontalAdvance("W"))


@dataclass(frozen=True, slots=True)
class PlacedLabel:
    """A label that found its place: its corner is that of its box (`frame`), moved by `offset` pane pixels."""

    text: str
    kind: str
    frame: tuple[float, float]
    offset: tuple[float, float]


def place(
    marks: Sequence[Mark], mapping: Mapping, pane: tuple[float, float], font: LabelFont
) -> tuple[PlacedLabel, ...]:
    """Finds a place for the label of each mark, the important ones (first) before the others.

    Above its box, else below, each at the left or right end, else beside it; outside of other labels and small objects. A matched box
    without such a place goes without; an unmatched one takes its short label, and at last any place.
    """
    count = len(marks)
    if not count:
        return ()
    boxes = np.array([mark.xyxy for mark in marks], np.float64) * mapping.scale
    boxes += (mapping.dx, mapping.dy, mapping.dx, mapping.dy)
    sides = np.minimum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    inside = (boxes[:, 0] < pane[0]) & (boxes[:, 1] < pane[1]) & (boxes[:, 2] > 0) & (boxes[:, 3] > 0)
    keep_off = np.empty((2 * count, 4))
    owner = np.full(2 * count, -1)
    small = np.flatnonzero(sides < SMALL_SIDE)
    keep_off[: len(small)] = boxes[small]
    owner[: len(small)] = small
    used = len(small)
    placed: list[PlacedLabel] = []
    for index, mark in enumerate(marks):
        calm = mark.kind == "matched"
        if not inside[index] or (calm and sides[index] < LEAST_SIDE):
            continue
        chosen: tuple[str, float, float] | None = None
        for text in dict.fromkeys((mark.label, mark.short)):
            if not text:
                continue
            spots = _spots(boxes[index], font.width(text), font.height, pane)
            free = _free(spots, keep_off[:used], owner[:used] != index)
            if free is not None:
                chosen = (text, *free)
                break
        if chosen is None:
            if calm:
                continue
            text = mark.short or mark.label
            chosen = (text, *_spots(boxes[index], font.width(text), font.height, pane)[0, :2])
        text, x, y = chosen
        keep_off[used] = (x, y, x + font.width(text), y + font.height)
        used += 1
        corner = (mark.xyxy[0], mark.xyxy[1])
        placed.append(
            PlacedLabel(text, mark.kind, corner, (float(x - boxes[index, 0]), float(y - boxes[index, 1])))
        )
    return tuple(placed)


def _spots(box: np.ndarray, width: float, height: float, pane: tuple[float, float]) -> np.ndarray:
    x1, y1, x2, y2 = box
    left = min(max(x1 - 1, 0.0), max(0.0, pane[0] - width))
    right = min(max(x2 - width + 1, 0.0), max(0.0, pane[0] - width))
    above, below = y1 - height - GAP, y2 + GAP
    # A box that reaches beyond the pane's edge keeps its label in sight, inside at the top.
    if above < 0 and below + height > pane[1]:
        above = max(0.0, y1) + GAP
    top = min(max(y1, 0.0), max(0.0, pane[1] - height))
    beside = [(x2 + GAP, top)] if x2 + GAP + width <= pane[0] else []
    beside += [(x1 - GAP - width, top)] if x1 - GAP - width >= 0 else []
    # Where even the sides are taken, a label may stand one line farther off.
    farther = [(left, above - height - 1), (left, below + height + 1)]
    spots = np.array([(left, above), (left, below), (right, above), (right, below), *beside, *farther])
    return np.concatenate((spots, spots + np.array((width, height))), axis=1)


def _free(spots: np.ndarray, keep_off: np.ndarray, counts: np.ndarray) -> tuple[float, float] | None:
    """The first spot inside the pane's top edge that meets nothing."""
    hit = (
        (spots[:, None, 0] < keep_off[None, :, 2])
        & (spots[:, None, 2] > keep_off[None, :, 0])
        & (spots[:, None, 1] < keep_off[None, :, 3])
        & (spots[:, None, 3] > keep_off[None, :, 1])
        & counts[None, :]
    ).any(axis=1)
    good = np.flatnonzero(~hit & (spots[:, 1] >= 0))
    return (float(spots[good[0], 0]), float(spots[good[0], 1])) if len(good) else None


class LabelPictures:
    """The pictures of labels, made once for each text, kind, font and screen ratio; the least used are forgotten. One thread's own."""

    def __init__(self, most: int = 1024) -> None:
        self._made: OrderedDict[tuple[str, str, LabelFont, float], QImage] = OrderedDict()
        self._most = most

    def get(self, text: str, kind: str, font: LabelFont, ratio: float) -> QImage:
        key = (text, kind, font, ratio)
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = _picture(text, kind, font, ratio)
            if len(self._made) > self._most:
                self._made.popitem(last=False)
        else:
            self._made.move_to_end(key)
        return made


def _picture(text: str, kind: str, font: LabelFont, ratio: float) -> QImage:
    width, height = font.width(text), font.height
    image = QImage(
        max(1, round(width * ratio)), max(1, round(height * ratio)), QImage.Format.Format_ARGB32_Premultiplied
    )
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    with QPainter(image) as painter:
        paint_label(painter, QRectF(0, 0, width, height), text, kind, font.font)
    return image
