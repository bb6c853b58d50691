"""What of each object is really to be seen: its box in the frame, and whether enough of it shows to count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trtviewer.opencv import cv2
from trtviewer.sources.source import Truth

LEAST_INPUT_PIXELS = 8.0
"""An object lower than this in a 416-pixel input is not counted."""
LEAST_VISIBLE = 0.5
"""An object of which less than this shows is not counted."""
_INPUT = 416
_COARSE = 4


@dataclass(frozen=True, eq=False, slots=True)
class Seen:
    """Something drawn: its distance, its place, its shape, and its class (-1: it only hides others)."""

    z: float
    rect: tuple[int, int, int, int]
    box: tuple[float, float, float, float]
    solid: NDArray[np.uint8]
    class_id: int


def truth_of(seen: Sequence[Seen], width: int, height: int) -> Truth:
    """The truth of a frame of this size; boxes are of the whole object, clipped to the frame.

    An object is to be ignored when it is lower than `LEAST_INPUT_PIXELS` in the network's input, or when less than
    `LEAST_VISIBLE` of it shows: the rest hidden by what is nearer, or outside the frame.
    """
    ordered = sorted(seen, key=lambda one: -one.z)
    owner = np.full((-(-height // _COARSE), -(-width // _COARSE)), -1, np.int16)
    drawn = [_stamp(owner, one, number) for number, one in enumerate(ordered)]
    counts = np.bincount((owner + 1).ravel(), minlength=len(ordered) + 1)[1:]
    least = LEAST_INPUT_PIXELS * max(width, height) / _INPUT
    boxes, classes, ignored = [], [], []
    for number, one in enumerate(ordered):
        x0, y0, x1, y1 = one.box
        a, b, c, d = max(x0, 0.0), max(y0, 0.0), min(x1, float(width)), min(y1, float(height))
        if one.class_id < 0 or c - a < 1.0 or d - b < 1.0:
            continue
        inside = (c - a) * (d - b) / ((x1 - x0) * (y1 - y0))
        visible = inside * (int(counts[number]) / drawn[number] if drawn[number] else 0.0)
        boxes.append((a, b, c, d))
        classes.append(one.class_id)
        ignored.append(d - b < least or visible < LEAST_VISIBLE)
    return Truth(
        np.array(boxes, np.float32).reshape(-1, 4), np.array(classes, np.int32), np.array(ignored, np.bool_)
    )


def _stamp(owner: NDArray[np.int16], one: Seen, number: int) -> int:
    """Writes the object's number where it covers the coarse grid; returns how many cells."""
    left, top, wide, high = (round(value / _COARSE) for value in one.rect)
    wide, high = max(1, wide), max(1, high)
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + wide, owner.shape[1]), min(top + high, owner.shape[0])
    if x0 >= x1 or y0 >= y1:
        return 0
    mask = cv2.resize(one.solid, (wide, high), interpolation=cv2.INTER_NEAREST) > 110
    part = mask[y0 - top : y1 - top, x0 - left : x1 - left]
    owner[y0:y1, x0:x1][part] = number
    return int(np.count_nonzero(part))
