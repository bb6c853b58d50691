"""A bar of the reasons' shares: what is missed, then what is extra, each by why; a click filters by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QToolTip, QWidget

from trtviewer.compare.matched_video import EXTRA, MISSED
from trtviewer.compare.matching import Reason
from trtviewer.gui.docks.disagreement_rows import KIND_WORDS, REASON_TIPS
from trtviewer.gui.docks.figures import share
from trtviewer.gui.panes.marks import REASON_WORDS
from trtviewer.gui.theme import DARK, Theme, contrast

ORDER = (Reason.GONE, Reason.BELOW_CONFIDENCE, Reason.SUPPRESSED, Reason.MOVED, Reason.CLASS_CHANGED)
"""From what only the layers can mend to what a slider can."""

_STRENGTH = {
    Reason.GONE: 1.0,
    Reason.BELOW_CONFIDENCE: 0.72,
    Reason.SUPPRESSED: 0.54,
    Reason.MOVED: 0.4,
    Reason.CLASS_CHANGED: 0.28,
}
_KEYS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter)
"""Keys that the bar uses itself while it has the focus."""

_GROUP_GAP = 6
_LEAST_WIDTH = 4


@dataclass(frozen=True, slots=True)
class Segment:
    """One reason of one kind: `kind` as in `DisagreementTable`, `count` of it, and its share of all."""

    kind: int
    reason: Reason
    count: int
    share: float


class ReasonBar(QWidget):
    """Shows the shares; a segment is chosen by a click, or by the arrow keys and Space.

    Signals:
        toggled(Segment): a segment was clicked.
    """

    toggled = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("disagreements.reasons")
        self.setAccessibleName("Reasons, a bar of their shares")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self._theme: Theme = DARK
        self._segments: tuple[Segment, ...] = ()
        self._chosen: tuple[int | None, int | None] = (None, None)
        self._current = 0
        self._hovered = -1

    def sizeHint(self) -> QSize:
        return QSize(400, self.fontMetrics().height() + 8)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, self.fontMetrics().height() + 8)

    @property
    def segments(self) -> tuple[Segment, ...]:
        """What is shown, from the left."""
        return self._segments

    def show_counts(self, missed: Mapping[str, int], extra: Mapping[str, int]) -> None:
        """Shows other counts, by `Reason.key`."""
        total = sum(missed.values()) + sum(extra.values())
        self._segments = tuple(
            Segment(kind, reason, counts[reason.key], counts[reason.key] / total)
            for kind, counts in ((MISSED, missed), (EXTRA, extra))
            for reason in ORDER
            if counts.get(reason.key)
        )
        self._current = min(self._current, max(0, len(self._segments) - 1))
        self.update()

    def set_chosen(self, kind: int | None, reason: int | None) -> None:
        """Which segments the table shows; the others are dimmed."""
        if (kind, reason) != self._chosen:
            self._chosen = (kind, reason)
            self.update()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def place(self, index: int) -> QRectF:
        """Where a segment is painted."""
        return self._places()[index]

    def _places(self) -> list[QRectF]:
        """Widths by share, but none too narrow to be clicked; missed and extra are set apart."""
        if not self._segments:
            return []
        gaps = [1.0] * len(self._segments)
        for index in range(1, len(self._segments)):
            if self._segments[index].kind != self._segments[index - 1].kind:
                gaps[index - 1] = _GROUP_GAP
        gaps[-1] = 0
        room = max(1.0, self.width() - sum(gaps))
        widths = [max(_LEAST_WIDTH, segment.share * room) for segment in self._segments]
        scale = room / sum(widths)
        places, left = [], 0.0
        for width, gap in zip(widths, gaps, strict=True):
            places.append(QRectF(left, 0, width * scale, self.height()))
            left += width * scale + gap
        return places

    def _fill(self, segment: Segment) -> QColor:
        """The meaning's colour, fainter for what is easier to mend."""
        strong = self._theme.color("missed" if segment.kind == MISSED else "extra")
        ground, amount = self._theme.color("surface"), _STRENGTH[segment.reason]
        return QColor(
            *(
                round(ground_part + (strong_part - ground_part) * amount)
                for strong_part, ground_part in zip(strong.getRgb()[:3], ground.getRgb()[:3], strict=True)
            )
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            for index, (segment, place) in enumerate(zip(self._segments, self._places(), strict=True)):
                self._paint_segment(painter, index, segment, place)

    def _paint_segment(self, painter: QPainter, index: int, segment: Segment, place: QRectF) -> None:
        kind, reason = self._chosen
        dimmed = (kind is not None and kind != segment.kind) or (
            reason is not None and reason != segment.reason
        )
        fill = self._fill(segment)
        if index == self._hovered:
            fill = fill.lighter(112)
        painter.setOpacity(0.35 if dimmed else 1.0)
        painter.fillRect(place, fill)
        dark, light = "#101214", "#ffffff"
        name = fill.name()
        painter.setPen(QColor(dark if contrast(dark, name) >= contrast(light, name) else light))
        text = self._text(segment, place.width() - 10)
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)
        painter.setOpacity(1.0)
        if self.hasFocus() and index == self._current:
            painter.setPen(QPen(self._theme.color("text"), 2))
            painter.drawRect(place.adjusted(1, 1, -1, -1))

    def _text(self, segment: Segment, width: float) -> str:
        """As much as fits."""
        words = REASON_WORDS[segment.reason]
        for text in (f"{words}  {segment.count:,}", f"{segment.count:,}"):
            if self.fontMetrics().horizontalAdvance(text) <= width:
                return text
        return ""

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            index = self._at(event.pos().x())
            if index >= 0:
                QToolTip.showText(event.globalPos(), self.tip(index), self)
            return True
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() in _KEYS
        ):
            event.accept()
            return True
        return super().event(event)

    def tip(self, index: int) -> str:
        """What a segment stands for, in a sentence."""
        segment = self._segments[index]
        return (
            f"{KIND_WORDS[segment.kind]}, {REASON_WORDS[segment.reason]}: {segment.count:,} ({share(segment.share)}); "
            f"{REASON_TIPS[segment.reason]}"
        )

    def _at(self, x: float) -> int:
        for index, place in enumerate(self._places()):
            if place.left() <= x < place.right():
                return index
        return -1

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        hovered = self._at(event.position().x())
        if hovered != self._hovered:
            self._hovered = hovered
            self.setCursor(Qt.CursorShape.PointingHandCursor if hovered >= 0 else Qt.CursorShape.ArrowCursor)
            self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._hovered = -1
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self._at(event.position().x())
        if event.button() == Qt.MouseButton.LeftButton and index >= 0:
            self._current = index
            self.toggled.emit(self._segments[index])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if not self._segments:
            super().keyPressEvent(event)
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            step = 1 if key == Qt.Key.Key_Right else -1
            self._current = min(max(0, self._current + step), len(self._segments) - 1)
            self.update()
        elif key in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.toggled.emit(self._segments[self._current])
        else:
            super().keyPressEvent(event)
