"""From the histogram of a tensor to the range that INT8 gives it, by four methods.

`mse` is the default: it weighs clipping against rounding on the tensor's own values and needs no percentile to be chosen. Measured:
best of the four on both outputs of YOLOv4-tiny (`tests/benchmarks/bench_calibration.py methods`: MSE 0.053 and 0.093; percentile
99.99 0.070 and 0.103, min-max 0.132 and 0.224, entropy 0.175 and 0.228) and best or next to best on YOLOv3-tiny (facts 2.6).
`entropy` clips the long tails of LeakyReLU maps, and `minmax` lets one outlier set the step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from trtviewer.quantize.histogram import Histogram, HistogramAccumulator
from trtviewer.quantize.ranges import Ranges

LEVELS = 127
"""Steps from zero to the end of the range: the scale is amax / 127."""
ENTROPY_BINS = 2048
ENTROPY_LEVELS = 128
DEFAULT_PERCENTILE = 99.99
_CANDIDATES = 1024
"""Clips that `mse` tries, evenly spaced up to the largest value."""


class Method(StrEnum):
    """How a range is found."""

    MINMAX = "minmax"
    PERCENTILE = "percentile"
    ENTROPY = "entropy"
    MSE = "mse"


DEFAULT_METHOD = Method.MSE


def amax_by_tensor(
    ranges: Ranges,
    method: Method | str = DEFAULT_METHOD,
    percentile: float = DEFAULT_PERCENTILE,
    groups: Mapping[str, int] | None = None,
) -> dict[str, float]:
    """The range of every tensor by one method; the picture's own where that is known beforehand.

    Args:
        percentile: for that method only.
        groups: `Layout.groups`; tensors that are to share one scale are then counted as one, which on YOLOv4-tiny leaves 4 to 20 %
            less error than the largest of their own ranges. Only these tensors are given.
    """
    compute = _method(Method(method), percentile)
    histograms = ranges.histograms if groups is None else _together(ranges, groups)
    amax_of = {id(histogram): compute(histogram) for histogram in histograms.values()}
    amax = {name: amax_of[id(histogram)] for name, histogram in histograms.items()}
    return amax | {name: value for name, value in ranges.known.items() if name in amax}


def percentile_amax(histogram: Histogram, percentile: float) -> float:
    """The end of the first bin below which at least `percentile` % of the values lie; at most the largest value."""
    if not histogram.total:
        return 0.0
    below = np.cumsum(histogram.counts)
    index = int(np.searchsorted(below, percentile / 100 * below[-1], side="left"))
    return min((index + 1) * histogram.width, histogram.amax)


def entropy_amax(histogram: Histogram) -> float:
    """The range that keeps most information by TensorRT's measure: see `entropy_bins`."""
    counts = histogram.coarse(ENTROPY_BINS)
    return entropy_bins(counts) * histogram.amax / ENTROPY_BINS


