"""Which detections of one frame both sides have, which only one, and why the other lacks it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from trtviewer.compare.settings import ClassThreshold, CompareSettings
from trtviewer.compare.suppression import thresholds_of
from trtviewer.detect.boxes import Detections, owned
from trtviewer.detect.iou import iou_matrix

MOVED_IOU = 0.1
"""From this IoU on, a box of the same class counts as the same object, moved."""

_FEW_PAIRS = 4_096
"""So many IoUs cost less than choosing the classes first."""


class Reason(IntEnum):
    """Why a detection has no partner: the first that holds, in this order."""

    CLASS_CHANGED = 0
    MOVED = 1
    SUPPRESSED = 2
    BELOW_CONFIDENCE = 3
    GONE = 4

    @property
    def key(self) -> str:
        """Its name in reports: "class_changed"."""
        return self.name.lower()


@dataclass(frozen=True, eq=False, slots=True)
class Unmatched:
    """The detections of one side that have no partner on the other, by falling score.

    Attributes:
        index: [M] int32, into the side's own `Detections`.
        reason: [M] int8, values of `Reason`.
        other: [M] int32, what gave the reason: an index into the other side's `Detections` (class changed, moved) or
            into its `CandidateBoxes` (suppressed, below confidence); -1 where it is gone.
        other_score: [M] float32, the score of that one; NaN where it is gone.
        iou: [M] float32, the IoU with that one; NaN where it is gone.
    """

    index: NDArray[np.int32]
    reason: NDArray[np.int8]
    other: NDArray[np.int32]
    other_score: NDArray[np.float32]
    iou: NDArray[np.float32]

    def __post_init__(self) -> None:
        for array in (self.index, self.reason, self.other, self.other_score, self.iou):
            array.setflags(write=False)

    def __len__(self) -> int:
        return len(self.index)


@dataclass(frozen=True, eq=False, slots=True)
class Matching:
    """The two sides of one frame, laid on each other.

    Attributes:
        pairs: [K, 2] int32, indices into the reference's and the candidate's `Detections`, by falling IoU.
        iou: [K] float32.
        missed: what only the reference has.
        extra: what only the candidate has.
    """

    pairs: NDArray[np.int32]
    iou: NDArray[np.float32]
    missed: Unmatched
    extra: Unmatched

    def __post_init__(self) -> None:
        object.__setattr__(self, "pairs", owned(self.pairs, np.int32, 2))
        object.__setattr__(self, "iou", owned(self.iou, np.float32))


def match(reference: Detections, candidate: Detections, settings: CompareSettings) -> Matching:
    """Pairs detections of the same class by falling IoU, and finds the reason of each that is left.

    Ties in IoU go to the higher reference score, then to the lower indices. A reason looks only at detections of the
    other side that are themselves unmatched, and at its candidate boxes that are no detections; of several that give
    the same reason the one with the highest IoU (class changed, moved) or the best score (suppressed, below
    confidence) is kept.
    """
    iou = iou_matrix(reference.xyxy, candidate.xyxy)
    same = reference.class_id[:, None] == candidate.class_id
    pairs = _pairs(iou, same, reference.score, settings.match_iou)
    missed = _left_over(len(reference), pairs[:, 0])
    extra = _left_over(len(candidate), pairs[:, 1])
    between = iou[missed[:, None], extra]
    agrees = same[missed[:, None], extra]
    return Matching(
        pairs,
        iou[pairs[:, 0], pairs[:, 1]],
        _explain(
            reference, missed, candidate, extra, between, agrees, settings, settings.candidate_thresholds
        ),
        _explain(candidate, extra, reference, missed, between.T, agrees.T, settings, ()),
    )


def _pairs(
    iou: NDArray[np.float32], same: NDArray[np.bool_], score: NDArray[np.float32], match_iou: float
) -> NDArray[np.int32]:
    rows, columns = np.nonzero(same & (iou >= match_iou))
    order = np.lexsort((columns, rows, -score[rows], -iou[rows, columns]))
    rows, columns = rows[order], columns[order]
    taken = np.ones(len(rows), np.bool_)
    # Most frames have at most one partner for each box; only where boxes compete must the order be walked.
    if len(rows) > 1 and (np.bincount(rows).max() > 1 or np.bincount(columns).max() > 1):
        free_rows, free_columns = bytearray(b"\1" * iou.shape[0]), bytearray(b"\1" * iou.shape[1])
        for place, (row, column) in enumerate(zip(rows.tolist(), columns.tolist(), strict=True)):
            if free_rows[row] and free_columns[column]:
                free_rows[row] = free_columns[column] = 0
            else:
                taken[place] = False
    return np.stack((rows[taken], columns[taken]), axis=1).astype(np.int32)


def _left_over(count: int, taken: NDArray[np.int32]) -> NDArray[np.int32]:
    free = np.ones(count, np.bool_)
    free[taken] = False
    return np.flatnonzero(free).astype(np.int32)


@dataclass(eq=False, slots=True)
class _Draft:
    """The arrays of an `Unmatched` while they are filled in."""

    index: NDArray[np.int32]
    reason: NDArray[np.int8]
    other: NDArray[np.int32]
    other_score: NDArray[np.float32]
    iou: NDArray[np.float32]


def _explain(
    own: Detections,
    index: NDArray[np.int32],
    other: Detections,
    free: NDArray[np.int32],
    iou: NDArray[np.float32],
    same: NDArray[np.bool_],
    settings: CompareSettings,
    thresholds: tuple[ClassThreshold, ...],
) -> Unmatched:
    """Finds why `index` of `own` have no partner; `iou` and `same` are [len(index), len(free)], `thresholds` the other side's."""
    draft = _Draft(
        index,
        np.full(len(index), Reason.GONE, np.int8),
        np.full(len(index), -1, np.int32),
        np.full(len(index), np.nan, np.float32),
        np.full(len(index), np.nan, np.float32),
    )
    # Most misses have no unmatched detection anywhere near; match_iou itself is at least MOVED_IOU.
    if (iou >= MOVED_IOU).any():
        _look_among_unmatched(other, free, iou, same, draft, settings.match_iou)
    _look_among_boxes(own, other, draft, settings, thresholds)
    return Unmatched(draft.index, draft.reason, draft.other, draft.other_score, draft.iou)


