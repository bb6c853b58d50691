"""A histogram of |x| that needs no range beforehand, merges exactly and stays of one size."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trtviewer.opencv import cv2

BINS = 32768
_BINS_LOG2 = 15
_SMALLEST_EXPONENT = -100
"""Of the range; below 2^-100 everything is in the first bin, and the factor to a bin stays finite in float32."""
_CHUNK = 1 << 18
"""Values at a time: the two scratch arrays (1.5 MB) stay in the cache."""


class NotFinite(ValueError):
    """There is a NaN or an infinity among the values."""


@dataclass(frozen=True, eq=False, slots=True)
class Histogram:
    """How the absolute values of a tensor are distributed.

    Attributes:
        counts: [32768] int64; bin i counts i * width <= |x| < (i + 1) * width.
        width: of a bin, a power of two.
        minimum, maximum: of the values themselves, with their sign.
    """

    counts: NDArray[np.int64]
    width: float
    minimum: float
    maximum: float

    def __post_init__(self) -> None:
        if self.counts.shape != (BINS,):
            raise ValueError(f"a histogram has {BINS} bins, not {self.counts.shape}")
        self.counts.setflags(write=False)

    @property
    def amax(self) -> float:
        """The largest absolute value, exactly."""
        return max(-self.minimum, self.maximum)

    @property
    def total(self) -> int:
        return int(self.counts.sum())

    def share_above(self, amax: float) -> float:
        """The share of values with |x| > amax, to within a bin: what a range up to `amax` clips."""
        if amax >= self.amax or not self.total:
            return 0.0
        return float(self.counts[math.ceil(amax / self.width) :].sum() / self.total)

    def coarse(self, bins: int) -> NDArray[np.int64]:
        """The counts in `bins` equal bins over 0..amax. A bin here goes whole to the coarse one that has its middle."""
        if self.amax == 0:
            counts = np.zeros(bins, np.int64)
            counts[0] = self.total
            return counts
        middle = (np.arange(BINS) + 0.5) * self.width
        index = np.minimum((middle * (bins / self.amax)).astype(np.int64), bins - 1)
        return np.bincount(index, weights=self.counts, minlength=bins).astype(np.int64)


class HistogramAccumulator:
    """Counts |x| of all that it is given, in constant memory: update, merge, result.

    The range is a power of two; where a value exceeds it, it doubles and pairs of bins are added up. Bins of the narrower range
    lie wholly in bins of the wider, so order and grouping of the updates never change the result, not by one count.
    """

    def __init__(self) -> None:
        self._counts = np.zeros(BINS, np.int64)
        self._exponent = _SMALLEST_EXPONENT  # the range is 0..2^exponent
        self._minimum = math.inf
        self._maximum = -math.inf
        self._scratch = np.empty(0, np.float32)
        self._keys = np.empty(0, np.uint16)

    def update(self, values: NDArray[np.float32]) -> None:
        """Counts all values of an array of any shape.

        Raises: NotFinite: a value is NaN or infinite; nothing was counted.
        """
        if not values.size:
            return
        flat = np.ascontiguousarray(values, np.float32).reshape(-1)
        minimum, maximum = float(flat.min()), float(flat.max())
        if not (math.isfinite(minimum) and math.isfinite(maximum)):
            raise NotFinite("a value is NaN or infinite")
        self._minimum = min(self._minimum, minimum)
        self._maximum = max(self._maximum, maximum)
        largest = max(-minimum, maximum)
        if largest:  # frexp puts 0 at 2^0, though any range holds it
            self._widen(math.frexp(largest)[1])
        # A factor that is a power of two is exact, so no value can fall on the wrong side of an edge.
        factor = np.float32(2.0 ** (_BINS_LOG2 - self._exponent))
        for start in range(0, flat.size, _CHUNK):
            self._count(flat[start : start + _CHUNK], factor)

    def merge(self, other: HistogramAccumulator) -> None:
        """Adds all that the other has counted."""
        self._widen(other._exponent)
        self._counts += _merged_bins(other._counts, self._exponent - other._exponent)
        self._minimum = min(self._minimum, other._minimum)
        self._maximum = max(self._maximum, other._maximum)

    def result(self) -> Histogram:
        """What was counted so far."""
        empty = self._minimum > self._maximum
        return Histogram(
            counts=self._counts.copy(),
            width=2.0 ** (self._exponent - _BINS_LOG2),
            minimum=0.0 if empty else self._minimum,
            maximum=0.0 if empty else self._maximum,
        )

    @classmethod
    def of(cls, histogram: Histogram) -> HistogramAccumulator:
        """An accumulator that goes on where a result was taken."""
        accumulator = cls()
        if histogram.total:
            accumulator._counts = histogram.counts.copy()
            accumulator._exponent = math.frexp(histogram.width)[1] - 1 + _BINS_LOG2
            accumulator._minimum, accumulator._maximum = histogram.minimum, histogram.maximum
        return accumulator

    def _count(self, values: NDArray[np.float32], factor: np.float32) -> None:
        if self._scratch.size < values.size:
            self._scratch = np.empty(values.size, np.float32)
            self._keys = np.empty(values.size, np.uint16)
        scaled, keys = self._scratch[: values.size], self._keys[: values.size]
        np.multiply(values, factor, out=scaled)
        np.absolute(scaled, out=scaled)
        np.copyto(keys, scaled, casting="unsafe")
        # Counts come back as float32, which is exact up to 2^24: far more than a chunk.
        counts = cv2.calcHist([keys.reshape(1, -1)], [0], None, [BINS], [0, BINS])
        self._counts += counts.reshape(-1).astype(np.int64)

    def _widen(self, exponent: int) -> None:
        if exponent > self._exponent:
            self._counts = _merged_bins(self._counts, exponent - self._exponent)
            self._exponent = exponent


def _merged_bins(counts: NDArray[np.int64], doublings: int) -> NDArray[np.int64]:
    """The counts over a range 2^doublings as wide."""
    together = 1 << min(doublings, _BINS_LOG2)
    merged = np.zeros(BINS, np.int64)
    merged[: BINS // together] = counts.reshape(-1, together).sum(1)
    return merged
