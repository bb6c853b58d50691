"""How sure a figure over frames is: bootstrap over frames of pictures, over blocks of frames of a video.

Neighbouring frames of a video are alike, so that 300 of them say less than 300 pictures do. Blocks are made so long that
neighbouring blocks are no longer alike, and at least `LEAST_BLOCKS` of them; what likeness is left is made up for.

Source: block bootstrap (Kuensch 1989) of batches whose length doubles until their lag-1 correlation is gone (Fishman's
batch means); the variance at block length L is taken as 2 V(L) - V(L / 2), the "lugsail" estimate (Vats and Flegal 2022).
Coverage is checked by simulation in tests/compare/test_intervals.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
RESAMPLES = 1000
LEAST_BLOCKS = 8
MOST_BLOCKS = 256
LEAST_CORRELATION = 0.05
MOST_ENTRIES = 8192
"""A longer series is kept by sums of 2, 4, 8, ... frames: memory does not grow."""

_MOST_FRAMES = 10_000_000

Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""From weights of the blocks [resamples, blocks] to the figure that each resample has [resamples]."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95 % interval.

    Attributes:
        value: the figure over all frames.
        low, high: the interval's ends.
        frames: that it is from.
    """

    value: float
    low: float
    high: float
    frames: int

    @property
    def half_width(self) -> float:
        return (self.high - self.low) / 2

    @property
    def is_settled(self) -> bool:
        """Of a difference: whether its sign is known."""
        return self.low > 0 or self.high < 0

    @property
    def frames_to_settle(self) -> int | None:
        """Of a difference: how many more frames like these would make its sign known, if it stayed as it is.

        0 where it is known; None where no practical number would.
        """
        return 0 if self.is_settled else self.frames_to_narrow(abs(self.value))

    def frames_to_narrow(self, half_width: float) -> int | None:
        """How many more frames like these would narrow it to that half width; None where no practical number would."""
        if self.half_width <= half_width:
            return 0
        if half_width <= 0:
            return None
        more = math.ceil(self.frames * ((self.half_width / half_width) ** 2 - 1))
        return more if more <= _MOST_FRAMES else None


class CountSeries:
    """Counts of frames in their order, in bounded memory.

    Args: columns: how many counts a frame has.
    """

    def __init__(self, columns: int) -> None:
        self._rows = np.zeros((64, columns))
        self._used = 0
        self._frames = 0
        self.unit = 1

    @property
    def frames(self) -> int:
        return self._frames

    @property
    def rows(self) -> NDArray[np.float64]:
        """[N, columns], each the sum of `unit` frames, the last perhaps of fewer."""
        return self._rows[: self._used]

    def update(self, *counts: float) -> None:
        """Adds the next frame."""
        if self._frames % self.unit == 0:
            self._make_room()
            self._used += 1
        self._rows[self._used - 1] += counts
        self._frames += 1

    def _make_room(self) -> None:
        if self._used < len(self._rows):
            return
        if self._used < MOST_ENTRIES:
            self._rows = np.concatenate((self._rows, np.zeros_like(self._rows)))
            return
        self._used //= 2
        self._rows[: self._used] = self._rows[0::2] + self._rows[1::2]
        self._rows[self._used :] = 0
        self.unit *= 2


