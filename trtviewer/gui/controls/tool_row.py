"""The tool bar's one row: the ways to look at the pictures, and the models.

Where it is narrow, the words beside the icons give way to the models' names, and at last the words before those.
"""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QWidget

from trtviewer.gui.actions import MODES
from trtviewer.gui.controls.model_picker import ModelPicker
from trtviewer.gui.view_model import Requests, ViewModel

_GAP = 16
"""At least so much stands between the ways to look and the models."""


class ToolRow(QWidget):
    """Never asks for more room than the window has: it shows less."""

    def __init__(
        self,
        view_model: ViewModel,
        requests: Requests,
        actions: dict[str, QAction],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("tool_row")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._buttons = QWidget(self)
        modes = QHBoxLayout(self._buttons)
        modes.setContentsMargins(0, 0, 0, 0)
        modes.setSpacing(0)
        self._modes: list[QToolButton] = []
        for place, entry in enumerate(MODES):
            button = QToolButton(self._buttons)
            button.setObjectName(f"button.{entry.id}")
            action = actions[entry.id]
            # The space keeps the word off its icon; Qt has no setting for that.
            action.setIconText(f" {entry.title}")
            button.setDefaultAction(action)
            last = place == len(MODES) - 1
            button.setProperty("role", "first" if place == 0 else "last" if last else "middle")
            modes.addWidget(button)
            self._modes.append(button)
        self.picker = ModelPicker(view_model, requests, actions, self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self._buttons)
        row.addStretch(1)
        row.addSpacing(_GAP)
        row.addWidget(self.picker)
        view_model.models_changed.connect(self._fit)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        # Of the narrowest form, whichever is shown: the tool bar would put the whole row into a menu.
        return QSize(320, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self, *_: object) -> None:
        for words, roles in ((True, True), (False, True), (False, False)):
            self._show_words(words)
            self.picker.show_roles(roles)
            fits = self._buttons.sizeHint().width() + _GAP + self.picker.comfortable_width() <= self.width()
            self.picker.keep_comfortable(fits)
            if fits:
                return

    def _show_words(self, words: bool) -> None:
        style = (
            Qt.ToolButtonStyle.ToolButtonTextBesideIcon if words else Qt.ToolButtonStyle.ToolButtonIconOnly
        )
        for button in self._modes:
            button.setToolButtonStyle(style)
