"""The small parts that docks are made of: buttons with a name and a tip, sentences that give way, rows, and their sides."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLayout,
    QMenu,
    QSizePolicy,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from trtviewer.gui.docks.figures import tabular
from trtviewer.gui.theme import Theme

SIDE_WIDTH = 228
"""Of the column at a dock's right that says what is to be done."""
NARROWEST = 560

Button = TypeVar("Button", bound=QAbstractButton)
Part = QWidget | QLayout


def button(made: Button, name: str, words: str, tip: str, pressed: Callable[..., object]) -> Button:
    """The button with its object name, its words and what it does."""
    made.setObjectName(name)
    made.setText(words)
    made.setToolTip(tip)
    made.clicked.connect(pressed)
    return made


def toggle(name: str, words: str, tip: str, pressed: Callable[[bool], object]) -> QToolButton:
    """A button that stays down."""
    made = button(QToolButton(), name, words, tip, pressed)
    made.setCheckable(True)
    return made


def menu_button(name: str, words: str, tip: str) -> tuple[QToolButton, QMenu]:
    """A button that opens a menu."""
    made = QToolButton()
    made.setObjectName(name)
    made.setText(f"{words} ▾")
    made.setToolTip(tip)
    made.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    menu = QMenu(made)
    made.setMenu(menu)
    return made, menu


def choice(name: str, title: str, tip: str, least: int) -> QComboBox:
    """A list to choose from that may be as narrow as `least` letters."""
    made = QComboBox()
    made.setObjectName(name)
    made.setAccessibleName(title)
    made.setToolTip(tip)
    made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    made.setMinimumContentsLength(least)
    return made


def count_box(name: str, title: str, most: int, value: int) -> QSpinBox:
    """How many, from 1 to `most`."""
    made = QSpinBox()
    made.setObjectName(name)
    made.setAccessibleName(title)
    made.setRange(1, most)
    made.setValue(value)
    made.setAlignment(Qt.AlignmentFlag.AlignRight)
    tabular(made)
    return made


def sentence_label(name: str, *, wrap: bool = False) -> QLabel:
    """Words that take what room is left, and ask for none."""
    made = QLabel()
    made.setObjectName(name)
    made.setWordWrap(wrap)
    made.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return made


def empty_label(name: str) -> QLabel:
    """What stands in the middle while there is nothing to show."""
    made = QLabel()
    made.setObjectName(name)
    made.setAlignment(Qt.AlignmentFlag.AlignCenter)
    made.setWordWrap(True)
    return made


def warn(label: QLabel, *, bad: bool) -> None:
    """Gives the words the colour of a warning, or takes it away."""
    label.setProperty("role", "warning" if bad else "")
    label.style().polish(label)


def fade(theme: Theme, *labels: QLabel) -> None:
    """Gives the words the theme's faint colour."""
    for label in labels:
        label.setStyleSheet(f"color: {theme.faint};")


def row(parts: Iterable[Part], *, wide: Part | None = None, spacing: int = 4) -> QHBoxLayout:
    """The parts beside each other; `wide` takes what is left."""
    return _fill(QHBoxLayout(), parts, wide, spacing)


def column(parts: Iterable[Part], *, tall: Part | None = None, spacing: int = 4) -> QVBoxLayout:
    """The parts under each other; `tall` takes what is left, or else nothing does."""
    made = _fill(QVBoxLayout(), parts, tall, spacing)
    if tall is None:
        made.addStretch(1)
    return made


def lay_out(dock: QWidget, parts: Iterable[Part], tall: Part) -> None:
    """The parts of a whole dock, under each other."""
    made = column(parts, tall=tall)
    made.setContentsMargins(8, 4, 8, 4)
    dock.setLayout(made)
    dock.setMinimumWidth(NARROWEST)


def lay_out_beside(dock: QWidget, parts: Iterable[Part], tall: Part, side: Iterable[Part]) -> QWidget:
    """The parts of a dock under each other, and at their right what is to be done, which is given back."""
    acts = QWidget()
    acts.setFixedWidth(SIDE_WIDTH)
    acts.setLayout(column(side))
    shows = column(parts, tall=tall, spacing=2)
    made = row((shows, acts), wide=shows, spacing=12)
    made.setContentsMargins(8, 4, 8, 4)
    dock.setLayout(made)
    dock.setMinimumWidth(NARROWEST)
    return acts


Box = TypeVar("Box", QHBoxLayout, QVBoxLayout)


def _fill(box: Box, parts: Iterable[Part], stretched: Part | None, spacing: int) -> Box:
    box.setContentsMargins(0, 0, 0, 0)
    box.setSpacing(spacing)
    for part in parts:
        if isinstance(part, QLayout):
            box.addLayout(part, 1 if part is stretched else 0)
        else:
            box.addWidget(part, 1 if part is stretched else 0)
    return box
