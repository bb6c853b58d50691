"""Who is where at a time: every place is computed from the time alone, so that any frame can be asked for first."""

from __future__ import annotations

from dataclasses import dataclass

from trtviewer.sources.scenes.chance import Chance
from trtviewer.sources.scenes.layout import PERIOD_S, Lane, Street
from trtviewer.sources.scenes.people import PHASES, PersonDesign
from trtviewer.sources.scenes.vehicles import VehicleDesign

CLASS_NAMES = ("car", "truck", "person", "cyclist")
CAR, TRUCK, PERSON, CYCLIST = range(4)
FARTHEST = 165.0
_WALK_SPAN = 62.0


@dataclass(frozen=True, slots=True)
class Actor:
    """Something that moves, at one moment.

    Attributes:
        class_id: index into `CLASS_NAMES`.
        x, z: its place on the ground, metres.
        heading: -1 left, 1 right, 2 away from the camera, -2 towards it.
        phase: of its step; -1 stands.
        design: what it looks like.
    """

    class_id: int
    x: float
    z: float
    heading: int
    phase: int
    design: VehicleDesign | PersonDesign


def actors_at(street: Street, time_s: float) -> list[Actor]:
    """Everybody between the camera and the far end."""
    now = time_s + street.start_s
    found: list[Actor] = []
    for number, lane in enumerate(street.lanes):
        found.extend(_vehicles(street, lane, number, now))
    for number, lane in enumerate(street.bicycles):
        found.extend(_bicycles(street, lane, number, now))
    found.extend(_walkers(street, now))
    found.extend(_crossing(street, now))
    return found


def _passes(lane: Lane, now: float, middle: float, period: float) -> list[tuple[int, int, float]]:
    """Slot, turn and place along the street of each member of a lane; it passes `middle` once a period."""
    places = []
    for slot, headway in enumerate(lane.headways):
        since = now - headway
        turn = int((since + period / 2) // period)
        run = (since - turn * period) * lane.speed
        places.append((slot, turn, middle + (run if lane.away else -run)))
    return places


def _vehicles(street: Street, lane: Lane, number: int, now: float) -> list[Actor]:
    found = []
    for slot, turn, z in _passes(lane, now, street.crossing, PERIOD_S):
        chance = Chance(street.seed, 11, number, slot, turn)
        if not chance.happens(0.72) or not 3.0 < z < FARTHEST:
            continue
        truck = chance.happens(0.26)
        design = chance.pick(street.trucks) if truck else chance.pick(street.cars)
        x = lane.x + chance.pick((-0.25, 0.0, 0.0, 0.25))
        found.append(Actor(TRUCK if truck else CAR, x, z, 2 if lane.away else -2, 0, design))
    return found


def _bicycles(street: Street, lane: Lane, number: int, now: float) -> list[Actor]:
    found = []
    for slot, turn, z in _passes(lane, now, street.crossing + 20.0, PERIOD_S):
        chance = Chance(street.seed, 12, number, slot, turn)
        if not chance.happens(0.85) or not 4.0 < z < 80.0:
            continue
        phase = int(now * 1.35 * PHASES + slot * 3) % PHASES
        x = lane.x + chance.between(-0.3, 0.3)
        found.append(Actor(CYCLIST, x, z, 2 if lane.away else -2, phase, chance.pick(street.riders)))
    return found


def _walkers(street: Street, now: float) -> list[Actor]:
    """People along the pavements; some in pairs."""
    found = []
    for number in range(street.walkers):
        fixed = Chance(street.seed, 13, number)
        side, away = fixed.pick((-1, 1)), fixed.happens(0.5)
        speed, start = fixed.between(1.15, 1.65), fixed.between(0, _WALK_SPAN)
        run = start + now * speed
        turn, along = int(run // _WALK_SPAN), run % _WALK_SPAN
        chance = Chance(street.seed, 14, number, turn)
        z = 5.0 + (along if away else _WALK_SPAN - along)
        x = side * (street.road + chance.between(1.2, street.facade - street.road - 0.7))
        # Whoever comes to the end of their way turns into a house.
        indoors = max(0.0, 1.0 - min(along, _WALK_SPAN - along) / 3.0) if z > 40.0 else 0.0
        x += (side * (street.facade - 0.2) - x) * indoors
        heading = 2 if away else -2
        phase = int(run / 1.35 * PHASES) % PHASES
        found.append(Actor(PERSON, x, z, heading, phase, chance.pick(street.people)))
        if chance.happens(0.3):
            beside = x + (0.7 if chance.happens(0.5) else -0.7)
            found.append(
                Actor(PERSON, beside, z + 0.15, heading, (phase + 3) % PHASES, chance.pick(street.people))
            )
    return found


def _crossing(street: Street, now: float) -> list[Actor]:
    """People who cross at the lights, from one row of houses to the other, on foot or by bicycle."""
    found = []
    for turn in (int(now // PERIOD_S), int(now // PERIOD_S) - 1):
        group = Chance(street.seed, 15, turn)
        for number in range(group.whole(4, 9)):
            chance = Chance(street.seed, 16, turn, number)
            rides = chance.happens(0.35)
            # Off the road before the next cars come, however wide it is.
            speed = chance.between(3.0, 4.2) if rides else max(chance.between(1.2, 1.7), street.road / 7.0)
            enter = PERIOD_S * (0.62 if rides else 0.47) + chance.between(0.0, 3.0)
            leave = turn * PERIOD_S + enter - (street.facade - street.road) / speed
            run = (now - leave) * speed
            if not 0.0 <= run <= 2 * street.facade - 0.8:
                continue
            right = chance.happens(0.5)
            x = (-street.facade + 0.4 + run) * (1 if right else -1)
            z = street.crossing + chance.between(-1.6, 1.6)
            phase = int(run / (2.4 if rides else 1.35) * PHASES) % PHASES
            design = chance.pick(street.riders if rides else street.people)
            found.append(Actor(CYCLIST if rides else PERSON, x, z, 1 if right else -1, phase, design))
    return found
