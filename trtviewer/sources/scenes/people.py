"""People on foot and on bicycles: a body of limbs in metres, drawn from the side or along the street."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trtviewer.sources.scenes.chance import Chance, wave
from trtviewer.sources.scenes.solids import shaded
from trtviewer.sources.scenes.sprite import Canvas, Colour, Sprite
from trtviewer.sources.scenes.weather import Ground

PHASES = 8
_COATS: tuple[Colour, ...] = (
    (60, 50, 48), (120, 70, 40), (48, 44, 150), (150, 140, 130), (70, 100, 60), (40, 120, 190),
    (190, 190, 196), (110, 60, 110), (36, 36, 40), (150, 110, 60), (60, 170, 210),
)  # fmt: skip
_TROUSERS: tuple[Colour, ...] = ((90, 62, 42), (44, 42, 44), (60, 56, 54), (110, 118, 128), (120, 90, 60))
_SKINS: tuple[Colour, ...] = ((150, 178, 226), (120, 150, 206), (84, 112, 168), (52, 76, 118))
_HAIRS: tuple[Colour, ...] = ((28, 32, 44), (40, 58, 88), (70, 100, 140), (130, 130, 134), (24, 24, 26))
_FRAMES: tuple[Colour, ...] = ((40, 40, 180), (160, 90, 30), (50, 130, 50), (40, 40, 42), (200, 200, 204))

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class PersonDesign:
    """What somebody wears, and whether they ride."""

    rides: bool
    coat: Colour
    trousers: Colour
    skin: Colour
    hair: Colour
    accent: Colour
    tall: float
    bag: bool
    skirt: bool


def person_design(chance: Chance, rides: bool) -> PersonDesign:
    """Somebody."""
    return PersonDesign(
        rides,
        chance.pick(_COATS),
        chance.pick(_TROUSERS),
        chance.pick(_SKINS),
        chance.pick(_HAIRS),
        chance.pick(_FRAMES),
        chance.between(1.60, 1.88),
        chance.happens(0.35),
        chance.happens(0.25),
    )


def person_sprite(design: PersonDesign, *, heading: int, phase: int, scale: float, ground: Ground) -> Sprite:
    """Somebody in one phase of their step.

    Args:
        heading: -1 to the left, 1 to the right, 2 away from the camera, -2 towards it.
        phase: 0..PHASES-1; -1 stands still.
        scale: pixels a metre.
    """
    reach = 1.05 if design.rides else 0.75
    drop = (0.8 if ground.mirror else 0.12) * scale
    lean = ground.sun_shear * design.tall
    canvas = Canvas(
        min(-reach, lean) * scale - 2,
        -2.15 * scale - 2,
        max(reach, lean) * scale + 2,
        drop + 3,
        shaded(design.coat, 0.7),
    )
    _shadow(canvas, design, heading, scale, ground)
    pencil = _Pencil(canvas, scale, mirrored=heading == -1)
    if design.rides:
        (_rider_aside if abs(heading) == 1 else _rider_along)(pencil, design, heading, phase)
    else:
        (_walker_aside if abs(heading) == 1 else _walker_along)(pencil, design, heading, phase)
    return canvas.finish((0.0, 0.0), reflection=ground.mirror, grain=8)


@dataclass(frozen=True, slots=True)
class _Pencil:
    """Draws in metres: x to the right, y up from the ground."""

    canvas: Canvas
    scale: float
    mirrored: bool

    def at(self, point: Point) -> Point:
        x, y = point
        return (-x if self.mirrored else x) * self.scale, -y * self.scale

    def limb(self, a: Point, b: Point, ra: float, rb: float, colour: Colour) -> None:
        self.canvas.limb(self.at(a), self.at(b), (ra * self.scale, rb * self.scale), colour)

    def shape(self, points: tuple[Point, ...], colour: Colour) -> None:
        self.canvas.polygon(np.array([self.at(point) for point in points]), colour)

    def disc(self, centre: Point, radius: float, colour: Colour) -> None:
        x, y = self.at(centre)
        self.canvas.disc(x, y, radius * self.scale, colour)

    def wheel(self, centre: Point, radius: float, colour: Colour) -> None:
        points = np.array(
            [
                self.at((centre[0] + radius * wave(k / 20 + 0.25), centre[1] + radius * wave(k / 20)))
                for k in range(20)
            ]
        )
        self.canvas.ring(points, max(0.045 * self.scale, 0.6), colour)


def _shadow(canvas: Canvas, design: PersonDesign, heading: int, scale: float, ground: Ground) -> None:
    half = (0.8 if abs(heading) == 1 else 0.28) if design.rides else 0.26
    feet = np.array([[-half, -0.04], [half, -0.04], [half, 0.06], [-half, 0.06]]) * scale
    if ground.sun_shear:
        tip = ground.sun_shear * design.tall * scale
        rise = -0.10 * abs(tip)
        canvas.shade(
            np.array([[-0.16 * scale, 0.05 * scale], [0.16 * scale, 0.05 * scale], [tip + 0.14 * scale, rise + 0.05 * scale],
                      [tip - 0.10 * scale, rise - 0.05 * scale]]), ground.shadow)  # fmt: skip
    canvas.shade(feet, ground.contact)


def _walker_aside(pencil: _Pencil, who: PersonDesign, heading: int, phase: int) -> None:
    t, step = who.tall / 1.75, (phase / PHASES if phase >= 0 else 0.0)
    swing = wave(step) if phase >= 0 else 0.12
    hip, shoulder = (0.0, 0.90 * t), (0.02, 1.40 * t)
    for sign, light in ((-1.0, 0.72), (1.0, 1.0)):
        move = sign * swing
        lift = max(0.0, wave(step + (0.25 if sign > 0 else 0.75))) if phase >= 0 else 0.0
        knee = (0.20 * move * t + 0.06, 0.48 * t + 0.03 * lift)
        foot = (0.40 * move * t - 0.05 * lift, 0.07 + 0.12 * lift)
        trousers = shaded(who.trousers, light)
        pencil.limb(hip, knee, 0.095 * t, 0.07 * t, trousers)
        pencil.limb(knee, foot, 0.07 * t, 0.05 * t, trousers)
        pencil.limb(foot, (foot[0] + 0.15, foot[1] - 0.02), 0.05, 0.045, (34, 32, 34))
        if sign < 0:
            _arm(pencil, who, shoulder, 0.24 * swing, 0.75)
    if who.skirt:
        pencil.shape(((-0.14, 0.95 * t), (0.14, 0.95 * t), (0.24, 0.55 * t), (-0.22, 0.55 * t)), who.coat)
    pencil.limb((0.0, 0.96 * t), (0.01, 1.36 * t), 0.125 * t, 0.135 * t, who.coat)
    pencil.limb((-0.05, 1.0 * t), (-0.04, 1.34 * t), 0.05 * t, 0.06 * t, shaded(who.coat, 1.12))
    if who.bag:
        pencil.limb((-0.17, 1.12 * t), (-0.17, 1.32 * t), 0.09 * t, 0.10 * t, who.accent)
    _arm(pencil, who, shoulder, -0.24 * swing, 0.9)
    _head(pencil, who, (0.04, 1.60 * t), t, face=0.035)


def _arm(pencil: _Pencil, who: PersonDesign, shoulder: Point, swing: float, light: float) -> None:
    elbow = (shoulder[0] + swing * 0.6, shoulder[1] - 0.27)
    hand = (shoulder[0] + swing * 1.3 + 0.04, shoulder[1] - 0.50)
    pencil.limb(shoulder, elbow, 0.055, 0.05, shaded(who.coat, light))
    pencil.limb(elbow, hand, 0.05, 0.038, shaded(who.coat, light))
    pencil.disc(hand, 0.042, who.skin)


def _head(pencil: _Pencil, who: PersonDesign, centre: Point, t: float, face: float | None) -> None:
    pencil.limb((centre[0] - 0.02, centre[1] - 0.14 * t), centre, 0.05 * t, 0.06 * t, shaded(who.skin, 0.85))
    pencil.limb(centre, (centre[0], centre[1] + 0.07 * t), 0.095 * t, 0.10 * t, who.hair)
    if face is not None:
        pencil.limb(
            (centre[0] + face, centre[1] - 0.03),
            (centre[0] + face, centre[1] + 0.05),
            0.07 * t,
            0.072 * t,
            who.skin,
        )


def _walker_along(pencil: _Pencil, who: PersonDesign, heading: int, phase: int) -> None:
    t, step = who.tall / 1.75, (phase / PHASES if phase >= 0 else 0.0)
    swing = wave(step) if phase >= 0 else 0.0
    for sign in (-1.0, 1.0):
        lift = max(0.0, sign * swing)
        light = 0.8 if lift > 0.3 else 1.0
        foot = (sign * 0.10, 0.06 + 0.20 * lift)
        pencil.limb(
            (sign * 0.09, 0.90 * t),
            (sign * 0.11, 0.50 * t + 0.06 * lift),
            0.10 * t,
            0.075 * t,
            shaded(who.trousers, light),
        )
        pencil.limb(
            (sign * 0.11, 0.50 * t + 0.06 * lift),
            foot,
            0.075 * t,
            0.055 * t,
            shaded(who.trousers, light * 0.94),
        )
        pencil.limb(foot, (foot[0] + sign * 0.02, foot[1] - 0.02), 0.058, 0.058, (34, 32, 34))
    if who.skirt:
        pencil.shape(((-0.18, 0.95 * t), (0.18, 0.95 * t), (0.25, 0.55 * t), (-0.25, 0.55 * t)), who.coat)
    for sign in (-1.0, 1.0):
        bend = -sign * swing * 0.05
        hand = (sign * 0.30, 0.88 * t + abs(bend))
        pencil.limb(
            (sign * 0.22, 1.38 * t), (sign * 0.28, 1.12 * t), 0.06 * t, 0.055 * t, shaded(who.coat, 0.86)
        )
        pencil.limb((sign * 0.28, 1.12 * t), hand, 0.052 * t, 0.04 * t, shaded(who.coat, 0.82))
        pencil.disc(hand, 0.042, who.skin)
    pencil.shape(((-0.25, 1.42 * t), (0.25, 1.42 * t), (0.19, 0.90 * t), (-0.19, 0.90 * t)), who.coat)
    pencil.limb((-0.19, 1.39 * t), (0.19, 1.39 * t), 0.07 * t, 0.07 * t, who.coat)
    pencil.limb((-0.11, 1.34 * t), (-0.08, 0.98 * t), 0.05 * t, 0.04 * t, shaded(who.coat, 1.10))
    if who.bag and heading == 2:
        pencil.limb((0.0, 1.08 * t), (0.0, 1.30 * t), 0.14 * t, 0.15 * t, who.accent)
    _head(pencil, who, (0.0, 1.60 * t), t, face=0.0 if heading == -2 else None)


def _rider_aside(pencil: _Pencil, who: PersonDesign, heading: int, phase: int) -> None:
    step = max(0, phase) / PHASES
    rear, front = (-0.52, 0.34), (0.54, 0.34)
    crank, seat, bars = (-0.06, 0.32), (-0.24, 0.92), (0.42, 0.98)
    for hub in (rear, front):
        pencil.wheel(hub, 0.33, (34, 33, 34))
        pencil.disc(hub, 0.05, (120, 120, 122))
    hip, shoulder, head = (-0.22, 1.04), (0.08, 1.50), (0.17, 1.72)
    legs = []
    for offset, light in ((0.5, 0.7), (0.0, 1.0)):
        pedal = (crank[0] + 0.16 * wave(step + offset + 0.25), crank[1] - 0.16 * wave(step + offset))
        knee = ((hip[0] + pedal[0]) / 2 + 0.24, (hip[1] + pedal[1]) / 2 + 0.10)
        legs.append((pedal, knee, shaded(who.trousers, light)))
    _leg(pencil, hip, *legs[0])
    for a, b in (
        (rear, crank),
        (crank, seat),
        (seat, rear),
        (crank, (0.36, 0.82)),
        (seat, (0.36, 0.82)),
        ((0.36, 0.86), front),
        ((0.36, 0.82), bars),
    ):
        pencil.limb(a, b, 0.026, 0.026, who.accent)
    pencil.limb((-0.32, 0.95), (-0.12, 0.96), 0.035, 0.03, (30, 30, 30))
    _leg(pencil, hip, *legs[1])
    pencil.limb(hip, shoulder, 0.14, 0.14, who.coat)
    pencil.limb(
        (hip[0] - 0.05, hip[1] + 0.1),
        (shoulder[0] - 0.06, shoulder[1] - 0.02),
        0.06,
        0.06,
        shaded(who.coat, 1.1),
    )
    elbow = (0.26, 1.20)
    pencil.limb(shoulder, elbow, 0.06, 0.05, shaded(who.coat, 0.88))
    pencil.limb(elbow, bars, 0.05, 0.04, shaded(who.coat, 0.84))
    _helmet(pencil, who, head, 0.03)


def _leg(pencil: _Pencil, hip: Point, pedal: Point, knee: Point, colour: Colour) -> None:
    pencil.limb(hip, knee, 0.10, 0.075, colour)
    pencil.limb(knee, (pedal[0] - 0.03, pedal[1] + 0.06), 0.075, 0.05, colour)
    pencil.limb(
        (pedal[0] - 0.05, pedal[1] + 0.03), (pedal[0] + 0.12, pedal[1] + 0.02), 0.045, 0.04, (34, 32, 34)
    )


def _helmet(pencil: _Pencil, who: PersonDesign, head: Point, face: float | None) -> None:
    pencil.limb((head[0] - 0.03, head[1] - 0.15), head, 0.05, 0.06, shaded(who.skin, 0.85))
    pencil.limb(head, (head[0], head[1] + 0.05), 0.095, 0.10, who.hair)
    if face is not None:
        pencil.limb((head[0] + face, head[1] - 0.04), (head[0] + face, head[1] + 0.04), 0.07, 0.07, who.skin)
    helmet = who.accent if who.bag else (214, 218, 220)
    pencil.limb((head[0] - 0.06, head[1] + 0.10), (head[0] + 0.06, head[1] + 0.10), 0.085, 0.085, helmet)


def _rider_along(pencil: _Pencil, who: PersonDesign, heading: int, phase: int) -> None:
    swing = wave(max(0, phase) / PHASES)
    pencil.limb((0.0, 0.05), (0.0, 0.64), 0.032, 0.032, (32, 31, 32))
    pencil.limb((0.0, 0.60), (0.0, 0.96), 0.03, 0.03, who.accent)
    pencil.limb((-0.30, 1.00), (0.30, 1.00), 0.025, 0.025, (40, 40, 42))
    for sign in (-1.0, 1.0):
        pedal = (sign * 0.13, 0.32 + 0.15 * sign * swing)
        knee = (sign * 0.17, 0.68 + 0.10 * sign * swing)
        light = 1.0 if sign * swing > 0 else 0.82
        pencil.limb((sign * 0.10, 1.02), knee, 0.095, 0.075, shaded(who.trousers, light))
        pencil.limb(knee, pedal, 0.072, 0.05, shaded(who.trousers, light * 0.92))
        pencil.limb(pedal, (pedal[0], pedal[1] - 0.03), 0.055, 0.05, (34, 32, 34))
        pencil.limb((sign * 0.22, 1.44), (sign * 0.31, 1.20), 0.06, 0.05, shaded(who.coat, 0.86))
        pencil.limb((sign * 0.31, 1.20), (sign * 0.28, 1.02), 0.05, 0.04, shaded(who.coat, 0.82))
    pencil.shape(((-0.24, 1.47), (0.24, 1.47), (0.19, 0.96), (-0.19, 0.96)), who.coat)
    pencil.limb((-0.18, 1.44), (0.18, 1.44), 0.07, 0.07, who.coat)
    pencil.limb((-0.10, 1.40), (-0.08, 1.05), 0.05, 0.04, shaded(who.coat, 1.1))
    if heading == 2:
        pencil.disc((0.0, 0.80), 0.05, (30, 30, 200))
    _helmet(pencil, who, (0.0, 1.68), 0.0 if heading == -2 else None)
