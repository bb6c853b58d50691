"""A heatmap over the picture: made for every frame that is shown, apart from the dock, so that it keeps up with the video."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject

from trtviewer.compare.frame_comparison import FrameComparison
from trtviewer.detect.heat import HeatChannel, HeatKind, heat_rows
from trtviewer.gui.docks.colour_maps import coloured, translucent
from trtviewer.gui.docks.newest import Newest
from trtviewer.gui.problems import problem_of
from trtviewer.gui.theme import Theme
from trtviewer.gui.view_model import Overlay, PaneMode, ViewModel

NO_DIFFERENCE = (
    "The two sides' maps are of different grids or channels: there is no difference to lay over the picture."
)


@dataclass(frozen=True, slots=True)
class OverlayChoice:
    """Which map lies over the picture: the scale's stride, and whether it is the difference of the two sides."""

    stride: int
    difference: bool


@dataclass(frozen=True, eq=False, slots=True)
class _Request:
    comparison: FrameComparison
    channel: HeatChannel
    choice: OverlayChoice
    theme: Theme
    opacity: float


@dataclass(frozen=True, eq=False, slots=True)
class _Answer:
    request: _Request
    overlay: Overlay | None


class HeatOverlay(QObject):
    """Sets the view model's overlay while something is chosen; owns the thread that makes it."""

    def __init__(self, view_model: ViewModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view_model = view_model
        self._choice: OverlayChoice | None = None
        self._channel = HeatChannel()
        self._newest = Newest("heatmap overlay", _work, self)
        self._newest.answered.connect(self._show)
        self._newest.failed.connect(self._failed)
        view_model.comparison_changed.connect(self._ask)
        view_model.theme_changed.connect(self._ask)
        view_model.display_changed.connect(self._ask)

    @property
    def choice(self) -> OverlayChoice | None:
        """What lies over the picture: in the difference mode the difference, whatever was chosen for each side."""
        if self._choice is not None and self._view_model.display.mode is PaneMode.DIFFERENCE:
            return replace(self._choice, difference=True)
        return self._choice

    def close(self) -> None:
        self._newest.close()

    def choose(self, choice: OverlayChoice | None, channel: HeatChannel) -> None:
        """Lays another map over the picture, or takes it away."""
        self._choice, self._channel = choice, channel
        if choice is None:
            self._view_model.set_overlay(None)
        else:
            self._ask()

    def _ask(self) -> None:
        comparison, choice = self._view_model.comparison, self.choice
        if choice is None:
            return
        if comparison is None:
            self._view_model.set_overlay(None)
            return
        self._newest.ask(
            _Request(
                comparison,
                self._channel,
                choice,
                self._view_model.theme,
                self._view_model.display.overlay_opacity,
            )
        )

    def _show(self, answer: _Answer) -> None:
        request = answer.request
        if (request.choice, request.channel) != (self.choice, self._channel):
            return
        self._view_model.set_overlay(answer.overlay)
        if request.choice.difference and (answer.overlay is None or answer.overlay.difference is None):
            self._view_model.set_status(NO_DIFFERENCE)

    def _failed(self, error: Exception) -> None:
        self._view_model.add_problem(problem_of(error, "heatmaps"))


def _work(request: _Request) -> _Answer:
    comparison, choice = request.comparison, request.choice
    reference, candidate = comparison.reference, comparison.candidate
    rows = heat_rows(
        (reference.spec, reference.heads),
        (candidate.spec, candidate.heads),
        comparison.correspondence.pairs,
        request.channel,
        stride=choice.stride,
    )
    if not rows:
        return _Answer(request, None)
    row = rows[0]
    down, across = row.grid
    square = np.array([[0, 0, across * choice.stride, down * choice.stride]], np.float32)
    left, top, right, bottom = (float(value) for value in comparison.placement.to_source(square)[0])
    fades = choice.difference or request.channel.is_probability
    name = "diverging" if choice.difference else "viridis"
    table = translucent(name, request.opacity, request.theme, fades=fades)
    levels = (-row.reach, row.reach) if choice.difference else row.levels

    def laid(values: NDArray[np.float32] | None) -> NDArray[np.uint32] | None:
        return None if values is None else coloured(values, levels, table, 0)

    if choice.difference:
        difference = laid(row.difference)
        maps = (difference, difference, difference)
    else:
        maps = (laid(row.reference), laid(row.candidate), None)
    what = f"{'difference of ' if choice.difference else ''}{_words(request.channel)}"
    overlay = Overlay(
        comparison.frame.index,
        maps[0],
        maps[1],
        (left, top, right, bottom),
        f"{row.title}: {what}",
        maps[2],
    )
    return _Answer(request, overlay)


def _words(channel: HeatChannel) -> str:
    if channel.kind is HeatKind.BOX:
        return f"box {channel.name}"
    return f"channel {channel.index}" if channel.kind is HeatKind.RAW else str(channel.kind)
