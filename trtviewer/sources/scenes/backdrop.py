"""Everything that stands still, painted once for each condition: sky, ground, houses, trees, lamps, parked cars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trtviewer.opencv import cv2
from trtviewer.sources.scenes.chance import Chance, clouds
from trtviewer.sources.scenes.facade import PIXELS_A_METRE, Wall, wall_of
from trtviewer.sources.scenes.ground import Floats, ground_of
from trtviewer.sources.scenes.layout import House, Street
from trtviewer.sources.scenes.lights import add_glow
from trtviewer.sources.scenes.solids import shaded
from trtviewer.sources.scenes.sprite import Colour, Placed, Sprite, alpha_of, blend, draw, place
from trtviewer.sources.scenes.uprights import LAMP_HEIGHT, LAMP_REACH, TREE_HEIGHT, lamp_sprite, tree_sprite

_FAR = 400.0


@dataclass(frozen=True, eq=False, slots=True)
class Standing:
    """A tree, a lamp post or a parked car at its place in the frame; what passes behind it is hidden by it.

    Attributes:
        z: metres from the camera.
        alpha: [height, width] of `placed.rect`, uint8.
        class_id: into the truth's classes; -1 where it is none.
    """

    z: float
    placed: Placed
    alpha: NDArray[np.uint8]
    class_id: int = -1


class Backdrop:
    """The unlit picture of a street with what is known of each pixel, and from it the picture of each condition."""

    def __init__(self, street: Street) -> None:
        self.street = street
        camera = street.camera
        shape = (camera.height, camera.width)
        self._paint = np.zeros((*shape, 3), np.uint8)
        self._glow = np.zeros((*shape, 3), np.uint8)
        self._sun = np.full(shape, 128, np.uint8)
        self._x = np.zeros(shape, np.float32)
        self._y = np.full(shape, 30.0, np.float32)
        self._z = np.full(shape, _FAR, np.float32)
        self._wet = np.zeros(shape, np.uint8)
        self._sky()
        self._ground()
        houses = sorted(street.houses, key=lambda house: -house.z0)
        for number, house in enumerate(houses):
            if house.z1 > 4.0:
                self._house(house, number)
        self.standing = self._stand()

    def day(self) -> NDArray[np.uint8]:
        """In the sun."""
        lit = np.minimum((self._paint * self._sun[..., None].astype(np.uint16)) >> 7, 255).astype(np.uint8)
        haze = np.clip(self._z / np.float32(420), 0, np.float32(0.42))
        return _hazed(lit, haze, (226, 214, 202))

    def rain(self) -> NDArray[np.uint8]:
        """Under clouds, the ground wet."""
        grey = cv2.cvtColor(self._paint, cv2.COLOR_BGR2GRAY)[..., None]
        dull = (self._paint * np.uint16(94) + grey * np.uint16(82) >> 8).astype(np.uint8) + np.uint8(22)
        sky = self._z >= np.float32(_FAR)
        dull[sky] = dull[sky] // 2 + np.array([84, 80, 77], np.uint8)
        picture = _hazed(dull, np.clip(self._z / np.float32(210), 0, np.float32(0.78)), (166, 160, 154))
        cv2.add(picture, cv2.LUT(self._glow, (np.arange(256) * 5 >> 4).astype(np.uint8)), dst=picture)
        return self._mirrored(picture, 118, 200)

    def night(self) -> NDArray[np.uint8]:
        """By the light of the street lamps and windows."""
        light = self._lamplight()
        lit = np.stack(
            [moon + (np.arange(256) * tint * 170 >> 16) for moon, tint in ((38, 172), (30, 214), (26, 256))],
            -1,
        ).astype(np.uint8)
        picture = (
            self._paint * cv2.LUT(cv2.merge([light] * 3), lit[:, None, :]).astype(np.uint16) >> 8
        ).astype(np.uint8)
        picture += np.uint8(3)
        sky = self._z >= np.float32(_FAR)
        picture[sky] = picture[sky] // 4 + np.array([16, 10, 7], np.uint8)
        cv2.add(picture, self._glow, dst=picture)
        picture = self._mirrored(picture, 62, 250)
        camera = self.street.camera
        for lamp in sorted(self.street.lamps, key=lambda lamp: -lamp.z):
            side = 1 if lamp.x > 0 else -1
            x, y = camera.project(lamp.x - side * LAMP_REACH, LAMP_HEIGHT - 0.1, lamp.z)
            add_glow(picture, x, y, camera.focal / lamp.z * 0.9, (150, 208, 255), 256)
        return picture

    def light_at(self, x: float, z: float) -> float:
        """Of the street lamps at a place on the ground, 0..1."""
        total = 0.0
        for lamp in self.street.lamps:
            dx, dz = x - (lamp.x - (LAMP_REACH if lamp.x > 0 else -LAMP_REACH)), z - lamp.z
            total += 30.0 / (dx * dx + dz * dz + 40.0)
        return min(1.0, total)

    def _lamplight(self) -> NDArray[np.uint8]:
        x, y, z = (values[::2, ::2] for values in (self._x, self._y, self._z))
        total = np.zeros_like(x)
        for lamp in self.street.lamps:
            side = 1 if lamp.x > 0 else -1
            dx, dz = x - np.float32(lamp.x - side * LAMP_REACH), z - np.float32(lamp.z)
            dy = np.maximum(np.float32(0), y - np.float32(LAMP_HEIGHT - 2)) * 2
            total += np.float32(30) / (dx * dx + dz * dz + dy * dy + np.float32(40))
        half = (np.minimum(total, 1) * np.float32(255)).astype(np.uint8)
        size = (self._x.shape[1], self._x.shape[0])
        return np.asarray(cv2.resize(half, size, interpolation=cv2.INTER_LINEAR_EXACT), np.uint8)

    def _sky(self) -> None:
        camera = self.street.camera
        chance = Chance(self.street.seed, 21)
        rows = max(2, min(camera.height, int(camera.horizon_y) + 2))
        fall = (np.arange(rows, dtype=np.int32) * 256 // rows)[:, None, None]
        high, low = np.array([214, 158, 104], np.int64), np.array([236, 222, 206], np.int64)
        sky = (high * (256 - fall) + low * fall) >> 8
        cloud = clouds(chance.generator(), rows, camera.width, 4, 6).astype(np.int32)
        cover = np.clip((cloud - 108) * 5, 0, 220)[..., None]
        white = 250 - np.clip((cloud - 150) // 2, 0, 40)[..., None]
        sky = (sky * (256 - cover) + white * cover) >> 8
        self._paint[:rows] = np.clip(np.broadcast_to(sky, (rows, camera.width, 3)), 0, 255)
        self._skyline(chance, rows)

    def _skyline(self, chance: Chance, rows: int) -> None:
        """Towers and trees where the street ends."""
        camera = self.street.camera
        unit = camera.height / 720
        x = int(-20 * unit)
        while x < camera.width:
            wide, high = chance.whole(14, 46) * unit, chance.whole(6, 44) * unit
            tone = chance.whole(0, 26)
            colour: Colour = (196 - tone, 184 - tone, 172 - tone)
            top, bottom = int(camera.horizon_y - high), int(camera.horizon_y + 3)
            cv2.rectangle(self._paint, (x, top), (int(x + wide), bottom), colour, -1)
            for row in range(top + 3, bottom - 3, max(3, int(4 * unit))):
                cv2.line(self._paint, (x + 2, row), (int(x + wide) - 3, row), shaded(colour, 0.92), 1)
            self._z[max(0, top) : bottom, max(0, x) : int(x + wide)] = np.float32(_FAR - 1)
            x += int(wide + chance.whole(0, 30) * unit)
        for x in range(0, camera.width, max(3, int(6 * unit))):
            radius = int(chance.whole(4, 11) * unit) + 1
            cv2.circle(self._paint, (x, int(camera.horizon_y) + 2), radius, (132, 150, 132), -1, cv2.LINE_AA)
        self._z[rows - 3 : rows] = np.float32(_FAR - 1)

    def _ground(self) -> None:
        ground = ground_of(self.street, Chance(self.street.seed, 22))
        below = np.s_[ground.first :]
        self._paint[below], self._sun[below] = ground.paint, ground.sun
        self._x[below], self._y[below] = ground.x, 0.0
        self._z[below] = np.broadcast_to(np.minimum(ground.z, np.float32(_FAR - 1)), ground.x.shape)
        self._wet[below] = ground.road // 2 + 127

    def _house(self, house: House, number: int) -> None:
        chance = Chance(self.street.seed, 23, number)
        near, x = max(house.z0, 3.5), house.side * self.street.facade
        if house.z0 > 3.5:
            self._gable(house, x)
        wall = wall_of(house, house.z1 - house.z0, chance)
        start = near
        while start < house.z1 - 0.01:
            end = min(house.z1, start * 1.3)
            self._wall(house, wall, x, start, end)
            start = end

    def _gable(self, house: House, x: float) -> None:
        """The wall that faces the camera: seen above a lower neighbour, or in a gap."""
        camera = self.street.camera
        edges = sorted(
            (camera.project(x, house.height, house.z0), camera.project(x + house.side * 11, 0.0, house.z0))
        )
        (x0, ya), (x1, yb) = edges
        top, bottom = sorted((ya, yb))
        x0, x1 = max(0.0, x0), min(float(camera.width), x1)
        area = np.s_[max(0, round(top)) : max(0, round(bottom)), round(x0) : max(round(x0), round(x1))]
        if self._paint[area].size == 0:
            return
        self._paint[area] = shaded(house.colour, 0.80)
        self._paint[area][: max(1, round(0.6 * camera.focal / house.z0))] = shaded(house.colour, 0.62)
        self._glow[area], self._sun[area], self._wet[area] = 0, 118, 0
        self._z[area], self._x[area], self._y[area] = house.z0, x, 5.0

    def _wall(self, house: House, wall: Wall, x: float, z0: float, z1: float) -> None:
        """The part of a long wall from z0 to z1, by a map in whole 32nds of the wall's pixels."""
        camera = self.street.camera
        aside = x - camera.x
        edges = sorted(camera.horizon_x + camera.focal * aside / z for z in (z0, z1))
        left, right = max(0, round(edges[0])), min(camera.width, round(edges[1]))
        top = max(0, int(camera.project(x, house.height, z0)[1]) - 1)
        bottom = min(camera.height, int(camera.project(x, 0.0, z0)[1]) + 2)
        if left >= right or top >= bottom:
            return
        columns = np.arange(left, right) + 0.5
        z = camera.focal * aside / (columns - camera.horizon_x)
        z = np.clip(z, z0, z1)
        y = camera.eye - (np.arange(top, bottom)[:, None] + 0.5 - camera.horizon_y) * z / camera.focal
        middle = (z0 + z1) / 2
        shrink_x = max(1, min(24, round(PIXELS_A_METRE * middle * middle / abs(camera.focal * aside))))
        shrink_y = max(1, min(24, round(PIXELS_A_METRE * middle / camera.focal)))
        area = np.s_[top:bottom, left:right]
        u = np.broadcast_to(((z - house.z0) * PIXELS_A_METRE / shrink_x - 0.5), y.shape)
        v = (house.height - y) * PIXELS_A_METRE / shrink_y - 0.5
        cover = np.clip(np.minimum(house.height - y, y + 0.02) * camera.focal / z + 0.5, 0, 1)
        alpha = (cover * 255).astype(np.uint8)
        blend(self._paint[area], _remapped(_shrunk(wall.paint, shrink_x, shrink_y), u, v), alpha)
        blend(self._glow[area], _remapped(_shrunk(wall.glow, shrink_x, shrink_y), u, v), alpha)
        solid = alpha > 127
        self._sun[area][solid] = 104 if house.side < 0 else 132
        self._wet[area][solid] = 0
        self._x[area][solid] = np.float32(x)
        self._y[area][solid] = y.astype(np.float32)[solid]
        self._z[area][solid] = np.broadcast_to(z.astype(np.float32), y.shape)[solid]

    def _stand(self) -> tuple[Standing, ...]:
        camera = self.street.camera
        standing = []
        masters: dict[tuple[int, int], Sprite] = {}
        for upright in sorted(self.street.uprights, key=lambda upright: -upright.z):
            if upright.kind == "parked":
                continue
            scale = camera.focal / upright.z
            # Masters at powers of 1.5: far trees come from a small drawing, so that no leaf flickers.
            step = 0
            while 6.0 * 1.5**step < scale:
                step += 1
            size = min(6.0 * 1.5**step, 140.0)
            key = (upright.variant if upright.kind == "tree" else (10 if upright.x > 0 else 11), step)
            if key not in masters:
                masters[key] = (
                    tree_sprite(self.street.seed, upright.variant, size)
                    if upright.kind == "tree"
                    else lamp_sprite(size, 1 if upright.x > 0 else -1)
                )
            x, y = camera.project(upright.x, 0.0, upright.z)
            placed = place(masters[key], x, y, scale / size)
            inside = placed.clipped(camera.width, camera.height)
            if inside is None:
                continue
            x0, y0, x1, y1 = inside
            left, top, _, _ = placed.rect
            alpha = alpha_of(placed)
            draw(self._paint, placed, None)
            solid = alpha[y0 - top : y1 - top, x0 - left : x1 - left] > 110
            area = np.s_[y0:y1, x0:x1]
            self._glow[area][solid] = 0
            self._sun[area][solid] = 126
            self._wet[area][solid] = 0
            self._x[area][solid], self._z[area][solid] = np.float32(upright.x), np.float32(upright.z)
            high_up = 3.5 if upright.kind == "tree" else 6.0
            self._y[area][solid] = np.float32(min(high_up, TREE_HEIGHT))
            standing.append(Standing(upright.z, placed, alpha))
        return tuple(standing)

    def _mirrored(self, picture: NDArray[np.uint8], strength: int, darken: int) -> NDArray[np.uint8]:
        """Wet ground: what is above the horizon, drawn out downwards, over the darkened ground."""
        camera = self.street.camera
        first = max(1, min(camera.height - 1, int(camera.horizon_y) + 2))
        rows = camera.height - first
        source = picture[:first][::-1]
        # Squeezed and drawn out again: a rough mirror smears along the line of sight.
        squeezed = cv2.resize(
            source, (max(2, camera.width // 6), max(2, first // 12)), interpolation=cv2.INTER_LINEAR_EXACT
        )
        mirror = cv2.resize(squeezed, (camera.width, rows), interpolation=cv2.INTER_LINEAR_EXACT)
        rough = clouds(Chance(self.street.seed, 24).generator(), rows, camera.width, 9, 4)
        table = np.clip(np.arange(256) + 50, 60, 255) * strength >> 8
        share = cv2.LUT(rough, table.astype(np.uint8)).astype(np.uint16) * self._wet[first:] >> 8
        shine = mirror * share[..., None]
        shine >>= 8
        dark = cv2.LUT(picture[first:], (np.arange(256) * darken >> 8).astype(np.uint8))
        ground = self._wet[first:, :] > 0
        picture[first:][ground] = cv2.add(dark, shine.astype(np.uint8))[ground]
        return picture


def _hazed(lit: NDArray[np.uint8], share: Floats, colour: Colour) -> NDArray[np.uint8]:
    """The picture behind this share of haze, in place."""
    haze = np.empty_like(lit)
    haze[:] = colour
    blend(lit, haze, (share * np.float32(255)).astype(np.uint8))
    return lit


def _shrunk(picture: NDArray[np.uint8], across: int, down: int) -> NDArray[np.uint8]:
    """Whole blocks of pixels averaged: exact whole-number arithmetic, unlike a resize by some other factor."""
    high, wide = picture.shape[0] // down, picture.shape[1] // across
    if high < 1 or wide < 1:
        return picture[:1, :1]
    cut = picture[: high * down, : wide * across]
    return np.asarray(cv2.resize(cut, (wide, high), interpolation=cv2.INTER_AREA), np.uint8)


def _remapped(
    picture: NDArray[np.uint8], u: NDArray[np.float64], v: NDArray[np.float64]
) -> NDArray[np.uint8]:
    high, wide = picture.shape[:2]
    fixed_u = np.rint(np.clip(u, 0, wide - 1) * 32).astype(np.int32)
    fixed_v = np.rint(np.clip(v, 0, high - 1) * 32).astype(np.int32)
    whole = np.stack([fixed_u >> 5, fixed_v >> 5], -1).astype(np.int16)
    part = ((fixed_v & 31) * 32 + (fixed_u & 31)).astype(np.uint16)
    return np.asarray(
        cv2.remap(picture, whole, part, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )
