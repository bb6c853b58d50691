"""What the window shows, as frozen records: views may keep them, and whatever crossed a thread stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trtviewer.compare.settings import CompareSettings
from trtviewer.compare.totals import SIZES
from trtviewer.compare.truth_totals import FrameTruth
from trtviewer.models.spec import ModelSpec
from trtviewer.runners.runner import RunnerInfo

SPEEDS = (0.25, 0.5, 1.0, 1.5, 2.0, 4.0)
"""The playing speeds, as factors of the video's own."""


class PaneMode(StrEnum):
    """The ways to look at the two pictures."""

    SIDE_BY_SIDE = "side_by_side"
    SPLIT = "split"
    BLINK = "blink"
    SINGLE = "single"
    DIFFERENCE = "difference"


class TruthLayer(StrEnum):
    """Which true objects are drawn: none, all, or those that the reference finds and the candidate does not."""

    OFF = "off"
    ALL = "all"
    LOST = "lost"


class ModelState(StrEnum):
    """How far a model is."""

    OPENING = "opening"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model that the user gave.

    Attributes:
        path: its file, or the folder of recorded outputs.
        state: opening, ready or failed; only a ready one has a `spec`, only one that has run has an `info`.
        message: why it failed, or what it is doing.
    """

    path: Path
    state: ModelState = ModelState.OPENING
    spec: ModelSpec | None = None
    info: RunnerInfo | None = None
    message: str = ""

    @property
    def name(self) -> str:
        return self.path.name if self.spec is None else self.spec.name

    @property
    def precision(self) -> str:
        """What runs where that is known, else what the file says; upper case, empty while unknown."""
        if self.info is not None:
            return self.info.precision.upper()
        return str(self.spec.precision).upper() if self.spec is not None else ""

    @property
    def emulated(self) -> bool:
        """Whether its speed stands for nothing."""
        return self.info is not None and self.info.emulated


@dataclass(frozen=True, slots=True)
class Models:
    """The models that are open.

    Attributes:
        reference: the one that is compared with; None where none is open.
        candidates: all that are open, in the order of the keys 1 to 9.
        shown: which of them stands in the candidate pane; only that one runs. -1 where there is none.
    """

    reference: ModelEntry | None = None
    candidates: tuple[ModelEntry, ...] = ()
    shown: int = -1

    @property
    def candidate(self) -> ModelEntry | None:
        """The candidate that is shown."""
        return self.candidates[self.shown] if 0 <= self.shown < len(self.candidates) else None

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names by class id, the reference's first; empty where no model is ready."""
        for entry in (self.reference, self.candidate):
            if entry is not None and entry.spec is not None:
                return entry.spec.classes
        return ()


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """The source of frames that is open.

    Attributes:
        address: what opens it again.
        name: short, for titles.
        length: the number of frames; None where there is no end (a camera).
        fps: frames a second; None for pictures.
        frame_size: height and width of its first frame.
    """

    address: str
    name: str
    length: int | None
    fps: float | None
    frame_size: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Position:
    """Where the pictures stand in the source; of pictures in a folder, the file's name."""

    frame_index: int = 0
    time_s: float = 0.0
    name: str = ""


@dataclass(frozen=True, slots=True)
class Playing:
    """Whether and how the video plays. `loop` is the first and the last frame of the range that repeats, or None."""

    playing: bool = False
    speed: float = 1.0
    loop: tuple[int, int] | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Overlay:
    """A map of values laid over the picture of one frame (the heatmap dock makes it, the panes draw it).

    Attributes:
        frame_index: the frame that it belongs to; panes draw it over no other.
        reference, candidate: [H, W] uint32 each, premultiplied ARGB, read-only, opacity already in it; the panes scale
            them (nearest neighbour) onto `xyxy`. Either may be None: nothing is drawn on that side.
        difference: the same of their difference, for the difference mode; None where it is not asked for or cannot be had.
        xyxy: where they lie, pixels of the source frame (a letterboxed map's bars lie outside the frame: that is meant).
        title: one line that names it, for the pane's header.
    """

    frame_index: int
    reference: NDArray[np.uint32] | None
    candidate: NDArray[np.uint32] | None
    xyxy: tuple[float, float, float, float]
    title: str
    difference: NDArray[np.uint32] | None = None


