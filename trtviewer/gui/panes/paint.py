"""How boxes and labels are painted: the same on the panes of the window and in an exported video."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter

from trtviewer.gui.panes.marks import Mark
from trtviewer.gui.panes.viewport import Mapping
from trtviewer.gui.theme import BOX_STYLES

ORDER = ("matched", "extra_ghost", "missed_ghost", "extra", "missed")
"""From the calm ones to those that must be seen: later ones lie on top."""


def paint_boxes(painter: QPainter, marks: Iterable[Mark], where: Mapping, line_scale: float = 1.0) -> None:
    """Paints the boxes of one side, each kind in its line style over a dark halo."""
    by_kind: dict[str, list[QRectF]] = {}
    for mark in marks:
        by_kind.setdefault(mark.kind, []).append(where.rect(*mark.xyxy))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for kind in ORDER:
        rects = by_kind.get(kind)
        if rects:
            style = BOX_STYLES[kind]
            painter.setPen(style.halo(line_scale))
            painter.drawRects(rects)
            painter.setPen(style.pen(line_scale))
            painter.drawRects(rects)


def paint_label(painter: QPainter, place: QRectF, text: str, kind: str, font: QFont) -> None:
    """Paints one label: filled in its colour where it must be seen, else dark with text in its colour."""
    color = QColor(BOX_STYLES[kind].color)
    strong = kind in ("missed", "extra")
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color if strong else QColor(10, 12, 14, 200))
    painter.drawRoundedRect(place, 3, 3)
    painter.setPen(QColor("#101215") if strong else color.lighter(115))
    painter.setFont(font)
    painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)
