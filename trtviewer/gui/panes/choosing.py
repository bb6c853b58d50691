"""From a mark that was clicked to the place that it stands for: both panes, the heatmaps and the layers go there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trtviewer.compare.totals import class_name
from trtviewer.gui.panes.marks import Key
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


def reference_head(comparison: FrameComparison, kind: str, head: int) -> int:
    """The reference's head that corresponds to a head of the side that has the object; -1 where none does."""
    if kind == "missed":
        return head
    output = comparison.candidate.spec.heads[head].output
    partner = next((mine for mine, other in comparison.correspondence.pairs if other == output), None)
    outputs = [one.output for one in comparison.reference.spec.heads]
    return outputs.index(partner) if partner is not None else -1
