"""A button that begins a work of the workshop; while one runs it stops it, whoever began it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton

from trtviewer.gui.view_model import Requests
from trtviewer.gui.what_if.state import Stop, WhatIfState


class WorkButton(QPushButton):
    """Signals: wanted(): the work is to begin."""

    wanted = Signal()

    def __init__(self, name: str, words: str, tip: str, state: WhatIfState, requests: Requests) -> None:
        super().__init__(words)
        self.setObjectName(name)
        self._words, self._tip = words, tip
        self._state, self._requests = state, requests
        self.clicked.connect(self._pressed)

    def show_state(self, *, ready: bool) -> None:
        """Says what a press does now. Args: ready: whether the work can begin."""
        running = self._state.running
        self.setText("Stop" if running else self._words)
        self.setToolTip(f"Stops: {running}." if running else self._tip)
        self.setEnabled(ready or bool(running))

    def _pressed(self) -> None:
        if self._state.running:
            self._requests.what_if.emit(Stop())
        else:
            self.wanted.emit()
