"""Numbers as a dock shows them: a real minus sign, a steady width, a dash where there is none."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QWidget

DASH = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"


def fixed(value: float | None, decimals: int, *, sign: bool = False) -> str:
    """A number with so many decimals; a dash for None and nan."""
    if value is None or math.isnan(value):
        return DASH
    if math.isinf(value):
        return f"{MINUS if value < 0 else ''}\N{INFINITY}"
    return _minus(f"{value:{'+' if sign else ''}.{decimals}f}")


def short(value: float | None, digits: int = 3) -> str:
    """A number with so many significant digits, as short as it goes; a dash for None and nan."""
    if value is None or math.isnan(value):
        return DASH
    if math.isinf(value):
        return fixed(value, 0)
    if value != 0 and not 1e-3 <= abs(value) < 1e5:
        mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
        return _minus(f"{mantissa}e{int(exponent)}")
    return _minus(f"{value:.{digits}g}" if abs(value) < 10**digits else f"{value:.0f}")


def share(value: float | None) -> str:
    """A share (0..1) in per cent: "4.5 %", "0.02 %", "< 0.01 %"."""
    if value is None or math.isnan(value):
        return DASH
    percent = value * 100
    if 0 < percent < 0.01:
        return "< 0.01 %"
    decimals = 2 if 0 < percent < 1 else 1
    return f"{percent:.{decimals}f} %"


def tabular(widget: QWidget) -> None:
    """Gives the widget's digits one width, so that nothing jumps while they change."""
    font = QFont(widget.font())
    font.setFeature(QFont.Tag("tnum"), 1)
    widget.setFont(font)


def panel(widget: QWidget) -> None:
    """Makes the widget a panel of the theme: it paints the surface, so that plots and maps lie on one ground."""
    widget.setProperty("role", "panel")
    widget.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)


def _minus(text: str) -> str:
    return text.replace("-", MINUS)
