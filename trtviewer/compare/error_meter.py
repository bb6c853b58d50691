"""Measures how far apart two sets of heads are, in one pass of blocks that stay in the cache, with no garbage a frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trtviewer.compare.tensor_error import BINS, COUNTS, MAGNITUDES, SUMS, FrameErrors, Part
from trtviewer.detect.families import Channel, ScaleMap
from trtviewer.errors import ShapeMismatch
from trtviewer.opencv import cv2

BLOCK = 131_072
"""Elements looked at together: few enough for a core's own cache, enough to make numpy's calls cheap."""

ROW = 4_096
"""Longest row that is summed in float32, before the sums go on in float64."""

TINY = 1e-25
"""A sum of float32 squares below this has lost digits to underflow and is made again in float64."""

_KEPT_RUNS = 64


class _Run(NamedTuple):
    """Neighbouring channels of one group."""

    group: str
    start: int
    stop: int


class ErrorMeter:
    """Measures frame after frame with the same buffers. Used by one thread at a time."""

    def __init__(self) -> None:
        self._difference = np.empty(BLOCK, np.float32)
        self._magnitude = np.empty(BLOCK, np.float32)
        self._above = np.empty(BLOCK, np.bool_)
        self._ones = np.ones(ROW, np.float32)
        self._copies = (np.empty(0, np.float32), np.empty(0, np.float32))
        self._bins = np.empty(BLOCK, np.int64)
        # Keyed by identity: channels are the same tuple from frame to frame, and long to compare.
        self._runs: dict[int, tuple[tuple[Channel, ...], tuple[_Run, ...]]] = {}

    def measure(self, pairs: Sequence[tuple[ScaleMap, ScaleMap]], epsilon: float) -> FrameErrors:
        """Compares the maps of one frame.

        Args:
            pairs: reference and candidate; parts are named by the reference.
            epsilon: |d| above it counts as off.

        Raises:
            ShapeMismatch: two paired maps have not one shape; it names both.
        """
        rows: dict[Part, int] = {}
        for reference, _ in pairs:
            for run in self._runs_of(reference):
                rows.setdefault(Part(reference.output, reference.stride, run.group), len(rows))
        sums = np.zeros((len(rows), len(SUMS)))
        counts = np.zeros((len(rows), len(COUNTS)), np.int64)
        greatest = np.zeros(len(rows))
        histogram = np.zeros((len(rows), BINS), np.int64)
        limit = _not_above(epsilon)
        with np.errstate(all="ignore"):  # inf and NaN are what is looked for
            for reference, candidate in pairs:
                r, c = self._rows(reference, candidate)
                for run in self._runs_of(reference):
                    row = rows[Part(reference.output, reference.stride, run.group)]
                    into = _Sink(sums[row], counts[row], greatest[row : row + 1], histogram[row])
                    for block in _blocks(run, r.shape[1]):
                        self._block(r[block], c[block], limit, into)
        return FrameErrors(tuple(rows), sums, counts, greatest, histogram, epsilon)

    def count_over(
        self, pairs: Sequence[tuple[ScaleMap, ScaleMap]], known: FrameErrors, epsilon: float
    ) -> FrameErrors:
        """The same errors with the share over another epsilon; nothing else is computed again."""
        counts = known.counts.copy()
        over = COUNTS.index("over")
        counts[:, over] = 0
        limit = _not_above(epsilon)
        with np.errstate(all="ignore"):
            for reference, candidate in pairs:
                r, c = self._rows(reference, candidate)
                for run in self._runs_of(reference):
                    row = known.parts.index(Part(reference.output, reference.stride, run.group))
                    bad = bool(counts[row, 2] or counts[row, 3])
                    for block in _blocks(run, r.shape[1]):
                        counts[row, over] += self._over(r[block], c[block], limit, bad)
        return FrameErrors(known.parts, known.sums, counts, known.greatest, known.histogram, epsilon)

    def _over(self, r: NDArray[np.float32], c: NDArray[np.float32], limit: np.float32, bad: bool) -> int:
        if bad:
            finite = np.isfinite(r) & np.isfinite(c)
            r, c = r[finite], c[finite]
        d, magnitude, above = (
            _shaped(part, r.shape) for part in (self._difference, self._magnitude, self._above)
        )
        np.abs(np.subtract(c, r, out=d), out=magnitude)
        return int(np.count_nonzero(np.greater(magnitude, limit, out=above)))

    def _block(self, r: NDArray[np.float32], c: NDArray[np.float32], limit: np.float32, into: _Sink) -> None:
        d, magnitude, above = (
            _shaped(part, r.shape) for part in (self._difference, self._magnitude, self._above)
        )
        np.subtract(c, r, out=d)
        np.abs(d, out=magnitude)
        sums = (
            self._dot(d, d),
            self._dot(magnitude, None),
            self._dot(r, r),
            self._dot(c, c),
            self._dot(r, c),
        )
        greatest = float(magnitude.max())
        if not (
            np.isfinite(sums).all()
            and (sums[0] >= TINY or greatest == 0)
            and (sums[2] >= TINY or not r.any())
            and (sums[3] >= TINY or not c.any())
        ):
            _careful_block(r, c, limit, into)
            return
        into.sums[:] += sums
        into.counts[:2] += (r.size, int(np.count_nonzero(np.greater(magnitude, limit, out=above))))
        into.greatest[0] = max(into.greatest[0], greatest)
        bins = _shaped(self._bins, r.shape)
        np.right_shift(d.view(np.uint32), 20, out=bins)
        into.histogram[:] += np.bincount(bins.reshape(-1), minlength=BINS)

    def _dot(self, a: NDArray[np.float32], b: NDArray[np.float32] | None) -> float:
        """sum a b (sum a for None), in float32 along at most `ROW` elements and in float64 from there on."""
        length = a.shape[1]
        total = 0.0
        for start in range(0, length, ROW):
            part = a[:, start : start + ROW]
            other = self._ones[: part.shape[1]] if b is None else b[:, start : start + ROW]
            total += float(np.vecdot(part, other).sum(dtype=np.float64))
        return total

    def _rows(
        self, reference: ScaleMap, candidate: ScaleMap
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Both maps as [channels, cells], copied only where a channel does not lie in one piece."""
        if reference.values.shape != candidate.values.shape:
            raise ShapeMismatch(
                f"is {list(reference.values.shape)} in the reference and {list(candidate.values.shape)} "
                "in the candidate (channels, height, width)",
                subject=reference.name,
            )
        size = reference.values.size
        if self._copies[0].size < size:
            self._copies = (np.empty(size, np.float32), np.empty(size, np.float32))
        first, second = self._copies
        return _as_rows(reference.values, first), _as_rows(candidate.values, second)

    def _runs_of(self, scale_map: ScaleMap) -> tuple[_Run, ...]:
        known = self._runs.get(id(scale_map.channels))
        if known is not None:
            return known[1]
        runs: list[_Run] = []
        for index, channel in enumerate(scale_map.channels):
            if runs and runs[-1].group == channel.group:
                runs[-1] = runs[-1]._replace(stop=index + 1)
            else:
                runs.append(_Run(channel.group, index, index + 1))
        if len(self._runs) >= _KEPT_RUNS:
            self._runs.clear()
        # The tuple is kept beside its runs, so that no other can get its identity.
        self._runs[id(scale_map.channels)] = (scale_map.channels, tuple(runs))
        return tuple(runs)


