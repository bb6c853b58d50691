"""One pane: a picture that the render thread made, with boxes, labels, a heatmap over it, and what lies under the mouse."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QRegion,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from trtviewer.gui.panes.decorations import (
    paint_brackets,
    paint_card,
    paint_cross,
    paint_divider,
    paint_lit,
    paint_notice,
)
from trtviewer.gui.panes.marks import Key, Mark
from trtviewer.gui.panes.render import Rendered
from trtviewer.gui.panes.viewport import Mapping, Viewport, mapping
from trtviewer.gui.theme import BOX_STYLES, DARK, Theme
from trtviewer.gui.view_model import Overlay, ShownTruth, TruthLayer

ZOOM_STEP = 1.2
GRIP = 10.0
"""How near the divider of the split, in pixels, the mouse takes hold of it."""


class FramePane(QWidget):
    """Paints the newest `Rendered` it was given; the mouse moves the shared viewport.

    Attributes:
        sides: whose marks are painted: one side; or two, left and right of the divider.
        split: the divider, as a share of the width.
    """

    hovered = Signal(object)
    clicked = Signal(object)
    pointed = Signal(object)
    resized = Signal()
    split_moved = Signal(object)

    def __init__(self, viewport: Viewport, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.sides: tuple[str, ...] = ()
        self.split = 0.5
        self.theme: Theme = DARK
        self.notice = ""
        self.line_scale = 1.0
        self._viewport = viewport
        self._rendered: Rendered | None = None
        self._image: QImage | None = None
        self._overlay: Overlay | None = None
        self._overlay_images: dict[str, QImage] = {}
        self._selection: tuple[int, tuple[float, float, float, float]] | None = None
        self._pointed: tuple[float, float] | None = None
        self._truth: tuple[ShownTruth | None, TruthLayer] = (None, TruthLayer.OFF)
        self._hover: Key | None = None
        self._describe: Callable[[Key], Sequence[str]] = lambda key: ()
        self._mouse: QPointF | None = None
        self._drag_from: QPointF | None = None
        self._pressed_at: QPointF | None = None
        self._dragging_split = False

    # What is shown ------------------------------------------------------------------------------------------------

    @property
    def rendered(self) -> Rendered | None:
        return self._rendered

    @property
    def frame_index(self) -> int | None:
        """The frame that is painted now."""
        return self._rendered.frame_index if self._rendered is not None else None

    def set_rendered(self, rendered: Rendered | None) -> None:
        self._rendered = rendered
        if rendered is None:
            self._image = None
        else:
            pixels = rendered.pixels
            height, width = pixels.shape[:2]
            self._image = QImage(pixels.data, width, height, pixels.strides[0], QImage.Format.Format_RGB32)
            # The image borrows the array's memory; `_rendered` keeps the array alive as long as the image.
            self._image.setDevicePixelRatio(rendered.request.sheet.ratio)
        self._hover_at_mouse()
        self.update()

    def set_overlay(self, overlay: Overlay | None) -> None:
        self._overlay = overlay
        self._overlay_images = {}
        if overlay is not None:
            for side in ("reference", "candidate", "difference"):
                values = getattr(overlay, side)
                if values is not None:
                    values = np.ascontiguousarray(values)
                    image = QImage(
                        values.data,
                        values.shape[1],
                        values.shape[0],
                        values.strides[0],
                        QImage.Format.Format_ARGB32_Premultiplied,
                    )
                    self._overlay_images[side] = image.copy()
        self.update()

    def set_truth(self, truth: ShownTruth | None, layer: TruthLayer) -> None:
        """The true objects to draw over their frame."""
        self._truth = (truth, layer)
        self.update()

    def set_selection(self, frame_index: int, xyxy: tuple[float, float, float, float] | None) -> None:
        self._selection = (frame_index, xyxy) if xyxy is not None else None
        self.update()

    def set_hover(self, key: Key | None) -> None:
        """Lights up the mark of that key, the partner of the one under the mouse."""
        if key != self._hover:
            self._hover = key
            self.update()

    def set_pointed(self, pointed: tuple[float, float] | None) -> None:
        """Shows where the mouse stands in the other pane, or in a heatmap."""
        if pointed != self._pointed:
            self._pointed = pointed
            if not self.underMouse():
                self.update()

    def set_describe(self, describe: Callable[[Key], Sequence[str]]) -> None:
        self._describe = describe

    def marks(self) -> tuple[Mark, ...]:
        """All marks that are painted, of every side that this pane shows."""
        if self._rendered is None:
            return ()
        return tuple(
            mark
            for side in self.sides
            if side in self._rendered.scenes
            for mark in self._rendered.scenes[side].marks
        )

    def mapping(self) -> Mapping | None:
        """Where the frame lies in this pane now."""
        if self._rendered is None:
            return None
        frame_size = self._rendered.request.shown.frame.size
        return mapping(self._viewport.view, frame_size, QSizeF(self.size()))

    # Painting -----------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            where = self.mapping()
            if self._rendered is None or self._image is None or where is None:
                painter.fillRect(self.rect(), self.theme.color("canvas"))
                self._paint_notice(painter)
                return
            self._paint_bars(painter, where)
            self._paint_picture(painter, where)
            self._paint_truth(painter, where)
            # Under the labels, so that it hides no word of theirs.
            self._paint_selection(painter, where)
            for side in self.sides:
                self._paint_side(painter, side, where)
            if len(self.sides) == 2:
                paint_divider(painter, self.split * self.width(), self.height())
            self._paint_pointed(painter, where)
            self._paint_notice(painter)
            if self.underMouse() and self._hover is not None and self._mouse is not None:
                paint_card(painter, self._mouse, self._describe(self._hover), QSizeF(self.size()))

    def _paint_bars(self, painter: QPainter, where: Mapping) -> None:
        """What the picture leaves free of the pane: to fill all of it each time would cost as much as the picture."""
        assert self._rendered is not None
        height, width = self._rendered.request.shown.frame.size
        # A pixel less on each side: the picture's edge falls between pixels of the screen.
        seen = where.rect(0, 0, width, height).toAlignedRect().adjusted(1, 1, -1, -1)
        for bar in QRegion(self.rect()) - QRegion(seen):
            painter.fillRect(bar, self.theme.color("canvas"))

    def _paint_picture(self, painter: QPainter, where: Mapping) -> None:
        assert self._rendered is not None
        assert self._image is not None
        x, y = self._rendered.corner
        width, height = self._rendered.extent
        if self._is_as_rendered(where):
            # Whole pixels: a picture that is made to size is copied, not filtered.
            at = where.to_pane(x, y)
            ratio = self._image.devicePixelRatio()
            painter.drawImage(
                QPointF(round(at.x() * ratio) / ratio, round(at.y() * ratio) / ratio), self._image
            )
        else:
            # The view moved on; what is there is stretched for the few milliseconds until the next is made.
            painter.drawImage(where.rect(x, y, x + width, y + height), self._image)

    def _is_as_rendered(self, where: Mapping) -> bool:
        assert self._rendered is not None
        size = (self.width(), self.height())
        return where == self._rendered.mapping and self._rendered.request.sheet.pane == size

    def _paint_side(self, painter: QPainter, side: str, where: Mapping) -> None:
        assert self._rendered is not None
        scene = self._rendered.scenes.get(side)
        own = self._own_part(side)
        painter.setClipRect(own)
        if (
            self._overlay is not None
            and self._overlay.frame_index == self._rendered.frame_index
            and side in self._overlay_images
        ):
            painter.drawImage(where.rect(*self._overlay.xyxy), self._overlay_images[side])
        painter.setClipping(False)
        if scene is None or scene.layer is None:
            return
        self._paint_layer(painter, scene.layer, where)
        lit = next((mark for mark in scene.marks if mark.key == self._hover), None)
        if lit is not None:
            painter.setClipRect(own)
            paint_lit(painter, lit, where)
            painter.setClipping(False)

    def _own_part(self, side: str) -> QRectF:
        """Where a side is seen: the whole pane, or its part of the divider's."""
        if len(self.sides) < 2:
            return QRectF(self.rect())
        edge = self.split * self.width()
        left, right = (0.0, edge) if side == self.sides[0] else (edge, float(self.width()))
        return QRectF(left, 0, right - left, self.height())

    def _paint_layer(self, painter: QPainter, layer: QImage, where: Mapping) -> None:
        """Boxes and labels as they were rendered; stretched like the picture where the view has moved on."""
        assert self._rendered is not None
        if self._is_as_rendered(where):
            painter.drawImage(QPointF(0, 0), layer)
            return
        was = self._rendered.mapping
        width, height = self._rendered.request.sheet.pane
        painter.drawImage(
            where.rect(*was.to_frame(QPointF(0, 0)), *was.to_frame(QPointF(width, height))), layer
        )

    def _paint_truth(self, painter: QPainter, where: Mapping) -> None:
        truth, layer = self._truth
        if truth is None or layer is TruthLayer.OFF or truth.frame_index != self.frame_index:
            return
        told = truth.truth
        lost = told.reference_finds & ~told.candidate_finds & ~told.objects.ignore
        shown = lost if layer is TruthLayer.LOST else ~told.objects.ignore
        # A little larger, and under the boxes: what was found lies within what is there, and both lines are seen.
        rects = [where.rect(*box).adjusted(-3, -3, 3, 3) for box in told.objects.xyxy[shown].tolist()]
        style = BOX_STYLES["truth"]
        scale = self.line_scale * self.devicePixelRatioF()
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for pen in (style.halo(scale), style.pen(scale)):
            painter.setPen(pen)
            painter.drawRects(rects)

    def _paint_selection(self, painter: QPainter, where: Mapping) -> None:
        """Corner brackets: they mark the place without hiding its box's own line."""
        if self._selection is not None and self._selection[0] == self.frame_index:
            paint_brackets(painter, where.rect(*self._selection[1]))

    def _paint_pointed(self, painter: QPainter, where: Mapping) -> None:
        if self._pointed is not None and not self.underMouse():
            paint_cross(painter, where.to_pane(*self._pointed))

    def _paint_notice(self, painter: QPainter) -> None:
        """A sentence at the foot of the picture, or in the middle where there is none."""
        if not self.notice:
            return
        if self._rendered is not None:
            paint_notice(painter, self.notice, QSizeF(self.size()))
            return
        painter.setPen(self.theme.color("faint"))
        room = QRectF(self.rect()).adjusted(24, 24, -24, -24)
        painter.drawText(room, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self.notice)

    # Mouse --------------------------------------------------------------------------------------------------------

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self._rendered is None:
            return
        steps = event.angleDelta().y() / 120
        self._viewport.zoom_by(ZOOM_STEP**steps, event.position(), self._frame_size(), QSizeF(self.size()))
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() not in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            event.ignore()
            return
        self._dragging_split = self._on_divider(event.position())
        self._drag_from = event.position()
        self._pressed_at = event.position() if event.button() == Qt.MouseButton.LeftButton else None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        self._mouse = at
        if self._drag_from is None:
            on_divider = self._on_divider(at)
            self.setCursor(Qt.CursorShape.SplitHCursor if on_divider else Qt.CursorShape.ArrowCursor)
            self._hover_at_mouse()
            where = self.mapping()
            self.pointed.emit(where.to_frame(at) if where is not None else None)
            if self._hover is not None:
                self.update()
        elif self._dragging_split:
            self.set_split(at.x() / max(1, self.width()))
        elif self._rendered is not None:
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            self._viewport.pan_by(at - self._drag_from, self._frame_size(), QSizeF(self.size()))
            self._drag_from = at

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        pressed_at, self._pressed_at = self._pressed_at, None
        near = pressed_at is not None and (event.position() - pressed_at).manhattanLength() <= GRIP
        if near and not self._dragging_split and (key := self._key_at(event.position())) is not None:
            self.clicked.emit(key)
        self._drag_from = None
        self._dragging_split = False
        self.setCursor(Qt.CursorShape.ArrowCursor)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if not self._on_divider(event.position()):
            self._viewport.fit()

    def leaveEvent(self, event: QEvent) -> None:
        self._mouse = None
        self.hovered.emit(None)
        self.pointed.emit(None)
        self.update()

    def resizeEvent(self, event: QEvent) -> None:
        self.resized.emit()

    def sizeHint(self) -> QSize:
        return QSize(480, 360)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 90)

    def set_split(self, share: float) -> None:
        self.split = min(0.98, max(0.02, share))
        self.split_moved.emit(self.split)
        self.update()

    def _on_divider(self, at: QPointF) -> bool:
        return len(self.sides) == 2 and abs(at.x() - self.split * self.width()) <= GRIP

    def _hover_at_mouse(self) -> None:
        if self._mouse is None or self._drag_from is not None:
            return
        self.hovered.emit(self._key_at(self._mouse))

    def _key_at(self, at: QPointF) -> Key | None:
        """The smallest mark under a point of the pane: it is the one that is hard to hit."""
        where = self.mapping()
        if where is None or self._rendered is None:
            return None
        sides = self.sides
        if len(sides) == 2:
            sides = sides[:1] if at.x() < self.split * self.width() else sides[1:]
        x, y = where.to_frame(at)
        slack = 3 / where.scale
        under = [
            mark
            for side in sides
            if side in self._rendered.scenes
            for mark in self._rendered.scenes[side].marks
            if mark.xyxy[0] - slack <= x <= mark.xyxy[2] + slack
            and mark.xyxy[1] - slack <= y <= mark.xyxy[3] + slack
        ]
        return min(under, key=lambda mark: mark.area).key if under else None

    def _frame_size(self) -> tuple[int, int]:
        assert self._rendered is not None
        return self._rendered.request.shown.frame.size
