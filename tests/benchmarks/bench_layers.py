"""Blame against onnxruntime's own way, and whether the layers that it names are those that matter.

    python tests/benchmarks/bench_layers.py cost    [--frames 30] [MODEL CANDIDATE SOURCE]
    python tests/benchmarks/bench_layers.py memory  [--frames 30 300]
    python tests/benchmarks/bench_layers.py removal [--frames 8]
    python tests/benchmarks/bench_layers.py sets    [--frames 100] [--goal 'missed_rate <= 0.02'] [MODEL SOURCE]

`cost`: own and cumulative error of all layers, by `LayerMeter` and by onnxruntime.quantization.qdq_loss_debug (which keeps every
activation), each in a process of its own on the same frames; wall time, processor time, peak memory, and their ratios.
`memory`: peak memory of ours at several numbers of frames. `removal`: the MSE at the heads that the first five layers of the
ranking remove when they are kept in float, against the best five of trying every layer alone. `sets`: four calibration methods, each with
every layer in INT8, with the first and the heads in float, and with the set that the search finds; calibrated and searched on 30 frames,
judged on others.
Without a model: the real model and video of ../shared/data, and an INT8 twin made on the spot.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.quantize.twin import write_qdq
from trtviewer.blame.layer_error import LayerMeter
from trtviewer.blame.measurement import HEADS_FRAMES, LayerMeasurement, measure
from trtviewer.blame.pairing import load_twin
from trtviewer.blame.search import Search
from trtviewer.blame.trial import Bench, Trial
from trtviewer.blame.twin import Twin
from trtviewer.cli.layers_search import Goal
from trtviewer.compare.settings import CompareSettings
from trtviewer.models.load import load_spec
from trtviewer.models.spec import Precision
from trtviewer.preprocess import Preprocessor
from trtviewer.quantize.graph import load_network
from trtviewer.quantize.keep_float import FIRST, HEADS, resolve
from trtviewer.quantize.methods import Method, amax_by_tensor
from trtviewer.quantize.ranges import calibration_tensors, collect_ranges
from trtviewer.report.gates import parse_gate
from trtviewer.sources.address import open_source
from trtviewer.sources.source import Source, spread

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
FIVE = 5
CALIBRATION = 30


def tensors(model: Path, address: str, count: int) -> Iterator[NDArray[np.float32]]:
    spec = load_spec(model)
    assert spec.input is not None
    preprocessor = Preprocessor(spec.input)
    with open_source(address) as source:
        for index in spread(source.length or count, count):
            yield preprocessor.prepare(source.read(index).picture).tensor


def run_ours(model: Path, candidate: Path, address: str, count: int) -> None:
    meter = LayerMeter(load_twin(load_spec(model), load_spec(candidate)))
    for tensor in tensors(model, address, count):
        meter.update(tensor)
    assert all(error.own.mse is not None for error in meter.result())


def run_theirs(model: Path, candidate: Path, address: str, count: int) -> None:
    from onnxruntime.quantization import qdq_loss_debug as debug

    spec = load_spec(model)
    assert spec.input is not None
    name = spec.input.name
    kept = {}
    with tempfile.TemporaryDirectory() as folder:
        for path in (model, candidate):
            augmented = str(Path(folder) / path.name)
            debug.modify_model_output_intermediate_tensors(str(path), augmented)
            reader = ({name: tensor} for tensor in tensors(model, address, count))
            kept[path] = debug.collect_activations(augmented, reader)
    matching = debug.create_activation_matching(kept[candidate], kept[model])
    assert debug.compute_activation_error(matching)


_CHILDREN = {"ours": run_ours, "theirs": run_theirs}


def child(kind: str, paths: list[str], count: int) -> dict[str, float]:
    """Seconds of wall and of processor time, and peak memory in MB, of a process of its own."""
    begin = time.perf_counter()
    command = [sys.executable, __file__, kind, *paths, "--frames", str(count)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
    found: dict[str, float] = json.loads(told)
    return {"wall": time.perf_counter() - begin, **found}


def cost(paths: list[str], count: int) -> None:
    few = max(1, count // 3)
    figures = {}
    for kind in ("ours", "theirs"):
        # What a frame takes is the difference between many and few: opening the models is the same for both.
        small, large = child(kind, paths, few), child(kind, paths, count)
        figures[kind] = (small, large)
        frame = {key: (large[key] - small[key]) / (count - few) for key in small}
        print(
            f"{kind:7} {count} frames: wall {large['wall']:.1f} s, processor {large['cpu']:.1f} s, peak {large['mb']:.0f} MB; "
            f"each frame: wall {1e3 * frame['wall']:.0f} ms, processor {1e3 * frame['cpu']:.0f} ms, {frame['mb']:.1f} MB"
        )
    for key, what in (("wall", "wall time"), ("cpu", "processor time"), ("mb", "peak memory")):
        print(f"{what}: theirs / ours = {figures['theirs'][1][key] / figures['ours'][1][key]:.2f}")


def memory(paths: list[str], counts: list[int]) -> None:
    for count in counts:
        print(f"{count} frames: peak {child('ours', paths, count)['mb']:.0f} MB")


def removal(paths: list[str], count: int) -> None:
    model, candidate, address = paths
    settings = CompareSettings()
    twin = load_twin(load_spec(Path(model)), load_spec(Path(candidate)))
    measurement = LayerMeasurement(twin, settings)
    with open_source(address) as source:
        indices = spread(source.length or count, count)
        measure(measurement, source, indices)
        bench = Bench(twin, (source.read(index) for index in indices), settings)
    whole = bench.try_float(()).mse
    alone = {index: whole - bench.try_float({index}).mse for index in twin.int8}
    best = sorted(alone, key=lambda index: -alone[index])[:FIVE]
    named = list(measurement.result().ranked()[:FIVE])
    gains = {}
    for title, chosen in (("first five of layers", named), ("best five alone", best)):
        gains[title] = whole - bench.try_float(chosen).mse
        names = ", ".join(twin.layers[index].name for index in chosen)
        print(
            f"{title}: {names}: MSE {whole:.4g} -> {whole - gains[title]:.4g} ({gains[title] / whole:.1%} removed)"
        )
    first, exhaustive = gains.values()
    print(f"share of what the best five remove: {first / exhaustive:.1%}; {bench.passes} forward passes")


def sets(model: Path, address: str, count: int, goal_text: str) -> None:
    spec, settings = load_spec(model), CompareSettings()
    assert spec.input is not None
    network = load_network(model)
    edges = resolve(network, [FIRST, HEADS])
    with open_source(address) as source, tempfile.TemporaryDirectory() as folder:
        every = spread(source.length or 400, count + CALIBRATION)
        calibration = [every[place] for place in spread(len(every), CALIBRATION)]
        test = [index for index in every if index not in calibration]
        ranges = collect_ranges(network, calibration_tensors(source, spec.input, calibration))
        print(
            f"{model.name}, {address}: calibrated and searched on {len(calibration)} frames, judged on {len(test)}"
        )
        for method in Method:
            out = Path(folder) / f"{method.value}.onnx"
            write_qdq(network, amax_by_tensor(ranges, method), (), out)
            int8 = replace(spec, path=out, precision=Precision.INT8)
            twin = load_twin(spec, int8)
            found = _searched(twin, source, calibration, settings, goal_text)
            judge = Bench(twin, (source.read(index) for index in test), settings)
            chosen = {
                "all INT8": frozenset[int](),
                "first and heads float": frozenset(i for i in twin.int8 if twin.layers[i].name in edges),
                "searched": found,
            }
            for title, kept in chosen.items():
                print(f"  {method.value:10} {title:22} {_row(judge.try_float(kept))}")
            names = ", ".join(twin.layers[index].name for index in sorted(found))
            print(f"  {'':10} searched: {names or 'nothing in float'}", flush=True)


def _searched(
    twin: Twin, source: Source, indices: list[int], settings: CompareSettings, goal_text: str
) -> frozenset[int]:
    measurement = LayerMeasurement(twin, settings)
    measure(measurement, source, [indices[place] for place in spread(len(indices), HEADS_FRAMES)])
    goal = Goal(parse_gate(goal_text), twin, source, settings)
    bench = Bench(twin, (source.read(index) for index in indices), settings)
    search = Search(bench, measurement.result().at_heads, goal.met)
    search.run()
    best = search.result().best
    return frozenset(twin.int8) if best is None else best.keep_float


def _row(trial: Trial) -> str:
    counts, outputs = trial.result.detections.counts, trial.result.outputs
    mse = " ".join(f"{output.name} {output.total.mse:.4g}" for output in outputs)
    sizes = ", ".join(
        f"{size} {each.missed}/{each.reference}" for size, each in trial.result.detections.by_size.items()
    )
    rate = 0.0 if trial.missed_rate is None else trial.missed_rate
    return (
        f"{trial.int8_share:6.1%} of MACs in INT8, MSE {mse}, missed {counts.missed} of {counts.reference} ({rate:.1%}: {sizes}), "
        f"extra {counts.extra}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kinds = ["cost", "memory", "removal", "sets", *_CHILDREN]
    parser.add_argument(
        "what", nargs="?", default="cost", choices=kinds, help="ours and theirs: one process of cost"
    )
    parser.add_argument("paths", nargs="*", metavar="MODEL CANDIDATE SOURCE")
    parser.add_argument("--frames", type=int, nargs="+", default=[30])
    parser.add_argument("--goal", default="missed_rate <= 0.02")
    arguments = parser.parse_args()
    if arguments.what in _CHILDREN:
        model, candidate, address = arguments.paths
        _CHILDREN[arguments.what](Path(model), Path(candidate), address, arguments.frames[0])
        used = resource.getrusage(resource.RUSAGE_SELF)
        print(json.dumps({"cpu": used.ru_utime + used.ru_stime, "mb": used.ru_maxrss / 1024}))
        return
    if arguments.what == "sets":
        model, address = arguments.paths or (str(SHARED / "yolov4-tiny.onnx"), str(SHARED / "street.avi"))
        sets(Path(model), address, arguments.frames[0], arguments.goal)
        return
    with tempfile.TemporaryDirectory() as folder:
        paths = arguments.paths or _real(Path(folder))
        if arguments.what == "cost":
            cost(paths, arguments.frames[0])
        elif arguments.what == "memory":
            memory(paths, arguments.frames)
        else:
            removal(paths, arguments.frames[0])


def _real(folder: Path) -> list[str]:
    from tests.benchmarks.bench_pipeline import twin_of

    model, video = SHARED / "yolov4-tiny.onnx", str(SHARED / "street.avi")
    return [str(model), str(twin_of(model, video, folder)), video]


if __name__ == "__main__":
    main()
