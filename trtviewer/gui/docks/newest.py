"""Work for a dock off the GUI thread: the newest request is answered, older ones that nobody began are forgotten."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal

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


APART_S = 0.025
"""How far apart two docks refresh: all of them at once would make one frame late ten times a second."""


class Pace(QObject):
    """Lets something happen at most so often: the first time at once, then when the interval has passed; and never right
    after another dock's turn.

    Signals:
        due(): now.
    """

    due = Signal()
    _last_of_any = float("-inf")

    def __init__(self, parent: QObject | None = None, *, interval_ms: int = 100) -> None:
        super().__init__(parent)
        self._interval_s = interval_ms / 1000
        self._last = float("-inf")
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._take_turn)

    def want(self) -> None:
        """Asks for `due`, now or as soon as it may be; asking again meanwhile changes nothing."""
        if not self._timer.isActive():
            self._take_turn()

    def stop(self) -> None:
        """Forgets what was asked for."""
        self._timer.stop()

    def _take_turn(self) -> None:
        now = time.monotonic()
        wait_s = max(self._last + self._interval_s, Pace._last_of_any + APART_S) - now
        if wait_s > 0:
            self._timer.start(math.ceil(wait_s * 1000))
            return
        self._last = Pace._last_of_any = now
        self.due.emit()
