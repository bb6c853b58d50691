"""The page and the evidence bundle of one comparison: fed while it runs, written when it ends, each only where asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from trtviewer.atomic import require_writable
from trtviewer.compare.findings import Findings
from trtviewer.compare.frame_comparison import FrameComparison
from trtviewer.compare.truth_totals import FrameTruth
from trtviewer.report.bundle import require_bundle_name, write_bundle
from trtviewer.report.html import write_html
from trtviewer.report.page_evidence import evidence_of
from trtviewer.report.provenance import sha256, versions
from trtviewer.report.worst_frames import WorstFrames
from trtviewer.report.worst_pictures import WorstPicture, picture_of


class ReportFiles:
    """Keeps of the worst frames what the files show of them.

    Args:
        html, bundle: where to write; None where it is not wanted.
        models: of both sides; their hashes are taken now, since a file may be another when an hour's work is done.
        neighbours_alike: the source is a video.
    """

    def __init__(
        self, html: Path | None, bundle: Path | None, models: Mapping[str, Path], neighbours_alike: bool
    ) -> None:
        self._html, self._bundle = html, bundle
        wanted = html is not None or bundle is not None
        self._hashes = {side: sha256(path) for side, path in models.items()} if wanted else {}
        self._pictures: WorstFrames[WorstPicture] = WorstFrames(neighbours_alike)
        self._comparisons: WorstFrames[FrameComparison] = WorstFrames(neighbours_alike, with_agreeing=True)

    def update(self, comparison: FrameComparison, truth: FrameTruth | None) -> None:
        """Looks at a frame."""
        if self._html is not None:
            self._pictures.update(comparison, lambda: picture_of(comparison, truth))
        if self._bundle is not None:
            self._comparisons.update(comparison, lambda: comparison)

    def write(self, report: Mapping[str, Any], findings: Findings, command: Sequence[str] = ()) -> None:
        """Writes what was asked for.

        Args: report, findings: of the same frames, at least one. command: as it was called, to repeat it.
        Raises: BadInput: a file cannot be written.
        """
        if self._html is not None:
            outputs = [output["name"] for output in report["outputs"]]
            evidence = evidence_of(findings, self._pictures.kept, outputs, command, versions(), self._hashes)
            write_html(self._html, report, evidence)
        if self._bundle is not None:
            write_bundle(self._bundle, self._comparisons.kept, report, versions(), self._hashes)


def require_report_files(html: Path | None, bundle: Path | None) -> None:
    """Looks, before long work, whether they could be written. Raises: BadUsage, BadInput."""
    if bundle is not None:
        require_bundle_name(bundle)
    for path in (html, bundle):
        if path is not None:
            require_writable(path)
