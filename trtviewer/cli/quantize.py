"""Writes the INT8 (Q/DQ) model of an FP32 one, calibrated on frames or by a TensorRT calibration table."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.markup import escape
from rich.table import Table

from trtviewer import __version__
from trtviewer.atomic import require_writable
from trtviewer.cli.options import add_source
from trtviewer.cli.progress import console, progress_bar
from trtviewer.errors import BadInput, BadUsage, Cancelled
from trtviewer.models.load import load_spec
from trtviewer.models.sidecar import sidecar_path, write_sidecar
from trtviewer.models.spec import ModelSpec
from trtviewer.quantize.calibration_cache import read_table, scales_for, write_table
from trtviewer.quantize.graph import Network, load_network
from trtviewer.quantize.keep_float import resolve
from trtviewer.quantize.layout import plan
from trtviewer.quantize.methods import DEFAULT_METHOD, DEFAULT_PERCENTILE, LEVELS, Method, amax_by_tensor
from trtviewer.quantize.qdq import Quantized, make_qdq, save_with_sidecar, shared_scales
from trtviewer.quantize.ranges import Ranges, calibration_tensors, collect_ranges, input_amax_of
from trtviewer.sources.address import open_source
from trtviewer.sources.source import FrameRange, spread

DEFAULT_FRAMES = 64
_LISTED = 8
"""Tensors that the report names."""


@dataclass(frozen=True, slots=True)
class _Calibration:
    """Where the scales are from: ranges over frames, or (`ranges` None) a table."""

    scales: Mapping[str, np.float32]
    facts: Mapping[str, str]
    ranges: Ranges | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="MODEL.onnx", help="the FP32 model")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.onnx", help="the Q/DQ model")
    add_source(parser, required=False)
    methods = [method.value for method in Method]
    parser.add_argument("--method", choices=methods, help=f"how ranges are chosen ({DEFAULT_METHOD.value})")
    parser.add_argument("--percentile", type=float, metavar="P", help=f"of |x| ({DEFAULT_PERCENTILE})")
    parser.add_argument(
        "--keep-float",
        action="append",
        default=[],
        metavar="PATTERN",
        help="layers left in float: a name, a glob, an operator, first, heads; may be given again",
    )
    parser.add_argument(
        "--float-type", choices=["float32", "float16"], default="float32", help="of what stays float"
    )
    parser.add_argument(
        "--calibration-table", type=Path, metavar="FILE", help="TensorRT's cache, read instead of calibrating"
    )
    parser.add_argument(
        "--write-calibration-table", type=Path, metavar="FILE", help="also write such a cache"
    )


def run(arguments: argparse.Namespace) -> int:
    method, percentile = _method_of(arguments)
    _check_output(arguments.output)
    if arguments.write_calibration_table is not None:
        require_writable(arguments.write_calibration_table)
    if arguments.source is None and arguments.calibration_table is None:
        raise BadUsage("needs frames to calibrate on", advice="give --source, or --calibration-table")
    spec = load_spec(arguments.model)
    if sidecar_path(arguments.output).exists():
        write_sidecar(sidecar_path(arguments.output), spec)  # refuses now what it would refuse at the end
    network = load_network(arguments.model)
    keep_float = resolve(network, arguments.keep_float)
    try:
        if arguments.calibration_table is not None:
            calibration = _from_table(network, arguments.calibration_table, keep_float)
        else:
            calibration = _from_frames(network, spec, arguments, method, percentile, keep_float)
        facts = {**calibration.facts, "keep_float": ",".join(sorted(keep_float)), "version": __version__}
        quantized = make_qdq(network, calibration.scales, keep_float, arguments.float_type, facts=facts)
        save_with_sidecar(quantized.model, arguments.output, spec)
        if arguments.write_calibration_table is not None:
            write_table(arguments.write_calibration_table, quantized.scales, method)
    except KeyboardInterrupt as error:
        raise Cancelled("interrupted", subject=arguments.output, advice="nothing was written") from error
    _print_report(network, quantized, calibration, arguments)
    return 0


def _method_of(arguments: argparse.Namespace) -> tuple[Method, float]:
    percentile = arguments.percentile
    if percentile is None:
        return Method(arguments.method or DEFAULT_METHOD), DEFAULT_PERCENTILE
    if arguments.method not in (None, Method.PERCENTILE.value):
        raise BadUsage(f"--percentile means nothing to --method {arguments.method}", advice="leave one out")
    if not 0 < percentile <= 100:
        raise BadUsage(f"--percentile is above 0 and at most 100, not {percentile:g}", advice="try 99.99")
    return Method.PERCENTILE, percentile


def _check_output(out: Path) -> None:
    if out.suffix.lower() != ".onnx":
        raise BadUsage(
            "the output is an .onnx file",
            subject=out,
            advice="name it OUT.onnx; trtviewer build makes engines",
        )
    require_writable(out)


def _from_table(network: Network, path: Path, keep_float: frozenset[str]) -> _Calibration:
    table = read_table(path)
    facts = {"method": f"table {table.header}", "source": path.name}
    return _Calibration(scales_for(network, table, path, keep_float), facts)


def _from_frames(
    network: Network,
    spec: ModelSpec,
    arguments: argparse.Namespace,
    method: Method,
    percentile: float,
    keep_float: frozenset[str],
) -> _Calibration:
    if spec.input is None:
        raise BadInput("says nothing of its input", subject=spec.path)
    with open_source(arguments.source) as source:
        indices = frame_indices(source.length, arguments.frames, arguments.every, arguments.start)
        if not indices:
            raise BadInput(
                f"has no frame from index {arguments.start} on",
                subject=arguments.source,
                advice=f"it has {source.length}",
            )
        with progress_bar("calibrating", len(indices)) as progress:
            ranges = collect_ranges(
                network,
                calibration_tensors(source, spec.input, indices),
                input_amax=input_amax_of(spec.input),
                frame_indices=indices,
                progress=progress,
            )
    groups = plan(network, keep_float).groups
    scales = shared_scales(network, amax_by_tensor(ranges, method, percentile, groups), keep_float)
    shown = f"{method.value} {percentile:g}" if method is Method.PERCENTILE else method.value
    facts = {"method": shown, "frames": str(ranges.frames), "source": arguments.source}
    return _Calibration(scales, facts, ranges)


def frame_indices(length: int | None, frames: int | None, every: int | None, start: int) -> Sequence[int]:
    """The frames to calibrate on: each K-th where `every` is given, else spread evenly from `start` to the end."""
    count = DEFAULT_FRAMES if frames is None else frames
    if every is not None or length is None:
        return tuple(FrameRange(start, every or 1, count).indices(length))
    return tuple(start + index for index in spread(max(0, length - start), count))


def _print_report(
    network: Network, quantized: Quantized, calibration: _Calibration, arguments: argparse.Namespace
) -> None:
    out = console()
    layers = [node.name for node in network.weighted()]
    in_float = [name for name in layers if name not in quantized.layout.layers]
    facts = calibration.facts
    frames = f"{facts['frames']} frames of " if "frames" in facts else ""
    out.print(
        f"{escape(str(arguments.output))}: {len(layers) - len(in_float)} of {len(layers)} layers in INT8, "
        f"{facts['method']}, {frames}{escape(facts['source'])}"
    )
    if in_float:
        out.print(f"float: {escape(_shortened(in_float))}")
    if quantized.missing:
        out.print(f"the table lacks, so these stay float: {escape(_shortened(quantized.missing))}")
    if calibration.ranges is not None:
        _print_clipped(quantized, calibration.ranges)


def _print_clipped(quantized: Quantized, ranges: Ranges) -> None:
    rows = []
    for tensor, scale in quantized.scales.items():
        histogram = ranges.histograms[tensor]
        # The scale is rounded to float32: what lies at the end of the range to its last digits is not clipped.
        amax = float(scale) * LEVELS * (1 + 1e-6)
        rows.append((histogram.share_above(amax), tensor, histogram.amax, amax))
    rows.sort(key=lambda row: -row[0])
    table = Table(title="most clipped tensors", title_justify="left", box=None)
    table.add_column("tensor")
    for heading in ("seen up to", "range", "clipped"):
        table.add_column(heading, justify="right")
    for share, tensor, seen, amax in rows[:_LISTED]:
        if share:
            table.add_row(escape(tensor), f"{seen:.4g}", f"{amax:.4g}", f"{100 * share:.2g} %")
    if table.row_count:
        console().print(table)
    clipped = sum(share > 0 for share, *_ in rows)
    console().print(f"{clipped} of {len(rows)} tensors are clipped at all")


def _shortened(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_LISTED])
    return shown if len(names) <= _LISTED else f"{shown} and {len(names) - _LISTED} more"
