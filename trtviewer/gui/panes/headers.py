"""The headers' contents: which model stands in which pane, and how fast it has been in the last second."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from trtviewer.gui.panes.pane_header import PaneHeader
from trtviewer.gui.view_model import ModelEntry, Models, ModelState, ViewModel

if TYPE_CHECKING:
    from trtviewer.compare.frame_comparison import FrameComparison

SIDES = ("reference", "candidate")
FIGURES_MS = 100
LATENCY_WINDOW_S = 1.0


class Headers(QObject):
    """Makes a header for each side and keeps it true; figures change ten times a second at most."""

    def __init__(self, view_model: ViewModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._model = view_model
        self.of_side = {side: PaneHeader(side, parent) for side in SIDES}
        self._latencies: dict[str, deque[tuple[float, float]]] = {side: deque() for side in SIDES}
        self._soon = QTimer(self, interval=FIGURES_MS, singleShot=True)
        self._soon.timeout.connect(self._show_speed)
        view_model.comparison_changed.connect(self._comparison_changed)
        view_model.alone_changed.connect(self._alone_changed)
        view_model.models_changed.connect(self._models_changed)
        view_model.theme_changed.connect(self._show_speed)
        self._models_changed(view_model.models)

    def height(self) -> int:
        return max(32, self.of_side["reference"].sizeHint().height() + 8)

    def latency_ms(self, side: str) -> float | None:
        """Mean latency of the last second; None where that side has not run."""
        kept = self._latencies[side]
        return sum(value for _, value in kept) / len(kept) if kept else None

    def _comparison_changed(self, comparison: FrameComparison | None) -> None:
        if comparison is not None:
            self._note("reference", comparison.reference.latency_ms)
            self._note("candidate", comparison.candidate.latency_ms)

    def _alone_changed(self, alone: tuple[str, FrameComparison] | None) -> None:
        if alone is not None:
            side, comparison = alone
            self._note(side, comparison.reference.latency_ms)

    def _note(self, side: str, latency_ms: float | None) -> None:
        now = time.monotonic()
        kept = self._latencies[side]
        if latency_ms is None:
            kept.clear()
        else:
            kept.append((now, latency_ms))
        while len(kept) > 1 and now - kept[0][0] > LATENCY_WINDOW_S:
            kept.popleft()
        if not self._soon.isActive():
            self._soon.start()

    def _models_changed(self, models: Models) -> None:
        for side, header in self.of_side.items():
            entry: ModelEntry | None = getattr(models, side)
            if entry is None:
                header.set_model("none yet", "", "", emulated=False)
                self._latencies[side].clear()
            else:
                header.set_model(entry.name, entry.precision, _runner(entry), emulated=entry.emulated)
        self._show_speed()

    def _show_speed(self, *_: object) -> None:
        for side, header in self.of_side.items():
            header.set_speed(self.latency_ms(side), self._model.theme.faint)


def _runner(entry: ModelEntry) -> str:
    """What runs it; else how far it is."""
    if entry.info is not None:
        return entry.info.name
    return "failed" if entry.state is ModelState.FAILED else f"{entry.state.value} …"
