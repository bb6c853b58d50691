"""The whole report of a comparison: the schema's figures, and what else was found."""

from __future__ import annotations

from typing import Any

from trtviewer.compare.findings import Findings
from trtviewer.compare.significance import Significance
from trtviewer.compare.true_objects import Labels
from trtviewer.compare.truth_totals import TruthTotals
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
        truth = truth_figures(findings.truth, findings.labels, findings.significance)
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


def truth_figures(totals: TruthTotals, labels: Labels, significance: Significance) -> dict[str, Any]:
    """The key `truth`: both sides against the labels, and how sure their difference is. Args: all of the same frames."""
    truth = truth_report(totals.result(), labels)
    differences = [truth["difference"][name] for name in ("ap50", "ap50_95")]
    return {
        **truth,
        "difference_intervals": difference_intervals(significance.precision(totals, differences)),
    }
