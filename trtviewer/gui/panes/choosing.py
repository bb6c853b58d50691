"""From a mark or a row to the place that it stands for: both panes, the heatmaps and the layers go there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trtviewer.compare.matched_video import MISSED, DisagreementTable
from trtviewer.compare.matching import Reason
from trtviewer.compare.totals import class_name
from trtviewer.gui.panes.marks import REASON_WORDS, Key
from trtviewer.gui.view_model import Selection

if TYPE_CHECKING:
    from trtviewer.compare.frame_comparison import FrameComparison


def selection_of(comparison: FrameComparison, key: Key) -> Selection | None:
    """The place of a missed or extra object; None for a matched one: a click on that is a click on the picture."""
    kind, index = key
    if kind not in ("missed", "extra"):
        return None
    side = comparison.reference if kind == "missed" else comparison.candidate
    found = side.detections
    row = int(found.index[index])
    left, top, right, bottom = found.xyxy[index].tolist()
    name = class_name(side.spec.classes, int(found.class_id[index]))
    return Selection(
        comparison.frame.index,
        (left, top, right, bottom),
        f"{kind} {name} {float(found.score[index]):.2f}",
        reference_head(comparison, kind, int(side.boxes.head[row])),
        int(side.boxes.position[row]),
    )


def selection_of_row(
    table: DisagreementTable, row: int, class_names: Sequence[str], comparison: FrameComparison | None
) -> Selection:
    """The place of a row of the analysed video; `comparison` is any frame of the same two models."""
    kind = "missed" if table.kind[row] == MISSED else "extra"
    name = class_name(class_names, int(table.class_id[row]))
    left, top, right, bottom = table.xyxy[row].tolist()
    head = int(table.head[row])
    return Selection(
        int(table.frame_index[row]),
        (left, top, right, bottom),
        f"{kind} {name} {float(table.score[row]):.2f}, {REASON_WORDS[Reason(int(table.reason[row]))]}",
        -1 if comparison is None else reference_head(comparison, kind, head),
        int(table.position[row]),
    )


def reference_head(comparison: FrameComparison, kind: str, head: int) -> int:
    """The reference's head that corresponds to a head of the side that has the object; -1 where none does."""
    if kind == "missed":
        return head
    if head >= len(comparison.candidate.spec.heads):
        return -1
    output = comparison.candidate.spec.heads[head].output
    partner = next((mine for mine, other in comparison.correspondence.pairs if other == output), None)
    outputs = [one.output for one in comparison.reference.spec.heads]
    return outputs.index(partner) if partner is not None else -1
