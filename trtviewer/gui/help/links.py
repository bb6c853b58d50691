"""What a link of the help opens in the window: a dock, a control in it, a threshold, or a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDockWidget, QWidget

from trtviewer.gui.help.text import SCHEME

if TYPE_CHECKING:
    from trtviewer.gui.main_window import MainWindow


def follow(window: MainWindow, link: str) -> str:
    """Opens what a link names: `trtviewer:DOCK`, `trtviewer:DOCK#CONTROL`, `trtviewer:#CONTROL` or `trtviewer:COMMAND`.

    Returns: a sentence: what was opened, or what it needs first.

    Raises: KeyError: the window has nothing of that name.
    """
    name, _, control = link.removeprefix(SCHEME).partition("#")
    if name in window.actions_by_id:
        return _give(window, window.actions_by_id[name])
    if not window.furnished:
        return "Open a model, a video or the demo first: docks and thresholds come with it."
    _to_front(window)
    opened = []
    if name:
        opened.append(_reveal(window, window.shelf.docks[name]))
    else:
        window.panel.show()
    if control:
        opened.append(_focus(window, control))
    return f"Opened {', '.join(opened)}."


def _give(window: MainWindow, action: QAction) -> str:
    title = action.text().replace("&", "").rstrip("…")
    if not action.isEnabled():
        return f"{title} needs two models and a video first; the demo brings them."
    _to_front(window)
    action.trigger()
    return f"{title}."


def _reveal(window: MainWindow, dock: QDockWidget) -> str:
    window.shelf.reveal(dock.objectName().removeprefix("dock."))
    return dock.windowTitle()


def _focus(window: MainWindow, name: str) -> str:
    """Puts the keyboard on a control, which shows it."""
    found = window.findChild(QWidget, name)
    if found is None:
        raise KeyError(name)
    found.setFocus(Qt.FocusReason.OtherFocusReason)
    return str(getattr(found, "text", lambda: "")() or name.replace("_", " "))


def _to_front(window: MainWindow) -> None:
    """The help may lie over what it speaks of."""
    window.raise_()
    window.activateWindow()
