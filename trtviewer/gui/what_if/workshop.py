"""One long work at a time on a thread of its own, with its progress, its cancel and its error; whoever asks twice is told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from PySide6.QtCore import QObject

from trtviewer.errors import Cancelled
from trtviewer.gui.border import Border, QueueBorder
from trtviewer.gui.engine.engine import problem_of
from trtviewer.gui.engine.pace import Pace
from trtviewer.gui.view_model import Progress, ViewModel
from trtviewer.gui.what_if.state import TASK
from trtviewer.models.spec import ModelSpec


class Workshop(QObject):
    """Lives in the GUI thread. A subclass starts works by `_start`; on the thread they use `_tell` and `_give`."""

    def __init__(self, view_model: ViewModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._model = view_model
        self._state = view_model.what_if
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="what-if")
        self._events = QueueBorder(self)
        self._events.arrived.connect(lambda event: event())
        self._progress = Border(self)
        self._progress.arrived.connect(lambda event: event())
        self._cancelled = threading.Event()
        self._generation = 0
        self._work_generation = 0
        self._title = ""
        self._pace = Pace()
        self._closed = False

    def stop(self) -> None:
        """Asks the work under way to end; what it has so far is kept."""
        self._cancelled.set()

    def close(self) -> None:
        """Ends the thread; nothing reaches the view model afterwards. May be called twice."""
        if self._closed:
            return
        self._closed = True
        self._cancelled.set()
        self._events.close()
        self._progress.close()
        self._thread.shutdown()

    def _specs(self) -> tuple[ModelSpec | None, ModelSpec | None]:
        """The reference and the shown candidate, as far as they are open."""
        models = self._model.models
        return tuple(
            entry.spec if entry is not None else None for entry in (models.reference, models.candidate)
        )  # type: ignore[return-value]

    def _forget_work(self) -> None:
        """Ends the work under way, and whatever it still gives is for nobody: what it is about is no longer open."""
        self._generation += 1
        self._cancelled.set()

    def _give(self, event: Callable[[], object]) -> None:
        """From a work: calls `event` in the GUI thread, unless the work was forgotten meanwhile."""
        generation = self._work_generation
        self._events.publish(lambda: event() if generation == self._generation else None)

    def _start(self, place: str, title: str, work: Callable[[], None]) -> None:
        if self._closed:
            return
        if self._state.running:
            self._model.set_status(f"Still at work: {self._state.running}.")
            return
        self._model.clear_problems(place)
        self._cancelled = threading.Event()
        self._work_generation = self._generation
        self._pace, self._title = Pace(), ""
        self._state.set_running(title)
        self._show_progress(title, 0, 0)

        def guarded() -> None:
            try:
                work()
            except Exception as error:
                self._fail(error, place)
            finally:
                self._events.publish(self._ended)

        self._thread.submit(guarded)

    def _ended(self) -> None:
        self._model.end_progress(TASK)
        self._state.set_running("")

    def _fail(self, error: Exception, place: str) -> None:
        if isinstance(error, Cancelled):
            self._events.publish(lambda: self._model.set_status("Stopped."))
            return
        problem = problem_of(error, place)
        self._events.publish(lambda: self._model.add_problem(problem))

    def _tell(self, title: str, done: int, total: int) -> None:
        if title != self._title:
            self._pace, self._title = Pace(), title
        left = self._pace.left_s(done / total) if total else None
        self._progress.publish(lambda: self._show_progress(title, done, total, left))

    def _show_progress(self, title: str, done: int, total: int, left_s: float | None = None) -> None:
        if self._state.running:
            self._model.set_progress(Progress(TASK, title, done, total or None, left_s, self.stop))
