"""Frame to input tensor: ours beside Ultralytics' steps written out in numpy and OpenCV, taken in turns in one run.

python -m tests.benchmarks.bench_preprocess
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tests.oracles.letterbox import letterbox, to_network
from trtviewer.models.spec import InputSpec
from trtviewer.opencv import cv2
from trtviewer.preprocess import Preprocessor


def main(turns: int = 100) -> None:
    cv2.setNumThreads(1)
    for frame, size in [((576, 768), (416, 416)), ((1080, 1920), (640, 640)), ((1080, 1920), (608, 1088))]:
        shot = np.random.default_rng(0).integers(0, 256, (*frame, 3), np.uint8)
        ours, theirs = _side_by_side(shot, size, turns)
        print(
            f"{frame} to {size}: {ours:.2f} ms, Ultralytics' steps {theirs:.2f} ms: {theirs / ours:.1f} times faster"
        )


def _side_by_side(shot: NDArray[np.uint8], size: tuple[int, int], turns: int) -> tuple[float, float]:
    preprocessor = Preprocessor(InputSpec("images", size))
    out = np.empty(preprocessor.shape, np.float32)
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(turns):
        ours.append(_milliseconds(lambda: preprocessor.prepare(shot, out=out)))
        theirs.append(_milliseconds(lambda: to_network(letterbox(shot, size))))
    return statistics.median(ours), statistics.median(theirs)


def _milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


if __name__ == "__main__":
    main()
