"""The plot of an error histogram: signed logarithmic differences, their shares on a log scale, and the two epsilon lines."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from trtviewer.compare.tensor_error import ErrorHistogram
from trtviewer.gui.docks.figures import fixed, short
from trtviewer.gui.theme import DARK, Theme

DECADES = 5
"""Decades of |d| that each half of the axis shows; smaller differences stand in the middle."""

_MIDDLE = 0.4
"""Half the width of the middle, in decades."""


@dataclass(frozen=True, slots=True)
class Axis:
    """The signed logarithmic axis: d to its place and back.

    Attributes:
        top: the exponent of the greatest |d| shown, a power of ten: so the axis moves in steps.
    """

    top: int

    @property
    def least(self) -> float:
        """Differences below it stand in the middle."""
        return 10.0 ** (self.top - DECADES)

    @property
    def end(self) -> float:
        """The place of the right end."""
        return _MIDDLE + DECADES

    def place(self, d: float) -> float:
        """Where a difference stands; those in the middle are spread evenly over it."""
        return float(self.places(np.array([d]))[0])

    def places(self, d: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where differences stand, [N]."""
        size = np.abs(d) / self.least
        far = np.minimum(_MIDDLE + np.log10(np.maximum(size, 1.0)), self.end)
        return np.where(size <= 1, d / self.least * _MIDDLE, np.copysign(far, d))

    def value(self, place: float) -> float:
        """The difference that stands there."""
        size = abs(place)
        if size <= _MIDDLE:
            return place / _MIDDLE * self.least
        return math.copysign(self.least * 10 ** (size - _MIDDLE), place)

    def ticks(self) -> list[tuple[float, str]]:
        """Zero and each power of ten, on both sides."""
        sizes = [10.0**exponent for exponent in range(self.top - DECADES, self.top + 1)]
        return (
            [(self.place(-size), short(-size)) for size in reversed(sizes[1:])]
            + [(0.0, "0")]
            + [(self.place(size), short(size)) for size in sizes[1:]]
        )


@dataclass(frozen=True, eq=False, slots=True)
class Bars:
    """The histogram cut at +-epsilon and put on the axis: left and right end of each bar, and its share of all values."""

    left: NDArray[np.float64]
    right: NDArray[np.float64]
    share: NDArray[np.float64]
    outside: NDArray[np.bool_]


def axis_for(max_abs: float | None) -> Axis:
    """The axis whose ends are the next power of ten above the greatest difference."""
    if not max_abs or not math.isfinite(max_abs):
        return Axis(1)
    return Axis(math.ceil(math.log10(max_abs) - 1e-9))


def bars_of(histogram: ErrorHistogram, axis: Axis, epsilon: float) -> Bars:
    """What is painted. A bin that epsilon cuts becomes two bars, as if it were spread evenly inside."""
    edges, counts = histogram.signed()
    total = max(1, histogram.total)
    finite = np.isfinite(edges[:-1]) & np.isfinite(edges[1:]) & (counts > 0)
    left, right, counts = edges[:-1][finite], edges[1:][finite], counts[finite].astype(np.float64)
    for cut in (-epsilon, epsilon, -axis.least, axis.least):
        left, right, counts = _cut(left, right, counts, cut)
    middle = np.abs(left + right) / 2
    outside, small = middle > epsilon, middle < axis.least
    # The middle is one bar, or three where epsilon cuts it.
    inner = axis.place(min(epsilon, axis.least))
    starts, stops, sums = [-inner], [inner], [counts[small & ~outside].sum()]
    if epsilon < axis.least:
        starts, stops = [-inner, -_MIDDLE, inner], [inner, -inner, _MIDDLE]
        sums += [counts[small & outside & (np.sign(left + right) == sign)].sum() for sign in (-1, 1)]
    in_middle = np.arange(len(sums)) > 0
    return Bars(
        np.append(axis.places(left[~small]), starts),
        np.append(axis.places(right[~small]), stops),
        np.append(counts[~small], sums) / total,
        np.append(outside[~small], in_middle),
    )


