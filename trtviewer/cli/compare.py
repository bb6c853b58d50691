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
from trtviewer.compare.true_objects import Labels
from trtviewer.compare.truth_files import open_labels, own_labels
from trtviewer.errors import BadInput, Cancelled
from trtviewer.models.load import load_spec
from trtviewer.pipeline.analysis import comparisons
from trtviewer.pipeline.pair import Pair, open_pair
from trtviewer.report.compare_json import ReportModel, ReportSource, write_report
from trtviewer.report.findings_report import findings_report
from trtviewer.report.gates import Gate, check, parse_gate
from trtviewer.report.report_files import ReportFiles, require_report_files
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
    require_report_files(arguments.html, arguments.bundle)
    if arguments.json is not None:
        require_writable(arguments.json)
    reference, candidate = (load_spec(path) for path in (arguments.reference, arguments.candidate))
    with ExitStack() as stack:
        source = stack.enter_context(open_source(arguments.source))
        labels = _labels(arguments.truth, source, reference.classes)
        if labels is not None:
            stack.enter_context(labels)
        pair = stack.enter_context(open_pair(reference, candidate))
        findings = Findings(thresholds, reference, source.rate is not None, labels)
        _require_names(gates, pair, source, findings)
        files = ReportFiles(arguments.html, arguments.bundle, source.rate is not None)
        interrupted = _accumulate(source, frame_range(arguments), pair, findings, files)
        report = _report(pair, source, findings)
    if not report["frames"] and not interrupted:
        raise BadInput("has no such frames", subject=arguments.source, advice="look at --start and --frames")
    if arguments.json is not None:
        write_report(arguments.json, report)
    if report["frames"]:
        files.write(report, findings, ["trtviewer", *sys.argv[1:]])
    print_report(report)
    if interrupted:
        raise Cancelled(f"interrupted after {report['frames']} frames", advice="the report is of these")
    return _gate_status(gates, report)


def _labels(text: str | None, source: Source, classes: Sequence[str]) -> Labels | None:
    return own_labels(source, classes) if text is None else open_labels(text, source, classes)


def _accumulate(
    source: Source, frames: FrameRange, pair: Pair, findings: Findings, files: ReportFiles
) -> bool:
    """Compares the frames; True where Ctrl-C ended it before the last one."""
    expected = frames.size(source.length)
    running = comparisons(source, frames, pair, findings.settings)
    with progress_bar("comparing", expected) as show:
        try:
            for done, comparison in enumerate(running, 1):
                files.update(comparison, findings.update(comparison))
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
