"""What a new user sees first in the demo, in a few lines, until he closes it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from trtviewer.gui.view_model import Models, Requests, ViewModel

ROOMY = 760
"""From this width on the lines stand beside the buttons unbroken; below it the pictures need the height more."""

CARELESS, GOOD = 0, 1
"""The places of the two twins in the demo's list of candidates."""

LINES = (
    "<b>The same frames through a float detector and its INT8 twin, which was calibrated carelessly.</b>",
    "Thick orange boxes are missed by INT8, dotted blue ones only INT8 sees. Press N for the next such object.",
    "Drag Confidence and see what comes back; Heatmaps shows what is left of a small object in the logits.",
)


class FirstSteps(QFrame):
    """Three lines, a button that changes between the careless and the good twin, and one that closes the panel."""

    def __init__(self, view_model: ViewModel, requests: Requests, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("first_steps")
        self.setProperty("role", "panel")
        self._requests = requests
        words = QVBoxLayout()
        words.setSpacing(4)
        self._lines = [QLabel(line, self) for line in LINES]
        for label in self._lines:
            label.setTextFormat(Qt.TextFormat.RichText)
            label.setWordWrap(True)
            words.addWidget(label)
        self._lines[0].setToolTip("<br>".join(LINES))
        self._twin = QPushButton(self)
        self._twin.setObjectName("first_steps.twin")
        self._twin.setProperty("role", "primary")
        self._twin.clicked.connect(self._change_twin)
        close = QPushButton("Close", self)
        close.setObjectName("first_steps.close")
        close.setToolTip("Closes these first steps")
        close.clicked.connect(self.close)
        self._buttons = QVBoxLayout()
        self._buttons.setSpacing(4)
        self._buttons.addWidget(self._twin)
        self._buttons.addWidget(close)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 12, 8)
        row.setSpacing(16)
        row.addLayout(words, 1)
        row.addLayout(self._buttons)
        self._shown = view_model.models.shown
        view_model.models_changed.connect(self._show)
        self._show(view_model.models)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        roomy = event.size().width() >= ROOMY
        for label in self._lines[1:]:
            label.setVisible(roomy)
        self._buttons.setDirection(
            QBoxLayout.Direction.TopToBottom if roomy else QBoxLayout.Direction.LeftToRight
        )

    def _show(self, models: Models) -> None:
        self._shown = models.shown
        good = models.shown == GOOD
        self._twin.setText("Show the careless twin" if good else "Show the good twin")
        self._twin.setToolTip(
            "Puts the carelessly calibrated twin back into the candidate pane, on the same frame (1)"
            if good
            else "Puts the well calibrated twin into the candidate pane, on the same frame (2)"
        )

    def _change_twin(self) -> None:
        self._requests.show_candidate.emit(CARELESS if self._shown == GOOD else GOOD)
