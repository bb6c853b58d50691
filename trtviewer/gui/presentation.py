"""The head of the presentation: verdict and speed-up in type that reads from ten metres."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from trtviewer.gui.summary import Summary
from trtviewer.gui.typography import Fitted, tabular
from trtviewer.gui.view_model import BenchmarkResult, ViewModel


class PresentationHead(QWidget):
    """Repeats the summary's verdict, large; beside it the measured speed-up, or why there is none."""

    def __init__(self, view_model: ViewModel, summary: Summary, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("presentation")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setProperty("role", "panel")
        self._model = view_model
        self._summary = summary
        self.verdict = Fitted((2.2, 1.8, 1.5), 3, self)
        self.verdict.setObjectName("presentation.verdict")
        self.verdict.set_weight(QFont.Weight.Medium)
        self.speed = QLabel(self)
        self.speed.setObjectName("presentation.speed")
        self.speed.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.note = QLabel(self)
        self.note.setProperty("role", "faint")
        self.note.setAlignment(Qt.AlignmentFlag.AlignRight)
        for label, scale in ((self.speed, 3.2), (self.note, 1.3)):
            font = tabular(self.font())
            font.setPointSizeF(self.font().pointSizeF() * scale)
            font.setWeight(QFont.Weight.Medium)
            label.setFont(font)
        column = QVBoxLayout()
        column.setSpacing(0)
        column.addStretch(1)
        column.addWidget(self.speed)
        column.addWidget(self.note)
        column.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(24, 12, 24, 12)
        row.setSpacing(32)
        row.addWidget(self.verdict, 1)
        row.addLayout(column)
        summary.said.connect(self.verdict.set_whole)
        view_model.benchmark_changed.connect(self._show_speed)
        view_model.models_changed.connect(lambda _: self._show_speed(view_model.benchmark))
        self.verdict.set_whole(summary.verdict.whole)
        self._show_speed(view_model.benchmark)

    def _show_speed(self, benchmark: BenchmarkResult | None) -> None:
        candidate = self._model.models.candidate
        if benchmark is not None and benchmark.speedup is not None:
            self.speed.setText(f"{benchmark.speedup:.1f} x")
            self.note.setText("as fast")
        elif candidate is not None and candidate.emulated:
            self.speed.setText("")
            self.note.setText("INT8 emulated here:\nits speed shows on a GPU")
        else:
            self.speed.setText("")
            self.note.setText("")
