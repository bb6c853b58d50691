"""Rows of words as Qt's table model: what the coach found."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject

from trtviewer.gui.docks.coach_rows import Row
from trtviewer.gui.docks.table_model import Headings, Role, TableModel


class RowModel(TableModel):
    """Shows rows as they are given; columns from `numbers` on are right-aligned."""

    def __init__(self, headings: Headings, numbers: int, parent: QObject | None = None) -> None:
        super().__init__(headings, range(numbers), parent)
        self.rows: list[Row] = []

    def show(self, rows: list[Row]) -> None:
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def length(self) -> int:
        return len(self.rows)

    def cell(self, row: int, column: int, role: int) -> Any:
        shown = self.rows[row]
        if role in (Role.DisplayRole, Role.ToolTipRole):
            return shown.cells[column]
        if role == Role.ForegroundRole and shown.bad and column > 0:
            return self._theme.color("warning")
        return None
