"""Resident memory of a long headless comparison: flat after the first frames, however many follow.

    python tests/benchmarks/bench_memory.py [--frames 10000] [--after 500]

A tiny random detector and its INT8 twin over generated frames, so that ten thousand take minutes, not hours.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.model_zoo import quantized_twin, tiny_yolo_anchor
from tests.pipeline.conftest import Numbers
from trtviewer.compare.settings import CompareSettings
from trtviewer.compare.totals import Totals
from trtviewer.models.load import load_spec
from trtviewer.pipeline.analysis import comparisons
from trtviewer.pipeline.pair import open_pair
from trtviewer.sources.source import FrameRange


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--after", type=int, default=500)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        reference = tiny_yolo_anchor(Path(folder) / "tiny.onnx", seed=1)
        candidate = quantized_twin(reference, Path(folder) / "twin.onnx")
        specs = load_spec(reference), load_spec(candidate)
        source = Numbers(arguments.frames)
        source.reads = _Forgetful()  # type: ignore[assignment]
        settings = CompareSettings()
        totals = Totals(settings, specs[0])
        early = peak = 0
        with open_pair(*specs) as pair:
            for comparison in comparisons(source, FrameRange(), pair, settings):
                totals.update(comparison)
                if comparison.frame.index == arguments.after:
                    early = peak = resident_bytes()
                elif comparison.frame.index > arguments.after and comparison.frame.index % 100 == 0:
                    peak = max(peak, resident_bytes())
                    if comparison.frame.index % 2000 == 0:
                        print(f"frame {comparison.frame.index}: {resident_bytes() / 1e6:.1f} MB")
    print(f"after {arguments.after} frames {early / 1e6:.1f} MB, at most {peak / 1e6:.1f} MB later")
    print(f"ratio {peak / early:.4f} (wanted: at most 1.02)")


class _Forgetful:
    """The test source notes every frame that was read; ten thousand notes are memory too."""

    def append(self, index: int) -> None:
        pass


if __name__ == "__main__":
    main()
