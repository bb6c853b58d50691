"""The times of the frames shown lately, and the figures made from them; no widget in it."""

from __future__ import annotations

from collections import deque
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
        self._frames: deque[FrameTimings] = deque(maxlen=LENGTH)

    def __len__(self) -> int:
        return len(self._frames)

    def add(self, timings: FrameTimings) -> None:
        self._frames.append(timings)

    def clear(self) -> None:
        self._frames.clear()

    @property
    def newest(self) -> FrameTimings | None:
        return self._frames[-1] if self._frames else None

    def infer_ms(self, side: str) -> NDArray[np.float64]:
        """[LENGTH] the side's inference, oldest first, the newest last; nan where there is none."""
        values = np.full(LENGTH, np.nan)
        for place, timings in enumerate(self._frames, start=LENGTH - len(self._frames)):
            one = _side(timings, side)
            if one is not None:
                values[place] = one.infer_ms
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
        rows = []
        for timings in self._frames:
            one = _side(timings, side)
            if one is not None:
                rows.append((timings.decode_ms, timings.prepare_ms, one.infer_ms, one.postprocess_ms))
        found: list[float | None] = []
        for stage in range(len(STAGES)):
            values = [row[stage] for row in rows if row[stage] is not None]
            found.append(float(np.median(values)) if values else None)
        return tuple(found)


def _side(timings: FrameTimings, side: str) -> SideTimings | None:
    return timings.reference if side == "reference" else timings.candidate
