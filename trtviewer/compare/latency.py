"""Latencies of any number of runs in constant memory: mean and percentiles."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

EXACT = 1_000
"""So many latencies are kept as they are, and their percentiles are exact; of more, those of the histogram are given."""

_LEAST_MS = 1e-4
_OCTAVE = 96
"""Bins in a doubling: the middle of a bin is at most 0.37 % from anything in it."""
_BINS = 34 * _OCTAVE  # up to 1e-4 * 2^34 ms, twenty days


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds over some runs; None where there was none. Percentiles interpolate between neighbours, as numpy's."""

    mean: float | None
    p50: float | None
    p95: float | None
    p99: float | None
    count: int

    @property
    def fps(self) -> float | None:
        """Runs a second, 1000 / mean; None where it is not defined."""
        return 1000 / self.mean if self.mean else None


class LatencyTotals:
    """Accumulates latencies; the order of updates and merges does not matter.

    Up to `EXACT` values percentiles are exact, from there on within 0.5 % (values under 0.1 us, or over 20 days, count as that).
    """

    def __init__(self) -> None:
        self._count = 0
        self._sum = 0.0
        self._exact: list[float] = []
        self._bins = np.zeros(_BINS, np.int64)

    def update(self, latency_ms: float | None) -> None:
        """Adds one run; None, of a recording, is none."""
        if latency_ms is None:
            return
        self._count += 1
        self._sum += latency_ms
        self._bins[_bin(latency_ms)] += 1
        self._keep([latency_ms])

    def merge(self, other: LatencyTotals) -> None:
        """Adds all that `other` has seen."""
        self._count += other._count
        self._sum += other._sum
        self._bins += other._bins
        self._keep(other._exact)

    def result(self) -> Latency:
        """The figures so far."""
        if not self._count:
            return Latency(None, None, None, None, 0)
        if self._count <= EXACT:
            p50, p95, p99 = (float(value) for value in np.percentile(self._exact, (50, 95, 99)))
        else:
            p50, p95, p99 = (self._percentile(share) for share in (0.50, 0.95, 0.99))
        return Latency(self._sum / self._count, p50, p95, p99, self._count)

    def _keep(self, values: list[float]) -> None:
        # Which values are dropped depends only on how many there are in all, never on their order.
        if self._count <= EXACT:
            self._exact.extend(values)
        else:
            self._exact.clear()

    def _percentile(self, share: float) -> float:
        rank = share * (self._count - 1)
        upto = np.cumsum(self._bins)
        lower, upper = (
            _middle(int(np.searchsorted(upto, place, side="right")))
            for place in (math.floor(rank), math.ceil(rank))
        )
        return lower + (upper - lower) * (rank - math.floor(rank))


def _bin(latency_ms: float) -> int:
    if latency_ms <= _LEAST_MS:
        return 0
    return min(_BINS - 1, int(math.log2(latency_ms / _LEAST_MS) * _OCTAVE))


def _middle(place: int) -> float:
    """The value that is as far, in proportion, from both edges of a bin."""
    return _LEAST_MS * math.exp2((place + 0.5) / _OCTAVE)
