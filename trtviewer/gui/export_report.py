"""The page and the evidence of the video that is open, as `compare --html` and `--bundle` write them; no Qt."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from trtviewer.compare.settings import CompareSettings
from trtviewer.errors import BadInput, Cancelled
from trtviewer.models.spec import ModelSpec
from trtviewer.sources.source import FrameRange


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """All that a report needs.

    Attributes:
        html, bundle: where to write the page and the evidence; None where it is not wanted.
        source: the address of the source.
        models: the spec of the reference and of the candidate.
        settings: as the window has them.
        labels: a COCO file or a folder of YOLO labels; None for what the source itself knows.
    """

    html: Path | None
    bundle: Path | None
    source: str
    models: tuple[ModelSpec, ModelSpec]
    settings: CompareSettings
    labels: str | None = None


def write_reports(
    request: ReportRequest,
    progress: Callable[[int, int | None], None] = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> int:
    """Runs both models over the whole source and writes what is asked for, each file whole or not at all.

    The pictures and raw outputs that are shown are of the worst frames, which only a run over all of them finds: what the window
    has kept of analysed frames holds neither.

    Args:
        progress: gets the frames done and in all, after each.
        cancelled: looked at between frames.

    Returns: the number of frames compared.

    Raises:
        Cancelled: nothing is left behind.
        BadUsage: by its name the evidence would not be known for a bundle.
        BadInput: the source or the labels cannot be read, a model fails, there is no frame, or a file cannot be written.
        MissingRuntime: a model's runtime is missing.
    """
    from trtviewer.compare.findings import Findings
    from trtviewer.compare.truth_files import open_labels, own_labels
    from trtviewer.pipeline.analysis import comparisons
    from trtviewer.pipeline.pair import open_pair
    from trtviewer.report.compare_json import ReportModel, ReportSource
    from trtviewer.report.findings_report import findings_report
    from trtviewer.report.report_files import ReportFiles, require_report_files
    from trtviewer.sources.address import open_source

    require_report_files(request.html, request.bundle)
    reference, candidate = request.models
    with ExitStack() as stack:
        source = stack.enter_context(open_source(request.source))
        classes = reference.classes
        labels = (
            own_labels(source, classes)
            if request.labels is None
            else open_labels(request.labels, source, classes)
        )
        if labels is not None:
            stack.enter_context(labels)
        pair = stack.enter_context(open_pair(reference, candidate))
        alike = source.rate is not None
        findings = Findings(request.settings, reference, alike, labels)
        files = ReportFiles(request.html, request.bundle, alike)
        done = 0
        for comparison in comparisons(source, FrameRange(), pair, request.settings, cancelled):
            files.update(comparison, findings.update(comparison))
            done += 1
            progress(done, source.length)
        if cancelled():
            raise Cancelled("the report was cancelled")
        if not done:
            raise BadInput("has no frame", subject=request.source, advice="choose another source")
        report = findings_report(
            findings,
            ReportModel(pair.reference.spec, pair.reference.info),
            ReportModel(pair.candidate.spec, pair.candidate.info),
            ReportSource(source.address, source.size, source.rate),
            pair.correspondence,
        )
        files.write(report, findings)
    return done
