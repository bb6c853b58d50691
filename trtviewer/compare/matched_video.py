"""Every disagreement of a video at one setting of the thresholds: for the timeline, the table and the summary."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trtviewer.compare.kept import KeptFrame
from trtviewer.compare.matching import Matching, Unmatched, match
from trtviewer.compare.settings import CompareSettings
from trtviewer.compare.suppression import candidate_detections, reference_detections
from trtviewer.compare.totals import DetectionSummary, DetectionTotals, size_of
from trtviewer.detect.boxes import Detections
from trtviewer.errors import Cancelled

MISSED = 0
EXTRA = 1


@dataclass(frozen=True, eq=False, slots=True)
class DisagreementTable:
    """One row a missed or extra detection; read-only columns of one length, frames in the order of analysis.

    Attributes:
        frame_index: [N] int32.
        kind: [N] int8, `MISSED` or `EXTRA`.
        reason: [N] int8, values of `Reason`.
        class_id: [N] int32.
        size: [N] int8, index into `SIZES`.
        stride: [N] int32; `NO_STRIDE` where there is none.
        score: [N] float32, of the side that has it.
        other_score, iou: [N] float32, of what gave the reason on the other side; NaN where it is gone.
        xyxy: [N, 4] float32, pixels of the source frame.
        head, position: [N] int32, of the box, as in `CandidateBoxes`.
        cell_error: [N] float32, mean |d| of its cell's channels; NaN where its head has no partner.
    """

    frame_index: NDArray[np.int32]
    kind: NDArray[np.int8]
    reason: NDArray[np.int8]
    class_id: NDArray[np.int32]
    size: NDArray[np.int8]
    stride: NDArray[np.int32]
    score: NDArray[np.float32]
    other_score: NDArray[np.float32]
    iou: NDArray[np.float32]
    xyxy: NDArray[np.float32]
    head: NDArray[np.int32]
    position: NDArray[np.int32]
    cell_error: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.frame_index)


@dataclass(frozen=True, eq=False, slots=True)
class MatchedVideo:
    """The frames analysed so far, matched at `settings`; a snapshot that nobody changes any more.

    Attributes:
        frame_index: [F] int32, in the order of analysis.
        time_s: [F] float64.
        missed, extra: [F] int32.
        error: [F] float32, the mean MSE over the outputs; NaN where undefined.
        disagreements: one row each.
        totals: the counts over all of them.
    """

    settings: CompareSettings
    frame_index: NDArray[np.int32]
    time_s: NDArray[np.float64]
    missed: NDArray[np.int32]
    extra: NDArray[np.int32]
    error: NDArray[np.float32]
    disagreements: DisagreementTable
    totals: DetectionSummary


class MatchedVideoBuilder:
    """Adds frame by frame; a snapshot costs no copy of what was added. Used by one thread at a time.

    Args:
        settings: every frame is matched at these.
        class_names: by class id.
        strides: those that get a row in the totals even where nothing was found.
    """

    def __init__(
        self, settings: CompareSettings, class_names: Sequence[str], strides: Sequence[int | None] = ()
    ) -> None:
        self.settings = settings
        self._totals = DetectionTotals(class_names, settings.confidence, strides)
        self._frames = _Columns(
            frame_index=np.int32, time_s=np.float64, missed=np.int32, extra=np.int32, error=np.float32
        )
        self._rows = _Columns(
            frame_index=np.int32,
            kind=np.int8,
            reason=np.int8,
            class_id=np.int32,
            size=np.int8,
            stride=np.int32,
            score=np.float32,
            other_score=np.float32,
            iou=np.float32,
            xyxy=(np.float32, 4),
            head=np.int32,
            position=np.int32,
            cell_error=np.float32,
        )

    def __len__(self) -> int:
        """How many frames were added."""
        return self._frames.length

    def add(self, kept: KeptFrame) -> None:
        """Suppresses and matches one frame's boxes, and adds what comes out."""
        reference = reference_detections(kept.reference, self.settings)
        candidate = candidate_detections(kept.candidate, self.settings)
        self.add_matched(kept, reference, candidate, match(reference, candidate, self.settings))

    def add_matched(
        self, kept: KeptFrame, reference: Detections, candidate: Detections, matching: Matching
    ) -> None:
        """Adds a frame that is already matched at these very settings (by a `FrameComparison`)."""
        self._totals.update(reference, candidate, matching)
        self._frames.append(
            1,
            frame_index=kept.frame_index,
            time_s=kept.time_s,
            missed=len(matching.missed),
            extra=len(matching.extra),
            error=kept.error,
        )
        for kind, detections, unmatched, cell_error in (
            (MISSED, reference, matching.missed, kept.reference_cell_error),
            (EXTRA, candidate, matching.extra, kept.candidate_cell_error),
        ):
            if len(unmatched):
                self._append(kept.frame_index, kind, detections, unmatched, cell_error)

    def snapshot(self) -> MatchedVideo:
        """All that was added so far; further frames do not change it."""
        return MatchedVideo(
            settings=self.settings,
            **self._frames.views(),
            disagreements=DisagreementTable(**self._rows.views()),
            totals=self._totals.result(),
        )

    def _append(
        self,
        frame_index: int,
        kind: int,
        detections: Detections,
        unmatched: Unmatched,
        cell_error: NDArray[np.float32],
    ) -> None:
        boxes, box = detections.boxes, detections.index[unmatched.index]
        xyxy = boxes.xyxy[box]
        self._rows.append(
            len(unmatched),
            frame_index=frame_index,
            kind=kind,
            reason=unmatched.reason,
            class_id=boxes.class_id[box],
            size=size_of(xyxy),
            stride=boxes.stride[box],
            score=boxes.score[box],
            other_score=unmatched.other_score,
            iou=unmatched.iou,
            xyxy=xyxy,
            head=boxes.head[box],
            position=boxes.position[box],
            cell_error=cell_error[box],
        )


