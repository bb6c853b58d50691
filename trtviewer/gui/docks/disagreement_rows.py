"""Which disagreements the table shows, and in what order: filters and sorting over whole columns, no widget in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from trtviewer.compare.matched_video import EXTRA, MISSED, DisagreementTable
from trtviewer.compare.matching import Reason
from trtviewer.compare.totals import SIZES, class_name
from trtviewer.detect.boxes import NO_STRIDE
from trtviewer.gui.docks.figures import DASH, fixed
from trtviewer.gui.panes.marks import REASON_WORDS

KIND_WORDS = {MISSED: "missed", EXTRA: "extra"}
REASON_TIPS = {
    Reason.CLASS_CHANGED: "the other side has it there, as another class",
    Reason.MOVED: "the other side has it, but too far away to match",
    Reason.SUPPRESSED: "the other side had it, and its NMS took it away",
    Reason.BELOW_CONFIDENCE: "the other side has it under the confidence threshold: a slider brings it back",
    Reason.GONE: "the other side's outputs say nothing of it: look at the layers",
}


class Column(IntEnum):
    """The columns of the table, from the left."""

    FRAME = 0
    KIND = 1
    REASON = 2
    CLASS = 3
    SIZE = 4
    STRIDE = 5
    REFERENCE_SCORE = 6
    CANDIDATE_SCORE = 7
    IOU = 8
    CELL_ERROR = 9


HEADINGS = {
    Column.FRAME: (
        "Frame",
        "The frame in the source, counted from 0.",
    ),
    Column.KIND: ("Kind", "Missed: only the reference has it. Extra: only the candidate has it."),
    Column.REASON: ("Reason", "Why the other side lacks it."),
    Column.CLASS: ("Class", "Its class on the side that has it."),
    Column.SIZE: ("Size", "COCO's sizes: small under 32², large from 96² pixels of the frame."),
    Column.STRIDE: ("Stride", "The scale that found it: 8 looks for small objects, 16 medium, 32 large."),
    Column.REFERENCE_SCORE: ("Reference", "The reference's score of it, or of what gave the reason."),
    Column.CANDIDATE_SCORE: ("Candidate", "The candidate's score of it, or of what gave the reason."),
    Column.IOU: ("IoU", "Overlap with what gave the reason on the other side."),
    Column.CELL_ERROR: ("Error in cell", "Mean |d| of the output channels in the cell that found it."),
}


@dataclass(frozen=True, slots=True)
class Filter:
    """What passes; None lets everything pass.

    Attributes:
        kind, reason, class_id, size: one value of that column.
        classes, sizes: any of these (the window's own filters).
        text: every word of it stands in the class, kind, reason or size, or begins the frame's number.
    """

    kind: int | None = None
    reason: int | None = None
    class_id: int | None = None
    size: int | None = None
    classes: frozenset[int] | None = None
    sizes: frozenset[int] | None = None
    text: str = ""


def passing(table: DisagreementTable, chosen: Filter, class_names: Sequence[str]) -> NDArray[np.bool_]:
    """[N] which rows pass."""
    good = np.ones(len(table), np.bool_)
    for column, value in (
        (table.kind, chosen.kind),
        (table.reason, chosen.reason),
        (table.class_id, chosen.class_id),
        (table.size, chosen.size),
    ):
        if value is not None:
            good &= column == value
    if chosen.classes is not None:
        good &= np.isin(table.class_id, sorted(chosen.classes))
    if chosen.sizes is not None:
        good &= np.isin(table.size, sorted(chosen.sizes))
    for word in chosen.text.casefold().split():
        good &= _holding(table, word, class_names)
    return good


def ordered(
    table: DisagreementTable,
    rows: NDArray[np.intp],
    column: Column,
    class_names: Sequence[str],
    *,
    falling: bool,
) -> NDArray[np.intp]:
    """`rows` in the order of a column; equal ones stay as they were; undefined values always last."""
    key = _key(table, column, class_names)[rows].astype(np.float64)
    order: NDArray[np.intp] = rows[np.argsort(-key if falling else key, kind="stable")]
    return order


def scores(table: DisagreementTable) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The reference's and the candidate's score of each row."""
    missed = table.kind == MISSED
    return (
        np.where(missed, table.score, table.other_score),
        np.where(missed, table.other_score, table.score),
    )


def text_of(table: DisagreementTable, row: int, column: Column, class_names: Sequence[str]) -> str:
    """What one cell of the table says."""
    match column:
        case Column.FRAME:
            return str(int(table.frame_index[row]))
        case Column.KIND:
            return KIND_WORDS[int(table.kind[row])]
        case Column.REASON:
            return REASON_WORDS[Reason(int(table.reason[row]))]
        case Column.CLASS:
            return class_name(class_names, int(table.class_id[row]))
        case Column.SIZE:
            return SIZES[int(table.size[row])]
        case Column.STRIDE:
            stride = int(table.stride[row])
            return DASH if stride == NO_STRIDE else str(stride)
        case Column.REFERENCE_SCORE | Column.CANDIDATE_SCORE:
            own = (table.kind[row] == MISSED) == (column is Column.REFERENCE_SCORE)
            return fixed(float((table.score if own else table.other_score)[row]), 3)
        case Column.IOU:
            return fixed(float(table.iou[row]), 2)
        case _:
            return fixed(float(table.cell_error[row]), 3)


def csv_of(table: DisagreementTable, rows: NDArray[np.intp], class_names: Sequence[str]) -> str:
    """The rows as CSV with a heading; numbers whole, undefined ones empty, names quoted where they must be."""
    reference, candidate = scores(table)
    names = [
        _quoted(class_name(class_names, index)) for index in range(int(table.class_id.max(initial=0)) + 1)
    ]
    columns: list[list[str]] = [
        [str(value) for value in table.frame_index[rows].tolist()],
        [KIND_WORDS[value] for value in table.kind[rows].tolist()],
        [Reason(value).key for value in table.reason[rows].tolist()],
        [names[value] for value in table.class_id[rows].tolist()],
        [SIZES[value] for value in table.size[rows].tolist()],
        ["" if value == NO_STRIDE else str(value) for value in table.stride[rows].tolist()],
        *(_numbers(values[rows]) for values in (reference, candidate, table.iou, table.cell_error)),
        *(_numbers(table.xyxy[rows, side]) for side in range(4)),
    ]
    heading = "frame_index,kind,reason,class,size,stride,reference_score,candidate_score,iou,cell_error,left,top,right,bottom"
    return "\n".join((heading, *(",".join(cells) for cells in zip(*columns, strict=True)))) + "\n"


def _key(table: DisagreementTable, column: Column, class_names: Sequence[str]) -> NDArray[np.generic]:
    plain = {
        Column.FRAME: table.frame_index,
        Column.KIND: table.kind,
        Column.REASON: table.reason,
        Column.SIZE: table.size,
        Column.STRIDE: table.stride,
        Column.IOU: table.iou,
        Column.CELL_ERROR: table.cell_error,
    }
    if column in plain:
        return plain[column]
    if column is Column.CLASS:
        highest = int(table.class_id.max(initial=0))
        names = [class_name(class_names, index).casefold() for index in range(highest + 1)]
        rank = np.argsort(np.argsort(names, kind="stable"))
        return rank[table.class_id]
    return scores(table)[0 if column is Column.REFERENCE_SCORE else 1]


def _holding(table: DisagreementTable, word: str, class_names: Sequence[str]) -> NDArray[np.bool_]:
    """[N] whether a word is found in any of a row's texts; each distinct text is looked at once, not each row."""
    highest = int(table.class_id.max(initial=0))
    in_class = [word in class_name(class_names, index).casefold() for index in range(highest + 1)]
    in_kind = [word in KIND_WORDS[kind] for kind in (MISSED, EXTRA)]
    in_reason = [word in REASON_WORDS[reason] for reason in Reason]
    in_size = [word in size for size in SIZES]
    good = np.zeros(len(table), np.bool_)
    for hits, column in (
        (in_class, table.class_id),
        (in_kind, table.kind),
        (in_reason, table.reason),
        (in_size, table.size),
    ):
        if any(hits):
            good |= np.array(hits)[column]
    if word.isdigit():
        good |= _begins_with(table.frame_index, word)
    return good


def _begins_with(numbers: NDArray[np.int32], digits: str) -> NDArray[np.bool_]:
    wanted, good = int(digits), np.zeros(len(numbers), np.bool_)
    if str(wanted) != digits:
        return good
    rest = numbers.astype(np.int64)
    for _ in range(11):
        good |= rest == wanted
        rest = rest // 10
    return good if wanted else numbers == 0


def _numbers(values: NDArray[np.float32]) -> list[str]:
    return ["" if value != value else f"{value:.6g}" for value in values.tolist()]


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',"\n') else text
