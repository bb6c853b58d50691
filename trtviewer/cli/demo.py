"""Shows what the program is for, with the models and the scene that ship with it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from trtviewer.bundled_demo import BundledDemo, bundled_demo
from trtviewer.cli.interrupt import compared, frames_interrupted
from trtviewer.cli.view import open_demo, save_picture
from trtviewer.compare.settings import CompareSettings
from trtviewer.errors import Cancelled
from trtviewer.models.load import load_spec
from trtviewer.pipeline.pair import open_pair
from trtviewer.report.compare_json import write_report
from trtviewer.report.comparison_run import ComparisonRun
from trtviewer.sources.address import open_source
from trtviewer.sources.source import FrameRange

REPORT = Path("trtviewer-demo.json")
PICTURE = Path("trtviewer-demo.png")
FRAMES = 60
"""Of the whole scene, evenly: enough for steady figures, few enough for seconds."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--headless",
        action="store_true",
        help=f"no window: write {REPORT} and {PICTURE} here and print a summary",
    )


def run(arguments: argparse.Namespace) -> int:
    demo = bundled_demo()
    if not arguments.headless:
        return open_demo()
    report, interrupted = _compared(demo)
    if report["frames"]:
        write_report(REPORT, report)
    if interrupted:
        written = f"written: {REPORT}, of these" if report["frames"] else "nothing was written"
        raise Cancelled(frames_interrupted(report["frames"]), advice=written)
    save_picture(demo.reference, demo.candidates, demo.source, _worst_frame(report), PICTURE)
    for line in summary(report):
        print(line)
    return 0


def _compared(demo: BundledDemo) -> tuple[dict[str, Any], bool]:
    """The report, and whether Ctrl-C ended it before the last frame."""
    reference, candidate = load_spec(demo.reference), load_spec(demo.candidates[0])
    with open_source(demo.source) as source, open_pair(reference, candidate) as pair:
        running = ComparisonRun(source, pair, CompareSettings())
        frames = FrameRange(every=max(1, (source.length or FRAMES) // FRAMES))
        interrupted = compared(running, frames, frames.size(source.length))
        return running.report(), interrupted


def summary(report: dict[str, Any]) -> list[str]:
    """What the demo found, in five lines."""
    found, sizes = report["detections"], report["by_size"]
    by_size = ", ".join(f"{row['missed']} of {row['reference']} {size}" for size, row in sizes.items())
    reasons = ", ".join(
        f"{count} {key.replace('_', ' ')}" for key, count in found["missed_reasons"].items() if count
    )
    return [
        " ".join(report["verdict"]),
        f"missed by size: {by_size}",
        f"why they were missed: {reasons or 'nothing was missed'}",
        f"{report['frames']} frames of {report['source']['path']}; INT8 is emulated on the CPU",
        f"written: {REPORT} (the whole report) and {PICTURE} (the window on its worst frame)",
    ]


def _worst_frame(report: dict[str, Any]) -> int:
    worst: int = report["frames_worst"][0]["frame"]
    return worst
