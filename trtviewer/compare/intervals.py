"""How sure a figure over frames is, from what each frame adds to its error (its influence).

Bootstrap-t over pictures, which knows that rare events make a figure lopsided; of a video over blocks of frames, since
neighbouring frames are alike, so that 300 of them say less than 300 pictures do. Blocks are made so long that neighbouring
ones are no longer alike, and at least `LEAST_BLOCKS` of them; what likeness is left is made up for.

Source: bootstrap-t on influence values (Efron and Tibshirani 1993, 12.5; Davison and Hinkley 1997, 5.2 and 2.7.2); batch
means whose length doubles until their lag-1 correlation is gone (Fishman), the variance at block length L taken as
2 V(L) - V(L / 2), the "lugsail" estimate (Vats and Flegal 2022). Coverage by simulation: tests/benchmarks/bench_coverage.py.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
RESAMPLES = 1000
LEAST_FRAMES = 40
"""Of fewer an interval would not hold what it promises."""

LEAST_SPAN = 600
"""Likewise of a video, in its own frames from the first compared to the last: twenty seconds, since what is seen stays for about a
second."""

LEAST_SPAN_OF_PRECISION = 1800
"""The same for average precision: a minute, since of its rarer classes there are few objects."""

WIDER_BY = 75
"""Of a video of so many frames the interval would have to be twice as wide: blocks of a short one are few, and still alike. It
is what the simulation asks for, and next to nothing for a video of minutes."""

LEAST_BLOCKS = 8
MOST_BLOCKS = 256
LEAST_CORRELATION = 0.05
MOST_ENTRIES = 8192
"""A longer series is kept by sums of 2, 4, 8, ... frames: memory does not grow."""

_MOST_FRAMES = 10_000_000


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


@dataclass(frozen=True, slots=True)
class NoInterval:
    """That there is none. Attributes: reason: why, as it is said to the user."""

    reason: str


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


def blocks_of(influence: NDArray[np.float64], neighbours_alike: bool, most: int = MOST_BLOCKS) -> Blocks:
    """How to cut a series into blocks.

    Args:
        influence: [N] what each entry adds to the figure's error; around 0.
        neighbours_alike: a video; False for pictures that have nothing to do with each other.
        most: so many blocks are enough.
    """
    count = len(influence)
    length = max(1, -(-count // most))
    alike = neighbours_alike and count > 1
    while alike:
        alike = _correlation(influence, length) >= LEAST_CORRELATION
        if not alike or count // (2 * length) < LEAST_BLOCKS:
            break
        length *= 2
    halves = cut(count, length // 2) if neighbours_alike and length > 1 else None
    return Blocks(length, cut(count, length).edges, halves, alike)


def cut(count: int, length: int) -> Blocks:
    """So many entries in blocks of about that length."""
    blocks = max(1, count // length)
    return Blocks(length, (np.arange(blocks, dtype=np.int64) * count) // blocks)


def too_little(frames: int, span: int | None, least_span: int = LEAST_SPAN) -> NoInterval | None:
    """Why so few frames have no interval; None where they are enough.

    It looks at nothing but their number: to leave out intervals by how they came out would spoil those that are left.

    Args:
        span: see `reach`.
        least_span: what it must be at least.
    """
    if frames < LEAST_FRAMES:
        return NoInterval(f"too few frames for an interval: {frames} of at least {LEAST_FRAMES}")
    if span is not None and span < least_span:
        return NoInterval(
            f"too few frames for an interval: neighbours are alike, and they span {span} of at least {least_span}"
        )
    return None


def ratio_interval(
    numerator: NDArray[np.float64],
    denominator: NDArray[np.float64],
    frames: int,
    span: int | None,
) -> Interval | NoInterval:
    """The interval of a share: sum of the one over sum of the other, by frames.

    It is made on the logit, so that it stays within 0 and 1. Of a share of exactly 0 or 1 no frame differs from another: there
    it is the exact binomial bound with each block as one trial (the "rule of three").

    Args: span: see `reach`.
    """
    whole = float(denominator.sum())
    if not whole:
        return NoInterval("there is nothing to take a share of")
    value = float(numerator.sum()) / whole
    if value in (0.0, 1.0):
        around = denominator - denominator.mean()
        seen = denominator if span is None else blocks_of(around, True).sums(denominator)
        bound = 1 - (1 - LEVEL) ** (1 / int(np.count_nonzero(seen)))
        return Interval(value, 0.0, bound, frames) if value == 0 else Interval(value, 1 - bound, 1.0, frames)
    slope = value * (1 - value)
    reached = reach((numerator - value * denominator) / (whole * slope), span)
    if isinstance(reached, NoInterval):
        return reached
    middle = math.log(value / (1 - value))
    return Interval(value, _logistic(middle - reached[0]), _logistic(middle + reached[1]), frames)


def difference_interval(
    value: float, middle: float, influence: NDArray[np.float64], frames: int, span: int | None
) -> Interval | NoInterval:
    """The interval of a difference.

    Args:
        value: the difference, as it is said.
        middle: the same by the measure that `influence` is of.
        influence, span: see `reach`.
    """
    reached = reach(influence, span)
    if isinstance(reached, NoInterval):
        return reached
    return Interval(value, min(value, middle - reached[0]), max(value, middle + reached[1]), frames)


def reach(influence: NDArray[np.float64], span: int | None) -> tuple[float, float] | NoInterval:
    """How far an interval reaches below and above its figure.

    Args:
        influence: [N] what each entry (a frame or a few) adds to the figure's error; their sum is 0.
        span: of a video, frames of the source from the first compared to the last; None for pictures that have nothing to do
            with each other.
    """
    differing = int(np.count_nonzero(np.abs(influence - np.median(influence)) > 1e-12))
    if not differing:
        return NoInterval("too few frames for an interval: not one of them differs from the others in it")
    blocks = blocks_of(influence, span is not None)
    sums = blocks.sums(influence)
    variance = _variance(sums)
    if blocks.halves is not None:
        # Of blocks that are too short the variance is too small, by as much again as at half the length.
        variance = max(variance, 2 * variance - _variance(blocks.halves.sums(influence)))
    below, above = _studentized(sums)
    if not math.isfinite(below + above):
        return NoInterval(f"too few frames for an interval: only {differing} of them differ in it")
    error = math.sqrt(variance) * (1.0 if span is None else 1 + WIDER_BY / span)
    return below * error, above * error


def _studentized(sums: NDArray[np.float64]) -> tuple[float, float]:
    """How many standard errors the interval reaches below and above; infinite where too few of the sums differ.

    Resamples without any of the few that differ have no spread of their own: where 2.5 % are such there is no quantile.
    """
    count = len(sums)
    around = sums - sums.mean()
    weights = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), RESAMPLES)
    mean = weights @ around / count
    spread = weights @ around**2 / count - mean**2
    error = np.sqrt(np.maximum(spread, 0) / (count - 1))
    known = spread > 1e-9 * float(around @ around) / count
    ratio = np.where(known, mean / np.where(known, error, 1), np.copysign(np.inf, mean))
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(ratio, (tail, 1 - tail), method="nearest")
    return float(high), float(-low)


def _variance(sums: NDArray[np.float64]) -> float:
    """Of the whole sum, from sums of its parts."""
    around = sums - sums.mean()
    return float(around @ around) * len(sums) / (len(sums) - 1)


def _correlation(influence: NDArray[np.float64], length: int) -> float:
    """Of each block's sum with the next one's."""
    sums = cut(len(influence), length).sums(influence)
    sums = sums - sums.mean()
    power = float(sums @ sums)
    return float(sums[1:] @ sums[:-1]) / power if power else 0.0


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-value))
