"""The free cure: confidence thresholds for the candidate, by class and stride, that agree best with the reference.

INT8 often finds an object and only scores it lower; a threshold that moves along brings it back, with nothing quantized anew. The
thresholds are chosen on one half of the frames and judged on the other, so that what is told is not what was fitted.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trtviewer.atomic import write_text
from trtviewer.compare.kept import KeptFrame
from trtviewer.compare.matching import match
from trtviewer.compare.settings import CompareSettings
from trtviewer.compare.totals import DetectionSummary, DetectionTotals, class_name
from trtviewer.detect.boxes import NO_STRIDE, SCORE_FLOOR, CandidateBoxes, Detections
from trtviewer.detect.nms import suppress

MOST_FRAMES = 1_000
"""So many frames at most are fitted to, spread over all; more would not change a threshold that one can trust."""
FEWEST_OBJECTS = 5
"""A class at a stride with fewer detections of the reference on the fitted frames keeps its threshold: it would be fitted to chance."""
_BLOCKS = 10
"""Both halves have so many runs of frames: neighbours in a video are alike, and must not lie on both sides."""
_OCTAVE = 5
"""Thresholds tried for each doubling, from a sixteenth of the present one to twice it."""
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Threshold:
    """The confidence of one class at one stride (None where boxes have none)."""

    class_id: int
    stride: int | None
    confidence: float


@dataclass(frozen=True, slots=True)
class ThresholdTable:
    """Thresholds for the candidate's scores.

    Attributes:
        confidence: of every class and stride that `rows` does not name.
        rows: by class, then stride.
    """

    confidence: float
    rows: tuple[Threshold, ...] = ()

    def of(self, class_id: NDArray[np.int32], stride: NDArray[np.int32]) -> NDArray[np.float32]:
        """[N] the threshold of each box of these classes [N] and strides [N]."""
        result = np.full(len(class_id), self.confidence, np.float32)
        for row in self.rows:
            own = (class_id == row.class_id) & (stride == _number(row.stride))
            result[own] = row.confidence
        return result

    def detections(self, boxes: CandidateBoxes, settings: CompareSettings) -> Detections:
        """What these thresholds, and then NMS, leave of the candidate's boxes."""
        above = np.flatnonzero(boxes.score > self.of(boxes.class_id, boxes.stride)).astype(np.int32)
        left = suppress(_only(boxes, above), 0.0, settings.nms_iou, settings.agnostic_nms)
        return Detections(boxes, above[left.index])

    def to_csv(self, class_names: Sequence[str]) -> str:
        """The table for a spreadsheet or another program; the first row, with no class, is for all that is not named."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("class_id", "class", "stride", "confidence"))
        writer.writerow(("", "", "", f"{self.confidence:.4g}"))
        for row in self.rows:
            stride = "" if row.stride is None else row.stride
            name = class_name(class_names, row.class_id)
            writer.writerow((row.class_id, name, stride, f"{row.confidence:.4g}"))
        return text.getvalue()

    def write(self, path: Path, class_names: Sequence[str]) -> None:
        """Writes `to_csv`, whole or not at all. Raises: BadInput: it cannot be written there."""
        write_text(path, self.to_csv(class_names))


@dataclass(frozen=True, slots=True)
class Refit:
    """Thresholds, and what they do.

    Attributes:
        table: the thresholds that were found.
        fitted_before, fitted_after: on the frames that they were chosen on.
        before, after: on the others: what they bring and cost.
    """

    table: ThresholdTable
    fitted_before: DetectionSummary
    fitted_after: DetectionSummary
    before: DetectionSummary
    after: DetectionSummary


def refit(frames: Iterable[KeptFrame], settings: CompareSettings, class_names: Sequence[str]) -> Refit:
    """Finds the thresholds on every other tenth of the frames and judges them on the rest.

    Each class and stride has the threshold at which the F1 of candidate against reference is best in its class, and
    keeps that of `settings` where none is better.

    Args:
        frames: of one analysis, by rising index; all are read twice at most.
        settings: the reference's detections are those at its confidence.
    """
    everything = list(frames)
    fitted, others = halves(everything)
    step = -(-len(fitted) // MOST_FRAMES) or 1
    table = _fit(fitted[::step], settings)
    plain = ThresholdTable(settings.confidence)
    return Refit(
        table,
        *(_summary(fitted, settings, each, class_names) for each in (plain, table)),
        *(_summary(others, settings, each, class_names) for each in (plain, table)),
    )


def halves(frames: Sequence[KeptFrame]) -> tuple[list[KeptFrame], list[KeptFrame]]:
    """Frames in runs, of which the first, third, ... are one half and the others the other."""
    length = max(1, -(-len(frames) // (2 * _BLOCKS)))
    sides: tuple[list[KeptFrame], list[KeptFrame]] = ([], [])
    for place, frame in enumerate(frames):
        sides[place // length % 2].append(frame)
    return sides


@dataclass(frozen=True, eq=False, slots=True)
class _ClassFrame:
    """One class on one frame: the reference's detections, and all boxes of the candidate."""

    reference: Detections
    candidate: CandidateBoxes


