"""Both sides against the truth: their AP, which true objects only one of them finds, and which differences are for the better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from trtviewer.compare.average_precision import AveragePrecision, PrecisionTotals, overlap_with
from trtviewer.compare.frame_comparison import FrameComparison, Side
from trtviewer.compare.settings import CompareSettings
from trtviewer.compare.totals import SIZES, class_name, size_of_area
from trtviewer.compare.true_objects import TrueObjects
from trtviewer.detect.boxes import SCORE_FLOOR, Detections
from trtviewer.detect.nms import suppress

FALSE, ASIDE = -1, -2
"""Instead of an object's index: a detection that finds none, or only what is to be ignored."""


@dataclass(frozen=True, slots=True)
class Found:
    """How many true objects which side finds, at the settings' confidence and match IoU."""

    both: int
    only_reference: int
    only_candidate: int
    neither: int

    @property
    def objects(self) -> int:
        return self.both + self.only_reference + self.only_candidate + self.neither

    @property
    def reference_recall(self) -> float | None:
        """None where there is no object."""
        return (self.both + self.only_reference) / self.objects if self.objects else None

    @property
    def candidate_recall(self) -> float | None:
        """None where there is no object."""
        return (self.both + self.only_candidate) / self.objects if self.objects else None


@dataclass(frozen=True, slots=True)
class Differences:
    """What the misses and extras are, by the truth.

    Attributes:
        lost: misses of a true object that the candidate does not find at all: worse.
        false_gone: misses of something that is not there: better.
        gained: extras that are a true object which the reference does not find: better.
        false_new: extras of something that is not there: worse.
        same_object: misses and extras of a true object that both find, each by another box.
        ignored: misses and extras of what is to be ignored.
    """

    lost: int
    false_gone: int
    gained: int
    false_new: int
    same_object: int
    ignored: int

    @property
    def worse(self) -> int:
        return self.lost + self.false_new

    @property
    def better(self) -> int:
        return self.gained + self.false_gone

    @property
    def all(self) -> int:
        return self.worse + self.better + self.same_object + self.ignored


@dataclass(frozen=True, slots=True)
class SideTruth:
    """One side: its AP, and of its detections at the settings how many are true and how many false."""

    precision: AveragePrecision
    true: int
    false: int


@dataclass(frozen=True, slots=True)
class TruthSummary:
    """Everything that a report says of the truth.

    Attributes:
        frames, objects, ignored: what the truth holds.
        by_size: by the true object's area; by_class: by class id, of the classes that have objects.
    """

    frames: int
    objects: int
    ignored: int
    reference: SideTruth
    candidate: SideTruth
    found: Found
    by_size: Mapping[str, Found]
    by_class: Mapping[int, Found]
    class_names: Mapping[int, str]
    differences: Differences


@dataclass(frozen=True, slots=True)
class FrameTruth:
    """What the truth says of one frame.

    Attributes:
        objects: of the frame.
        reference, candidate: for each detection of that side the true object that it finds, or `FALSE`, or `ASIDE`.
        reference_finds, candidate_finds: for each object.
    """

    objects: TrueObjects
    reference: NDArray[np.intp]
    candidate: NDArray[np.intp]
    reference_finds: NDArray[np.bool_]
    candidate_finds: NDArray[np.bool_]


def frame_truth(comparison: FrameComparison, objects: TrueObjects, labelled: frozenset[int]) -> FrameTruth:
    """Lays both sides' detections, clipped to the frame, on the true objects."""
    size, match_iou = comparison.frame.size, comparison.settings.match_iou
    sides = [
        objects_found(side.detections, objects, size, match_iou, labelled)
        for side in (comparison.reference, comparison.candidate)
    ]
    finds = [np.isin(np.arange(len(objects)), side) for side in sides]
    return FrameTruth(objects, sides[0], sides[1], finds[0], finds[1])


