"""Figures over many frames that merge: what was matched, missed and extra, and everything else that a report holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trtviewer.compare.frame_comparison import FrameComparison
from trtviewer.compare.latency import Latency, LatencyTotals
from trtviewer.compare.matching import Matching, Reason, Unmatched
from trtviewer.compare.settings import CompareSettings
from trtviewer.compare.tensor_error import OutputError, TensorErrors
from trtviewer.detect.boxes import NO_STRIDE, Detections
from trtviewer.detect.families import FAMILIES
from trtviewer.models.spec import Family, HeadSpec, ModelSpec

SIZES = ("small", "medium", "large")
"""COCO's, by the area of the box in pixels of the source frame."""

WORST = 20
"""So many of the worst frames are named."""

_AREAS = (32.0**2, 96.0**2)

_MATCHED, _MISSED, _EXTRA = range(3)


def size_of(xyxy: NDArray[np.float32]) -> NDArray[np.int8]:
    """[N] index into `SIZES` for boxes [N, 4] of the source frame: medium from 32^2, large from 96^2."""
    sides = xyxy[:, 2:].astype(np.float64) - xyxy[:, :2]
    return size_of_area(sides[:, 0] * sides[:, 1])


def size_of_area(area: NDArray[np.float64]) -> NDArray[np.int8]:
    """[N] index into `SIZES` for areas [N], in pixels of the source frame."""
    return np.searchsorted(_AREAS, area, side="right").astype(np.int8)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many detections there were. A pair counts under the reference's class, stride and size, an extra under its own."""

    matched: int
    missed: int
    extra: int

    @property
    def reference(self) -> int:
        return self.matched + self.missed

    @property
    def candidate(self) -> int:
        return self.matched + self.extra

    @property
    def missed_rate(self) -> float | None:
        """missed / reference; None where the reference has none."""
        return self.missed / self.reference if self.reference else None

    @property
    def agreement_f1(self) -> float | None:
        """2 matched / (reference + candidate); None where neither has any."""
        both = self.reference + self.candidate
        return 2 * self.matched / both if both else None


@dataclass(frozen=True, slots=True)
class DetectionSummary:
    """What is said of the detections of some frames at one confidence.

    Attributes:
        frames: how many.
        counts: over all of them.
        mean_iou, mean_score_delta: over the matched pairs, the latter candidate - reference; None where there are none.
        missed_reasons, extra_reasons: by `Reason.key`, every reason in its order.
        below_by_at_most: of the misses `below_confidence`, how far the farthest is under the threshold; None where
            there are none.
        by_stride: rising, None first (no stride).
        by_size: by `SIZES`.
        by_class: by class id, every class that the model knows.
        class_names: by class id.
    """

    frames: int
    counts: Counts
    mean_iou: float | None
    mean_score_delta: float | None
    missed_reasons: Mapping[str, int]
    extra_reasons: Mapping[str, int]
    below_by_at_most: float | None
    by_stride: tuple[tuple[int | None, Counts], ...]
    by_size: Mapping[str, Counts]
    by_class: tuple[Counts, ...]
    class_names: tuple[str, ...]


