"""What is painted over a picture besides boxes: divider, brackets, cross, notice, the card under the mouse."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPainterPath, QPen, QPolygonF

from trtviewer.gui.panes.marks import Mark
from trtviewer.gui.panes.viewport import Mapping
from trtviewer.gui.theme import BOX_STYLES

CARD_GAP = 14.0


def paint_divider(painter: QPainter, edge: float, height: float) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(0, 0, 0, 140), 4))
    painter.drawLine(QPointF(edge, 0), QPointF(edge, height))
    painter.setPen(QPen(QColor(255, 255, 255), 1.5))
    painter.drawLine(QPointF(edge, 0), QPointF(edge, height))
    middle = QPointF(edge, height / 2)
    painter.setPen(QPen(QColor(0, 0, 0, 140), 1))
    painter.setBrush(QColor(255, 255, 255))
    painter.drawEllipse(middle, 13, 13)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor("#2a2e34"))
    for way in (-1, 1):
        tip = middle + QPointF(way * 8, 0)
        foot = middle + QPointF(way * 3, 0)
        painter.drawPolygon(QPolygonF([tip, foot + QPointF(0, -4), foot + QPointF(0, 4)]))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def paint_lit(painter: QPainter, mark: Mark, where: Mapping) -> None:
    rect = where.rect(*mark.xyxy)
    color = QColor(BOX_STYLES[mark.kind].color)
    glow = QColor(color)
    glow.setAlpha(56)
    painter.fillRect(rect, glow)
    painter.setPen(QPen(QColor(255, 255, 255, 230), 4))
    painter.drawRect(rect)
    painter.setPen(QPen(color, 2, BOX_STYLES[mark.kind].style))
    painter.drawRect(rect)


def paint_brackets(painter: QPainter, rect: QRectF) -> None:
    """Corner brackets: they mark the place without hiding its box's own line."""
    rect = rect.adjusted(-7, -7, 7, 7)
    arm = min(14.0, rect.width() / 3, rect.height() / 3)
    path = QPainterPath()
    for corner, across, down in (
        (rect.topLeft(), 1, 1),
        (rect.topRight(), -1, 1),
        (rect.bottomRight(), -1, -1),
        (rect.bottomLeft(), 1, -1),
    ):
        path.moveTo(corner + QPointF(across * arm, 0))
        path.lineTo(corner)
        path.lineTo(corner + QPointF(0, down * arm))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(0, 0, 0, 160), 4))
    painter.drawPath(path)
    painter.setPen(QPen(QColor(255, 255, 255), 2))
    painter.drawPath(path)


def paint_cross(painter: QPainter, at: QPointF) -> None:
    """Where the mouse stands in the other pane, or in a heatmap."""
    for pen in (QPen(QColor(0, 0, 0, 170), 3), QPen(QColor(255, 255, 255), 1)):
        painter.setPen(pen)
        painter.drawLine(at + QPointF(-8, 0), at + QPointF(8, 0))
        painter.drawLine(at + QPointF(0, -8), at + QPointF(0, 8))


def paint_notice(painter: QPainter, words: str, size: QSizeF) -> None:
    """A sentence on a plate at the foot of the picture."""
    metrics = painter.fontMetrics()
    width = min(size.width() - 16.0, metrics.horizontalAdvance(words) + 24.0)
    height = metrics.height() + 10.0
    plate = QRectF((size.width() - width) / 2, size.height() - height - 12, width, height)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(10, 12, 14, 205))
    painter.drawRoundedRect(plate, 4, 4)
    painter.setPen(QColor("#e8eaed"))
    text = metrics.elidedText(words, Qt.TextElideMode.ElideRight, int(width - 16))
    painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, text)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def paint_card(painter: QPainter, at: QPointF, lines: Sequence[str], size: QSizeF) -> None:
    """What is known of the mark under the mouse, beside it and within the pane."""
    if not lines:
        return
    plain = QFont(painter.font())
    bold = QFont(plain)
    bold.setBold(True)
    painter.setFont(bold)
    metrics = painter.fontMetrics()
    step = metrics.height() + 2
    width = max(metrics.horizontalAdvance(line) for line in lines) + 20.0
    height = step * len(lines) + 12.0
    x = at.x() + CARD_GAP if at.x() + CARD_GAP + width < size.width() else at.x() - CARD_GAP - width
    y = min(max(4.0, at.y() + CARD_GAP), size.height() - height - 4)
    card = QRectF(max(4.0, x), y, width, height)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(255, 255, 255, 50), 1))
    painter.setBrush(QColor(18, 20, 23, 235))
    painter.drawRoundedRect(card, 5, 5)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    for row, line in enumerate(lines):
        painter.setFont(bold if row == 0 else plain)
        painter.setPen(QColor("#ffffff" if row == 0 else "#c9ced6"))
        place = QRectF(card.left() + 10, card.top() + 6 + row * step, width - 20, step)
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, line)
