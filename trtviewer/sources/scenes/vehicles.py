"""Cars and trucks: their shapes, their paint, and their pictures from where the camera sees them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from trtviewer.sources.scenes.chance import Chance
from trtviewer.sources.scenes.solids import Body, Detail, Part, Points, on_quad, paint, prism, shaded, turned
from trtviewer.sources.scenes.sprite import Canvas, Colour, Sprite
from trtviewer.sources.scenes.weather import Ground

CAR_PAINTS: tuple[Colour, ...] = (
    (232, 234, 234), (196, 198, 200), (120, 122, 126), (58, 58, 62), (34, 32, 34), (150, 84, 34),
    (104, 52, 22), (36, 34, 176), (28, 26, 120), (70, 104, 60), (150, 190, 206), (44, 92, 150),
)  # fmt: skip
TRUCK_PAINTS: tuple[Colour, ...] = (
    (236, 236, 234), (196, 120, 40), (46, 48, 190), (60, 140, 70), (40, 170, 220), (110, 110, 114),
)  # fmt: skip
_GLASS: Colour = (74, 62, 50)
_GLASS_LIGHT: Colour = (150, 136, 118)
_DARK: Colour = (38, 36, 36)
_HEAD: Colour = (236, 240, 244)
_TAIL: Colour = (30, 26, 190)
_PLATE: Colour = (220, 226, 228)


@dataclass(frozen=True, slots=True)
class VehicleDesign:
    """Which vehicle: its kind ("sedan", "hatch", "suv", "taxi", "box", "lorry", "bus"), paint and second colour."""

    kind: str
    paint: Colour
    trim: Colour

    @property
    def is_truck(self) -> bool:
        """Whether the truth calls it a truck."""
        return self.kind in ("box", "lorry", "tipper")


def car_design(chance: Chance) -> VehicleDesign:
    """One of the cars."""
    kind = chance.pick(("sedan", "sedan", "hatch", "hatch", "suv", "suv", "taxi"))
    colour = (40, 190, 236) if kind == "taxi" else chance.pick(CAR_PAINTS)
    return VehicleDesign(kind, colour, _DARK)


def truck_design(chance: Chance) -> VehicleDesign:
    """One of the trucks."""
    return VehicleDesign(
        chance.pick(("box", "lorry", "box", "tipper")), chance.pick(TRUCK_PAINTS), chance.pick(TRUCK_PAINTS)
    )


@lru_cache(maxsize=256)
def body_of(design: VehicleDesign) -> Body:
    """The shape of a design, nose towards +z."""
    return _truck(design) if design.is_truck else _car(design)


# (half length, half width, hood height, deck height, roof height, cabin: rear base, rear roof, front roof, front base)
_CARS = {
    "sedan": (2.25, 0.91, 0.80, 0.96, 1.46, (-1.75, -0.98, 0.22, 1.05)),
    "taxi": (2.25, 0.91, 0.80, 0.96, 1.48, (-1.75, -0.98, 0.22, 1.05)),
    "hatch": (1.98, 0.88, 0.84, 0.98, 1.52, (-1.86, -1.45, 0.12, 1.02)),
    "suv": (2.28, 0.96, 1.00, 1.12, 1.74, (-2.14, -1.80, 0.20, 1.06)),
}


def _car(design: VehicleDesign) -> Body:
    half, wide, hood, deck, roof, (rb, rr, fr, fb) = _CARS[design.kind]
    body = design.paint
    lower = (
        (-half + 0.06, 0.26, wide - 0.06), (-half, 0.60, wide), (-half + 0.10, deck - 0.04, wide - 0.05),
        (fb - 0.1, deck, wide - 0.04), (half - 0.22, hood, wide - 0.08), (half, 0.58, wide - 0.04),
        (half - 0.05, 0.24, wide - 0.08),
    )  # fmt: skip
    nose = np.array([[-wide + 0.08, hood, half - 0.22], [-wide + 0.04, 0.58, half], [wide - 0.04, 0.58, half],
                     [wide - 0.08, hood, half - 0.22]])  # fmt: skip
    back = np.array([[-wide, 0.60, -half], [-wide + 0.05, deck - 0.04, -half + 0.10],
                     [wide - 0.05, deck - 0.04, -half + 0.10], [wide, 0.60, -half]])  # fmt: skip
    front_low = np.array([[-wide + 0.04, 0.58, half], [-wide + 0.08, 0.24, half - 0.05],
                          [wide - 0.08, 0.24, half - 0.05], [wide - 0.04, 0.58, half]])  # fmt: skip
    rear_low = np.array([[-wide + 0.06, 0.26, -half + 0.06], [-wide, 0.60, -half],
                         [wide, 0.60, -half], [wide - 0.06, 0.26, -half + 0.06]])  # fmt: skip
    details: dict[int | str, list[Detail]] = {
        0: [
            Detail(on_quad(rear_low, 0, 0, 1, 0.35), _DARK),
            Detail(on_quad(rear_low, 0.36, 0.5, 0.64, 0.9), _PLATE),
        ],
        1: [
            Detail(on_quad(back, 0.02, 0.35, 0.24, 0.85), _TAIL, True),
            Detail(on_quad(back, 0.76, 0.35, 0.98, 0.85), _TAIL, True),
            Detail(on_quad(back, 0.30, 0.86, 0.70, 0.94), shaded(body, 0.6)),
        ],
        4: [
            Detail(on_quad(nose, 0.03, 0.25, 0.26, 0.85), _HEAD, True),
            Detail(on_quad(nose, 0.74, 0.25, 0.97, 0.85), _HEAD, True),
            Detail(on_quad(nose, 0.32, 0.35, 0.68, 0.95), _DARK),
        ],
        5: [
            Detail(on_quad(front_low, 0.12, 0.45, 0.88, 0.95), _DARK),
            Detail(on_quad(front_low, 0.36, 0.12, 0.64, 0.42), _PLATE),
        ],
    }
    for name, x in (("left", -wide + 0.03), ("right", wide - 0.03)):
        details[name] = [
            Detail(_flank(x, ((-half + 0.1, 0.28), (half - 0.1, 0.28), (half - 0.1, 0.40), (-half + 0.1, 0.40))),
                   shaded(body, 0.55)),
            Detail(_flank(x, ((0.02, 0.40), (0.06, 0.40), (0.06, deck - 0.03), (0.02, deck - 0.03))), shaded(body, 0.5)),
            Detail(_flank(x, ((-0.95, 0.45), (-0.91, 0.45), (-0.91, deck - 0.03), (-0.95, deck - 0.03))),
                   shaded(body, 0.5)),
            Detail(_flank(x, ((-half + 0.15, 0.70), (half - 0.35, 0.68), (half - 0.35, 0.71), (-half + 0.15, 0.74))),
                   shaded(body, 1.25)),
        ]  # fmt: skip
    base, top = wide - 0.10, wide - 0.28
    cabin = ((rb, deck - 0.02, base), (rr, roof, top), (fr, roof, top), (fb, deck - 0.02, base))
    inner: dict[int | str, list[Detail]] = {
        0: _pane(_edge(cabin, 0)), 2: _pane(_edge(cabin, 2)),
        1: [Detail(on_quad(_edge(cabin, 1), 0.2, 0.1, 0.8, 0.6), shaded(body, 1.12))],
    }  # fmt: skip
    for name, sign in (("left", -1.0), ("right", 1.0)):
        quad = np.array([[sign * half_width, y, z] for z, y, half_width in cabin])
        inner[name] = [
            Detail(on_quad(quad, 0.47, 0.12, 0.86, 0.88), _GLASS),
            Detail(on_quad(quad, 0.10, 0.12, 0.43, 0.88), _GLASS),
            Detail(on_quad(quad, 0.50, 0.50, 0.80, 0.86), _GLASS_LIGHT),
            Detail(on_quad(quad, 0.14, 0.56, 0.40, 0.86), _GLASS_LIGHT),
        ]
    parts: list[Part] = [
        prism(
            lower,
            (body, body, body, body, body, body, _DARK),
            body,
            {k: tuple(v) for k, v in details.items()},
        ),
        prism(cabin, (body, shaded(body, 0.97), body, _DARK), body, {k: tuple(v) for k, v in inner.items()}),
    ]
    if design.kind == "taxi":
        sign_profile = (
            (-0.45, roof, 0.28),
            (-0.42, roof + 0.16, 0.24),
            (-0.22, roof + 0.16, 0.24),
            (-0.18, roof, 0.28),
        )
        parts.append(prism(sign_profile, ((230, 240, 244),) * 4, (230, 240, 244), {}))
    wheels = tuple(
        (side * (wide + 0.01), 0.33, z, 0.33) for z in (-half + 0.82, half - 0.86) for side in (-1.0, 1.0)
    )
    head = np.array([[-wide + 0.22, 0.68, half], [wide - 0.22, 0.68, half]])
    tail = np.array([[-wide + 0.16, 0.76, -half], [wide - 0.16, 0.76, -half]])
    return Body(tuple(parts), wheels, head, tail, (2 * wide, roof, 2 * half))


def _truck(design: VehicleDesign) -> Body:
    long = 8.6 if design.kind == "lorry" else 6.6
    half, wide = long / 2, 1.22
    cab_back, roof = half - 2.0, 2.75
    load_top = {"box": 3.25, "lorry": 3.65, "tipper": 2.5}[design.kind]
    paint_colour, load = design.paint, design.trim
    chassis = (
        (-half + 0.1, 0.55, 1.0),
        (-half + 0.1, 0.95, 1.0),
        (half - 0.3, 0.95, 1.0),
        (half - 0.3, 0.5, 1.0),
    )
    cab = ((cab_back, 0.55, wide - 0.04), (cab_back, roof, wide - 0.08), (half - 0.35, roof, wide - 0.10),
           (half - 0.02, 1.55, wide - 0.04), (half, 0.42, wide - 0.04))  # fmt: skip
    glass, face = _edge(cab, 2), _edge(cab, 3)
    front: dict[int | str, tuple[Detail, ...]] = {
        2: tuple(_pane(glass)),
        3: (
            Detail(on_quad(face, 0.04, 0.62, 0.22, 0.80), _HEAD, True),
            Detail(on_quad(face, 0.78, 0.62, 0.96, 0.80), _HEAD, True),
            Detail(on_quad(face, 0.22, 0.20, 0.78, 0.50), _DARK),
            Detail(on_quad(face, 0.0, 0.84, 1.0, 1.0), _DARK),
            Detail(on_quad(face, 0.38, 0.86, 0.62, 0.96), _PLATE),
        ),
    }
    for name, x in (("left", -wide + 0.06), ("right", wide - 0.06)):
        front[name] = (
            Detail(_flank(x, ((cab_back + 0.5, 1.55), (half - 0.25, 1.55), (half - 0.50, 2.45), (cab_back + 0.5, 2.45))),
                   _GLASS),
            Detail(_flank(x, ((cab_back + 0.9, 2.0), (half - 0.45, 2.0), (half - 0.55, 2.4), (cab_back + 0.9, 2.4))),
                   _GLASS_LIGHT),
            Detail(_flank(x, ((cab_back + 0.42, 0.6), (cab_back + 0.46, 0.6), (cab_back + 0.46, 2.5),
                              (cab_back + 0.42, 2.5))), shaded(paint_colour, 0.5)),
        )  # fmt: skip
    floor = 0.95
    box = (
        (-half, floor, wide),
        (-half, load_top, wide),
        (cab_back - 0.12, load_top, wide),
        (cab_back - 0.12, floor, wide),
    )
    rear = _edge(box, 0)
    cargo: dict[int | str, tuple[Detail, ...]] = {
        0: (
            Detail(on_quad(rear, 0.06, 0.06, 0.485, 0.94), shaded(load, 0.9)),
            Detail(on_quad(rear, 0.515, 0.06, 0.94, 0.94), shaded(load, 0.9)),
            Detail(on_quad(rear, 0.0, 0.0, 1.0, 0.07), _DARK),
            Detail(on_quad(rear, 0.02, 0.0, 0.14, 0.07), _TAIL, True),
            Detail(on_quad(rear, 0.86, 0.0, 0.98, 0.07), _TAIL, True),
            Detail(on_quad(rear, 0.46, 0.3, 0.48, 0.6), _DARK),
            Detail(on_quad(rear, 0.52, 0.3, 0.54, 0.6), _DARK),
            Detail(on_quad(rear, 0.38, 0.01, 0.62, 0.06), _PLATE),
        ),
        1: tuple(
            Detail(on_quad(_edge(box, 1), 0.02, k / 8 - 0.006, 0.98, k / 8 + 0.006), shaded(load, 0.88))
            for k in range(1, 8)
        ),
    }
    for name, x in (("left", -wide), ("right", wide)):
        low, high = floor + 0.25, load_top - 0.25
        span, start = cab_back - 0.12 + half, -half
        ribs = [
            Detail(_flank(x, ((start + span * k / 8 - 0.03, floor + 0.12), (start + span * k / 8 + 0.03, floor + 0.12),
                              (start + span * k / 8 + 0.03, load_top), (start + span * k / 8 - 0.03, load_top))),
                   shaded(load, 0.86))
            for k in range(1, 8)
        ]  # fmt: skip
        cargo[name] = (
            *ribs,
            Detail(_flank(x, ((start, floor), (start + span, floor), (start + span, floor + 0.12), (start, floor + 0.12))),
                   shaded(load, 0.5)),
            Detail(_flank(x, ((start + span * 0.2, (low + high) / 2 - 0.1), (start + span * 0.8, (low + high) / 2 - 0.1),
                              (start + span * 0.8, high - 0.2), (start + span * 0.2, high - 0.2))), paint_colour),
            Detail(_flank(x, ((start + span * 0.26, (low + high) / 2 + 0.1), (start + span * 0.6, (low + high) / 2 + 0.1),
                              (start + span * 0.6, high - 0.4), (start + span * 0.26, high - 0.4))), shaded(load, 1.0)),
        )  # fmt: skip
    parts = (
        prism(chassis, (_DARK,) * 4, _DARK, {}),
        prism(cab, (paint_colour,) * 5, paint_colour, front),
        prism(box, (load, shaded(load, 0.98), load, _DARK), load, cargo),
    )
    axles = (-half + 1.0, -half + 2.1, half - 1.2) if design.kind == "lorry" else (-half + 1.3, half - 1.2)
    wheels = tuple((side * (wide - 0.02), 0.48, z, 0.48) for z in axles for side in (-1.0, 1.0))
    head = np.array([[-0.95, 0.85, half], [0.95, 0.85, half]])
    tail = np.array([[-1.05, 1.0, -half], [1.05, 1.0, -half]])
    return Body(parts, wheels, head, tail, (2 * wide, max(load_top, roof), long))


def _flank(x: float, corners: tuple[tuple[float, float], ...]) -> Points:
    return np.array([[x, y, z] for z, y in corners])


def _edge(profile: tuple[tuple[float, float, float], ...], number: int) -> Points:
    (z0, y0, w0), (z1, y1, w1) = profile[number], profile[(number + 1) % len(profile)]
    return np.array([[-w0, y0, z0], [-w1, y1, z1], [w1, y1, z1], [w0, y0, z0]])


def _pane(quad: Points) -> list[Detail]:
    """A window with the sky in its upper part."""
    return [
        Detail(on_quad(quad, 0.07, 0.08, 0.93, 0.92), _GLASS),
        Detail(on_quad(quad, 0.12, 0.45, 0.62, 0.88), _GLASS_LIGHT),
        Detail(on_quad(quad, 0.70, 0.50, 0.88, 0.88), shaded(_GLASS_LIGHT, 0.85)),
    ]


def vehicle_sprite(
    design: VehicleDesign,
    *,
    forward: bool,
    aside: float,
    eye: float,
    distance: float,
    focal: float,
    ground: Ground,
) -> Sprite:
    """The vehicle as the camera sees it.

    Args:
        forward: drives away from the camera.
        aside: metres from the camera's line to the vehicle, to the right.
        eye: the camera's height; distance: to the vehicle's middle; focal: pixels.
        ground: what lies under it: a sun's shadow, a dull one, a mirror image.
    """
    body = body_of(design)
    scale = focal / distance
    wide, high, long = body.size

    def project(points: Points) -> Points:
        depth = focal / np.maximum(points[:, 2] + distance, 0.5)
        return np.stack(
            [(points[:, 0] + aside) * depth - aside * scale, (eye - points[:, 1]) * depth - eye * scale], 1
        )

    corners = np.array(
        [[x, y, z] for x in (-wide / 2, wide / 2) for y in (0.0, high + 0.2) for z in (-long / 2, long / 2)]
    )
    sun = ground.sun_shear * high
    spread = np.vstack([corners, corners + np.array([sun, 0, 0])]) if sun else corners
    outline = project(spread)
    low, top = outline.min(0) - 2, outline.max(0) + 2
    canvas = Canvas(
        float(low[0]),
        float(low[1]),
        float(top[0]) + 1,
        float(top[1]) + 1 + (0.45 * high * scale if ground.mirror else 0.1 * scale),
        shaded(design.paint, 0.5),
    )
    foot = np.array(
        [
            [-wide / 2, 0, -long / 2],
            [wide / 2, 0, -long / 2],
            [wide / 2, 0, long / 2],
            [-wide / 2, 0, long / 2],
        ]
    )
    if sun:
        canvas.shade(project(foot + np.array([sun * 0.5, 0, 0.1])), ground.shadow)
        canvas.shade(project(foot * np.array([1, 1, 0.94]) + np.array([sun, 0, 0.3])), ground.shadow)
    canvas.shade(project(foot * np.array([0.98, 1, 1.0])), ground.contact)
    paint(canvas, body, np.array([-aside, eye, -distance]), project, forward)
    return canvas.finish((0.0, 0.0), reflection=ground.mirror, grain=10)


def lamps(design: VehicleDesign, forward: bool) -> Points:
    """The lamps on the side that the camera sees, [N, 3] from the vehicle's place."""
    body = body_of(design)
    return turned(body.tail if forward else body.head, forward)
