"""Compares a candidate with a reference over a source, and tells what it loses, by figures."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from trtviewer.atomic import require_writable
from trtviewer.cli.compare_tables import print_report
from trtviewer.cli.options import add_models, add_source, add_thresholds, frame_range, settings
from trtviewer.cli.progress import progress_bar
from trtviewer.compare.findings import Findings
from trtviewer.compare.frame_comparison import FrameComparison
from trtviewer.compare.true_objects import Labels
from trtviewer.compare.truth_files import open_labels, own_labels
from trtviewer.compare.truth_totals import FrameTruth
from trtviewer.errors import BadInput, Cancelled
from trtviewer.models.load import load_spec
from trtviewer.pipeline.analysis import comparisons
from trtviewer.pipeline.pair import Pair, open_pair
from trtviewer.report.bundle import require_bundle_name, write_bundle
from trtviewer.report.compare_json import ReportModel, ReportSource, write_report
from trtviewer.report.findings_report import findings_report
from trtviewer.report.gates import Gate, check, parse_gate
from trtviewer.report.html import write_html
from trtviewer.report.page_evidence import evidence_of
from trtviewer.report.provenance import sha256, versions
from trtviewer.report.worst_frames import WorstFrames
from trtviewer.report.worst_pictures import WorstPicture, picture_of
from trtviewer.sources.address import open_source
from trtviewer.sources.source import FrameRange, Source

GATE_FAILED = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_models(parser)
    add_source(parser)
    add_thresholds(parser)
    parser.add_argument(
        "--truth",
        metavar="LABELS",
        help="a COCO .json, a folder of YOLO .txt files, or 'scene', which is the default where the source knows its truth",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report (trtviewer.compare/1)")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the report as one page to mail")
    parser.add_argument(
        "--bundle",
        type=Path,
        metavar="FILE.zip",
        help="write the worst frames with both sides' outputs: opens again with no model, to attach to a bug report",
    )
    parser.add_argument(
        "--fail-on",
        action="append",
        default=[],
        metavar="GATE",
        help="exit with 1 when this is true, e.g. 'missed_rate > 0.02'; may be given again",
    )


def run(arguments: argparse.Namespace) -> int:
    gates = [parse_gate(text) for text in arguments.fail_on]
    thresholds = settings(arguments)
    if arguments.bundle is not None:
        require_bundle_name(arguments.bundle)
    for path in (arguments.json, arguments.html, arguments.bundle):
        if path is not None:
            require_writable(path)
    reference, candidate = (load_spec(path) for path in (arguments.reference, arguments.candidate))
    with ExitStack() as stack:
        source = stack.enter_context(open_source(arguments.source))
        labels = _labels(arguments.truth, source, reference.classes)
        if labels is not None:
            stack.enter_context(labels)
        pair = stack.enter_context(open_pair(reference, candidate))
        findings = Findings(thresholds, reference, source.rate is not None, labels)
        _require_names(gates, pair, source, findings)
        worst = Worst(arguments, source.rate is not None)
        interrupted = _accumulate(source, frame_range(arguments), pair, findings, worst)
        report = _report(pair, source, findings)
    if not report["frames"] and not interrupted:
        raise BadInput("has no such frames", subject=arguments.source, advice="look at --start and --frames")
    if arguments.json is not None:
        write_report(arguments.json, report)
    if report["frames"]:
        worst.write(report, findings)
    print_report(report)
    if interrupted:
        raise Cancelled(f"interrupted after {report['frames']} frames", advice="the report is of these")
    return _gate_status(gates, report)


class Worst:
    """What the page and the evidence bundle show of the worst frames, each only where it is asked for."""

    def __init__(self, arguments: argparse.Namespace, neighbours_alike: bool) -> None:
        self._html: Path | None = arguments.html
        self._bundle: Path | None = arguments.bundle
        self._pictures: WorstFrames[WorstPicture] = WorstFrames(neighbours_alike)
        self._comparisons: WorstFrames[FrameComparison] = WorstFrames(neighbours_alike, with_agreeing=True)

    def update(self, comparison: FrameComparison, truth: FrameTruth | None) -> None:
        """Looks at a frame."""
        if self._html is not None:
            self._pictures.update(comparison, lambda: picture_of(comparison, truth))
        if self._bundle is not None:
            self._comparisons.update(comparison, lambda: comparison)

    def write(self, report: dict[str, Any], findings: Findings) -> None:
        """Writes what was asked for. Raises: BadInput: it cannot be written."""
        if self._html is None and self._bundle is None:
            return
        hashes = {side: sha256(Path(report[side]["path"])) for side in ("reference", "candidate")}
        if self._html is not None:
            outputs = [output["name"] for output in report["outputs"]]
            command = ["trtviewer", *sys.argv[1:]]
            evidence = evidence_of(findings, self._pictures.kept, outputs, command, versions(), hashes)
            write_html(self._html, report, evidence)
        if self._bundle is not None:
            write_bundle(self._bundle, self._comparisons.kept, report, versions(), hashes)


def _labels(text: str | None, source: Source, classes: Sequence[str]) -> Labels | None:
    return own_labels(source, classes) if text is None else open_labels(text, source, classes)


def _accumulate(source: Source, frames: FrameRange, pair: Pair, findings: Findings, worst: Worst) -> bool:
    """Compares the frames; True where Ctrl-C ended it before the last one."""
    expected = frames.size(source.length)
    running = comparisons(source, frames, pair, findings.settings)
    with progress_bar("comparing", expected) as show:
        try:
            for done, comparison in enumerate(running, 1):
                worst.update(comparison, findings.update(comparison))
                show(done)
        except KeyboardInterrupt:
            return True
        finally:
            running.close()
    return False


def _report(pair: Pair, source: Source, findings: Findings) -> dict[str, Any]:
    return findings_report(
        findings,
        ReportModel(pair.reference.spec, pair.reference.info),
        ReportModel(pair.candidate.spec, pair.candidate.info),
        ReportSource(source.address, source.size, source.rate),
        pair.correspondence,
    )


def _require_names(gates: Sequence[Gate], pair: Pair, source: Source, findings: Findings) -> None:
    """Refuses a gate on an unknown figure before the long work, not after it."""
    empty = _report(pair, source, findings)
    for gate in gates:
        gate.require_names(empty)


def _gate_status(gates: Sequence[Gate], report: dict[str, Any]) -> int:
    failures = check(gates, report)
    for line in failures:
        print(f"trtviewer: {line}", file=sys.stderr)
    return GATE_FAILED if failures else 0
