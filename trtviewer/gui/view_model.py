"""What the window shows, with one signal for each thing; no widget, no thread and no file in it.

Two objects join the views, so that no view talks to another:

- `ViewModel` holds what is shown. A view reads its attributes, subscribes to its signals and redraws from the value that
  the signal carries. Only the engine room (`engine.py`) and controls set values, through the setters; an equal value is
  no change and emits nothing, so a slider and its spin box never chase each other.
- `Requests` carries what a view asks for and cannot do itself: seek, run a benchmark, analyse. A view emits; the window
  answers.

All signals arrive in the GUI thread. Their payloads are frozen, so a view may keep them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from trtviewer.compare.settings import CompareSettings
from trtviewer.compare.totals import SIZES
from trtviewer.gui.state import (
    SPEEDS,
    BenchmarkResult,
    Display,
    Findings,
    FrameTimings,
    ModelEntry,
    Models,
    ModelState,
    Overlay,
    PaneMode,
    Playing,
    Position,
    Problem,
    Progress,
    Selection,
    ShownTruth,
    SideTimings,
    SourceEntry,
    Thumbnail,
    TruthLayer,
)
from trtviewer.gui.theme import DARK, Theme
from trtviewer.gui.what_if.state import WhatIfState

if TYPE_CHECKING:
    from trtviewer.compare.frame_comparison import FrameComparison
    from trtviewer.compare.matched_video import MatchedVideo
    from trtviewer.compare.tensor_error import TensorErrors
    from trtviewer.sources.frame import Frame

__all__ = [
    "SIZES",
    "SPEEDS",
    "BenchmarkResult",
    "Display",
    "Findings",
    "FrameTimings",
    "ModelEntry",
    "ModelState",
    "Models",
    "Overlay",
    "PaneMode",
    "Playing",
    "Position",
    "Problem",
    "Progress",
    "Requests",
    "Selection",
    "ShownTruth",
    "SideTimings",
    "SourceEntry",
    "Thumbnail",
    "TruthLayer",
    "ViewModel",
]


class Requests(QObject):
    """What views ask for. Emit it; the window answers through the view model.

    seek(int): go to that frame; playing goes on from there.
    step(int): pause, and go that many frames on or back.
    thumbnail(int): a small picture of that frame; the newest request wins.
    select(Selection | None): choose a place; the window seeks, then sets `ViewModel.selection`.
    analyse(): analyse the whole source in the background (or the rest of it).
    look_ahead(), look_no_further(): the same, beginning with what comes after the frame that is shown; and the end of it.
    measure_alone(): run the benchmark, each model alone, then both; answered by `ViewModel.benchmark_changed`.
    show_candidate(int): put that candidate in the pane.
    reveal(str): bring the dock of that id to the front.
    what_if(object): find layers, make a variant, judge, export: one of the requests of `what_if_state.py`.
    """

    seek = Signal(object)
    step = Signal(object)
    thumbnail = Signal(object)
    select = Signal(object)
    analyse = Signal()
    look_ahead = Signal()
    look_no_further = Signal()
    measure_alone = Signal()
    show_candidate = Signal(object)
    reveal = Signal(object)
    what_if = Signal(object)


class ViewModel(QObject):
    """The one state of the window. Read an attribute for the value of now, subscribe to its signal for the next.

    Attributes, each with the signal that tells its change:
        comparison: FrameComparison | None. Both sides of the frame that is shown; None where a side is missing.
        alone: (side, FrameComparison) | None. Where only one model is open: which side it is, and its frame compared with
            itself, of which only that side is to be shown. Never set while `comparison` is.
        bare: Frame | None. The frame of a source that no model looks at yet; never set while one of the two above is.
        settings: CompareSettings. The four thresholds, set by controls (and the histogram's epsilon lines).
        models: Models.    source: SourceEntry | None.    position: Position.    playing: Playing.
        matched_video: MatchedVideo | None. Everything analysed so far; its `.settings` say which settings it belongs to,
            and while they differ from `settings` a re-match is under way: views say so.
        video_errors: TensorErrors | None. The tensor errors of everything analysed so far, a copy that nobody changes; read
            it with `.result(epsilon)` and `.histogram_of(...)`.
        findings: Findings | None. Sentences on the analysed video, made once it rests.
        truth: ShownTruth | None. What the labels say of a frame, while `display.truth` asks for it.
        thumbnail: Thumbnail | None. The newest answer to `Requests.thumbnail`.
        display: Display.    overlay: Overlay | None.    selection: Selection | None.
        pointed: (x, y) in pixels of the source frame where the mouse stands over a pane or a heatmap, or None.
        timings: FrameTimings | None, for each frame shown.    benchmark: BenchmarkResult | None.
        analysed: (frames done, frames in all or None) of the background analysis.
        status: str, one line.    progress: tuple[Progress, ...].    problems: tuple[Problem, ...].
        theme: Theme; colours by meaning.
        what_if: WhatIfState; layers, variants and what is ticked, with signals of its own.
    """

    comparison_changed = Signal(object)
    alone_changed = Signal(object)
    bare_changed = Signal(object)
    settings_changed = Signal(object)
    models_changed = Signal(object)
    source_changed = Signal(object)
    matched_video_changed = Signal(object)
    video_errors_changed = Signal(object)
    findings_changed = Signal(object)
    thumbnail_changed = Signal(object)
    truth_changed = Signal(object)
    position_changed = Signal(object)
    playing_changed = Signal(object)
    display_changed = Signal(object)
    overlay_changed = Signal(object)
    selection_changed = Signal(object)
    pointed_changed = Signal(object)
    timings_changed = Signal(object)
    benchmark_changed = Signal(object)
    analysed_changed = Signal(object)
    status_changed = Signal(object)
    progress_changed = Signal(object)
    problems_changed = Signal(object)
    theme_changed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.comparison: FrameComparison | None = None
        self.alone: tuple[str, FrameComparison] | None = None
        self.bare: Frame | None = None
        self.settings = CompareSettings()
        self.models = Models()
        self.source: SourceEntry | None = None
        self.matched_video: MatchedVideo | None = None
        self.video_errors: TensorErrors | None = None
        self.findings: Findings | None = None
        self.thumbnail: Thumbnail | None = None
        self.truth: ShownTruth | None = None
        self.position = Position()
        self.playing = Playing()
        self.display = Display()
        self.overlay: Overlay | None = None
        self.selection: Selection | None = None
        self.pointed: tuple[float, float] | None = None
        self.timings: FrameTimings | None = None
        self.benchmark: BenchmarkResult | None = None
        self.analysed: tuple[int, int | None] = (0, None)
        self.status = ""
        self.progress: tuple[Progress, ...] = ()
        self.problems: tuple[Problem, ...] = ()
        self.theme: Theme = DARK
        self.what_if = WhatIfState(self)

    def set_comparison(self, comparison: FrameComparison | None) -> None:
        if comparison is not self.comparison:
            self._set_shown(comparison, None, None)

    def set_alone(self, alone: tuple[str, FrameComparison] | None) -> None:
        if alone != self.alone:
            self._set_shown(None, alone, None)

    def set_bare(self, frame: Frame | None) -> None:
        if frame is not self.bare:
            self._set_shown(None, None, frame)

    def _set_shown(
        self,
        comparison: FrameComparison | None,
        alone: tuple[str, FrameComparison] | None,
        bare: Frame | None,
    ) -> None:
        """Sets all three before it tells of any: between two of them nobody finds nothing."""
        before = (self.comparison, self.alone, self.bare)
        self.comparison, self.alone, self.bare = comparison, alone, bare
        if comparison is not before[0]:
            self.comparison_changed.emit(comparison)
        if alone is not before[1]:
            self.alone_changed.emit(alone)
        if bare is not before[2]:
            self.bare_changed.emit(bare)

    def set_settings(self, settings: CompareSettings) -> None:
        if settings != self.settings:
            self.settings = settings
            self.settings_changed.emit(settings)

    def change_settings(self, **values: Any) -> None:
        """Sets some of the thresholds. Raises: BadUsage, where a value is out of its bounds."""
        self.set_settings(replace(self.settings, **values))

    def set_models(self, models: Models) -> None:
        if models != self.models:
            self.models = models
            self.models_changed.emit(models)

    def set_source(self, source: SourceEntry | None) -> None:
        if source != self.source:
            self.source = source
            self.source_changed.emit(source)

    def set_matched_video(self, video: MatchedVideo | None) -> None:
        if video is not self.matched_video:
            self.matched_video = video
            self.matched_video_changed.emit(video)

    def set_video_errors(self, errors: TensorErrors | None) -> None:
        if errors is not self.video_errors:
            self.video_errors = errors
            self.video_errors_changed.emit(errors)

    def set_findings(self, findings: Findings | None) -> None:
        if findings != self.findings:
            self.findings = findings
            self.findings_changed.emit(findings)

    def set_truth(self, truth: ShownTruth | None) -> None:
        if truth is not self.truth:
            self.truth = truth
            self.truth_changed.emit(truth)

    def set_thumbnail(self, thumbnail: Thumbnail | None) -> None:
        if thumbnail is not self.thumbnail:
            self.thumbnail = thumbnail
            self.thumbnail_changed.emit(thumbnail)

    def set_position(self, position: Position) -> None:
        if position != self.position:
            self.position = position
            self.position_changed.emit(position)

    def set_playing(self, playing: Playing) -> None:
        if playing != self.playing:
            self.playing = playing
            self.playing_changed.emit(playing)

    def set_display(self, display: Display) -> None:
        if display != self.display:
            self.display = display
            self.display_changed.emit(display)

    def change_display(self, **values: Any) -> None:
        """Sets some of the display's values."""
        self.set_display(replace(self.display, **values))

    def set_overlay(self, overlay: Overlay | None) -> None:
        if overlay is not self.overlay:
            self.overlay = overlay
            self.overlay_changed.emit(overlay)

    def set_selection(self, selection: Selection | None) -> None:
        """Sets the selection; choosing the same place again emits again, so that the panes zoom back to it."""
        if selection is not None or self.selection is not None:
            self.selection = selection
            self.selection_changed.emit(selection)

    def set_pointed(self, pointed: tuple[float, float] | None) -> None:
        if pointed != self.pointed:
            self.pointed = pointed
            self.pointed_changed.emit(pointed)

    def set_timings(self, timings: FrameTimings | None) -> None:
        if timings != self.timings:
            self.timings = timings
            self.timings_changed.emit(timings)

    def set_benchmark(self, benchmark: BenchmarkResult | None) -> None:
        if benchmark != self.benchmark:
            self.benchmark = benchmark
            self.benchmark_changed.emit(benchmark)

    def set_analysed(self, done: int, total: int | None) -> None:
        if (done, total) != self.analysed:
            self.analysed = (done, total)
            self.analysed_changed.emit(self.analysed)

    def set_status(self, status: str) -> None:
        if status != self.status:
            self.status = status
            self.status_changed.emit(status)

    def set_progress(self, progress: Progress) -> None:
        """Shows or updates one long work, told apart by its `task`."""
        others = tuple(one for one in self.progress if one.task != progress.task)
        self._set_progress((*others, progress))

    def end_progress(self, task: str) -> None:
        """Takes a long work away; one that is not there is no error."""
        self._set_progress(tuple(one for one in self.progress if one.task != task))

    def _set_progress(self, progress: tuple[Progress, ...]) -> None:
        if progress != self.progress:
            self.progress = progress
            self.progress_changed.emit(progress)

    def add_problem(self, problem: Problem) -> None:
        """Shows a problem; one that is shown already, or the last one in its place, is replaced."""
        others = tuple(one for one in self.problems if one.place != problem.place)
        self._set_problems((*others, problem))

    def clear_problems(self, place: str | None = None) -> None:
        """Takes away the problems of one place, or all."""
        self._set_problems(tuple(one for one in self.problems if place is not None and one.place != place))

    def _set_problems(self, problems: tuple[Problem, ...]) -> None:
        if problems != self.problems:
            self.problems = problems
            self.problems_changed.emit(problems)

    def set_theme(self, theme: Theme) -> None:
        if theme != self.theme:
            self.theme = theme
            self.theme_changed.emit(theme)
