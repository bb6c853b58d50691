"""The layers of one lost object as Qt's table model, with the same ticks as the table of all layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from trtviewer.gui.docks.layer_model import ROLE, SHARE
from trtviewer.gui.docks.object_rows import HEADINGS, Column, ObjectRows

Index = QModelIndex | QPersistentModelIndex
LEFT = frozenset({Column.KEEP, Column.LAYER})


class ObjectModel(QAbstractTableModel):
    """The most to blame first.

    Args: ticked: told the new set of ticks when the user changes one; the model shows what `set_ticks` says.
    """

    def __init__(self, ticked: Callable[[frozenset[str]], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._ticked = ticked
        self.rows: ObjectRows | None = None
        self.ticks: frozenset[str] = frozenset()

    def show(self, rows: ObjectRows | None) -> None:
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def set_ticks(self, ticks: frozenset[str]) -> None:
        if ticks != self.ticks:
            self.ticks = ticks
            if self.rowCount():
                self.dataChanged.emit(self.index(0, 0), self.index(self.rowCount() - 1, 0))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() or self.rows is None else len(self.rows)

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
        name = self.rows.names[index.row()]
        ticked = Qt.CheckState(value) == Qt.CheckState.Checked
        self._ticked(self.ticks | {name} if ticked else self.ticks - {name})
        return True

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if self.rows is None or not index.isValid():
            return None
        row, column = index.row(), Column(index.column())
        if role == Qt.ItemDataRole.DisplayRole:
            return self.rows.text(row, column)
        if role == Qt.ItemDataRole.CheckStateRole and column is Column.KEEP:
            ticked = self.rows.names[row] in self.ticks
            return Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignLeft if column in LEFT else Qt.AlignmentFlag.AlignRight
            return side | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.ToolTipRole:
            return HEADINGS[column][1]
        shift = self.rows.layers[row].score_shift
        if role == SHARE and column is Column.SCORE and shift is not None and self.rows.most:
            return abs(shift) / self.rows.most
        if role == ROLE and column is Column.SCORE and shift is not None:
            return "missed" if shift < 0 else "matched"
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        column = Column(section)
        if role == Qt.ItemDataRole.DisplayRole:
            return HEADINGS[column][0]
        if role == Qt.ItemDataRole.ToolTipRole:
            return HEADINGS[column][1]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignLeft if column in LEFT else Qt.AlignmentFlag.AlignRight
            return side | Qt.AlignmentFlag.AlignVCenter
        return None
