"""AP of resampled frames, without judging a frame again: for the interval of the difference between the sides."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trtviewer.compare.average_precision import IOU_THRESHOLDS, PrecisionTotals, counted, precision_at_recalls

MOST_POINTS = 250
"""Right detections of a class at which precision is looked at; of more, AP is good to about 1e-3, of both sides alike."""


class ResampledPrecision:
    """AP50 and AP50-95 of one side for any weights of its blocks of frames.

    At each right detection the counts so far are linear in the blocks' weights, so that a resample is one product of
    matrices.

    Args:
        totals: the side, all its frames.
        block_of_frame: [frames] which block each belongs to.
        blocks: how many there are.
    """

    def __init__(self, totals: PrecisionTotals, block_of_frame: NDArray[np.intp], blocks: int) -> None:
        rows = totals.verdicts()
        self._block = block_of_frame[rows.frame]
        self._right, self._wrong = counted(rows.right[:, 0], rows.aside[:, 0])
        self._objects = totals.objects_by_block(block_of_frame, blocks)
        self._bounds = np.searchsorted(rows.class_id, np.arange(self._objects.shape[1] + 1))
        self._blocks = blocks

    def __call__(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """[resamples, 2]: AP50 and AP50-95, for weights [resamples, blocks]."""
        objects = weights @ self._objects
        used = np.flatnonzero(self._objects.sum(axis=0))
        table = np.zeros((len(used), len(IOU_THRESHOLDS), len(weights)))
        for row, class_id in enumerate(used):
            part = slice(self._bounds[class_id], self._bounds[class_id + 1])
            table[row] = self._of_class(part, weights, objects[:, class_id])
        # A class that a resample has no object of takes no part in its mean.
        taking_part = (objects[:, used] > 0).T
        counts = np.maximum(taking_part.sum(axis=0), 1)
        by_threshold = (table * taking_part[:, None]).sum(axis=0) / counts
        return np.stack((by_threshold[0], by_threshold.mean(axis=0)), axis=1)

    def _of_class(
        self, part: slice, weights: NDArray[np.float64], objects: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """[thresholds, resamples] AP of one class."""
        block = self._block[part]
        looked_at, found, false = [], [], []
        for is_right, is_wrong in zip(self._right[:, part], self._wrong[:, part], strict=True):
            right, wrong = np.flatnonzero(is_right), np.flatnonzero(is_wrong)
            # The last of so many right detections each: AP looks at no more than 101 recalls.
            step = max(1, -(-len(right) // MOST_POINTS))
            points = right[(len(right) - 1) % step :: step]
            looked_at.append(len(points))
            found.append(_so_far(block, right, points, self._blocks))
            false.append(_so_far(block, wrong, points, self._blocks))
        # One product for all thresholds: many small ones would keep the cores waiting for each other.
        ends = np.cumsum(looked_at)[:-1]
        right_at, wrong_at = (
            np.split(weights @ np.concatenate(counts, axis=1), ends, axis=1) for counts in (found, false)
        )
        least = np.maximum(objects, 1e-9)
        return np.stack([precision_at_recalls(*both, least) for both in zip(right_at, wrong_at, strict=True)])


def _so_far(
    block: NDArray[np.intp], counted_at: NDArray[np.intp], looked_at: NDArray[np.intp], blocks: int
) -> NDArray[np.float64]:
    """[blocks, looked_at]: how many of the rows `counted_at` up to each row `looked_at` are of each block."""
    before = np.searchsorted(looked_at, counted_at)
    inside = before < len(looked_at)
    flat = block[counted_at[inside]] * len(looked_at) + before[inside]
    counts = np.bincount(flat, minlength=blocks * len(looked_at)).reshape(blocks, len(looked_at))
    return counts.cumsum(axis=1).astype(np.float64)
