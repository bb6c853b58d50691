"""The four thresholds: a slider and a spin box each, live while dragged, both showing the one value of the view model."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QCheckBox, QDoubleSpinBox, QGridLayout, QLabel, QSlider, QWidget

from trtviewer.compare.settings import BOUNDS, CompareSettings
from trtviewer.gui.view_model import ViewModel


@dataclass(frozen=True, slots=True)
class Threshold:
    """One threshold: a field of `CompareSettings`, and how it is shown.

    Attributes:
        least, greatest: of the slider; the spin box goes as far as the core allows.
        logarithmic: the slider's steps are factors.
        decimals, step: of the spin box.
    """

    name: str
    title: str
    tip: str
    least: float
    greatest: float
    decimals: int = 2
    step: float = 0.01
    logarithmic: bool = False

    def to_slider(self, value: float) -> int:
        if self.logarithmic:
            value = min(max(value, self.least), self.greatest)
            share = math.log(value / self.least) / math.log(self.greatest / self.least)
        else:
            share = (value - self.least) / (self.greatest - self.least)
        return round(min(1.0, max(0.0, share)) * STEPS)

    def from_slider(self, place: int) -> float:
        share = place / STEPS
        if self.logarithmic:
            return float(f"{self.least * (self.greatest / self.least) ** share:.3g}")
        return round(self.least + share * (self.greatest - self.least), self.decimals)


STEPS = 1000
THRESHOLDS = (
    Threshold(
        "confidence",
        "Confidence",
        "A box is kept when its score is above this. Lower it to see which missed objects were only just below.",
        BOUNDS["confidence"][0],
        1.0,
    ),
    Threshold(
        "nms_iou",
        "NMS IoU",
        "Of two boxes of one class that overlap more than this, only the better one is kept.",
        0.0,
        1.0,
    ),
    Threshold(
        "match_iou",
        "Match IoU",
        "Two boxes of one class count as the same object when they overlap at least this much.",
        BOUNDS["match_iou"][0],
        1.0,
    ),
    Threshold(
        "epsilon",
        "Epsilon",
        "An output value counts as off when the two models differ by more than this.",
        0.001,
        10.0,
        decimals=3,
        step=0.05,
        logarithmic=True,
    ),
)
DEFAULTS = {field.name: field.default for field in fields(CompareSettings)}


class ResetLabel(QLabel):
    """The name of a threshold; a double click sets it back to its default."""

    reset = Signal()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.reset.emit()


class Thresholds(QWidget):
    """The sliders; they set the view model's settings and follow them, whoever else sets them."""

    def __init__(self, view_model: ViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("thresholds")
        self._model = view_model
        self._rows: dict[str, tuple[Threshold, QSlider, QDoubleSpinBox]] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        for row, threshold in enumerate(THRESHOLDS):
            self._add(grid, row, threshold)
        self.agnostic = QCheckBox("NMS across classes", self)
        self.agnostic.setObjectName("agnostic_nms")
        self.agnostic.setToolTip("NMS looks at boxes of any class, not only of the same.")
        self.agnostic.toggled.connect(lambda on: view_model.change_settings(agnostic_nms=on))
        grid.addWidget(self.agnostic, len(THRESHOLDS), 1, 1, 2)
        view_model.settings_changed.connect(self._show)
        self._show(view_model.settings)

    def reset_all(self) -> None:
        self._model.set_settings(CompareSettings())

    def _add(self, grid: QGridLayout, row: int, threshold: Threshold) -> None:
        tip = f"{threshold.tip}\nDouble-click the name: back to {DEFAULTS[threshold.name]:g}."
        label = ResetLabel(threshold.title, self)
        label.setObjectName(f"{threshold.name}.label")
        slider = QSlider(Qt.Orientation.Horizontal, self)
        slider.setObjectName(threshold.name)
        slider.setAccessibleName(threshold.title)
        slider.setRange(0, STEPS)
        slider.setSingleStep(10)
        slider.setPageStep(50)
        slider.setMinimumWidth(80)
        box = QDoubleSpinBox(self)
        box.setObjectName(f"{threshold.name}.value")
        box.setAccessibleName(threshold.title)
        box.setDecimals(threshold.decimals)
        box.setSingleStep(threshold.step)
        box.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)
        box.setAlignment(Qt.AlignmentFlag.AlignRight)
        box.setFixedWidth(box.fontMetrics().horizontalAdvance("00.000") + 20)
        least, greatest = BOUNDS[threshold.name]
        box.setRange(least, min(greatest, 1000.0))
        # A value counts as soon as it is typed or stepped; an unfinished number ("0.") parses as the one so far.
        for widget in (label, slider, box):
            widget.setToolTip(tip)
        label.setBuddy(slider)
        label.reset.connect(self._setter(threshold.name, lambda _=None, t=threshold: DEFAULTS[t.name]))
        slider.valueChanged.connect(self._setter(threshold.name, threshold.from_slider))
        box.valueChanged.connect(self._setter(threshold.name, lambda value: round(value, 6)))
        grid.addWidget(label, row, 0)
        grid.addWidget(slider, row, 1)
        grid.addWidget(box, row, 2)
        self._rows[threshold.name] = (threshold, slider, box)

    def _setter(self, name: str, convert: Callable[..., float]) -> Callable[..., None]:
        def set_value(*value: float) -> None:
            self._model.change_settings(**{name: convert(*value)})

        return set_value

    def _show(self, settings: CompareSettings) -> None:
        for name, (threshold, slider, box) in self._rows.items():
            value = getattr(settings, name)
            with QSignalBlocker(slider), QSignalBlocker(box):
                slider.setValue(threshold.to_slider(value))
                if abs(box.value() - value) > 0.5 * 10**-threshold.decimals:
                    box.setValue(value)
        with QSignalBlocker(self.agnostic):
            self.agnostic.setChecked(settings.agnostic_nms)
