"""Calibration by plain loops in float64, on stored values: nothing of it is shared with trtviewer.quantize."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def quantization_mse(values: NDArray[np.float32], amax: float) -> float:
    """The mean squared error of symmetric 8-bit rounding up to `amax`, on the values themselves."""
    magnitude = np.abs(values.astype(np.float64)).reshape(-1)
    step = amax / 127
    rounded = np.minimum(np.rint(magnitude / step), 127) * step
    return float(np.mean((magnitude - rounded) ** 2))


def best_mse(values: NDArray[np.float32], tries: int = 2000) -> float:
    """The least error of `tries` clips between 1/200 of the largest value and all of it."""
    largest = float(np.abs(values).max())
    return min(quantization_mse(values, largest * k / tries) for k in range(tries // 200, tries + 1))


def entropy_bins(counts: list[int], levels: int = 128) -> int:
    """TensorRT's search as it is commonly written: every clip rebuilt bin by bin. Of equal divergences the widest clip wins."""
    bins = [float(count) for count in counts]
    bins[0] = bins[1]
    divergences: list[float] = []
    for kept in range(levels, len(bins) + 1):
        p = bins[:kept]
        p[-1] += sum(bins[kept:])
        sums, filled = [0.0] * levels, [0] * levels
        level_of = [index * levels // kept for index in range(kept)]
        for index in range(kept):
            if bins[index]:
                sums[level_of[index]] += bins[index]
                filled[level_of[index]] += 1
        q = [sums[level_of[index]] / filled[level_of[index]] if bins[index] else 0.0 for index in range(kept)]
        divergences.append(_divergence(p, q))
    least = min(divergences)
    return max(index for index, value in enumerate(divergences) if value <= least + 1e-12) + levels


def _divergence(p: list[float], q: list[float]) -> float:
    p_sum, q_sum = sum(p), sum(q)
    if not p_sum or not q_sum:
        return math.inf
    result = 0.0
    for a, b in zip(p, q, strict=True):
        if a and not b:
            return math.inf
        if a:
            result += a / p_sum * math.log((a / p_sum) / (b / q_sum))
    return result
