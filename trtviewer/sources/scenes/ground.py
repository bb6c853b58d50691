"""The ground: asphalt, its marks, kerbs and pavement, each softened by the size of a pixel out there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trtviewer.sources.scenes.chance import Chance, bell, clouds
from trtviewer.sources.scenes.layout import LANE_WIDTH, Street
from trtviewer.sources.scenes.weather import DRY

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False, slots=True)
class GroundPicture:
    """The rows of the frame below the horizon.

    Attributes:
        first: the first of those rows.
        paint: [rows, W, 3] BGR uint8, in even light.
        sun: [rows, W] uint8, how much of the sun reaches it, 128 is all.
        x: [rows, W] float32, z: [rows, 1] float32, metres.
        road: [rows, W] uint8, 255 where it is asphalt, which shines when wet.
    """

    first: int
    paint: NDArray[np.uint8]
    sun: NDArray[np.uint8]
    x: Floats
    z: Floats
    road: NDArray[np.uint8]


def ground_of(street: Street, chance: Chance) -> GroundPicture:
    """The street's ground as its camera sees it."""
    camera = street.camera
    first = max(0, min(camera.height - 1, int(camera.horizon_y) + 2))
    rows = np.arange(first, camera.height, dtype=np.float32)[:, None] + np.float32(0.5)
    columns = np.arange(camera.width, dtype=np.float32)[None, :] + np.float32(0.5)
    z = (np.float32(camera.focal * camera.eye) / (rows - np.float32(camera.horizon_y))).astype(np.float32)
    across = z / np.float32(camera.focal)
    x = (columns - np.float32(camera.horizon_x)) * across + np.float32(camera.x)
    brush = _Brush(x, z, across, z * z / np.float32(camera.focal * camera.eye))
    tone = np.empty((*x.shape, 3), np.float32)
    tone[:] = (86, 84, 82)
    asphalt = brush.strip(-street.road, street.road)
    _asphalt(tone, brush, street, chance)
    _marks(tone, brush, street)
    _pavement(tone, brush, asphalt, chance)
    for side in (-1.0, 1.0):
        brush.paint(
            tone, brush.strip(side * street.road - 0.28, side * street.road + 0.28), (158, 160, 162), 1.0
        )
        edge = side * (street.road - 0.36)
        brush.paint(tone, brush.strip(edge - 0.10, edge + 0.10), (58, 57, 56), 0.7)
    sun = _sunlight(brush, street)
    return GroundPicture(
        first,
        np.clip(tone, 0, 255).astype(np.uint8),
        sun,
        x,
        z,
        (asphalt * np.float32(255)).astype(np.uint8),
    )


@dataclass(frozen=True, eq=False, slots=True)
class _Brush:
    """Coverage of a pixel by shapes on the ground; `across` and `along` are a pixel's metres there."""

    x: Floats
    z: Floats
    across: Floats
    along: Floats

    def strip(self, low: float, high: float) -> Floats:
        return _covered(self.x - np.float32(low), self.across) * _covered(
            np.float32(high) - self.x, self.across
        )

    def band(self, low: float, high: float) -> Floats:
        return _covered(self.z - np.float32(low), self.along) * _covered(
            np.float32(high) - self.z, self.along
        )

    def dashes(self, values: Floats, pixel: Floats, every: float, on: float) -> Floats:
        """Dashes `on` long each `every`; where a pixel swallows them, their mean."""
        place = values - np.floor(values / np.float32(every)) * np.float32(every)
        drawn = _covered(place, pixel) * _covered(np.float32(on) - place, pixel)
        far = np.clip(pixel / np.float32(every) * 2 - np.float32(0.5), 0, 1)
        mean: Floats = drawn * (1 - far) + np.float32(on / every) * far
        return mean

    def paint(self, tone: Floats, coverage: Floats, colour: tuple[int, int, int], strength: float) -> None:
        touched = np.flatnonzero(coverage)
        flat = tone.reshape(-1, 3)
        part = flat[touched]
        weight = (coverage.ravel()[touched] * np.float32(strength))[:, None]
        flat[touched] = part + (np.array(colour, np.float32) - part) * weight


def _covered(inside: Floats, pixel: Floats) -> Floats:
    share: Floats = np.clip(inside / pixel + np.float32(0.5), 0, 1)
    return share


def _asphalt(tone: Floats, brush: _Brush, street: Street, chance: Chance) -> None:
    fine = _sampled(bell(chance.generator(), (512, 512), 9), brush, 22.0)
    patches = _sampled(clouds(chance.generator(), 512, 512, 10, 4).astype(np.int16) - 118, brush, 7.0)
    fade = 1 / (1 + brush.along * 3)
    tone += (fine * fade + patches * np.float32(0.16))[..., None]
    for lane in street.lanes:
        for side in (-0.8, 0.8):
            wear = brush.strip(lane.x + side - 0.35, lane.x + side + 0.35)
            brush.paint(tone, wear, (70, 69, 68), 0.30)
        oil = brush.strip(lane.x - 0.25, lane.x + 0.25)
        brush.paint(tone, oil, (62, 60, 60), 0.20)
    for _ in range(5):
        x, z = chance.between(-street.road, street.road), chance.between(10, 60)
        patch = brush.strip(x, x + chance.between(0.8, 2.5)) * brush.band(z, z + chance.between(2, 9))
        brush.paint(tone, patch, (66, 65, 64) if chance.happens(0.6) else (104, 102, 100), 0.7)
    for lane in street.lanes:
        z = chance.between(12, 40)
        dx, dz = (brush.x - np.float32(lane.x + 0.9)), (brush.z - np.float32(z))
        lid = np.clip((np.float32(0.36) - np.sqrt(dx * dx + dz * dz)) / brush.along + np.float32(0.5), 0, 1)
        brush.paint(tone, lid, (52, 52, 54), 0.85)


