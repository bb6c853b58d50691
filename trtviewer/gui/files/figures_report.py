"""The report of what the window has analysed: the keys of `compare --json`, made from the kept frames; no Qt."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from trtviewer.compare.heights import HeightTotals
from trtviewer.compare.kept import KeptFrame
from trtviewer.compare.matching import Matching, match
from trtviewer.compare.settings import CompareSettings
from trtviewer.compare.significance import Significance
from trtviewer.compare.suppression import candidate_detections, reference_detections
from trtviewer.compare.totals import TotalsResult
from trtviewer.compare.tracks import TrackTotals
from trtviewer.compare.true_objects import Labels
from trtviewer.compare.truth_totals import TruthTotals
from trtviewer.detect.boxes import CandidateBoxes, Detections
from trtviewer.errors import Cancelled
from trtviewer.models.correspond import Correspondence
from trtviewer.report.compare_json import ReportModel, ReportSource, compare_report
from trtviewer.report.findings_report import truth_figures
from trtviewer.report.intervals_report import detection_intervals
from trtviewer.report.memory_report import heights_report, tracks_report


@dataclass(frozen=True, slots=True)
class _Place:
    """What labels and totals ask of a frame."""

    index: int
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Side:
    boxes: CandidateBoxes
    detections: Detections


@dataclass(frozen=True, slots=True)
class _Matched:
    """A kept frame at some settings: what is asked here of a comparison, without picture and heads."""

    frame: _Place
    settings: CompareSettings
    reference: _Side
    candidate: _Side
    matching: Matching

    @staticmethod
    def of(kept: KeptFrame, settings: CompareSettings) -> _Matched:
        own = reference_detections(kept.reference, settings)
        other = candidate_detections(kept.candidate, settings)
        return _Matched(
            _Place(kept.frame_index, kept.frame_size),
            settings,
            _Side(kept.reference, own),
            _Side(kept.candidate, other),
            match(own, other, settings),
        )

    @property
    def missed(self) -> int:
        return len(self.matching.missed)

    @property
    def extra(self) -> int:
        return len(self.matching.extra)


def figures_report(
    frames: Iterable[KeptFrame],
    totals: TotalsResult,
    settings: CompareSettings,
    reference: ReportModel,
    candidate: ReportModel,
    source: ReportSource,
    correspondence: Correspondence,
    *,
    speedup: float | None,
    labels: Labels | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """The report of the kept frames, in their order, at these settings; a quarter of a millisecond a frame.

    Args:
        totals: of the same frames at the same settings.
        labels: the truth of the source; None where there is none, or it is not asked for.
        cancelled: asked before each frame.

    Raises:
        Cancelled.
        BadInput: the labels are of other pictures.
    """
    alike = source.rate is not None
    significance, heights = Significance(alike), HeightTotals()
    tracks = TrackTotals(reference.spec.classes) if alike else None
    truth = TruthTotals(settings, reference.spec.classes, labels.classes) if labels is not None else None
    for kept in frames:
        if cancelled():
            raise Cancelled
        frame = _Matched.of(kept, settings)
        known = truth.update(frame, labels.objects(frame.frame)) if truth is not None else None
        significance.update(frame, known)
        heights.update(frame.reference.detections, frame.matching)
        if tracks is not None:
            tracks.update(kept.frame_index, kept.time_s, frame.reference.detections, frame.matching)
    return compare_report(
        totals,
        settings,
        reference,
        candidate,
        source,
        correspondence,
        speedup=speedup,
        truth=None if truth is None else truth_figures(truth, labels, significance),
        more={
            "detections_intervals": detection_intervals(significance.result()),
            "by_height": heights_report(heights.result()),
            "tracks": None if tracks is None else tracks_report(tracks.result()),
        },
    )