def _fit(frames: Sequence[KeptFrame], settings: CompareSettings) -> ThresholdTable:
    by_class: dict[int, list[_ClassFrame]] = {}
    for frame in frames:
        found = suppress(frame.reference, settings.confidence, settings.nms_iou, settings.agnostic_nms)
        for class_id in np.union1d(found.class_id, np.unique(frame.candidate.class_id)).tolist():
            reference = _only(frame.reference, found.index[found.class_id == class_id])
            mine = np.flatnonzero(frame.candidate.class_id == class_id)
            by_class.setdefault(class_id, []).append(
                _ClassFrame(
                    Detections(reference, np.arange(len(reference), dtype=np.int32)),
                    _only(frame.candidate, mine),
                )
            )
    rows: list[Threshold] = []
    for class_id in sorted(by_class):
        rows += _fit_class(class_id, by_class[class_id], settings)
    return ThresholdTable(settings.confidence, tuple(rows))


def _fit_class(class_id: int, frames: Sequence[_ClassFrame], settings: CompareSettings) -> list[Threshold]:
    reference = np.concatenate([frame.reference.stride for frame in frames])
    strides = [stride for stride in np.unique(reference) if (reference == stride).sum() >= FEWEST_OBJECTS]
    thresholds = {int(stride): settings.confidence for stride in strides}
    options = _options(settings.confidence)

    def value(changed: dict[int, float]) -> float:
        return _agreement(frames, _table(class_id, changed, settings.confidence), settings)

    best = value(thresholds)
    for _ in range(_ROUNDS if len(thresholds) > 1 else 1):
        before = dict(thresholds)
        for stride in thresholds:
            found = {option: value({**thresholds, stride: option}) for option in options}
            top = max(found.values())
            if top > best:
                # In the middle of all that are equally good, for frames that are a little different.
                equal = [option for option, agreement in found.items() if agreement == top]
                best, thresholds[stride] = top, equal[len(equal) // 2]
        if thresholds == before:
            break
    return [
        Threshold(class_id, _stride(stride), confidence)
        for stride, confidence in sorted(thresholds.items())
        if confidence != settings.confidence
    ]


def _options(confidence: float) -> list[float]:
    """Thresholds around the present one, rising; they do not depend on the scores, so that they cannot be fitted to single ones."""
    factors = 2.0 ** (np.arange(-4 * _OCTAVE, _OCTAVE + 1) / _OCTAVE)
    options = {round(float(np.clip(confidence * factor, SCORE_FLOOR, 0.95)), 4) for factor in factors}
    return sorted(options)


def _agreement(frames: Sequence[_ClassFrame], table: ThresholdTable, settings: CompareSettings) -> float:
    """2 matched / (reference + candidate) of one class."""
    matched = both = 0
    for frame in frames:
        # Only what is above its threshold is handed on: nobody asks for the reason of a miss here.
        boxes = frame.candidate
        above = _only(boxes, np.flatnonzero(boxes.score > table.of(boxes.class_id, boxes.stride)))
        candidate = suppress(above, 0.0, settings.nms_iou)
        both += len(frame.reference) + len(candidate)
        if len(frame.reference) and len(candidate):
            matched += len(match(frame.reference, candidate, settings).pairs)
    return 2 * matched / both if both else 0.0


def _table(class_id: int, thresholds: dict[int, float], confidence: float) -> ThresholdTable:
    rows = (Threshold(class_id, _stride(stride), value) for stride, value in thresholds.items())
    return ThresholdTable(confidence, tuple(rows))


def _summary(
    frames: Iterable[KeptFrame],
    settings: CompareSettings,
    table: ThresholdTable,
    class_names: Sequence[str],
) -> DetectionSummary:
    totals = DetectionTotals(class_names, settings.confidence)
    for frame in frames:
        reference = suppress(frame.reference, settings.confidence, settings.nms_iou, settings.agnostic_nms)
        candidate = table.detections(frame.candidate, settings)
        totals.update(reference, candidate, match(reference, candidate, settings))
    return totals.result()


def _only(boxes: CandidateBoxes, index: NDArray[np.integer[Any]]) -> CandidateBoxes:
    return CandidateBoxes(
        xyxy=boxes.xyxy[index],
        score=boxes.score[index],
        class_id=boxes.class_id[index],
        stride=boxes.stride[index],
        head=boxes.head[index],
        position=boxes.position[index],
        final=boxes.final,
    )


def _stride(number: int) -> int | None:
    return None if number == NO_STRIDE else number


def _number(stride: int | None) -> int:
    return NO_STRIDE if stride is None else stride
