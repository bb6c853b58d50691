"""Which models are open, in the tool bar: the reference, the candidates with their keys, and a way to add one."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QSizePolicy, QToolButton, QWidget

from trtviewer.gui.view_model import ModelEntry, Models, Requests, ViewModel

WIDEST, COMFORTABLE, NARROWEST = 32, 16, 6
"""Letters of a name: shown at most, shown before the row gives up other words for it, shown at least."""
TIPS = {
    "reference": "The model that is compared with.",
    "candidate": "The model that is compared; keys 1 to 9 change between those in the list.",
}


class NameButton(QToolButton):
    """A button with a name that shortens in its middle, and a menu; the tip has the whole name."""

    def __init__(self, side: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._side = side
        self._before, self._name = "", ""
        self.setObjectName(f"picker.{side}")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setMenu(QMenu(self))
        self.menu().setObjectName(f"picker.{side}.menu")

    def set_name(self, name: str, before: str = "") -> None:
        """`before` is never shortened: the candidate's key."""
        self._name, self._before = name, before
        self.setToolTip(f"{self._side.capitalize()}: {name}\n{TIPS[self._side]}")
        self._fit()
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        return self._size_of(WIDEST)

    def minimumSizeHint(self) -> QSize:
        return self._size_of(NARROWEST)

    def comfortable_width(self) -> int:
        """Less is uncomfortable to read."""
        return self._size_of(COMFORTABLE).width()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _size_of(self, letters: int) -> QSize:
        plain = super().sizeHint()
        metrics = self.fontMetrics()
        frame = plain.width() - metrics.horizontalAdvance(self.text().replace("&&", "&"))
        room = min(metrics.horizontalAdvance(self._name), metrics.averageCharWidth() * letters)
        return QSize(frame + self._around() + room + 1, plain.height())

    def _around(self) -> int:
        return self.fontMetrics().horizontalAdvance(self._words(""))

    def _words(self, name: str) -> str:
        return f"{self._before}{name}  ▾"

    def _fit(self) -> None:
        frame = super().sizeHint().width() - self.fontMetrics().horizontalAdvance(
            self.text().replace("&&", "&")
        )
        room = self.width() - frame - self._around()
        name = self.fontMetrics().elidedText(self._name, Qt.TextElideMode.ElideMiddle, max(0, room))
        # An ampersand would underline the letter after it.
        self.setText(self._words(name).replace("&", "&&"))


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
        self._requests = requests
        self._actions = actions
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        self.buttons = {side: NameButton(side, self) for side in TIPS}
        self._roles: list[QLabel] = []
        for side, button in self.buttons.items():
            label = QLabel(side.capitalize(), self)
            label.setProperty("role", "faint")
            label.setBuddy(button)
            row.addWidget(label)
            row.addWidget(button)
            row.addSpacing(8)
            self._roles.append(label)
        self._add = QToolButton(self)
        self._add.setObjectName("picker.add")
        self._add.setDefaultAction(actions["file.add_candidate"])
        self._add.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        row.addWidget(self._add)
        view_model.models_changed.connect(self._show)
        self._show(view_model.models)

    def show_roles(self, on: bool) -> None:
        """Whether the names say whose they are; else their places and tips do."""
        for label in self._roles:
            label.setVisible(on)

    def comfortable_width(self) -> int:
        """What it needs for names that can be told apart."""
        wider = sum(
            button.sizeHint().width() - button.comfortable_width() for button in self.buttons.values()
        )
        return self.sizeHint().width() - wider

    def keep_comfortable(self, on: bool) -> None:
        """Whether a short name stays whole beside a long one, rather than both being shortened by as much."""
        for button in self.buttons.values():
            button.setMinimumWidth(button.comfortable_width() if on else 0)

    def _show(self, models: Models) -> None:
        reference = self.buttons["reference"]
        reference.set_name(_name(models.reference))
        menu = reference.menu()
        menu.clear()
        menu.addAction(self._actions["file.open_reference"])
        menu.addAction(self._actions["compare.swap"])
        candidate = self.buttons["candidate"]
        candidate.set_name(
            _name(models.candidate), f"{models.shown + 1}  " if models.candidate is not None else ""
        )
        menu = candidate.menu()
        menu.clear()
        for index, entry in enumerate(models.candidates):
            precision = f"   {entry.precision}" if entry.precision else ""
            action = menu.addAction(f"{index + 1}   {entry.name}{precision}".replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(index == models.shown)
            action.triggered.connect(lambda _=False, i=index: self._requests.show_candidate.emit(i))
        menu.addSeparator()
        menu.addAction(self._actions["file.add_candidate"])
        menu.addAction(self._actions["compare.close_candidate"])


def _name(entry: ModelEntry | None) -> str:
    return entry.name if entry is not None else "none"
