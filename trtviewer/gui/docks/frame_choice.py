"""Which frames a dock works on: how many, and which of the video."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QWidget

from trtviewer.gui.docks.parts import count_box, row
from trtviewer.gui.view_model import ViewModel
from trtviewer.gui.what_if.recipe import Part
from trtviewer.sources.source import spread

MOST = 64
"""Frames whose pictures and outputs are kept while variants are judged on them."""


class Choice(StrEnum):
    """Which frames."""

    SPREAD = "spread out"
    WORST = "the worst"
    HERE = "from here"


TIPS = {
    Choice.SPREAD: "Evenly from the first to the last frame of the video.",
    Choice.WORST: "Those with the most missed and extra objects, of what is analysed; else spread.",
    Choice.HERE: "The frame that is shown and those after it.",
}


class FrameChoice(QWidget):
    """A number and a choice; `part()` gives the frames, None while nothing is open.

    Signals: changed().
    """

    changed = Signal()

    def __init__(self, view_model: ViewModel, name: str, frames: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view_model = view_model
        self.count = count_box(f"{name}.frames", "Number of frames", MOST, frames)
        self.count.setSuffix(" frames")
        self.choice = QComboBox(self)
        self.choice.setObjectName(f"{name}.which")
        self.choice.setAccessibleName("Which frames")
        for choice in Choice:
            self.choice.addItem(choice.value, choice)
            self.choice.setItemData(self.choice.count() - 1, TIPS[choice], Qt.ItemDataRole.ToolTipRole)
        self.setLayout(row((self.count, self.choice), wide=self.choice))
        self.count.valueChanged.connect(lambda _: self.changed.emit())
        self.choice.currentIndexChanged.connect(lambda _: self.changed.emit())

    def part(self) -> Part | None:
        """The frames that are meant now."""
        source = self._view_model.source
        if source is None or source.length is None:
            return None
        return Part(source.address, self._frames(source.length))

    def _frames(self, length: int) -> tuple[int, ...]:
        count, choice = self.count.value(), Choice(self.choice.currentData())
        if choice is Choice.HERE:
            start = min(self._view_model.position.frame_index, length - 1)
            return tuple(range(start, min(length, start + count)))
        video = self._view_model.matched_video
        if choice is Choice.WORST and video is not None and len(video.frame_index):
            bad = video.missed + video.extra
            order = np.lexsort((video.frame_index, -bad))[:count]
            return tuple(sorted(int(index) for index in video.frame_index[order]))
        return spread(length, count)
