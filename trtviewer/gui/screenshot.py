"""One picture of the real window, with no display: for reports and documentation."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QEventLoop, QTimer

from trtviewer.atomic import whole_file
from trtviewer.errors import BadInput, TrtviewerError
from trtviewer.gui.application import make_application
from trtviewer.gui.main_window import MainWindow
from trtviewer.gui.preferences import PreferencesFile

PATIENCE_MS = 60_000


def save_screenshot(
    reference: Path,
    candidates: Sequence[Path],
    source: str,
    frame_index: int,
    path: Path,
    *,
    size: tuple[int, int] = (1280, 800),
) -> None:
    """Opens the window, shows one frame of a comparison, and writes what is seen as a PNG.

    Args:
        size: width and height of the window, in pixels.

    Raises:
        BadInput: a model or the source cannot be opened, the picture cannot be written, or nothing was shown in a minute.
        MissingRuntime: Qt is not here.
    """
    application = make_application(["trtviewer", "-platform", "offscreen"])
    with tempfile.TemporaryDirectory() as folder:
        window = MainWindow(PreferencesFile(Path(folder) / "window.json"))
        try:
            window.resize(*size)
            window.show()
            window.engine.open_reference(reference)
            for index, candidate in enumerate(candidates):
                window.engine.add_candidate(candidate, show=index == 0)
            window.engine.open_source(source)
            _wait_for(window, frame_index)
            with whole_file(path) as temporary:
                if not window.grab().save(str(temporary), "PNG"):
                    raise BadInput("cannot be written as a picture", subject=path)
        finally:
            window.shut_down()
            window.deleteLater()
            application.processEvents()


def _wait_for(window: MainWindow, frame_index: int) -> None:
    """Runs the window until both panes have painted the frame. Raises: BadInput: it never did; the window's problem says why."""
    loop = QEventLoop()
    wanted: list[int] = []

    def look(_: object = None) -> None:
        comparison = window.view_model.comparison
        if window.view_model.problems:
            loop.quit()
        elif comparison is not None and window.view_model.models.candidate is not None:
            if not wanted:
                wanted.append(frame_index)
                window.requests.seek.emit(frame_index)
            elif comparison.frame.index == frame_index:
                # What is painted follows the comparison by one rendering.
                QTimer.singleShot(500, loop.quit)

    window.view_model.comparison_changed.connect(look)
    window.view_model.problems_changed.connect(look)
    patience = QTimer()
    patience.setSingleShot(True)
    patience.timeout.connect(loop.quit)
    patience.start(PATIENCE_MS)
    loop.exec()
    if window.view_model.problems:
        problem = window.view_model.problems[0]
        raise TrtviewerError(problem.what, subject=problem.subject, advice=problem.advice)
    if not patience.isActive():
        raise BadInput(f"frame {frame_index} was not shown within a minute", advice="see the log")
