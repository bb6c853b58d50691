"""The disagreements as Qt's table model: text is made for the cells in sight only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from trtviewer.compare.matched_video import MISSED, DisagreementTable
from trtviewer.compare.matching import Reason
from trtviewer.gui.docks.disagreement_rows import (
    HEADINGS,
    REASON_TIPS,
    Column,
    Filter,
    ordered,
    passing,
    text_of,
)
from trtviewer.gui.theme import DARK, Theme

Index = QModelIndex | QPersistentModelIndex

WORDS = frozenset({Column.KIND, Column.REASON, Column.CLASS, Column.SIZE})
"""Columns of words, aligned to the left; numbers are aligned to the right."""

_WITH_NAN = frozenset({"other_score", "iou", "cell_error"})
_NO_ROWS: NDArray[np.intp] = np.zeros(0, np.intp)


class DisagreementModel(QAbstractTableModel):
    """Rows that pass the filter, sorted; `rows` maps a row of the view to a row of the table."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.table: DisagreementTable | None = None
        self.class_names: tuple[str, ...] = ()
        self.rows = _NO_ROWS
        self.filter = Filter()
        self.column = Column.FRAME
        self.falling = False
        self._theme: Theme = DARK

    def show(self, table: DisagreementTable | None, class_names: tuple[str, ...]) -> None:
        """Shows another table, filtered and sorted as before; rows that only came to the end are inserted there, so that
        the view has nothing to paint again."""
        before, longer = self.rows, _goes_on(self.table, table) and class_names == self.class_names
        self.table, self.class_names = table, class_names
        rows = self._arranged()
        if longer and len(rows) > len(before) and np.array_equal(rows[: len(before)], before):
            self.beginInsertRows(QModelIndex(), len(before), len(rows) - 1)
            self.rows = rows
            self.endInsertRows()
        elif not (longer and np.array_equal(rows, before)):
            self._replace(rows)

    def set_filter(self, chosen: Filter) -> None:
        if chosen != self.filter:
            self.filter = chosen
            self._arrange()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.layoutChanged.emit()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self.column, self.falling = Column(max(0, column)), order == Qt.SortOrder.DescendingOrder
        self._arrange()
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(Column) - 1)

    def cell(self, index: Index) -> tuple[str, str]:
        """A cell's text, and the role of the theme that colours it."""
        assert self.table is not None
        row, column = int(self.rows[index.row()]), Column(index.column())
        role = "text"
        if column is Column.KIND:
            role = "missed" if self.table.kind[row] == MISSED else "extra"
        return text_of(self.table, row, column, self.class_names), role

    @property
    def theme(self) -> Theme:
        """The colours of now."""
        return self._theme

    def row_of(self, table_row: int) -> int:
        """Where a row of the table is shown; -1 where the filter hides it."""
        found = np.flatnonzero(self.rows == table_row)
        return int(found[0]) if len(found) else -1

    def find(self, frame_index: int, xyxy: tuple[float, float, float, float], kind: int | None = None) -> int:
        """The table's row of that box; -1 where there is none."""
        if self.table is None:
            return -1
        same = (self.table.frame_index == frame_index) & (
            np.abs(self.table.xyxy - np.array(xyxy, np.float32)) < 0.5
        ).all(axis=1)
        if kind is not None:
            same &= self.table.kind == kind
        found = np.flatnonzero(same)
        return int(found[0]) if len(found) else -1

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(Column)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if self.table is None or not index.isValid():
            return None
        row, column = int(self.rows[index.row()]), Column(index.column())
        if role == Qt.ItemDataRole.DisplayRole:
            return self.cell(index)[0]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignLeft if column in WORDS else Qt.AlignmentFlag.AlignRight
            return side | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.ForegroundRole and column is Column.KIND:
            return self._theme.color(self.cell(index)[1])
        if role == Qt.ItemDataRole.ToolTipRole and column is Column.REASON:
            return REASON_TIPS[Reason(int(self.table.reason[row]))]
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        heading, tip = HEADINGS[Column(section)]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._marked(Column(section), heading)
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignLeft if Column(section) in WORDS else Qt.AlignmentFlag.AlignRight
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def _marked(self, column: Column, heading: str) -> str:
        """The heading, with a mark on its inner side where the table is sorted by it."""
        if column is not self.column:
            return heading
        mark = "▾" if self.falling else "▴"
        return f"{heading} {mark}" if column in WORDS else f"{mark} {heading}"

    def _arrange(self) -> None:
        self._replace(self._arranged())

    def _arranged(self) -> NDArray[np.intp]:
        if self.table is None:
            return _NO_ROWS
        rows = np.flatnonzero(passing(self.table, self.filter, self.class_names))
        return ordered(self.table, rows, self.column, self.class_names, falling=self.falling)

    def _replace(self, rows: NDArray[np.intp]) -> None:
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()


def _goes_on(old: DisagreementTable | None, new: DisagreementTable | None) -> bool:
    """Whether the new table begins with all of the old one, as that of an analysis under way does."""
    if old is None or new is None or len(new) < len(old):
        return False
    return all(
        np.array_equal(getattr(new, name)[: len(old)], getattr(old, name), equal_nan=name in _WITH_NAN)
        for name in DisagreementTable.__slots__
    )
