"""When frames were uploaded, computed and brought back, by the GPU's own events: what overlapped what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import numpy as np

from trtviewer.runners.cuda import DeviceSession
from trtviewer.runners.gpu_input import GpuInput
from trtviewer.runners.gpu_runner import GpuRunner, PendingRun
from trtviewer.runners.runner import DeviceTensor, RunResult
from trtviewer.sources.frame import Frame

Span = tuple[float, float]


class Stills:
    """A source of pictures that are decoded already, shown over and over."""

    def __init__(self, pictures: Sequence[np.ndarray], length: int) -> None:
        self._pictures = pictures
        self.address, self.length, self.rate, self.size = "stills", length, 30.0, pictures[0].shape[:2]
        self.class_names: tuple[str, ...] = ()

    def read(self, index: int) -> Frame:
        return Frame(self._pictures[index % len(self._pictures)], index, index / self.rate)


class Timeline:
    """Watches runners; every span is in milliseconds since it was entered, in the order of the frames.

    Attributes:
        upload: of each frame's picture; with the kernel that makes the tensor of it.
        compute, download: of each runner that is watched.
    """

    def __init__(self) -> None:
        self._session = DeviceSession("timeline")
        self.upload: list[Span] = []
        self.compute: dict[str, list[Span]] = defaultdict(list)
        self.download: dict[str, list[Span]] = defaultdict(list)

    def __enter__(self) -> Self:
        session = self._session.__enter__()
        with session.device.current():
            self._base = session.event().record(session.stream())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.__exit__(kind, error, trace)

    def watch(self, name: str, runner: GpuRunner, inputs: GpuInput | None = None) -> None:
        """Notes each frame that `runner` finishes; and with `inputs`, when its picture was uploaded."""
        finish = runner.finish

        def noted(pending: PendingRun) -> RunResult:
            result = finish(pending)
            with self._session.device.current():
                fed, computed, copied = (
                    self._base.ms_until(event)
                    for event in (pending.slot.fed, pending.slot.computed, pending.slot.copied)
                )
                self.compute[name].append((fed, computed))
                self.download[name].append((computed, copied))
                if inputs is not None and isinstance(pending.tensor, DeviceTensor):
                    slot = next(own for own in inputs._slots if own.ready is pending.tensor.ready)
                    self.upload.append((self._base.ms_until(slot.begun), self._base.ms_until(slot.ready)))
            return result

        runner.finish = noted  # type: ignore[method-assign]


def covered(inner: Sequence[Span], outer: Sequence[Span]) -> float:
    """The share of the inner spans' time that lies within the outer ones', which may overlap each other."""
    whole = sum(end - begin for begin, end in inner)
    both = sum(
        max(0.0, min(end, stop) - max(begin, start)) for begin, end in inner for start, stop in union(outer)
    )
    return both / whole


def union(spans: Sequence[Span]) -> list[Span]:
    """The same time as spans that do not overlap."""
    found: list[Span] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found
