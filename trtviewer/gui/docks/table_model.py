"""What the docks' tables have in common as Qt's models: headings with tips, sides by column, and ticks in the first one."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from trtviewer.gui.theme import DARK, Theme

Index = QModelIndex | QPersistentModelIndex
Headings = Mapping[int, tuple[str, str]]
"""By column, from 0 on: its title, and what it means."""
Role = Qt.ItemDataRole


class TableModel(QAbstractTableModel):
    """A subclass says how long it is (`length`) and what its cells have (`cell`).

    Args: words: the columns of words, which lie at the left; the others are numbers.
    """

    def __init__(self, headings: Headings, words: Container[int], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._headings, self._words = headings, words
        self._theme: Theme = DARK

    def length(self) -> int:
        """How many rows there are."""
        raise NotImplementedError

    def cell(self, row: int, column: int, role: int) -> Any:
        """What Qt asks of a cell that is there, but for its alignment."""
        raise NotImplementedError

    def heading(self, column: int) -> str:
        """The title as it is shown."""
        return self._headings[column][0]

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.layoutChanged.emit()

    def changed(self) -> None:
        """The cells have changed, and no row has come or gone."""
        if self.length():
            self.dataChanged.emit(self.index(0, 0), self.index(self.length() - 1, len(self._headings) - 1))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else self.length()

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self._headings)

    def data(self, index: Index, role: int = Role.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= self.length():
            return None
        if role == Role.TextAlignmentRole:
            return self._side(index.column())
        return self.cell(index.row(), index.column(), role)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Role.DisplayRole:
            return self.heading(section)
        if role == Role.ToolTipRole:
            return self._headings[section][1]
        return self._side(section) if role == Role.TextAlignmentRole else None

    def _side(self, column: int) -> Qt.AlignmentFlag:
        side = Qt.AlignmentFlag.AlignLeft if column in self._words else Qt.AlignmentFlag.AlignRight
        return side | Qt.AlignmentFlag.AlignVCenter


class TickModel(TableModel):
    """Its first column has a box for each row; a subclass says whose (`name_at`).

    Args: ticked: told the new set of names when the user changes one; the model shows what `set_ticks` says.
    """

    def __init__(
        self,
        headings: Headings,
        words: Container[int],
        ticked: Callable[[frozenset[str]], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(headings, words, parent)
        self._ticked = ticked
        self.ticks: frozenset[str] = frozenset()

    def name_at(self, row: int) -> str:
        """Whose box a row has."""
        raise NotImplementedError

    def set_ticks(self, ticks: frozenset[str]) -> None:
        if ticks != self.ticks:
            self.ticks = ticks
            self.changed()

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsUserCheckable if index.isValid() and index.column() == 0 else flags

    def data(self, index: Index, role: int = Role.DisplayRole) -> Any:
        if index.isValid() and index.column() == 0 and index.row() < self.length():
            name = self.name_at(index.row())
            if role == Role.CheckStateRole:
                return Qt.CheckState.Checked if name in self.ticks else Qt.CheckState.Unchecked
            if role == Role.AccessibleTextRole:
                return f"keep {name} in float"
        return super().data(index, role)

    def setData(self, index: Index, value: Any, role: int = Role.EditRole) -> bool:
        if role != Role.CheckStateRole or not index.isValid() or index.column() != 0:
            return False
        name = self.name_at(index.row())
        checked = Qt.CheckState(value) == Qt.CheckState.Checked
        self._ticked(self.ticks | {name} if checked else self.ticks - {name})
        return True
