"""What the candidate buys when each model runs alone: the finding in large type, the button that measures, its progress."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from trtviewer.gui.docks.figures import DASH, fixed, tabular
from trtviewer.gui.panes.pane_header import RECORDED_TIP
from trtviewer.gui.view_model import BenchmarkResult, Models, Progress, Requests, ViewModel

BENCH_TASK = "bench"
"""The task under which the window shows the benchmark's progress."""

_EMULATED = "INT8 is computed in float on this CPU: its speed says nothing of a GPU."


class AloneFinding(QWidget):
    """A finding belongs to the two models that it was measured of; of others it says nothing."""

    def __init__(self, view_model: ViewModel, requests: Requests, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_model = view_model
        self._measured_sides: tuple[object, object] | None = None
        self._build(requests)
        view_model.models_changed.connect(self._show)
        view_model.theme_changed.connect(self._show)
        view_model.benchmark_changed.connect(self._measured)
        view_model.progress_changed.connect(self._show_progress)
        self._measured(view_model.benchmark)
        self._show_progress(view_model.progress)

    def _build(self, requests: Requests) -> None:
        self._speedup = QLabel(DASH)
        self._speedup.setObjectName("speed.speedup")
        font = self._speedup.font()
        font.setPointSizeF(font.pointSizeF() * 2.4)
        font.setWeight(font.Weight.DemiBold)
        self._speedup.setFont(font)
        tabular(self._speedup)
        self._finding = QLabel()
        self._finding.setObjectName("speed.finding")
        self._finding.setWordWrap(True)
        self._finding.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self._measure = QPushButton("Measure alone")
        self._measure.setObjectName("speed.measure")
        self._measure.setToolTip(
            "Runs each model alone, then both at once: two models running together slow each other, so the "
            "speed-up is taken from the runs alone."
        )
        self._measure.clicked.connect(requests.measure_alone)
        self._progress = QProgressBar()
        self._progress.setObjectName("speed.progress")
        self._progress.setRange(0, 100)
        self._cancel = QPushButton("Cancel")
        self._cancel.setObjectName("speed.cancel")
        self._cancel.clicked.connect(self._stop)
        found = QHBoxLayout()
        found.setSpacing(8)
        found.addWidget(self._speedup)
        found.addWidget(self._finding, 1)
        running = QHBoxLayout()
        running.setSpacing(8)
        running.addWidget(self._measure)
        running.addWidget(self._progress, 1)
        running.addWidget(self._cancel)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(found)
        column.addLayout(running)

    def _measured(self, result: BenchmarkResult | None) -> None:
        self._measured_sides = None if result is None else _sides(self._view_model.models)
        self._show()

    def _show(self, *_: object) -> None:
        models = self._view_model.models
        both = models.reference is not None and models.candidate is not None
        infos = [entry.info for entry in (models.reference, models.candidate) if entry and entry.info]
        recorded = any(info.is_recording for info in infos)
        emulated = any(info.emulated for info in infos) and not recorded
        result = self._view_model.benchmark if self._measured_sides == _sides(models) else None
        self._measure.setEnabled(both and not recorded)
        if result is not None:
            text = _said(result)
        elif recorded:
            text = RECORDED_TIP
        elif emulated:
            text = _EMULATED
        elif both:
            text = "The speed-up has not been measured: two models running at once slow each other."
        else:
            text = "Open two models to measure what the candidate buys."
        speedup = result.speedup if result is not None else None
        self._speedup.setText(DASH if speedup is None else f"{fixed(speedup, 2)} ×")
        self._speedup.setVisible(speedup is not None)
        theme = self._view_model.theme
        warned = emulated or (result is not None and result.emulated)
        self._finding.setStyleSheet(f"color: {theme.warning if warned else theme.text};")
        self._finding.setText(text)

    def _show_progress(self, progress: tuple[Progress, ...]) -> None:
        running = next((one for one in progress if one.task == BENCH_TASK), None)
        self._measure.setVisible(running is None)
        self._progress.setVisible(running is not None)
        self._cancel.setVisible(running is not None)
        if running is not None:
            self._progress.setRange(0, running.total or 0)
            self._progress.setValue(running.done)
            left = "" if running.left_s is None else f"{fixed(running.left_s, 0)} s left"
            self._progress.setFormat(left or "%p %")
            self._cancel.setEnabled(running.cancel is not None)

    def _stop(self) -> None:
        for one in self._view_model.progress:
            if one.task == BENCH_TASK and one.cancel is not None:
                one.cancel()


def _sides(models: Models) -> tuple[object, object]:
    return (
        models.reference.path if models.reference is not None else None,
        models.candidate.path if models.candidate is not None else None,
    )


def _said(result: BenchmarkResult) -> str:
    alone = f"alone {fixed(result.reference_ms, 1)} ms → {fixed(result.candidate_ms, 1)} ms"
    if result.emulated:
        return f"{_EMULATED} Here: {alone}."
    word = "faster than" if (result.speedup or 0) >= 1 else "as fast as"
    return f"{word} the reference: {alone} (median)."
