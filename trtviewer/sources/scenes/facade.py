"""Houses: a wall with its windows, doors and shops, by day and lit by night, and its way into the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trtviewer.opencv import cv2
from trtviewer.sources.scenes.chance import Chance, bell
from trtviewer.sources.scenes.layout import House
from trtviewer.sources.scenes.solids import shaded
from trtviewer.sources.scenes.sprite import Colour

PIXELS_A_METRE = 26


@dataclass(frozen=True, eq=False, slots=True)
class Wall:
    """A wall's two pictures, [H, W, 3] BGR uint8: its colours by day, and what shines at night."""

    paint: NDArray[np.uint8]
    glow: NDArray[np.uint8]


def wall_of(house: House, length: float, chance: Chance) -> Wall:
    """The wall of a house, `length` metres long; row 0 is the roof's edge."""
    high, wide = round(house.height * PIXELS_A_METRE), max(8, round(length * PIXELS_A_METRE))
    paint = np.empty((high, wide, 3), np.uint8)
    paint[:] = house.colour
    glow = np.zeros_like(paint)
    _texture(paint, house, chance)
    ground_floor = round(3.6 * PIXELS_A_METRE)
    floor = round((3.1 + 0.1 * house.style) * PIXELS_A_METRE)
    bay = round((2.1 + 0.25 * house.style) * PIXELS_A_METRE)
    margin = (wide % bay) // 2 + bay // 4
    top = round(0.9 * PIXELS_A_METRE)
    while top + floor <= high - ground_floor:
        for left in range(margin, wide - bay // 2 - margin // 2, bay):
            _window(paint, glow, left, top + floor // 5, bay // 2, round(floor * 0.58), house, chance)
        cv2.rectangle(paint, (0, top + floor - 4), (wide, top + floor - 1), shaded(house.colour, 0.86), -1)
        top += floor
    _shops(paint, glow, high - ground_floor, house, chance)
    cv2.rectangle(paint, (0, 0), (wide, round(0.55 * PIXELS_A_METRE)), shaded(house.colour, 0.72), -1)
    cv2.rectangle(
        paint,
        (0, round(0.45 * PIXELS_A_METRE)),
        (wide, round(0.62 * PIXELS_A_METRE)),
        shaded(house.colour, 1.14),
        -1,
    )
    cv2.rectangle(paint, (0, 0), (3, high), shaded(house.colour, 0.62), -1)
    return Wall(paint, glow)


def _texture(paint: NDArray[np.uint8], house: House, chance: Chance) -> None:
    high, wide = paint.shape[:2]
    if house.style in (1, 2):
        for row in range(0, high, 6):
            paint[row : row + 1] = shaded(house.colour, 0.86)
    rough = bell(chance.generator(), (high, wide), 5)
    # Rain has washed the wall darker towards the ground.
    fall = (np.arange(high, dtype=np.int32) * -22 // max(1, high))[:, None]
    paint[:] = np.clip(paint.astype(np.int32) + (rough + fall)[..., None], 0, 255)


def _window(
    paint: NDArray[np.uint8],
    glow: NDArray[np.uint8],
    left: int,
    top: int,
    wide: int,
    high: int,
    house: House,
    chance: Chance,
) -> None:
    frame: Colour = (214, 218, 220) if house.style != 2 else (60, 62, 70)
    cv2.rectangle(
        paint, (left - 4, top - 4), (left + wide + 4, top + high + 4), shaded(house.colour, 0.74), -1
    )
    cv2.rectangle(paint, (left - 2, top - 2), (left + wide + 2, top + high + 2), frame, -1)
    glass: Colour = (112 + chance.whole(-18, 26), 92 + chance.whole(-14, 18), 72 + chance.whole(-10, 14))
    cv2.rectangle(paint, (left, top), (left + wide, top + high), glass, -1)
    sky = high * chance.whole(25, 60) // 100
    cv2.rectangle(paint, (left, top), (left + wide, top + sky), shaded(glass, 1.22), -1)
    if chance.happens(0.35):
        blind = high * chance.whole(20, 70) // 100
        cv2.rectangle(paint, (left, top), (left + wide, top + blind), (196, 202, 206), -1)
    cv2.rectangle(paint, (left + wide // 2 - 1, top), (left + wide // 2 + 1, top + high), frame, -1)
    cv2.rectangle(
        paint, (left - 6, top + high + 3), (left + wide + 6, top + high + 7), shaded(house.colour, 1.2), -1
    )
    if chance.happens(0.38):
        warm = chance.pick(((96, 168, 226), (120, 190, 236), (150, 200, 226), (70, 140, 200)))
        warm = shaded(warm, chance.between(0.45, 0.95))
        cv2.rectangle(glow, (left, top), (left + wide, top + high), warm, -1)
        cv2.rectangle(glow, (left + wide // 2 - 1, top), (left + wide // 2 + 1, top + high), (20, 30, 40), -1)


def _shops(paint: NDArray[np.uint8], glow: NDArray[np.uint8], top: int, house: House, chance: Chance) -> None:
    high, wide = paint.shape[:2]
    cv2.rectangle(paint, (0, top), (wide, high), shaded(house.colour, 0.82), -1)
    unit = round(5.2 * PIXELS_A_METRE)
    for left in range(10, wide - unit // 2, unit):
        right = min(left + unit - 16, wide - 6)
        colour = house.shop if chance.happens(0.7) else shaded(house.shop, 0.7)
        sign = top + round(0.62 * PIXELS_A_METRE)
        cv2.rectangle(paint, (left, top + 4), (right, sign), colour, -1)
        letter = left + (right - left) // 4
        while letter < right - (right - left) // 4:
            step = chance.whole(5, 10)
            cv2.rectangle(paint, (letter, top + 10), (letter + step - 3, sign - 6), (226, 230, 232), -1)
            letter += step
        glass = (86, 74, 62)
        cv2.rectangle(paint, (left, sign + 3), (right, high - 14), glass, -1)
        cv2.rectangle(
            paint, (left + 3, sign + 6), (right - 3, sign + (high - sign) // 3), (136, 122, 104), -1
        )
        for post in range(left, right + 1, max(20, (right - left) // 3)):
            cv2.rectangle(paint, (post - 2, sign), (post + 2, high - 10), (62, 62, 66), -1)
        door = left + (right - left) * 2 // 3
        cv2.rectangle(
            paint, (door, sign + 8), (door + round(1.0 * PIXELS_A_METRE), high), shaded(colour, 0.6), -1
        )
        cv2.rectangle(
            paint,
            (door + 4, sign + 14),
            (door + round(1.0 * PIXELS_A_METRE) - 4, high - 26),
            (98, 86, 74),
            -1,
        )
        if chance.happens(0.5):
            awning = sign + round(0.9 * PIXELS_A_METRE)
            for number, stripe in enumerate(range(left, right, 12)):
                tone = colour if number % 2 else (222, 224, 224)
                cv2.rectangle(paint, (stripe, sign + 2), (min(stripe + 12, right), awning), tone, -1)
        if chance.happens(0.55):
            warm = shaded(
                chance.pick(((140, 196, 230), (190, 214, 226), (110, 170, 230))), chance.between(0.6, 1.0)
            )
            cv2.rectangle(glow, (left + 3, sign + 6), (right - 3, high - 16), warm, -1)
            cv2.rectangle(glow, (left, top + 4), (right, sign), shaded(colour, 0.9), -1)
    cv2.rectangle(paint, (0, high - 12), (wide, high), (104, 108, 112), -1)
