"""Notes in the log when the first compared frame is on the screen: what a start is for, and what its time is measured by."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer

if TYPE_CHECKING:
    from trtviewer.gui.main_window import MainWindow
    from trtviewer.gui.panes.render import Rendered

_log = logging.getLogger(__name__)


def note_first_frame(window: MainWindow) -> None:
    """Watches until both sides of one frame are shown, once."""
    begun = time.perf_counter()

    def look(rendered: Rendered) -> None:
        if rendered.request.shown.comparison is None:
            return
        window.comparison.painted.disconnect(look)
        # The panes paint when the event loop comes round; what is queued behind that runs after it.
        QTimer.singleShot(0, lambda: _log.info("first compared frame after %.0f ms", _ms_since(begun)))

    window.comparison.painted.connect(look)


def _ms_since(begun: float) -> float:
    return 1000 * (time.perf_counter() - begun)
