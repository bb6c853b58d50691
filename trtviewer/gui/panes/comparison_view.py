"""The two pictures: one or two panes, laid out by mode, always showing both sides of one frame."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, QSizeF, QTimer, Signal
from PySide6.QtGui import QFont, QImage, QResizeEvent
from PySide6.QtWidgets import QWidget

from trtviewer.gui.border import Border, QueueBorder
from trtviewer.gui.panes.choosing import selection_of
from trtviewer.gui.panes.frame_pane import FramePane
from trtviewer.gui.panes.headers import SIDES, Headers
from trtviewer.gui.panes.labels import LabelFont
from trtviewer.gui.panes.layer import Sheet
from trtviewer.gui.panes.marks import Key, describe
from trtviewer.gui.panes.notices import notice
from trtviewer.gui.panes.render import Rendered, RenderRequest, RenderThread, Shown
from trtviewer.gui.panes.viewport import Viewport
from trtviewer.gui.theme import Theme
from trtviewer.gui.view_model import Display, Overlay, PaneMode, Problem, Selection, ViewModel

if TYPE_CHECKING:
    from trtviewer.compare.frame_comparison import FrameComparison
    from trtviewer.sources.frame import Frame

GAP = 2
BLINK_MS = 550
OVERLAY_WAIT_MS = 60
"""How long a picture waits for the map that is to lie over it."""

_log = logging.getLogger(__name__)


class ComparisonView(QWidget):
    """Owns the render thread and the panes; knows the view model, and nobody else.

    `painted` is emitted with each `Rendered` that the panes have taken over, `chosen` with the `Selection` of an object that
    was clicked.
    """

    painted = Signal(object)
    chosen = Signal(object)

    def __init__(self, view_model: ViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("comparison")
        self._model = view_model
        self.viewport = Viewport(self)
        self._font_of_labels = LabelFont.of(self._label_font())
        self.panes = {side: FramePane(self.viewport, self) for side in SIDES}
        self._headers = Headers(view_model, self)
        self.headers = self._headers.of_side
        self._shown: Shown | None = None
        self._blink_side = 0
        self._pending_selection: Selection | None = None
        self._line_scale = 1.0
        self._held: Rendered | None = None
        self._overlay_late = QTimer(self)
        self._overlay_late.setSingleShot(True)
        self._overlay_late.setInterval(OVERLAY_WAIT_MS)
        self._overlay_late.timeout.connect(self._release)
        self._results = Border(self)
        self._results.arrived.connect(self._show)
        self._errors = QueueBorder(self)
        self._errors.arrived.connect(self._failed)
        self._render = RenderThread(self._results.publish, self._errors.publish)
        for side, pane in self.panes.items():
            pane.setObjectName(f"pane.{side}")
            pane.set_describe(self._describe)
            pane.hovered.connect(self._hover)
            pane.clicked.connect(self._choose)
            pane.pointed.connect(view_model.set_pointed)
            pane.resized.connect(self._request)
            pane.split_moved.connect(self._request)
        self.viewport.changed.connect(self._view_moved)
        view_model.comparison_changed.connect(self._comparison_changed)
        view_model.alone_changed.connect(self._alone_changed)
        view_model.bare_changed.connect(self._bare_changed)
        view_model.models_changed.connect(self._models_changed)
        view_model.source_changed.connect(self._source_changed)
        view_model.display_changed.connect(self._display_changed)
        view_model.playing_changed.connect(self._request)
        view_model.overlay_changed.connect(self._overlay_changed)
        view_model.selection_changed.connect(self._selection_changed)
        view_model.truth_changed.connect(self._truth_changed)
        view_model.pointed_changed.connect(self._pointed_changed)
        view_model.theme_changed.connect(self._theme_changed)
        self._blink = QTimer(self, interval=BLINK_MS)
        self._blink.timeout.connect(self._blink_once)
        self._theme_changed(view_model.theme)
        self._models_changed(view_model.models)
        self._display_changed(view_model.display)

    def close_view(self) -> None:
        """Stops the render thread and waits for it."""
        self._results.close()
        self._errors.close()
        self._blink.stop()
        self._render.close()

    # What the keys and menus ask for ------------------------------------------------------------------------------

    def fit(self) -> None:
        self.viewport.fit()

    def one_to_one(self) -> None:
        if self._shown is not None:
            self.viewport.one_to_one(self._shown.frame.size, self._pane_size(), self.devicePixelRatioF())

    def zoom_by(self, factor: float) -> None:
        if self._shown is not None:
            pane = self._pane_size()
            middle = self.panes[SIDES[0]].rect().center().toPointF()
            self.viewport.zoom_by(factor, middle, self._shown.frame.size, pane)

    def flip_single(self) -> None:
        """In the single mode, shows the other side."""
        other = SIDES[1 - SIDES.index(self._model.display.single_side)]
        self._model.change_display(single_side=other)

    def move_split(self, by: float) -> None:
        self.panes["reference"].set_split(self.panes["reference"].split + by)

    def set_presentation(self, on: bool) -> None:
        """Larger headers, labels and lines, readable from ten metres."""
        self._line_scale = 2.0 if on else 1.0
        self._font_of_labels = LabelFont.of(self._label_font(1.6 if on else 1.0))
        for pane in self.panes.values():
            pane.line_scale = self._line_scale
        for header in self.headers.values():
            header.set_large(on)
        self._lay_out()
        self._request()

    def picture(self) -> QImage:
        """What is seen now, headers included."""
        return self.grab().toImage()

    # From the view model ------------------------------------------------------------------------------------------

    def _comparison_changed(self, comparison: FrameComparison | None) -> None:
        if comparison is not None:
            self._set_shown(Shown(comparison.frame, comparison))
        else:
            self._show_nothing()

    def _alone_changed(self, alone: tuple[str, FrameComparison] | None) -> None:
        if alone is not None:
            side, comparison = alone
            own = comparison.reference if side == "reference" else comparison.candidate
            self._set_shown(Shown(comparison.frame, None, (side, own)))
        else:
            self._show_nothing()

    def _bare_changed(self, frame: Frame | None) -> None:
        if frame is not None:
            self._set_shown(Shown(frame))
        else:
            self._show_nothing()
        self._show_notices()

    def _show_nothing(self) -> None:
        """Where one kind of picture has gone and none of another kind has come in its place."""
        model = self._model
        if model.comparison is None and model.alone is None and model.bare is None:
            self._set_shown(None)

    def _set_shown(self, shown: Shown | None) -> None:
        new_size = (
            shown is not None and self._shown is not None and shown.frame.size != self._shown.frame.size
        )
        self._shown = shown
        if shown is None:
            for pane in self.panes.values():
                pane.set_rendered(None)
        if new_size:
            self.viewport.fit()
        self._apply_selection()
        self._request()

    def _models_changed(self, models: object) -> None:
        self._show_notices()

    def _source_changed(self, source: object) -> None:
        self.viewport.fit()
        self._pending_selection = None

    def _display_changed(self, display: Display) -> None:
        self._truth_changed()
        self._lay_out()
        if display.mode is PaneMode.BLINK:
            self._blink.start()
        else:
            self._blink.stop()
        self._request()

    def _overlay_changed(self, overlay: Overlay | None) -> None:
        """Draws it with its own frame: where that is still being rendered, the old frame keeps its own map till then."""
        painted = self.panes["reference"].frame_index
        if self._held is not None and (overlay is None or overlay.frame_index == self._held.frame_index):
            self._release()
        elif overlay is None or painted is None or overlay.frame_index == painted:
            self._set_overlay()

    def _set_overlay(self) -> None:
        for pane in self.panes.values():
            pane.set_overlay(self._model.overlay)

    def _selection_changed(self, selection: Selection | None) -> None:
        self._pending_selection = selection
        for pane in self.panes.values():
            if selection is None:
                pane.set_selection(0, None)
            else:
                pane.set_selection(selection.frame_index, selection.xyxy)
        self._apply_selection()

    def _apply_selection(self) -> None:
        """Zooms to the selection as soon as its frame is there, once: the user may look elsewhere afterwards."""
        selection, shown = self._pending_selection, self._shown
        if selection is None or shown is None or shown.frame.index != selection.frame_index:
            return
        self._pending_selection = None
        self.viewport.show_box(selection.xyxy, shown.frame.size, self._pane_size())

    def _pointed_changed(self, pointed: tuple[float, float] | None) -> None:
        for pane in self.panes.values():
            pane.set_pointed(pointed)

    def _truth_changed(self, *_: object) -> None:
        for pane in self.panes.values():
            pane.set_truth(self._model.truth, self._model.display.truth)

    def _theme_changed(self, theme: Theme) -> None:
        for pane in self.panes.values():
            pane.theme = theme
            pane.update()

    # Rendering ----------------------------------------------------------------------------------------------------

    def _view_moved(self, view: object) -> None:
        for pane in self.panes.values():
            pane.update()
        self._request()

    def _request(self, *_: object) -> None:
        pane, mode = self._pane_size(), self._model.display.mode
        if self._shown is None or pane.width() < 2 or pane.height() < 2:
            return
        size, ratio = (pane.width(), pane.height()), self.devicePixelRatioF()
        self._render.request(
            RenderRequest(
                self._shown,
                self._model.display,
                self._rendered_sides(),
                self.viewport.view,
                Sheet(size, ratio, self._font_of_labels, self._line_scale),
                fine=not self._model.playing.playing,
                split=self.panes["reference"].split if mode is PaneMode.SPLIT else None,
            )
        )

    def _show(self, rendered: Rendered) -> None:
        if self._shown is None:
            return
        self._held = rendered
        overlay = self._model.overlay
        if overlay is not None and overlay.frame_index != rendered.frame_index:
            # The map of this frame is a few milliseconds behind: without the wait it would flicker while playing.
            if not self._overlay_late.isActive():
                self._overlay_late.start()
            return
        self._release()

    def _release(self) -> None:
        """Paints the newest picture, with its map where there is one."""
        rendered, self._held = self._held, None
        self._overlay_late.stop()
        if rendered is None or self._shown is None:
            return
        self._set_overlay()
        for pane in self.panes.values():
            pane.set_rendered(rendered)
        self._show_notices()
        self.painted.emit(rendered)

    def _failed(self, error: BaseException) -> None:
        _log.error("rendering failed", exc_info=error)
        self._model.add_problem(
            Problem("could not be drawn", "This frame", "go on to another; the log has the whole story")
        )

    def _rendered_sides(self) -> tuple[str, ...]:
        return ("difference",) if self._model.display.mode is PaneMode.DIFFERENCE else SIDES

    # Layout -------------------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._lay_out()

    def minimumSizeHint(self) -> QSize:
        return QSize(240, self._headers.height() + 90)

    def _pane_size(self) -> QSizeF:
        return QSizeF(self.panes["reference"].size())

    def _lay_out(self) -> None:
        """Both panes of exactly the same size, so that one picture serves both and the eye can compare."""
        mode = self._model.display.mode
        width, height, head = self.width(), self.height(), self._headers.height()
        half = (width - GAP) // 2
        one, other = self.panes["reference"], self.panes["candidate"]
        side_by_side = mode is PaneMode.SIDE_BY_SIDE
        one.setGeometry(0, head, half if side_by_side else width, height - head)
        if side_by_side:
            other.setGeometry(half + GAP, head, half, height - head)
            other.sides = ("candidate",)
        other.setVisible(side_by_side)
        one.sides = self._sides_of_first(mode)
        for side, header in self.headers.items():
            if mode in (PaneMode.SINGLE, PaneMode.BLINK):
                header.setGeometry(0, 0, width, head)
                header.setVisible(side in one.sides)
            else:
                header.setGeometry(0 if side == "reference" else half + GAP, 0, half, head)
                header.setVisible(True)
        self._show_notices()
        one.update()

    def _sides_of_first(self, mode: PaneMode) -> tuple[str, ...]:
        if mode is PaneMode.SPLIT:
            return SIDES
        if mode is PaneMode.BLINK:
            return (SIDES[self._blink_side],)
        if mode is PaneMode.SINGLE:
            return (self._model.display.single_side,)
        return ("difference",) if mode is PaneMode.DIFFERENCE else ("reference",)

    def _blink_once(self) -> None:
        self._blink_side = 1 - self._blink_side
        self._lay_out()

    # Words over the pictures --------------------------------------------------------------------------------------

    def _show_notices(self) -> None:
        for pane in self.panes.values():
            words = notice(self._model, pane.sides)
            if words != pane.notice:
                pane.notice = words
                pane.update()

    # Hovering -----------------------------------------------------------------------------------------------------

    def _choose(self, key: Key) -> None:
        """A click on a missed or extra object chooses it."""
        comparison = self._model.comparison
        selection = selection_of(comparison, key) if comparison is not None else None
        if selection is not None:
            self.chosen.emit(selection)

    def _hover(self, key: Key | None) -> None:
        for pane in self.panes.values():
            pane.set_hover(key)

    def _describe(self, key: Key) -> Sequence[str]:
        """Of the comparison that is painted, not of a newer one that is still being rendered."""
        rendered = self.panes["reference"].rendered
        if rendered is None:
            return ()
        shown = rendered.request.shown
        if shown.comparison is not None:
            return describe(shown.comparison, key)
        if shown.alone is not None:
            side, own = shown.alone
            name = own.spec.classes[int(own.detections.class_id[key[1]])]
            return (name, f"{side} {float(own.detections.score[key[1]]):.3f}")
        return ()

    def _label_font(self, scale: float = 1.0) -> QFont:
        font = QFont(self.font())
        font.setPointSizeF(max(7.0, font.pointSizeF() * 0.85 * scale))
        return font
