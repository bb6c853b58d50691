"""Statistics of a pair of heads of 0.9 million elements: ours beside Polygraphy's `CompareFunc.simple`, in turns in one run.

python -m tests.benchmarks.bench_tensor_error [SITE_PACKAGES]

SITE_PACKAGES is where Polygraphy lies, if not in this environment: the `lib/python3.11/site-packages` of a throwaway one made with
`pip install polygraphy numpy`. It only compares (its log is silenced), and gives no groups, scales or mergeable histogram; ours gives all of them.
One thread each.
"""

from __future__ import annotations

import os
import sys

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported

import importlib.util
import statistics
import time
import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from trtviewer.compare.error_meter import ErrorMeter
from trtviewer.compare.tensor_error import TensorErrors
from trtviewer.detect.scale_map import ScaleMap, box_channels
from trtviewer.opencv import cv2

CLASSES = tuple(f"class {index}" for index in range(80))
Arrays = dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]
Pairs = list[tuple[ScaleMap, ScaleMap]]


def noisy(random: np.random.Generator, *shape: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    reference = random.normal(-3, 4, shape).astype(np.float32)
    return reference, (reference + random.normal(0, 0.3, shape)).astype(np.float32)


def yolov3() -> tuple[Arrays, Pairs]:
    """Three raw heads of a 416-pixel YOLOv3: [1, 255, 52, 52] and on, 0.90 million elements."""
    random = np.random.default_rng(0)
    channels = box_channels(CLASSES, objectness=True, anchors=3)
    arrays = {str(stride): noisy(random, 255, 416 // stride, 416 // stride) for stride in (8, 16, 32)}
    pairs = [
        (ScaleMap(name, name, int(name), r, channels), ScaleMap(name, name, int(name), c, channels))
        for name, (r, c) in arrays.items()
    ]
    return arrays, pairs


def yolov8(channels_last: bool) -> tuple[Arrays, Pairs]:
    """One head [1, 84, 8400] (or its transpose), 0.71 million elements, as views of its three strides."""
    random = np.random.default_rng(0)
    channels = box_channels(CLASSES, objectness=False)
    sides = noisy(random, 84, 8400)
    if channels_last:
        sides = (np.ascontiguousarray(sides[0].T).T, np.ascontiguousarray(sides[1].T).T)
    pairs, start = [], 0
    for stride in (8, 16, 32):
        cells = 640 // stride
        r, c = (side[:, start : start + cells * cells].reshape(84, cells, cells) for side in sides)
        pairs.append((ScaleMap("o", "o", stride, r, channels), ScaleMap("o", "o", stride, c, channels)))
        start += cells * cells
    return {"output0": sides}, pairs


def measure(meter: ErrorMeter, total: TensorErrors, pairs: Pairs) -> None:
    total.update(meter.measure(pairs, 0.5))


def polygraphy(arrays: Arrays) -> Callable[[], object] | None:
    if importlib.util.find_spec("polygraphy") is None:
        return None
    from polygraphy.comparator import CompareFunc, IterationResult
    from polygraphy.logger import G_LOGGER

    G_LOGGER.module_severity = G_LOGGER.CRITICAL
    sides = [
        # It wants its arrays in one piece; their order does not matter to it.
        IterationResult(
            {
                name: pair[which] if pair[which].flags.c_contiguous else pair[which].T
                for name, pair in arrays.items()
            },
            runner_name=str(which),
        )
        for which in (0, 1)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it has a new name from 0.60 on
        compare = CompareFunc.simple(atol=0.5, rtol=0.0)
    return lambda: compare(*sides)


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - start)


def spread(times: list[float]) -> str:
    return f"median {statistics.median(times):7.2f} ms, least {min(times):7.2f}"


def main(turns: int = 40) -> None:
    cv2.setNumThreads(1)
    sys.path += sys.argv[1:]
    for title, (arrays, pairs) in (
        ("YOLOv3, 3 heads of 255 channels", yolov3()),
        ("YOLOv8, [1,84,8400]", yolov8(channels_last=False)),
        ("YOLOv8, [1,8400,84]", yolov8(channels_last=True)),
    ):
        count = sum(r.size for r, _ in arrays.values())
        meter, total = ErrorMeter(), TensorErrors()

        ours = partial(measure, meter, total, pairs)
        theirs = polygraphy(arrays)
        ours()
        mine, other = [], []
        for _ in range(turns):
            mine.append(timed(ours))
            if theirs is not None and len(other) < turns // 4:
                other.append(timed(theirs))
        print(f"{title}: {count:,} elements")
        print(f"  trtviewer: figures by head, group and scale, histogram, added up: {spread(mine)}")
        if theirs is None:
            print("  Polygraphy is not there: give the site-packages that it lies in")
        else:
            ratio = statistics.median(other) / statistics.median(mine)
            print(f"  Polygraphy CompareFunc.simple:                                   {spread(other)}")
            print(f"  {ratio:.0f} times as fast")
        recount = partial(meter.count_over, pairs, meter.measure(pairs, 0.5), 0.3)
        print(f"  the share over another epsilon, exact: {spread([timed(recount) for _ in range(turns)])}")


if __name__ == "__main__":
    main()
