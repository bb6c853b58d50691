"""How often 95 % intervals hold the truth: missed rate, agreement, AP50 and AP50-95 difference, pictures and video.

    python -m tests.benchmarks.bench_coverage [--sources 1000] [--only pictures|video]

A long made source is the population, whose figures are known; sources are drawn from it, each gets its intervals, and it is
counted how many hold the population's figure. Few frames are shown too, where the program gives no interval.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from tests.compare.labelled import Kind, Source, ap_intervals, population, samples, true_differences
from trtviewer.compare.intervals import (
    LEAST_SPAN,
    LEAST_SPAN_OF_PRECISION,
    Interval,
    ratio_interval,
    too_little,
)

KINDS = {
    "nearly equal": Kind(noise=0.1, box=0.005),
    "only noise": Kind(),
    "much worse": Kind(loss=1),
    "drops 2 %": Kind(noise=0, box=0, drop=0.02),
    "drops 10 %": Kind(noise=0, box=0, drop=0.1),
    "6 classes": Kind(loss=0.3, classes=(0.5, 0.2, 0.1, 0.1, 0.05, 0.05)),
}
PICTURES, VIDEO = (30, 60, 200), (300, 600, 1800)


def counts(source: Source) -> NDArray[np.float64]:
    """[frames, 4] missed, reference, 2 matched, reference + candidate, at a confidence of 0.5: by frame, of objects found."""
    frames = len(source.objects)
    found = [
        np.bincount(side.frame[(side.score > 0.5) & (side.iou > 0.5)], minlength=frames)
        for side in source.sides
    ]
    matched = np.minimum(*found)
    return np.stack((found[0] - matched, found[0], 2 * matched, found[0] + found[1]), axis=1).astype(
        np.float64
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sources", type=int, default=1000)
    parser.add_argument("--only", choices=("pictures", "video"))
    arguments = parser.parse_args()
    print(
        f"{arguments.sources} sources a row; error of a coverage of 95 %: {95**0.5 * 5**0.5 / arguments.sources**0.5:.1f} points"
    )
    print(
        "source                      missed rate  agreement    AP50  AP50-95   true AP50, AP50-95   what the program says"
    )
    outside: Counter[str] = Counter()
    for video, sizes in ((False, PICTURES), (True, VIDEO)):
        if arguments.only not in (None, "video" if video else "pictures"):
            continue
        for seed, (name, kind) in enumerate(KINDS.items()):
            one_kind(name, Kind(**{**vars(kind), "video": video}), sizes, arguments.sources, seed, outside)
    print(f"cells where an interval is given: {outside['cells']}; outside 93 to 97 %: {outside['outside']}")


def one_kind(
    name: str, kind: Kind, sizes: tuple[int, ...], sources: int, seed: int, outside: Counter[str]
) -> None:
    rng = np.random.default_rng(seed)
    whole = population(rng, kind, max(40_000, max(sizes) * sources if kind.video else 0))
    differences = true_differences(whole)
    missed, reference, shared, both = counts(whole).sum(axis=0)
    truth = [missed / reference, shared / both, *differences]
    for size in sizes:
        held = np.zeros(4)
        given = np.zeros(4)
        for drawn in samples(rng, whole, kind, size, sources):
            columns = counts(drawn).T
            intervals = [
                ratio_interval(columns[0], columns[1], size, size if kind.video else None),
                ratio_interval(columns[2], columns[3], size, size if kind.video else None),
                *ap_intervals(drawn, kind.video),
            ]
            for place, (interval, true) in enumerate(zip(intervals, truth, strict=True)):
                if isinstance(interval, Interval):
                    given[place] += 1
                    held[place] += interval.low <= true <= interval.high
        coverage = 100 * held / np.maximum(given, 1)
        span = size if kind.video else None
        leasts = (LEAST_SPAN, LEAST_SPAN, LEAST_SPAN_OF_PRECISION, LEAST_SPAN_OF_PRECISION)
        withheld = [too_little(size, span, least) is not None for least in leasts]
        outside["cells"] += 4 - sum(withheld)
        outside["outside"] += int(np.count_nonzero(((coverage < 93) | (coverage > 97)) & ~np.array(withheld)))
        print(
            f"{name:14} {size:5} {'frames' if kind.video else 'pictures':9}  {coverage[0]:9.1f} {coverage[1]:10.1f} "
            f"{coverage[2]:8.1f} {coverage[3]:8.1f}   {differences[0]:+.4f} {differences[1]:+.4f}      {said(withheld, given / sources)}",
            flush=True,
        )


def said(withheld: list[bool], given: NDArray[np.float64]) -> str:
    if any(withheld):
        return "too few frames" if all(withheld) else "too few frames for AP"
    return "an interval" if given.min() == 1 else f"an interval in {100 * given.min():.0f} % at least"


if __name__ == "__main__":
    main()