def entropy_bins(counts: NDArray[np.int64]) -> int:
    """How many of the first bins to keep so that KL(P || Q) is least; of equals, the most.

    P: the first i bins, what is beyond added to the last. Q: the same bins merged to 128 levels and spread back evenly over
    those that are not empty. Zeros of a ReLU would drown all else: the first bin counts as much as the second.

    Args: counts: [2048], of |x|.
    Source: pytorch-quantization, calib/histogram.py, `_compute_amax_entropy` (start_bin 128, stride 1). All i at once: with running
    sums, KL needs only the 129 edges of the levels of each.
    """
    bins = counts.astype(np.float64)
    bins[0] = bins[1]
    total = bins.sum()
    if not total:
        return len(bins)
    sums = _running(bins)
    filled = _running((bins > 0).astype(np.float64))
    logs = np.log(bins, out=np.zeros_like(bins), where=bins > 0)
    self_information = _running(bins * logs)

    kept = np.arange(ENTROPY_LEVELS, len(bins) + 1)
    edges = -(-(kept[:, None] * np.arange(ENTROPY_LEVELS + 1)) // ENTROPY_LEVELS)
    level_sum = np.diff(sums[edges], axis=1)
    level_filled = np.diff(filled[edges], axis=1)
    # log of Q in each level; empty levels have no weight and no part.
    level_log = np.log(
        np.divide(level_sum, level_filled, out=np.ones_like(level_sum), where=level_filled > 0),
        out=np.zeros_like(level_sum),
        where=level_sum > 0,
    )
    tail = total - sums[kept]
    last = bins[kept - 1]
    last_with_tail = last + tail
    p_log_p = self_information[kept] - last * logs[kept - 1]
    p_log_p += last_with_tail * np.log(last_with_tail, out=np.zeros_like(tail), where=last_with_tail > 0)
    p_log_q = (level_sum * level_log).sum(1) + tail * level_log[:, -1]
    kept_sum = sums[kept]
    with np.errstate(divide="ignore", invalid="ignore"):
        divergence = (p_log_p - p_log_q) / total - np.log(total) + np.log(kept_sum)
    # A tail that falls into an empty last bin has no counterpart in Q.
    divergence[(tail > 0) & (last == 0)] = np.inf
    divergence[kept_sum == 0] = np.inf
    # The sums of one clip and the next differ in their last digits only where the clips mean the same.
    best = np.flatnonzero(divergence <= divergence.min() + 1e-12)[-1]
    return int(kept[best])


def mse_amax(histogram: Histogram) -> float:
    """The range whose 8-bit quantization has the least squared error, clipped values and rounding together.

    Of 1024 clips evenly spaced up to the largest value. The error is that of the bins' middles, summed exactly level by level:
    with running sums of 1, x and x^2, a clip needs only the 128 edges of its levels.
    """
    if histogram.amax == 0:
        return 0.0
    clips = np.arange(_CANDIDATES // 128, _CANDIDATES + 1, dtype=np.float64) * (histogram.amax / _CANDIDATES)
    return float(clips[np.argmin(expected_square_error(histogram, clips))])


def expected_square_error(histogram: Histogram, clips: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean squared error on these values of rounding to 127 steps up to each clip. `clips`: [N], above 0."""
    middle = (np.arange(len(histogram.counts)) + 0.5) * histogram.width
    counts = histogram.counts.astype(np.float64)
    ones, first, second = (_running(counts * middle**power) for power in (0, 1, 2))
    scale = np.asarray(clips, np.float64)[:, None] / LEVELS
    level = np.arange(LEVELS + 1)
    # Level q takes the middles from (q - 1/2) to (q + 1/2) steps, the last all beyond, too.
    upper = np.ceil((level[:-1] + 0.5) * scale / histogram.width - 0.5).astype(np.int64)
    edges = np.concatenate(
        [np.zeros((len(scale), 1), np.int64), upper, np.full((len(scale), 1), len(counts))], axis=1
    )
    edges = np.clip(edges, 0, len(counts))
    value = level * scale
    error = (
        np.diff(second[edges], axis=1)
        - 2 * value * np.diff(first[edges], axis=1)
        + value**2 * np.diff(ones[edges], axis=1)
    )
    return np.asarray(error.sum(1) / max(histogram.total, 1))


def _together(ranges: Ranges, groups: Mapping[str, int]) -> dict[str, Histogram]:
    accumulators: dict[int, HistogramAccumulator] = {}
    for tensor, group in groups.items():
        part = HistogramAccumulator.of(ranges.histograms[tensor])
        if group in accumulators:
            accumulators[group].merge(part)
        else:
            accumulators[group] = part
    merged = {group: accumulator.result() for group, accumulator in accumulators.items()}
    return {tensor: merged[group] for tensor, group in groups.items()}


def _running(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums of the first 0, 1, 2, ... values."""
    return np.concatenate([[0.0], np.cumsum(values)])


def _method(method: Method, percentile: float) -> Callable[[Histogram], float]:
    if method is Method.PERCENTILE:
        return lambda histogram: percentile_amax(histogram, percentile)
    return {
        Method.MINMAX: lambda histogram: histogram.amax,
        Method.ENTROPY: entropy_amax,
        Method.MSE: mse_amax,
    }[method]
