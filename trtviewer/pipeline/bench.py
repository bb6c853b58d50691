"""The honest benchmark of two models: each alone, then both at once, on one ready tensor."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import wait
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trtviewer.errors import BadInput, Cancelled
from trtviewer.models.correspond import correspond
from trtviewer.models.spec import ModelSpec
from trtviewer.pipeline.pair import open_pair
from trtviewer.pipeline.worker import RunnerThread
from trtviewer.runners.choose import open_runner
from trtviewer.runners.runner import RunnerInfo

WARM_UP_RUNS = 5
_SEED = 0


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds a frame over `runs` runs, by the runner's own times."""

    runs: int
    mean_ms: float
    median_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class SideBench:
    """One model: running alone with the whole machine, and beside the other."""

    info: RunnerInfo
    alone: Latency
    together: Latency


@dataclass(frozen=True, slots=True)
class BenchResult:
    """Attributes:
    reference, candidate: the two sides.
    speedup: reference / candidate, from the median latencies alone, since two models at once slow each other; None
        where one side's arithmetic is emulated, for then it says nothing of a GPU.
    pairs_per_second: frames that both models at once get through.
    """

    reference: SideBench
    candidate: SideBench
    speedup: float | None
    pairs_per_second: float


def bench_pair(
    reference: ModelSpec,
    candidate: ModelSpec,
    progress: Callable[[float], None] = lambda share: None,
    cancelled: Callable[[], bool] = lambda: False,
    seconds: float = 5.0,
) -> BenchResult:
    """Measures two models.

    Args:
        progress: gets the share that is done, 0..1.
        cancelled: looked at between runs.
        seconds: how long each of the three measurements goes on, after its warm-up.

    Raises:
        Cancelled: it was cancelled; there is no half of a benchmark.
        BadInput: a model cannot be run, or the two do not correspond.
        MissingRuntime: what one of them needs is not here.
    """
    correspond(reference, candidate)  # before seconds are spent on two that cannot be compared
    steps = _Steps(progress, cancelled)
    alone = []
    for spec in (reference, candidate):
        with RunnerThread(open_runner(spec), "alone") as runner:
            runs, _ = _measure([runner], seconds, steps)
            alone.append((runner.info, _latency(runs[0])))
    with open_pair(reference, candidate) as pair:
        runs, rate = _measure([pair.reference, pair.candidate], seconds, steps)
    sides = [
        SideBench(info, latency, _latency(run)) for (info, latency), run in zip(alone, runs, strict=True)
    ]
    emulated = any(side.info.emulated for side in sides)
    speedup = None if emulated else sides[0].alone.median_ms / sides[1].alone.median_ms
    return BenchResult(sides[0], sides[1], speedup, rate)


class _Steps:
    """Turns "this much of the present measurement" into the share of all three, and looks for a cancel."""

    _MEASUREMENTS = 3

    def __init__(self, progress: Callable[[float], None], cancelled: Callable[[], bool]) -> None:
        self._progress = progress
        self._cancelled = cancelled
        self._done = 0

    def within(self, share: float) -> None:
        if self._cancelled():
            raise Cancelled(
                "the benchmark was cancelled", advice="there is no half of one: nothing was written"
            )
        self._progress((self._done + min(share, 1.0)) / self._MEASUREMENTS)

    def finish_one(self) -> None:
        self._done += 1


def _measure(
    runners: Sequence[RunnerThread], seconds: float, steps: _Steps
) -> tuple[list[list[float]], float]:
    """Latencies of each runner, all asked at once again and again; and how often all of them were through a second."""
    for runner in runners:
        if runner.frame_count is not None:
            raise _a_recording(runner.spec)
    tensor = _tensor(runners[0].spec)
    for _ in range(WARM_UP_RUNS):
        steps.within(0.0)
        wait([runner.submit(tensor, 0) for runner in runners])
    times: list[list[float]] = [[] for _ in runners]
    begin = time.perf_counter()
    while (elapsed := time.perf_counter() - begin) < seconds or not times[0]:
        steps.within(elapsed / seconds)
        answers = [runner.submit(tensor, 0) for runner in runners]
        for own, answer in zip(times, answers, strict=True):
            latency_ms = answer.result().latency_ms
            assert latency_ms is not None  # no recording: those are refused above
            own.append(latency_ms)
    steps.finish_one()
    return times, len(times[0]) / elapsed


def _tensor(spec: ModelSpec) -> NDArray[np.float32]:
    if spec.input is None:
        raise _a_recording(spec)
    noise = np.random.default_rng(_SEED).random((1, 3, *spec.input.size), np.float32)
    # Values in 0..255 for models that read pixels, in 0..1 for the others.
    return noise if spec.input.pixel_scale < 1 else np.floor(noise * 255)


def _a_recording(spec: ModelSpec) -> BadInput:
    return BadInput(
        "is a recording: there is nothing to measure", subject=spec.path, advice="give the model itself"
    )


def _latency(times_ms: Sequence[float]) -> Latency:
    values = np.asarray(times_ms, np.float64)
    median, p95, p99 = np.percentile(values, (50, 95, 99))
    return Latency(len(values), float(values.mean()), float(median), float(p95), float(p99))
