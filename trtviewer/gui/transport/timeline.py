"""The whole video as one strip: missed upwards, extra downwards, error as a colour; click or drag to go there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from trtviewer.gui.view_model import Position, Requests, Thumbnail, ViewModel

BAND = 5
"""Height of the error's band, in pixels."""
STALE_OPACITY = 0.45
TOP = 8
"""Room above the strip, for the head of the position's line."""
PLAYHEAD = 8
"""Width of that head, in pixels."""
EDGE = 6
"""Room at both ends, so that the first and the last frame can be hit."""


class Columns:
    """The analysed frames as pixel columns: of the frames that fall into one, the worst counts."""

    def __init__(self, width: int) -> None:
        self.known = np.zeros(width, np.float32)
        self.missed = np.zeros(width, np.float32)
        self.extra = np.zeros(width, np.float32)
        self.error = np.full(width, np.nan, np.float32)

    @staticmethod
    def of(
        width: int,
        length: int,
        frame_index: NDArray[np.int32],
        missed: NDArray[np.int32],
        extra: NDArray[np.int32],
        error: NDArray[np.float32],
    ) -> Columns:
        made = Columns(width)
        if not len(frame_index) or width < 1:
            return made
        first = (frame_index.astype(np.int64) * width) // length
        last = np.maximum(first, ((frame_index.astype(np.int64) + 1) * width - 1) // length)
        # A frame wider than a pixel fills all of its columns.
        counts = last - first + 1
        rows = np.repeat(np.arange(len(frame_index)), counts)
        offsets = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        columns = np.clip(first[rows] + offsets, 0, width - 1)
        made.known[columns] = 1
        np.maximum.at(made.missed, columns, missed[rows].astype(np.float32))
        np.maximum.at(made.extra, columns, extra[rows].astype(np.float32))
        finite = np.isfinite(error[rows])
        filled = np.full(width, -1, np.float32)
        np.maximum.at(filled, columns[finite], error[rows][finite])
        made.error = np.where(filled >= 0, filled, np.nan).astype(np.float32)
        return made


class Timeline(QWidget):
    """Paints the strip once for each change of its data; the position is a line over that picture."""

    def __init__(self, view_model: ViewModel, requests: Requests, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("timeline")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Timeline of disagreements")
        self._model = view_model
        self._requests = requests
        self._strip: QPixmap | None = None
        self._dragging = False
        self._loop_from: int | None = None
        self._hover: int | None = None
        self._painted_at = 0
        self._preview = Preview(self)
        view_model.matched_video_changed.connect(self._data_changed)
        view_model.source_changed.connect(self._source_changed)
        view_model.theme_changed.connect(self._data_changed)
        view_model.settings_changed.connect(lambda _: self.update())
        view_model.position_changed.connect(self._position_changed)
        view_model.playing_changed.connect(lambda _: self.update())
        view_model.thumbnail_changed.connect(self._thumbnail_changed)

    @property
    def length(self) -> int:
        source = self._model.source
        return (source.length or 0) if source is not None else 0

    def sizeHint(self) -> QSize:
        return QSize(400, 48)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 44)

    # Places -------------------------------------------------------------------------------------------------------

    def frame_at(self, x: float) -> int:
        room = max(1, self.width() - 2 * EDGE)
        return min(self.length - 1, max(0, int((x - EDGE) * self.length / room)))

    def x_of(self, frame_index: float) -> float:
        return EDGE + (frame_index + 0.5) * (self.width() - 2 * EDGE) / max(1, self.length)

    # Painting -----------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._model.theme
        with QPainter(self) as painter:
            if not self.length:
                painter.setPen(theme.color("faint"))
                words = "A camera has no timeline" if self._model.source is not None else ""
                painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, words)
                return
            if self._strip is None:
                self._strip = self._paint_strip()
            video = self._model.matched_video
            if video is not None and video.settings != self._model.settings:
                # Of the thresholds before; the strip is full again once the video is matched at those of now.
                painter.setOpacity(STALE_OPACITY)
            painter.drawPixmap(EDGE, TOP, self._strip)
            painter.setOpacity(1.0)
            self._paint_loop(painter)
            if self._hover is not None:
                painter.setPen(QPen(theme.color("faint"), 1, Qt.PenStyle.DotLine))
                x = self.x_of(self._hover)
                painter.drawLine(round(x), 2, round(x), self.height() - 2)
            x = self.x_of(self._model.position.frame_index)
            self._painted_at = round(x)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(theme.color("background"), 4))
            painter.drawLine(round(x), 1, round(x), self.height() - 1)
            painter.setPen(QPen(theme.color("text"), 2))
            painter.drawLine(round(x), 1, round(x), self.height() - 1)
            painter.setBrush(theme.color("text"))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.drawRoundedRect(QRectF(x - PLAYHEAD / 2, 0, PLAYHEAD, 7), 2, 2)
            if self.hasFocus():
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(QPen(theme.color("accent"), 1))
                painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)

    def _paint_strip(self) -> QPixmap:
        """The whole strip as an array of colours, column by column; a square root keeps one miss visible beside ten."""
        theme, ratio = self._model.theme, self.devicePixelRatioF()
        width = max(1, round((self.width() - 2 * EDGE) * ratio))
        height = max(4, round((self.height() - TOP) * ratio))
        band, gap = round(BAND * ratio), round(2 * ratio)
        bars = height - band - gap
        middle = round(bars * 0.6)
        video = self._model.matched_video
        if video is None:
            columns = Columns(width)
        else:
            columns = Columns.of(
                width, self.length, video.frame_index, video.missed, video.extra, video.error
            )
        y, x = np.arange(bars)[:, None], np.arange(width)[None, :]
        pixels = np.zeros((height, width), np.uint32)
        strip = pixels[:bars]
        strip[:] = theme.color("background").rgba()
        # What is not analysed yet is hatched: an empty place means that the two agree there.
        step = round(6 * ratio)
        strip[((x + y) % step < ratio) & (columns.known == 0)] = theme.color("line").rgba()
        strip[middle] = theme.color("line").rgba()
        most_missed = max(3.0, float(columns.missed.max(initial=0)))
        most_extra = max(2.0, float(columns.extra.max(initial=0)))
        least = 2 * ratio
        up = np.where(
            columns.missed > 0, np.maximum(least, middle * np.sqrt(columns.missed / most_missed)), 0
        )
        down = (bars - middle - 1) * np.sqrt(columns.extra / most_extra)
        down = np.where(columns.extra > 0, np.maximum(least, down), 0)
        strip[(y < middle) & (y >= middle - up)] = theme.color("missed").rgba()
        strip[(y > middle) & (y <= middle + down)] = theme.color("extra").rgba()
        pixels[height - band :] = _error_colours(columns.error)
        image = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_ARGB32)
        image.setDevicePixelRatio(ratio)
        return QPixmap.fromImage(image.copy())

    def _paint_loop(self, painter: QPainter) -> None:
        loop = self._model.playing.loop
        if loop is None:
            return
        accent = self._model.theme.color("accent")
        left, right = self.x_of(loop[0]), self.x_of(loop[1])
        shade = QColor(accent)
        shade.setAlpha(46)
        painter.fillRect(QRectF(left, 7, right - left, self.height() - 8), shade)
        painter.setPen(QPen(accent, 2))
        for x in (left, right):
            painter.drawLine(round(x), 7, round(x), self.height() - 1)

    # Mouse and keys -----------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or not self.length:
            return
        frame = self.frame_at(event.position().x())
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._loop_from = frame
        else:
            self._dragging = True
            self._requests.seek.emit(frame)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if not self.length:
            return
        frame = self.frame_at(event.position().x())
        if self._loop_from is not None:
            self._set_loop(self._loop_from, frame)
        elif self._dragging:
            self._requests.seek.emit(frame)
        if frame != self._hover:
            self._hover = frame
            self._requests.thumbnail.emit(frame)
            self._place_preview()
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._loop_from is not None and self.frame_at(event.position().x()) == self._loop_from:
            self._set_loop(None, None)
        self._dragging = False
        self._loop_from = None

    def leaveEvent(self, event: QEvent) -> None:
        self._hover = None
        self._preview.hide()
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: self.length - 1,
            Qt.Key.Key_PageUp: self._model.position.frame_index - max(1, self.length // 20),
            Qt.Key.Key_PageDown: self._model.position.frame_index + max(1, self.length // 20),
        }
        if event.key() in steps and self.length:
            self._requests.seek.emit(min(self.length - 1, max(0, steps[Qt.Key(event.key())])))
        else:
            super().keyPressEvent(event)

    def _set_loop(self, one: int | None, other: int | None) -> None:
        from dataclasses import replace

        loop = None if one is None or other is None or one == other else (min(one, other), max(one, other))
        self._model.set_playing(replace(self._model.playing, loop=loop))

    # Changes ------------------------------------------------------------------------------------------------------

    def _position_changed(self, position: Position) -> None:
        """Paints only where the playhead was and is, and nothing where it did not move by a pixel."""
        there = round(self.x_of(position.frame_index))
        if there != self._painted_at:
            for x in (self._painted_at, there):
                self.update(x - PLAYHEAD // 2 - 1, 0, PLAYHEAD + 2, self.height())

    def _data_changed(self, *_: object) -> None:
        self._strip = None
        self.update()

    def _source_changed(self, *_: object) -> None:
        self._preview.forget()
        self._data_changed()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._strip = None

    def _thumbnail_changed(self, thumbnail: Thumbnail | None) -> None:
        if thumbnail is not None and self._hover is not None:
            self._preview.set_picture(thumbnail)
            self._place_preview()

    def _place_preview(self) -> None:
        if self._hover is None or not self.isVisible():
            return
        self._preview.set_words(self._words(self._hover))
        size = self._preview.sizeHint()
        at = self.mapTo(self.window(), QPoint(round(self.x_of(self._hover)), 0))
        x = min(max(4, at.x() - size.width() // 2), self.window().width() - size.width() - 4)
        self._preview.setGeometry(QRect(QPoint(x, at.y() - size.height() - 6), size))
        self._preview.show()
        self._preview.raise_()

    def _words(self, frame: int) -> str:
        video = self._model.matched_video
        words = f"Frame {frame}"
        if video is not None:
            rows = np.flatnonzero(video.frame_index == frame)
            if len(rows):
                row = int(rows[0])
                missed, extra = int(video.missed[row]), int(video.extra[row])
                words += f": {missed} missed, {extra} extra" if missed or extra else ": all matched"
            else:
                words += ": not analysed"
        return words


class Preview(QFrame):
    """The thumbnail over the strip; a child of the window, so that it takes no focus and no other window."""

    def __init__(self, timeline: Timeline) -> None:
        super().__init__(timeline.window())
        self._timeline = timeline
        self.setObjectName("timeline.preview")
        self.setProperty("role", "popup")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.picture = QLabel(self)
        self.words = QLabel(self)
        self.words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.setSpacing(4)
        column.addWidget(self.picture)
        column.addWidget(self.words)
        self.hide()

    def set_picture(self, thumbnail: Thumbnail) -> None:
        pixels = thumbnail.pixels
        height, width = pixels.shape[:2]
        image = QImage(pixels.data, width, height, pixels.strides[0], QImage.Format.Format_RGB32)
        self.picture.setPixmap(QPixmap.fromImage(image.copy()))

    def set_words(self, words: str) -> None:
        if self.parentWidget() is not self._timeline.window():
            self.setParent(self._timeline.window())
        self.words.setText(words)

    def forget(self) -> None:
        self.picture.clear()
        self.hide()


def _error_colours(error: NDArray[np.float32]) -> NDArray[np.uint32]:
    """The error of each column from dark to light (cividis), on a log scale from the least to the greatest; 0 where unknown."""
    colours = np.zeros(len(error), np.uint32)
    known = np.isfinite(error) & (error > 0)
    if known.any():
        logs = np.log(error[known])
        least, most = float(logs.min()), float(logs.max())
        share = (logs - least) / max(most - least, 1e-9) if most - least > 0.05 else np.full(len(logs), 0.3)
        colours[known] = CIVIDIS[np.clip(share * 255, 0, 255).astype(np.uint8)]
    return colours


def _cividis() -> NDArray[np.uint32]:
    """Cividis (Nunez, Anderton, Renslow 2018), from nine of its colours."""
    stops = np.array(
        [
            (0, 32, 76), (0, 48, 111), (57, 72, 107), (87, 93, 109), (112, 113, 115),
            (138, 134, 120), (166, 157, 117), (196, 181, 108), (255, 234, 70),
        ],
        np.float64,
    )  # fmt: skip
    at = np.linspace(0, 8, 256)
    red, green, blue = (
        np.interp(at, np.arange(9), stops[:, channel]).astype(np.uint32) for channel in range(3)
    )
    return (np.uint32(0xFF000000) | (red << 16) | (green << 8) | blue).astype(np.uint32)


CIVIDIS = _cividis()
