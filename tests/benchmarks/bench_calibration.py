"""Calibration: its time beside bare inference, its memory beside onnxruntime's, and what each method brings.

python -m tests.benchmarks.bench_calibration [speed] [memory] [methods] [--model M --source S]

Without a word all three. Needs ../shared/data, or the model and source that are given.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from tests.quantize.twin import write_qdq
from trtviewer.cli.main import run
from trtviewer.models.load import load_spec
from trtviewer.models.spec import ModelSpec
from trtviewer.quantize.graph import Network, load_network
from trtviewer.quantize.keep_float import resolve
from trtviewer.quantize.layout import plan
from trtviewer.quantize.methods import Method, amax_by_tensor
from trtviewer.quantize.ranges import calibration_tensors, collect_ranges, with_outputs
from trtviewer.runners.ort import cpu_session_options
from trtviewer.sources.address import open_source
from trtviewer.sources.source import spread

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
Tensor = NDArray[np.float32]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=["speed", "memory", "methods"])
    parser.add_argument("--model", type=Path, default=DATA / "yolov4-tiny.onnx")
    parser.add_argument("--source", default=str(DATA / "street.avi"))
    arguments = parser.parse_args()
    for part in arguments.parts:
        if part.startswith("_"):
            _consume(part, arguments.model, arguments.source)
        else:
            {"speed": speed, "memory": memory, "methods": methods}[part](arguments.model, arguments.source)


def speed(model: Path, source: str, frames: int = 100, rounds: int = 3) -> None:
    """Minima of turns taken one after the other; each turn opens its own session, as a user's run does."""
    tensors = list(_tensors(load_spec(model), source, frames))
    network = load_network(model)
    names = [name for name in plan(network).tensors if name != network.input]

    def bare() -> None:
        exposed = with_outputs(network, names).SerializeToString()
        session = ort.InferenceSession(exposed, cpu_session_options(quantized=False))
        for tensor in tensors:
            session.run(names, {network.input: tensor})

    times: dict[str, list[float]] = {"bare": [], "ours": []}
    for _ in range(rounds):
        times["bare"].append(_seconds(bare))
        times["ours"].append(_seconds(lambda: collect_ranges(network, tensors)))
    bare_s, ours_s = (min(times[name]) for name in ("bare", "ours"))
    print(
        f"{frames} frames, {len(names) + 1} tensors: bare inference {bare_s:.2f} s, calibration {ours_s:.2f} s: {ours_s / bare_s:.2f} times"
    )
    ranges = collect_ranges(network, tensors[:8])
    for method in Method:
        print(
            f"  ranges by {method.value}: {1000 * _seconds(lambda m=method: amax_by_tensor(ranges, m)):.0f} ms"
        )
    with tempfile.TemporaryDirectory() as folder:
        amax = amax_by_tensor(ranges)
        seconds = _seconds(lambda: write_qdq(load_network(model), amax, (), Path(folder) / "int8.onnx"))
    print(f"  model read, quantized and written, with ranges at hand: {seconds:.2f} s")


def memory(model: Path, source: str) -> None:
    """Each in a process of its own: peak resident memory above what it had once its libraries were loaded."""
    peaks = {}
    for part in ("_ours:30", "_ours:300", "_onnxruntime:30"):
        command = [sys.executable, "-m", "tests.benchmarks.bench_calibration", part]
        done = subprocess.run(
            [*command, "--model", str(model), "--source", source], capture_output=True, text=True, check=True
        )
        peaks[part] = float(done.stdout.strip().splitlines()[-1])
        print(f"{part[1:].replace(':', ', frames: ')}: {peaks[part]:.0f} MB")
    print(
        f"onnxruntime's histogram calibrator needs {peaks['_onnxruntime:30'] / peaks['_ours:30']:.1f} times as much"
    )


def methods(model: Path, source: str) -> None:
    """What each method brings, by the very commands; calibration frames are even, test frames odd."""
    network = load_network(model)
    with tempfile.TemporaryDirectory() as folder:
        for patterns in ((), ("first", "heads")):
            kept = resolve(network, patterns)
            share = 100 * _macs(network, kept) / _macs(network, frozenset())
            print(f"{' and '.join(patterns) or 'nothing'} in float, {share:.1f} % of the MACs in INT8")
            for method in Method:
                out, report = Path(folder) / f"{method}{len(patterns)}.onnx", Path(folder) / "report.json"
                keep = [text for pattern in patterns for text in ("--keep-float", pattern)]
                chosen = ["--source", source, "--start", "0", "--every", "26", "--frames", "30"]
                tested = ["--source", source, "--start", "1", "--every", "6", "--frames", "100"]
                with redirect_stdout(io.StringIO()):
                    run(["quantize", str(model), "-o", str(out), "--method", method.value, *chosen, *keep])
                    pair = ["--reference", str(model), "--candidate", str(out)]
                    run(["compare", *pair, *tested, "--json", str(report)])
                told = json.loads(report.read_text())
                errors = "  ".join(f"{head['name']} {head['mse']:.4f}" for head in told["outputs"])
                found = told["detections"]
                missed = f"missed {found['missed']} of {found['reference']}, extra {found['extra']}"
                print(f"  {method.value:11} MSE {errors}   {missed}")


def _macs(network: Network, kept: frozenset[str]) -> int:
    """Multiplications of the convolutions that are not kept in float."""
    shapes = {
        info.name: [entry.dim_value for entry in info.type.tensor_type.shape.dim]
        for info in (*network.model.graph.value_info, *network.model.graph.output)
    }
    return sum(
        math.prod(shapes[node.output[0]]) * math.prod(network.initializers[node.input[1]].dims[1:])
        for node in network.weighted()
        if node.name not in kept and node.op_type == "Conv"
    )


def _consume(part: str, model: Path, source: str) -> None:
    kind, _, count = part.partition(":")
    tensors = _tensors(load_spec(model), source, int(count))
    before = _peak_mb()
    if kind == "_ours":
        amax_by_tensor(collect_ranges(model, tensors))
    else:
        _onnxruntime(model, tensors)
    print(_peak_mb() - before)


def _peak_mb() -> float:
    """Of this process alone; getrusage would begin with its parent's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def _onnxruntime(model: Path, tensors: Iterator[Tensor]) -> None:
    from onnxruntime.quantization import CalibrationMethod, create_calibrator

    name = load_network(model).input

    class Reader:
        def get_next(self) -> dict[str, Tensor] | None:
            tensor = next(tensors, None)
            return None if tensor is None else {name: tensor}

    with tempfile.TemporaryDirectory() as folder:
        calibrator = create_calibrator(
            str(model),
            ["Conv"],
            augmented_model_path=f"{folder}/augmented.onnx",
            calibrate_method=CalibrationMethod.Percentile,
            extra_options={"symmetric": True},
        )
        calibrator.collect_data(Reader())
        calibrator.compute_data()


def _tensors(spec: ModelSpec, source: str, count: int) -> Iterator[Tensor]:
    assert spec.input is not None
    with open_source(source) as opened:
        assert opened.length is not None
        yield from calibration_tensors(opened, spec.input, spread(opened.length, count))


def _seconds(work: object) -> float:
    start = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
