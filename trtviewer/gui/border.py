"""The border between the core's threads and the GUI thread: from any thread in, in the GUI thread out."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot


class Border(QObject):
    """Hands over the newest value only: a slow window sees fewer, never older ones, and nothing piles up.

    `publish` is called from any thread; `arrived` is emitted in the thread that this object lives in. After `close()` nothing
    arrives any more, whatever is still under way.
    """

    arrived = Signal(object)
    _wake = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = threading.Lock()
        self._value: Any = None
        self._armed = False
        self._closed = False
        self._wake.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def publish(self, value: object) -> None:
        """Gives a value, from any thread; one that was not yet delivered is replaced."""
        with self._lock:
            if self._closed:
                return
            self._value = value
            wake, self._armed = not self._armed, True
            # Emitted under the lock: close() waits for it, so that no thread touches an object that is being deleted.
            if wake:
                self._wake.emit()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._value = None

    @Slot()
    def _deliver(self) -> None:
        with self._lock:
            value, self._value, self._armed = self._value, None, False
        if value is not None:
            self.arrived.emit(value)


class QueueBorder(QObject):
    """Hands over every value in order: for the few that must not be lost (a model is ready, a work failed)."""

    arrived = Signal(object)
    _wake = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = threading.Lock()
        self._values: deque[object] = deque()
        self._closed = False
        self._wake.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def publish(self, value: object) -> None:
        """Gives a value, from any thread."""
        with self._lock:
            if self._closed:
                return
            self._values.append(value)
            self._wake.emit()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._values.clear()

    @Slot()
    def _deliver(self) -> None:
        while True:
            with self._lock:
                if not self._values:
                    return
                value = self._values.popleft()
            self.arrived.emit(value)
