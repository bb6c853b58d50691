"""Average precision by COCO's definitions, frame by frame: AP50, AP50-95, by size and by class.

Source: pycocotools/cocoeval.py (`evaluateImg`, `accumulate`, `summarize`), with which it agrees to rounding; here a frame is
judged when it comes and then let go, and only scores and verdicts are kept (26 bytes a detection).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from trtviewer.compare.true_objects import TrueObjects
from trtviewer.detect.iou import area, iou

IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0.0, 1.0, 101)
AREAS = MappingProxyType(
    {"all": (0.0, 1e10), "small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10)}
)
"""Both ends belong to a range, as in COCO's own evaluation."""

_PENDING = 512
"""Frames whose rows are gathered into one array: many small ones would cost more than what they hold."""

MOST_DETECTIONS = 100
"""So many of a class are judged in one frame, the best by score."""

_BITS = (1 << np.arange(len(IOU_THRESHOLDS))).astype(np.uint16)
_LEAST = np.array(list(AREAS.values()))[:, :1]
_MOST = np.array(list(AREAS.values()))[:, 1:]


@dataclass(frozen=True, eq=False, slots=True)
class Verdicts:
    """What COCO says of detections, one row each.

    Attributes:
        class_id: [N] int16. score: [N] float32. frame: [N] int32, which update they came with, from 0.
        right: [N, areas] uint16, a bit an IoU threshold: it finds a true object that counts.
        aside: [N, areas] uint16, likewise: it counts neither way (what it finds is ignored, or it is of another size).
    """

    class_id: NDArray[np.int16]
    score: NDArray[np.float32]
    frame: NDArray[np.int32]
    right: NDArray[np.uint16]
    aside: NDArray[np.uint16]

    def __len__(self) -> int:
        return len(self.score)


@dataclass(frozen=True, eq=False, slots=True)
class AveragePrecision:
    """AP of one side; None where no object counts.

    Attributes:
        ap50, ap75, ap50_95: means over the classes that have objects.
        by_size: AP50-95 by "small", "medium", "large".
        by_class: class id to (objects, AP50, AP50-95), of the classes that have objects.
    """

    ap50: float | None
    ap75: float | None
    ap50_95: float | None
    by_size: Mapping[str, float | None]
    by_class: Mapping[int, tuple[int, float, float]]


