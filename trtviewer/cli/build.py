"""Builds a TensorRT engine of an ONNX model, with its sidecar and its SHA-256 beside it."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.markup import escape

from trtviewer.build.engine import build_engine
from trtviewer.build.request import BuildProgress, BuildRequest, LegacyInt8, Runtime
from trtviewer.cli.options import add_plugins
from trtviewer.cli.progress import build_bar, console
from trtviewer.errors import BadUsage, Cancelled
from trtviewer.models.load import load_spec
from trtviewer.models.spec import ModelSpec


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="MODEL.onnx", help="the model; a Q/DQ one becomes INT8")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.engine", help="the engine")
    parser.add_argument(
        "--runtime",
        choices=[runtime.value for runtime in Runtime],
        default=Runtime.TENSORRT.value,
        help="what will run it (tensorrt); TensorRT for RTX builds with no GPU",
    )
    add_plugins(parser)
    parser.add_argument(
        "--compute-capability",
        action="append",
        default=[],
        metavar="X.Y",
        help="of a GPU that it is to run on; may be given again (TensorRT for RTX only; else all that it knows)",
    )
    parser.add_argument("--tf32", action="store_true", help="let float32 products round to TF32 (off)")
    parser.add_argument(
        "--calibration-table",
        type=Path,
        metavar="FILE",
        help="the legacy INT8 of TensorRT 10: ranges from its table, the model in float",
    )
    parser.add_argument(
        "--keep-float",
        action="append",
        default=[],
        metavar="PATTERN",
        help="with --calibration-table: layers left in float, as in trtviewer quantize",
    )


def run(arguments: argparse.Namespace) -> int:
    if arguments.keep_float and arguments.calibration_table is None:
        raise BadUsage(
            "--keep-float is for --calibration-table",
            advice="of a Q/DQ model the graph decides: trtviewer quantize --keep-float",
        )
    spec = load_spec(arguments.model)
    request = BuildRequest(
        spec.path,
        Runtime(arguments.runtime),
        plugins=tuple(arguments.plugin),
        tf32=arguments.tf32,
        compute_capabilities=tuple(arguments.compute_capability),
        legacy_int8=_legacy(arguments, spec),
    )
    try:
        with build_bar() as show:

            def told(progress: BuildProgress) -> None:
                show(progress.phase, progress.share)

            built = build_engine(spec, arguments.output, request, told)
    except KeyboardInterrupt as error:
        raise Cancelled("interrupted", subject=arguments.output, advice="nothing was written") from error
    out = console()
    out.print(
        f"{escape(str(built.path))}: {built.builder}, {built.layers} layers, "
        f"{built.size / 1e6:.1f} MB in {built.seconds:.1f} s"
    )
    for warning in built.warnings:
        out.print(escape(f"warning: {' '.join(warning.split())}"))
    return 0


def _legacy(arguments: argparse.Namespace, spec: ModelSpec) -> LegacyInt8 | None:
    if arguments.calibration_table is None:
        return None
    from trtviewer.quantize.calibration_cache import read_table
    from trtviewer.quantize.graph import load_network
    from trtviewer.quantize.keep_float import resolve

    table = read_table(arguments.calibration_table)
    keep_float = resolve(load_network(spec.path), arguments.keep_float) if arguments.keep_float else ()
    return LegacyInt8({name: float(scale) for name, scale in table.scales.items()}, frozenset(keep_float))
