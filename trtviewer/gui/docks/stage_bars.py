"""Where the time of a frame goes: one row a stage, a bar and a number for each side, on one scale."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from trtviewer.detect.heat import round_up
from trtviewer.gui.docks.figures import DASH, fixed, tabular
from trtviewer.gui.docks.timing_history import SIDES, STAGES
from trtviewer.gui.theme import DARK, Theme

TIPS = {
    "decode": "Reading the frame from its source; once for both.",
    "preprocess": "Letterbox and normalisation; once for both.",
    "infer": "The model's own run, with its copies; both run at the same time.",
    "postprocess": "Decoding the outputs, NMS, matching and the error figures.",
}


class StageBars(QWidget):
    """Shows `stages` of both sides; the scale moves in steps of 1, 2, 5."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("speed.stages")
        self.setAccessibleName("Milliseconds by stage")
        self.setToolTip("\n".join(f"{stage}: {tip}" for stage, tip in TIPS.items()))
        tabular(self)
        self._theme: Theme = DARK
        self._values: dict[str, tuple[float | None, ...]] = {}
        self._scale = 1.0

    def sizeHint(self) -> QSize:
        return QSize(360, 5 * (self.fontMetrics().height() + 8))

    def minimumSizeHint(self) -> QSize:
        return QSize(300, 5 * (self.fontMetrics().height() + 2))

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def show_stages(self, values: dict[str, tuple[float | None, ...]]) -> None:
        """Shows other medians, by side, in the order of `STAGES`."""
        self._values = values
        known = [value for side in values.values() for value in side if value is not None]
        self._scale = round_up(max(known, default=1.0))
        self.setAccessibleDescription("; ".join(self._words(side) for side in SIDES))
        self.update()

    def _words(self, side: str) -> str:
        values = self._values.get(side, (None,) * len(STAGES))
        return f"{side}: " + ", ".join(
            f"{stage} {fixed(value, 1)} ms" for stage, value in zip(STAGES, values, strict=True)
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        metrics, theme = self.fontMetrics(), self._theme
        label = metrics.horizontalAdvance("postprocess") + 12
        number = metrics.horizontalAdvance("100.0 ms") + 8
        line = min(metrics.height() + 10.0, self.height() / (len(STAGES) + 1))
        column = (self.width() - label) / 2
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        with QPainter(self) as painter:
            for place, side in enumerate(SIDES):
                painter.setPen(theme.color("faint"))
                painter.drawText(QRectF(label + place * column, 0, column - 12, line), left, side)
            for row, stage in enumerate(STAGES, start=1):
                top = row * line
                painter.setPen(theme.color("faint"))
                painter.drawText(QRectF(0, top, label, line), left, stage)
                for place, side in enumerate(SIDES):
                    value = self._values.get(side, (None,) * len(STAGES))[row - 1]
                    box = QRectF(label + place * column, top, column - 16, line)
                    bar = box.adjusted(0, (line - 10) / 2, -number, -(line - 10) / 2)
                    painter.fillRect(bar, theme.color("raised"))
                    if value is not None:
                        filled = QRectF(bar)
                        filled.setWidth(max(1.0, bar.width() * min(1.0, value / self._scale)))
                        painter.fillRect(filled, theme.color("text" if place else "faint"))
                    self._number(painter, box, right, value)

    def _number(self, painter: QPainter, box: QRectF, align: Qt.AlignmentFlag, value: float | None) -> None:
        """The number in the text's colour, its unit fainter."""
        painter.setPen(self._theme.color("faint"))
        if value is None:
            painter.drawText(box, align, DASH)
            return
        unit = " ms"
        painter.drawText(box, align, unit)
        painter.setPen(self._theme.color("text"))
        painter.setFont(QFont(self.font()))
        shift = self.fontMetrics().horizontalAdvance(unit)
        painter.drawText(box.adjusted(0, 0, -shift, 0), align, fixed(value, 1))