@dataclass(frozen=True, slots=True)
class Display:
    """How things are shown; nothing here changes a figure of the core.

    Attributes:
        mode: how the two pictures are laid out.
        single_side: which side the single mode shows, "reference" or "candidate".
        classes: the class ids that are shown; None for all.
        sizes: the sizes that are shown, of `SIZES`.
        boxes, labels, matched: whether boxes at all, their labels, and the matched ones are drawn.
        overlay_opacity: 0..1, of a heatmap laid over the picture.
        truth: which true objects are drawn.
    """

    mode: PaneMode = PaneMode.SIDE_BY_SIDE
    single_side: str = "reference"
    classes: frozenset[int] | None = None
    sizes: frozenset[str] = frozenset(SIZES)
    boxes: bool = True
    labels: bool = True
    matched: bool = True
    overlay_opacity: float = 0.5
    truth: TruthLayer = TruthLayer.OFF

    def shows(self, class_id: int, size: str) -> bool:
        """Whether an object of that class and size passes the filters."""
        return size in self.sizes and (self.classes is None or class_id in self.classes)


@dataclass(frozen=True, slots=True)
class Selection:
    """A place in the video that the user chose: both panes zoom to it, the heatmap's cursor stands on its cell.

    Attributes:
        frame_index: its frame; the window goes there.
        xyxy: its box, pixels of the source frame.
        label: what it is, for the status bar ("missed person 0.43").
        head, position: its cell, as `CandidateBoxes` has them; -1 where unknown.
        cell: where a heatmap's cell was chosen: the stride of its scale, its row and column.
    """

    frame_index: int
    xyxy: tuple[float, float, float, float]
    label: str = ""
    head: int = -1
    position: int = -1
    cell: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class SideTimings:
    """Milliseconds of one side's stages for one frame."""

    infer_ms: float | None
    postprocess_ms: float | None = None


@dataclass(frozen=True, slots=True)
class FrameTimings:
    """Where the time of one frame went, for the speed dock; None where a stage was not measured.

    Attributes:
        shown_fps: frames shown a second, over the last second.
        dropped: frames that live playing has left out so far.
    """

    frame_index: int
    decode_ms: float | None
    prepare_ms: float | None
    reference: SideTimings | None
    candidate: SideTimings | None
    shown_fps: float = 0.0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """One long work. `total` None: no end is known. `cancel` None: it cannot be cancelled."""

    task: str
    title: str
    done: int = 0
    total: int | None = None
    left_s: float | None = None
    cancel: Callable[[], None] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something failed, or is done and can be gone on with; shown as a banner, while the rest goes on working.

    Attributes:
        what, subject, advice: as `TrtviewerError` has them.
        place: "window", "reference", "candidate", "source" (that could not be opened), "frame" (of the
            source that plays), or the id of a dock.
        details: the whole story, for [Details].
        retry: what [Try again] does; None where trying again makes no sense.
        choice: what else can be done: a button's words, and what it does.
        good: nothing failed.
    """

    what: str
    subject: str = ""
    advice: str = ""
    place: str = "window"
    details: str = ""
    retry: Callable[[], None] | None = field(default=None, compare=False)
    choice: tuple[str, Callable[[], object]] | None = field(default=None, compare=False)
    good: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class ShownTruth:
    """What the labels say of one frame, laid on both sides' detections at these settings."""

    frame_index: int
    settings: CompareSettings
    truth: FrameTruth


@dataclass(frozen=True, slots=True)
class Findings:
    """What else is said of the analysed frames: how sure the figures are, what is too small, which tracks are lost.

    Attributes:
        settings, frames: what the sentences are of; views show them with those figures only.
    """

    settings: CompareSettings
    frames: int
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BenchmarkResult:
    """What "measure alone" found: mean latency of each side running alone; None for speed-up where emulated."""

    reference_ms: float
    candidate_ms: float
    speedup: float | None
    emulated: bool
    report: dict[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, eq=False, slots=True)
class Thumbnail:
    """A small picture of one frame: [h, w, 4] BGRA uint8, read-only."""

    frame_index: int
    pixels: NDArray[np.uint8]
