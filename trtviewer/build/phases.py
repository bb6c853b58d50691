"""From the nested phases that a builder reports to one share that is done."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from trtviewer.build.request import BuildProgress


@dataclass
class _Phase:
    parent: str | None
    steps: int
    done: int = 0
    inner: float = 0.0
    """How much of the step under way is done, by a phase within it."""

    @property
    def share(self) -> float:
        return min(1.0, (self.done + self.inner) / self.steps) if self.steps else 0.0


class Phases:
    """Keeps the phases that are open; TensorRT calls it from several threads, skips steps, and opens phases within steps.

    A phase within another is a part of the outer one's step under way, so the share of the outermost is that of all.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, _Phase] = {}
        self._share = 0.0

    def start(self, name: str, parent: str | None, steps: int) -> BuildProgress:
        with self._lock:
            self._open[name] = _Phase(parent, max(0, steps))
            return BuildProgress(name, self._share)

    def step(self, name: str, step: int) -> BuildProgress:
        with self._lock:
            phase = self._open.get(name)
            if phase is not None:
                phase.done, phase.inner = max(phase.done, step + 1), 0.0
                self._carry(name)
            return BuildProgress(name, self._share)

    def finish(self, name: str) -> BuildProgress:
        with self._lock:
            phase = self._open.pop(name, None)
            if phase is None:
                return BuildProgress(name, self._share)
            if phase.parent in self._open:
                self._open[phase.parent].inner = 1.0
                self._carry(phase.parent)
                return BuildProgress(phase.parent, self._share)
            self._share = 1.0
            return BuildProgress(name, self._share)

    def _carry(self, name: str) -> None:
        """Tells every phase around `name` how far it is."""
        phase = self._open[name]
        while phase.parent is not None and phase.parent in self._open:
            around = self._open[phase.parent]
            around.inner = max(around.inner, phase.share)
            phase = around
        self._share = max(self._share, phase.share)
