"""Which models are open, in the tool bar: the reference, the candidates with their keys, and a way to add one."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QToolButton, QWidget

from trtviewer.gui.view_model import ModelEntry, Models, Requests, ViewModel

WIDEST = 26


class ModelPicker(QWidget):
    """Two buttons with menus; the candidate's lists all that are open."""

    def __init__(
        self,
        view_model: ViewModel,
        requests: Requests,
        actions: dict[str, QAction],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._model = view_model
        self._requests = requests
        self._actions = actions
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        self.buttons: dict[str, QToolButton] = {}
        for side in ("reference", "candidate"):
            label = QLabel(side.capitalize(), self)
            label.setProperty("role", "faint")
            button = QToolButton(self)
            button.setObjectName(f"picker.{side}")
            button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
            button.setMenu(QMenu(button))
            button.menu().setObjectName(f"picker.{side}.menu")
            label.setBuddy(button)
            row.addWidget(label)
            row.addWidget(button)
            row.addSpacing(8)
            self.buttons[side] = button
        self.buttons["reference"].setToolTip("The model that is compared with.")
        self.buttons["candidate"].setToolTip(
            "The model that is compared; keys 1 to 9 change between those in the list."
        )
        add = QToolButton(self)
        add.setObjectName("picker.add")
        add.setDefaultAction(actions["file.add_candidate"])
        add.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        row.addWidget(add)
        view_model.models_changed.connect(self._show)
        self._show(view_model.models)

    def _show(self, models: Models) -> None:
        reference = self.buttons["reference"]
        reference.setText(f"{_short(models.reference)}  ▾")
        menu = reference.menu()
        menu.clear()
        menu.addAction(self._actions["file.open_reference"])
        menu.addAction(self._actions["compare.swap"])
        candidate = self.buttons["candidate"]
        number = f"{models.shown + 1}  " if models.candidate is not None else ""
        candidate.setText(f"{number}{_short(models.candidate)}  ▾")
        menu = candidate.menu()
        menu.clear()
        for index, entry in enumerate(models.candidates):
            precision = f"   {entry.precision}" if entry.precision else ""
            action = menu.addAction(f"{index + 1}   {entry.name}{precision}")
            action.setCheckable(True)
            action.setChecked(index == models.shown)
            action.triggered.connect(lambda _=False, i=index: self._requests.show_candidate.emit(i))
        menu.addSeparator()
        menu.addAction(self._actions["file.add_candidate"])
        menu.addAction(self._actions["compare.close_candidate"])


def _short(entry: ModelEntry | None) -> str:
    if entry is None:
        return "none"
    name = entry.name
    return name if len(name) <= WIDEST else f"{name[:12]}…{name[-12:]}"
