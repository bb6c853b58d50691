"""The one QApplication: a guard against a broken Qt, and how the process is set up for it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QApplication

from trtviewer import __version__
from trtviewer.errors import MissingRuntime
from trtviewer.gui.program_icon import program_icon

GUARD_EMITS = 50
_MALLOC_OPTIONS = ((-3, 1 << 20), (-1, 32 << 20), (-8, 4))
"""M_MMAP_THRESHOLD, M_TRIM_THRESHOLD and M_ARENA_MAX of glibc's malloc.h."""


class _Emitter(QObject):
    fired = Signal()


def check_pyside() -> None:
    """Refuses a PySide6 that loses references to True and None (6.12.0 on Python 3.11): it would abort within seconds.

    Raises: MissingRuntime: with the cure.
    """
    emitter = _Emitter()
    before = sys.getrefcount(True)
    for _ in range(GUARD_EMITS):
        emitter.fired.emit()
    if before - sys.getrefcount(True) >= GUARD_EMITS // 2:
        raise MissingRuntime(
            "this PySide6 loses references on this Python and would crash",
            advice="pip install 'PySide6-Essentials!=6.12.0', or use Python 3.12",
        )


def _give_memory_back() -> None:
    """Lets glibc return large buffers at once and keep few arenas.

    By default the first freed frame raises the threshold under which buffers stay in the heap of the thread that made them;
    with threads that come and go the process then grows by hundreds of megabytes that nobody holds.
    """
    if sys.platform != "linux":
        return
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for option, value in _MALLOC_OPTIONS:
            mallopt(option, value)


def make_application(arguments: Sequence[str]) -> QApplication:
    """The one QApplication, checked and set up."""
    check_pyside()
    # Worker threads run Python between their native calls; a short interval keeps the GUI thread from waiting for them.
    sys.setswitchinterval(0.0005)
    _give_memory_back()
    QApplication.setApplicationName("trtviewer")
    QApplication.setApplicationVersion(__version__)
    QApplication.setDesktopFileName("trtviewer")
    application = QApplication.instance() or QApplication(list(arguments))
    application.setWindowIcon(program_icon())
    application.setStyle("Fusion")
    application.setAttribute(Qt.ApplicationAttribute.AA_DontShowIconsInMenus)
    return application
