"""Which frame is to be shown next while a video plays: it keeps the video's own time and may leave frames out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from trtviewer.pipeline.feed import Ticket

_MOST_BEHIND_S = 1.0
"""Further behind than this the clock waits for the frames instead of leaving out ever more of them."""


class PlaybackClock:
    """A schedule that a user drives: play, pause, seek, speed, loop. Any thread may call any method.

    Every seek starts a new generation, so that answers to older requests can be told from those to newer ones.

    Args:
        length: number of frames; None for a camera.
        time_s: when a frame is shown, from the first.
        ended: called, from the thread that asks for frames, when playing stops at the end.
        now: a clock in seconds.
    """

    def __init__(
        self,
        length: int | None,
        time_s: Callable[[int], float],
        ended: Callable[[], None],
        now: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._length = length
        self._time_s = time_s
        self._ended = ended
        self._now = now
        self._changed = threading.Condition()
        self._wanted: int | None = None
        self._asked = -1
        self._newest = -1
        self._generation = 0
        self._playing = False
        self._speed = 1.0
        self._loop: tuple[int, int] | None = None
        self._anchor = (0.0, 0.0)
        self._closed = False
        self._suspended = False

    @property
    def position(self) -> int:
        """The frame that was asked for last; -1 before the first."""
        with self._changed:
            return self._wanted if self._wanted is not None else self._asked

    @property
    def generation(self) -> int:
        with self._changed:
            return self._generation

    @property
    def playing(self) -> bool:
        with self._changed:
            return self._playing

    def play(self) -> None:
        """Goes on from where it is; from the start, where it is at the end; from its newest frame, where it is a camera."""
        with self._changed:
            if self._length is None:
                self._asked = self._newest
            if self._asked >= self._last() and self._wanted is None:
                self._wanted = self._first()
                self._generation += 1
            self._playing = True
            self._set_anchor(max(self._asked, 0))
            self._changed.notify_all()

    def pause(self) -> None:
        with self._changed:
            self._playing = False
            self._changed.notify_all()

    def seek(self, index: int) -> int:
        """Asks for exactly this frame, clamped to those there are; returns the new generation."""
        with self._changed:
            greatest = index if self._length is None else self._length - 1
            self._wanted = max(0, min(index, greatest))
            self._generation += 1
            self._changed.notify_all()
            return self._generation

    def set_speed(self, speed: float) -> None:
        """1 is the video's own speed."""
        with self._changed:
            self._speed = speed
            self._set_anchor(max(self._asked, 0))
            self._changed.notify_all()

    def set_loop(self, loop: tuple[int, int] | None) -> None:
        """Plays from the first to the last of the two frames again and again; None for the whole video, once."""
        with self._changed:
            self._loop = loop
            self._changed.notify_all()

    def suspend(self) -> None:
        """Makes `next` return None, now and until `resume`: whoever asks is about to be replaced."""
        with self._changed:
            self._suspended = True
            self._changed.notify_all()

    def resume(self) -> None:
        """Lets frames be asked for again, first the one that was last, for whoever asks is new."""
        with self._changed:
            self._suspended = False
            if self._wanted is None:
                self._wanted = max(self._asked, 0)
            self._generation += 1

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def next(self) -> Ticket | None:
        """Waits until a frame is due; None once suspended or closed."""
        while True:
            with self._changed:
                if self._closed or self._suspended:
                    return None
                if self._wanted is not None:
                    index, self._wanted = self._wanted, None
                    return self._ask(index, anew=True, sought=True)
                if not self._playing:
                    self._changed.wait()
                    continue
                if self._asked >= self._last():
                    if self._loop is not None:
                        return self._ask(self._first(), anew=True)
                    self._playing = False
                else:
                    late = self._now() - self._due(self._asked + 1)
                    if late < 0:
                        self._changed.wait(-late)
                        continue
                    return self._ask(*self._newest_due(late))
            self._ended()

    def _newest_due(self, late: float) -> tuple[int, bool]:
        """The frame to show when the next one is `late` seconds overdue, and whether to set the clock by it."""
        index = self._asked + 1
        if late > _MOST_BEHIND_S or self._length is None:
            return index, True
        now = self._now()
        while index < self._last() and self._due(index + 1) <= now:
            index += 1
        return index, False

    def _ask(self, index: int, anew: bool, sought: bool = False) -> Ticket:
        self._asked = index
        self._newest = max(self._newest, index)
        if anew:
            self._set_anchor(index)
        return Ticket(index, self._generation, sought)

    def _set_anchor(self, index: int) -> None:
        self._anchor = (self._now(), self._time_s(index))

    def _due(self, index: int) -> float:
        wall, shown = self._anchor
        return wall + (self._time_s(index) - shown) / self._speed

    def _first(self) -> int:
        return self._loop[0] if self._loop is not None else 0

    def _last(self) -> float:
        if self._loop is not None:
            return self._loop[1]
        return float("inf") if self._length is None else self._length - 1
