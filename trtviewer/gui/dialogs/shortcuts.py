"""The sheet of all keys, made from the table of actions."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from trtviewer.gui.actions import ACTIONS, Action, Menu

MOUSE = (
    ("Wheel", "Zooms both panes where the mouse stands"),
    ("Drag", "Moves both pictures, or the divider of the split"),
    ("Double click", "Fits the whole frame; on a threshold's name: its default"),
    ("Shift and drag", "On the timeline: the range that repeats"),
)


class ShortcutSheet(QDialog):
    """Closes with Escape, or with the key that opened it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("shortcuts")
        self.setWindowTitle("Shortcuts")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        columns = QHBoxLayout(self)
        columns.setContentsMargins(24, 16, 24, 20)
        columns.setSpacing(32)
        for menus in ((Menu.FILE, Menu.COMPARE), (Menu.VIEW,), (Menu.PLAY, Menu.HELP)):
            column = QVBoxLayout()
            column.setSpacing(6)
            for menu in menus:
                rows = [
                    action for action in ACTIONS if action.menu is menu and action.keys and action.in_sheet
                ]
                self._section(column, menu.replace("&", ""), [(_keys(row), _words(row)) for row in rows])
            if Menu.HELP in menus:
                self._section(column, "Mouse", list(MOUSE))
            column.addStretch(1)
            columns.addLayout(column)

    def _section(self, column: QVBoxLayout, title: str, rows: list[tuple[str, str]]) -> None:
        head = QLabel(title, self)
        head.setProperty("role", "heading")
        column.addSpacing(6)
        column.addWidget(head)
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(3)
        grid.setColumnStretch(1, 1)
        for row, (keys, words) in enumerate(rows):
            key = QLabel(keys, self)
            key.setProperty("role", "chip")
            text = QLabel(words, self)
            text.setProperty("role", "faint")
            grid.addWidget(key, row, 0, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
            grid.addWidget(text, row, 1)
        column.addLayout(grid)


def _words(action: Action) -> str:
    """The title, not the sentence of its tip: every key is to be seen at once."""
    if action.id == "candidate.1":
        return "Show candidate 1 to 9"
    return action.name


def _keys(action: Action) -> str:
    if action.id == "candidate.1":
        return "1 … 9"
    return QKeySequence(action.keys[0]).toString(QKeySequence.SequenceFormat.NativeText)
