"""Pictures with transparency: drawn twice as large, kept, resized and blended, all in whole numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trtviewer.opencv import cv2

Colour = tuple[int, int, int]
"""BGR, 0..255."""

_SHIFT = 4
_ONE = 1 << _SHIFT
_LARGE = 50_000
_HALVES = ((np.arange(256) + 1) >> 1).astype(np.uint8)


@dataclass(frozen=True, eq=False, slots=True)
class Sprite:
    """A picture of one object, with its shadow or reflection.

    Attributes:
        pixels: [H, W, 4] BGRA uint8, colours not multiplied by alpha.
        anchor: x, y of the object's place on the ground, pixels from the upper left corner.
        box: x0, y0, x1, y1 of the object alone, without its shadow, pixels.
        solid: [H, W] uint8, alpha of the object alone.
    """

    pixels: NDArray[np.uint8]
    anchor: tuple[float, float]
    box: tuple[float, float, float, float]
    solid: NDArray[np.uint8]

    @property
    def nbytes(self) -> int:
        """Memory held, bytes."""
        return self.pixels.nbytes + self.solid.nbytes


class Canvas:
    """Draws a sprite, a small one at twice its size; coordinates are the sprite's pixels, from an origin given once."""

    def __init__(self, left: float, top: float, right: float, bottom: float, ground: Colour) -> None:
        self.left, self.top = int(left // 1), int(top // 1)
        self.width = max(2, int(-(-right // 1)) - self.left)
        self.height = max(2, int(-(-bottom // 1)) - self.top)
        # Softened edges do for a large drawing; a small one is all edges.
        self.finer = 2 if self.width * self.height < _LARGE else 1
        size = (self.height * self.finer, self.width * self.finer)
        self.colour = np.empty((*size, 3), np.uint8)
        cv2.rectangle(self.colour, (0, 0), (size[1], size[0]), ground, -1)
        self.alpha = np.zeros(size, np.uint8)
        self.shadow = np.zeros(size, np.uint8)

    def polygon(self, points: NDArray[np.float64], colour: Colour, *, solid: bool = True) -> None:
        """A convex polygon, [N, 2]; `solid` False paints on what is there and adds no outline."""
        corners = self._fixed(points)
        cv2.fillConvexPoly(self.colour, corners, colour, cv2.LINE_AA, _SHIFT)
        if solid:
            cv2.fillConvexPoly(self.alpha, corners, 255, cv2.LINE_AA, _SHIFT)

    def shade(self, points: NDArray[np.float64], strength: int) -> None:
        """A convex polygon of shadow on the ground."""
        cv2.fillConvexPoly(self.shadow, self._fixed(points), strength, cv2.LINE_AA, _SHIFT)

    def limb(
        self,
        start: tuple[float, float],
        end: tuple[float, float],
        radius: tuple[float, float],
        colour: Colour,
    ) -> None:
        """A tapered stroke with round ends."""
        (x0, y0), (x1, y1) = start, end
        length = float(np.sqrt((x1 - x0) * (x1 - x0) + (y1 - y0) * (y1 - y0)))
        if length > 1e-6:
            nx, ny = -(y1 - y0) / length, (x1 - x0) / length
            a, b = radius
            self.polygon(
                np.array(
                    [
                        [x0 + nx * a, y0 + ny * a],
                        [x1 + nx * b, y1 + ny * b],
                        [x1 - nx * b, y1 - ny * b],
                        [x0 - nx * a, y0 - ny * a],
                    ]
                ),
                colour,
            )
        for (x, y), r in ((start, radius[0]), (end, radius[1])):
            self.disc(x, y, r, colour)

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """A filled circle."""
        centre = self._fixed(np.array([[x, y]]))[0]
        size = max(1, round(radius * self.finer * _ONE))
        place = (int(centre[0]), int(centre[1]))
        cv2.circle(self.colour, place, size, colour, -1, cv2.LINE_AA, _SHIFT)
        cv2.circle(self.alpha, place, size, 255, -1, cv2.LINE_AA, _SHIFT)

    def ring(self, points: NDArray[np.float64], thickness: float, colour: Colour) -> None:
        """A closed line through the points, [N, 2]."""
        corners = [self._fixed(points)]
        width = max(1, round(thickness * self.finer))
        cv2.polylines(self.colour, corners, True, colour, width, cv2.LINE_AA, _SHIFT)
        cv2.polylines(self.alpha, corners, True, 255, width, cv2.LINE_AA, _SHIFT)

    def finish(self, anchor: tuple[float, float], *, reflection: int = 0, grain: int = 0) -> Sprite:
        """The sprite: the drawing halved, over its softened shadow, with a mirror image below it if asked.

        Args:
            anchor: the object's place on the ground, in the canvas's coordinates.
            reflection: how strong the mirror image is, 0..255.
            grain: how much lighter the upper half is than the lower, 0..255.
        """
        colour, solid, under = (self._halved(layer) for layer in (self.colour, self.alpha, self.shadow))
        ax, ay = anchor[0] - self.left, anchor[1] - self.top
        x0, y0, wide, high = cv2.boundingRect((solid > 100).view(np.uint8))
        x1, y1 = x0 + max(1, wide), y0 + max(1, high)
        if grain:
            fall = np.linspace(grain, -grain, y1 - y0).astype(np.int16)
            part = colour[y0:y1]
            part[:] = np.clip(part.astype(np.int16) + fall[:, None, None], 0, 255)
        under = _softened(under)
        tone = None
        if reflection:
            under, tone = _mirrored(colour, solid, y1, reflection, under)
        return _over(colour, solid, tone, under, (ax, ay), (x0, y0, x1, y1))

    def _halved(self, layer: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if self.finer == 1:
            return layer
        return np.asarray(
            cv2.resize(layer, (self.width, self.height), interpolation=cv2.INTER_AREA), np.uint8
        )

    def _fixed(self, points: NDArray[np.float64]) -> NDArray[np.int32]:
        """Sixteenths of a pixel of the doubled drawing; a pixel's centre is its whole coordinate there."""
        moved = (points - (self.left, self.top)) * self.finer - 0.5
        return np.rint(moved * _ONE).astype(np.int32)


def _softened(shadow: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = shadow.shape
    if min(height, width) < 12:
        return shadow
    factor = max(2, width // 40)
    small = cv2.resize(
        shadow, (max(2, width // factor), max(2, height // factor)), interpolation=cv2.INTER_LINEAR_EXACT
    )
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR_EXACT), np.uint8)


def _mirrored(
    colour: NDArray[np.uint8],
    solid: NDArray[np.uint8],
    bottom: int,
    strength: int,
    shadow: NDArray[np.uint8],
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """What lies on wet ground: the mirror image below `bottom`, fading, and the shadow's alpha joined to it."""
    height = len(colour)
    count = min(height - bottom, bottom)
    tone, alpha = np.zeros_like(colour), shadow.copy()
    if count <= 0:
        return alpha, tone
    fade = (np.linspace(strength, 0, count).astype(np.int32))[:, None]
    mirror = solid[bottom - count : bottom][::-1].astype(np.int32) * fade >> 8
    tone[bottom : bottom + count] = colour[bottom - count : bottom][::-1] // 2
    alpha[bottom : bottom + count] = np.maximum(alpha[bottom : bottom + count], mirror).astype(np.uint8)
    return alpha, tone


def _over(
    colour: NDArray[np.uint8],
    solid: NDArray[np.uint8],
    tone: NDArray[np.uint8] | None,
    under: NDArray[np.uint8],
    anchor: tuple[float, float],
    box: tuple[int, int, int, int],
) -> Sprite:
    """The object over its shadow, as one picture with one alpha, cropped to what shows."""
    left, top, wide, high = cv2.boundingRect(cv2.max(solid, under))
    cut = np.s_[top : top + max(1, high), left : left + max(1, wide)]
    body, below = solid[cut].astype(np.uint32), under[cut].astype(np.uint32)
    alpha = body + (255 - body) * below // 255
    # Where nothing lies under an edge it keeps the object's colour, so that resizing draws no dark seam.
    share = np.where(below > 0, body * 256 // np.maximum(alpha, 1), 256).astype(np.uint16)[..., None]
    pixels = np.empty((*alpha.shape, 4), np.uint8)
    mixed = colour[cut] * share
    if tone is not None:
        mixed += tone[cut] * (256 - share)
    mixed >>= 8
    pixels[..., :3] = mixed
    pixels[..., 3] = alpha
    x0, y0, x1, y1 = box
    return Sprite(
        pixels,
        (anchor[0] - left, anchor[1] - top),
        (x0 - left, y0 - top, x1 - left, y1 - top),
        np.ascontiguousarray(solid[cut]),
    )


@dataclass(frozen=True, eq=False, slots=True)
class Placed:
    """A sprite at its size and place in the frame.

    Attributes:
        sprite: what is drawn.
        rect: left, top, width, height in pixels of the frame; may lie partly outside.
        box: the object alone, x0, y0, x1, y1.
    """

    sprite: Sprite
    rect: tuple[int, int, int, int]
    box: tuple[float, float, float, float]

    def clipped(self, width: int, height: int) -> tuple[int, int, int, int] | None:
        """The part of `rect` inside the frame as x0, y0, x1, y1; None where there is none."""
        left, top, wide, high = self.rect
        x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + wide, width), min(top + high, height)
        return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def place(sprite: Sprite, x: float, y: float, scale: float) -> Placed:
    """The sprite with its anchor at pixel (x, y), at `scale` of its own size, all rounded to whole pixels."""
    height, width = sprite.solid.shape
    wide, high = max(1, round(width * scale)), max(1, round(height * scale))
    across, down = wide / width, high / height
    left, top = round(x - sprite.anchor[0] * across), round(y - sprite.anchor[1] * down)
    x0, y0, x1, y1 = sprite.box
    box = (left + x0 * across, top + y0 * down, left + x1 * across, top + y1 * down)
    return Placed(sprite, (left, top, wide, high), box)


def alpha_of(placed: Placed) -> NDArray[np.uint8]:
    """The sprite's alpha at the size at which it is placed."""
    return np.ascontiguousarray(_sized(placed)[..., 3])


def _sized(placed: Placed) -> NDArray[np.uint8]:
    _, _, wide, high = placed.rect
    pixels = placed.sprite.pixels
    if pixels.shape[:2] == (high, wide):
        return pixels
    return np.asarray(cv2.resize(pixels, (wide, high), interpolation=cv2.INTER_LINEAR_EXACT), np.uint8)


def draw(picture: NDArray[np.uint8], placed: Placed, grade: NDArray[np.uint8] | None) -> None:
    """Blends a sprite into the picture, in place, in 7-bit whole numbers.

    Args:
        grade: [256, 1, 3] table that lights the sprite's colours; None leaves them.
    """
    inside = placed.clipped(picture.shape[1], picture.shape[0])
    if inside is None:
        return
    x0, y0, x1, y1 = inside
    left, top, _, _ = placed.rect
    pixels = _sized(placed)[y0 - top : y1 - top, x0 - left : x1 - left]
    pixels = np.ascontiguousarray(pixels)
    colour = cv2.cvtColor(pixels, cv2.COLOR_BGRA2BGR)
    if grade is not None:
        colour = cv2.LUT(colour, grade)
    blend(picture[y0:y1, x0:x1], colour, np.ascontiguousarray(pixels[..., 3]))


def blend(target: NDArray[np.uint8], colour: NDArray[Any], alpha: NDArray[np.uint8]) -> None:
    """target += (colour - target) * alpha, in place; alpha [H, W] uint8."""
    weight = cv2.cvtColor(cv2.LUT(alpha, _HALVES), cv2.COLOR_GRAY2BGR)
    difference: NDArray[np.int16] = np.asarray(cv2.subtract(colour, target, dtype=cv2.CV_16S), np.int16)
    np.multiply(difference, weight, out=difference)
    difference += 64
    difference >>= 7
    np.add(target, difference, out=target, casting="unsafe")
