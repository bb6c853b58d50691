"""Which frames are shown of many: the worst, not all of one moment, as many as there is room for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from trtviewer.compare.frame_comparison import FrameComparison

MOST_FRAMES = 8
APART_S = 1.0

Kept = TypeVar("Kept")


class WorstFrames(Generic[Kept]):
    """Keeps something of each of the worst frames that it is shown: memory stays the same however long the source is.

    The worst are those with the most missed and extra detections; of equal ones those with the greater error, then the
    earlier. Frames on which the sides agree are none of them, unless that is asked for.

    Args:
        neighbours_alike: the source is a video: of frames within a second only the worst is kept.
        most: so many.
        with_agreeing: where there are fewer, frames on which the sides agree are kept too.
    """

    def __init__(
        self, neighbours_alike: bool, most: int = MOST_FRAMES, *, with_agreeing: bool = False
    ) -> None:
        self._with_agreeing = with_agreeing
        self._apart_s = APART_S if neighbours_alike else 0.0
        self._most = most
        self._kept: list[tuple[tuple[int, float, int], float, Kept]] = []

    @property
    def kept(self) -> tuple[Kept, ...]:
        """The worst first."""
        return tuple(kept for _, _, kept in self._kept)

    def update(self, comparison: FrameComparison, make: Callable[[], Kept]) -> None:
        """Looks at a frame. Args: make: gives what is to be kept; called only where it is."""
        differing = comparison.missed + comparison.extra
        if not differing and not self._with_agreeing:
            return
        badness = (-differing, -(comparison.mse or 0.0), comparison.frame.index)
        time_s = comparison.frame.time_s
        near = [one for one in self._kept if abs(one[1] - time_s) < self._apart_s]
        if any(one[0] < badness for one in near):
            return
        if not near and len(self._kept) == self._most and self._kept[-1][0] < badness:
            return
        others = [one for one in self._kept if one not in near]
        self._kept = sorted([*others, (badness, time_s, make())], key=lambda one: one[0])[: self._most]
