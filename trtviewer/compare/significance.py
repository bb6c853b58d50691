"""Which figures of a comparison are more than noise: intervals of missed rate, agreement and AP difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trtviewer.compare.frame_comparison import FrameComparison
from trtviewer.compare.intervals import (
    LEAST_SPAN_OF_PRECISION,
    CountSeries,
    Interval,
    NoInterval,
    blocks_of,
    difference_interval,
    ratio_interval,
    too_little,
)
from trtviewer.compare.precision_influence import difference_influence
from trtviewer.compare.truth_totals import FrameTruth, TruthTotals

ONE_POINT = 0.01
"""The half width that a share is wanted with."""

_MOST_BLOCKS = {False: 128, True: 256}
"""Of frames that AP is taken anew without, of pictures and of a video: there they are put together again."""


@dataclass(frozen=True, slots=True)
class DetectionIntervals:
    """Attributes:
    frames: that were compared.
    block_frames: how many neighbouring frames were taken as one, since they are alike; 1 for pictures.
    still_alike: even so many are; the source is too short to say more, and the intervals are too narrow.
    missed_rate, agreement_f1: or why there is none.
    """

    frames: int
    block_frames: int
    still_alike: bool
    missed_rate: Interval | NoInterval
    agreement_f1: Interval | NoInterval


@dataclass(frozen=True, slots=True)
class PrecisionIntervals:
    """Of the differences candidate - reference, or why there is none."""

    ap50: Interval | NoInterval
    ap50_95: Interval | NoInterval


class Significance:
    """Accumulates the frames of one source in their order, in bounded memory.

    Args: neighbours_alike: a video; False for a folder of pictures.
    """

    def __init__(self, neighbours_alike: bool) -> None:
        self._alike = neighbours_alike
        # missed, reference, 2 matched, reference + candidate
        self._detections = CountSeries(4)
        self._with_truth = 0
        self._first: int | None = None
        self._span = 0

    def update(self, comparison: FrameComparison, truth: FrameTruth | None = None) -> None:
        """Adds the next frame, with its truth where there is one."""
        matched = len(comparison.matching.pairs)
        reference, candidate = matched + comparison.missed, matched + comparison.extra
        self._detections.update(comparison.missed, reference, 2 * matched, reference + candidate)
        self._with_truth += truth is not None
        index = comparison.frame.index
        self._first = index if self._first is None else self._first
        self._span = max(self._span, index - self._first + 1)

    @property
    def timeline(self) -> tuple[NDArray[np.float64], int]:
        """[N, 3] missed, extra and reference, each row of so many neighbouring frames."""
        missed, reference, shared, both = self._detections.rows.T
        return np.stack((missed, both - reference - shared / 2, reference), axis=1), self._detections.unit

    def result(self) -> DetectionIntervals:
        """The intervals so far."""
        missed, reference, shared, both = self._detections.rows.T
        frames, unit = self._detections.frames, self._detections.unit
        whole = float(reference.sum())
        blocks = blocks_of(missed - (missed.sum() / whole if whole else 0) * reference, self._alike)
        span = self._span if self._alike else None
        lacking = too_little(frames, span)
        return DetectionIntervals(
            frames,
            unit * blocks.length if self._alike else 1,
            blocks.still_alike,
            lacking or ratio_interval(missed, reference, frames, span),
            lacking or ratio_interval(shared, both, frames, span),
        )

    def precision(self, totals: TruthTotals, differences: Sequence[float | None]) -> PrecisionIntervals:
        """The intervals of the AP differences.

        Args: totals: of the same frames. differences: of AP50 and AP50-95, as they are said.
        """
        frames = self._with_truth
        span = self._span if self._alike else None
        lacking = too_little(frames, span, LEAST_SPAN_OF_PRECISION)
        if lacking is not None:
            return PrecisionIntervals(lacking, lacking)
        if None in differences:
            nothing = NoInterval("there is no true object to find")
            return PrecisionIntervals(nothing, nothing)
        blocks = min(frames, _MOST_BLOCKS[self._alike])
        block_of_frame = (np.arange(frames) * blocks) // frames
        middle, influence = difference_influence(totals.reference, totals.candidate, block_of_frame, blocks)
        return PrecisionIntervals(
            *(
                difference_interval(value or 0.0, float(middle[column]), influence[:, column], frames, span)
                for column, value in enumerate(differences)
            )
        )
