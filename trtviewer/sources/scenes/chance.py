"""Chance that is the same on every machine: numbers hashed from integer keys, and arrays from PCG64."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from trtviewer.opencv import cv2

_MASK = (1 << 64) - 1
_Item = TypeVar("_Item")


def hashed(*keys: int) -> int:
    """64 bits that depend on every key, by SplitMix64's finaliser."""
    state = 0x9E3779B97F4A7C15
    for key in keys:
        state = (state + (key & _MASK) * 0xBF58476D1CE4E5B9 + 0x9E3779B97F4A7C15) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        state ^= state >> 31
    return state


class Chance:
    """A stream of choices that depends on its keys alone."""

    def __init__(self, *keys: int) -> None:
        self._key = hashed(*keys)
        self._drawn = 0

    def bits(self) -> int:
        """The next 64 bits."""
        self._drawn += 1
        return hashed(self._key, self._drawn)

    def between(self, low: float, high: float) -> float:
        """A number in [low, high)."""
        return low + (high - low) * ((self.bits() >> 11) / (1 << 53))

    def whole(self, low: int, high: int) -> int:
        """A whole number in low..high, both included."""
        return low + self.bits() % (high - low + 1)

    def pick(self, items: Sequence[_Item]) -> _Item:
        """One of the items."""
        return items[self.bits() % len(items)]

    def happens(self, share: float) -> bool:
        """True in this share of the draws."""
        return self.between(0.0, 1.0) < share

    def generator(self) -> np.random.Generator:
        """A generator for arrays of whole numbers: the only kind of array that is the same everywhere."""
        return np.random.Generator(np.random.PCG64(self.bits()))


def bell(generator: np.random.Generator, shape: tuple[int, ...], spread: int) -> NDArray[np.int16]:
    """Whole numbers around 0 with a standard deviation of about `spread`: the sum of three even draws."""
    total: NDArray[Any] = generator.integers(-spread, spread + 1, shape, np.int16)
    for _ in range(2):
        total = total + generator.integers(-spread, spread + 1, shape, np.int16)
    return total


def clouds(
    generator: np.random.Generator, height: int, width: int, coarse: int, octaves: int
) -> NDArray[np.uint8]:
    """Soft noise, 0..255: random grids of rising fineness, each half as strong as the one before."""
    total = np.zeros((height, width), np.int32)
    weight, cells = 128, coarse
    for _ in range(octaves):
        grid = generator.integers(0, 256, (max(2, cells * height // width + 1), cells + 1), np.int32)
        # Resizing uint8 in LINEAR_EXACT is integer arithmetic; floats would differ between processors.
        soft = cv2.resize(grid.astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR_EXACT)
        total += soft.astype(np.int32) * weight
        weight //= 2
        cells = min(cells * 2, width)
    result: NDArray[np.uint8] = np.clip(total >> 8, 0, 255).astype(np.uint8)
    return result


def wave(turns: float) -> float:
    """The sine of a full turn's share, within 0.002, by the four basic operations alone (Bhaskara's formula)."""
    turns -= turns // 1
    half = turns * 2 if turns < 0.5 else turns * 2 - 1
    value = 16 * half * (1 - half) / (5 - 4 * half * (1 - half))
    return value if turns < 0.5 else -value
