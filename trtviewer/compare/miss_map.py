"""Where in the picture the candidate misses and where it adds: counts on a coarse grid over the frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trtviewer.compare.matching import Matching
from trtviewer.detect.boxes import Detections

ROWS, COLUMNS = 18, 32


class MissMap:
    """Accumulates the centres of matched, missed and extra detections; the order of updates and merges does not matter.

    Attributes:
        counts: [3, ROWS, COLUMNS]: matched, missed, extra.
    """

    def __init__(self) -> None:
        self.counts = np.zeros((3, ROWS, COLUMNS), np.int64)

    def update(
        self,
        frame_size: tuple[int, int],
        reference: Detections,
        candidate: Detections,
        matching: Matching,
    ) -> None:
        """Adds one frame."""
        for place, (detections, index) in enumerate(
            (
                (reference, matching.pairs[:, 0]),
                (reference, matching.missed.index),
                (candidate, matching.extra.index),
            )
        ):
            if len(index):
                rows, columns = _cells(detections.xyxy[index], frame_size)
                np.add.at(self.counts[place], (rows, columns), 1)

    def merge(self, other: MissMap) -> None:
        """Adds all that `other` has seen."""
        self.counts += other.counts


def _cells(
    xyxy: NDArray[np.float32], frame_size: tuple[int, int]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    height, width = frame_size
    x, y = (xyxy[:, 0] + xyxy[:, 2]) / 2, (xyxy[:, 1] + xyxy[:, 3]) / 2
    rows = np.clip((y / height * ROWS).astype(np.intp), 0, ROWS - 1)
    return rows, np.clip((x / width * COLUMNS).astype(np.intp), 0, COLUMNS - 1)
