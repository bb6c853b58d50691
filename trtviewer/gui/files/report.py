"""The page and the evidence of the video that is open or a part of it, as `compare --html` and `--bundle` write them; no Qt."""

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
        frames: which of the source's.
        labels: a COCO file or a folder of YOLO labels; None for what the source itself knows.
    """

    html: Path | None
    bundle: Path | None
    source: str
    models: tuple[ModelSpec, ModelSpec]
    settings: CompareSettings
    frames: FrameRange
    labels: str | None = None


def write_reports(
    request: ReportRequest,
    progress: Callable[[int, int | None], None] = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> int:
    """Runs both models over the source, or a part of it, and writes what is asked for, each file whole or not at all.

    The pictures and raw outputs that are shown are of the worst frames, which only a run over them finds: what the window
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
    from trtviewer.compare.truth_files import labels_of
    from trtviewer.pipeline.pair import open_pair
    from trtviewer.report.comparison_run import ComparisonRun
    from trtviewer.report.report_files import require_report_files
    from trtviewer.sources.address import open_source

    require_report_files(request.html, request.bundle)
    reference, candidate = request.models
    with ExitStack() as stack:
        source = stack.enter_context(open_source(request.source))
        labels = labels_of(request.labels, source, reference.classes)
        if labels is not None:
            stack.enter_context(labels)
        pair = stack.enter_context(open_pair(reference, candidate))
        running = ComparisonRun(source, pair, request.settings, labels, request.html, request.bundle)
        expected, done = request.frames.size(source.length), 0
        for done in running.frames(request.frames, cancelled):
            progress(done, expected)
        if cancelled():
            raise Cancelled("the report was cancelled")
        if not done:
            raise BadInput("has no such frame", subject=request.source, advice="choose other frames")
        running.write(running.report())
    return done
