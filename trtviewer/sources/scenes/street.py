"""The street as a source: any frame of it, and what is really in it, from the frame's number alone."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trtviewer.opencv import cv2
from trtviewer.sources.frame import Frame
from trtviewer.sources.scenes.backdrop import Backdrop, Standing
from trtviewer.sources.scenes.layout import street_of
from trtviewer.sources.scenes.lights import add_glow, add_pool
from trtviewer.sources.scenes.people import PersonDesign, person_sprite
from trtviewer.sources.scenes.sprite import Placed, Sprite, alpha_of, blend, draw, place
from trtviewer.sources.scenes.traffic import CAR, CLASS_NAMES, TRUCK, Actor, actors_at
from trtviewer.sources.scenes.truth import Seen, truth_of
from trtviewer.sources.scenes.vehicles import VehicleDesign, lamps, vehicle_sprite
from trtviewer.sources.scenes.weather import FULL, LEVELS, Air, Ground, Veil, air_at, grade
from trtviewer.sources.source import Source, Truth

RATE = 30.0
_SPRITE_BYTES = 48 << 20
_NEAREST = 3.0
_HAZE_METRES = 150.0


def _ladder(steps: tuple[tuple[float, float], ...]) -> tuple[float, ...]:
    """Where sprites are drawn: each distance some times the one before (until, ratio), by multiplication alone."""
    found = [_NEAREST]
    for until, ratio in steps:
        while found[-1] < until:
            found.append(found[-1] * ratio)
    return tuple(found)


# A vehicle shows other sides as it comes near; somebody on foot looks the same from anywhere.
_VEHICLE_DISTANCES = _ladder(((24.0, 1.12), (55.0, 1.2), (220.0, 1.4)))
_PERSON_DISTANCES = _ladder(((220.0, 1.5),))
_PURE = {name: air_at(name, 0, 1) for name in ("day", "rain", "night")}


@dataclass(frozen=True, slots=True)
class SceneSettings:
    """What an address of the street says; see `scenes.open_scene`."""

    condition: str
    seed: int
    frames: int
    width: int
    height: int


class StreetScene(Source):
    """A procedural street with its truth."""

    def __init__(self, address: str, settings: SceneSettings) -> None:
        self._address, self._settings = address, settings
        self._street = street_of(settings.seed, settings.width, settings.height)
        self._backdrop: Backdrop | None = None
        self._pictures: dict[str, NDArray[np.uint8]] = {}
        self._stood: dict[str, tuple[Standing, ...]] = {}
        self._mixed: tuple[Air, NDArray[np.uint8]] | None = None
        self._sprites: OrderedDict[object, Sprite] = OrderedDict()
        self._sprite_bytes = 0
        self._veil = Veil(settings.seed, settings.width, settings.height)

    @property
    def address(self) -> str:
        """The text that opens it again."""
        return self._address

    @property
    def length(self) -> int:
        """Number of frames."""
        return self._settings.frames

    @property
    def rate(self) -> float:
        """Frames a second."""
        return RATE

    @property
    def size(self) -> tuple[int, int]:
        """Height and width, pixels."""
        return self._settings.height, self._settings.width

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the truth's classes."""
        return CLASS_NAMES

    def time_s(self, index: int) -> float:
        """When a frame is shown, seconds from the first."""
        self._check(index)
        return index / RATE

    def read(self, index: int) -> Frame:
        """Frame `index`: the same pixels whatever was asked for before."""
        self._check(index)
        air = air_at(self._settings.condition, index, self._settings.frames)
        still = self._still(air)
        picture = still.copy()
        actors = actors_at(self._street, index / RATE)
        self._populate(picture, still, self._placed(actors, air), self._standing(air), air)
        self._veil.lay(picture, air, index)
        return Frame(picture, index, index / RATE)

    def truth(self, index: int) -> Truth:
        """Every object of frame `index` that is at least partly inside it."""
        self._check(index)
        air = air_at(self._settings.condition, index, self._settings.frames)
        actors = actors_at(self._street, index / RATE)
        seen = [
            Seen(actor.z, placed.rect, placed.box, placed.sprite.solid, actor.class_id)
            for actor, placed in self._placed(actors, air)
        ]
        seen += [
            Seen(s.z, s.placed.rect, s.placed.box, s.placed.sprite.solid, s.class_id)
            for s in self._standing(air)
        ]
        return truth_of(seen, self._settings.width, self._settings.height)

    def close(self) -> None:
        """Frees what was drawn."""
        self._backdrop, self._mixed = None, None
        self._pictures.clear()
        self._stood.clear()
        self._sprites.clear()
        self._sprite_bytes = 0

    def _check(self, index: int) -> None:
        if not 0 <= index < self._settings.frames:
            raise IndexError(f"{self._address} has frames 0 to {self._settings.frames - 1}, not {index}")

    def _behind(self) -> Backdrop:
        if self._backdrop is None:
            self._backdrop = Backdrop(self._street)
        return self._backdrop

    def _still(self, air: Air) -> NDArray[np.uint8]:
        """What stands still, in this weather."""
        parts = [(name, share) for name in ("day", "rain", "night") if (share := getattr(air, name))]
        if len(parts) == 1:
            return self._picture(parts[0][0])
        if self._mixed is None or self._mixed[0] != air:
            (first, share), (second, rest) = parts[0], parts[1]
            # Shares are 256ths: exact in float, so that the sum rounds alike everywhere.
            mixed = cv2.addWeighted(
                self._picture(first), share / FULL, self._picture(second), rest / FULL, 0.0
            )
            self._mixed = (air, np.asarray(mixed, np.uint8))
        return self._mixed[1]

    def _picture(self, name: str) -> NDArray[np.uint8]:
        """The still picture of one condition: the backdrop, with the parked cars in it."""
        if name not in self._pictures:
            backdrop, air = self._behind(), _PURE[name]
            bare = {"day": backdrop.day, "rain": backdrop.rain, "night": backdrop.night}[name]()
            picture = bare.copy()
            self._populate(picture, bare, self._placed(self._parked(), air), backdrop.standing, air)
            self._pictures[name] = picture
        return self._pictures[name]

    def _standing(self, air: Air) -> tuple[Standing, ...]:
        """What hides those who pass behind it, far to near: trees, lamp posts, parked cars."""
        name = air.ground.name
        if name not in self._stood:
            parked = [
                Standing(actor.z, placed, alpha_of(placed), actor.class_id)
                for actor, placed in self._placed(self._parked(), air)
            ]
            both = [*self._behind().standing, *parked]
            self._stood[name] = tuple(sorted(both, key=lambda standing: -standing.z))
        return self._stood[name]

    def _populate(
        self,
        picture: NDArray[np.uint8],
        still: NDArray[np.uint8],
        placed: Sequence[tuple[Actor, Placed]],
        standing: Sequence[Standing],
        air: Air,
    ) -> None:
        """Draws everybody far to near; what stands is taken from `still` again over whoever passed behind it."""
        passed: list[tuple[int, int, int, int]] = []
        waiting = iter(standing)
        upright = next(waiting, None)
        for actor, at in placed:
            while upright is not None and upright.z > actor.z:
                _restand(picture, still, upright, passed)
                upright = next(waiting, None)
            draw(picture, at, self._grade(actor, air))
            if air.lamps and isinstance(actor.design, VehicleDesign) and actor.phase >= 0:
                self._shine(picture, actor, actor.design, air)
            inside = at.clipped(self._settings.width, self._settings.height)
            if inside is not None:
                passed.append(inside)
        while upright is not None:
            _restand(picture, still, upright, passed)
            upright = next(waiting, None)

    def _placed(self, actors: Sequence[Actor], air: Air) -> list[tuple[Actor, Placed]]:
        """Those of the actors that are in the frame, far to near."""
        camera = self._street.camera
        found = []
        for actor in sorted(actors, key=lambda actor: (-actor.z, actor.x)):
            nearest = _NEAREST + (4.6 if actor.class_id == TRUCK else 2.4 if actor.class_id == CAR else 0.0)
            if actor.z <= nearest:
                continue
            x, y = camera.project(actor.x, 0.0, actor.z)
            if not -0.6 * camera.width < x < 1.6 * camera.width:
                continue
            ladder = _VEHICLE_DISTANCES if isinstance(actor.design, VehicleDesign) else _PERSON_DISTANCES
            distance = ladder[bisect_right(ladder, actor.z) - 1]
            placed = place(self._sprite(actor, distance, air.ground), x, y, distance / actor.z)
            if placed.clipped(camera.width, camera.height) is not None:
                found.append((actor, placed))
        return found

    def _parked(self) -> list[Actor]:
        """The parked cars; their phase -1 says that they stand, with their lamps out."""
        street = self._street
        return [
            Actor(CAR, upright.x, upright.z, 2 if upright.away else -2, -1, street.cars[upright.variant])
            for upright in street.uprights
            if upright.kind == "parked"
        ]

    def _sprite(self, actor: Actor, distance: float, ground: Ground) -> Sprite:
        camera = self._street.camera
        # Sideways places are kept in quarters of a metre: a sprite serves everybody who passes there.
        aside = round((actor.x - camera.x) * 4) / 4 if isinstance(actor.design, VehicleDesign) else 0.0
        key = (actor.design, actor.heading, actor.phase, aside, distance, ground.name)
        sprite = self._sprites.get(key)
        if sprite is None:
            if isinstance(actor.design, PersonDesign):
                sprite = person_sprite(
                    actor.design,
                    heading=actor.heading,
                    phase=actor.phase,
                    scale=camera.focal / distance,
                    ground=ground,
                )
            else:
                sprite = vehicle_sprite(
                    actor.design, forward=actor.heading == 2, aside=aside, eye=camera.eye,
                    distance=distance, focal=camera.focal, ground=ground,
                )  # fmt: skip
            self._sprites[key] = sprite
            self._sprite_bytes += sprite.nbytes
            while self._sprite_bytes > _SPRITE_BYTES:
                self._sprite_bytes -= self._sprites.popitem(last=False)[1].nbytes
        else:
            self._sprites.move_to_end(key)
        return sprite

    def _grade(self, actor: Actor, air: Air) -> NDArray[np.uint8]:
        light = round(self._behind().light_at(actor.x, actor.z) * (LEVELS - 1)) if air.night else 0
        haze = min(LEVELS - 1, round(actor.z / _HAZE_METRES * (LEVELS - 1)))
        return grade(air, light, haze)

    def _shine(self, picture: NDArray[np.uint8], actor: Actor, design: VehicleDesign, air: Air) -> None:
        """A driving vehicle's lamps: white before it, red behind it."""
        camera, away = self._street.camera, actor.heading == 2
        scale = camera.focal / actor.z
        if not away and air.night > 64:
            x, y = camera.project(actor.x, 0.0, max(4.0, actor.z - 7.0))
            near = camera.focal / max(4.0, actor.z - 7.0)
            add_pool(picture, x, y, 2.3 * near, 4.5 * near * camera.eye / actor.z, (60, 78, 88), air.night)
        for offset in lamps(design, away):
            lamp_z = actor.z + float(offset[2])
            if lamp_z < 2.0:
                continue
            x, y = camera.project(actor.x + float(offset[0]), float(offset[1]), lamp_z)
            _, low = camera.project(actor.x, -0.5, lamp_z)
            streak = (10, 8, 70) if away else (64, 74, 80)
            add_pool(picture, x, low, max(2.0, 0.22 * scale), max(3.0, 1.0 * scale), streak, air.lamps)
            if away:
                add_glow(picture, x, y, max(3.0, 0.42 * scale), (30, 24, 235), air.lamps * 5 // 8)
            else:
                add_glow(picture, x, y, max(4.0, 0.75 * scale), (205, 232, 250), air.lamps)


def _restand(
    picture: NDArray[np.uint8],
    still: NDArray[np.uint8],
    standing: Standing,
    passed: Sequence[tuple[int, int, int, int]],
) -> None:
    """Draws what stands again over whoever passed behind it, from the still picture."""
    left, top, wide, high = standing.placed.rect
    for x0, y0, x1, y1 in passed:
        a, b, c, d = max(x0, left), max(y0, top), min(x1, left + wide), min(y1, top + high)
        if a < c and b < d:
            alpha = standing.alpha[b - top : d - top, a - left : c - left]
            blend(picture[b:d, a:c], still[b:d, a:c], alpha)