class DetectionTotals:
    """Accumulates matched frames; the order of updates and merges does not matter.

    Args:
        class_names: by class id.
        confidence: that the detections were chosen with.
        strides: those that get a row even where nothing was found.
    """

    def __init__(
        self, class_names: Sequence[str], confidence: float, strides: Sequence[int | None] = ()
    ) -> None:
        self._names = tuple(class_names)
        self._confidence = confidence
        self._frames = 0
        self._strides: list[int] = []
        self._slot_of = np.full(65, -1, np.int64)
        # [matched | missed | extra, stride, size, class]
        self._table = np.zeros((3, 0, len(SIZES), max(1, len(self._names))), np.int64)
        self._reasons = np.zeros((2, len(Reason)), np.int64)
        self._iou = 0.0
        self._score_delta = 0.0
        self._below_by = -1.0
        for stride in strides:
            self._make_room(NO_STRIDE if stride is None else stride, 0)

    def update(self, reference: Detections, candidate: Detections, matching: Matching) -> None:
        """Adds one frame."""
        self._frames += 1
        pairs, missed, extra = matching.pairs, matching.missed, matching.extra
        if len(reference):
            keys = self._keys(reference)
            self._count(_MATCHED, keys[pairs[:, 0]])
            self._count(_MISSED, keys[missed.index])
        if len(extra):
            self._count(_EXTRA, self._keys(candidate)[extra.index])
            np.add.at(self._reasons[1], extra.reason, 1)
        if len(missed):
            np.add.at(self._reasons[0], missed.reason, 1)
            self._below_by = max(self._below_by, _below_by(missed, self._confidence))
        if len(pairs):
            self._iou += float(matching.iou.sum(dtype=np.float64))
            own, other = reference.score[pairs[:, 0]], candidate.score[pairs[:, 1]]
            self._score_delta += float((other.astype(np.float64) - own).sum())

    def merge(self, other: DetectionTotals) -> None:
        """Adds all that `other` has seen. Raises: ValueError: it is of other classes or another confidence."""
        if (self._names, self._confidence) != (other._names, other._confidence):
            raise ValueError("totals of other classes or another confidence cannot be merged")
        for slot, stride in enumerate(other._strides):
            self._make_room(stride, other._table.shape[3] - 1)
            self._table[:, self._slot_of[stride], :, : other._table.shape[3]] += other._table[:, slot]
        self._frames += other._frames
        self._reasons += other._reasons
        self._iou += other._iou
        self._score_delta += other._score_delta
        self._below_by = max(self._below_by, other._below_by)

    def result(self) -> DetectionSummary:
        """The figures so far."""
        counts = _counts(self._table.sum(axis=(1, 2, 3)))
        by_stride = sorted(self._strides)
        by_class = self._table.sum(axis=(1, 2))
        return DetectionSummary(
            frames=self._frames,
            counts=counts,
            mean_iou=self._iou / counts.matched if counts.matched else None,
            mean_score_delta=self._score_delta / counts.matched if counts.matched else None,
            missed_reasons=_by_reason(self._reasons[0]),
            extra_reasons=_by_reason(self._reasons[1]),
            below_by_at_most=self._below_by if self._below_by >= 0 else None,
            by_stride=tuple(
                (
                    None if stride == NO_STRIDE else stride,
                    _counts(self._table[:, self._slot_of[stride]].sum(axis=(1, 2))),
                )
                for stride in by_stride
            ),
            by_size=MappingProxyType(
                {name: _counts(self._table[:, :, size].sum(axis=(1, 2))) for size, name in enumerate(SIZES)}
            ),
            by_class=tuple(_counts(by_class[:, index]) for index in range(by_class.shape[1])),
            class_names=tuple(class_name(self._names, index) for index in range(by_class.shape[1])),
        )

    def _keys(self, detections: Detections) -> NDArray[np.int64]:
        """Where each detection is counted in one kind's part of the table, flattened."""
        stride, class_id = detections.stride, detections.class_id
        highest_stride, highest_class = int(stride.max()), int(class_id.max())
        if highest_stride >= len(self._slot_of) or highest_class >= self._table.shape[3]:
            self._make_room(highest_stride, highest_class)
        slot = self._slot_of[stride]
        if slot.min() < 0:
            for value in np.unique(stride):
                self._make_room(int(value), highest_class)
            slot = self._slot_of[stride]
        return (slot * len(SIZES) + size_of(detections.xyxy)) * self._table.shape[3] + class_id

    def _count(self, kind: int, keys: NDArray[Any]) -> None:
        np.add.at(self._table[kind].reshape(-1), keys, 1)

    def _make_room(self, stride: int, class_id: int) -> None:
        """Gives the stride a slot and the class a column, where they have none yet."""
        if stride >= len(self._slot_of):
            longer = np.full(stride + 1, -1, np.int64)
            longer[: len(self._slot_of)] = self._slot_of
            self._slot_of = longer
        more = [0, 0, 0, max(0, class_id + 1 - self._table.shape[3])]
        if self._slot_of[stride] < 0:
            self._slot_of[stride] = len(self._strides)
            self._strides.append(stride)
            more[1] = 1
        if any(more):
            self._table = np.pad(self._table, [(0, count) for count in more])


@dataclass(frozen=True, slots=True)
class WorstFrame:
    """A frame on which the two sides differ much; `mse` is the mean over the outputs, None where undefined."""

    frame: int
    missed: int
    extra: int
    mse: float | None


