"""Words that keep to their room: digits of one width, names that shorten, sentences that are set smaller before they are cut."""

from __future__ import annotations

import re
from collections.abc import Sequence

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

_UNBROKEN = 20
"""From this many characters on a word without a space is broken, where no line could hold it."""


def tabular(font: QFont) -> QFont:
    """The same font with digits of one width, so that figures do not dance."""
    made = QFont(font)
    try:
        made.setFeature(QFont.Tag("tnum"), 1)
    except (
        AttributeError,
        TypeError,
    ):  # Qt before 6.7 has no font features; the usual fonts are tabular anyway
        return made
    return made


class Elided(QLabel):
    """A label that shortens its text instead of asking for room; the tip has the whole, and what else is to be said of it."""

    def __init__(
        self, parent: QWidget | None = None, mode: Qt.TextElideMode = Qt.TextElideMode.ElideMiddle
    ) -> None:
        super().__init__(parent)
        self._whole = ""
        self._mode = mode
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def set_whole(self, text: str, note: str = "") -> None:
        self._whole = text
        self.setToolTip(f"{text}\n{note}" if note else text)
        self._fit()

    @property
    def whole(self) -> str:
        return self._whole

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        room = self.width() - max(0, self.indent())
        self.setText(self.fontMetrics().elidedText(self._whole, self._mode, room))


class Fitted(QLabel):
    """Sentences in a room of so many lines, whatever they say: set smaller rather than cut, cut only where even that is too long.

    What is cut is whole in the tip. Nothing under it jumps: its height stays that of `lines` in the largest type.

    Args:
        scales: of the parent's type, from the largest.
    """

    def __init__(self, scales: Sequence[float], lines: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scales = tuple(scales)
        self._lines = lines
        self._whole = ""
        self._note = ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._base = QFont(self.font())
        self.set_weight(QFont.Weight.Normal)

    def set_weight(self, weight: QFont.Weight) -> None:
        self._base.setWeight(weight)
        self.setFixedHeight(QFontMetrics(self._type(self._scales[0])).lineSpacing() * self._lines + 4)
        self._fit()

    def set_whole(self, text: str, note: str = "") -> None:
        """Shows `text`; `note` is what the tip says besides."""
        if (text, note) != (self._whole, self._note):
            self._whole, self._note = text, note
            self._fit()

    @property
    def whole(self) -> str:
        return self._whole

    def minimumSizeHint(self) -> QSize:
        return QSize(0, self.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        shown = breakable(self._whole)
        for scale in self._scales:
            font = self._type(scale)
            if self._fits(font, shown):
                break
        else:
            shown = self._cut(font, shown)
        self.setFont(font)
        self.setText(shown)
        cut = self._whole if shown.endswith("…") else ""
        self.setToolTip("\n".join(words for words in (cut, self._note) if words))

    def _cut(self, font: QFont, text: str) -> str:
        """As many words as there is room for."""
        words = text.split(" ")
        fewest, most = 0, len(words) - 1
        while fewest < most:
            middle = (fewest + most + 1) // 2
            if self._fits(font, " ".join(words[:middle]) + " …"):
                fewest = middle
            else:
                most = middle - 1
        return " ".join((*words[:fewest], "…"))

    def _fits(self, font: QFont, text: str) -> bool:
        room = QRect(0, 0, self.width(), 10_000)
        needed = QFontMetrics(font).boundingRect(room, Qt.TextFlag.TextWordWrap, text)
        return needed.height() <= self.height() and needed.width() <= self.width()

    def _type(self, scale: float) -> QFont:
        font = QFont(self._base)
        font.setPointSizeF(self._base.pointSizeF() * scale)
        return font


def breakable(text: str) -> str:
    """The same words, with places where a very long one (an output's name) may go on in the next line."""
    return re.sub(rf"\S{{{_UNBROKEN},}}", lambda found: _with_breaks(found[0]), text)


def _with_breaks(word: str) -> str:
    parts = re.findall(rf"[^/_.:\-]{{1,{_UNBROKEN}}}[/_.:\-]*|[/_.:\-]+", word)
    return "\u200b".join(parts)
