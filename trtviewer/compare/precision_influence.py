"""What each block of frames adds to the difference in AP between the sides: AP anew without it, for every block in turn.

AP is taken here as the area under the precision envelope, not at COCO's 101 recalls: those are steps that a few frames more
or less jump over, which would be taken for the frames' own noise.

Source: the jackknife's influence values, (n - 1) (mean of all - the one without it); Efron and Tibshirani 1993, 11.5.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trtviewer.compare.average_precision import IOU_THRESHOLDS, PrecisionTotals, counted

MOST_POINTS = 250
"""Right detections of a class at which precision is looked at; of more, AP is good to about 1e-3, of both sides alike."""

_THRESHOLDS = len(IOU_THRESHOLDS)


def difference_influence(
    reference: PrecisionTotals, candidate: PrecisionTotals, block_of_frame: NDArray[np.intp], blocks: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The difference candidate - reference by this measure, and what each block adds to its error.

    Args:
        reference, candidate: of the same frames.
        block_of_frame: [frames] which block each belongs to.
        blocks: how many there are, at least 2.

    Returns: [2] AP50 and AP50-95; [blocks, 2], whose columns sum to 0.
    """
    objects = reference.objects_by_block(block_of_frame, blocks)
    ours, theirs = (leave_one_out(side, objects, block_of_frame) for side in (reference, candidate))
    whole, without = theirs[-1] - ours[-1], theirs[:-1] - ours[:-1]
    return whole, (blocks - 1) / blocks * (without.mean(axis=0) - without)


def leave_one_out(
    totals: PrecisionTotals, objects: NDArray[np.float64], block_of_frame: NDArray[np.intp]
) -> NDArray[np.float64]:
    """[blocks + 1, 2] AP50 and AP50-95 without each block, and of all. Args: objects: [blocks, classes] of the truth."""
    blocks = len(objects)
    remaining = np.vstack((objects.sum(axis=0) - objects, objects.sum(axis=0)))
    total = np.zeros((blocks + 1, _THRESHOLDS))
    for class_id in np.flatnonzero(remaining[-1]).tolist():
        counts = _Counts(totals.right_of(class_id), blocks)
        for rows in totals.ranked(class_id):
            counts.update(block_of_frame[rows["frame"]], *counted(rows["right"][:, 0], rows["aside"][:, 0]))
        least = np.maximum(remaining[:, class_id], 1e-9)
        for threshold in range(_THRESHOLDS):
            total[:, threshold] += _area(*counts.without_each(threshold), least)
    # A class that has no object without a block takes no part in that mean.
    mean = total / np.maximum(np.count_nonzero(remaining, axis=1), 1)[:, None]
    return np.stack((mean[:, 0], mean.mean(axis=1)), axis=1)


class _Counts:
    """Right and wrong detections of one class so far, by block, at some of its right ones; from rows by falling score.

    Args: right: [thresholds] how many right ones will come.
    """

    def __init__(self, right: NDArray[np.int64], blocks: int) -> None:
        self._blocks = blocks
        # The last of so many right detections each.
        self._step = np.maximum(1, -(-right // MOST_POINTS))
        self._begun = (right - 1) % self._step
        points = [int(count) for count in -(-right // self._step)]
        self._tables = [np.zeros((2, blocks, count)) for count in points]
        self._seen = np.zeros(_THRESHOLDS, np.int64)

    def update(
        self, block: NDArray[np.intp], is_right: NDArray[np.bool_], is_wrong: NDArray[np.bool_]
    ) -> None:
        """Adds rows. Args: block: [N]. is_right, is_wrong: [thresholds, N]."""
        for threshold, table in enumerate(self._tables):
            points = table.shape[2]
            if not points:
                continue
            before = self._seen[threshold] + np.cumsum(is_right[threshold])
            for place, which in enumerate((is_right[threshold], is_wrong[threshold])):
                rows = np.flatnonzero(which)
                # A right one counts at its own point, a wrong one from the next right one on.
                order = before[rows] - (1 - place)
                point = -(-(order - self._begun[threshold]) // self._step[threshold])
                inside = point < points
                flat = block[rows[inside]] * points + np.maximum(point[inside], 0)
                table[place] += np.bincount(flat, minlength=self._blocks * points).reshape(
                    self._blocks, points
                )
            self._seen[threshold] += np.count_nonzero(is_right[threshold])

    def without_each(self, threshold: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """[blocks + 1, points] right and wrong ones so far without each block, and of all."""
        so_far = self._tables[threshold].cumsum(axis=2)
        all_blocks = so_far.sum(axis=1, keepdims=True)
        right, wrong = np.concatenate((all_blocks - so_far, all_blocks), axis=1)
        return right, wrong


def _area(
    right: NDArray[np.float64], wrong: NDArray[np.float64], objects: NDArray[np.float64]
) -> NDArray[np.float64]:
    """[K] under the precision envelope. Args: right, wrong: [K, points] so far. objects: [K]."""
    if not right.shape[1]:
        return np.zeros(len(right))
    precision = right / np.maximum(right + wrong, 1e-9)
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    area: NDArray[np.float64] = (envelope * np.diff(right, axis=1, prepend=0)).sum(axis=1) / objects
    return area
