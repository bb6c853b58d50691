"""What is drawn over the picture of one side: every box with its meaning, its words, and its partner on the other side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from trtviewer.compare.matching import Reason
from trtviewer.compare.totals import SIZES, class_name, size_of
from trtviewer.gui.view_model import Display

if TYPE_CHECKING:
    from trtviewer.compare.frame_comparison import FrameComparison
    from trtviewer.compare.matching import Unmatched
    from trtviewer.detect.boxes import Detections

Key = tuple[str, int]
"""What a mark stands for, the same on both sides: ("pair", k), ("missed", reference index), ("extra", candidate index)."""

REASON_WORDS = {
    Reason.CLASS_CHANGED: "class changed",
    Reason.MOVED: "moved",
    Reason.SUPPRESSED: "suppressed",
    Reason.BELOW_CONFIDENCE: "below threshold",
    Reason.GONE: "gone",
}
"""The reasons, as the window words them."""

OTHER_SIDE = {"reference": "candidate", "candidate": "reference"}


@dataclass(frozen=True, slots=True)
class Mark:
    """One box on one side.

    Attributes:
        key: what it stands for.
        kind: a key of `theme.BOX_STYLES`.
        xyxy: pixels of the source frame.
        label: the words beside it.      short: fewer of them, where there is little room.
    """

    key: Key
    kind: str
    xyxy: tuple[float, float, float, float]
    label: str
    short: str

    @property
    def area(self) -> float:
        return max(0.0, self.xyxy[2] - self.xyxy[0]) * max(0.0, self.xyxy[3] - self.xyxy[1])


def size_names(xyxy: NDArray[np.float32]) -> list[str]:
    """COCO's size of each box, in pixels of the source frame."""
    return [SIZES[index] for index in size_of(xyxy).tolist()]


class _Side:
    """Detections of one side as plain lists: indexing numpy scalars one by one is what costs."""

    def __init__(self, detections: Detections, names: Sequence[str], frame_size: tuple[int, int]) -> None:
        height, width = frame_size
        # Boxes may reach beyond the frame; only for drawing are they clipped to it.
        clipped = np.clip(detections.xyxy, 0, (width, height, width, height))
        self.xyxy = [tuple(box) for box in clipped.tolist()]
        self.score = detections.score.tolist()
        self.class_id = detections.class_id.tolist()
        self.size = size_names(detections.xyxy)
        self._names = names

    def name(self, index: int) -> str:
        return class_name(self._names, self.class_id[index])

    def __len__(self) -> int:
        return len(self.score)


def comparison_marks(comparison: FrameComparison, side: str, display: Display) -> tuple[Mark, ...]:
    """The marks of "reference", "candidate", or "difference" (what is unmatched, of both), the important ones first."""
    names = comparison.reference.spec.classes
    sides = {
        "reference": _Side(comparison.reference.detections, names, comparison.frame.size),
        "candidate": _Side(
            comparison.candidate.detections, comparison.candidate.spec.classes, comparison.frame.size
        ),
    }
    matching = comparison.matching
    shown = display.shows
    made: list[Mark] = []
    own = side if side != "difference" else "reference"

    def unmatched(kind: str, which: Unmatched, home: str) -> None:
        here, there = sides[home], sides[OTHER_SIDE[home]]
        for row, index in enumerate(which.index.tolist()):
            if not shown(here.class_id[index], here.size[index]):
                continue
            name, score = here.name(index), here.score[index]
            key = (kind, index)
            if side == home:
                made.append(Mark(key, kind, here.xyxy[index], f"{name} {score:.2f}", f"{score:.2f}"))
                continue
            words = _reason_label(which, row, there.name)
            if side == "difference":
                made.append(Mark(key, kind, here.xyxy[index], f"{name} {score:.2f}, {words}", words))
            else:
                made.append(Mark(key, f"{kind}_ghost", here.xyxy[index], words, words))

    unmatched("missed", matching.missed, "reference")
    unmatched("extra", matching.extra, "candidate")
    if side == "difference" or not display.matched:
        return tuple(made)
    reference, candidate = sides["reference"], sides["candidate"]
    for row, (first, second) in enumerate(matching.pairs.tolist()):
        # A pair counts under the reference's class and size.
        if not shown(reference.class_id[first], reference.size[first]):
            continue
        index, here = (first, reference) if own == "reference" else (second, candidate)
        label = f"{here.name(index)} {here.score[index]:.2f}"
        change = candidate.score[second] - reference.score[first]
        if own == "candidate" and abs(change) >= 0.005:
            label += f" {'+' if change > 0 else '−'}{abs(change):.2f}"
        made.append(Mark(("pair", row), "matched", here.xyxy[index], label, ""))
    return tuple(made)


