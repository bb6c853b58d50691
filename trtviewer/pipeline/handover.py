"""How one thread hands values to another: the newest only, or every one in order."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Closed(Exception):
    """The channel was closed: no more will come, or nobody takes any more."""


class Latest(Generic[T]):
    """Keeps the newest value only: a slow reader sees fewer, never older ones."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._value: T | None = None
        self._closed = False
        self.dropped = 0

    def put(self, value: T) -> None:
        with self._condition:
            if self._value is not None:
                self.dropped += 1
            self._value = value
            self._condition.notify()

    def take(self) -> T | None:
        """The newest value, or None where there is none."""
        with self._condition:
            value, self._value = self._value, None
            return value

    def wait(self) -> T:
        """Waits for a value. Raises: Closed."""
        with self._condition:
            self._condition.wait_for(lambda: self._value is not None or self._closed)
            value, self._value = self._value, None
            if value is None:
                raise Closed
            return value

    def close(self) -> None:
        """Lets a waiting reader go; a value that is there can still be taken."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()


class Channel(Generic[T]):
    """A bounded queue that loses nothing: who puts waits while it is full, who gets waits while it is empty."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._values: deque[T] = deque()
        self._condition = threading.Condition()
        self._finished = False
        self._aborted = False

    def put(self, value: T) -> None:
        """Waits for room. Raises: Closed, once it was aborted."""
        with self._condition:
            self._condition.wait_for(lambda: len(self._values) < self._capacity or self._aborted)
            if self._aborted:
                raise Closed
            self._values.append(value)
            self._condition.notify_all()

    def get(self) -> T:
        """Waits for a value. Raises: Closed, once it was aborted, or finished and is empty."""
        with self._condition:
            self._condition.wait_for(lambda: self._values or self._finished or self._aborted)
            if self._aborted or not self._values:
                raise Closed
            value = self._values.popleft()
            self._condition.notify_all()
            return value

    def finish(self) -> None:
        """Says that nothing more will be put; what is there can still be got."""
        with self._condition:
            self._finished = True
            self._condition.notify_all()

    def abort(self) -> None:
        """Lets everybody go at once; what is there is dropped."""
        with self._condition:
            self._aborted = True
            self._values.clear()
            self._condition.notify_all()
