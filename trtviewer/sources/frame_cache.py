"""The frames that were decoded last, bounded in bytes: what makes stepping back instant."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

Kept = TypeVar("Kept")


class FrameCache(Generic[Kept]):
    """Frames by index; the one put or taken longest ago leaves first.

    Args:
        limit_bytes: how much all frames together may hold. One frame is always kept, however large.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self._frames: OrderedDict[int, tuple[Kept, int]] = OrderedDict()
        self._bytes = 0

    @property
    def held_bytes(self) -> int:
        """How much all frames hold now."""
        return self._bytes

    def put(self, index: int, frame: Kept, size_bytes: int) -> None:
        """Keeps `frame`, as the newest; older ones leave until all fit."""
        self._forget(index)
        self._frames[index] = (frame, size_bytes)
        self._bytes += size_bytes
        while self._bytes > self.limit_bytes and len(self._frames) > 1:
            self._forget(next(iter(self._frames)))

    def take(self, index: int) -> Kept | None:
        """The frame at `index`, which becomes the newest; None where it is not kept."""
        entry = self._frames.get(index)
        if entry is None:
            return None
        self._frames.move_to_end(index)
        return entry[0]

    def clear(self) -> None:
        """Lets go of all frames."""
        self._frames.clear()
        self._bytes = 0

    def _forget(self, index: int) -> None:
        entry = self._frames.pop(index, None)
        if entry is not None:
            self._bytes -= entry[1]
