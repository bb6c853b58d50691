"""The filters above the table: kind, reason, class, size, and words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QPushButton, QWidget

from trtviewer.compare.matched_video import DisagreementTable
from trtviewer.compare.totals import SIZES, class_name
from trtviewer.gui.docks.disagreement_rows import KIND_WORDS, REASON_TIPS, Filter
from trtviewer.gui.panes.marks import REASON_WORDS
from trtviewer.gui.view_model import Display


class DisagreementFilters(QWidget):
    """Holds what the user chose; together with the window's own filters it makes a `Filter`.

    Signals:
        changed(): another choice.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kind = _choice("disagreements.kind", "Kind", "any kind")
        for kind, text in KIND_WORDS.items():
            self.kind.addItem(text, kind)
        self.reason = _choice("disagreements.reason", "Reason", "any reason")
        for reason, text in REASON_WORDS.items():
            self.reason.addItem(text, int(reason))
            self.reason.setItemData(self.reason.count() - 1, REASON_TIPS[reason], Qt.ItemDataRole.ToolTipRole)
        self.class_id = _choice("disagreements.class", "Class", "any class")
        self.of_size = _choice("disagreements.size", "Size", "any size")
        for place, text in enumerate(SIZES):
            self.of_size.addItem(text, place)
        self._boxes = (self.kind, self.reason, self.class_id, self.of_size)
        self.text = QLineEdit()
        self.text.setObjectName("disagreements.text")
        self.text.setPlaceholderText("Filter: person small gone 124")
        self.text.setClearButtonEnabled(True)
        self.text.setMinimumWidth(56)
        self.text.setAccessibleName("Filter by words")
        self.text.setToolTip(
            "Words that stand in the class, kind, reason or size, or begin the frame's number."
        )
        self.clear = QPushButton("Clear")
        self.clear.setObjectName("disagreements.clear")
        self.clear.setToolTip("Shows every disagreement again.")
        self.clear.setVisible(False)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(4)
        for box in self._boxes:
            line.addWidget(box, 2)
            box.currentIndexChanged.connect(self._tell)
        line.addWidget(self.text, 3)
        line.addWidget(self.clear)
        self.text.textChanged.connect(self._tell)
        self.clear.clicked.connect(self.clear_all)

    def chosen(self, display: Display) -> Filter:
        """What passes, with the classes and sizes that the window shows."""
        sizes = frozenset(place for place, size in enumerate(SIZES) if size in display.sizes)
        return Filter(
            kind=self.kind.currentData(),
            reason=self.reason.currentData(),
            class_id=self.class_id.currentData(),
            size=self.of_size.currentData(),
            classes=display.classes,
            sizes=None if len(sizes) == len(SIZES) else sizes,
            text=self.text.text(),
        )

    def clear_all(self) -> None:
        """Lets everything pass."""
        for box in self._boxes:
            with QSignalBlocker(box):
                box.setCurrentIndex(0)
        with QSignalBlocker(self.text):
            self.text.clear()
        self._tell()

    def toggle(self, kind: int, reason: int) -> None:
        """That kind and reason alone; where they are chosen already, all."""
        again = (self.kind.currentData(), self.reason.currentData()) == (kind, reason)
        for box, value in ((self.kind, kind), (self.reason, reason)):
            with QSignalBlocker(box):
                box.setCurrentIndex(0 if again else box.findData(value))
        self._tell()

    def offer_classes(self, table: DisagreementTable, names: Sequence[str]) -> None:
        """Offers the classes that the table has, with their counts, the most frequent first; the choice stays."""
        counts = np.bincount(table.class_id) if len(table) else np.zeros(0, np.int64)
        offered = [
            (f"{class_name(names, int(index))}  {int(counts[index]):,}", int(index))
            for index in sorted(np.flatnonzero(counts), key=lambda index: -counts[index])
        ]
        box, chosen = self.class_id, self.class_id.currentData()
        with QSignalBlocker(box):
            for place, (text, index) in enumerate(offered, start=1):
                if place == box.count():
                    box.addItem("")
                box.setItemText(place, text)
                box.setItemData(place, index)
            while box.count() > len(offered) + 1:
                box.removeItem(box.count() - 1)
            box.setCurrentIndex(0 if chosen is None else max(0, box.findData(chosen)))

    def _tell(self) -> None:
        chosen = any(box.currentIndex() > 0 for box in self._boxes) or bool(self.text.text())
        self.clear.setVisible(chosen)
        self.changed.emit()


def _choice(name: str, title: str, anything: str) -> QComboBox:
    box = QComboBox()
    box.setObjectName(name)
    box.setAccessibleName(title)
    box.setToolTip(f"Shows one {title.lower()} only.")
    box.addItem(anything, None)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    # A choice of a class is as long as its name; what is chosen by default is never cut.
    box.setMinimumContentsLength(7)
    box.view().setMinimumWidth(180)
    return box
