"""What a seed decides about a street: its width, its houses, trees and lamps, and where the camera hangs."""

from __future__ import annotations

from dataclasses import dataclass

from trtviewer.sources.scenes.camera import Camera
from trtviewer.sources.scenes.chance import Chance
from trtviewer.sources.scenes.people import PersonDesign, person_design
from trtviewer.sources.scenes.sprite import Colour
from trtviewer.sources.scenes.vehicles import VehicleDesign, car_design, truck_design

LANE_WIDTH = 3.3
PERIOD_S = 34.0
"""The lights' cycle: traffic passes the crossing in its first half, people in the second."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One row of traffic.

    Attributes:
        x: its middle; away: whether it drives away from the camera; speed: metres a second.
        headways: when each of its vehicles passes the crossing, seconds into the lights' cycle.
    """

    x: float
    away: bool
    speed: float
    headways: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class House:
    """One house on a side (-1 left, 1 right), from z0 to z1."""

    side: int
    z0: float
    z1: float
    height: float
    colour: Colour
    shop: Colour
    style: int


@dataclass(frozen=True, slots=True)
class Upright:
    """A tree, a lamp post or a parked car: something that stands, and may hide what passes behind it."""

    kind: str
    x: float
    z: float
    variant: int
    away: bool = True


@dataclass(frozen=True, slots=True)
class Street:
    """The whole layout. Metres; x = 0 is the middle of the road."""

    seed: int
    camera: Camera
    road: float
    facade: float
    crossing: float
    lanes: tuple[Lane, ...]
    bicycles: tuple[Lane, ...]
    houses: tuple[House, ...]
    uprights: tuple[Upright, ...]
    cars: tuple[VehicleDesign, ...]
    trucks: tuple[VehicleDesign, ...]
    people: tuple[PersonDesign, ...]
    riders: tuple[PersonDesign, ...]
    marks: tuple[float, ...]
    walkers: int
    start_s: float

    @property
    def lamps(self) -> tuple[Upright, ...]:
        """The lamp posts."""
        return tuple(upright for upright in self.uprights if upright.kind == "lamp")


_WALLS: tuple[Colour, ...] = (
    (158, 178, 196), (140, 160, 200), (96, 116, 168), (176, 186, 190), (150, 168, 176), (120, 150, 186),
    (186, 196, 206), (108, 128, 150), (130, 176, 206), (166, 158, 150),
)  # fmt: skip
_SHOPS: tuple[Colour, ...] = (
    (60, 60, 150),
    (110, 80, 40),
    (60, 110, 60),
    (60, 60, 64),
    (40, 120, 180),
    (120, 60, 110),
)


def street_of(seed: int, width: int, height: int) -> Street:
    """The street of a seed, seen in a frame of this size."""
    chance = Chance(seed, 1)
    each_way = chance.pick((1, 1, 2, 2))
    cycle_strip = 1.7
    parking = (chance.happens(0.7), chance.happens(0.7))
    half = each_way * LANE_WIDTH + cycle_strip
    road = half + 2.3
    pavement = chance.between(4.0, 5.5)
    facade = road + pavement
    camera = _camera(chance, width, height, road)
    crossing = max(camera.nearest_ground + 4.0, chance.between(18.0, 30.0))
    lanes = []
    for number in range(each_way):
        for away in (True, False):
            x = (number + 0.5) * LANE_WIDTH * (1 if away else -1)
            lanes.append(Lane(x, away, chance.between(10.0, 13.0), _headways(chance)))
    bicycles = tuple(
        Lane((each_way * LANE_WIDTH + cycle_strip / 2) * (1 if away else -1), away, chance.between(4.2, 6.2),
             tuple(chance.between(0, PERIOD_S) for _ in range(chance.whole(2, 5))))
        for away in (True, False)
    )  # fmt: skip
    marks = tuple(number * LANE_WIDTH for number in range(-each_way, each_way + 1))
    return Street(
        seed, camera, road, facade, crossing, tuple(lanes), bicycles,
        _houses(chance), _uprights(chance, road, half, crossing, parking),
        tuple(car_design(chance) for _ in range(9)), tuple(truck_design(chance) for _ in range(4)),
        tuple(person_design(chance, False) for _ in range(14)), tuple(person_design(chance, True) for _ in range(6)),
        marks, chance.whole(7, 13), chance.between(0, 200),
    )  # fmt: skip


def _camera(chance: Chance, width: int, height: int, road: float) -> Camera:
    aside = chance.between(-0.75, 0.75) * road
    return Camera(
        width,
        height,
        chance.between(0.86, 1.04) * width,
        width * (0.5 - aside / road * 0.16 + chance.between(-0.06, 0.06)),
        height * chance.between(0.20, 0.31),
        aside,
        chance.between(5.4, 7.4),
    )


def _headways(chance: Chance) -> tuple[float, ...]:
    times, now = [], chance.between(0.0, 2.0)
    while now < PERIOD_S * 0.43:
        times.append(now)
        now += chance.between(1.5, 4.2)
    return tuple(times)


def _houses(chance: Chance) -> tuple[House, ...]:
    houses = []
    for side in (-1, 1):
        z = chance.between(-2.0, 4.0)
        while z < 150.0:
            long = chance.between(10.0, 22.0)
            houses.append(
                House(
                    side,
                    z,
                    z + long,
                    chance.between(8.5, 19.0),
                    chance.pick(_WALLS),
                    chance.pick(_SHOPS),
                    chance.whole(0, 3),
                )
            )
            z += long + (chance.between(2.0, 6.0) if chance.happens(0.2) else 0.0)
    return tuple(houses)


def _uprights(
    chance: Chance, road: float, half: float, crossing: float, parking: tuple[bool, bool]
) -> tuple[Upright, ...]:
    things: list[Upright] = []
    for side, parked in zip((-1, 1), parking, strict=True):
        z = chance.between(6.0, 14.0)
        while z < 130.0:
            things.append(Upright("lamp", side * (road + 0.5), z, 0, away=side > 0))
            z += chance.between(23.0, 27.0)
        z = chance.between(17.0, 26.0)
        trees = chance.happens(0.75)
        while z < 130.0 and trees:
            if abs(z - crossing) > 5.0:
                things.append(Upright("tree", side * (road + 0.9), z, chance.whole(0, 3)))
            z += chance.between(9.0, 18.0)
        z = 8.0
        while z < 80.0 and parked:
            if abs(z - crossing) > 7.0 and chance.happens(0.6):
                things.append(Upright("parked", side * (half + 1.15), z, chance.whole(0, 8), away=side > 0))
            z += chance.between(6.2, 9.5)
    return tuple(things)
