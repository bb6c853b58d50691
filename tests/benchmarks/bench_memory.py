"""Resident memory of a long headless comparison: flat after the first frames, however many follow.

    python tests/benchmarks/bench_memory.py [--frames 10000] [--after 500] [--truth [--spill-bytes 100000]]

A tiny random detector and its INT8 twin over generated frames, so that ten thousand take minutes, not hours. With --truth
all that `compare --truth --html --bundle` keeps, of the bundled demo and a scene that knows its truth; --spill-bytes is what
verdicts may take in memory before they go to disk, lowered so that a scene of minutes gets there.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.model_zoo import quantized_twin, tiny_yolo_anchor
from tests.pipeline.conftest import Numbers
from trtviewer.bundled_demo import bundled_demo
from trtviewer.compare.average_precision import AveragePrecision
from trtviewer.compare.settings import CompareSettings
from trtviewer.compare.sorted_runs import MEMORY_BYTES
from trtviewer.compare.totals import Totals
from trtviewer.compare.truth_files import own_labels
from trtviewer.models.load import load_spec
from trtviewer.pipeline.analysis import comparisons
from trtviewer.pipeline.pair import open_pair
from trtviewer.report.comparison_run import ComparisonRun
from trtviewer.sources.address import open_source
from trtviewer.sources.source import FrameRange


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--after", type=int, default=500)
    parser.add_argument("--truth", action="store_true")
    parser.add_argument("--spill-bytes", type=int, default=MEMORY_BYTES)
    arguments = parser.parse_args()
    if arguments.truth:
        with_truth(arguments.frames, arguments.after, arguments.spill_bytes)
    else:
        without_truth(arguments.frames, arguments.after)


def with_truth(frames: int, after: int, spill_bytes: int) -> None:
    AveragePrecision.__init__.__defaults__ = (spill_bytes,)
    demo = bundled_demo()
    specs = load_spec(demo.reference), load_spec(demo.candidates[0])
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        # By day throughout: another weather draws a street and sprites of its own, which are memory of the scene.
        source = stack.enter_context(open_source(f"scene:street?condition=day&frames={frames}"))
        labels = stack.enter_context(own_labels(source, specs[0].classes))
        pair = stack.enter_context(open_pair(*specs))
        files = folder / "r.html", folder / "e.zip"
        running = ComparisonRun(source, pair, CompareSettings(), labels, *files)
        resident = []
        for done in running.frames(FrameRange()):
            if done >= after and done % 100 == 0:
                resident.append(resident_bytes())
                if done % after == 0:
                    print(f"frame {done}: {resident[-1] / 1e6:.1f} MB", flush=True)
        report = running.report()
        running.write(report)
        print(f"{report['truth']['objects']:,} true objects; pages written: {resident_bytes() / 1e6:.1f} MB")
        print(f"pages: {', '.join(f'{path.stat().st_size / 1e6:.1f} MB' for path in files)}")
    half = len(resident) // 2
    means = [sum(part) / len(part) / 1e6 for part in (resident[:half], resident[half:])]
    print(f"mean of the first half {means[0]:.1f} MB, of the second {means[1]:.1f} MB")
    told(after, resident[0], max(resident))


def without_truth(frames: int, after: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        reference = tiny_yolo_anchor(Path(folder) / "tiny.onnx", seed=1)
        candidate = quantized_twin(reference, Path(folder) / "twin.onnx")
        specs = load_spec(reference), load_spec(candidate)
        source = Numbers(frames)
        source.reads = _Forgetful()  # type: ignore[assignment]
        settings = CompareSettings()
        totals = Totals(settings, specs[0])
        early = peak = 0
        with open_pair(*specs) as pair:
            for comparison in comparisons(source, FrameRange(), pair, settings):
                totals.update(comparison)
                if comparison.frame.index == after:
                    early = peak = resident_bytes()
                elif comparison.frame.index > after and comparison.frame.index % 100 == 0:
                    peak = max(peak, resident_bytes())
                    if comparison.frame.index % 2000 == 0:
                        print(f"frame {comparison.frame.index}: {resident_bytes() / 1e6:.1f} MB")
    told(after, early, peak)


def told(after: int, early: int, peak: int) -> None:
    print(f"after {after} frames {early / 1e6:.1f} MB, at most {peak / 1e6:.1f} MB later")
    print(f"ratio {peak / early:.4f} (wanted: at most 1.02)")


class _Forgetful:
    """The test source notes every frame that was read; ten thousand notes are memory too."""

    def append(self, index: int) -> None:
        pass


if __name__ == "__main__":
    main()
