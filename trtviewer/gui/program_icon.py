"""The program's own icon, for the window, the task bar and the About page."""

from __future__ import annotations

from PySide6.QtGui import QIcon

from trtviewer.resources import resource


def program_icon() -> QIcon:
    """Every size as it was drawn: up to 24 pixels it is another drawing, so nothing is scaled where it need not be."""
    made = QIcon()
    for path in sorted(resource("icons").glob("trtviewer-*.png")):
        made.addFile(str(path))
    return made