class PrecisionTotals:
    """Accumulates the detections of one side against the truth; equal scores are ranked by frame, as they came.

    Args: classes: how many classes there are.
    """

    def __init__(self, classes: int) -> None:
        self._classes = classes
        self._rows: list[Verdicts] = []
        self._pending: list[Verdicts] = []
        self._frames = 0
        self._objects = np.zeros((len(AREAS), classes), np.int64)
        # Frame and class of every object that counts, for resampling.
        self._places: list[NDArray[np.int32]] = []

    @property
    def frames(self) -> int:
        """How many frames were judged."""
        return self._frames

    @property
    def objects(self) -> NDArray[np.int64]:
        """[areas, classes] true objects that count."""
        return self._objects

    def update(
        self,
        xyxy: NDArray[np.float64],
        score: NDArray[np.float32],
        class_id: NDArray[np.int32],
        truth: TrueObjects,
    ) -> None:
        """Judges one frame.

        Args:
            xyxy, score, class_id: the detections, by falling score, clipped to the frame; more than are asked for at any
                confidence: AP looks at all of them.
        """
        ignored = _ignored(truth)
        for place in range(len(AREAS)):
            self._objects[place] += np.bincount(truth.class_id[~ignored[place]], minlength=self._classes)
        counting = truth.class_id[~ignored[0]]
        self._places.append(np.stack((np.full_like(counting, self._frames), counting), axis=1))
        chosen = _best_of_class(class_id)
        if len(chosen):
            xyxy, class_id = xyxy[chosen], class_id[chosen]
            right, aside = judge(xyxy, class_id, truth, ignored)
            count = len(chosen)
            frame = np.full(count, self._frames, np.int32)
            self._pending.append(Verdicts(class_id.astype(np.int16), score[chosen], frame, right, aside))
        self._frames += 1
        if self._frames % _PENDING == 0:
            self._gather()

    def merge(self, other: PrecisionTotals) -> None:
        """Adds all that `other` has seen, as frames that come after these. Raises: ValueError: it is of other classes."""
        if self._classes != other._classes:
            raise ValueError("totals of other classes cannot be merged")
        self._gather()
        other._gather()
        self._rows += [
            Verdicts(row.class_id, row.score, row.frame + np.int32(self._frames), row.right, row.aside)
            for row in other._rows
        ]
        self._places += [place + np.array((self._frames, 0), np.int32) for place in other._places]
        self._frames += other._frames
        self._objects += other._objects

    def objects_by_block(self, block_of_frame: NDArray[np.intp], blocks: int) -> NDArray[np.float64]:
        """[blocks, classes] true objects that count, by block of frames."""
        counts = np.zeros((blocks, self._classes))
        if self._places:
            frame, class_id = np.concatenate(self._places).T
            np.add.at(counts, (block_of_frame[frame], class_id), 1)
        return counts

    def verdicts(self) -> Verdicts:
        """All of them, ranked: by class, then by falling score."""
        self._gather()
        if len(self._rows) > 1:
            self._rows = [_joined(self._rows)]
        if not self._rows:
            nothing = np.zeros((0, len(AREAS)), np.uint16)
            return Verdicts(
                np.zeros(0, np.int16), np.zeros(0, np.float32), np.zeros(0, np.int32), nothing, nothing
            )
        rows = self._rows[0]
        order = np.lexsort((rows.frame, -rows.score, rows.class_id))
        return Verdicts(
            rows.class_id[order], rows.score[order], rows.frame[order], rows.right[order], rows.aside[order]
        )

    def _gather(self) -> None:
        if self._pending:
            self._rows.append(_joined(self._pending))
            self._pending = []
        if len(self._places) > 1:
            self._places = [np.concatenate(self._places)]

    def result(self) -> AveragePrecision:
        """The figures so far."""
        rows = self.verdicts()
        table = np.full((self._classes, len(AREAS), len(IOU_THRESHOLDS)), np.nan)
        bounds = np.searchsorted(rows.class_id, np.arange(self._classes + 1))
        for class_id in range(self._classes):
            part = slice(bounds[class_id], bounds[class_id + 1])
            for place in range(len(AREAS)):
                objects = int(self._objects[place, class_id])
                if objects:
                    right, wrong = counted(rows.right[part, place], rows.aside[part, place])
                    table[class_id, place] = precision_at_recalls(right.cumsum(1), wrong.cumsum(1), objects)
        by_size = {name: _mean(table[:, place]) for place, name in enumerate(AREAS) if name != "all"}
        return AveragePrecision(
            ap50=_mean(table[:, 0, 0]),
            ap75=_mean(table[:, 0, 5]),
            ap50_95=_mean(table[:, 0]),
            by_size=MappingProxyType(by_size),
            by_class=MappingProxyType(
                {
                    int(class_id): (
                        int(self._objects[0, class_id]),
                        float(table[class_id, 0, 0]),
                        float(table[class_id, 0].mean()),
                    )
                    for class_id in np.flatnonzero(self._objects[0])
                }
            ),
        )


def _joined(rows: Sequence[Verdicts]) -> Verdicts:
    names = ("class_id", "score", "frame", "right", "aside")
    return Verdicts(*(np.concatenate([getattr(row, name) for row in rows]) for name in names))


def precision_curve(totals: PrecisionTotals) -> NDArray[np.float64] | None:
    """[101] precision at `RECALLS` and IoU 0.5, mean over the classes that have objects; None where none has."""
    rows = totals.verdicts()
    classes = np.flatnonzero(totals.objects[0])
    curves = []
    for class_id in classes.tolist():
        part = slice(*np.searchsorted(rows.class_id, (class_id, class_id + 1)))
        right, wrong = (which[:1].cumsum(1)[0] for which in counted(rows.right[part, 0], rows.aside[part, 0]))
        precision = right / np.maximum(right + wrong, 1)
        envelope = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
        curves.append(envelope[np.searchsorted(right / totals.objects[0, class_id], RECALLS)])
    return np.mean(curves, axis=0) if curves else None


