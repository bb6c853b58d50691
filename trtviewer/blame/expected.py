"""The error that rounding alone should make at a layer's output: "this is ordinary quantization noise", as a number.

A value rounded to steps of s is off by anything from -s/2 to s/2, evenly: variance s^2/12. At an output of a layer with weights,
for each output channel the errors of all taps add up, independent of each other and of the values:

    s_x^2/12 * sum(w^2)  +  s_w^2/12 * taps * mean(x^2)  +  taps * s_x^2/12 * s_w^2/12

with the step s_x of the activation, s_w of the channel's weights and the mean square of the activation on these frames; the mean
over the channels is what is expected. It is an upper mark where many activations are much smaller than a step (zeros, after a ReLU,
are rounded without any error) and at padded borders; it knows nothing of clipping, nor of errors that are alike over many taps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from trtviewer.blame.twin import Layer

_TWELFTH = 1 / 12


def expected_mse(
    layer: Layer, shapes: Mapping[str, tuple[int, ...]], mean_squares: Sequence[float]
) -> float | None:
    """The MSE to expect at the layer's own output.

    Args:
        shapes: of the reference's tensors.
        mean_squares: of the layer's quantized activations, one for each of its `ranges`, on the frames that are measured.

    Returns: None where the layer is not quantized, or is of an operator of which this cannot be said.
    """
    if not layer.ranges:
        return None
    noise = [pair.scale**2 * _TWELFTH for pair in layer.ranges]
    if layer.weights is not None:
        return _of_weighted(layer, shapes, noise[0], mean_squares[0])
    if layer.op == "Add":
        return sum(noise)
    if layer.op == "Concat":
        sizes = [math.prod(shapes[pair.tensor]) for pair in layer.ranges if pair.tensor in shapes]
        whole = shapes.get(layer.output)
        if whole is None or len(sizes) < len(noise):
            return None
        return sum(size * each for size, each in zip(sizes, noise, strict=True)) / math.prod(whole)
    if layer.op in ("MaxPool", "Resize", "Slice", "Split", "Reshape", "Transpose", "Flatten", "Identity"):
        return noise[0]
    return None


def _of_weighted(
    layer: Layer, shapes: Mapping[str, tuple[int, ...]], noise: float, mean_square: float
) -> float | None:
    """The sum over all taps of all outputs, over the number of outputs: every weight is used equally often."""
    assert layer.weights is not None
    if layer.output not in shapes or not layer.macs:
        return None
    weights = layer.weights.astype(np.float64)
    steps = np.zeros((1,) * weights.ndim) if layer.weight_scales is None else layer.weight_scales
    weight_noise = np.broadcast_to(steps**2 * _TWELFTH, weights.shape)
    by_tap = noise * weights**2 + weight_noise * mean_square + noise * weight_noise
    return float(by_tap.mean()) * layer.macs / math.prod(shapes[layer.output])
