"""The table's looks: its columns, its headings, and the keys that are its own."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QMouseEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from trtviewer.gui.docks.disagreement_model import WORDS, DisagreementModel, Index
from trtviewer.gui.docks.disagreement_rows import Column
from trtviewer.gui.docks.figures import tabular

_WIDTHS = {
    Column.FRAME: 7,
    Column.KIND: 7,
    Column.REASON: 14,
    Column.CLASS: 12,
    Column.SIZE: 8,
    Column.STRIDE: 7,
    Column.REFERENCE_SCORE: 10,
    Column.CANDIDATE_SCORE: 10,
    Column.IOU: 5,
    Column.CELL_ERROR: 11,
}
"""Widths of the columns, in digits."""


_SHEET = """
QHeaderView::section { padding: 4px 8px; }
QHeaderView::up-arrow, QHeaderView::down-arrow { image: none; width: 0; height: 0; }
"""
"""The headings themselves mark the sorted column, in the text's size."""

PAD = 8
"""Pixels between a cell's edge and its text, as in the headings."""


class CellPainter(QStyledItemDelegate):
    """Paints a cell with one call to the model: the style's own way asks for ten roles of each."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        assert isinstance(model, DisagreementModel)
        text, role = model.cell(index)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        rect = option.rect
        if chosen:
            painter.fillRect(rect, model.theme.color("accent"))
        painter.setPen(model.theme.color("on_accent" if chosen else role))
        column = Column(index.column())
        side = Qt.AlignmentFlag.AlignLeft if column in WORDS else Qt.AlignmentFlag.AlignRight
        place = rect.adjusted(PAD, 0, -PAD, 0)
        if column is Column.CLASS:
            text = option.fontMetrics.elidedText(text, Qt.TextElideMode.ElideRight, place.width())
        painter.drawText(place, side | Qt.AlignmentFlag.AlignVCenter, text)


class DisagreementView(QTableView):
    """Sorted by its headings. It asks its owner to copy, instead of copying the one cell that the cursor stands on.

    Signals:
        copy_wanted(): the user pressed the keys for copying.
        press_began(): before the press moves the cursor.
    """

    copy_wanted = Signal()
    press_began = Signal()

    def __init__(self, model: DisagreementModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("disagreements.table")
        self.setModel(model)
        self.setItemDelegate(CellPainter(self))
        self.setSortingEnabled(True)
        self.sortByColumn(Column.FRAME, Qt.SortOrder.AscendingOrder)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerItem)
        tabular(self)
        self.setStyleSheet(_SHEET)
        digit = self.fontMetrics().horizontalAdvance("0")
        vertical, horizontal = self.verticalHeader(), self.horizontalHeader()
        vertical.setVisible(False)
        vertical.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        vertical.setMinimumSectionSize(16)
        vertical.setDefaultSectionSize(self.fontMetrics().height() + 4)
        horizontal.setHighlightSections(False)
        horizontal.setStretchLastSection(False)
        horizontal.setSectionResizeMode(Column.CLASS, QHeaderView.ResizeMode.Stretch)
        for column, digits in _WIDTHS.items():
            self.setColumnWidth(column, digits * digit + 16)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.press_began.emit()
        super().mousePressEvent(event)

    def event(self, event: QEvent) -> bool:
        # The window has the same key for the picture: while the table has the focus, the key is the table's.
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.matches(QKeySequence.StandardKey.Copy)
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_wanted.emit()
        else:
            super().keyPressEvent(event)
