"""A comparison of a source from its frames to its report: what `compare`, the demo and the window's report have in common."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

from trtviewer.compare.findings import Findings
from trtviewer.compare.settings import CompareSettings
from trtviewer.compare.true_objects import Labels
from trtviewer.pipeline.analysis import comparisons
from trtviewer.pipeline.pair import Pair
from trtviewer.report.compare_json import ReportModel, ReportSource
from trtviewer.report.findings_report import findings_report
from trtviewer.report.report_files import ReportFiles
from trtviewer.sources.source import FrameRange, Source


class ComparisonRun:
    """Feeds findings and files with the same frames.

    Args:
        source, pair, labels: stay the caller's to close.
        labels: the truth of the source, where there is one.
        html, bundle: the page and the evidence to write; None where they are not wanted.
    """

    def __init__(
        self,
        source: Source,
        pair: Pair,
        settings: CompareSettings,
        labels: Labels | None = None,
        html: Path | None = None,
        bundle: Path | None = None,
    ) -> None:
        self._source, self._pair = source, pair
        neighbours_alike = source.rate is not None
        self._findings = Findings(settings, pair.reference.spec, neighbours_alike, labels)
        models = {"reference": pair.reference.spec.path, "candidate": pair.candidate.spec.path}
        self._files = ReportFiles(html, bundle, models, neighbours_alike)

    def frames(self, frames: FrameRange, cancelled: Callable[[], bool] = lambda: False) -> Generator[int]:
        """Compares the frames; after each the number of those that are done. Closing it early keeps what was done.

        Raises: BadInput: a frame, a model or the labels fail.
        """
        running = comparisons(self._source, frames, self._pair, self._findings.settings, cancelled)
        try:
            for done, comparison in enumerate(running, 1):
                self._files.update(comparison, self._findings.update(comparison))
                yield done
        finally:
            running.close()

    def report(self) -> dict[str, Any]:
        """The report (trtviewer.compare/1) of what was compared so far, of no frames too."""
        pair, source = self._pair, self._source
        return findings_report(
            self._findings,
            ReportModel(pair.reference.spec, pair.reference.info),
            ReportModel(pair.candidate.spec, pair.candidate.info),
            ReportSource(source.address, source.size, source.rate),
            pair.correspondence,
        )

    def write(self, report: dict[str, Any], command: Sequence[str] = ()) -> None:
        """Writes page and evidence. Args: report: of at least one frame. command: as it was called. Raises: BadInput."""
        self._files.write(report, self._findings, command)
