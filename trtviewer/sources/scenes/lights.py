"""Lamps that shine: the glow around them, its streak on wet ground, and the pool before a vehicle."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from trtviewer.opencv import cv2
from trtviewer.sources.scenes.sprite import Colour


def add_glow(
    picture: NDArray[np.uint8], x: float, y: float, radius: float, colour: Colour, strength: int
) -> None:
    """Adds a round glow to the picture, in place; strength 0..256."""
    size = max(2, min(160, round(radius)))
    _add(picture, _glow(size, size, colour, strength // 16 * 16), round(x) - size, round(y) - size)


def add_pool(
    picture: NDArray[np.uint8], x: float, y: float, wide: float, high: float, colour: Colour, strength: int
) -> None:
    """Adds a flat glow, `wide` by `high` pixels from its middle, as light lies on the ground."""
    across, down = max(2, min(480, round(wide / 4) * 4)), max(2, min(200, round(high / 2) * 2))
    _add(picture, _pool(across, down, colour, strength // 16 * 16), round(x) - across, round(y) - down)


@lru_cache(maxsize=512)
def _glow(across: int, down: int, colour: Colour, strength: int) -> NDArray[np.uint8]:
    """A hot middle and a wide faint rim; quotients of whole numbers only, so the same everywhere."""
    x = np.arange(-across, across + 1, dtype=np.int64)[None, :]
    y = np.arange(-down, down + 1, dtype=np.int64)[:, None]
    far = (x * x * 4096) // (across * across) + (y * y * 4096) // (down * down)
    rim = np.clip(4096 - far, 0, 4096)
    hot = 4096 * 110 // (110 + far * 2)
    level = (hot * rim >> 12) * strength >> 8
    white = np.clip(level - 2600, 0, 4096)
    parts = [np.clip((level * value + white * 120) >> 11, 0, 255) for value in colour]
    return np.ascontiguousarray(np.stack(parts, -1).astype(np.uint8))


@lru_cache(maxsize=512)
def _pool(across: int, down: int, colour: Colour, strength: int) -> NDArray[np.uint8]:
    x = np.arange(-across, across + 1, dtype=np.int64)[None, :]
    y = np.arange(-down, down + 1, dtype=np.int64)[:, None]
    far = (x * x * 4096) // (across * across) + (y * y * 4096) // (down * down)
    rim = np.clip(4096 - far, 0, 4096)
    level = (rim * rim >> 12) * strength >> 8
    parts = [np.clip((level * value) >> 12, 0, 255) for value in colour]
    return np.ascontiguousarray(np.stack(parts, -1).astype(np.uint8))


def _add(picture: NDArray[np.uint8], glow: NDArray[np.uint8], left: int, top: int) -> None:
    high, wide = glow.shape[:2]
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + wide, picture.shape[1]), min(top + high, picture.shape[0])
    if x0 < x1 and y0 < y1:
        target = picture[y0:y1, x0:x1]
        target[:] = cv2.add(target, glow[y0 - top : y1 - top, x0 - left : x1 - left])
