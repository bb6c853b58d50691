"""The docks of the window: one table; something new is one module and one line here.

A dock is a QWidget made by `factory(view_model, requests)`. It subscribes to the view model in its constructor and keeps
these rules:

- a hidden dock computes nothing: look at `isVisible()` in each slot, and catch up in `showEvent`;
- figures, plots and heatmaps refresh ten times a second at most, not at the video's rate;
- colours come from `view_model.theme` (roles by meaning), and are taken again on `theme_changed`;
- work over heads (statistics, histograms) runs in a thread of its own, which the dock owns and stops in `close_dock()`; the
  window calls `close_dock()`, where a dock has one, before it goes;
- an empty state is said in words, and every control has an `objectName` that starts with the dock's id.

The module of a dock is imported when the window first needs it, so that the start is quick.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from trtviewer.gui.view_model import Requests, ViewModel


@dataclass(frozen=True, slots=True)
class Dock:
    """One dock.

    Attributes:
        id: stable; the QDockWidget's objectName is `dock.<id>`, saved layouts know it.
        title: on its tab and in the View menu.
        tip: one sentence: what it shows.
        module: the module in this package whose `make(view_model, requests)` gives the widget.
        shown: whether it is open in a fresh window.
    """

    id: str
    title: str
    tip: str
    module: str
    shown: bool = True

    def factory(self, view_model: ViewModel, requests: Requests) -> QWidget:
        """Makes the dock's widget; imports its module on the way."""
        module = importlib.import_module(f"trtviewer.gui.docks.{self.module}")
        widget: QWidget = module.make(view_model, requests)
        return widget


DOCKS: tuple[Dock, ...] = (
    Dock(
        "disagreements",
        "Disagreements",
        "Every missed and extra detection of the analysed video, with its reason; a row leads to its place.",
        "disagreements",
    ),
    Dock(
        "heatmaps",
        "Heatmaps",
        "The outputs as maps, scale by scale: reference, candidate, and their difference.",
        "heatmaps",
    ),
    Dock(
        "error_histogram",
        "Error histogram",
        "How far the candidate's outputs are from the reference's, and the share beyond epsilon.",
        "error_histogram",
    ),
    Dock(
        "speed",
        "Speed",
        "Latency of both sides, stage by stage, and the speed-up when each runs alone.",
        "speed",
    ),
    Dock(
        "layers",
        "Layers",
        "Which layers lose it, the worst first; tick some to keep in float, apply, and see what comes back.",
        "layers",
    ),
    Dock(
        "variants",
        "Variants",
        "Every candidate with how it was made and what it loses on the same frames; one key shows each, any can be saved.",
        "variants",
    ),
    Dock(
        "calibration",
        "Calibration",
        "Whether the calibration fits the frames now playing: exceeded ranges, their causes, and the frames that would help.",
        "calibration",
    ),
)
"""In the order of their tabs. A dock enters the table when it is finished."""
