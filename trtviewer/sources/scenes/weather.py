"""Day, rain and night: how each lights what is drawn, and what each lays over the finished picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trtviewer.opencv import cv2
from trtviewer.sources.scenes.chance import Chance, bell, hashed

CONDITIONS = ("day", "rain", "night", "mix")
FULL = 256
LEVELS = 16
TILE = 512


@dataclass(frozen=True, slots=True)
class Ground:
    """What lies under an object: the sun's shadow (sideways metres a metre of height), a dull one, a mirror image."""

    name: str
    sun_shear: float
    shadow: int
    contact: int
    mirror: int


DRY = Ground("dry", 0.5, 105, 150, 0)
WET = Ground("wet", 0.0, 0, 120, 95)
DARK = Ground("dark", 0.0, 0, 150, 40)


@dataclass(frozen=True, slots=True)
class Air:
    """How much of each condition there is; the three sum to `FULL`."""

    day: int
    rain: int
    night: int

    @property
    def ground(self) -> Ground:
        """The ground of the strongest."""
        if self.day >= max(self.rain, self.night):
            return DRY
        return WET if self.rain >= self.night else DARK

    @property
    def lamps(self) -> int:
        """How brightly lamps burn, 0..256."""
        return min(FULL, self.night + self.rain * 3 // 8)


_STAGES = ((0.00, Air(256, 0, 0)), (0.30, Air(256, 0, 0)), (0.38, Air(0, 256, 0)), (0.62, Air(0, 256, 0)),
           (0.72, Air(0, 0, 256)), (1.01, Air(0, 0, 256)))  # fmt: skip


def air_at(condition: str, index: int, frames: int) -> Air:
    """The weather of a frame; "mix" goes from day through rain into night over the scene's length, in 64 steps."""
    if condition != "mix":
        return Air(*(FULL if condition == name else 0 for name in ("day", "rain", "night")))
    share = index / max(1, frames - 1)
    for (start, before), (end, after) in pairwise(_STAGES):
        if share < end:
            step = round((share - start) / (end - start) * 64) * 4
            day = (before.day * (FULL - step) + after.day * step) // FULL
            rain = (before.rain * (FULL - step) + after.rain * step) // FULL
            return Air(day, rain, FULL - day - rain)
    return _STAGES[-1][1]


_HAZE_DAY, _HAZE_RAIN, _HAZE_NIGHT = (226, 214, 202), (166, 160, 154), (34, 26, 22)


@lru_cache(maxsize=4096)
def grade(air: Air, light: int, haze: int) -> NDArray[np.uint8]:
    """The table [256, 1, 3] that an object's colours go through.

    Args:
        light: of the street lamps where it stands, 0..LEVELS-1; haze: by its distance, 0..LEVELS-1.
    """
    value = np.arange(256, dtype=np.int32)
    lamp, far = light / (LEVELS - 1), haze / (LEVELS - 1)
    table = np.zeros((256, 3), np.int32)
    for channel in range(3):
        day = _mixed(value, _HAZE_DAY[channel], far * 0.42)
        rain = _mixed(value * 165 // 256 + 30, _HAZE_RAIN[channel], far * 0.80)
        tint = (0.70, 0.86, 1.00)[channel]
        moon = (0.165, 0.13, 0.115)[channel]
        gain = round((moon + tint * lamp * 0.62) * 256)
        night = _mixed(value * gain // 256 + 3, _HAZE_NIGHT[channel], far * 0.45)
        table[:, channel] = (day * air.day + rain * air.rain + night * air.night) // FULL
    result = np.clip(table, 0, 255).astype(np.uint8)[:, None, :]
    result.setflags(write=False)
    return result


def _mixed(value: NDArray[Any], haze: int, share: float) -> NDArray[Any]:
    part = round(share * 256)
    return (value * (256 - part) + haze * part) >> 8


class Veil:
    """What the camera adds: sensor noise in the coder's 8x8 blocks, and rain before the lens."""

    def __init__(self, seed: int, width: int, height: int) -> None:
        self._seed = seed
        self._width, self._height = width, height
        self._noise: dict[int, tuple[NDArray[np.uint8], NDArray[np.uint8]]] = {}
        self._rain: NDArray[np.uint8] | None = None

    def lay(self, picture: NDArray[np.uint8], air: Air, index: int) -> None:
        """Adds rain and noise of frame `index` to the picture, in place."""
        key = hashed(self._seed, index, 77)
        if air.rain >= 16:
            streaks = self._streaks()
            top, left = key % 256, (key >> 8) % 256
            part = streaks[top : top + self._height, left : left + self._width]
            if air.rain < FULL:
                table = (np.arange(256) * air.rain // FULL).astype(np.uint8)
                part = np.asarray(cv2.LUT(part, table), np.uint8)
            cv2.add(picture, part, dst=picture)
        spread = (3 * air.day + 4 * air.rain + 9 * air.night + 128) // FULL
        light, dark = self._tiles(spread)
        # Whole blocks of 8: a video coder's grid stands still while the noise in it changes.
        top, left = (key >> 16) % 64 * 8, (key >> 24) % 64 * 8
        cv2.add(picture, light[top : top + self._height, left : left + self._width], dst=picture)
        cv2.subtract(picture, dark[top : top + self._height, left : left + self._width], dst=picture)

    def _tiles(self, spread: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        if spread not in self._noise:
            noise = _coded(bell(Chance(self._seed, 501, spread).generator(), (TILE, TILE, 3), spread), spread)
            repeats = (-(-self._height // TILE) + 1, -(-self._width // TILE) + 1, 1)
            light = np.tile(np.clip(noise, 0, 255).astype(np.uint8), repeats)
            dark = np.tile(np.clip(-noise, 0, 255).astype(np.uint8), repeats)
            self._noise[spread] = (light, dark)
        return self._noise[spread]

    def _streaks(self) -> NDArray[np.uint8]:
        if self._rain is None:
            chance = Chance(self._seed, 502)
            height, width = self._height + 256, self._width + 256
            layer = np.zeros((height, width), np.uint8)
            unit = self._height / 720
            for _ in range(width * height // 3200):
                x, y = chance.whole(0, width), chance.whole(-40, height)
                long = chance.between(10, 46) * unit
                end = (round(x - long * 0.16), round(y + long))
                cv2.line(layer, (x, y), end, chance.whole(14, 46), chance.whole(1, 2), cv2.LINE_AA)
            self._rain = np.asarray(cv2.cvtColor(layer, cv2.COLOR_GRAY2BGR), np.uint8)
        return self._rain


def _coded(noise: NDArray[np.int16], spread: int) -> NDArray[np.int32]:
    """Noise as a video coder leaves it: in 8x8 blocks, fine detail rounded away (Walsh-Hadamard, whole numbers)."""
    size = noise.shape[0]
    blocks = noise.astype(np.int32).reshape(size // 8, 8, size // 8, 8, 3)
    blocks = _hadamard(_hadamard(blocks, 1), 3)
    step = 14 * spread
    kept = np.sign(blocks) * ((np.abs(blocks) + step // 3) // step) * step
    coded = _hadamard(_hadamard(kept, 1), 3).reshape(size, size, 3) >> 6
    result: NDArray[np.int32] = (coded * 3 + noise) // 3
    return result


def _hadamard(values: NDArray[np.int32], axis: int) -> NDArray[np.int32]:
    moved = np.moveaxis(values, axis, 0)
    for half in (1, 2, 4):
        parts = moved.reshape(8 // (2 * half), 2, half, *moved.shape[1:])
        moved = np.stack([parts[:, 0] + parts[:, 1], parts[:, 0] - parts[:, 1]], 1).reshape(moved.shape)
    return np.moveaxis(moved, 0, axis)
