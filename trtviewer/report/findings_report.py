"""The whole report of a comparison: the schema's figures, and what else was found."""

from __future__ import annotations

from typing import Any

from trtviewer.compare.findings import Findings
from trtviewer.models.correspond import Correspondence
from trtviewer.report.compare_json import ReportModel, ReportSource, compare_report
from trtviewer.report.intervals_report import detection_intervals, difference_intervals
from trtviewer.report.memory_report import heights_report, tracks_report
from trtviewer.report.truth_report import truth_report


def findings_report(
    findings: Findings,
    reference: ReportModel,
    candidate: ReportModel,
    source: ReportSource,
    correspondence: Correspondence,
) -> dict[str, Any]:
    """The report of what was found so far, of no frames too."""
    truth = None
    if findings.truth is not None and findings.labels is not None:
        truth = {
            **truth_report(findings.truth.result(), findings.labels),
            "difference_intervals": difference_intervals(findings.significance.precision(findings.truth)),
        }
    return compare_report(
        findings.totals.result(),
        findings.settings,
        reference,
        candidate,
        source,
        correspondence,
        truth=truth,
        more={
            "detections_intervals": detection_intervals(findings.significance.result()),
            "by_height": heights_report(findings.heights.result()),
            "tracks": None if findings.tracks is None else tracks_report(findings.tracks.result()),
        },
    )
