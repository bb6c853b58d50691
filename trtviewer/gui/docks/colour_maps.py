"""Values to colours: a perceptually uniform map for values, a diverging one for differences, as tables of 256 pixels."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor

from trtviewer.gui.theme import Theme

ColourTable = NDArray[np.uint32]
"""[256] 0xAARRGGBB, premultiplied: on a little endian machine the bytes that QImage takes as they are."""

# Every 17th colour of matplotlib's viridis (Smith, van der Walt and Firing, CC0); the colours between them are
# interpolated, which is within 7 of 255 of the original everywhere.
_VIRIDIS = "440154 481a6c 472f7d 414487 39568c 31688e 2a788e 23888e 1f988b 22a884 35b779 54c568 7ad151 a5db36 d2e21b fde725"


@lru_cache(maxsize=1)
def viridis() -> ColourTable:
    """From dark to light: more is brighter, for every eye and in grey print."""
    anchors = np.array([[int(name[i : i + 2], 16) for i in (0, 2, 4)] for name in _VIRIDIS.split()], float)
    return _between(np.linspace(0, 1, len(anchors)), anchors)


@lru_cache(maxsize=4)
def diverging(theme: Theme) -> ColourTable:
    """Candidate below reference is the colour of what is missed, above it of what is extra, equal the background."""
    low, middle, high = (_rgb(getattr(theme, role)) for role in ("missed", "surface", "extra"))
    return _between(np.array([0, 0.5, 1]), np.array([low, middle, high]))


@lru_cache(maxsize=16)
def translucent(table_name: str, opacity: float, theme: Theme, *, fades: bool) -> ColourTable:
    """A table to lay over a picture.

    Args:
        table_name: "viridis" or "diverging".
        opacity: 0..1, of the strongest colour.
        fades: weak values let the picture through; else all are equally opaque.
    """
    table = viridis() if table_name == "viridis" else diverging(theme)
    place = np.linspace(0, 1, 256)
    strength = place if table_name == "viridis" else np.abs(2 * place - 1)
    alpha = opacity * (np.minimum(1, 3 * strength) if fades else np.ones(256))
    parts = _parts(table) * alpha[:, None]
    return _packed(parts, alpha * 255)


def coloured(
    values: NDArray[np.float32], levels: tuple[float, float], table: ColourTable, undefined: int
) -> NDArray[np.uint32]:
    """Each value's pixel.

    Args:
        values: [H, W]; infinities take the end of the scale.
        levels: what the first and the last colour stand for.
        table: the colours.
        undefined: the pixel of a nan.

    Returns: [H, W] uint32, contiguous, read-only.
    """
    low, high = levels
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = (values - np.float32(low)) * np.float32(255 / (high - low))
    nan = np.isnan(scaled)
    np.clip(scaled, 0, 255, out=scaled)
    scaled[nan] = 0
    pixels = table[(scaled + np.float32(0.5)).astype(np.uint8)]
    pixels[nan] = undefined
    pixels.setflags(write=False)
    return pixels


def pixel(color: QColor) -> int:
    """A colour as an opaque pixel."""
    return color.rgb() & 0xFFFFFFFF


def _between(places: NDArray[np.float64], colours: NDArray[np.float64]) -> ColourTable:
    at = np.linspace(0, 1, 256)
    parts = np.stack([np.interp(at, places, colours[:, part]) for part in range(3)], axis=1)
    return _packed(parts, np.full(256, 255.0))


def _packed(parts: NDArray[np.float64], alpha: NDArray[np.float64]) -> ColourTable:
    red, green, blue = (np.rint(parts[:, part]).astype(np.uint32) for part in range(3))
    table: ColourTable = np.rint(alpha).astype(np.uint32) << 24 | red << 16 | green << 8 | blue
    table.setflags(write=False)
    return table


def _parts(table: ColourTable) -> NDArray[np.float64]:
    return np.stack([(table >> shift & 255).astype(np.float64) for shift in (16, 8, 0)], axis=1)


def _rgb(name: str) -> tuple[int, int, int]:
    color = QColor(name)
    return color.red(), color.green(), color.blue()
