"""The charts of the HTML report, from the figures to their axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trtviewer.compare.average_precision import RECALLS
from trtviewer.compare.tensor_error import MAGNITUDE_EDGES, ErrorHistogram
from trtviewer.opencv import cv2
from trtviewer.report.html_pictures import embedded
from trtviewer.report.html_tables import text
from trtviewer.report.svg import (
    Axis,
    Line,
    count_axis,
    dashed,
    line_chart,
    log_axis,
    percent_axis,
    shade,
    stacked_bars,
)
from trtviewer.report.worst_pictures import sequential

_MOST_BARS = 200
_HEIGHTS = (4, 8, 16, 32, 64, 128, 256, 512, 1024)
_LINES = 4


def height_chart(heights: Mapping[str, Any], candidate: str) -> str:
    """Recall of the reference's detections against their height; empty where they are all of one bin."""
    bins = [one for one in heights["bins"] if one["reference"] >= 3]
    if len(bins) < 2:
        return ""
    low = max(2.0, bins[0]["low"] or 2.0)
    high = float(bins[-1]["high"] or 2 * bins[-1]["low"])
    ticks = tuple((float(tick), str(tick)) for tick in _HEIGHTS if low <= tick <= high)
    x = Axis(low, high, ticks, "height of the object, pixels of the frame", log=True)
    y = percent_axis("found by the candidate")
    points = tuple(
        (float(np.sqrt(max(one["low"], low) * (one["high"] or high))), one["recall"]) for one in bins
    )
    below = heights["blind_below"] or heights["half_below"]
    word = "blind" if heights["blind_below"] else "at most half"
    shades = shade(x, y, low, below, f"{word} below {below} px") if below and below > low else ""
    label = f"recall of {candidate} against height in pixels"
    return line_chart([Line(points, "candidate", dots=True)], x, y, label, shades)


def timeline_chart(timeline: NDArray[np.float64], unit: int) -> str:
    """Missed and extra over the compared frames."""
    count = len(timeline)
    step = -(-count // _MOST_BARS)
    sums = np.add.reduceat(timeline, np.arange(0, count, step), axis=0)
    x = count_axis(float(count * unit), "compared frames, in their order")
    x = Axis(0.0, float(count * unit), tuple(tick for tick in x.ticks if tick[0] <= count * unit), x.title)
    each = f"in {step * unit:,} frames each" if step * unit > 1 else "in each frame"
    y = count_axis(float((sums[:, 0] + sums[:, 1]).max()), each)
    bars = (
        (index * step * unit, min((index + 1) * step, count) * unit, (missed, extra))
        for index, (missed, extra, _) in enumerate(sums.tolist())
    )
    return stacked_bars(bars, (("missed", "missed"), ("extra", "extra")), x, y, "missed and extra over time")


def precision_chart(curves: tuple[NDArray[np.float64], NDArray[np.float64]], sides: tuple[str, str]) -> str:
    """Precision against recall at IoU 0.5, the mean over the classes."""
    lines = [
        Line(tuple(zip(RECALLS.tolist(), curve.tolist(), strict=True)), style, name)
        for curve, style, name in zip(curves, ("reference", "candidate"), sides, strict=True)
    ]
    x, y = percent_axis("recall"), percent_axis("precision, mean over classes")
    return line_chart(lines, x, y, "precision against recall of both sides")


def error_chart(histograms: Mapping[str, ErrorHistogram], epsilon: float) -> str:
    """How often |d| has which size, output by output; empty where nothing differs."""
    shown = [(name, histogram.magnitudes()) for name, histogram in histograms.items()][:_LINES]
    shown = [(name, counts) for name, counts in shown if counts[1:].any()]
    if not shown:
        return ""
    # The eight bins of an octave are taken together: they are of equal width, not of equal ratio.
    edges = MAGNITUDE_EDGES[:-1:8]
    shares = [
        (name, np.add.reduceat(counts[: len(edges) * 8], np.arange(0, len(edges) * 8, 8)))
        for name, counts in shown
    ]
    used = np.flatnonzero(np.sum([counts for _, counts in shares], axis=0)[1:]) + 1
    # What is farther down than a millionth is rounding.
    high = float(edges[min(used[-1] + 1, len(edges) - 1)])
    low = max(float(edges[used[0]]), high * 1e-6)
    x = log_axis(low, high, "|candidate − reference|")
    lines, greatest = [], 0.0
    for place, (name, counts) in enumerate(shares):
        share = counts / max(counts.sum(), 1)
        inside = (edges >= x.low) & (edges <= x.high)
        greatest = max(greatest, float(share[inside].max()))
        points = tuple(zip((edges[inside] * 2**0.5).tolist(), share[inside].tolist(), strict=True))
        lines.append(Line(points, f"c{place}", name))
    y = percent_axis("share of values, by octaves", _round_share(greatest))
    mark = dashed(x, y, epsilon, f"ε = {epsilon:g}") if x.low <= epsilon <= x.high else ""
    return line_chart(lines, x, y, "how far the outputs' values are off", mark)


def map_picture(misses: NDArray[np.int64], frame_size: Sequence[int]) -> str:
    """Where in the frame the misses are, as a small map; empty where there are none."""
    missed = misses[1].astype(np.float64)
    if not missed.any():
        return ""
    smooth = np.asarray(cv2.GaussianBlur(missed, (0, 0), 0.7))
    done, data = cv2.imencode(".png", sequential(smooth / smooth.max()))
    assert done
    height, width = frame_size
    title = "Where in the frame they are missed"
    return (
        f'<div class="card where"><h3>{title}</h3><img alt="{text(title.lower())}" src="{embedded(bytes(data), "png")}" '
        f'style="aspect-ratio:{width}/{height}"></div>'
    )


def _round_share(greatest: float) -> float:
    return next(top for top in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0) if greatest <= top or top == 1.0)
