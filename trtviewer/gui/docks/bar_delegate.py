"""A bar behind a table's figure, as long as its share of the largest."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRect, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from trtviewer.gui.theme import DARK, Theme

SHARE = Qt.ItemDataRole.UserRole + 1
"""0..1: how long the bar behind a cell is."""
COLOUR = Qt.ItemDataRole.UserRole + 2
"""The theme's role of that bar; what is lost where it is not said."""


class BarDelegate(QStyledItemDelegate):
    """Draws the bar from the left, beside the figure's room."""

    NUMBER = 64
    """Pixels at the right that are the figure's."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = DARK

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        super().paint(painter, option, index)
        part = index.data(SHARE)
        if not part:
            return
        room = option.rect.adjusted(6, 4, -self.NUMBER, -4)
        if room.width() > 4:
            width = max(2, round(room.width() * min(1.0, part)))
            colour = self.theme.color(index.data(COLOUR) or "missed")
            painter.fillRect(QRect(room.left(), room.top(), width, room.height()), colour)
