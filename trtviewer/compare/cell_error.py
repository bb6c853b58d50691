"""How far apart the outputs are in the very cell that made a box."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from trtviewer.detect.boxes import CandidateBoxes
from trtviewer.detect.families import cell_channels
from trtviewer.models.spec import ModelSpec

Heads = Mapping[str, NDArray[np.float32]]


def cell_errors(
    boxes: CandidateBoxes,
    own: tuple[ModelSpec, Heads],
    other: tuple[ModelSpec, Heads],
    partners: Mapping[str, str],
) -> NDArray[np.float32]:
    """The mean |d| of the channels of each box's cell (of its anchor, where there are several).

    Args:
        boxes: of one side.
        own, other: that side's model and heads, and the other's.
        partners: the other side's output for each of this side's that has one.

    Returns: [N] float32, over the channels that are finite on both sides; NaN where none is, or the head has no partner.
    """
    errors = np.full(len(boxes), np.nan, np.float32)
    names = [head.output for head in other[0].heads]
    for index in np.unique(boxes.head):
        partner = partners.get(own[0].heads[index].output)
        if partner is None:
            continue
        chosen = np.flatnonzero(boxes.head == index)
        position = boxes.position[chosen]
        mine = cell_channels(*own, int(index), position)
        theirs = cell_channels(*other, names.index(partner), position)
        with np.errstate(all="ignore"):  # inf and NaN are left out below
            d = np.abs(mine.astype(np.float64) - theirs)
        finite = np.isfinite(d)
        count = finite.sum(axis=1)
        total = np.where(finite, d, 0).sum(axis=1)
        errors[chosen] = np.where(count, total / np.maximum(count, 1), np.nan)
    return errors
