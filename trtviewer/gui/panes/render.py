"""The render thread: cuts, scales and colours the part of a frame that a pane shows, and lays out its marks and labels.

The GUI thread only blits what comes from here. One request at a time, the newest wins; picture and marks of a result always
belong to the same frame.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from collections.abc import Mapping as Table
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSizeF
from PySide6.QtGui import QImage

from trtviewer.gui.panes.labels import LabelPictures, place
from trtviewer.gui.panes.layer import Sheet, paint_layer
from trtviewer.gui.panes.marks import Mark, comparison_marks, single_marks
from trtviewer.gui.panes.viewport import Mapping, View, mapping
from trtviewer.gui.view_model import Display
from trtviewer.pipeline.handover import Closed, Latest
from trtviewer.pipeline.worker import Worker

if TYPE_CHECKING:
    from trtviewer.compare.frame_comparison import FrameComparison, Side
    from trtviewer.sources.frame import Frame

PIXELATE_AT = 3.0
"""From this many screen pixels for one of the frame on, pixels are shown as they are: that is what zooming in is for."""

KEPT = 3
"""How many results outlive their turn: one is painted, one on its way, one just replaced."""


@dataclass(frozen=True, eq=False, slots=True)
class Shown:
    """What the panes show: one frame, with both sides, one, or none yet.

    Attributes:
        comparison: both sides; None where a model is missing.
        alone: where only one model is open, its side and which it is ("reference" or "candidate").
    """

    frame: Frame
    comparison: FrameComparison | None = None
    alone: tuple[str, Side] | None = None


@dataclass(frozen=True, eq=False, slots=True)
class RenderRequest:
    """All that one result needs, so that the render thread looks at nothing else."""

    shown: Shown
    display: Display
    sides: tuple[str, ...]
    view: View
    sheet: Sheet
    fine: bool
    """Whether there is time for the better, slower scaling (paused)."""
    split: float | None = None
    """Where two sides share one pane: the divider, as a share of the width."""

    def part(self, side: str) -> tuple[float, float]:
        """From which share of the pane's width to which a side is seen."""
        if self.split is None:
            return (0.0, 1.0)
        return (0.0, self.split) if side == self.sides[0] else (self.split, 1.0)


@dataclass(frozen=True, eq=False, slots=True)
class Scene:
    """The marks of one side, and their picture; None where there is nothing to paint."""

    marks: tuple[Mark, ...] = ()
    layer: QImage | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Rendered:
    """What a pane paints.

    Attributes:
        pixels: [h, w, 4] BGRA uint8, read-only: the part of the frame that is seen.
        corner: the frame's pixel at its upper left.
        mapping: where the frame lay when this was made; the pane scales from it until the next result is there.
        pixel_scale: screen pixels for one of the frame, along x and y, as the rounding to whole pixels made it.
    """

    request: RenderRequest
    pixels: NDArray[np.uint8]
    corner: tuple[int, int]
    extent: tuple[int, int]
    mapping: Mapping
    scenes: Table[str, Scene]

    @property
    def frame_index(self) -> int:
        return self.request.shown.frame.index