@dataclass(frozen=True, eq=False, slots=True)
class Blocks:
    """Frames cut into blocks of equal length, but for rounding.

    Attributes:
        length: entries of the series in a block.
        edges: [blocks] where each begins, in entries.
        halves: the same cut at half the length; None where blocks need no making up for (pictures).
        still_alike: neighbouring blocks are, and there are too few of them for longer ones: intervals are too narrow.
    """

    length: int
    edges: NDArray[np.int64]
    halves: Blocks | None = None
    still_alike: bool = False

    def __len__(self) -> int:
        return len(self.edges)

    def sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of [N] or [N, K], by block."""
        total: NDArray[np.float64] = np.add.reduceat(values, self.edges, axis=0)
        return total

    def of_entries(self, count: int) -> NDArray[np.intp]:
        """[count] the block of each entry."""
        return np.searchsorted(self.edges, np.arange(count), side="right") - 1


def blocks_of(deviations: NDArray[np.float64], neighbours_alike: bool, most: int = MOST_BLOCKS) -> Blocks:
    """How to cut a series into blocks.

    Args:
        deviations: [N] what each frame adds to the figure's error; around 0.
        neighbours_alike: a video; False for pictures that have nothing to do with each other.
        most: so many blocks are enough.
    """
    count = len(deviations)
    length = max(1, -(-count // most))
    alike = neighbours_alike and count > 1
    while alike:
        alike = _correlation(deviations, length) >= LEAST_CORRELATION
        if not alike or count // (2 * length) < LEAST_BLOCKS:
            break
        length *= 2
    halves = _cut(count, length // 2) if neighbours_alike and length > 1 else None
    return Blocks(length, _cut(count, length).edges, halves, alike)


def ratio_interval(
    numerator: NDArray[np.float64],
    denominator: NDArray[np.float64],
    frames: int,
    neighbours_alike: bool,
    seed: int = 0,
) -> Interval | None:
    """The interval of a share: sum of the one over sum of the other, by frames; None where too little was seen.

    It is made on the logit, so that it stays within 0 and 1. Of a share of exactly 0 or 1 the bootstrap knows nothing: there it
    is the exact binomial bound with each block as one trial (the "rule of three").
    """
    whole = float(denominator.sum())
    if not whole:
        return None
    value = float(numerator.sum()) / whole
    if value in (0.0, 1.0):
        around = denominator - denominator.mean()
        seen = blocks_of(around, True).sums(denominator) if neighbours_alike else denominator
        bound = 1 - (1 - LEVEL) ** (1 / int(np.count_nonzero(seen)))
        return Interval(value, 0.0, bound, frames) if value == 0 else Interval(value, 1 - bound, 1.0, frames)

    def shares(blocks: Blocks) -> Statistic:
        above, below = blocks.sums(numerator), blocks.sums(denominator)
        return lambda weights: (weights @ above) / np.maximum(weights @ below, 1e-9)

    blocks = blocks_of(numerator - value * denominator, neighbours_alike)
    error = standard_error(blocks, shares, np.random.default_rng(seed))
    if error is None:
        return None
    reach = _student_t(len(blocks) - 1) * error / (value * (1 - value))
    middle = math.log(value / (1 - value))
    return Interval(value, _logistic(middle - reach), _logistic(middle + reach), frames)


def difference_interval(
    value: float,
    blocks: Blocks,
    statistic: Callable[[Blocks], Statistic],
    frames: int,
    resamples: int,
    seed: int = 0,
) -> Interval | None:
    """The interval of a difference; None where too little was seen."""
    error = standard_error(blocks, statistic, np.random.default_rng(seed), resamples)
    if error is None:
        return None
    reach = _student_t(len(blocks) - 1) * error
    return Interval(value, value - reach, value + reach, frames)


def standard_error(
    blocks: Blocks,
    statistic: Callable[[Blocks], Statistic],
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> float | None:
    """The bootstrap's; None of fewer than `LEAST_BLOCKS` blocks."""
    if len(blocks) < LEAST_BLOCKS:
        return None
    variance = _variance(blocks, statistic, rng, resamples)
    if blocks.halves is not None:
        # Of blocks that are too short the variance is too small, by as much again as at half the length.
        variance = max(variance, 2 * variance - _variance(blocks.halves, statistic, rng, resamples))
    return math.sqrt(variance)


def _variance(
    blocks: Blocks, statistic: Callable[[Blocks], Statistic], rng: np.random.Generator, resamples: int
) -> float:
    count = len(blocks)
    weights = rng.multinomial(count, np.full(count, 1 / count), resamples).astype(np.float64)
    return float(statistic(blocks)(weights).var(ddof=1)) * count / (count - 1)


def _cut(count: int, length: int) -> Blocks:
    blocks = max(1, count // length)
    return Blocks(length, (np.arange(blocks, dtype=np.int64) * count) // blocks)


def _correlation(deviations: NDArray[np.float64], length: int) -> float:
    """Of each block's sum with the next one's."""
    sums = _cut(len(deviations), length).sums(deviations)
    sums = sums - sums.mean()
    power = float(sums @ sums)
    return float(sums[1:] @ sums[:-1]) / power if power else 0.0


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def _student_t(freedom: int, level: float = LEVEL) -> float:
    """The two-sided quantile of Student's t; good to 0.1 % from 7 degrees of freedom on.

    Source: Abramowitz and Stegun 26.7.5.
    """
    z = NormalDist().inv_cdf((1 + level) / 2)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return float(z + sum(term / freedom**power for power, term in enumerate(terms, 1)))
