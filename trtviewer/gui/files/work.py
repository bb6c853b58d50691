"""A file that takes long to make: one thread, its progress with a cancel, and its end in the window's own places."""

from __future__ import annotations

import threading
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from trtviewer.errors import Cancelled
from trtviewer.gui.border import Border, QueueBorder
from trtviewer.gui.engine.pace import Pace
from trtviewer.gui.problems import problem_of
from trtviewer.gui.view_model import Problem, Progress, ViewModel
from trtviewer.pipeline.worker import Worker

Tell = Callable[[str, int, int | None], None]
"""Takes what is being done, how much of it is done, and how much it is in all where that is known."""

Work = Callable[[Tell, Callable[[], bool]], str | Problem]
"""Makes the file, whole or not at all; `(tell, cancelled)` to a sentence for the status line, or to a banner with one that
lets the user go on with what was made. Raises Cancelled, and its errors."""


class FileWork(QObject):
    """Makes one file at a time.

    Args:
        task: names its progress and its banner.

    Signals:
        finished(): the work has ended, well or not; its thread is joined.
    """

    finished = Signal()

    def __init__(self, task: str, view_model: ViewModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._task = task
        self._view_model = view_model
        self._worker: Worker | None = None
        self._title = ""
        self._again: Callable[[], None] | None = None
        self._steps = Border(self)
        self._steps.arrived.connect(lambda step: self._show_progress(*step))
        self._ends = QueueBorder(self)
        self._ends.arrived.connect(self._end)
        self._pace = Pace()

    @property
    def running(self) -> bool:
        return self._worker is not None

    def start(self, title: str, work: Work) -> None:
        """Begins; a second one while one is running is refused with a sentence. Args: title: "Writing report.html"."""
        if self.running:
            self._view_model.set_status(f"Still at work: {self._title}. Wait for it, or cancel it.")
            return
        self._view_model.clear_problems(self._task)
        self._title, self._pace = title, Pace()
        self._again = lambda: self.start(title, work)

        def guarded(cancelled: threading.Event) -> None:
            def tell(words: str, done: int, total: int | None) -> None:
                self._steps.publish((words, done, total))

            try:
                self._ends.publish(work(tell, cancelled.is_set))
            except Exception as error:
                self._ends.publish(error)

        self._worker = Worker(self._task, guarded).start()
        self._show_progress("", 0, None)

    def cancel(self) -> None:
        """Asks it to stop; nothing is left behind."""
        if self._worker is not None:
            self._worker.cancel()

    def close(self) -> None:
        """Cancels what runs and waits for it; may be called twice."""
        self.cancel()
        self._steps.close()
        self._ends.close()
        if self._worker is not None:
            self._worker.join()
            self._worker = None

    def _show_progress(self, words: str, done: int, total: int | None) -> None:
        if not self.running:
            return
        title = f"{self._title}: {words}" if words else self._title
        left = self._pace.left_s(done / total) if total else None
        self._view_model.set_progress(Progress(self._task, title, done, total, left, self.cancel))

    def _end(self, result: object) -> None:
        assert self._worker is not None
        self._worker.join()
        self._worker = None
        self._view_model.end_progress(self._task)
        if isinstance(result, Cancelled):
            self._view_model.set_status(f"{self._title}: cancelled; nothing was written.")
        elif isinstance(result, Exception):
            self._view_model.add_problem(problem_of(result, self._task, self._again))
        elif isinstance(result, Problem):
            self._view_model.set_status(result.what)
            self._view_model.add_problem(result)
        else:
            self._view_model.set_status(str(result))
        self.finished.emit()
