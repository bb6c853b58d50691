"""The window as a program: the last net for errors, Ctrl-C, and a clean end."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSocketNotifier, QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from trtviewer.errors import Cancelled
from trtviewer.gui.application import make_application
from trtviewer.gui.display import answering_display
from trtviewer.places import config_folder

if TYPE_CHECKING:
    from trtviewer.gui.main_window import MainWindow


class LastNet:
    """Takes what nobody caught: logs it whole and shows one banner, however often it comes."""

    def __init__(self) -> None:
        self._window: object = None

    def install(self) -> None:
        sys.excepthook = self._caught
        threading.excepthook = lambda args: self._caught(args.exc_type, args.exc_value, args.exc_traceback)

    def watch(self, window: object) -> None:
        self._window = window

    def remove(self) -> None:
        sys.excepthook = sys.__excepthook__
        threading.excepthook = threading.__excepthook__

    def _caught(
        self, kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or issubclass(kind, KeyboardInterrupt | SystemExit):
            QApplication.quit()
            return
        from trtviewer.gui.engine.engine import problem_of

        problem = problem_of(error, "window")
        window = self._window
        if window is not None:
            # From any thread: the view model is touched in the GUI thread only.
            QTimer.singleShot(0, window, lambda: window.view_model.add_problem(problem))


def _qt_message(kind: QtMsgType, context: object, message: str) -> None:
    level = {
        QtMsgType.QtDebugMsg: logging.DEBUG,
        QtMsgType.QtInfoMsg: logging.INFO,
        QtMsgType.QtWarningMsg: logging.WARNING,
    }.get(kind, logging.ERROR)
    logging.getLogger("qt").log(level, message)


class Interrupt(QObject):
    """Lets Ctrl-C end the window: Python's handler runs only when Python does, so a byte on a socket wakes it."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        import socket

        self._window = window

        self._near, self._far = socket.socketpair()
        self._near.setblocking(False)
        self._far.setblocking(False)
        self._old_fd = signal.set_wakeup_fd(self._far.fileno())
        self._old = signal.signal(signal.SIGINT, self._interrupted)
        self.happened = False
        self._notifier = QSocketNotifier(self._near.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(lambda *_: self._near.recv(64))

    def _interrupted(self, *_: object) -> None:
        self.happened = True
        self._window.unsaved.asks = False  # whoever ends it from a terminal is not at the window
        QApplication.closeAllWindows()

    def close(self) -> None:
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(self._old_fd)
        signal.signal(signal.SIGINT, self._old)
        self._near.close()
        self._far.close()


def view(
    reference: Path | None = None,
    candidates: Sequence[Path] = (),
    source: str | None = None,
    session: Path | None = None,
    files: Sequence[Path] = (),
    *,
    demo: bool = False,
) -> int:
    """Opens the window, with the bundled demo or with what is given, and runs until it is closed. Returns: the exit status."""
    with answering_display():
        application = make_application(sys.argv[:1])
    qInstallMessageHandler(_qt_message)
    net = LastNet()
    net.install()
    from trtviewer.gui.demo import demo_opener
    from trtviewer.gui.first_frame import note_first_frame
    from trtviewer.gui.main_window import MainWindow
    from trtviewer.gui.preferences import PreferencesFile

    open_demo = demo_opener()
    window = MainWindow(PreferencesFile(config_folder() / "window.json"), open_demo)
    net.watch(window)
    note_first_frame(window)
    interrupt = Interrupt(window)
    window.show()
    QTimer.singleShot(0, lambda: _open(window, reference, candidates, source, session, files))
    if demo and open_demo is not None:
        QTimer.singleShot(0, lambda: open_demo(window))
    try:
        status = application.exec()
        return Cancelled.exit_status if interrupt.happened else status
    finally:
        window.shut_down()
        interrupt.close()
        net.remove()
        qInstallMessageHandler(None)


def picture(reference: Path, candidates: Sequence[Path], source: str, frame_index: int, path: Path) -> None:
    """Writes a PNG of the window on one frame, with no display (`screenshot.save_screenshot`)."""
    from trtviewer.gui.screenshot import save_screenshot

    save_screenshot(reference, candidates, source, frame_index, path)


def _open(
    window: object,
    reference: Path | None,
    candidates: Sequence[Path],
    source: str | None,
    session: Path | None,
    files: Sequence[Path],
) -> None:
    engine = window.engine
    if session is not None:
        window.open_session(session)
    if reference is not None:
        engine.open_reference(reference)
    for index, path in enumerate(candidates):
        engine.add_candidate(path, show=index == 0)
    if source is not None:
        engine.open_source(source)
    if files:
        engine.open_paths(files)
