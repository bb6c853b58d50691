"""Tables as the docks have them: rows that are chosen whole, close together, with digits of one width."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtCore import QAbstractItemModel, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from trtviewer.gui.docks.figures import tabular
from trtviewer.gui.theme import Theme

ROW_GAP = 4
CELL_MARGIN = 11
"""Pixels of a cell that its text cannot have."""
_SHEET = """
QTableView::item {{ padding: 0 2px; border: none; }}
QTableView::indicator {{ width: 11px; height: 11px; border: 1px solid {control}; border-radius: 3px; background: {background}; }}
QTableView::indicator:checked {{ background: {accent}; border-color: {accent}; }}
QTableView::indicator:selected {{ background: transparent; border-color: {on_accent}; }}
QTableView::indicator:checked:selected {{ background: {on_accent}; border-color: {on_accent}; }}
QHeaderView::section {{ padding: 3px 4px; }}
QHeaderView::up-arrow, QHeaderView::down-arrow {{ image: none; width: 0; height: 0; }}
"""

View = TypeVar("View", bound=QTableView)


class TickTable(QTableView):
    """The space bar ticks the row that the cursor stands on, whichever its column; the first column has the boxes."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index = self.currentIndex()
        if event.key() == Qt.Key.Key_Space and index.isValid():
            box = index.siblingAtColumn(0)
            ticked = Qt.CheckState(box.data(Qt.ItemDataRole.CheckStateRole)) == Qt.CheckState.Checked
            state = Qt.CheckState.Unchecked if ticked else Qt.CheckState.Checked
            self.model().setData(box, state, Qt.ItemDataRole.CheckStateRole)
            return
        super().keyPressEvent(event)


def prepared(view: View, name: str, model: QAbstractItemModel, stretched: int) -> View:
    """The view with that model and object name, set up as all are; column `stretched` takes what is left."""
    view.setObjectName(name)
    view.setModel(model)
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    view.setTabKeyNavigation(False)
    view.setAlternatingRowColors(True)
    view.setShowGrid(False)
    view.setWordWrap(False)
    view.setTextElideMode(Qt.TextElideMode.ElideMiddle)
    tabular(view)
    vertical, horizontal = view.verticalHeader(), view.horizontalHeader()
    vertical.setVisible(False)
    vertical.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    vertical.setMinimumSectionSize(16)
    vertical.setDefaultSectionSize(view.fontMetrics().height() + ROW_GAP)
    horizontal.setHighlightSections(False)
    horizontal.setStretchLastSection(False)
    horizontal.setSectionResizeMode(stretched, QHeaderView.ResizeMode.Stretch)
    return view


def set_widths(view: QTableView, longest: dict[int, str]) -> None:
    """Makes each column as wide as its longest text needs."""
    metrics = view.fontMetrics()
    for column, text in longest.items():
        view.setColumnWidth(column, metrics.horizontalAdvance(text) + CELL_MARGIN)


def sheet(theme: Theme) -> str:
    """The tables' style sheet in a theme's colours."""
    return _SHEET.format(
        control=theme.control, background=theme.background, accent=theme.accent, on_accent=theme.on_accent
    )
