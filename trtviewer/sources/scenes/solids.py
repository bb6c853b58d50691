"""Solid bodies of flat faces, seen by the camera: what vehicles are built of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from trtviewer.sources.scenes.sprite import Canvas, Colour

Points = NDArray[np.float64]
Project = Callable[[Points], Points]
"""[N, 3] of the body's own metres to [N, 2] pixels."""

_SUN = np.array([-0.45, 0.80, -0.40])


@dataclass(frozen=True, eq=False, slots=True)
class Detail:
    """Something painted on a face: a window, a lamp, a line. [N, 3] in the body's metres."""

    points: Points
    colour: Colour
    lit: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class Face:
    """A flat convex face, [N, 3], with what is painted on it."""

    points: Points
    colour: Colour
    details: tuple[Detail, ...] = ()


@dataclass(frozen=True, eq=False, slots=True)
class Part:
    """A convex body; its centre tells the outer side of its faces."""

    centre: Points
    faces: tuple[Face, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Body:
    """A vehicle: parts, wheels, lamps, and the ground that it covers.

    Attributes:
        parts: drawn far to near.
        wheels: x, y, z, radius, width; x is the outer side.
        head, tail: places of the lamps, [N, 3].
        size: width, height, length in metres.
    """

    parts: tuple[Part, ...]
    wheels: tuple[tuple[float, float, float, float], ...]
    head: Points
    tail: Points
    size: tuple[float, float, float]
    extra: tuple[Detail, ...] = field(default=())


def shaded(colour: Colour, light: float) -> Colour:
    """A colour in this much light; beyond 1 it whitens, as paint does in the sun."""
    if light <= 1:
        blue, green, red = (round(value * light) for value in colour)
    else:
        blue, green, red = (round(value + (255 - value) * min(1.0, light - 1)) for value in colour)
    return blue, green, red


def prism(
    profile: Sequence[tuple[float, float, float]],
    colours: Sequence[Colour],
    side: Colour,
    details: Mapping[int | str, Sequence[Detail]],
) -> Part:
    """A profile of (z, y, half width) drawn across the body's width.

    Args:
        colours: of the face from each point to the next, last to first included.
        side: of the two flanks.
        details: by the face's number, or "left" and "right".
    """
    left = np.array([[-half, y, z] for z, y, half in profile])
    right = np.array([[half, y, z] for z, y, half in profile])
    faces = [
        Face(left, side, tuple(details.get("left", ()))),
        Face(right, side, tuple(details.get("right", ()))),
    ]
    for number, colour in enumerate(colours):
        after = (number + 1) % len(profile)
        quad = np.array([left[number], left[after], right[after], right[number]])
        faces.append(Face(quad, colour, tuple(details.get(number, ()))))
    return Part(np.vstack([left, right]).mean(0), tuple(faces))


def on_quad(quad: Points, u0: float, v0: float, u1: float, v1: float) -> Points:
    """A part of a four-sided face: u along its first edge to the last, v along its second edge, 0..1."""
    a, b, c, d = quad

    def at(u: float, v: float) -> Points:
        point: Points = (a * (1 - v) + b * v) * (1 - u) + (d * (1 - v) + c * v) * u
        return point

    return np.array([at(u0, v0), at(u0, v1), at(u1, v1), at(u1, v0)])


def disc_points(x: float, y: float, z: float, radius: float) -> Points:
    """A circle upright along the body's length, [16, 3]."""
    return np.array([[x, y + radius * s, z + radius * c] for c, s in _CIRCLE])


def turned(points: Points, forward: bool) -> Points:
    """The points of a body that drives away from the camera (`forward`) or towards it."""
    return points if forward else points * np.array([-1.0, 1.0, -1.0])


def paint(canvas: Canvas, body: Body, eye: Points, project: Project, forward: bool) -> None:
    """Draws the body as seen from `eye`, given in the metres of its place on the ground."""
    sun = _SUN
    # A wheel is seen on the side that the camera looks at; the other side's are hidden by the body.
    for part in _far_to_near(body.parts, eye, forward):
        centre = turned(part.centre, forward)
        for face in part.faces:
            points = turned(face.points, forward)
            normal = np.cross(points[1] - points[0], points[2] - points[0])
            middle = points.mean(0)
            if float(normal @ (middle - centre)) < 0:
                normal = -normal
            if float(normal @ (eye - middle)) <= 0:
                continue
            normal = normal / np.sqrt(float(normal @ normal))
            light = 0.60 + 0.34 * max(0.0, float(normal @ sun)) + 0.16 * max(0.0, float(normal[1]))
            canvas.polygon(project(points), shaded(face.colour, light))
            for detail in face.details:
                colour = detail.colour if detail.lit else shaded(detail.colour, 0.35 + 0.65 * light)
                canvas.polygon(project(turned(detail.points, forward)), colour, solid=False)
        if part is body.parts[0]:
            _wheels(canvas, body, eye, project, forward)


def _far_to_near(parts: tuple[Part, ...], eye: Points, forward: bool) -> Iterator[Part]:
    """The first part (the lowest) first, the others by falling distance."""
    yield parts[0]
    rest = sorted(parts[1:], key=lambda part: -abs(float(turned(part.centre, forward)[2] - eye[2])))
    yield from rest


def _wheels(canvas: Canvas, body: Body, eye: Points, project: Project, forward: bool) -> None:
    for x, y, z, radius in body.wheels:
        hub = turned(np.array([x, y, z]), forward)
        if (float(hub[0]) > 0) != (float(eye[0]) > float(hub[0])) and abs(float(eye[0])) > abs(float(hub[0])):
            continue
        outer = float(hub[0])
        if abs(float(eye[0])) < abs(outer):
            # Seen from straight ahead, only the tyre's tread below the body shows.
            inner = outer - (0.22 if outer > 0 else -0.22)
            near = float(hub[2]) - (radius * 0.7 if eye[2] < hub[2] else -radius * 0.7)
            tread = np.array(
                [[outer, 0.0, near], [outer, y * 1.1, near], [inner, y * 1.1, near], [inner, 0.0, near]]
            )
            canvas.polygon(project(tread), (24, 22, 22))
            continue
        canvas.polygon(
            project(disc_points(outer, y * 1.12, float(hub[2]), radius * 1.2)), (20, 18, 18), solid=False
        )
        canvas.polygon(project(disc_points(outer, y, float(hub[2]), radius)), (30, 28, 28))
        canvas.polygon(project(disc_points(outer, y, float(hub[2]), radius * 0.66)), (150, 148, 146))
        canvas.polygon(project(disc_points(outer, y, float(hub[2]), radius * 0.44)), (92, 90, 90))
        canvas.polygon(project(disc_points(outer, y, float(hub[2]), radius * 0.2)), (160, 158, 156))


def _circle() -> tuple[tuple[float, float], ...]:
    """Sixteen directions, from the half-angle root alone: no sine of some library decides a pixel."""
    root = float(np.sqrt(0.5))
    c1 = float(np.sqrt((1 + root) / 2))
    s1 = float(np.sqrt((1 - root) / 2))
    quarter = [(1.0, 0.0), (c1, s1), (root, root), (s1, c1)]
    points: list[tuple[float, float]] = []
    for _ in range(4):
        points.extend(quarter)
        quarter = [(-s, c) for c, s in quarter]
    return tuple(points)


_CIRCLE = _circle()