def rematch(
    kept: Iterable[KeptFrame],
    settings: CompareSettings,
    class_names: Sequence[str],
    cancelled: Callable[[], bool] = lambda: False,
    progress: Callable[[int], None] = lambda _: None,
    *,
    strides: Sequence[int | None] = (),
) -> MatchedVideo:
    """Matches a whole analysed video at other settings: the same as a fresh comparison at them.

    Args:
        cancelled: asked before each frame.
        progress: told after each frame how many are done.

    Raises:
        Cancelled: `cancelled` said so.
    """
    builder = MatchedVideoBuilder(settings, class_names, strides)
    for frame in kept:
        if cancelled():
            raise Cancelled
        builder.add(frame)
        progress(len(builder))
    return builder.snapshot()


class _Columns:
    """Arrays that grow together. Rows are only ever added, so views of the first ones stay as they are."""

    def __init__(self, **columns: Any) -> None:
        self.length = 0
        self._arrays: dict[str, NDArray[Any]] = {}
        for name, kind in columns.items():
            dtype, *tail = kind if isinstance(kind, tuple) else (kind,)
            self._arrays[name] = np.empty((256, *tail), dtype)

    def append(self, count: int, **values: Any) -> None:
        start, self.length = self.length, self.length + count
        if self.length > len(next(iter(self._arrays.values()))):
            room = 2 * self.length
            for name, array in self._arrays.items():
                longer = np.empty((room, *array.shape[1:]), array.dtype)
                longer[:start] = array[:start]
                self._arrays[name] = longer
        for name, array in self._arrays.items():
            array[start : self.length] = values[name]

    def views(self) -> dict[str, Any]:
        """Read-only views of the rows so far."""
        views = {}
        for name, array in self._arrays.items():
            views[name] = array[: self.length]
            views[name].setflags(write=False)
        return views
