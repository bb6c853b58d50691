"""Candidate boxes to detections: the confidence threshold, and greedy non-maximum suppression."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trtviewer.detect.boxes import CandidateBoxes, Detections
from trtviewer.detect.iou import iou

BLOCK = 512
"""Boxes that are resolved together: what an earlier block keeps spares the pairs of all that it removes."""


def suppress(boxes: CandidateBoxes, confidence: float, nms_iou: float, agnostic: bool = False) -> Detections:
    """The boxes that are left, by falling score.

    A box is kept when its score is > `confidence`, and no kept box of a higher score and of the same class has an IoU
    > `nms_iou` with it. Of equal scores the first goes first. No limit on their number. Boxes that are final already only
    pass the threshold.

    Args:
        boxes: all candidate boxes of one side.
        confidence: compared in float32, as scores are kept.
        nms_iou: compared in float64.
        agnostic: boxes of any class remove each other.
    """
    above = np.flatnonzero(boxes.score > np.float32(confidence))
    order = above[np.argsort(-boxes.score[above], kind="stable")].astype(np.int32)
    if boxes.final or len(order) < 2:
        return Detections(boxes, order)
    classes = np.zeros(len(order), np.int32) if agnostic else boxes.class_id[order]
    return Detections(boxes, order[_greedy(boxes.xyxy[order].astype(np.float64), classes, nms_iou)])


def _greedy(xyxy: NDArray[np.float64], classes: NDArray[np.int32], nms_iou: float) -> NDArray[np.intp]:
    """Which boxes are kept, in order; the earlier box wins."""
    # One complex number an edge: numpy orders them by class first, then by place.
    left = classes + 1j * xyxy[:, 0]
    # With an IoU above t, the further box begins within the first 1 - t of the nearer one's width (and a little for rounding).
    reach = left + 1j * (1 - nms_iou + 1e-6) * (xyxy[:, 2] - xyxy[:, 0])
    kept = np.empty(0, np.intp)
    for start in range(0, len(xyxy), BLOCK):
        block = np.arange(start, min(start + BLOCK, len(xyxy)))
        if start:
            nearer, further = _close_between(left[kept], reach[kept], left[block])
            further_too, nearer_too = _close_between(left[block], reach[block], left[kept])
            winner, loser = np.append(nearer, nearer_too), np.append(further, further_too)
            alive = np.ones(len(block), np.bool_)
            alive[loser[iou(xyxy[kept[winner]], xyxy[block[loser]]) > nms_iou]] = False
            block = block[alive]
        first, second = _close_within(left[block], reach[block])
        winner, loser = np.minimum(first, second), np.maximum(first, second)
        over = iou(xyxy[block[winner]], xyxy[block[loser]]) > nms_iou
        found = block[_resolved(winner[over], loser[over], len(block))]
        kept = np.append(kept, found) if start else found
    return kept


def _close_within(
    left: NDArray[np.complex128], reach: NDArray[np.complex128]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """All pairs of one class whose further box begins within the nearer one's reach, each once."""
    by_left = left.argsort()
    begin = np.arange(1, len(left) + 1)
    return _runs(by_left, begin, left[by_left].searchsorted(reach[by_left], "right"), by_left)


def _close_between(
    left: NDArray[np.complex128], reach: NDArray[np.complex128], others: NDArray[np.complex128]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The same for two sets of boxes, of those where the further one is of the other set."""
    by_left = others.argsort()
    ordered = others[by_left]
    return _runs(
        np.arange(len(left)), ordered.searchsorted(left), ordered.searchsorted(reach, "right"), by_left
    )


def _runs(
    nearer: NDArray[np.intp], begin: NDArray[np.intp], end: NDArray[np.intp], further: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """nearer[i] with each of further[begin[i]:end[i]], all i one after the other."""
    count = np.maximum(end - begin, 0)
    total = count.cumsum()
    place = np.arange(total[-1] if len(total) else 0) + (begin - total + count).repeat(count)
    return nearer.repeat(count), further[place]


def _resolved(winner: NDArray[np.intp], loser: NDArray[np.intp], number: int) -> NDArray[np.bool_]:
    """Which of a number of boxes are kept, when each winner that is itself kept removes its loser; winner < loser."""
    kept = np.ones(number, np.bool_)
    while len(winner):
        # A winner that nobody can remove any more is kept for good, and its losers go; at least the first is such a one.
        doubtful = np.zeros(number, np.bool_)
        doubtful[loser] = True
        sure = ~doubtful[winner]
        kept[loser[sure]] = False
        undecided = ~sure & kept[winner] & kept[loser]
        winner, loser = winner[undecided], loser[undecided]
    return kept
