"""The keys that a focused control uses itself, and that are no shortcuts while it has the focus."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QAbstractSlider, QComboBox, QTabBar


def wants(focused: QObject | None, event: QEvent) -> bool:
    """Whether the control that has the focus uses this key itself."""
    if not isinstance(event, QKeyEvent):
        return False
    key, plain = (
        event.key(),
        event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier),
    )
    if not plain:
        return False
    keys: Sequence[Qt.Key] = ()
    if isinstance(focused, QAbstractSlider):
        keys = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End)
    elif isinstance(focused, QAbstractItemView | QComboBox):
        keys = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_Space)
    elif isinstance(focused, QAbstractButton):
        keys = (Qt.Key.Key_Space,)
    elif isinstance(focused, QTabBar):
        keys = (Qt.Key.Key_Left, Qt.Key.Key_Right)
    return key in keys
