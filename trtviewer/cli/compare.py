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
from trtviewer.cli.interrupt import compared, frames_interrupted
from trtviewer.cli.options import add_models, add_source, add_thresholds, frame_range, settings
from trtviewer.compare.truth_files import labels_of
from trtviewer.errors import BadInput, Cancelled
from trtviewer.models.load import load_spec
from trtviewer.pipeline.pair import open_pair
from trtviewer.report.compare_json import write_report
from trtviewer.report.comparison_run import ComparisonRun
from trtviewer.report.gates import Gate, check, parse_gate
from trtviewer.report.report_files import require_report_files
from trtviewer.sources.address import open_source

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
        labels = labels_of(arguments.truth, source, reference.classes)
        if labels is not None:
            stack.enter_context(labels)
        pair = stack.enter_context(open_pair(reference, candidate))
        running = ComparisonRun(source, pair, thresholds, labels, arguments.html, arguments.bundle)
        _require_names(gates, running)
        frames = frame_range(arguments)
        interrupted = compared(running, frames, frames.size(source.length))
        report = running.report()
    if not report["frames"] and not interrupted:
        raise BadInput("has no such frames", subject=arguments.source, advice="look at --start and --frames")
    try:
        if arguments.json is not None:
            write_report(arguments.json, report)
        if report["frames"]:
            running.write(report, ["trtviewer", *sys.argv[1:]])
    finally:
        # What took an hour is told even where the disk is full.
        print_report(report)
    if source.remark:
        print(f"trtviewer: {source.address}: {source.remark}", file=sys.stderr)
    if interrupted:
        raise Cancelled(frames_interrupted(report["frames"]), advice="the report is of these")
    return _gate_status(gates, report)


def _require_names(gates: Sequence[Gate], running: ComparisonRun) -> None:
    """Refuses a gate on an unknown figure before the long work, not after it."""
    empty = running.report()
    for gate in gates:
        gate.require_names(empty)


def _gate_status(gates: Sequence[Gate], report: dict[str, Any]) -> int:
    failures = check(gates, report)
    for line in failures:
        print(f"trtviewer: {line}", file=sys.stderr)
    return GATE_FAILED if failures else 0
