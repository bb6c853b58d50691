"""Average precision by COCO's definitions, frame by frame: AP50, AP50-95, by size and by class.

Source: pycocotools/cocoeval.py (`evaluateImg`, `accumulate`, `summarize`), with which it agrees to rounding; here a frame is
judged when it comes and then let go, and only scores and verdicts are kept: 26 bytes a detection, on disk past a bound.
AP needs them all by falling score; they are read back a class and a piece at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from trtviewer.compare.sorted_runs import MEMORY_BYTES, Rows, SortedRuns, structured
from trtviewer.compare.true_objects import TrueObjects
from trtviewer.detect.iou import area, iou

IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0.0, 1.0, 101)
AREAS = MappingProxyType(
    {"all": (0.0, 1e10), "small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10)}
)
"""Both ends belong to a range, as in COCO's own evaluation."""

_RUN = 65_536
"""So many rows are sorted and kept together."""

MOST_DETECTIONS = 100
"""So many of a class are judged in one frame, the best by score."""

_BITS = (1 << np.arange(len(IOU_THRESHOLDS))).astype(np.uint16)
_LEAST = np.array(list(AREAS.values()))[:, :1]
_MOST = np.array(list(AREAS.values()))[:, 1:]


VERDICT = np.dtype(
    [
        ("class_id", "<i2"),
        ("score", "<f4"),
        ("frame", "<i4"),
        ("right", "<u2", (len(AREAS),)),
        ("aside", "<u2", (len(AREAS),)),
    ]
)
"""What COCO says of a detection. `frame`: which update it came with, from 0. `right`: a bit an IoU threshold, it finds a true
object that counts. `aside`: likewise, it counts neither way (what it finds is ignored, or it is of another size).
"""