class RenderThread:
    """Owns the thread; `publish` gets each `Rendered`, on that thread. An error in rendering goes to `failed`."""

    def __init__(self, publish: Callable[[Rendered], None], failed: Callable[[BaseException], None]) -> None:
        self._requests: Latest[RenderRequest] = Latest()
        self._publish = publish
        self._failed = failed
        self._labels = LabelPictures()
        # Whoever lets go of a frame last gives its megabytes back to the system, which takes a millisecond: not the GUI thread.
        self._kept: deque[Rendered] = deque(maxlen=KEPT)
        self._picture: tuple[object, NDArray[np.uint8], tuple[int, int], tuple[int, int]] | None = None
        self._worker = Worker("render", self._run).start()

    def request(self, request: RenderRequest) -> None:
        self._requests.put(request)

    def close(self) -> None:
        """Stops the thread and waits for it."""
        self._worker.cancel()
        self._requests.close()
        self._worker.join()

    def _run(self, cancelled: threading.Event) -> None:
        while not cancelled.is_set():
            try:
                request = self._requests.wait()
            except Closed:
                return
            try:
                rendered = self._render(request)
            except (
                Exception
            ) as error:  # one bad frame must not end the pictures; it is logged and shown by the window
                self._failed(error)
                continue
            self._kept.append(rendered)
            self._publish(rendered)

    def _render(self, request: RenderRequest) -> Rendered:
        frame = request.shown.frame
        where = mapping(request.view, frame.size, QSizeF(*request.sheet.pane))
        scenes = {side: self._scene(request, side, where) for side in request.sides}
        spots = scenes["difference"].marks if "difference" in scenes else ()
        pane, ratio = request.sheet.pane, request.sheet.ratio
        key = (frame, where, pane, ratio, request.fine, tuple(mark.xyxy for mark in spots))
        dim = "difference" in scenes
        # A slider moves boxes only: the picture of the same frame at the same place is kept.
        if self._picture is None or self._picture[0] != (key, dim):
            pixels, corner, extent = cut(frame, where, pane, ratio, fine=request.fine)
            if dim:
                pixels = spotlight(pixels, corner, extent, [mark.xyxy for mark in spots])
            pixels.setflags(write=False)
            self._picture = ((key, dim), pixels, corner, extent)
        _, pixels, corner, extent = self._picture
        return Rendered(request, pixels, corner, extent, where, scenes)

    def _scene(self, request: RenderRequest, side: str, where: Mapping) -> Scene:
        marks, sheet = _marks(request, side), request.sheet
        if not marks:
            return Scene()
        labels = place(marks, where, sheet.pane, sheet.font) if request.display.labels else ()
        return Scene(marks, paint_layer(sheet, marks, labels, where, self._labels, request.part(side)))


def _marks(request: RenderRequest, side: str) -> tuple[Mark, ...]:
    shown, display = request.shown, request.display
    if not display.boxes:
        return ()
    if shown.comparison is not None:
        return comparison_marks(shown.comparison, side, display)
    if shown.alone is not None and shown.alone[0] == side:
        own = shown.alone[1]
        return single_marks(own.detections, own.spec.classes, shown.frame.size, display)
    return ()


def cut(
    frame: Frame, where: Mapping, pane: tuple[float, float], ratio: float, *, fine: bool
) -> tuple[NDArray[np.uint8], tuple[int, int], tuple[int, int]]:
    """The part of a frame that is seen in a pane, at the screen's resolution, as BGRA.

    Returns: pixels, the frame's pixel at their upper left, and how many pixels of the frame they span (width, height).
    """
    height, width = frame.size
    x1 = min(width - 1, max(0, int(np.floor(-where.dx / where.scale))))
    y1 = min(height - 1, max(0, int(np.floor(-where.dy / where.scale))))
    x2 = max(x1 + 1, min(width, int(np.ceil((pane[0] - where.dx) / where.scale))))
    y2 = max(y1 + 1, min(height, int(np.ceil((pane[1] - where.dy) / where.scale))))
    scale = where.scale * ratio
    target = (max(1, round((x2 - x1) * scale)), max(1, round((y2 - y1) * scale)))
    part = frame.picture[y1:y2, x1:x2]
    if scale >= PIXELATE_AT:
        method = cv2.INTER_NEAREST
    elif fine and scale < 1:
        method = cv2.INTER_AREA
    else:
        method = cv2.INTER_LINEAR
    scaled = part if target == (x2 - x1, y2 - y1) else cv2.resize(part, target, interpolation=method)
    return cv2.cvtColor(scaled, cv2.COLOR_BGR2BGRA), (x1, y1), (x2 - x1, y2 - y1)


def spotlight(
    pixels: NDArray[np.uint8],
    corner: tuple[int, int],
    extent: tuple[int, int],
    boxes: list[tuple[float, float, float, float]],
) -> NDArray[np.uint8]:
    """Greys and dims a picture, but for the places in `boxes`: what differs is what is seen."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_BGRA2GRAY)
    dimmed = cv2.cvtColor(cv2.convertScaleAbs(grey, alpha=0.52, beta=10), cv2.COLOR_GRAY2BGRA)
    height, width = pixels.shape[:2]
    across, down = width / extent[0], height / extent[1]
    for x1, y1, x2, y2 in boxes:
        left = max(0, int((x1 - corner[0]) * across))
        top = max(0, int((y1 - corner[1]) * down))
        right = min(width, int((x2 - corner[0]) * across) + 1)
        bottom = min(height, int((y2 - corner[1]) * down) + 1)
        if right > left and bottom > top:
            dimmed[top:bottom, left:right] = pixels[top:bottom, left:right]
    return dimmed
