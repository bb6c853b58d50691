"""How far the candidate's outputs are from the reference's: sums that merge, and the figures made from them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

SUMS = ("dd", "ad", "rr", "cc", "rc")
"""Columns of the float64 sums: of d^2, |d|, r^2, c^2 and r c."""

COUNTS = ("count", "over", "nonfinite_reference", "nonfinite_candidate")
"""Columns of the int64 counts: finite pairs, those of them with |d| > epsilon, values that are inf or NaN on each side."""

BINS = 4096
"""Bins of a histogram of d: the upper 12 bits of a float32: sign, exponent, 3 bits of mantissa (8 bins an octave)."""

MAGNITUDES = 0x7F8
"""Bins of |d| that hold finite values."""

MAGNITUDE_EDGES: NDArray[np.float64] = (
    (np.arange(MAGNITUDES + 1, dtype=np.uint32) << 20).view(np.float32).astype(np.float64)
)
"""[MAGNITUDES + 1] edges of the bins of |d|: from 0, the last one infinite."""
MAGNITUDE_EDGES.setflags(write=False)


class Part(NamedTuple):
    """What errors are summed over: one channel group of one scale of one output (the reference's name).

    `group` is "box", "objectness", "class" or "other"; `stride` is None where the output has none.
    """

    output: str
    stride: int | None
    group: str


@dataclass(frozen=True, slots=True)
class TensorError:
    """The error of some outputs' values, over the pairs that are finite on both sides; None where undefined.

    Attributes:
        mse, mae, max_abs: mean d^2, mean |d|, greatest |d|; d is candidate - reference.
        over_epsilon: share of |d| > epsilon, 0..1.
        cosine: of the angle between the two; None where one of them is all zero.
        sqnr_db: 10 log10(sum r^2 / sum d^2); None where either sum is 0.
        nonfinite_reference, nonfinite_candidate: values that are inf or NaN.
        count: pairs that are finite on both sides.
        over_is_exact: False where `over_epsilon` was read from a histogram (shown with ≈).
    """

    mse: float | None
    mae: float | None
    max_abs: float | None
    over_epsilon: float | None
    cosine: float | None
    sqnr_db: float | None
    nonfinite_reference: int
    nonfinite_candidate: int
    count: int
    over_is_exact: bool = True


@dataclass(frozen=True, slots=True)
class OutputError:
    """The error of one output: of all of it, by channel group, and by scale (stride None where there is none)."""

    name: str
    total: TensorError
    groups: Mapping[str, TensorError]
    scales: tuple[tuple[int | None, TensorError], ...]


@dataclass(frozen=True, eq=False, slots=True)
class ErrorHistogram:
    """How often each d occurred, by sign, exponent and three bits of mantissa: no range has to be known beforehand.

    Attributes:
        counts: [BINS] int64, read-only; the index is the upper 12 bits of d as float32.
    """

    counts: NDArray[np.int64]

    def __post_init__(self) -> None:
        self.counts.setflags(write=False)

    @property
    def total(self) -> int:
        """How many differences are in it."""
        return int(self.counts.sum())

    def merge(self, other: ErrorHistogram) -> ErrorHistogram:
        """The histogram of both, exact."""
        return ErrorHistogram(self.counts + other.counts)

    def magnitudes(self) -> NDArray[np.int64]:
        """[MAGNITUDES] counts of |d| between `MAGNITUDE_EDGES`."""
        half = BINS // 2
        both: NDArray[np.int64] = self.counts[:MAGNITUDES] + self.counts[half : half + MAGNITUDES]
        return both

    def signed(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Edges, rising and symmetric around 0, and the counts between them, for a plot; the outer edges are infinite."""
        half = BINS // 2
        edges = np.concatenate((-MAGNITUDE_EDGES[:0:-1], MAGNITUDE_EDGES))
        counts = np.concatenate((self.counts[half : half + MAGNITUDES][::-1], self.counts[:MAGNITUDES]))
        return edges, counts

    def share_over(self, epsilon: float) -> float | None:
        """The share of |d| > epsilon, 0..1, as if spread evenly inside epsilon's bin (an eighth of an octave wide).

        Returns: None where nothing was counted.
        """
        total = self.total
        if not total:
            return None
        counts = self.magnitudes()
        place = int(np.searchsorted(MAGNITUDE_EDGES, epsilon, side="right")) - 1
        if place >= MAGNITUDES:
            return 0.0
        lower, upper = MAGNITUDE_EDGES[place], MAGNITUDE_EDGES[place + 1]
        # Exact zeros lie in the first bin, which is no wider than rounding: nothing of it is above any epsilon.
        inside = 0.0 if place == 0 or math.isinf(upper) else (upper - epsilon) / (upper - lower)
        return float((counts[place + 1 :].sum() + inside * counts[place]) / total)


@dataclass(frozen=True, eq=False, slots=True)
class FrameErrors:
    """The errors of one frame, by part.

    Attributes:
        parts: in the order of the reference's outputs; empty where only detections can be paired.
        sums: [P, 5] float64, columns as `SUMS`.
        counts: [P, 4] int64, columns as `COUNTS`.
        greatest: [P] float64, greatest |d|; 0 where nothing was finite.
        histogram: [P, BINS] int64.
        epsilon: the one that `counts` was made with.
    """

    parts: tuple[Part, ...]
    sums: NDArray[np.float64]
    counts: NDArray[np.int64]
    greatest: NDArray[np.float64]
    histogram: NDArray[np.int64]
    epsilon: float

    def __post_init__(self) -> None:
        for array in (self.sums, self.counts, self.greatest, self.histogram):
            array.setflags(write=False)

    def result(self) -> tuple[OutputError, ...]:
        """The figures of this frame, one an output."""
        return _outputs(self.parts, self.sums, self.counts, self.greatest, None)

    def histogram_of(
        self, output: str | None = None, group: str | None = None, stride: int | None = None
    ) -> ErrorHistogram:
        """The histogram of d over the parts that fit; None fits all."""
        return _histogram_of(self.parts, self.histogram, output, group, stride)

    def error_of(
        self, output: str | None = None, group: str | None = None, stride: int | None = None
    ) -> TensorError:
        """The figures over the parts that fit, as one; None fits all."""
        rows = _rows_of(self.parts, output, group, stride)
        return _error_of_rows(rows, self.sums, self.counts, self.greatest, None)


def output_mse(errors: FrameErrors) -> NDArray[np.float64]:
    """[outputs] the MSE of each paired output on one frame; NaN where undefined."""
    names = list(dict.fromkeys(part.output for part in errors.parts))
    of_part = np.array([names.index(part.output) for part in errors.parts], np.intp)
    sums, counts = np.zeros(len(names)), np.zeros(len(names))
    np.add.at(sums, of_part, errors.sums[:, SUMS.index("dd")])
    np.add.at(counts, of_part, errors.counts[:, COUNTS.index("count")])
    quotient: NDArray[np.float64] = np.divide(sums, counts, out=np.full(len(names), np.nan), where=counts > 0)
    return quotient


def mean_mse(errors: FrameErrors) -> float | None:
    """The mean over the outputs of their MSE on one frame; None where none has one."""
    mse = output_mse(errors)
    known = mse[np.isfinite(mse)]
    return float(known.mean()) if len(known) else None


class TensorErrors:
    """The errors of any number of frames, in constant memory; the order of updates and merges does not matter.

    Sums agree in any order to the rounding of float64; counts and histograms exactly.
    """

    def __init__(self) -> None:
        self._parts: tuple[Part, ...] = ()
        self._sums = np.zeros((0, len(SUMS)))
        self._counts = np.zeros((0, len(COUNTS)), np.int64)
        self._greatest = np.zeros(0)
        self._histogram = np.zeros((0, BINS), np.int64)
        self._epsilons: frozenset[float] = frozenset()

    @property
    def parts(self) -> tuple[Part, ...]:
        """What errors are summed over so far."""
        return self._parts

    def update(self, frame: FrameErrors) -> None:
        """Adds one frame. Frames of other epsilons may be mixed: then the share over epsilon is read from histograms."""
        self._add(
            frame.parts,
            frame.sums,
            frame.counts,
            frame.greatest,
            frame.histogram,
            frozenset((frame.epsilon,)),
        )

    def merge(self, other: TensorErrors) -> None:
        """Adds all that `other` has seen."""
        self._add(
            other._parts, other._sums, other._counts, other._greatest, other._histogram, other._epsilons
        )

    def result(self, epsilon: float | None = None) -> tuple[OutputError, ...]:
        """The figures so far, one an output.

        Args:
            epsilon: for the share over it; by default the one that every frame was measured with. At any other the
                share is read from the histogram, and says so.
        """
        if len(self._epsilons) == 1 and (epsilon is None or epsilon in self._epsilons):
            return _outputs(self._parts, self._sums, self._counts, self._greatest, None)
        if epsilon is None:
            if self._parts:
                raise ValueError("frames of several epsilons: say which one is asked for")
            return ()
        return _outputs(self._parts, self._sums, self._counts, self._greatest, self._shares(epsilon))

    def histogram_of(
        self, output: str | None = None, group: str | None = None, stride: int | None = None
    ) -> ErrorHistogram:
        """The histogram of d over the parts that fit; None fits all."""
        return _histogram_of(self._parts, self._histogram, output, group, stride)

    def error_of(
        self,
        output: str | None = None,
        group: str | None = None,
        stride: int | None = None,
        *,
        epsilon: float,
    ) -> TensorError:
        """The figures over the parts that fit, as one; None fits all. `epsilon` as in `result`."""
        rows = _rows_of(self._parts, output, group, stride)
        return _error_of_rows(rows, self._sums, self._counts, self._greatest, self._shares(epsilon))

    def _shares(self, epsilon: float) -> NDArray[np.float64] | None:
        """[P] the share over epsilon by part, from the histograms; None where it was counted."""
        if self._epsilons <= {epsilon}:
            return None
        return np.array([ErrorHistogram(row).share_over(epsilon) or 0.0 for row in self._histogram])

    def _add(
        self,
        parts: tuple[Part, ...],
        sums: NDArray[np.float64],
        counts: NDArray[np.int64],
        greatest: NDArray[np.float64],
        histogram: NDArray[np.int64],
        epsilons: frozenset[float],
    ) -> None:
        self._epsilons |= epsilons
        new = tuple(part for part in parts if part not in self._parts) if parts != self._parts else ()
        if new:
            self._parts += new
            self._sums = _lengthened(self._sums, len(new))
            self._counts = _lengthened(self._counts, len(new))
            self._greatest = _lengthened(self._greatest, len(new))
            self._histogram = _lengthened(self._histogram, len(new))
        rows: Any = slice(None) if parts == self._parts else [self._parts.index(part) for part in parts]
        self._sums[rows] += sums
        self._counts[rows] += counts
        self._greatest[rows] = np.maximum(self._greatest[rows], greatest)
        self._histogram[rows] += histogram


def _lengthened(array: NDArray[Any], rows: int) -> NDArray[Any]:
    return np.concatenate((array, np.zeros((rows, *array.shape[1:]), array.dtype)))


def _rows_of(parts: Sequence[Part], output: str | None, group: str | None, stride: int | None) -> list[int]:
    return [
        row
        for row, part in enumerate(parts)
        if output in (None, part.output) and group in (None, part.group) and stride in (None, part.stride)
    ]


def _histogram_of(
    parts: Sequence[Part],
    histogram: NDArray[np.int64],
    output: str | None,
    group: str | None,
    stride: int | None,
) -> ErrorHistogram:
    rows = _rows_of(parts, output, group, stride)
    return ErrorHistogram(histogram[rows].sum(axis=0, dtype=np.int64))


def _outputs(
    parts: tuple[Part, ...],
    sums: NDArray[np.float64],
    counts: NDArray[np.int64],
    greatest: NDArray[np.float64],
    shares: NDArray[np.float64] | None,
) -> tuple[OutputError, ...]:
    """Figures by output; `shares` over epsilon by part where they cannot be had from `counts`."""

    def error(rows: list[int]) -> TensorError:
        return _error_of_rows(rows, sums, counts, greatest, shares)

    results = []
    for name in dict.fromkeys(part.output for part in parts):
        own = [row for row, part in enumerate(parts) if part.output == name]
        groups = dict.fromkeys(parts[row].group for row in own)
        strides = dict.fromkeys(parts[row].stride for row in own)
        results.append(
            OutputError(
                name,
                error(own),
                MappingProxyType(
                    {group: error([row for row in own if parts[row].group == group]) for group in groups}
                ),
                tuple((stride, error([r for r in own if parts[r].stride == stride])) for stride in strides),
            )
        )
    return tuple(results)


def _error_of_rows(
    rows: list[int],
    sums: NDArray[np.float64],
    counts: NDArray[np.int64],
    greatest: NDArray[np.float64],
    shares: NDArray[np.float64] | None,
) -> TensorError:
    over = None if shares is None else float(shares[rows] @ counts[rows, 0])
    most = float(greatest[rows].max(initial=0.0))
    return _error(sums[rows].sum(axis=0), counts[rows].sum(axis=0), most, over)


def _error(
    sums: NDArray[np.float64], counts: NDArray[np.int64], greatest: float, over: float | None
) -> TensorError:
    dd, ad, rr, cc, rc = (float(value) for value in sums)
    count, exact_over, bad_reference, bad_candidate = (int(value) for value in counts)
    if not count:
        return TensorError(None, None, None, None, None, None, bad_reference, bad_candidate, 0)
    length = math.sqrt(rr) * math.sqrt(cc)
    return TensorError(
        mse=dd / count,
        mae=ad / count,
        max_abs=greatest,
        over_epsilon=(exact_over if over is None else over) / count,
        cosine=min(1.0, max(-1.0, rc / length)) if length else None,
        sqnr_db=10 * math.log10(rr / dd) if rr and dd and rr / dd else None,
        nonfinite_reference=bad_reference,
        nonfinite_candidate=bad_candidate,
        count=count,
        over_is_exact=over is None,
    )
