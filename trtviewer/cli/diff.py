"""Compares two recordings of outputs, of any two programs, with no model and no pictures."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trtviewer import __version__
from trtviewer.atomic import require_writable, write_text
from trtviewer.cli.compare_tables import nonfinite_lines, output_table
from trtviewer.cli.interrupt import interruptible
from trtviewer.cli.progress import console, progress_bar
from trtviewer.compare.error_meter import ErrorMeter
from trtviewer.compare.frame_comparison import paired_maps
from trtviewer.compare.settings import CompareSettings
from trtviewer.compare.tensor_error import TensorErrors
from trtviewer.errors import BadInput, Cancelled
from trtviewer.evidence_files import recorded_side
from trtviewer.models.correspond import correspond
from trtviewer.models.load import load_spec
from trtviewer.models.spec import Family, HeadSpec, ModelSpec
from trtviewer.report.compare_json import output_report
from trtviewer.runners.recorded import RecordedFrames, read_flat

SCHEMA = "trtviewer.diff/1"

Heads = Mapping[str, NDArray[np.float32]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "reference",
        type=Path,
        metavar="REFERENCE",
        help="a folder of outputs, a .npy, a .bin, or EVIDENCE.zip/reference",
    )
    parser.add_argument("candidate", type=Path, metavar="CANDIDATE", help="the same, of the other run")
    epsilon = CompareSettings().epsilon
    parser.add_argument(
        "--epsilon", type=float, default=epsilon, metavar="X", help=f"count values off by more ({epsilon:g})"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help=f"write the figures ({SCHEMA})")


def run(arguments: argparse.Namespace) -> int:
    epsilon = CompareSettings(epsilon=arguments.epsilon).epsilon
    if arguments.json is not None:
        require_writable(arguments.json)
    places = [recorded_side(path) for path in (arguments.reference, arguments.candidate)]
    for path in places:
        if not path.exists():
            raise BadInput("does not exist", subject=path)
    folders = [path.is_dir() for path in places]
    if folders[0] != folders[1]:
        raise BadInput(
            "one is a folder and the other a file",
            subject=f"{arguments.reference} and {arguments.candidate}",
            advice="give two folders of recorded outputs, or two files of one output",
        )
    recordings = _folders if folders[0] else _files
    reference, candidate, frames, pairs = recordings(arguments.reference, arguments.candidate)
    report = _compared(reference, candidate, frames, pairs, epsilon)
    if arguments.json is not None:
        write_text(arguments.json, json.dumps(report, indent=2, allow_nan=False) + "\n")
    out = console()
    out.print(f"{report['frames']:,} frame{'s' if report['frames'] != 1 else ''}")
    out.print(output_table(report["outputs"], epsilon))
    for line in nonfinite_lines(report["outputs"]):
        out.print(line, markup=False, soft_wrap=True)
    if report["frames"] < frames:
        raise Cancelled(f"interrupted after {report['frames']} frames", advice="the figures are of these")
    return 0


def _compared(
    reference: ModelSpec,
    candidate: ModelSpec,
    frames: int,
    pairs: Iterator[tuple[Heads, Heads]],
    epsilon: float,
) -> dict[str, Any]:
    correspondence = correspond(reference, candidate)
    meter, errors = ErrorMeter(), TensorErrors()
    done = 0
    with progress_bar("comparing", frames) as show, interruptible() as interrupted:
        for ours, theirs in pairs:
            if interrupted():
                break
            maps = paired_maps(correspondence, (reference, ours), (candidate, theirs))
            errors.update(meter.measure(maps, epsilon))
            done += 1
            show(done)
    outputs = []
    for output in errors.result(epsilon):
        head = reference.head(output.name)
        outputs.append(output_report(output, head.stride, head.shape))
    return {
        "schema": SCHEMA,
        "version": __version__,
        "frames": done,
        "reference": {"path": str(reference.path)},
        "candidate": {"path": str(candidate.path)},
        "settings": {"epsilon": epsilon},
        "outputs": outputs,
    }


def _folders(
    reference: Path, candidate: Path
) -> tuple[ModelSpec, ModelSpec, int, Iterator[tuple[Heads, Heads]]]:
    specs = load_spec(reference), load_spec(candidate)
    ours, theirs = (RecordedFrames(recorded_side(path)) for path in (reference, candidate))
    if len(ours) != len(theirs):
        raise BadInput(
            f"hold unequal numbers of frames, {len(ours)} and {len(theirs)}",
            subject=f"{reference} and {candidate}",
            advice="record both over the same frames",
        )
    pairs = ((ours.read(index), theirs.read(index)) for index in range(len(ours)))
    return *specs, len(ours), pairs


def _files(
    reference: Path, candidate: Path
) -> tuple[ModelSpec, ModelSpec, int, Iterator[tuple[Heads, Heads]]]:
    ours, theirs = read_flat(reference), read_flat(candidate)
    if ours.size != theirs.size:
        raise BadInput(
            f"hold unequal numbers of values, {ours.size:,} and {theirs.size:,}",
            subject=f"{reference} and {candidate}",
            advice="compare the same output of the same frame",
        )
    specs = _flat_spec(reference, ours), _flat_spec(candidate, theirs)
    return *specs, 1, iter([({"output": ours}, {"output": theirs})])


def _flat_spec(path: Path, values: NDArray[np.float32]) -> ModelSpec:
    head = HeadSpec("output", values.shape, layout="npc")
    return ModelSpec(path, Family.NONE, (), None, (head,))
