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
from trtviewer.errors import Cancelled
from trtviewer.models.correspond import Correspondence
from trtviewer.report.compare_json import ReportModel, ReportSource, compare_report
from trtviewer.report.intervals_report import detection_intervals
from trtviewer.report.memory_report import heights_report, tracks_report


@dataclass(frozen=True, slots=True)
class _Matched:
    """What `Significance` asks of a comparison."""

    matching: Matching

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
    cancelled: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """The report of the kept frames, in their order, at these settings; a quarter of a millisecond a frame.

    Args:
        totals: of the same frames at the same settings.
        cancelled: asked before each frame.

    Raises: Cancelled.
    """
    alike = source.rate is not None
    significance, heights = Significance(alike), HeightTotals()
    tracks = TrackTotals(reference.spec.classes) if alike else None
    for frame in frames:
        if cancelled():
            raise Cancelled
        own = reference_detections(frame.reference, settings)
        other = candidate_detections(frame.candidate, settings)
        matching = match(own, other, settings)
        significance.update(_Matched(matching))
        heights.update(own, matching)
        if tracks is not None:
            tracks.update(frame.frame_index, frame.time_s, own, matching)
    return compare_report(
        totals,
        settings,
        reference,
        candidate,
        source,
        correspondence,
        speedup=speedup,
        more={
            "detections_intervals": detection_intervals(significance.result()),
            "by_height": heights_report(heights.result()),
            "tracks": None if tracks is None else tracks_report(tracks.result()),
        },
    )
