"""What the Layers, Variants and Calibration docks show, and what they ask for; no widget, no thread and no file in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from trtviewer.gui.what_if.recipe import Made, Part
from trtviewer.gui.what_if.variant_figures import Figures

if TYPE_CHECKING:
    from trtviewer.blame.causes import Cause
    from trtviewer.blame.coach import CoachReport
    from trtviewer.blame.measurement import LayersResult
    from trtviewer.blame.one_object import ObjectBlame
    from trtviewer.blame.preprocessing_check import PreprocessingReport
    from trtviewer.blame.refit import Refit
    from trtviewer.blame.twin import Twin
    from trtviewer.compare.kept import KeptFrame
    from trtviewer.compare.settings import CompareSettings
    from trtviewer.gui.state import Selection
    from trtviewer.sources.frame import Frame


TASK = "what-if"
"""The task under which the window shows the workshop's progress."""


@dataclass(frozen=True, eq=False, slots=True)
class LayersFinding:
    """What the layers of one candidate cost.

    Attributes:
        candidate: whose layers.
        frames: what they were measured on; where it was stopped, `result.frames` of them.
        first_and_heads: the layers that read the picture, and the last ones before the outputs.
    """

    candidate: Path
    frames: Part
    result: LayersResult
    first_and_heads: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Variant:
    """One candidate of the list as the history knows it.

    Attributes:
        path: the candidate's.
        made: how it was made here; None for one that was opened from a file.
        frames: what it was judged on; None while it was not.
        kept: what it made of them.
        figures: of these, at the thresholds of now.
        macs_share: of the multiplications, those in INT8; None where unknown.
        note: why it could not be judged.
        saved: whether it was written, as it is, where it outlives the window.
    """

    path: Path
    made: Made | None = None
    frames: Part | None = None
    kept: tuple[KeptFrame, ...] = ()
    figures: Figures | None = None
    macs_share: float | None = None
    note: str = ""
    saved: bool = False

    @property
    def unsaved(self) -> bool:
        """Whether it goes with the window."""
        return self.made is not None and not self.saved


@dataclass(frozen=True, eq=False, slots=True)
class ObjectFinding:
    """Why the candidate lost one object.

    Attributes:
        selection: the place that the user chose.
        candidate: whose layers.
        class_id, class_name: what it is.
    """

    selection: Selection
    candidate: Path
    class_id: int
    class_name: str
    blame: ObjectBlame


@dataclass(frozen=True, eq=False, slots=True)
class RefitFinding:
    """What thresholds of its own would bring a candidate.

    Attributes:
        candidate: whose.
        settings: at which they were found.
        frames: how many were looked at; half of them was fitted to.
    """

    candidate: Path
    settings: CompareSettings
    frames: int
    refit: Refit


@dataclass(frozen=True, eq=False, slots=True)
class CoachFinding:
    """What the coach says of some frames.

    Attributes:
        candidate: whose ranges.
        frames: what was looked at; where it was stopped, `report.frames` of them.
        causes: what the structure shows, the most severe first.
        twin: for the map of what clips.
    """

    candidate: Path
    frames: Part
    report: CoachReport
    causes: tuple[Cause, ...]
    twin: Twin


# What the docks ask for -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FindLayers:
    """Measure the layers of the shown candidate on these frames."""

    frames: Part


@dataclass(frozen=True, slots=True)
class FindFewest:
    """Tick the fewest layers with which the measured candidate misses at most that share, on the frames it was measured on."""

    most_missed: float


@dataclass(frozen=True, slots=True)
class Apply:
    """Make a variant and show it.

    Attributes:
        source, count: so many frames spread over that source are calibrated on; further ones are the state's `extra`.
        judge: the frames that its figures are of.
    """

    method: str
    percentile: float
    source: str
    count: int
    keep_float: frozenset[str]
    judge: Part


@dataclass(frozen=True, eq=False, slots=True)
class Inspect:
    """Say why the candidate lost the object at this place of this frame; its head and position are known."""

    frame: Frame
    selection: Selection
    class_id: int
    class_name: str


@dataclass(frozen=True, slots=True)
class Judge:
    """Judge all candidates of the list on these frames."""

    frames: Part


