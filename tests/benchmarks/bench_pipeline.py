"""The pipeline's frame rate against a bare loop that only runs the same two sessions at once on a ready tensor.

    python tests/benchmarks/bench_pipeline.py [MODEL CANDIDATE VIDEO] [--frames 200]

Both are measured in turns in one run, so that a busy machine slows both. Without arguments: the real model and video of
../shared/data, and an INT8 twin made on the spot.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import tempfile
import time
from concurrent.futures import wait
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.int8_twin import make_int8_twin
from trtviewer.compare.settings import CompareSettings
from trtviewer.models.load import load_spec
from trtviewer.models.spec import ModelSpec
from trtviewer.pipeline.analysis import comparisons
from trtviewer.pipeline.pair import Pair, open_pair
from trtviewer.preprocess import Preprocessor
from trtviewer.sources.address import open_source
from trtviewer.sources.source import FrameRange

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
ROUNDS = 5


def twin_of(model: Path, video: str, folder: Path) -> Path:
    """An INT8 twin of `model` with its sidecar, calibrated on ten frames."""
    spec = load_spec(model)
    assert spec.input is not None
    preprocessor = Preprocessor(spec.input)
    with open_source(video) as source:
        tensors = [preprocessor.prepare(source.read(i).picture).tensor for i in range(0, 500, 50)]
    out = make_int8_twin(model, folder / "twin.onnx", tensors)
    sidecar = model.with_suffix(".toml")
    out.with_suffix(".toml").write_text(sidecar.read_text())
    for names in model.parent.glob("*.names"):
        (folder / names.name).write_text(names.read_text())
    return out


def bare_rate(pair: Pair, frames: int) -> float:
    assert pair.input_spec is not None
    tensor = np.random.default_rng(0).random((1, 3, *pair.input_spec.size), np.float32)
    begin = time.perf_counter()
    for _ in range(frames):
        wait([pair.reference.submit(tensor, 0), pair.candidate.submit(tensor, 0)])
    return frames / (time.perf_counter() - begin)


def pipeline_rate(pair: Pair, video: str, frames: int) -> float:
    with open_source(video) as source:
        running = comparisons(source, FrameRange(count=frames + 5), pair, CompareSettings())
        for _ in itertools.islice(running, 5):  # the pipeline is full, as in the middle of any long run
            pass
        begin = time.perf_counter()
        done = sum(1 for _ in running)
        return done / (time.perf_counter() - begin)


def measure(reference: ModelSpec, candidate: ModelSpec, video: str, frames: int) -> None:
    ratios = []
    with open_pair(reference, candidate) as pair:
        bare_rate(pair, 10)
        for _ in range(ROUNDS):
            bare = bare_rate(pair, frames)
            whole = pipeline_rate(pair, video, frames)
            ratios.append(whole / bare)
            print(
                f"bare loop {bare:6.2f} frames/s   pipeline {whole:6.2f} frames/s   ratio {whole / bare:.3f}"
            )
    print(f"median ratio {statistics.median(ratios):.3f} (wanted: at least 0.9)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="*", help="MODEL CANDIDATE VIDEO")
    parser.add_argument("--frames", type=int, default=40)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if arguments.paths:
            reference, candidate, video = (
                Path(arguments.paths[0]),
                Path(arguments.paths[1]),
                arguments.paths[2],
            )
        elif SHARED.is_dir():
            reference, video = SHARED / "yolov4-tiny.onnx", str(SHARED / "street.avi")
            candidate = twin_of(reference, video, Path(folder))
        else:
            print(f"skipped: the real inputs are not at {SHARED}; name a model, a candidate and a video")
            return
        measure(load_spec(reference), load_spec(candidate), video, arguments.frames)


if __name__ == "__main__":
    main()