@dataclass(frozen=True, slots=True)
class TotalsResult:
    """Everything that a report says of some frames.

    Attributes:
        frames: how many.
        outputs: errors of the paired outputs; empty where only detections can be paired.
        worst: at most `WORST`, by missed + extra, then mse.
        reference_latency, candidate_latency: of the runners, as they ran: both at once.
    """

    frames: int
    detections: DetectionSummary
    outputs: tuple[OutputError, ...]
    worst: tuple[WorstFrame, ...]
    reference_latency: Latency
    candidate_latency: Latency


class Totals:
    """Accumulates `FrameComparison`s of one pair of models at one setting, in constant memory.

    The order of updates and merges does not matter.

    Args:
        settings: every frame must have been compared at these.
        reference: the model whose classes and strides the rows are of.
    """

    def __init__(self, settings: CompareSettings, reference: ModelSpec) -> None:
        self.settings = settings
        self.errors = TensorErrors()
        self.detections = DetectionTotals(reference.classes, settings.confidence, strides_of(reference))
        self.reference_latency = LatencyTotals()
        self.candidate_latency = LatencyTotals()
        self._worst: list[WorstFrame] = []

    def update(self, comparison: FrameComparison) -> None:
        """Adds one frame. Raises: ValueError: it was compared at other settings."""
        if comparison.settings != self.settings:
            raise ValueError(f"these totals are of {self.settings}, the frame of {comparison.settings}")
        self.detections.update(
            comparison.reference.detections, comparison.candidate.detections, comparison.matching
        )
        self.errors.update(comparison.errors)
        self.reference_latency.update(comparison.reference.latency_ms)
        self.candidate_latency.update(comparison.candidate.latency_ms)
        mse = comparison.mse
        self._keep_worst([WorstFrame(comparison.frame.index, comparison.missed, comparison.extra, mse)])

    def merge(self, other: Totals) -> None:
        """Adds all that `other` has seen. Raises: ValueError: it is of other settings."""
        if other.settings != self.settings:
            raise ValueError("totals of other settings cannot be merged")
        self.detections.merge(other.detections)
        self.errors.merge(other.errors)
        self.reference_latency.merge(other.reference_latency)
        self.candidate_latency.merge(other.candidate_latency)
        self._keep_worst(other._worst)

    def result(self) -> TotalsResult:
        """The figures so far."""
        detections = self.detections.result()
        return TotalsResult(
            frames=detections.frames,
            detections=detections,
            outputs=self.errors.result(self.settings.epsilon),
            worst=tuple(self._worst),
            reference_latency=self.reference_latency.result(),
            candidate_latency=self.candidate_latency.result(),
        )

    def _keep_worst(self, frames: list[WorstFrame]) -> None:
        self._worst = sorted([*self._worst, *frames], key=_badness)[:WORST]


def strides_of(spec: ModelSpec) -> tuple[int | None, ...]:
    """The strides of a model's boxes, rising; (None,) where its family has none."""
    if spec.family == Family.NONE:
        return ()
    strides = {stride for head in spec.heads for stride in strides_of_head(spec, head)}
    return tuple(sorted(stride for stride in strides if stride is not None)) or (None,)


def strides_of_head(spec: ModelSpec, head: HeadSpec) -> tuple[int | None, ...]:
    """The strides that one head holds, in its own order; None where it has no grid."""
    return tuple(grid.stride for grid in FAMILIES[spec.family].grids(spec, head, head.shape))


def _badness(frame: WorstFrame) -> tuple[int, float, int]:
    """Sorts the worst first; of equal ones the earlier."""
    return -(frame.missed + frame.extra), -(0.0 if frame.mse is None else frame.mse), frame.frame


def class_name(names: Sequence[str], class_id: int) -> str:
    """The class' name; "class 7" where the model has no name for it."""
    return names[class_id] if class_id < len(names) else f"class {class_id}"


def _below_by(missed: Unmatched, confidence: float) -> float:
    """How far under the threshold the farthest of those is that the threshold took; -1 where it took none."""
    scores = missed.other_score[missed.reason == Reason.BELOW_CONFIDENCE]
    # A score equal to the threshold as float32 may be above it as float64.
    return max(0.0, confidence - float(scores.min())) if len(scores) else -1.0


def _counts(of_kinds: NDArray[np.int64]) -> Counts:
    return Counts(int(of_kinds[_MATCHED]), int(of_kinds[_MISSED]), int(of_kinds[_EXTRA]))


def _by_reason(counts: NDArray[np.int64]) -> Mapping[str, int]:
    return MappingProxyType({reason.key: int(counts[reason]) for reason in Reason})
