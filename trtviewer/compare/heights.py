"""How many of the reference's detections the candidate finds, by their height in pixels: below which it is blind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trtviewer.compare.matching import Matching
from trtviewer.detect.boxes import Detections

# fmt: off
EDGES = (
    0, 4, 6, 8, 10, 12, 14, 16, 18, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 256, 320, 384, 512,
    768, 1024,
)
# fmt: on
"""Heights in pixels where a bin begins; the last has no end."""

BLIND = 0.1
"""Below this recall the candidate is called blind."""

HALF = 0.5

_LEAST = 10
"""So many detections must be below a height before anything is said of it."""


@dataclass(frozen=True, slots=True)
class HeightBin:
    """The reference's detections from `low` pixels of height on, up to below `high` (None: no end)."""

    low: int
    high: int | None
    reference: int
    matched: int

    @property
    def recall(self) -> float | None:
        """None where the reference has none."""
        return self.matched / self.reference if self.reference else None


@dataclass(frozen=True, slots=True)
class Below:
    """A height below which little is found: of `reference` detections `matched`, and from it on `recall_above`."""

    height: int
    reference: int
    matched: int
    recall_above: float | None


@dataclass(frozen=True, slots=True)
class HeightRecall:
    """Attributes:
    bins: by rising height, all of `EDGES`.
    blind: the greatest height below which at most `BLIND` are found; None where there is none.
    half: the same of `HALF`.
    """

    bins: tuple[HeightBin, ...]
    blind: Below | None
    half: Below | None


class HeightTotals:
    """Accumulates matched frames; the order of updates and merges does not matter."""

    def __init__(self) -> None:
        # [reference | matched, bin]
        self._counts = np.zeros((2, len(EDGES)), np.int64)

    def update(self, reference: Detections, matching: Matching) -> None:
        """Adds one frame."""
        if not len(reference):
            return
        xyxy = reference.xyxy
        place = np.clip(np.searchsorted(EDGES, xyxy[:, 3] - xyxy[:, 1], side="right") - 1, 0, None)
        self._counts[0] += np.bincount(place, minlength=len(EDGES))
        self._counts[1] += np.bincount(place[matching.pairs[:, 0]], minlength=len(EDGES))

    def merge(self, other: HeightTotals) -> None:
        """Adds all that `other` has seen."""
        self._counts += other._counts

    def result(self) -> HeightRecall:
        """The figures so far."""
        ends = (*EDGES[1:], None)
        bins = tuple(
            HeightBin(low, high, int(reference), int(matched))
            for low, high, reference, matched in zip(EDGES, ends, *self._counts, strict=True)
        )
        return HeightRecall(bins, _below(self._counts, BLIND), _below(self._counts, HALF))


def _below(counts: NDArray[np.int64], share: float) -> Below | None:
    """The end of the highest bin that itself, with all below it, is found by at most that share."""
    reference, matched = counts.cumsum(axis=1)
    little = (counts[0] > 0) & (counts[1] <= share * counts[0])
    little &= (reference >= _LEAST) & (matched <= share * reference)
    little[-1] = False
    if not little.any():
        return None
    place = int(np.flatnonzero(little)[-1])
    above = counts[:, place + 1 :].sum(axis=1)
    return Below(
        EDGES[place + 1],
        int(reference[place]),
        int(matched[place]),
        float(above[1] / above[0]) if above[0] else None,
    )
