"""AP of resampled frames, without judging a frame again: for the interval of the difference between the sides."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trtviewer.compare.average_precision import IOU_THRESHOLDS, PrecisionTotals, counted, precision_at_recalls

MOST_POINTS = 500
"""Right detections of a class at which precision is looked at; of more, AP is good to about 5e-4, of both sides alike."""


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
            for threshold in range(len(IOU_THRESHOLDS)):
                table[row, threshold] = self._of_class(part, threshold, weights, objects[:, class_id])
        # A class that a resample has no object of takes no part in its mean.
        taking_part = (objects[:, used] > 0).T
        counts = np.maximum(taking_part.sum(axis=0), 1)
        by_threshold = (table * taking_part[:, None]).sum(axis=0) / counts
        return np.stack((by_threshold[0], by_threshold.mean(axis=0)), axis=1)

    def _of_class(
        self, part: slice, threshold: int, weights: NDArray[np.float64], objects: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        right = np.flatnonzero(self._right[threshold, part])
        if not len(right):
            return np.zeros(len(weights))
        # The last of so many right detections each: AP looks at no more than 101 recalls.
        step = -(-len(right) // MOST_POINTS)
        looked_at = right[(len(right) - 1) % step :: step]
        block = self._block[part]
        wrong = np.flatnonzero(self._wrong[threshold, part][: right[-1]])
        found = weights @ _so_far(block, right, looked_at, self._blocks)
        false = weights @ _so_far(block, wrong, looked_at, self._blocks)
        return precision_at_recalls(found, false, np.maximum(objects, 1e-9))


def _so_far(
    block: NDArray[np.intp], counted_at: NDArray[np.intp], looked_at: NDArray[np.intp], blocks: int
) -> NDArray[np.float64]:
    """[blocks, looked_at]: how many of the rows `counted_at` up to each row `looked_at` are of each block."""
    before = np.searchsorted(looked_at, counted_at)
    flat = block[counted_at] * len(looked_at) + before
    counts = np.bincount(flat, minlength=blocks * len(looked_at)).reshape(blocks, len(looked_at))
    return counts.cumsum(axis=1).astype(np.float64)
