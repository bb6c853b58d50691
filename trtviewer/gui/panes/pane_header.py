"""The line above a pane: which model, in which arithmetic, run by what, and how fast; nothing in it moves.

Where it is narrow, what can be read elsewhere gives way to the name: a name that is not seen is the worst to miss.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from trtviewer.gui.typography import Elided, tabular
from trtviewer.runners.runner import RECORDED

EMULATED_TIP = (
    "INT8 emulated in float on the CPU: the results are those of the INT8 arithmetic, "
    "but the speed stands for nothing on a GPU."
)
RECORDED_TIP = "Recorded outputs are read from files and nothing is run: they have no latency."
_LATENCY_TIP = "Time of one frame through this model, mean of the last second, with both running."

NAME_LETTERS = 16
"""So much of a long name is to be seen before anything else."""
GIVES_WAY = ("runner", "role", "emulated", "fps", "latency")
"""In this order, where there is no room for all. "emulated" is that word: its colour stays, and the status bar says it."""


class PaneHeader(QWidget):
    """Name, precision, runner at the left; latency and rate at the right, in fields of fixed width."""

    clicked = Signal()

    def __init__(self, side: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"header.{side}")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setProperty("role", "pane-header")
        self.side = side
        self._arithmetic = ("", False)
        self._large = False
        self._role = QLabel(side.capitalize(), self)
        self._role.setProperty("role", "faint")
        self._name = Elided(self)
        self._name.setObjectName(f"header.{side}.name")
        self._precision = QLabel(self)
        self._precision.setProperty("role", "chip")
        self._precision.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._precision.setObjectName(f"header.{side}.precision")
        self._runner = QLabel(self)
        self._runner.setProperty("role", "faint")
        self._latency, self._fps = QLabel(self), QLabel(self)
        for field, width in ((self._latency, "0000 ms"), (self._fps, "0000 /s")):
            field.setFont(tabular(self.font()))
            field.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            field.setMinimumWidth(field.fontMetrics().horizontalAdvance(width))
            field.setTextFormat(Qt.TextFormat.RichText)
        self._latency.setObjectName(f"header.{side}.latency")
        self._fps.setObjectName(f"header.{side}.fps")
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 12, 0)
        row.setSpacing(8)
        row.addWidget(self._role)
        row.addWidget(self._name, 1)
        row.addWidget(self._precision, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self._runner)
        row.addWidget(self._latency)
        row.addWidget(self._fps)
        self._parts = {
            "role": self._role,
            "precision": self._precision,
            "runner": self._runner,
            "latency": self._latency,
            "fps": self._fps,
        }
        self.set_model("", "", "", emulated=False)
        self.set_speed(None, "#888888")

    def set_model(self, name: str, precision: str, runner: str, *, emulated: bool) -> None:
        self._arithmetic = (precision, emulated)
        said = f"{precision} emulated" if emulated else precision
        self._name.set_whole(name, ", ".join(words for words in (said, runner) if words))
        self._precision.setToolTip(EMULATED_TIP if emulated else "The arithmetic that this model runs in.")
        self._precision.setProperty("warn", emulated)
        self._precision.style().unpolish(self._precision)
        self._precision.style().polish(self._precision)
        # "ONNX Runtime CPU" is told by its last word, which is what differs; the tip has the whole.
        self._runner.setText(runner.removeprefix("ONNX Runtime "))
        self._runner.setToolTip(runner)
        recorded = runner == RECORDED
        self._latency.setToolTip(RECORDED_TIP if recorded else _LATENCY_TIP)
        self._fps.setToolTip(
            RECORDED_TIP if recorded else "Frames a second that this model could do: 1000 / latency."
        )
        self._fit()

    def set_large(self, on: bool) -> None:
        """In a presentation: larger type, and no runner, which nobody reads from ten metres."""
        font = tabular(self.font())
        font.setPointSizeF(self.font().pointSizeF() * (1.8 if on else 1.0))
        for child in self.findChildren(QLabel):
            child.setFont(font)
        for field, width in ((self._latency, "0000 ms"), (self._fps, "0000 /s")):
            field.setMinimumWidth(field.fontMetrics().horizontalAdvance(width))
        self._large = on
        self._fit()

    def set_speed(self, latency_ms: float | None, faint: str) -> None:
        """Shows the latency; None for a dash."""
        unit = f"<span style='color:{faint}'>"
        if latency_ms is None or latency_ms <= 0:
            self._latency.setText(f"– {unit}ms</span>")
            self._fps.setText(f"– {unit}/s</span>")
            return
        shown = f"{latency_ms:.0f}" if latency_ms >= 10 else f"{latency_ms:.1f}"
        rate = 1000 / latency_ms
        self._latency.setText(f"{shown} {unit}ms</span>")
        self._fps.setText(f"{rate:.0f} {unit}/s</span>" if rate >= 10 else f"{rate:.1f} {unit}/s</span>")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Leaves out as little as the name can do without."""
        metrics = self._name.fontMetrics()
        name = min(metrics.horizontalAdvance(self._name.whole), metrics.averageCharWidth() * NAME_LETTERS)
        for given_up in range(int(self._large), len(GIVES_WAY) + 1):
            shown = self._without(frozenset(GIVES_WAY[:given_up]))
            if self._width_of(shown) + name <= self.width():
                break
        for key, part in self._parts.items():
            part.setVisible(key in shown)

    def _without(self, left_out: frozenset[str]) -> list[str]:
        """What is shown then; says the arithmetic in as many words as that leaves."""
        precision, emulated = self._arithmetic
        long = emulated and "emulated" not in left_out
        self._precision.setText(f"{precision} emulated" if long else precision)
        return [key for key in self._parts if key not in left_out and (key != "precision" or precision)]

    def _width_of(self, shown: list[str]) -> int:
        margins = self.layout().contentsMargins()
        parts = sum(
            max(self._parts[key].sizeHint().width(), self._parts[key].minimumWidth()) for key in shown
        )
        return margins.left() + margins.right() + parts + self.layout().spacing() * len(shown)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.clicked.emit()