_PLACE = np.dtype([("frame", "<i4"), ("class_id", "<i2")])
"""Of every object that counts, for resampling."""


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

    Args:
        classes: how many classes there are.
        memory_bytes: of verdicts before further ones go to a file.
    """

    def __init__(self, classes: int, memory_bytes: int = MEMORY_BYTES) -> None:
        self._classes = classes
        self._frames = 0
        self._objects = np.zeros((len(AREAS), classes), np.int64)
        # How many of a class are right at each IoU threshold, of any size.
        self._right = np.zeros((classes, len(IOU_THRESHOLDS)), np.int64)
        self._verdicts = SortedRuns(VERDICT, memory_bytes)
        # [classes + 1] where each class begins, for each run.
        self._bounds: list[NDArray[np.intp]] = []
        self._places = SortedRuns(_PLACE, memory_bytes)
        self._pending: list[Rows] = []
        self._pending_places: list[Rows] = []
        self._pending_rows = 0

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
        frame = np.array(self._frames, np.int32)
        self._pending_places.append(structured(_PLACE, class_id=counting, frame=frame))
        chosen = _best_of_class(class_id)
        if len(chosen):
            xyxy, class_id = xyxy[chosen], class_id[chosen]
            right, aside = judge(xyxy, class_id, truth, ignored)
            np.add.at(self._right, class_id, (right[:, :1] & _BITS) != 0)
            self._pending.append(
                structured(
                    VERDICT, class_id=class_id, score=score[chosen], frame=frame, right=right, aside=aside
                )
            )
        self._frames += 1
        self._pending_rows += len(chosen) + len(counting)
        if self._pending_rows >= _RUN:
            self._seal()

    def merge(self, other: PrecisionTotals) -> None:
        """Adds all that `other` has seen, as frames that come after these. Raises: ValueError: it is of other classes."""
        if self._classes != other._classes:
            raise ValueError("totals of other classes cannot be merged")
        self._seal()
        other._seal()
        for pieces, add in ((other._verdicts, self._add_run), (other._places, self._places.append)):
            for rows in pieces.pieces():
                later = rows.copy()
                later["frame"] += self._frames
                add(later)
        self._frames += other._frames
        self._objects += other._objects
        self._right += other._right

    def right_of(self, class_id: int) -> NDArray[np.int64]:
        """[thresholds] how many detections of a class are right."""
        right: NDArray[np.int64] = self._right[class_id]
        return right

    def objects_by_block(self, block_of_frame: NDArray[np.intp], blocks: int) -> NDArray[np.float64]:
        """[blocks, classes] true objects that count, by block of frames."""
        self._seal()
        counts = np.zeros((blocks, self._classes))
        for rows in self._places.pieces():
            np.add.at(counts, (block_of_frame[rows["frame"]], rows["class_id"]), 1)
        return counts

    def ranked(self, class_id: int) -> Iterator[Rows]:
        """The verdicts on a class by falling score, a bounded number at a time."""
        self._seal()
        bounds = [(int(run[class_id]), int(run[class_id + 1])) for run in self._bounds]
        return self._verdicts.merged(bounds, "score")

    def envelopes(
        self, class_id: int, areas: int = len(AREAS), thresholds: int = len(IOU_THRESHOLDS)
    ) -> NDArray[np.float64]:
        """[areas, thresholds, 101] the best precision at each of `RECALLS` or beyond, of one class; of the first areas and
        thresholds only, where so asked.
        """
        best = np.zeros((areas, thresholds, len(RECALLS) + 1))
        so_far = np.zeros((2, areas, thresholds), np.int64)
        for rows in self.ranked(class_id):
            for place in range(areas):
                both = counted(rows["right"][:, place], rows["aside"][:, place])
                for threshold in range(thresholds):
                    right, wrong = so_far[:, place, threshold]
                    hits = np.flatnonzero(both[0][threshold])
                    # Precision is best where one more is right: elsewhere it only falls.
                    found = right + 1 + np.arange(len(hits))
                    false = wrong + np.cumsum(both[1][threshold])
                    precision = found / (found + false[hits] + np.spacing(1))
                    recall = found / max(1, int(self._objects[place, class_id]))
                    reached = np.searchsorted(RECALLS, recall, side="right")
                    np.maximum.at(best[place, threshold], reached, precision)
                    so_far[:, place, threshold] = right + len(hits), false[-1]
        return np.maximum.accumulate(best[:, :, ::-1], axis=2)[:, :, -2::-1]

    def _seal(self) -> None:
        """Sorts what is pending into a run of its own."""
        if self._pending_places:
            self._places.append(np.concatenate(self._pending_places))
        if self._pending:
            rows = np.concatenate(self._pending)
            self._add_run(rows[np.lexsort((rows["frame"], -rows["score"], rows["class_id"]))])
        self._pending, self._pending_places, self._pending_rows = [], [], 0

    def _add_run(self, rows: Rows) -> None:
        self._bounds.append(np.searchsorted(rows["class_id"], np.arange(self._classes + 1)))
        self._verdicts.append(rows)

    def result(self) -> AveragePrecision:
        """The figures so far."""
        table = np.full((self._classes, len(AREAS), len(IOU_THRESHOLDS)), np.nan)
        for class_id in np.flatnonzero(self._objects.any(axis=0)).tolist():
            envelopes = self.envelopes(class_id)
            known = self._objects[:, class_id] > 0
            table[class_id, known] = envelopes[known].mean(axis=2)
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


def precision_curve(totals: PrecisionTotals) -> NDArray[np.float64] | None:
    """[101] precision at `RECALLS` and IoU 0.5, mean over the classes that have objects; None where none has."""
    curves = [
        totals.envelopes(class_id, 1, 1)[0, 0] for class_id in np.flatnonzero(totals.objects[0]).tolist()
    ]
    return np.mean(curves, axis=0) if curves else None


def counted(
    right: NDArray[np.uint16], aside: NDArray[np.uint16]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """[thresholds, N]: which detections are right, and which are wrong, at each IoU threshold."""
    is_right = (right & _BITS[:, None]) != 0
    return is_right, ~is_right & ((aside & _BITS[:, None]) == 0)


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