@dataclass(frozen=True, slots=True)
class Coach:
    """Hold the shown candidate's ranges against these frames."""

    frames: Part


@dataclass(frozen=True, slots=True)
class CheckPreprocessing:
    """Try other preprocessings on these frames, and let the models tell which fits."""

    frames: Part


@dataclass(frozen=True, slots=True)
class FindThresholds:
    """Re-fit the thresholds of the shown candidate, on its analysed frames or, where those are fewer, the judged ones."""


@dataclass(frozen=True, slots=True)
class ApplyThresholds:
    """Put the thresholds that were found in force, or take them away again."""

    on: bool


@dataclass(frozen=True, slots=True)
class SaveThresholds:
    """Write the thresholds that were found as a table (CSV)."""

    out: Path


@dataclass(frozen=True, slots=True)
class Export:
    """Write a variant where the user wants it; `float_type` "float16" only for one that was made here."""

    path: Path
    out: Path
    float_type: str = "float32"


@dataclass(frozen=True, slots=True)
class SaveVariants:
    """Write variants as they are, with their sidecars; each path is told with the file that it is saved as."""

    files: tuple[tuple[Path, Path], ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """End the work under way; what it has so far is kept."""


class WhatIfState(QObject):
    """Attributes, each with the signal that tells its change:

    layers: LayersFinding | None.
    object: ObjectFinding | None.
    refit: RefitFinding | None.
    coach: CoachFinding | None.
    preprocessing: PreprocessingReport | None.
    variants: by the path of the candidate.
    ticks: frozenset of names; the layers that the next variant keeps in float.
    extra: tuple of Part; frames that were added to the calibration set.
    running: what the workshop is doing, or "".
    self_test: whether INT8 is computed right on this CPU, in a sentence; "" until an emulated model is open.
    """

    layers_changed = Signal(object)
    object_changed = Signal(object)
    refit_changed = Signal(object)
    coach_changed = Signal(object)
    preprocessing_changed = Signal(object)
    variants_changed = Signal(object)
    ticks_changed = Signal(object)
    extra_changed = Signal(object)
    running_changed = Signal(object)
    self_test_changed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.layers: LayersFinding | None = None
        self.object: ObjectFinding | None = None
        self.refit: RefitFinding | None = None
        self.coach: CoachFinding | None = None
        self.preprocessing: PreprocessingReport | None = None
        self.variants: dict[Path, Variant] = {}
        self.ticks: frozenset[str] = frozenset()
        self.extra: tuple[Part, ...] = ()
        self.running = ""
        self.self_test = ""

    def set_layers(self, layers: LayersFinding | None) -> None:
        self._set("layers", layers)

    def set_object(self, found: ObjectFinding | None) -> None:
        self._set("object", found)

    def set_refit(self, found: RefitFinding | None) -> None:
        self._set("refit", found)

    def set_coach(self, found: CoachFinding | None) -> None:
        self._set("coach", found)

    def set_preprocessing(self, found: PreprocessingReport | None) -> None:
        self._set("preprocessing", found)

    def set_ticks(self, ticks: frozenset[str]) -> None:
        self._set("ticks", ticks)

    def set_extra(self, extra: tuple[Part, ...]) -> None:
        self._set("extra", extra)

    def set_running(self, running: str) -> None:
        self._set("running", running)

    def set_self_test(self, sentence: str) -> None:
        self._set("self_test", sentence)

    def _set(self, name: str, value: object) -> None:
        if value != getattr(self, name):
            setattr(self, name, value)
            getattr(self, f"{name}_changed").emit(value)

    def variant(self, path: Path) -> Variant:
        """What is known of a candidate; nothing yet, for one that was just opened."""
        return self.variants.get(path, Variant(path))

    def put_variants(self, *variants: Variant) -> None:
        """Sets what is known of these; the others stay."""
        self.variants = {**self.variants, **{one.path: one for one in variants}}
        self.variants_changed.emit(self.variants)

    def forget_figures(self) -> None:
        """Another source or reference: how the variants were made stays."""
        self.variants = {
            path: Variant(
                path, one.made, macs_share=None if one.made is None else one.made.macs_share, saved=one.saved
            )
            for path, one in self.variants.items()
        }
        self.variants_changed.emit(self.variants)
