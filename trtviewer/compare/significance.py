"""Which figures of a comparison are more than noise: intervals of missed rate, agreement and AP difference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trtviewer.compare.frame_comparison import FrameComparison
from trtviewer.compare.intervals import (
    Blocks,
    CountSeries,
    Interval,
    Statistic,
    blocks_of,
    difference_interval,
    ratio_interval,
)
from trtviewer.compare.precision_resample import ResampledPrecision
from trtviewer.compare.truth_totals import FrameTruth, TruthTotals

ONE_POINT = 0.01
"""The half width that a share is wanted with."""

_RESAMPLES = 200
_MOST_BLOCKS = 64


@dataclass(frozen=True, slots=True)
class DetectionIntervals:
    """Attributes:
    frames: that were compared.
    block_frames: how many neighbouring frames were taken as one, since they are alike; 1 for pictures.
    still_alike: even so many are; the source is too short to say more, and the intervals are too narrow.
    missed_rate, agreement_f1: None where too little was seen.
    """

    frames: int
    block_frames: int
    still_alike: bool
    missed_rate: Interval | None
    agreement_f1: Interval | None


@dataclass(frozen=True, slots=True)
class PrecisionIntervals:
    """Of the differences candidate - reference; None where too little was seen."""

    ap50: Interval | None
    ap50_95: Interval | None


class Significance:
    """Accumulates the frames of one source in their order, in bounded memory.

    Args: neighbours_alike: a video; False for a folder of pictures.
    """

    def __init__(self, neighbours_alike: bool) -> None:
        self._alike = neighbours_alike
        # missed, reference, 2 matched, reference + candidate
        self._detections = CountSeries(4)
        # true objects that only the candidate finds, less those that only the reference finds
        self._truth = CountSeries(1)

    def update(self, comparison: FrameComparison, truth: FrameTruth | None = None) -> None:
        """Adds the next frame, with its truth where there is one."""
        matched = len(comparison.matching.pairs)
        reference, candidate = matched + comparison.missed, matched + comparison.extra
        self._detections.update(comparison.missed, reference, 2 * matched, reference + candidate)
        if truth is not None:
            counting = ~truth.objects.ignore
            gained = np.count_nonzero(truth.candidate_finds & counting)
            self._truth.update(int(gained - np.count_nonzero(truth.reference_finds & counting)))

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
        return DetectionIntervals(
            frames,
            unit * blocks.length if self._alike else 1,
            blocks.still_alike,
            ratio_interval(missed, reference, frames, self._alike),
            ratio_interval(shared, both, frames, self._alike),
        )

    def precision(self, totals: TruthTotals) -> PrecisionIntervals:
        """The intervals of the AP differences. Args: totals: of the same frames."""
        reference, candidate = totals.reference.result(), totals.candidate.result()
        if None in (reference.ap50, candidate.ap50) or not self._truth.frames:
            return PrecisionIntervals(None, None)
        rows = self._truth.rows[:, 0]
        blocks = blocks_of(rows - rows.mean(), self._alike, _MOST_BLOCKS)
        entry = np.arange(self._truth.frames) // self._truth.unit
        drawn: dict[int, NDArray[np.float64]] = {}

        def differences(column: int) -> Callable[[Blocks], Statistic]:
            def of_blocks(cut: Blocks) -> Statistic:
                def of_weights(weights: NDArray[np.float64]) -> NDArray[np.float64]:
                    # Both figures come from the same resamples: the seed is the same, so they are drawn once.
                    if len(cut) not in drawn:
                        of_frame = cut.of_entries(len(rows))[entry]
                        ours, theirs = (
                            ResampledPrecision(side, of_frame, len(cut))(weights)
                            for side in (totals.reference, totals.candidate)
                        )
                        drawn[len(cut)] = theirs - ours
                    return drawn[len(cut)][:, column]

                return of_weights

            return of_blocks

        values = [
            (candidate.ap50 or 0.0) - (reference.ap50 or 0.0),
            (candidate.ap50_95 or 0.0) - (reference.ap50_95 or 0.0),
        ]
        found = [
            difference_interval(value, blocks, differences(column), self._truth.frames, _RESAMPLES)
            for column, value in enumerate(values)
        ]
        return PrecisionIntervals(*found)
