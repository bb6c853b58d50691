"""Work for a dock off the GUI thread: the newest request is answered, older ones that nobody began are forgotten."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from trtviewer.gui.border import Border
from trtviewer.pipeline.handover import Closed, Latest
from trtviewer.pipeline.worker import Worker


@dataclass(frozen=True, slots=True)
class _Failure:
    error: Exception


class Newest(QObject):
    """One thread that turns requests into answers; started with the first request, stopped by `close`.

    Args:
        name: the thread's.
        work: runs on the thread; takes a frozen request, gives a frozen answer.

    Signals:
        answered(object): an answer, in the GUI thread; of several that came at once only the newest.
        failed(object): the exception that `work` raised, in the GUI thread; the thread goes on with the next request.
    """

    answered = Signal(object)
    failed = Signal(object)

    def __init__(self, name: str, work: Callable[[Any], Any], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._work = work
        self._requests: Latest[Any] = Latest()
        self._border = Border(self)
        self._border.arrived.connect(self._deliver)
        self._worker = Worker(name, self._run)
        self._started = False
        self._closed = False

    def ask(self, request: object) -> None:
        """Asks for work; replaces a request that has not been begun."""
        self._requests.put(request)
        if not self._started:
            self._started = True
            self._worker.start()

    def close(self) -> None:
        """Waits for the piece of work under way; nothing is answered any more. May be called twice."""
        self._closed = True
        self._worker.cancel()
        self._requests.close()
        self._worker.join()
        self._border.close()

    def _run(self, cancelled: threading.Event) -> None:
        while not cancelled.is_set():
            try:
                request = self._requests.wait()
            except Closed:
                return
            try:
                answer: object = self._work(request)
            except Exception as error:
                answer = _Failure(error)
            if not cancelled.is_set():
                self._border.publish(answer)

    def _deliver(self, answer: object) -> None:
        if self._closed:
            return
        if isinstance(answer, _Failure):
            self.failed.emit(answer.error)
        else:
            self.answered.emit(answer)


class Pace(QObject):
    """Lets something happen at most so often: the first time at once, then when the interval has passed.

    Signals:
        due(): now.
    """

    due = Signal()

    def __init__(self, parent: QObject | None = None, *, interval_ms: int = 100) -> None:
        super().__init__(parent)
        self._interval_ms = interval_ms
        self._last = float("-inf")
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._fire)

    def want(self) -> None:
        """Asks for `due`, now or as soon as the interval allows; asking again meanwhile changes nothing."""
        if self._timer.isActive():
            return
        wait_ms = self._interval_ms - (time.monotonic() - self._last) * 1000
        if wait_ms <= 0:
            self._fire()
        else:
            self._timer.start(max(1, round(wait_ms)))

    def stop(self) -> None:
        """Forgets what was asked for."""
        self._timer.stop()

    def _fire(self) -> None:
        self._last = time.monotonic()
        self.due.emit()