def _look_among_unmatched(
    other: Detections,
    free: NDArray[np.int32],
    iou: NDArray[np.float32],
    same: NDArray[np.bool_],
    draft: _Draft,
    match_iou: float,
) -> None:
    """Fills in the reasons that are unmatched detections of the other side; the stronger one last, over the weaker."""
    enough = iou >= match_iou
    every = np.arange(len(iou))
    for reason, holds in (
        (Reason.MOVED, same & (iou >= MOVED_IOU) & ~enough),
        (Reason.CLASS_CHANGED, ~same & enough),
    ):
        best = np.where(holds, iou, -1).argmax(axis=1)
        hit = np.flatnonzero(holds[every, best])
        draft.reason[hit] = reason
        draft.other[hit] = free[best[hit]]
        draft.other_score[hit] = other.score[free[best[hit]]]
        draft.iou[hit] = iou[hit, best[hit]]


def _look_among_boxes(
    own: Detections,
    other: Detections,
    draft: _Draft,
    settings: CompareSettings,
    thresholds: tuple[ClassThreshold, ...],
) -> None:
    """Fills in the reasons that lie in the other side's boxes which NMS or the threshold took away."""
    open_places = np.flatnonzero(draft.reason == Reason.GONE)
    if not len(open_places) or len(other.boxes) == len(other):
        return
    boxes = other.boxes
    xyxy, class_id = own.xyxy[draft.index[open_places]], own.class_id[draft.index[open_places]]
    removed = np.ones(len(boxes), np.bool_)
    removed[other.index] = False
    rest = np.flatnonzero(removed)
    if len(rest) * len(open_places) > _FEW_PAIRS:
        rest = rest[np.isin(boxes.class_id[rest], class_id)]
    if not len(rest):
        return
    iou = iou_matrix(xyxy, boxes.xyxy[rest])
    holds = (iou >= settings.match_iou) & (class_id[:, None] == boxes.class_id[rest])
    # The best score decides: above the threshold only NMS can have removed it.
    best = np.where(holds, boxes.score[rest], -1).argmax(axis=1)
    hit = np.flatnonzero(holds[np.arange(len(open_places)), best])
    box = rest[best[hit]]
    score, places = boxes.score[box], open_places[hit]
    confidence = (
        thresholds_of(boxes.class_id[box], boxes.stride[box], settings.confidence, thresholds)
        if thresholds
        else settings.confidence
    )
    draft.reason[places] = np.where(score > confidence, Reason.SUPPRESSED, Reason.BELOW_CONFIDENCE)
    draft.other[places] = box
    draft.other_score[places] = score
    draft.iou[places] = iou[hit, best[hit]]
