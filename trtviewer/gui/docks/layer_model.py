"""The layers as Qt's table model, with a tick that keeps a layer in float."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Qt

from trtviewer.gui.docks.bar_delegate import SHARE
from trtviewer.gui.docks.layer_rows import HEADINGS, WORDS, Column, LayerRows
from trtviewer.gui.docks.table_model import Role, TickModel


class LayerModel(TickModel):
    """The rows of one measurement in some order; `order` maps a row of the view to a layer."""

    def __init__(self, ticked: Callable[[frozenset[str]], None], parent: QObject | None = None) -> None:
        super().__init__(HEADINGS, WORDS, ticked, parent)
        self.rows: LayerRows | None = None
        self.order: list[int] = []
        self.column: Column | None = Column.HEADS
        self.falling = True

    def show(self, rows: LayerRows | None) -> None:
        """Shows another measurement, in the same order."""
        self.rows = rows
        self._arrange()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """By a column; below 0 in the graph's order."""
        self.column = Column(column) if column >= 0 else None
        self.falling = order == Qt.SortOrder.DescendingOrder
        self._arrange()
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(Column) - 1)

    def length(self) -> int:
        return len(self.order)

    def name_at(self, row: int) -> str:
        return self._shown.names[self.order[row]]

    def heading(self, column: int) -> str:
        heading = super().heading(column)
        if column != self.column:
            return heading
        mark = "▾" if self.falling else "▴"
        return f"{heading} {mark}" if column in WORDS else f"{mark} {heading}"

    def cell(self, row: int, column: int, role: int) -> Any:
        rows, row, column = self._shown, self.order[row], Column(column)
        if role == Role.DisplayRole:
            return rows.text(row, column)
        if role == Role.ToolTipRole:
            return rows.tip(row, column) or HEADINGS[column][1]
        if role == SHARE and column is Column.HEADS:
            value = rows.heads(row)
            return value / rows.most if value is not None and rows.most else None
        if role == Role.ForegroundRole:
            if column is Column.NOISE and rows.broken(row):
                return self._theme.color("warning")
            if not rows.error(row).layer.is_int8:
                return self._theme.color("faint")
        return None

    @property
    def _shown(self) -> LayerRows:
        assert self.rows is not None, "no row is asked for while there are none"
        return self.rows

    def _arrange(self) -> None:
        self.beginResetModel()
        self.order = (
            [] if self.rows is None else self.rows.order(self.column, falling=self.falling, ticks=self.ticks)
        )
        self.endResetModel()
