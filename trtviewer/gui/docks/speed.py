"""Speed: what each side takes, frame by frame and stage by stage, and what INT8 buys when each model runs alone."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from trtviewer.detect.heat import round_up
from trtviewer.gui.docks.alone_finding import AloneFinding
from trtviewer.gui.docks.figures import DASH, fixed, panel, tabular
from trtviewer.gui.docks.newest import Pace
from trtviewer.gui.docks.stage_bars import StageBars
from trtviewer.gui.docks.timing_history import LENGTH, SIDES, TimingHistory
from trtviewer.gui.panes.pane_header import RECORDED_TIP
from trtviewer.gui.theme import Theme
from trtviewer.gui.view_model import FrameTimings, ModelEntry, Models, Requests, ViewModel

_WIDE = 900
"""From this width on there is room for the stages beside the plot."""

_FIGURES = (
    ("fps", "frames/s", "1000 / the mean latency: what this model could do if nothing else took time."),
    ("now", "now", "Latency of the frame that is shown, in milliseconds, with both models running at once."),
    ("p50", "p50", "Half of the last frames were faster than this."),
    ("p95", "p95", "One frame in twenty was slower than this: what a deadline must allow for."),
)
_REFRESH_MS = 250
"""Figures that change more often cannot be read."""

_SPANS = (60, 150, LENGTH)
"""Frames that the plot may span: it changes in steps."""


def make(view_model: ViewModel, requests: Requests) -> SpeedDock:
    return SpeedDock(view_model, requests)


class SpeedDock(QWidget):
    """The benchmark's finding in large type, the live latencies with their plot, and the stages."""

    def __init__(self, view_model: ViewModel, requests: Requests, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("speed")
        panel(self)
        self._view_model = view_model
        self._requests = requests
        self._history = TimingHistory()
        self._sides: tuple[object, object] = (None, None)
        self._pace = Pace(self, interval_ms=_REFRESH_MS)
        self._pace.due.connect(self._refresh)
        self._build()
        view_model.timings_changed.connect(self._add)
        view_model.models_changed.connect(self._models_changed)
        view_model.theme_changed.connect(self._theme_changed)
        self._models_changed(view_model.models)
        self._theme_changed(view_model.theme)
        self._add(view_model.timings)  # a frame may have been shown before the dock was made
        self._refresh()

    def close_dock(self) -> None:
        """Forgets what was to be shown."""
        self._pace.stop()

    # ---- making

    def _build(self) -> None:
        whole = QHBoxLayout(self)
        whole.setContentsMargins(8, 8, 8, 4)
        whole.setSpacing(12)
        side = QWidget()
        side.setFixedWidth(256)
        left = QVBoxLayout(side)
        left.setContentsMargins(0, 0, 0, 0)
        left.setSpacing(4)
        left.addLayout(self._build_figures())
        left.addSpacing(4)
        left.addWidget(AloneFinding(self._view_model, self._requests))
        left.addStretch(1)
        whole.addWidget(side)
        whole.addLayout(self._build_plot(), 3)
        self.stages = StageBars()
        whole.addWidget(self.stages, 2)
        self.setMinimumWidth(560)

    def _build_figures(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(4)
        self._heads: dict[str, QLabel] = {}
        self._values: dict[tuple[str, str], QLabel] = {}
        for place, side in enumerate(SIDES, start=1):
            heading = QLabel(side)
            heading.setAlignment(Qt.AlignmentFlag.AlignRight)
            heading.setTextFormat(Qt.TextFormat.RichText)
            grid.addWidget(heading, 0, place)
            self._heads[side] = heading
        for row, (key, title, tip) in enumerate(_FIGURES, start=1):
            name = QLabel(title)
            name.setProperty("role", "faint")
            name.setToolTip(tip)
            grid.addWidget(name, row, 0)
            for place, side in enumerate(SIDES, start=1):
                value = QLabel(DASH)
                value.setObjectName(f"speed.{side}.{key}")
                value.setAlignment(Qt.AlignmentFlag.AlignRight)
                value.setTextFormat(Qt.TextFormat.RichText)
                value.setToolTip(tip)
                tabular(value)
                value.setMinimumWidth(value.fontMetrics().horizontalAdvance("100.0 ms"))
                grid.addWidget(value, row, place)
                self._values[side, key] = value
        self.shown = QLabel()
        self.shown.setObjectName("speed.shown")
        self.shown.setProperty("role", "faint")
        self.shown.setToolTip(
            "Frames shown in the last second, and those left out to keep the video's own time."
        )
        grid.addWidget(self.shown, len(_FIGURES) + 1, 0, 1, 3)
        grid.setColumnStretch(0, 1)
        return grid

    def _build_plot(self) -> QVBoxLayout:
        self.latency = _segment(
            "speed.latency", "Latency", "Milliseconds of each frame's inference.", "first"
        )
        self.rate = _segment("speed.rate", "Frames/s", "1000 / latency of each frame.", "last")
        self.latency.setChecked(True)
        self._what = QButtonGroup(self)
        for button in (self.latency, self.rate):
            self._what.addButton(button)
        self._what.buttonClicked.connect(self._refresh)
        self.legend = QLabel()
        self.legend.setObjectName("speed.legend")
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self.legend.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row = QHBoxLayout()
        row.setSpacing(0)
        row.addWidget(self.latency)
        row.addWidget(self.rate)
        row.addSpacing(12)
        row.addWidget(self.legend, 1)

        self.plot = pg.PlotWidget()
        self.plot.setObjectName("speed.plot")
        self.plot.setMinimumSize(160, 80)
        self.plot.setAccessibleName("Latency of the last frames")
        self.plot.setToolTip(
            "The frames shown lately, the newest on the right; the headings say whose line is whose."
        )
        item = self.plot.getPlotItem()
        item.hideButtons()
        item.setMenuEnabled(False)
        item.setMouseEnabled(False, False)
        item.getViewBox().setDefaultPadding(0)
        item.layout.setContentsMargins(0, 8, 24, 0)
        self._span = 0
        self._curves = {side: item.plot(np.zeros(0), np.zeros(0)) for side in SIDES}
        self._medians = {side: pg.InfiniteLine(angle=0) for side in SIDES}
        self._tails = {side: pg.InfiniteLine(angle=0) for side in SIDES}
        for line in (*self._medians.values(), *self._tails.values()):
            item.addItem(line)
        self._top = 0.0
        self._line_colors = dict.fromkeys(SIDES, "")
        right = QVBoxLayout()
        right.setSpacing(4)
        right.addLayout(row)
        right.addWidget(self.plot, 1)
        return right

    # ---- live

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        # In a narrow window the plot goes on and the stages give way: they are the rarer question.
        self.stages.setVisible(event.size().width() >= _WIDE)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._refresh()

    def _add(self, timings: FrameTimings | None) -> None:
        if timings is None:
            return
        self._history.add(timings)
        if self.isVisible():
            self._pace.want()

    def _models_changed(self, models: Models) -> None:
        """Other models: the times of the old ones say nothing any more."""
        sides = tuple(None if entry is None else entry.path for entry in (models.reference, models.candidate))
        if sides != self._sides:
            self._sides = sides
            self._history.clear()
        self._refresh()

    def _refresh(self) -> None:
        if not self.isVisible():
            return
        theme = self._view_model.theme
        rate = self.rate.isChecked()
        highest = 0.0
        x = np.arange(1 - LENGTH, 1, dtype=float)
        for side in SIDES:
            found = self._history.latencies(side)
            for key, value, unit in (
                ("fps", found.fps, ""),
                ("now", found.now_ms, "ms"),
                ("p50", found.p50_ms, "ms"),
                ("p95", found.p95_ms, "ms"),
            ):
                self._values[side, key].setText(_with_unit(value, unit, theme))
            entry: ModelEntry | None = getattr(self._view_model.models, side)
            recorded = entry is not None and entry.info is not None and entry.info.is_recording
            for key, _, tip in _FIGURES:
                self._values[side, key].setToolTip(RECORDED_TIP if recorded else tip)
            emulated = entry is not None and entry.emulated
            mark = f"<br><span style='color:{theme.warning}'>emulated</span>" if emulated else ""
            self._heads[side].setText(f"<span style='color:{self._line_colors[side]}'>— {side}</span>{mark}")
            values = self._history.infer_ms(side)
            known = np.isfinite(values)
            y = 1000 / np.maximum(values[known], 1e-3) if rate else values[known]
            self._curves[side].setData(x[known], y)
            lines = (found.p50_ms, found.p95_ms)
            for line, level in zip((self._medians[side], self._tails[side]), lines, strict=True):
                line.setVisible(level is not None)
                if level is not None:
                    line.setValue(1000 / max(level, 1e-3) if rate else level)
            if len(y):
                highest = max(highest, float(np.percentile(y, 98)) * 1.15)
        span = next((span for span in _SPANS if len(self._history) <= span), LENGTH)
        if span != self._span:
            self._span = span
            self.plot.setXRange(1 - span, 0, padding=0)
            marks = [(0.0, "now"), *((-float(span * part // 3), f"−{span * part // 3}") for part in (1, 2))]
            self.plot.getPlotItem().getAxis("bottom").setTicks([marks])
        top = round_up(highest) if highest else 1.0
        if top != self._top:
            self._top = top
            self.plot.setYRange(0, top, padding=0)
        self.stages.show_stages({side: self._history.stages(side) for side in SIDES})
        newest = self._history.newest
        self.shown.setText(
            "No frame has been shown yet."
            if newest is None
            else f"{_per_second(newest.shown_fps)} shown, {newest.dropped:,} left out"
        )

    def _theme_changed(self, theme: Theme) -> None:
        self.stages.set_theme(theme)
        self.plot.setBackground(theme.surface)
        item = self.plot.getPlotItem()
        for name in ("left", "bottom"):
            axis = item.getAxis(name)
            axis.setPen(pg.mkPen(theme.line, width=1))
            axis.setTextPen(pg.mkPen(theme.faint))
            axis.setStyle(tickLength=-4)
        item.getAxis("left").setWidth(44)
        pens = {"reference": theme.faint, "candidate": theme.text}
        for side, color in pens.items():
            self._curves[side].setPen(pg.mkPen(color, width=1))
            self._medians[side].setPen(pg.mkPen(color, width=1, style=Qt.PenStyle.DashLine))
            self._tails[side].setPen(pg.mkPen(color, width=1, style=Qt.PenStyle.DotLine))
        self.legend.setText(f"<span style='color:{theme.faint}'>– – p50 &nbsp; ··· p95</span>")
        self._line_colors = pens
        self._refresh()


def _with_unit(value: float | None, unit: str, theme: Theme) -> str:
    if value is None:
        return DASH
    tail = f" <span style='color:{theme.faint}'>{unit}</span>" if unit else ""
    return f"{fixed(value, 1)}{tail}"


def _segment(name: str, text: str, tip: str, role: str) -> QToolButton:
    button = QToolButton()
    button.setObjectName(name)
    button.setText(text)
    button.setToolTip(tip)
    button.setCheckable(True)
    button.setProperty("role", role)
    return button


def _per_second(frames: float) -> str:
    number = fixed(frames, 0)
    return f"{number} frame{'' if number == '1' else 's'}/s"