def single_marks(
    detections: Detections, names: Sequence[str], frame_size: tuple[int, int], display: Display
) -> tuple[Mark, ...]:
    """The marks of one model that plays alone: nothing to match with, so all are drawn calm."""
    here = _Side(detections, names, frame_size)
    return tuple(
        Mark(("pair", index), "matched", here.xyxy[index], f"{here.name(index)} {here.score[index]:.2f}", "")
        for index in range(len(here))
        if display.shows(here.class_id[index], here.size[index])
    )


def _reason_label(unmatched: Unmatched, row: int, name_there: Callable[[int], str]) -> str:
    """Why it has no partner, in the few words that fit beside its ghost."""
    reason, other_score = Reason(int(unmatched.reason[row])), float(unmatched.other_score[row])
    if reason is Reason.CLASS_CHANGED:
        return f"now {name_there(int(unmatched.other[row]))} {other_score:.2f}"
    if reason is Reason.MOVED:
        return f"moved, IoU {float(unmatched.iou[row]):.2f}"
    if reason is Reason.BELOW_CONFIDENCE:
        return f"only {other_score:.2f}"
    return REASON_WORDS[reason]


def describe(comparison: FrameComparison, key: Key) -> tuple[str, ...]:
    """What is known of a mark, line by line, for the card under the mouse: the first line is its title."""
    kind, index = key
    reference, candidate = comparison.reference, comparison.candidate
    names = reference.spec.classes
    if kind == "pair":
        first, second = (int(value) for value in comparison.matching.pairs[index])
        one, other = float(reference.detections.score[first]), float(candidate.detections.score[second])
        return (
            f"{class_name(names, int(reference.detections.class_id[first]))}, matched",
            f"IoU {float(comparison.matching.iou[index]):.2f}",
            f"reference {one:.3f}",
            f"candidate {other:.3f}  ({other - one:+.3f})".replace("-", "−"),
        )
    home, there = (reference, candidate) if kind == "missed" else (candidate, reference)
    home_word, there_word = ("reference", "candidate") if kind == "missed" else ("candidate", "reference")
    unmatched = comparison.matching.missed if kind == "missed" else comparison.matching.extra
    rows = np.flatnonzero(unmatched.index == index)
    name = class_name(home.spec.classes, int(home.detections.class_id[index]))
    score = float(home.detections.score[index])
    lines = [f"{name}, {kind}", f"{home_word} {score:.3f}"]
    if len(rows):
        row = int(rows[0])
        reason, other_score = Reason(int(unmatched.reason[row])), float(unmatched.other_score[row])
        iou = float(unmatched.iou[row])
        at = f" at IoU {iou:.2f}" if np.isfinite(iou) else ""
        if reason is Reason.CLASS_CHANGED:
            other_class = int(there.detections.class_id[int(unmatched.other[row])])
            lines.append(f"{there_word} {class_name(there.spec.classes, other_class)} {other_score:.3f}{at}")
        elif np.isfinite(other_score):
            lines.append(f"{there_word} {other_score:.3f}{at}")
        lines.append(f"why: {_explain(reason, there_word)}")
    return tuple(lines)


def _explain(reason: Reason, there: str) -> str:
    return {
        Reason.CLASS_CHANGED: f"the {there} has another class here",
        Reason.MOVED: f"the {there}'s box overlaps too little",
        Reason.SUPPRESSED: f"the {there}'s box was removed by NMS",
        Reason.BELOW_CONFIDENCE: f"the {there}'s score is below the threshold",
        Reason.GONE: f"the {there} has nothing here: the logits are lost",
    }[reason]