class _Sink(NamedTuple):
    """Views of one part's accumulators."""

    sums: NDArray[np.float64]
    counts: NDArray[np.int64]
    greatest: NDArray[np.float64]
    histogram: NDArray[np.int64]


def _careful_block(r: NDArray[np.float32], c: NDArray[np.float32], limit: np.float32, into: _Sink) -> None:
    """A block with inf, NaN, or squares beyond float32: in float64, over the pairs that are finite on both sides."""
    good_r, good_c = np.isfinite(r), np.isfinite(c)
    good = good_r & good_c
    a, b = r[good].astype(np.float64), c[good].astype(np.float64)
    d = b - a
    magnitude = np.abs(d)
    into.sums[:] += (d @ d, magnitude.sum(), a @ a, b @ b, a @ b)
    into.counts[:] += (
        d.size,
        int(np.count_nonzero(magnitude > float(limit))),
        r.size - int(np.count_nonzero(good_r)),
        r.size - int(np.count_nonzero(good_c)),
    )
    into.greatest[0] = max(into.greatest[0], magnitude.max(initial=0.0))
    bins = (d.astype(np.float32).view(np.uint32) >> 20).astype(np.int64)
    # A difference beyond float32 counts in its last finite bin.
    half = BINS // 2
    bins = (bins & half) + np.minimum(bins & (half - 1), MAGNITUDES - 1)
    into.histogram[:] += np.bincount(bins, minlength=BINS)


def _blocks(run: _Run, length: int) -> Iterator[tuple[slice, slice]]:
    """Rows and columns of a run, in blocks of at most `BLOCK` elements."""
    if length > BLOCK:
        for row in range(run.start, run.stop):
            for column in range(0, length, BLOCK):
                yield slice(row, row + 1), slice(column, column + BLOCK)
    elif length:
        step = BLOCK // length
        for row in range(run.start, run.stop, step):
            yield slice(row, min(row + step, run.stop)), slice(None)


def _shaped(buffer: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    size = int(np.prod(shape))
    return buffer[:size].reshape(shape)


def _as_rows(values: NDArray[np.float32], into: NDArray[np.float32]) -> NDArray[np.float32]:
    """[channels, cells], each row in one piece; `into` holds it where that takes a copy."""
    rows = values.reshape(len(values), -1)
    if rows.shape[1] < 2 or rows.strides[1] == rows.itemsize:
        return rows
    copy = into[: rows.size].reshape(rows.shape)
    if rows.strides[0] == rows.itemsize:
        cv2.transpose(rows.T, copy)  # channels last: three times as fast as numpy's copy
    else:
        np.copyto(copy, rows)
    return copy


def _not_above(epsilon: float) -> np.float32:
    """The greatest float32 that is not above epsilon: d > it exactly where d > epsilon."""
    limit = np.float32(min(epsilon, float(np.finfo(np.float32).max)))
    return np.nextafter(limit, np.float32(-np.inf)) if float(limit) > epsilon else limit
