"""The table of commands, and what is made from it."""

from __future__ import annotations

from collections import Counter

from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QScrollBar,
)

from trtviewer.gui.actions import ACTIONS
from trtviewer.gui.dialogs.shortcuts import ShortcutSheet
from trtviewer.gui.main_window import MainWindow


def test_that_no_key_and_no_name_is_used_twice() -> None:
    keys = Counter(QKeySequence(key).toString() for action in ACTIONS for key in action.keys)
    assert [key for key, count in keys.items() if count > 1] == []
    assert "" not in keys, "every key is one that Qt knows"
    names = Counter(action.id for action in ACTIONS)
    assert max(names.values()) == 1


def test_that_every_command_stands_in_a_menu_with_its_key(window: MainWindow) -> None:
    in_menus = {action for menu in window.menuBar().actions() for action in menu.menu().actions()}
    for entry in ACTIONS:
        action = window.actions_by_id[entry.id]
        assert action in in_menus, entry.id
        assert [key.toString() for key in action.shortcuts()] == [
            QKeySequence(key).toString() for key in entry.keys
        ]


def test_that_every_control_has_a_name(window: MainWindow) -> None:
    unnamed = [
        widget
        for kind in (QAbstractButton, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit)
        for widget in window.centralWidget().findChildren(kind) + window.panel.findChildren(kind)
        if not widget.objectName()
        and not isinstance(widget, QScrollBar)
        and not isinstance(widget.parent(), QLineEdit)  # Qt's own button that clears a field
    ]
    assert unnamed == []


def test_that_the_sheet_lists_every_key(window: MainWindow, qtbot) -> None:
    sheet = ShortcutSheet(window)
    qtbot.addWidget(sheet)
    said = " ".join(label.text() for label in sheet.findChildren(QLabel))
    for entry in ACTIONS:
        if entry.keys and entry.in_sheet and not entry.id.startswith("candidate."):
            assert entry.name in said


def test_that_the_shortcut_sheet_cuts_no_words_on_a_small_screen(window: MainWindow, qtbot) -> None:
    sheet = ShortcutSheet(window)
    qtbot.addWidget(sheet)
    sheet.show()
    qtbot.waitExposed(sheet)
    assert sheet.width() <= 1280
    assert sheet.height() <= 740
    for label in sheet.findChildren(QLabel):
        assert label.width() >= label.sizeHint().width(), label.text()
        assert label.height() >= label.sizeHint().height(), label.text()
