"""The histogram of |x|: exact, mergeable, of one size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from trtviewer.quantize.histogram import BINS, Histogram, HistogramAccumulator, NotFinite


def counted(*arrays: NDArray[np.float32]) -> Histogram:
    accumulator = HistogramAccumulator()
    for array in arrays:
        accumulator.update(array)
    return accumulator.result()


def plain_counts(values: NDArray[np.float32], width: float) -> NDArray[np.int64]:
    counts = np.zeros(BINS, np.int64)
    for value in np.abs(values.astype(np.float64)).reshape(-1):
        counts[int(value // width)] += 1
    return counts


def same(one: Histogram, other: Histogram) -> bool:
    scalars = (one.width, one.minimum, one.maximum) == (other.width, other.minimum, other.maximum)
    return scalars and np.array_equal(one.counts, other.counts)


def test_that_every_value_is_in_the_bin_that_float64_puts_it_in() -> None:
    random = np.random.default_rng(0)
    values = random.standard_normal(20_000).astype(np.float32) * np.float32(3.7)
    edges = (np.arange(200) * 2.0**-13).astype(np.float32)  # exactly on edges, of both signs
    values = np.concatenate([values, edges, -edges])
    histogram = counted(values)
    np.testing.assert_array_equal(histogram.counts, plain_counts(values, histogram.width))


def test_that_min_and_max_are_exact() -> None:
    values = np.array([-7.25, 0.1, 3.3], np.float32)
    histogram = counted(values[:1], values[1:])
    assert (histogram.minimum, histogram.maximum, histogram.amax) == (-7.25, float(values[2]), 7.25)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1, max_size=30).map(
            lambda values: np.array(values, np.float32)
        ),
        min_size=2,
        max_size=6,
    ),
    st.randoms(),
)
def test_that_order_and_merging_never_change_a_count(
    parts: list[NDArray[np.float32]], random: object
) -> None:
    at_once = counted(np.concatenate(parts))
    shuffled = list(parts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert same(at_once, counted(*shuffled))
    left, right = HistogramAccumulator(), HistogramAccumulator()
    left.update(parts[0])
    for part in parts[1:]:
        right.update(part)
    left.merge(right)
    assert same(at_once, left.result())
    assert same(at_once, HistogramAccumulator.of(at_once).result())


def test_that_zeros_alone_are_counted() -> None:
    histogram = counted(np.zeros(100, np.float32))
    assert histogram.amax == 0
    assert histogram.total == 100
    assert histogram.coarse(2048)[0] == 100


def test_that_an_empty_accumulator_has_an_empty_result() -> None:
    histogram = HistogramAccumulator().result()
    assert (histogram.total, histogram.amax) == (0, 0.0)
    assert same(histogram, HistogramAccumulator.of(histogram).result())


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_that_what_is_not_finite_is_refused_and_nothing_counted(bad: float) -> None:
    accumulator = HistogramAccumulator()
    with pytest.raises(NotFinite):
        accumulator.update(np.array([1.0, bad, 2.0], np.float32))
    assert accumulator.result().total == 0


def test_that_tensors_larger_than_a_chunk_are_counted_whole() -> None:
    values = np.random.default_rng(1).standard_normal((3, 700, 500)).astype(np.float32)
    histogram = counted(values)
    assert histogram.total == values.size
    expected = np.bincount((np.abs(values.astype(np.float64)) / histogram.width).astype(int).ravel())
    np.testing.assert_array_equal(histogram.counts[: len(expected)], expected)


def test_that_coarse_bins_hold_every_value_within_half_a_fine_bin() -> None:
    values = np.random.default_rng(2).exponential(size=50_000).astype(np.float32)
    histogram = counted(values)
    coarse = histogram.coarse(2048)
    assert coarse.sum() == values.size
    below = np.cumsum(coarse)
    edges = np.arange(1, 2049) * histogram.amax / 2048
    least = np.array([(values < edge - histogram.width).sum() for edge in edges[::64]])
    most = np.array([(values <= edge + histogram.width).sum() for edge in edges[::64]])
    assert np.all((least <= below[::64]) & (below[::64] <= most))


def test_that_the_share_above_a_range_is_that_of_the_values() -> None:
    values = np.random.default_rng(3).standard_normal(10_000).astype(np.float32)
    histogram = counted(values)
    amax = 128 * histogram.width * 20  # an edge of a bin
    assert histogram.share_above(amax) == pytest.approx(np.mean(np.abs(values) >= amax), abs=1e-12)
    assert histogram.share_above(histogram.amax) == 0
