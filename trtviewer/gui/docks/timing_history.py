"""The times of the frames shown lately, and the figures made from them; no widget in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trtviewer.gui.view_model import FrameTimings, SideTimings

LENGTH = 300
"""Frames that are kept."""

STAGES = ("decode", "preprocess", "infer", "postprocess")
SIDES = ("reference", "candidate")


@dataclass(frozen=True, slots=True)
class Latencies:
    """Inference of one side over the frames kept; None where it has not run.

    Attributes:
        fps: 1000 / mean: what it could do if nothing else took time.
    """

    now_ms: float | None
    p50_ms: float | None
    p95_ms: float | None
    fps: float | None


class TimingHistory:
    """Keeps the last `LENGTH` frames; adding one costs nothing worth measuring."""

    def __init__(self) -> None:
        self._times = np.full((LENGTH, len(SIDES), len(STAGES)), np.nan)
        self._length = 0
        self.newest: FrameTimings | None = None

    def __len__(self) -> int:
        return self._length

    def add(self, timings: FrameTimings) -> None:
        self._times[:-1] = self._times[1:]
        for row, side in zip(self._times[-1], (timings.reference, timings.candidate), strict=True):
            row[:] = np.nan if side is None else _times(timings, side)
        self._length = min(LENGTH, self._length + 1)
        self.newest = timings

    def clear(self) -> None:
        self._times[:] = np.nan
        self._length = 0
        self.newest = None

    def infer_ms(self, side: str) -> NDArray[np.float64]:
        """[LENGTH] the side's inference, oldest first, the newest last; nan where there is none."""
        values: NDArray[np.float64] = self._times[:, SIDES.index(side), STAGES.index("infer")].copy()
        return values

    def latencies(self, side: str) -> Latencies:
        """The figures of one side."""
        values = self.infer_ms(side)
        values = values[np.isfinite(values)]
        if not len(values):
            return Latencies(None, None, None, None)
        p50, p95 = np.percentile(values, (50, 95))
        mean = float(values.mean())
        return Latencies(float(values[-1]), float(p50), float(p95), 1000 / mean if mean else None)

    def stages(self, side: str) -> tuple[float | None, ...]:
        """The median of each of `STAGES` for one side, in milliseconds; None where it was not measured."""
        columns = self._times[:, SIDES.index(side)].T
        known = [column[np.isfinite(column)] for column in columns]
        return tuple(float(np.median(values)) if len(values) else None for values in known)


def _times(timings: FrameTimings, side: SideTimings) -> list[float]:
    """Of one side, in the order of `STAGES`; nan where it was not measured."""
    values = (timings.decode_ms, timings.prepare_ms, side.infer_ms, side.postprocess_ms)
    return [np.nan if value is None else value for value in values]
