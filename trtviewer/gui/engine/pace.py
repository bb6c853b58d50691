"""How long a work still takes; no Qt."""

from __future__ import annotations

import time


class Pace:
    """How long a work still takes, from how far it came since it began."""

    def __init__(self) -> None:
        self._begin: tuple[float, float] | None = None

    def left_s(self, share: float) -> float | None:
        now = time.monotonic()
        if self._begin is None:
            self._begin = (now, share)
            return None
        begin, first = self._begin
        if share <= first or now - begin < 1.0:
            return None
        return (now - begin) * (1 - share) / (share - first)
