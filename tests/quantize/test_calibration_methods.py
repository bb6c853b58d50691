"""The four methods against independent computations on the stored values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.oracles.calibration import best_mse, entropy_bins, quantization_mse
from trtviewer.quantize import methods
from trtviewer.quantize.histogram import Histogram, HistogramAccumulator
from trtviewer.quantize.methods import Method, amax_by_tensor
from trtviewer.quantize.ranges import Ranges

VALUES = {
    "normal": lambda random: random.standard_normal(40_000),
    "relu": lambda random: np.maximum(random.standard_normal(40_000), 0),
    "leaky, long tail": lambda random: np.where((x := random.standard_t(3, 40_000)) > 0, x, 0.1 * x),
    "uniform": lambda random: random.random(40_000),
    "sigmoid": lambda random: 1 / (1 + np.exp(-4 * random.standard_normal(40_000))),
    "one outlier": lambda random: np.append(random.standard_normal(40_000), 500.0),
    "few": lambda random: np.array([0.3, -1.5, 2.25]),
    "two values": lambda random: np.repeat([0.0, 3.0], 500),
    "tiny": lambda random: random.standard_normal(5_000) * 1e-20,
}


@pytest.fixture(params=VALUES)
def values(request: pytest.FixtureRequest) -> NDArray[np.float32]:
    made = VALUES[request.param](np.random.default_rng(5))
    return np.asarray(made, np.float32)


def counted(values: NDArray[np.float32]) -> Histogram:
    accumulator = HistogramAccumulator()
    accumulator.update(values)
    return accumulator.result()


def ranges_of(values: NDArray[np.float32], **known: float) -> Ranges:
    return Ranges({"images": counted(values), "x": counted(values)}, 1, known)


def test_that_minmax_is_the_largest_absolute_value(values: NDArray[np.float32]) -> None:
    amax = amax_by_tensor(ranges_of(values), "minmax")["x"]
    assert amax == pytest.approx(np.abs(values.astype(np.float64)).max(), rel=1e-5)


@pytest.mark.parametrize("percentile", [50, 99, 99.9, 99.99, 100])
def test_that_a_percentile_is_within_one_bin(values: NDArray[np.float32], percentile: float) -> None:
    histogram = counted(values)
    amax = methods.percentile_amax(histogram, percentile)
    magnitude = np.sort(np.abs(values.astype(np.float64)))
    exact = magnitude[max(0, int(np.ceil(percentile / 100 * magnitude.size)) - 1)]
    assert abs(amax - exact) <= histogram.width


def test_that_the_error_of_the_mse_clip_is_within_one_percent_of_brute_force(
    values: NDArray[np.float32],
) -> None:
    amax = methods.mse_amax(counted(values))
    assert quantization_mse(values, amax) <= 1.01 * best_mse(values) + 1e-45


def test_that_the_expected_error_is_that_of_the_values() -> None:
    values = np.random.default_rng(8).standard_normal(30_000).astype(np.float32)
    clips = np.array([0.5, 1.0, 2.0, 4.0])
    expected = [quantization_mse(values, clip) for clip in clips]
    np.testing.assert_allclose(methods.expected_square_error(counted(values), clips), expected, rtol=0.01)


def test_that_entropy_equals_the_plain_loop(values: NDArray[np.float32]) -> None:
    coarse = counted(values).coarse(2048)
    assert methods.entropy_bins(coarse) == entropy_bins(coarse.tolist())


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 0.99))
def test_that_entropy_equals_the_plain_loop_on_bins_of_any_kind(seed: int, empty: float) -> None:
    random = np.random.default_rng(seed)
    counts = random.poisson(50 * np.exp(-np.arange(2048) / random.uniform(50, 1500)))
    counts[random.random(2048) < empty] = 0
    assert methods.entropy_bins(counts) == entropy_bins(counts.tolist())


def test_that_entropy_gives_a_range_and_not_a_bin_number() -> None:
    values = np.random.default_rng(4).standard_normal(40_000).astype(np.float32)
    histogram = counted(values)
    bins = entropy_bins(histogram.coarse(2048).tolist())
    assert methods.entropy_amax(histogram) == pytest.approx(bins / 2048 * np.abs(values).max(), rel=1e-6)


@pytest.mark.parametrize("method", list(Method))
def test_that_a_dead_tensor_has_no_range(method: Method) -> None:
    assert amax_by_tensor(ranges_of(np.zeros(64, np.float32)), method)["x"] == 0


@pytest.mark.parametrize("method", list(Method))
def test_that_the_range_of_the_picture_is_the_one_known_beforehand(method: Method) -> None:
    values = np.random.default_rng(0).random(1000).astype(np.float32) * np.float32(0.5)
    amax = amax_by_tensor(ranges_of(values, images=1.0), method)
    assert amax["images"] == 1.0
    assert amax["x"] < 0.6


@pytest.mark.parametrize("method", list(Method))
def test_that_tensors_that_share_a_scale_are_counted_as_one(method: Method) -> None:
    random = np.random.default_rng(1)
    parts = {
        name: random.standard_normal(5_000).astype(np.float32) * scale
        for name, scale in zip("abc", (1, 3, 7), strict=True)
    }
    histograms = {name: counted(values) for name, values in parts.items()}
    amax = amax_by_tensor(Ranges(histograms, 1, {"a": 1.0}), method, groups={"a": 0, "b": 1, "c": 1})
    whole = counted(np.concatenate([parts["b"], parts["c"]]))
    assert amax["a"] == 1.0
    assert amax["b"] == amax["c"] == amax_by_tensor(Ranges({"x": whole}, 1), method)["x"]
