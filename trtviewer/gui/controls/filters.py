"""Which objects are shown: by class (searchable, with counts) and by size. A filter changes no figure."""

from __future__ import annotations

from collections import Counter

import numpy as np
from PySide6.QtCore import QPoint, QSignalBlocker, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from trtviewer.gui.view_model import SIZES, Display, ViewModel

SIZE_TIPS = {
    "small": "Objects smaller than 32 x 32 pixels of the video.",
    "medium": "Objects from 32 x 32 to 96 x 96 pixels of the video.",
    "large": "Objects larger than 96 x 96 pixels of the video.",
}


class Filters(QWidget):
    """Sets `Display.classes` and `Display.sizes`."""

    def __init__(self, view_model: ViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = view_model
        self.classes = QToolButton(self)
        self.classes.setObjectName("classes")
        self.classes.setToolTip("Which classes are drawn and listed.")
        self.classes.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.classes.clicked.connect(self._open)
        self.sizes: dict[str, QToolButton] = {}
        row = QHBoxLayout()
        row.setSpacing(0)
        for place, size in enumerate(SIZES):
            button = QToolButton(self)
            button.setObjectName(f"size.{size}")
            button.setText(size.capitalize())
            button.setToolTip(SIZE_TIPS[size])
            button.setCheckable(True)
            button.setProperty("role", ("first", "middle", "last")[place])
            button.toggled.connect(self._set_sizes)
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            row.addWidget(button, 1)
            self.sizes[size] = button
        self.classes.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        names = [QLabel(name, self) for name in ("Classes", "Size")]
        names[0].setBuddy(self.classes)
        # The same column of names as the thresholds above have.
        names[0].setMinimumWidth(self.fontMetrics().horizontalAdvance("Confidence"))
        grid.addWidget(names[0], 0, 0)
        grid.addWidget(self.classes, 0, 1)
        grid.addWidget(names[1], 1, 0)
        grid.addLayout(row, 1, 1)
        self._popup = ClassList(view_model, self)
        view_model.display_changed.connect(self._show)
        view_model.models_changed.connect(lambda _: self._show(view_model.display))
        self._show(view_model.display)

    def _open(self) -> None:
        self._popup.open_by(self.classes)

    def _set_sizes(self) -> None:
        shown = frozenset(size for size, button in self.sizes.items() if button.isChecked())
        self._model.change_display(sizes=shown)

    def _show(self, display: Display) -> None:
        for size, button in self.sizes.items():
            with QSignalBlocker(button):
                button.setChecked(size in display.sizes)
        names = self._model.models.class_names
        if display.classes is None:
            text = "All classes"
        elif len(display.classes) == 1:
            only = next(iter(display.classes))
            text = names[only] if only < len(names) else f"class {only}"
        else:
            text = f"{len(display.classes)} of {len(names)} classes"
        self.classes.setText(f"{text}  ▾")


class ClassList(QFrame):
    """A popup with all classes: type to search, tick to show; the counts are those of the analysed frames."""

    def __init__(self, view_model: ViewModel, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setProperty("role", "popup")
        self.setObjectName("class_list")
        self._model = view_model
        self.search = QLineEdit(self)
        self.search.setObjectName("class_list.search")
        self.search.setPlaceholderText("Search classes")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.list = QListWidget(self)
        self.list.setObjectName("class_list.classes")
        self.list.itemChanged.connect(self._ticked)
        self.every = QPushButton("All", self)
        self.every.setObjectName("class_list.all")
        self.every.clicked.connect(lambda: self._set(None))
        self.none = QPushButton("None", self)
        self.none.setObjectName("class_list.none")
        self.none.clicked.connect(lambda: self._set(frozenset()))
        note = QLabel("found by the reference", self)
        note.setProperty("role", "faint")
        buttons = QHBoxLayout()
        buttons.addWidget(self.every)
        buttons.addWidget(self.none)
        buttons.addStretch(1)
        buttons.addWidget(note)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(self.search)
        column.addWidget(self.list, 1)
        column.addLayout(buttons)
        self.resize(320, 380)

    def open_by(self, button: QWidget) -> None:
        """Opens under the button, or above it where the screen ends."""
        self._fill()
        self.search.clear()
        room = button.screen().availableGeometry()
        place = button.mapToGlobal(QPoint(button.width() - self.width(), button.height() + 2))
        if place.y() + self.height() > room.bottom():
            place = button.mapToGlobal(QPoint(button.width() - self.width(), -self.height() - 2))
        self.move(max(room.left(), place.x()), max(room.top(), place.y()))
        self.show()
        self.search.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.hide()
        else:
            super().keyPressEvent(event)

    def _fill(self) -> None:
        names, counts = self._model.models.class_names, self._counts()
        shown = self._model.display.classes
        with QSignalBlocker(self.list):
            self.list.clear()
            # The classes that occur come first: of eighty names a street has five.
            for class_id in sorted(range(len(names)), key=lambda index: (-counts[index], index)):
                count = f"   {counts[class_id]}" if counts[class_id] else ""
                item = QListWidgetItem(f"{names[class_id]}{count}")
                item.setData(Qt.ItemDataRole.UserRole, class_id)
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
                on = shown is None or class_id in shown
                item.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
                if not counts[class_id]:
                    item.setForeground(self._model.theme.color("faint"))
                self.list.addItem(item)

    def _counts(self) -> Counter[int]:
        video = self._model.matched_video
        if video is not None and video.totals.frames:
            return Counter({index: counts.reference for index, counts in enumerate(video.totals.by_class)})
        comparison = self._model.comparison
        if comparison is None:
            return Counter()
        ids, counts = np.unique(comparison.reference.detections.class_id, return_counts=True)
        return Counter(dict(zip(ids.tolist(), counts.tolist(), strict=True)))

    def _filter(self, text: str) -> None:
        for row in range(self.list.count()):
            item = self.list.item(row)
            item.setHidden(text.strip().lower() not in item.text().lower())

    def _ticked(self, item: QListWidgetItem) -> None:
        ticked = frozenset(
            self.list.item(row).data(Qt.ItemDataRole.UserRole)
            for row in range(self.list.count())
            if self.list.item(row).checkState() == Qt.CheckState.Checked
        )
        self._model.change_display(classes=None if len(ticked) == self.list.count() else ticked)

    def _set(self, classes: frozenset[int] | None) -> None:
        self._model.change_display(classes=classes)
        self._fill()
        self._filter(self.search.text())
