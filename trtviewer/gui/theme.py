"""Colours by meaning: one table of roles, light and dark, and what Qt makes of it.

Colour says what happened to an object, never its class. The three meanings are told apart after Okabe and Ito, and by
line style besides: matched thin and solid, missed thick and solid with a dashed ghost on the other side, extra dotted.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette, QPen


@dataclass(frozen=True, slots=True)
class Theme:
    """One theme: role to colour (`#rrggbb`).

    Attributes:
        background: behind everything; also the middle of a diverging map.
        surface: panels, docks, tables.     raised: buttons, fields, headers.
        line: hairlines between parts.      control: the outline of a control, 3 to 1 against the surface.
        text, faint: text and units; at least 4.5 to 1 on background, surface and raised.
        accent, on_accent: what can be pressed or is chosen, and text on it.
        matched, missed, extra: the meanings in panels (text, bars, strip); at least 4.5 to 1 on background and surface.
        truth: true objects.     warning: the emulated mark and notices.
        canvas: around the picture in a pane.
    """

    name: str
    background: str
    surface: str
    raised: str
    line: str
    control: str
    text: str
    faint: str
    accent: str
    on_accent: str
    matched: str
    missed: str
    extra: str
    truth: str
    warning: str
    canvas: str

    def color(self, role: str) -> QColor:
        """The colour of a role, `theme.color("missed")`."""
        return QColor(getattr(self, role))


DARK = Theme(
    name="dark",
    background="#17191c",
    surface="#1f2226",
    raised="#2a2e34",
    line="#363b42",
    control="#7a828d",
    text="#e8eaed",
    faint="#a0a7b1",
    accent="#5ea2ff",
    on_accent="#0b1422",
    matched="#2fbf94",
    missed="#ff7a33",
    extra="#5ab0f2",
    truth="#ffffff",
    warning="#f0c24b",
    canvas="#0e0f11",
)
LIGHT = Theme(
    name="light",
    background="#f4f5f7",
    surface="#ffffff",
    raised="#e9ecf0",
    line="#d3d8de",
    control="#7f8894",
    text="#1b1e23",
    faint="#59616c",
    accent="#1a63c4",
    on_accent="#ffffff",
    matched="#00735a",
    missed="#b34700",
    extra="#0068a8",
    truth="#1b1e23",
    warning="#7d5a00",
    canvas="#dfe3e8",
)
THEMES = {theme.name: theme for theme in (LIGHT, DARK)}


@dataclass(frozen=True, slots=True)
class LineStyle:
    """How a box of one meaning is drawn on a picture: bright enough for any picture, over a thin dark halo."""

    color: str
    width: float
    style: Qt.PenStyle

    def pen(self, pixel_scale: float = 1.0) -> QPen:
        """A cosmetic pen; `pixel_scale` widens it (presentation mode)."""
        pen = QPen(QColor(self.color), self.width * pixel_scale, self.style)
        pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        pen.setCosmetic(True)
        return pen

    def halo(self, pixel_scale: float = 1.0) -> QPen:
        """The dark line under it."""
        # Opaque: the raster engine strokes a translucent pen four times slower.
        pen = QPen(QColor("#14171a"), self.width * pixel_scale + 2, Qt.PenStyle.SolidLine)
        pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        pen.setCosmetic(True)
        return pen


BOX_STYLES = {
    "matched": LineStyle("#35c79b", 1, Qt.PenStyle.SolidLine),
    "missed": LineStyle("#ff6a1f", 2, Qt.PenStyle.SolidLine),
    "missed_ghost": LineStyle("#ff6a1f", 2, Qt.PenStyle.DashLine),
    "extra": LineStyle("#45a6ff", 2, Qt.PenStyle.DotLine),
    "extra_ghost": LineStyle("#45a6ff", 1, Qt.PenStyle.DashLine),
    "truth": LineStyle("#ffffff", 1, Qt.PenStyle.DashDotLine),
}
"""Lines on the pictures, the same in both themes: what lies behind them is the picture, not the theme."""


def system_theme() -> Theme:
    """The theme that the system asks for; dark where it does not say, which suits pictures."""
    scheme = QGuiApplication.styleHints().colorScheme()
    return LIGHT if scheme == Qt.ColorScheme.Light else DARK


def contrast(one: str, other: str) -> float:
    """The WCAG 2 contrast ratio of two colours, 1 to 21."""
    first, second = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (first + 0.05) / (second + 0.05)


def _luminance(name: str) -> float:
    color = QColor(name)
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (color.redF(), color.greenF(), color.blueF())
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def palette(theme: Theme) -> QPalette:
    """The theme as Qt's palette, for everything that the style sheet does not name."""
    made = QPalette()
    role = QPalette.ColorRole
    for target, name in (
        (role.Window, "background"),
        (role.WindowText, "text"),
        (role.Base, "surface"),
        (role.AlternateBase, "background"),
        (role.Text, "text"),
        (role.Button, "raised"),
        (role.ButtonText, "text"),
        (role.BrightText, "text"),
        (role.Highlight, "accent"),
        (role.HighlightedText, "on_accent"),
        (role.Link, "accent"),
        (role.PlaceholderText, "faint"),
        (role.ToolTipBase, "raised"),
        (role.ToolTipText, "text"),
        (role.Mid, "line"),
        (role.Midlight, "raised"),
        (role.Dark, "line"),
        (role.Light, "raised"),
        (role.Shadow, "line"),
    ):
        made.setColor(target, theme.color(name))
    faded = theme.color("faint")
    faded.setAlphaF(0.55)
    for target in (role.Text, role.ButtonText, role.WindowText):
        made.setColor(QPalette.ColorGroup.Disabled, target, faded)
    return made
