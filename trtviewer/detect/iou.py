"""Intersection over union of boxes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PAIRS_AT_ONCE = 1 << 18
"""Pairs that are computed together: the temporary memory stays at some megabytes."""


def iou_matrix(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    """The IoU of every box of one set with every box of the other.

    Args: first [N, 4], second [M, 4]: xyxy, finite.
    Returns: [N, M], computed in float64 and rounded once. Equal boxes have exactly 1; a box of no area has 0 with all.
    """
    matrix = np.empty((len(first), len(second)), np.float32)
    rows = max(1, PAIRS_AT_ONCE // max(1, len(second)))
    others = second.astype(np.float64)[None]
    for start in range(0, len(first), rows):
        block = slice(start, start + rows)
        matrix[block] = iou(first[block].astype(np.float64)[:, None], others)
    return matrix


def iou(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """IoU of boxes [..., 4], broadcast against each other. Of two boxes with no area at all it is 0."""
    shared = np.minimum(first[..., 2:], second[..., 2:])
    shared -= np.maximum(first[..., :2], second[..., :2])
    np.maximum(shared, 0, out=shared)
    both = shared[..., 0] * shared[..., 1]
    union = area(first) + area(second) - both
    quotient: NDArray[np.float64] = np.divide(both, union, out=np.zeros_like(union), where=union > 0)
    return quotient


def area(xyxy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Areas of boxes [..., 4]; 0 of a box that is inside out."""
    size = xyxy[..., 2:] - xyxy[..., :2]
    np.maximum(size, 0, out=size)
    product: NDArray[np.float64] = size[..., 0] * size[..., 1]
    return product
