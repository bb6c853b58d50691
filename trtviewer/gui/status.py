"""The status bar: what is running, how far, how long still, with a Cancel; and whether INT8 is emulated here."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QSizePolicy, QStatusBar, QWidget

from trtviewer.gui.panes.pane_header import EMULATED_TIP
from trtviewer.gui.typography import Elided, tabular
from trtviewer.gui.view_model import Models, Progress, ViewModel


class Work(QWidget):
    """One long work."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._progress: Progress | None = None
        self.title = QLabel(self)
        self.title.setObjectName("work.title")
        self.bar = QProgressBar(self)
        self.bar.setObjectName("work.bar")
        self.bar.setFixedSize(160, 12)
        self.bar.setTextVisible(False)
        self.left = QLabel(self)
        self.left.setObjectName("work.left")
        self.left.setFont(tabular(self.font()))
        self.left.setProperty("role", "faint")
        self.left.setMinimumWidth(self.left.fontMetrics().horizontalAdvance("00000 of 00000, 00 min left"))
        self.cancel = QPushButton("Cancel", self)
        self.cancel.setObjectName("work.cancel")
        self.cancel.clicked.connect(self._cancel)
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 0, 12, 0)
        row.setSpacing(8)
        for widget in (self.title, self.bar, self.left, self.cancel):
            row.addWidget(widget)
        self.cancel.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.cancel.setProperty("flat", True)
        self.cancel.setProperty("slim", True)
        row.addStretch(1)

    def show_progress(self, progress: Progress) -> None:
        self._progress = progress
        self.title.setText(progress.title)
        self.bar.setRange(0, progress.total or 0)
        self.bar.setValue(progress.done)
        left = ""
        if progress.total:
            left = f"{progress.done} of {progress.total}" if progress.total != 100 else f"{progress.done} %"
        if progress.left_s is not None:
            left += f", {_duration(progress.left_s)} left"
        self.left.setText(left)
        self.cancel.setVisible(progress.cancel is not None)

    def _cancel(self) -> None:
        if self._progress is not None and self._progress.cancel is not None:
            self.title.setText(f"{self._progress.title}: stopping")
            self._progress.cancel()


class StatusBar(QStatusBar):
    """Shows the newest work, or the status line where nothing runs."""

    def __init__(self, view_model: ViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self._model = view_model
        self.words = Elided(self, Qt.TextElideMode.ElideRight)
        self.words.setObjectName("status")
        self.words.setIndent(8)
        self.work = Work(self)
        self.emulated = QLabel("INT8 emulated: speeds stand for nothing here", self)
        self.emulated.setContentsMargins(0, 0, 12, 0)
        self.emulated.setObjectName("status.emulated")
        self.emulated.setProperty("role", "warning")
        self.emulated.setToolTip(EMULATED_TIP)
        self.addWidget(self.words, 1)
        self.addWidget(self.work)
        self.addPermanentWidget(self.emulated)
        for signal in (view_model.progress_changed, view_model.status_changed, view_model.models_changed):
            signal.connect(self._show)
        self._candidate: Path | None = None
        view_model.models_changed.connect(self._forget_the_others_object)
        view_model.what_if.self_test_changed.connect(self._show_self_test)
        # Work comes and goes; what stands above it stays where it is.
        self.setMinimumHeight(self.fontMetrics().height() + 14)
        self._show()

    def _show(self, *_: object) -> None:
        model = self._model
        self.work.setVisible(bool(model.progress))
        self.words.setVisible(not model.progress)
        self.words.set_whole(model.status)
        if model.progress:
            self.work.show_progress(model.progress[-1])
        models = model.models
        emulated = any(entry is not None and entry.emulated for entry in (models.reference, models.candidate))
        self.emulated.setVisible(emulated)

    def _forget_the_others_object(self, models: Models) -> None:
        """What was chosen is told as it was with the candidate then: missed, or with that score."""
        path = models.candidate.path if models.candidate is not None else None
        if path == self._candidate:
            return
        self._candidate = path
        selection = self._model.selection
        if selection is not None and self._model.status == selection.label:
            self._model.set_status("")

    def _show_self_test(self, sentence: str) -> None:
        """Said once; it can be read again behind the mark of emulation."""
        self._model.set_status(sentence)
        self.emulated.setToolTip(f"{EMULATED_TIP}\n{sentence}.")


def _duration(seconds: float) -> str:
    seconds = max(0, round(seconds))
    return f"{seconds} s" if seconds < 100 else f"{round(seconds / 60)} min"
