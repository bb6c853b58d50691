"""Small drawn icons in the theme's colours: no picture files, sharp at every scaling."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap, QPolygonF

from trtviewer.gui.theme import Theme

SIDE = 20


def icon(name: str, theme: Theme) -> QIcon:
    """The icon of that name; its chosen state is drawn in the colour of text on the accent."""
    made = QIcon()
    for state, color in ((QIcon.State.Off, theme.color("text")), (QIcon.State.On, theme.color("on_accent"))):
        if name in TWO_STATES:
            color = theme.color("text")
        for ratio in (1, 2, 3):
            made.addPixmap(_pixmap(name, color, ratio, state == QIcon.State.On), QIcon.Mode.Normal, state)
    faded = theme.color("faint")
    faded.setAlphaF(0.5)
    for ratio in (1, 2, 3):
        made.addPixmap(_pixmap(name, faded, ratio, False), QIcon.Mode.Disabled, QIcon.State.Off)
    return made


TWO_STATES = frozenset(("play",))
"""Icons that draw something else when checked."""


def _pixmap(name: str, color: QColor, ratio: int, checked: bool) -> QPixmap:
    pixmap = QPixmap(SIDE * ratio, SIDE * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    with QPainter(pixmap) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(
            QPen(color, 1.6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
        )
        if name == "play" and checked:
            name = "pause"
        _DRAW[name](painter, color)
    return pixmap


def _solid(painter: QPainter, color: QColor, points: list[tuple[float, float]]) -> None:
    painter.setBrush(color)
    painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in points]))
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _play(painter: QPainter, color: QColor) -> None:
    _solid(painter, color, [(6, 4), (16, 10), (6, 16)])


def _pause(painter: QPainter, color: QColor) -> None:
    for x in (5.5, 11.5):
        painter.fillRect(QRectF(x, 4, 3, 12), color)


def _forward(painter: QPainter, color: QColor) -> None:
    _solid(painter, color, [(5, 5), (12, 10), (5, 15)])
    painter.drawLine(QPointF(15, 5), QPointF(15, 15))


def _back(painter: QPainter, color: QColor) -> None:
    _solid(painter, color, [(15, 5), (8, 10), (15, 15)])
    painter.drawLine(QPointF(5, 5), QPointF(5, 15))


def _next_miss(painter: QPainter, color: QColor) -> None:
    painter.drawPolyline([QPointF(10, 4), QPointF(16, 10), QPointF(10, 16)])
    painter.drawEllipse(QPointF(5.5, 10), 2.6, 2.6)


def _previous_miss(painter: QPainter, color: QColor) -> None:
    painter.drawPolyline([QPointF(10, 4), QPointF(4, 10), QPointF(10, 16)])
    painter.drawEllipse(QPointF(14.5, 10), 2.6, 2.6)


def _side_by_side(painter: QPainter, color: QColor) -> None:
    painter.drawRect(QRectF(2.5, 5, 7, 10))
    painter.drawRect(QRectF(11.5, 5, 7, 10))


def _split(painter: QPainter, color: QColor) -> None:
    painter.drawRect(QRectF(2.5, 5, 15, 10))
    painter.drawLine(QPointF(10, 2.5), QPointF(10, 17.5))


def _blink(painter: QPainter, color: QColor) -> None:
    painter.drawRect(QRectF(2.5, 4, 11, 8))
    painter.setPen(QPen(color, 1.6, Qt.PenStyle.DotLine))
    painter.drawRect(QRectF(6.5, 8, 11, 8))


def _single(painter: QPainter, color: QColor) -> None:
    painter.drawRect(QRectF(2.5, 5, 15, 10))


def _difference(painter: QPainter, color: QColor) -> None:
    painter.drawEllipse(QPointF(7.5, 10), 5, 5)
    painter.drawEllipse(QPointF(12.5, 10), 5, 5)


def _plus(painter: QPainter, color: QColor) -> None:
    painter.drawLine(QPointF(10, 4), QPointF(10, 16))
    painter.drawLine(QPointF(4, 10), QPointF(16, 10))


def _close(painter: QPainter, color: QColor) -> None:
    painter.drawLine(QPointF(5, 5), QPointF(15, 15))
    painter.drawLine(QPointF(15, 5), QPointF(5, 15))


_DRAW: dict[str, Callable[[QPainter, QColor], None]] = {
    "play": _play,
    "pause": _pause,
    "forward": _forward,
    "back": _back,
    "next_miss": _next_miss,
    "previous_miss": _previous_miss,
    "side_by_side": _side_by_side,
    "split": _split,
    "blink": _blink,
    "single": _single,
    "difference": _difference,
    "plus": _plus,
    "close": _close,
}
