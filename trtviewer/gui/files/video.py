"""A range of the video as MP4: both sides beside each other with their boxes, as the panes paint them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QImage, QPainter

from trtviewer.atomic import whole_file
from trtviewer.compare.frame_comparison import FrameComparison
from trtviewer.compare.settings import CompareSettings
from trtviewer.errors import BadInput, Cancelled, MissingRuntime
from trtviewer.gui.files.picture import LEGEND
from trtviewer.gui.panes.labels import LabelFont, LabelPictures, place
from trtviewer.gui.panes.layer import Sheet, paint_layer
from trtviewer.gui.panes.marks import comparison_marks
from trtviewer.gui.panes.render import cut
from trtviewer.gui.panes.viewport import FIT, mapping
from trtviewer.gui.theme import BOX_STYLES, Theme
from trtviewer.gui.view_model import Display
from trtviewer.models.spec import ModelSpec
from trtviewer.sources.source import FrameRange

SIDES = ("reference", "candidate")
HEAD = 36
FOOT = 36
GAP = 4
READABLE_HEIGHT = 540
"""Pixels of a picture's height in which words of the window's size are read well."""
PICTURES_A_SECOND = 2.0
"""How fast pictures that have no time of their own are shown."""

_CLOCK = 90_000
"""Ticks a second of the written video: every usual rate, and every frame of a variable one, falls on a tick."""


@dataclass(frozen=True, slots=True)
class VideoRequest:
    """All that an export needs.

    Attributes:
        path: where the video is written.
        source: the address of the source.
        frames: which of its frames.
        models: the spec of the reference and of the candidate.
        titles: what is written over each side.
        pane: height and width of each side's picture.
        settings, display, theme: as the window shows them.
    """

    path: Path
    source: str
    frames: FrameRange
    models: tuple[ModelSpec, ModelSpec]
    titles: tuple[str, str]
    pane: tuple[int, int]
    settings: CompareSettings
    display: Display
    theme: Theme
    font: QFont = field(default_factory=QFont, compare=False)


def write_video(
    request: VideoRequest,
    progress: Callable[[int, int | None], None] = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> int:
    """Runs both models over the range and writes the video, whole or not at all.

    Args:
        progress: gets the frames done and in all, after each.
        cancelled: looked at between frames.

    Returns: the number of frames written.

    Raises:
        Cancelled: nothing is left behind.
        BadInput: the source cannot be read, a model fails, the range is empty, or the file cannot be written.
        MissingRuntime: this FFmpeg has no H.264 encoder, or a model's runtime is missing.
    """
    from trtviewer.pipeline.analysis import comparisons
    from trtviewer.pipeline.pair import open_pair
    from trtviewer.sources.address import open_source

    with (
        whole_file(request.path) as temporary,
        open_source(request.source) as source,
        open_pair(*request.models) as pair,
        _Writer(temporary, frame_size(request), request.path) as writer,
    ):
        total = request.frames.size(source.length)
        sheet = sheet_of(request)
        pictures = LabelPictures()
        found = comparisons(source, request.frames, pair, request.settings, cancelled)
        for comparison in found:
            seconds = comparison.frame.time_s if source.rate is not None else writer.count / PICTURES_A_SECOND
            writer.add(compose(comparison, request, sheet, pictures), seconds)
            progress(writer.count, total)
        if cancelled():
            raise Cancelled("the export was cancelled")
        if not writer.count:
            raise BadInput(
                "has no frame in this range", subject=request.source, advice="choose another range"
            )
        writer.finish()
        return writer.count


def frame_size(request: VideoRequest) -> tuple[int, int]:
    """Height and width of the written video; even, as H.264 wants them."""
    (height, width), ratio = request.pane, _ratio(request)
    return _even(height + (HEAD + FOOT) * ratio), _even(2 * width + GAP * ratio)


def sheet_of(request: VideoRequest) -> Sheet:
    """What each side is painted on."""
    (height, width), ratio = request.pane, _ratio(request)
    return Sheet((width / ratio, height / ratio), float(ratio), LabelFont.of(request.font))


def _ratio(request: VideoRequest) -> int:
    """How much larger words and lines are written, so that they are read where a large video is shown scaled down."""
    return max(1, round(request.pane[0] / READABLE_HEIGHT))


def compose(
    comparison: FrameComparison, request: VideoRequest, sheet: Sheet, pictures: LabelPictures
) -> QImage:
    """One frame of the video: both sides under their titles, and the legend below. Needs no widget: any thread may call it."""
    height, width = frame_size(request)
    theme = request.theme
    made = QImage(width, height, QImage.Format.Format_RGB32)
    made.setDevicePixelRatio(sheet.ratio)
    made.fill(theme.color("surface"))
    whole, room = made.deviceIndependentSize(), QRectF(0, 0, *sheet.pane)
    with QPainter(made) as painter:
        painter.setFont(request.font)
        for index, side in enumerate(SIDES):
            left = index * (room.width() + GAP)
            painter.save()
            painter.translate(left, HEAD)
            painter.setClipRect(room)
            painter.fillRect(room, theme.color("canvas"))
            _paint_side(painter, comparison, side, request.display, sheet, pictures)
            painter.restore()
            _paint_title(painter, QRectF(left + 8, 0, room.width() - 16, HEAD), comparison, index, request)
        _paint_foot(painter, QRectF(8, whole.height() - FOOT, whole.width() - 16, FOOT), comparison, request)
    return made


def _paint_side(
    painter: QPainter,
    comparison: FrameComparison,
    side: str,
    display: Display,
    sheet: Sheet,
    pictures: LabelPictures,
) -> None:
    where = mapping(FIT, comparison.frame.size, QSizeF(*sheet.pane))
    pixels, corner, _ = cut(comparison.frame, where, sheet.pane, sheet.ratio, fine=True)
    at = where.to_pane(*corner)
    picture = _image(pixels)
    picture.setDevicePixelRatio(sheet.ratio)
    painter.drawImage(
        QPointF(round(at.x() * sheet.ratio) / sheet.ratio, round(at.y() * sheet.ratio) / sheet.ratio), picture
    )
    if not display.boxes:
        return
    marks = comparison_marks(comparison, side, display)
    labels = place(marks, where, sheet.pane, sheet.font) if display.labels else ()
    painter.drawImage(QPointF(0, 0), paint_layer(sheet, marks, labels, where, pictures))


def _paint_title(
    painter: QPainter, place_: QRectF, comparison: FrameComparison, index: int, request: VideoRequest
) -> None:
    """The model on the left, what it lacks or has too much on the right."""
    theme = request.theme
    count, word, role = (
        (comparison.missed, "missed by the candidate", "missed")
        if index == 0
        else (comparison.extra, "extra", "extra")
    )
    bold = QFont(request.font)
    bold.setWeight(QFont.Weight.DemiBold)
    painter.setFont(bold)
    painter.setPen(theme.color(role if count else "faint"))
    said = f"{count} {word}"
    room = QFontMetricsF(bold).horizontalAdvance(said) + 12
    painter.drawText(place_, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, said)
    painter.setPen(theme.color("text"))
    title = QFontMetricsF(bold).elidedText(
        f"{SIDES[index].capitalize()}   {request.titles[index]}",
        Qt.TextElideMode.ElideMiddle,
        max(0.0, place_.width() - room),
    )
    painter.drawText(place_, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, title)
    painter.setFont(request.font)


def _paint_foot(
    painter: QPainter, place_: QRectF, comparison: FrameComparison, request: VideoRequest
) -> None:
    """What the lines mean, and which frame it is; the thresholds where there is room."""
    theme, metrics = request.theme, QFontMetricsF(request.font)
    x = place_.left()
    for kind, words in LEGEND:
        if kind.endswith("_ghost"):
            continue
        painter.setPen(BOX_STYLES[kind].pen(_ratio(request)))
        painter.drawLine(QPointF(x, place_.center().y()), QPointF(x + 24, place_.center().y()))
        painter.setPen(theme.color("text"))
        painter.drawText(
            place_.adjusted(x + 30 - place_.left(), 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, words
        )
        x += 30 + metrics.horizontalAdvance(words) + 16
    settings, frame = request.settings, comparison.frame
    where = f"frame {frame.index}   {int(frame.time_s // 60)}:{frame.time_s % 60:04.1f}"
    long = (
        f"confidence {settings.confidence:g}   NMS IoU {settings.nms_iou:g}   "
        f"match IoU {settings.match_iou:g}   {where}"
    )
    fits = metrics.horizontalAdvance(long) <= place_.right() - x
    painter.setPen(theme.color("faint"))
    painter.drawText(
        place_, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, long if fits else where
    )


def _image(pixels: NDArray[np.uint8]) -> QImage:
    """Over the array's own memory: to be painted while the array is there."""
    height, width = pixels.shape[:2]
    return QImage(pixels.data, width, height, pixels.strides[0], QImage.Format.Format_RGB32)