def _marks(tone: Floats, brush: _Brush, street: Street) -> None:
    white, edge = (226, 228, 228), street.marks[-1]
    clear = 1 - brush.band(street.crossing - 4.4, street.crossing + 4.4)
    for mark in street.marks:
        line = brush.strip(mark - 0.07, mark + 0.07)
        if mark == 0.0:
            double = brush.strip(-0.20, -0.07) + brush.strip(0.07, 0.20)
            brush.paint(tone, double * clear, white, 0.85)
        elif abs(mark) == edge:
            brush.paint(tone, line * clear, white, 0.9)
        else:
            brush.paint(tone, line * brush.dashes(brush.z, brush.along, 9.0, 3.5) * clear, white, 0.88)
    for side in (-1.0, 1.0):
        low, high = sorted((side * edge, side * (edge + 1.7)))
        brush.paint(tone, brush.strip(low + 0.1, high), (62, 70, 122), 0.45)
        brush.paint(
            tone, brush.strip(side * (edge + 1.7) - 0.06, side * (edge + 1.7) + 0.06) * clear, white, 0.8
        )
        low, high = sorted((side * (edge + 1.75), side * street.road))
        bays = brush.strip(low, high) * clear
        brush.paint(tone, bays, (112, 110, 108), 0.5)
        brush.paint(tone, bays * brush.dashes(brush.z, brush.along, 6.0, 0.12), white, 0.7)
    zebra = brush.band(street.crossing - 1.9, street.crossing + 1.9) * brush.strip(
        -street.road + 0.4, street.road - 0.4
    )
    brush.paint(tone, zebra * brush.dashes(brush.x, brush.across, 1.1, 0.55), white, 0.9)
    half = LANE_WIDTH * (len(street.lanes) // 2)
    for low, high, z in ((0.1, half, street.crossing - 3.4), (-half, -0.1, street.crossing + 3.0)):
        brush.paint(tone, brush.strip(low, high) * brush.band(z, z + 0.45), white, 0.88)


def _pavement(tone: Floats, brush: _Brush, asphalt: Floats, chance: Chance) -> None:
    slabs = np.empty_like(tone)
    slabs[:] = chance.pick(((150, 154, 158), (146, 156, 168), (160, 162, 162)))
    cell_x, cell_z = np.floor(brush.x).astype(np.int64), np.floor(brush.z).astype(np.int64)
    table = chance.generator().integers(-9, 10, (64, 64)).astype(np.float32)
    slabs += (table[cell_x & 63, cell_z & 63] / (1 + brush.along))[..., None]
    slabs += (_sampled(bell(chance.generator(), (512, 512), 5), brush, 16.0) / (1 + brush.along * 2))[
        ..., None
    ]
    seams = np.maximum(
        brush.dashes(brush.x, brush.across, 1.0, 0.05), brush.dashes(brush.z, brush.along, 1.0, 0.05)
    )
    brush.paint(slabs, seams, (104, 106, 108), 0.8)
    blend = (1 - asphalt)[..., None]
    tone += (slabs - tone) * blend


def _sunlight(brush: _Brush, street: Street) -> NDArray[np.uint8]:
    """The shadow of the houses on the left, and of the trees."""
    edge = np.full_like(brush.z, np.float32(-200.0))
    for house in street.houses:
        if house.side < 0:
            inside = (brush.z + np.float32(3.0) >= house.z0) & (brush.z + np.float32(3.0) < house.z1)
            edge[inside] = np.float32(-street.facade + house.height * DRY.sun_shear)
    lit = np.clip((brush.x - edge) / (brush.across * 2 + np.float32(0.35)) + np.float32(0.5), 0, 1)
    for upright in street.uprights:
        if upright.kind == "tree":
            dx = (brush.x - np.float32(upright.x + 2.6)) / np.float32(2.9)
            dz = (brush.z - np.float32(upright.z + 0.8)) / np.float32(1.9)
            lit = lit * (1 - np.clip((1 - (dx * dx + dz * dz)) * 2, 0, 1) * np.float32(0.8))
    result: NDArray[np.uint8] = (np.float32(70) + lit * np.float32(58)).astype(np.uint8)
    return result


def _sampled(tile: NDArray[Any], brush: _Brush, fineness: float) -> Floats:
    """A 512x512 tile laid over the ground, `fineness` cells a metre, nearest cell."""
    row = np.floor(brush.z * np.float32(fineness)).astype(np.int32) & 511
    column = np.floor(brush.x * np.float32(fineness)).astype(np.int32) & 511
    result: Floats = tile[row, column].astype(np.float32)
    return result
