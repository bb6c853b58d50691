"""Charts as inline SVG: lines, bars and steps on two axes, coloured by the page's own style sheet."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 520, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 14, 12, 44

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis.

    Attributes:
        low, high: the values at its ends; above 0 where it is logarithmic.
        ticks: value and text, only those between the ends.
        title: what it measures, with its unit.
    """

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    title: str
    log: bool = False

    def place(self, value: float) -> float:
        """0 at the low end, 1 at the high one."""
        low, high, at = self.low, self.high, min(max(value, self.low), self.high)
        if self.log:
            low, high, at = math.log(low), math.log(high), math.log(at)
        return (at - low) / (high - low) if high > low else 0.0


@dataclass(frozen=True, slots=True)
class Line:
    """A line through points; `style` is a class of the style sheet, `name` is written in the legend."""

    points: tuple[Point, ...]
    style: str
    name: str = ""
    dots: bool = False


def line_chart(lines: Sequence[Line], x: Axis, y: Axis, label: str, shades: str = "") -> str:
    """Lines on two axes. Args: label: for who cannot see it. shades: SVG to lie under the lines."""
    parts = [shades]
    for line in lines:
        path = " ".join(f"{_x(x, px):.1f},{_y(y, py):.1f}" for px, py in line.points)
        parts.append(f'<polyline class="line {line.style}" points="{path}"/>')
        if line.dots:
            parts += [
                f'<circle class="dot {line.style}" cx="{_x(x, px):.1f}" cy="{_y(y, py):.1f}" r="3"/>'
                for px, py in line.points
            ]
    return _chart("".join(parts), x, y, label, [(line.name, line.style) for line in lines if line.name])


def stacked_bars(
    bars: Iterable[tuple[float, float, Sequence[float]]],
    styles: Sequence[tuple[str, str]],
    x: Axis,
    y: Axis,
    label: str,
) -> str:
    """Bars from one x to another, each of stacked heights. Args: styles: name and class of each height."""
    parts = []
    for begin, end, heights in bars:
        left, right, base = _x(x, begin), _x(x, end), 0.0
        for height, (_, style) in zip(heights, styles, strict=True):
            if height > 0:
                top, bottom = _y(y, base + height), _y(y, base)
                parts.append(
                    f'<rect class="bar {style}" x="{left:.2f}" y="{top:.2f}" '
                    f'width="{max(right - left, 0.4):.2f}" height="{bottom - top:.2f}"/>'
                )
            base += height
    return _chart("".join(parts), x, y, label, styles)


def shade(x: Axis, y: Axis, begin: float, end: float, text: str) -> str:
    """A stretch of the x axis marked, with words in it; to be given as `shades`."""
    left, right = _x(x, begin), _x(x, end)
    top, bottom = _y(y, y.high), _y(y, y.low)
    # The words stand inside where there is room, else beside it.
    at, anchor = (right - 6, "end") if right - left > 7 * len(text) + 12 else (right + 6, "start")
    return (
        f'<rect class="shade" x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}"/>'
        f'<text class="shade-text" x="{at:.1f}" y="{bottom - 10:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
    )


def dashed(x: Axis, y: Axis, at: float, text: str) -> str:
    """A dashed upright line at an x, with words at its head; to be given as `shades`."""
    place, top, bottom = _x(x, at), _y(y, y.high), _y(y, y.low)
    return (
        f'<line class="mark" x1="{place:.1f}" x2="{place:.1f}" y1="{top:.1f}" y2="{bottom:.1f}"/>'
        f'<text class="tick" x="{place + 4:.1f}" y="{top + 12:.1f}">{escape(text)}</text>'
    )


def percent_axis(title: str, high: float = 1.0) -> Axis:
    """Shares from 0 on."""
    step = next(step for step in (0.01, 0.02, 0.05, 0.1, 0.25, 1.0) if high / step <= 5 or step == 1.0)
    ticks = [step * index for index in range(int(high / step + 1e-9) + 1)]
    return Axis(0.0, high, tuple((tick, f"{100 * tick:g} %") for tick in ticks), title)


def count_axis(greatest: float, title: str) -> Axis:
    """Counts from 0 on, with round ticks."""
    greatest = max(greatest, 1.0)
    power = 10.0 ** math.floor(math.log10(greatest))
    step = next(m * power / 5 for m in (1, 2, 2.5, 5, 10) if greatest / (m * power / 5) <= 5)
    step = max(1.0, step)
    count = math.ceil(greatest / step)
    ticks = tuple((step * index, f"{step * index:,.0f}") for index in range(count + 1))
    return Axis(0.0, step * count, ticks, title)


def log_axis(low: float, high: float, title: str) -> Axis:
    """Powers of ten between two numbers above 0."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    every = max(1, (last - first) // 6)
    ticks = tuple((10.0**power, _power(power)) for power in range(first, last + 1, every))
    return Axis(10.0**first, 10.0**last, ticks, title, log=True)


def _power(exponent: int) -> str:
    if -3 <= exponent <= 4:
        return f"{10.0**exponent:,g}"
    digits = str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"10{digits}"


def _chart(inside: str, x: Axis, y: Axis, label: str, legend: Sequence[tuple[str, str]]) -> str:
    frame = []
    for value, text in y.ticks:
        at = _y(y, value)
        frame.append(f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>')
        frame.append(
            f'<text class="tick" x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{escape(text)}</text>'
        )
    for value, text in x.ticks:
        at = _x(x, value)
        frame.append(f'<line class="stub" x1="{at:.1f}" x2="{at:.1f}" y1="{_floor()}" y2="{_floor() + 4}"/>')
        frame.append(
            f'<text class="tick" x="{at:.1f}" y="{_floor() + 17}" text-anchor="middle">{escape(text)}</text>'
        )
    frame.append(f'<line class="axis" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{_floor()}" y2="{_floor()}"/>')
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    titles = (
        f'<text class="title" x="{middle}" y="{HEIGHT - 6}" text-anchor="middle">{escape(x.title)}</text>'
        f'<text class="title" transform="translate(13 {(_TOP + _floor()) / 2}) rotate(-90)" text-anchor="middle">'
        f"{escape(y.title)}</text>"
    )
    drawn = (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">'
        f"{''.join(frame)}{inside}{titles}</svg>"
    )
    if len(legend) < 2:
        return drawn
    keys = "".join(
        f'<span class="key"><i class="swatch {style}"></i>{escape(name)}</span>' for name, style in legend
    )
    return f'{drawn}<p class="legend">{keys}</p>'


def _floor() -> int:
    return HEIGHT - _BOTTOM


def _x(axis: Axis, value: float) -> float:
    return _LEFT + axis.place(value) * (WIDTH - _LEFT - _RIGHT)


def _y(axis: Axis, value: float) -> float:
    return _floor() - axis.place(value) * (_floor() - _TOP)