def _cut(
    left: NDArray[np.float64], right: NDArray[np.float64], counts: NDArray[np.float64], cut: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The bins with the one that holds `cut` made two, its count divided by width."""
    place = np.flatnonzero((left < cut) & (cut < right))
    if not len(place):
        return left, right, counts
    share = (cut - left[place]) / (right[place] - left[place])
    first, second = counts[place] * share, counts[place] * (1 - share)
    return (
        np.append(np.delete(left, place), (left[place], np.full(len(place), cut))),
        np.append(np.delete(right, place), (np.full(len(place), cut), right[place])),
        np.append(np.delete(counts, place), (first, second)),
    )


class HistogramPlot(pg.PlotWidget):
    """Shows a histogram; both epsilon lines move together when either is dragged.

    Signals:
        epsilon_dragged(float): the user moved a line.
    """

    epsilon_dragged = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("error_histogram.plot")
        self.setMinimumSize(240, 80)
        self.setAccessibleName("Histogram of the differences")
        self._theme: Theme = DARK
        self._axis = Axis(1)
        self._histogram: ErrorHistogram | None = None
        self._epsilon = 0.5
        self._depth = 0
        item = self.getPlotItem()
        item.hideButtons()
        item.setMenuEnabled(False)
        item.setMouseEnabled(False, False)
        item.getViewBox().setDefaultPadding(0)
        item.layout.setContentsMargins(0, 8, 16, 0)
        item.showAxis("top", False)
        item.showAxis("right", False)
        self._inside = pg.BarGraphItem(x0=[0.0], x1=[0.0], y0=0.0, height=[0.0], pen=None)
        self._outside = pg.BarGraphItem(x0=[0.0], x1=[0.0], y0=0.0, height=[0.0], pen=None)
        self._lines = [pg.InfiniteLine(angle=90, movable=True, name=name) for name in ("minus", "plus")]
        for part in (self._inside, self._outside, *self._lines):
            item.addItem(part)
        for line in self._lines:
            line.setCursor(Qt.CursorShape.SplitHCursor)
            line.sigDragged.connect(self._dragged)
        self._label = pg.TextItem(anchor=(0, 0))
        item.addItem(self._label)
        self.set_theme(DARK)
        self.show_histogram(None, None, 0.5)

    @property
    def axis(self) -> Axis:
        """The axis of now."""
        return self._axis

    def line_places(self) -> tuple[float, float]:
        """Where the two epsilon lines stand."""
        return float(self._lines[0].value()), float(self._lines[1].value())

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.setBackground(theme.surface)
        item = self.getPlotItem()
        for name in ("left", "bottom"):
            axis = item.getAxis(name)
            axis.setPen(pg.mkPen(theme.line, width=1))
            axis.setTextPen(pg.mkPen(theme.faint))
            axis.setStyle(tickLength=-4)
        self._inside.setOpts(brush=theme.color("control"))
        self._outside.setOpts(brush=theme.color("warning"))
        for line in self._lines:
            line.setPen(pg.mkPen(theme.text, width=1))
            line.setHoverPen(pg.mkPen(theme.accent, width=1))
        self._label.setColor(theme.color("text"))

    def show_histogram(self, histogram: ErrorHistogram | None, max_abs: float | None, epsilon: float) -> None:
        """Shows other counts, or another epsilon; the ranges change in whole decades only."""
        self._histogram, self._epsilon = histogram, epsilon
        axis = axis_for(max_abs)
        depth = 0 if histogram is None else max(2, math.ceil(math.log10(max(10, histogram.total))))
        item = self.getPlotItem()
        if axis != self._axis or depth != self._depth:
            self._axis, self._depth = axis, depth
            item.setXRange(-axis.end, axis.end, padding=0)
            item.setYRange(-max(2, depth), 0.0, padding=0.02)
            item.getAxis("bottom").setTicks([axis.ticks()])
            item.getAxis("left").setTicks([_share_ticks(max(2, depth))])
            for line in self._lines:
                line.setBounds((-axis.end, axis.end))
        self._paint()

    def _paint(self) -> None:
        plus = self._axis.place(self._epsilon)
        self._lines[0].setValue(-plus)
        self._lines[1].setValue(plus)
        self._label.setText(f"± {fixed(self._epsilon, 3).rstrip('0').rstrip('.')}")
        self._label.setPos(plus, 0.0)
        nearly_right = plus > self._axis.end * 0.8
        self._label.setAnchor((1, 0) if nearly_right else (0, 0))
        floor = -float(max(2, self._depth))
        if self._histogram is None or not self._histogram.total:
            empty = {"x0": [0.0], "x1": [0.0], "y0": floor, "height": [0.0]}
            self._inside.setOpts(**empty)
            self._outside.setOpts(**empty)
            return
        bars = bars_of(self._histogram, self._axis, self._epsilon)
        with np.errstate(divide="ignore"):
            height = np.maximum(0.0, np.log10(bars.share) - floor)
        for part, chosen in ((self._inside, ~bars.outside), (self._outside, bars.outside)):
            part.setOpts(x0=bars.left[chosen], x1=bars.right[chosen], y0=floor, height=height[chosen])

    def _dragged(self, line: pg.InfiniteLine) -> None:
        value = abs(self._axis.value(float(line.value())))
        self.epsilon_dragged.emit(float(f"{value:.3g}"))


def _share_ticks(depth: int) -> list[tuple[float, str]]:
    """At most five marks, so that they never run into each other."""
    step = max(1, math.ceil(depth / 4))
    names = {0: "100 %", -1: "10 %", -2: "1 %", -3: "0.1 %", -4: "0.01 %"}
    return [
        (float(place), names.get(place, f"{10.0 ** (place + 2):.{max(0, -place - 2)}f} %"))
        for place in range(0, -depth - 1, -step)
    ]