class _Writer:
    """Encodes images as H.264 into an MP4; what is not finished is the caller's to remove."""

    def __init__(self, path: Path, size: tuple[int, int], subject: Path) -> None:
        self.count = 0
        self._path = path
        self._size = size
        self._subject = subject
        self._first_s: float | None = None
        self._last_tick = -1
        self._container: Any = None
        self._stream: Any = None

    def __enter__(self) -> _Writer:
        import av

        height, width = self._size
        self._container = av.open(str(self._path), "w", format="mp4", options={"movflags": "+faststart"})
        try:
            self._stream = self._container.add_stream("libx264", rate=30)
        except (av.FFmpegError, ValueError) as error:
            self._container.close()
            raise MissingRuntime(
                "this FFmpeg has no H.264 encoder (libx264)",
                subject=self._subject,
                advice="pip install av, whose wheels have it",
            ) from error
        context = self._stream.codec_context
        context.time_base = Fraction(1, _CLOCK)
        self._stream.time_base = Fraction(1, _CLOCK)
        self._stream.width, self._stream.height = width, height
        self._stream.pix_fmt = "yuv420p"
        # Thin lines of pure colour suffer first: better than the usual quality, and told as BT.709, as players expect.
        self._stream.options = {"crf": "16", "preset": "veryfast"}
        context.thread_count = 1
        context.colorspace, context.color_primaries, context.color_trc, context.color_range = 1, 1, 1, 1
        return self

    def add(self, image: QImage, seconds: float) -> None:
        """Adds a frame; its time counts from the first frame's."""
        import av
        from av.video.reformatter import Colorspace

        if self._first_s is None:
            self._first_s = seconds
        rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
        pixels = rows[:, : 4 * image.width()].reshape(image.height(), image.width(), 4)
        frame = av.VideoFrame.from_ndarray(pixels, format="bgra").reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU709
        )
        tick = max(self._last_tick + 1, round((seconds - self._first_s) * _CLOCK))
        frame.pts, frame.time_base = tick, Fraction(1, _CLOCK)
        self._last_tick = tick
        self._mux(frame)
        self.count += 1

    def finish(self) -> None:
        """Writes what the encoder still holds, and the index."""
        self._mux(None)
        self._close()

    def _mux(self, frame: Any) -> None:
        import av

        try:
            for packet in self._stream.encode(frame):
                self._container.mux(packet)
        except av.FFmpegError as error:
            raise self._failed(error) from error

    def _close(self) -> None:
        import av

        container, self._container = self._container, None
        if container is not None:
            try:
                container.close()
            except av.FFmpegError as error:
                raise self._failed(error) from error

    def _failed(self, error: OSError) -> BadInput:
        return BadInput(
            f"cannot be written: {error.strerror or error}",
            subject=self._subject,
            advice="look for room on the disk, or choose another place",
        )

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if self._container is not None:
            self._container.close()
            self._container = None


def _even(value: int) -> int:
    return value + value % 2


def titles_of(names: tuple[str, str], precisions: tuple[str, str]) -> tuple[str, str]:
    """What is written over the two sides."""
    first, second = (
        f"{name}   {precision}".rstrip() for name, precision in zip(names, precisions, strict=True)
    )
    return first, second