def counted(
    right: NDArray[np.uint16], aside: NDArray[np.uint16]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """[thresholds, N]: which detections are right, and which are wrong, at each IoU threshold."""
    is_right = (right & _BITS[:, None]) != 0
    return is_right, ~is_right & ((aside & _BITS[:, None]) == 0)


def precision_at_recalls(
    right: NDArray[np.floating | np.integer],
    wrong: NDArray[np.floating | np.integer],
    objects: float | NDArray[np.float64],
) -> NDArray[np.float64]:
    """The mean of the precision envelope at 101 recalls.

    Args:
        right, wrong: [K, N] counts so far, by falling score; at least where `right` rises.
        objects: how many there are to find (one number, or [K]).
    Returns: [K].
    """
    if not right.shape[1]:
        return np.zeros(len(right))
    precision = right / (right + wrong + np.spacing(1))
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    recall = right / np.broadcast_to(np.asarray(objects, np.float64), len(right))[:, None]
    # How many of the 101 recalls are reached there for the first time.
    reached = np.diff(np.searchsorted(RECALLS, recall, side="right"), axis=1, prepend=0)
    mean: NDArray[np.float64] = (envelope * reached).sum(axis=1) / len(RECALLS)
    return mean


def judge(
    xyxy: NDArray[np.float64],
    class_id: NDArray[np.int32],
    truth: TrueObjects,
    ignored: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """`Verdicts.right` and `Verdicts.aside` of one frame's detections, which come by falling score."""
    ignored = _ignored(truth) if ignored is None else ignored
    areas, thresholds = len(AREAS), len(IOU_THRESHOLDS)
    right = np.zeros((len(xyxy), areas, thresholds), np.bool_)
    sizes = area(xyxy)
    other_size = (sizes < _LEAST) | (sizes > _MOST)
    aside = np.repeat(other_size.T[:, :, None], thresholds, axis=2)
    overlap = overlap_with(xyxy, class_id, truth)
    near = overlap >= IOU_THRESHOLDS[0]
    rivals, choices = near.sum(axis=0), near.sum(axis=1)
    rows, columns = np.nonzero(near)
    alone = (choices[rows] == 1) & (rivals[columns] == 1)
    # Where neither has another choice, all are judged at once; the others are asked in turn, the best score first.
    row, column = rows[alone], columns[alone]
    found = np.repeat((overlap[row, column][:, None] >= IOU_THRESHOLDS)[:, None], areas, axis=1)
    skipped = ignored[:, column].T[:, :, None]
    right[row] = found & ~skipped
    aside[row] = np.where(found, skipped, aside[row])
    free = np.ones((areas, thresholds, len(truth)), np.bool_)
    for row in dict.fromkeys(rows[~alone].tolist()):
        found, chosen = _choice(overlap[row], ignored, free)
        skipped = np.take_along_axis(ignored, chosen, axis=1)
        right[row] = found & ~skipped
        aside[row] = np.where(found, skipped, aside[row])
        place, threshold = np.nonzero(found & ~truth.crowd[chosen])
        free[place, threshold, chosen[place, threshold]] = False
    weights = _BITS.astype(np.uint16)
    return (right * weights).sum(axis=2, dtype=np.uint16), (aside * weights).sum(axis=2, dtype=np.uint16)


def _choice(
    overlap: NDArray[np.float64], ignored: NDArray[np.bool_], free: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """[areas, thresholds]: whether a detection finds anything, and what: the nearest that counts, else the nearest ignored.

    Of equally near ones the last.
    """
    open_to = free & (overlap >= IOU_THRESHOLDS[:, None])
    counting = open_to & ~ignored[:, None]
    open_to = np.where(counting.any(axis=2, keepdims=True), counting, open_to)
    backwards = np.where(open_to, overlap, -1.0)[:, :, ::-1]
    chosen = len(overlap) - 1 - backwards.argmax(axis=2)
    return np.any(open_to, axis=2), chosen


def overlap_with(
    xyxy: NDArray[np.float64], class_id: NDArray[np.int32], truth: TrueObjects
) -> NDArray[np.float64]:
    """[N, objects] IoU; with a crowd the share of the detection that lies in it; -1 between classes."""
    overlap = iou(xyxy[:, None], truth.xyxy[None])
    if truth.crowd.any():
        crowds = truth.xyxy[truth.crowd]
        shared = np.minimum(xyxy[:, None, 2:], crowds[:, 2:]) - np.maximum(xyxy[:, None, :2], crowds[:, :2])
        inside = np.maximum(shared, 0).prod(axis=2)
        own = area(xyxy)[:, None]
        overlap[:, truth.crowd] = np.divide(inside, own, out=np.zeros_like(inside), where=own > 0)
    overlap[class_id[:, None] != truth.class_id] = -1.0
    return overlap


def _ignored(truth: TrueObjects) -> NDArray[np.bool_]:
    """[areas, objects]: which do not count there."""
    return truth.ignore | (truth.area < _LEAST) | (truth.area > _MOST)


def _best_of_class(class_id: NDArray[np.int32]) -> NDArray[np.intp]:
    """The first `MOST_DETECTIONS` of each class, in their order."""
    if len(class_id) <= MOST_DETECTIONS:
        return np.arange(len(class_id))
    order = np.argsort(class_id, kind="stable")
    ordered = class_id[order]
    rank = np.arange(len(order)) - np.searchsorted(ordered, ordered)
    return np.sort(order[rank < MOST_DETECTIONS])


def _mean(values: NDArray[np.float64]) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None
