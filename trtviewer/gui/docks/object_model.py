"""The layers of one lost object as Qt's table model, with the same ticks as the table of all layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject

from trtviewer.gui.docks.bar_delegate import COLOUR, SHARE
from trtviewer.gui.docks.object_rows import HEADINGS, Column, ObjectRows
from trtviewer.gui.docks.table_model import Role, TickModel

_WORDS = frozenset({Column.KEEP, Column.LAYER})


class ObjectModel(TickModel):
    """The most to blame first."""

    def __init__(self, ticked: Callable[[frozenset[str]], None], parent: QObject | None = None) -> None:
        super().__init__(HEADINGS, _WORDS, ticked, parent)
        self.rows: ObjectRows | None = None

    def show(self, rows: ObjectRows | None) -> None:
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def length(self) -> int:
        return 0 if self.rows is None else len(self.rows)

    def name_at(self, row: int) -> str:
        assert self.rows is not None
        return self.rows.names[row]

    def cell(self, row: int, column: int, role: int) -> Any:
        assert self.rows is not None
        if role == Role.DisplayRole:
            return self.rows.text(row, Column(column))
        if role == Role.ToolTipRole:
            return HEADINGS[Column(column)][1]
        shift = self.rows.layers[row].score_shift
        if column != Column.SCORE or shift is None:
            return None
        if role == SHARE:
            return abs(shift) / self.rows.most if self.rows.most else None
        return ("missed" if shift < 0 else "matched") if role == COLOUR else None
