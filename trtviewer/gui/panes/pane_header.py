"""The line above a pane: which model, in which arithmetic, run by what, and how fast; nothing in it moves."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

EMULATED_TIP = (
    "INT8 emulated in float on the CPU: the results are those of the INT8 arithmetic, "
    "but the speed stands for nothing on a GPU."
)


def tabular(font: QFont) -> QFont:
    """The same font with digits of one width, so that figures do not dance."""
    made = QFont(font)
    try:
        made.setFeature(QFont.Tag("tnum"), 1)
    except (
        AttributeError,
        TypeError,
    ):  # Qt before 6.7 has no font features; the usual fonts are tabular anyway
        return made
    return made


class Elided(QLabel):
    """A label that shortens its text in the middle instead of asking for room; the tip has the whole."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._whole = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def set_whole(self, text: str) -> None:
        self._whole = text
        self.setToolTip(text)
        self._fit()

    @property
    def whole(self) -> str:
        return self._whole

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self.setText(self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideMiddle, self.width()))


class PaneHeader(QWidget):
    """Name, precision, runner at the left; latency and rate at the right, in fields of fixed width."""

    clicked = Signal()

    def __init__(self, side: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"header.{side}")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setProperty("role", "pane-header")
        self.side = side
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
        self._latency.setToolTip(
            "Time of one frame through this model, mean of the last second, with both running."
        )
        self._fps.setToolTip("Frames a second that this model could do: 1000 / latency.")
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 12, 0)
        row.setSpacing(8)
        row.addWidget(self._role)
        row.addWidget(self._name, 1)
        row.addWidget(self._precision, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self._runner)
        row.addWidget(self._latency)
        row.addWidget(self._fps)
        self.set_model("", "", "", emulated=False)
        self.set_speed(None, "#888888")

    def set_model(self, name: str, precision: str, runner: str, *, emulated: bool) -> None:
        self._name.set_whole(name)
        self._precision.setText(f"{precision} emulated" if emulated else precision)
        self._precision.setToolTip(EMULATED_TIP if emulated else "The arithmetic that this model runs in.")
        self._precision.setProperty("warn", emulated)
        self._precision.style().unpolish(self._precision)
        self._precision.style().polish(self._precision)
        self._precision.setVisible(bool(precision))
        # "ONNX Runtime CPU" is told by its last word, which is what differs; the tip has the whole.
        self._runner.setText(runner.removeprefix("ONNX Runtime "))
        self._runner.setToolTip(runner)

    def set_large(self, on: bool) -> None:
        """In a presentation: larger type, and no runner, which nobody reads from ten metres."""
        font = tabular(self.font())
        font.setPointSizeF(self.font().pointSizeF() * (1.8 if on else 1.0))
        for child in self.findChildren(QLabel):
            child.setFont(font)
        for field, width in ((self._latency, "0000 ms"), (self._fps, "0000 /s")):
            field.setMinimumWidth(field.fontMetrics().horizontalAdvance(width))
        self._runner.setVisible(not on)

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

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.clicked.emit()
