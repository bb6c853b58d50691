"""The boxes and labels of one side as one picture that is laid over the frame's: a pane then paints it in one go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter

from trtviewer.gui.panes.labels import LabelFont, LabelPictures, PlacedLabel
from trtviewer.gui.panes.marks import Mark
from trtviewer.gui.panes.paint import paint_boxes
from trtviewer.gui.panes.viewport import Mapping


@dataclass(frozen=True, eq=False, slots=True)
class Sheet:
    """What a layer is painted on: as large as a pane.

    Attributes:
        pane: width and height, in logical pixels.
        ratio: pixels of the screen for a logical one.
        font: of the labels.
        line_scale: how much wider than usual the lines are (presentation).
    """

    pane: tuple[float, float]
    ratio: float
    font: LabelFont
    line_scale: float = 1.0

    def part(self, left: float, right: float) -> QRectF:
        """From one share of the width to another, over the whole height."""
        width, height = self.pane
        return QRectF(left * width, 0, (right - left) * width, height)


def paint_layer(
    sheet: Sheet,
    marks: Sequence[Mark],
    labels: Sequence[PlacedLabel],
    where: Mapping,
    pictures: LabelPictures,
    part: tuple[float, float] = (0.0, 1.0),
) -> QImage:
    """Paints boxes and labels on nothing. Any thread may call it; `pictures` is the caller's own.

    Args:
        part: from which share of the width to which the boxes are seen. Labels are whole or not there: one whose box begins
            outside is the other side's to tell.
    """
    width, height = sheet.pane
    layer = QImage(
        max(1, round(width * sheet.ratio)),
        max(1, round(height * sheet.ratio)),
        QImage.Format.Format_ARGB32_Premultiplied,
    )
    layer.setDevicePixelRatio(sheet.ratio)
    layer.fill(Qt.GlobalColor.transparent)
    room = sheet.part(*part)
    with QPainter(layer) as painter:
        if part != (0.0, 1.0):
            painter.setClipRect(room)
        # The pens are cosmetic: their width is in pixels of the screen, of which a scaled screen has more.
        paint_boxes(painter, marks, where, sheet.line_scale * sheet.ratio)
        painter.setClipping(False)
        for label in reversed(labels):
            corner = where.to_pane(*label.frame)
            if part == (0.0, 1.0) or room.left() <= corner.x() < room.right():
                at = (corner + QPointF(*label.offset)).toPoint()
                painter.drawImage(at, pictures.get(label.text, label.kind, sheet.font, sheet.ratio))
    return layer
