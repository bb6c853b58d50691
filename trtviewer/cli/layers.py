"""Which layers of an INT8 model lose it: the error of each, own, cumulative and at the heads."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from trtviewer import __version__
from trtviewer.atomic import require_writable
from trtviewer.blame.at_heads import AtHeads
from trtviewer.blame.layer_error import ErrorFigures, LayerError
from trtviewer.blame.measurement import LayerMeasurement, LayersResult, measure
from trtviewer.blame.pairing import load_twin
from trtviewer.cli.layers_search import Goal, print_search, search, search_report
from trtviewer.cli.options import add_models, add_source, add_thresholds, frame_range, settings
from trtviewer.cli.progress import console, progress_bar
from trtviewer.errors import BadInput, Cancelled
from trtviewer.models.load import load_spec
from trtviewer.report.compare_json import write_report
from trtviewer.report.gates import parse_gate
from trtviewer.sources.address import open_source
from trtviewer.sources.source import Source

SCHEMA = "trtviewer.layers/1"
DEFAULT_FRAMES = 16
_BROKEN = 2.0
"""Measured own error over the expected one from which on it is more than rounding."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_models(parser)
    add_source(parser)
    add_thresholds(parser)
    parser.add_argument(
        "--search",
        metavar="GOAL",
        help="find the fewest MACs to keep in float so that this holds, e.g. 'missed_rate < 0.02'",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures (trtviewer.layers/1)")


def run(arguments: argparse.Namespace) -> int:
    thresholds = settings(arguments)
    gate = None if arguments.search is None else parse_gate(arguments.search)
    if arguments.json is not None:
        require_writable(arguments.json)
    reference, candidate = (load_spec(path) for path in (arguments.reference, arguments.candidate))
    twin = load_twin(reference, candidate)
    found = None
    with open_source(arguments.source) as source:
        indices = tuple(frame_range(arguments, DEFAULT_FRAMES).indices(source.length))
        if not indices:
            raise BadInput(
                "has no such frames", subject=arguments.source, advice="look at --start and --frames"
            )
        goal = None if gate is None else Goal(gate, twin, source, thresholds)
        result, interrupted = _measure(LayerMeasurement(twin, thresholds), source, indices)
        if goal is not None and not interrupted:
            found, interrupted = search(twin, source, indices, thresholds, result, goal)
    report = layers_report(result, arguments)
    if goal is not None and found is not None:
        report["search"] = search_report(twin, found, goal)
    if arguments.json is not None:
        write_report(arguments.json, report)
    print_layers(result)
    if goal is not None and found is not None:
        print_search(twin, found, goal)
    if interrupted and result.frames == len(indices):
        raise Cancelled("interrupted while searching", advice="the layers' figures are whole")
    if interrupted:
        raise Cancelled(f"interrupted after {result.frames} frames", advice="the figures are of these")
    return 0


def _measure(
    measurement: LayerMeasurement, source: Source, indices: Sequence[int]
) -> tuple[LayersResult, bool]:
    """Returns: the figures, and whether Ctrl-C ended it before the last frame."""
    interrupted = False
    try:
        with progress_bar("measuring layers", len(indices)) as show:
            measure(measurement, source, indices, show)
    except KeyboardInterrupt:
        interrupted = True
    return measurement.result(), interrupted


def layers_report(result: LayersResult, arguments: argparse.Namespace) -> dict[str, Any]:
    """The figures by the schema `trtviewer.layers/1`, in the graph's order; what is not defined is None."""
    return {
        "schema": SCHEMA,
        "version": __version__,
        "reference": {"path": str(arguments.reference)},
        "candidate": {"path": str(arguments.candidate)},
        "source": {"path": arguments.source},
        "frames": result.frames,
        "heads_frames": result.heads_frames,
        "layers": [
            {
                "name": error.layer.name,
                "op": error.layer.op,
                "output": error.layer.output,
                "macs": error.layer.macs,
                "precision": error.layer.precision,
                "own": _figures(error.own),
                "cumulative": _figures(error.cumulative),
                "at_heads": _at_heads(at_heads),
                "clipped_share": error.clipped_share,
                "range_used": error.range_used,
                "expected_mse": error.expected_mse,
            }
            for error, at_heads in zip(result.layers, result.at_heads, strict=True)
        ],
    }


def print_layers(result: LayersResult) -> None:
    """The table, the most to blame first, and what it means in words."""
    out = console()
    out.print(_table(result))
    out.print(
        f"{result.frames} frames; at heads: only that layer in INT8, on {result.heads_frames} of them. "
        "own: its input from the reference; cumulative: the whole network up to here. What has no weights goes with the layers that it feeds."
    )
    broken = [error for error in result.layers if _is_broken(error)]
    if broken:
        names = ", ".join(error.layer.name for error in broken[:5])
        out.print(f"more than rounding explains: {escape(names)}: look at clipped and range used")
    elif any(error.expected_mse for error in result.layers):
        out.print("every layer's own error is what rounding to its steps makes: ordinary quantization noise")


def _table(result: LayersResult) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("layer", overflow="fold")
    table.add_column("op")
    for heading in (
        "MACs",
        "MSE at heads",
        "missed",
        "own dB",
        "cumul. dB",
        "own / expected",
        "clipped",
        "range used",
    ):
        table.add_column(heading, justify="right")
    macs = sum(error.layer.macs for error in result.layers)
    for index in result.ranked():
        error, at_heads = result.layers[index], result.at_heads[index]
        layer = error.layer
        table.add_row(
            escape(layer.name),
            layer.op if layer.is_int8 else f"{layer.op} {layer.precision}",
            _percent(layer.macs / macs if macs else None),
            "" if at_heads is None else f"{at_heads.mean_mse:.3g}",
            "" if at_heads is None else str(at_heads.missed),
            _number(error.own.sqnr_db, ".1f"),
            _number(error.cumulative.sqnr_db, ".1f"),
            _number(_over_expected(error), ".2f"),
            _percent(error.clipped_share),
            _percent(error.range_used),
        )
    return table


def _over_expected(error: LayerError) -> float | None:
    if error.own.mse is None or not error.expected_mse:
        return None
    return error.own.mse / error.expected_mse


def _is_broken(error: LayerError) -> bool:
    over = _over_expected(error)
    return over is not None and over > _BROKEN


def _figures(figures: ErrorFigures) -> dict[str, float | None]:
    return {"mse": figures.mse, "sqnr_db": figures.sqnr_db, "cosine": figures.cosine}


def _at_heads(found: AtHeads | None) -> dict[str, Any] | None:
    return None if found is None else {"mse": dict(found.mse), "missed": found.missed}


def _number(value: float | None, form: str) -> str:
    return "" if value is None or not math.isfinite(value) else format(value, form)


def _percent(share: float | None) -> str:
    if share is None:
        return ""
    return f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:.0f} %"