class TruthTotals:
    """Accumulates frames with their truth, compared at one setting; see `PrecisionTotals` for what is kept.

    Args:
        settings: every frame must have been compared at these.
        class_names: of the models.
        labelled: ids of the classes that the labels speak of: a detection of another is neither true nor false.
    """

    def __init__(
        self, settings: CompareSettings, class_names: Sequence[str], labelled: frozenset[int]
    ) -> None:
        self._settings = settings
        self._names = tuple(class_names)
        self._labelled = labelled
        self.reference = PrecisionTotals(len(self._names))
        self.candidate = PrecisionTotals(len(self._names))
        # [size, class, found by the reference, found by the candidate]
        self._found = np.zeros((len(SIZES), len(self._names), 2, 2), np.int64)
        self._ignored = 0
        self._differences = np.zeros(6, np.int64)
        # [side, true | false]
        self._detections = np.zeros((2, 2), np.int64)

    def update(self, comparison: FrameComparison, objects: TrueObjects) -> FrameTruth:
        """Adds one frame. Raises: ValueError: it was compared at other settings."""
        if comparison.settings != self._settings:
            raise ValueError(f"these totals are of {self._settings}, the frame of {comparison.settings}")
        size = comparison.frame.size
        for totals, side in (
            (self.reference, comparison.reference),
            (self.candidate, comparison.candidate),
        ):
            every = all_detections(side, self._settings)
            totals.update(clipped(every.xyxy, size), every.score, every.class_id, objects)
        truth = frame_truth(comparison, objects, self._labelled)
        counting = ~objects.ignore
        self._ignored += int(np.count_nonzero(objects.ignore))
        np.add.at(
            self._found,
            (
                size_of_area(objects.area[counting]),
                objects.class_id[counting],
                truth.reference_finds[counting].astype(np.int64),
                truth.candidate_finds[counting].astype(np.int64),
            ),
            1,
        )
        for place, of_side in enumerate((truth.reference, truth.candidate)):
            self._detections[place] += np.count_nonzero(of_side >= 0), np.count_nonzero(of_side == FALSE)
        missed = truth.reference[comparison.matching.missed.index]
        extra = truth.candidate[comparison.matching.extra.index]
        lost, same_missed = _by_other_side(missed, truth.candidate_finds)
        gained, same_extra = _by_other_side(extra, truth.reference_finds)
        self._differences += np.array(
            (
                lost,
                np.count_nonzero(missed == FALSE),
                gained,
                np.count_nonzero(extra == FALSE),
                same_missed + same_extra,
                np.count_nonzero(missed == ASIDE) + np.count_nonzero(extra == ASIDE),
            ),
            np.int64,
        )
        return truth

    def merge(self, other: TruthTotals) -> None:
        """Adds all that `other` has seen, as later frames. Raises: ValueError: it is of other settings or classes."""
        if (self._settings, self._names, self._labelled) != (other._settings, other._names, other._labelled):
            raise ValueError("totals of other settings or classes cannot be merged")
        self.reference.merge(other.reference)
        self.candidate.merge(other.candidate)
        self._found += other._found
        self._ignored += other._ignored
        self._differences += other._differences
        self._detections += other._detections

    def result(self) -> TruthSummary:
        """The figures so far."""
        of_class = self._found.sum(axis=0)
        used = [index for index in range(len(self._names)) if of_class[index].any()]
        found = _found(self._found.sum(axis=(0, 1)))
        return TruthSummary(
            frames=self.reference.frames,
            objects=found.objects,
            ignored=self._ignored,
            reference=SideTruth(self.reference.result(), *map(int, self._detections[0])),
            candidate=SideTruth(self.candidate.result(), *map(int, self._detections[1])),
            found=found,
            by_size=MappingProxyType(
                {name: _found(self._found[size].sum(axis=0)) for size, name in enumerate(SIZES)}
            ),
            by_class=MappingProxyType({index: _found(of_class[index]) for index in used}),
            class_names=MappingProxyType({index: class_name(self._names, index) for index in used}),
            differences=Differences(*map(int, self._differences)),
        )


def all_detections(side: Side, settings: CompareSettings) -> Detections:
    """What AP looks at: everything above the score floor that NMS leaves."""
    return suppress(side.boxes, SCORE_FLOOR, settings.nms_iou, settings.agnostic_nms)


def clipped(xyxy: NDArray[np.float32], frame_size: tuple[int, int]) -> NDArray[np.float64]:
    """Boxes cut at the frame's border, as true ones are."""
    height, width = frame_size
    most = np.array((width, height, width, height), np.float64)
    return np.clip(xyxy.astype(np.float64), 0, most)


def objects_found(
    detections: Detections,
    objects: TrueObjects,
    frame_size: tuple[int, int],
    match_iou: float,
    labelled: frozenset[int],
) -> NDArray[np.intp]:
    """For each detection, asked by falling score: the nearest true object of its class that is still free, from
    `match_iou` on; `ASIDE` where that is one to be ignored, which only comes when none that counts does, and where its
    class is not labelled; else `FALSE`.
    """
    found = np.where(np.isin(detections.class_id, list(labelled)), FALSE, ASIDE).astype(np.intp)
    if not len(objects) or not len(detections):
        return found
    overlap = overlap_with(clipped(detections.xyxy, frame_size), detections.class_id, objects)
    near = overlap >= match_iou
    free = np.ones(len(objects), np.bool_)
    for row in np.flatnonzero(near.any(axis=1)).tolist():
        choices = np.flatnonzero(near[row] & free)
        counting = choices[~objects.ignore[choices]]
        choices = counting if len(counting) else choices
        if not len(choices):
            continue
        chosen = choices[overlap[row, choices].argmax()]
        found[row] = ASIDE if objects.ignore[chosen] else chosen
        free[chosen] = objects.crowd[chosen]
    return found


def _by_other_side(objects: NDArray[np.intp], other_finds: NDArray[np.bool_]) -> tuple[int, int]:
    """Of true objects, those that the other side does not find, and those that it does."""
    true = objects[objects >= 0]
    both = int(np.count_nonzero(other_finds[true]))
    return len(true) - both, both


def _found(table: NDArray[np.int64]) -> Found:
    return Found(int(table[1, 1]), int(table[1, 0]), int(table[0, 1]), int(table[0, 0]))
