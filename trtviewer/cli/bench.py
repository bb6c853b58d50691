"""Measures two models, each alone with the whole machine, then both at once."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table

from trtviewer import __version__
from trtviewer.atomic import require_writable, write_text
from trtviewer.cli.interrupt import interruptible
from trtviewer.cli.options import add_models, positive_number
from trtviewer.cli.progress import console, progress_bar
from trtviewer.models.load import load_spec
from trtviewer.pipeline.bench import BenchResult, Latency, SideBench, bench_pair

SCHEMA = "trtviewer.bench/1"
_TICKS = 1000

EMULATED = "INT8 is emulated here: the speeds stand for nothing on a GPU, so there is no speed-up to tell."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_models(parser)
    parser.add_argument(
        "--seconds", type=positive_number, default=5.0, help="of each of the three measurements (5)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")


def run(arguments: argparse.Namespace) -> int:
    if arguments.json is not None:
        require_writable(arguments.json)
    specs = [load_spec(path) for path in (arguments.reference, arguments.candidate)]
    with progress_bar("measuring", _TICKS) as show, interruptible() as interrupted:
        result = bench_pair(
            specs[0], specs[1], lambda share: show(int(share * _TICKS)), interrupted, arguments.seconds
        )
    if arguments.json is not None:
        write_text(arguments.json, json.dumps(as_report(result, arguments), indent=2) + "\n")
    _print(result)
    return 0


def as_report(result: BenchResult, arguments: argparse.Namespace) -> dict[str, Any]:
    """The figures by the schema `trtviewer.bench/1`; milliseconds and frames a second."""

    def side(path: Path, bench: SideBench) -> dict[str, Any]:
        return {
            "path": str(path),
            "runner": bench.info.name,
            "precision": bench.info.precision,
            "emulated": bench.info.emulated,
            "alone": {**asdict(bench.alone), "fps": 1000 / bench.alone.mean_ms},
            "together": {**asdict(bench.together), "fps": 1000 / bench.together.mean_ms},
        }

    return {
        "schema": SCHEMA,
        "version": __version__,
        "reference": side(arguments.reference, result.reference),
        "candidate": side(arguments.candidate, result.candidate),
        "speedup": result.speedup,
        "pairs_per_second": result.pairs_per_second,
    }


def _print(result: BenchResult) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("", "runner", "precision"):
        table.add_column(heading)
    for heading in ("median ms", "p95 ms", "p99 ms", "frames/s", "runs"):
        table.add_column(heading, justify="right")
    for name, side in (("reference", result.reference), ("candidate", result.candidate)):
        emulated = " emulated" if side.info.emulated else ""
        what = (side.info.name, side.info.precision + emulated)
        table.add_row(f"{name} alone", *what, *_cells(side.alone))
        table.add_row(f"{name} beside the other", *what, *_cells(side.together))
    out = console()
    out.print(table)
    out.print(f"both at once: {result.pairs_per_second:.1f} pairs a second")
    out.print(EMULATED if result.speedup is None else f"speed-up, alone: {result.speedup:.2f} times")


def _cells(latency: Latency) -> tuple[str, ...]:
    return (
        f"{latency.median_ms:.2f}",
        f"{latency.p95_ms:.2f}",
        f"{latency.p99_ms:.2f}",
        f"{1000 / latency.mean_ms:.1f}",
        str(latency.runs),
    )
