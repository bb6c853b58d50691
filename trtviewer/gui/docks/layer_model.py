"""The layers as Qt's table model, with a tick that keeps a layer in float; and the bar of its error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QRect, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from trtviewer.gui.docks.layer_rows import HEADINGS, WORDS, Column, LayerRows
from trtviewer.gui.theme import DARK, Theme

Index = QModelIndex | QPersistentModelIndex
SHARE = Qt.ItemDataRole.UserRole + 1
"""0..1: how long the bar behind a cell is."""
ROLE = Qt.ItemDataRole.UserRole + 2
"""The theme's role of that bar; what is lost where it is not said."""


class LayerModel(QAbstractTableModel):
    """The rows of one measurement in some order; `order` maps a row of the view to a layer.

    Args: ticked: told the new set of ticks when the user changes one; the model shows what `set_ticks` says.
    """

    def __init__(self, ticked: Callable[[frozenset[str]], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._ticked = ticked
        self.rows: LayerRows | None = None
        self.order: list[int] = []
        self.ticks: frozenset[str] = frozenset()
        self.column: Column | None = Column.HEADS
        self.falling = True
        self._theme: Theme = DARK

    def show(self, rows: LayerRows | None) -> None:
        """Shows another measurement, in the same order."""
        self.rows = rows
        self._arrange()

    def set_ticks(self, ticks: frozenset[str]) -> None:
        if ticks != self.ticks:
            self.ticks = ticks
            if self.order:
                last = self.index(len(self.order) - 1, len(Column) - 1)
                self.dataChanged.emit(self.index(0, 0), last)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.layoutChanged.emit()

    def set_graph_order(self) -> None:
        self.column = None
        self._arrange()
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(Column) - 1)

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        if column < 0:
            self.set_graph_order()
            return
        self.column, self.falling = Column(column), order == Qt.SortOrder.DescendingOrder
        self._arrange()
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(Column) - 1)

    def row_of(self, name: str) -> int:
        """Where a layer is shown; -1 where it is not."""
        if self.rows is None or name not in self.rows.names:
            return -1
        return self.order.index(self.rows.names.index(name))

    def name_at(self, row: int) -> str:
        """The layer that a row of the view shows."""
        assert self.rows is not None
        return self.rows.names[self.order[row]]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self.order)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(Column)

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        if index.isValid() and index.column() == Column.KEEP:
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        return flags

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.CheckStateRole or self.rows is None or index.column() != Column.KEEP:
            return False
        name = self.name_at(index.row())
        ticked = Qt.CheckState(value) == Qt.CheckState.Checked
        self._ticked(self.ticks | {name} if ticked else self.ticks - {name})
        return True

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if self.rows is None or not index.isValid():
            return None
        row, column = self.order[index.row()], Column(index.column())
        if role == Qt.ItemDataRole.DisplayRole:
            return self.rows.text(row, column)
        if role == Qt.ItemDataRole.CheckStateRole and column is Column.KEEP:
            ticked = self.rows.names[row] in self.ticks
            return Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignLeft if column in WORDS else Qt.AlignmentFlag.AlignRight
            return side | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.ToolTipRole:
            return self.rows.tip(row, column) or HEADINGS[column][1]
        if role == Qt.ItemDataRole.AccessibleTextRole and column is Column.KEEP:
            return f"keep {self.rows.names[row]} in float"
        if role == SHARE and column is Column.HEADS:
            value = self.rows.heads(row)
            return value / self.rows.most if value is not None and self.rows.most else None
        if role == Qt.ItemDataRole.ForegroundRole:
            if column is Column.NOISE and self.rows.broken(row):
                return self._theme.color("warning")
            if not self.rows.error(row).layer.is_int8:
                return self._theme.color("faint")
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        column = Column(section)
        heading, tip = HEADINGS[column]
        if role == Qt.ItemDataRole.DisplayRole:
            if column is not self.column:
                return heading
            mark = "▾" if self.falling else "▴"
            return f"{heading} {mark}" if column in WORDS else f"{mark} {heading}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignLeft if column in WORDS else Qt.AlignmentFlag.AlignRight
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def _arrange(self) -> None:
        self.beginResetModel()
        self.order = (
            [] if self.rows is None else self.rows.order(self.column, falling=self.falling, ticks=self.ticks)
        )
        self.endResetModel()


class BarDelegate(QStyledItemDelegate):
    """Draws a bar behind the figure, from the left; its colour is the theme's of what is lost."""

    NUMBER = 64
    """Pixels at the right that are the figure's."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = DARK

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        super().paint(painter, option, index)
        part = index.data(SHARE)
        if not part:
            return
        room = option.rect.adjusted(6, 4, -self.NUMBER, -4)
        if room.width() > 4:
            width = max(2, round(room.width() * min(1.0, part)))
            painter.fillRect(QRect(room.left(), room.top(), width, room.height()), self.theme.color("missed"))
