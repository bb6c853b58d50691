"""Where the picture lies in a pane: one zoom and pan that all panes share."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, QPointF, QRectF, QSizeF, Signal

MOST_ZOOM = 64.0
"""Pane pixels for one pixel of the frame; beyond that nothing more is seen."""


LEAST_SCALE = 0.25
"""Where the whole frame fits at a larger scale, one to one on a screen of up to four device pixels is still reached."""


@dataclass(frozen=True, slots=True)
class View:
    """What part of a frame is looked at.

    Attributes:
        zoom: 1 fits the whole frame into the pane; 2 shows it twice as large.
        x, y: the point of the frame in the middle of the pane, as shares of its width and height.
    """

    zoom: float = 1.0
    x: float = 0.5
    y: float = 0.5


FIT = View()


@dataclass(frozen=True, slots=True)
class Mapping:
    """From pixels of the frame to logical pixels of the pane: `pane = frame * scale + (dx, dy)`."""

    scale: float
    dx: float
    dy: float

    def to_pane(self, x: float, y: float) -> QPointF:
        return QPointF(x * self.scale + self.dx, y * self.scale + self.dy)

    def to_frame(self, point: QPointF) -> tuple[float, float]:
        return (point.x() - self.dx) / self.scale, (point.y() - self.dy) / self.scale

    def rect(self, x1: float, y1: float, x2: float, y2: float) -> QRectF:
        return QRectF(self.to_pane(x1, y1), self.to_pane(x2, y2))


def fit_scale(frame_size: tuple[int, int], pane: QSizeF) -> float:
    """Pane pixels for one of the frame, where the whole frame just fits. `frame_size`: height, width."""
    height, width = frame_size
    return max(1e-6, min(pane.width() / max(1, width), pane.height() / max(1, height)))


def mapping(view: View, frame_size: tuple[int, int], pane: QSizeF) -> Mapping:
    """Lays the frame into the pane; a picture larger than the pane leaves no gap, a smaller one is centred."""
    height, width = frame_size
    scale = fit_scale(frame_size, pane) * view.zoom
    dx = _edge(pane.width(), width * scale, view.x)
    dy = _edge(pane.height(), height * scale, view.y)
    return Mapping(scale, dx, dy)


def _edge(room: float, length: float, share: float) -> float:
    if length <= room:
        return (room - length) / 2
    return min(0.0, max(room - length, room / 2 - share * length))


class Viewport(QObject):
    """The view that the panes share; whoever moves it tells the pane's size, since zoom is relative to the fit."""

    changed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.view = FIT

    def set_view(self, view: View) -> None:
        if view != self.view:
            self.view = view
            self.changed.emit(view)

    def fit(self) -> None:
        self.set_view(FIT)

    def one_to_one(self, frame_size: tuple[int, int], pane: QSizeF, ratio: float) -> None:
        """One pixel of the frame is one pixel of the screen; `ratio` is the screen's device pixel ratio."""
        self._zoom_to(1 / (fit_scale(frame_size, pane) * ratio), frame_size, pane, pane_middle(pane))

    def zoom_by(self, factor: float, at: QPointF, frame_size: tuple[int, int], pane: QSizeF) -> None:
        """Zooms so that the point of the frame under `at` stays there."""
        self._zoom_to(self.view.zoom * factor, frame_size, pane, at)

    def pan_by(self, delta: QPointF, frame_size: tuple[int, int], pane: QSizeF) -> None:
        """Moves the picture by `delta` pane pixels."""
        now = mapping(self.view, frame_size, pane)
        self._centre(Mapping(now.scale, now.dx + delta.x(), now.dy + delta.y()), frame_size, pane)

    def show_box(
        self, xyxy: tuple[float, float, float, float], frame_size: tuple[int, int], pane: QSizeF
    ) -> None:
        """Zooms to a box with its surroundings: it takes about a fifth of the pane, a tiny one at least 48 pixels of frame."""
        height, width = frame_size
        x1, y1, x2, y2 = xyxy
        side = max(x2 - x1, y2 - y1, 12.0) * 4
        fit = fit_scale(frame_size, pane)
        zoom = max(1.0, min(pane.width(), pane.height()) / side / fit)
        zoom = min(zoom, 12.0 / fit)
        self.set_view(View(zoom, (x1 + x2) / 2 / max(1, width), (y1 + y2) / 2 / max(1, height)))

    def _zoom_to(self, zoom: float, frame_size: tuple[int, int], pane: QSizeF, at: QPointF) -> None:
        fit = fit_scale(frame_size, pane)
        zoom = max(min(1.0, LEAST_SCALE / fit), min(zoom, MOST_ZOOM / fit))
        x, y = mapping(self.view, frame_size, pane).to_frame(at)
        scale = fit * zoom
        if abs(zoom - 1) < 0.02:
            self.set_view(FIT)
            return
        self._centre(Mapping(scale, at.x() - x * scale, at.y() - y * scale), frame_size, pane)

    def _centre(self, wanted: Mapping, frame_size: tuple[int, int], pane: QSizeF) -> None:
        height, width = frame_size
        x, y = wanted.to_frame(pane_middle(pane))
        zoom = wanted.scale / fit_scale(frame_size, pane)
        # The point that is kept is the one that the clamped mapping shows, so that panning past an edge leaves no slack.
        shown = mapping(View(zoom, x / max(1, width), y / max(1, height)), frame_size, pane)
        x, y = shown.to_frame(pane_middle(pane))
        self.set_view(View(zoom, x / max(1, width), y / max(1, height)))


def pane_middle(pane: QSizeF) -> QPointF:
    return QPointF(pane.width() / 2, pane.height() / 2)
