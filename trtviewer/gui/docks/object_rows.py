"""What is said of one lost object: its cell in both models, and what each layer does to it; no widget in it."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from trtviewer.blame.one_object import LayerAtCell, ObjectBlame
from trtviewer.gui.docks.figures import fixed, short
from trtviewer.gui.view_model import Selection, ViewModel
from trtviewer.gui.what_if.state import Inspect, ObjectFinding

ARROW = "\N{RIGHTWARDS ARROW}"


class Column(IntEnum):
    """The columns of the table, from the left; the first two are those of the layers' table."""

    KEEP = 0
    LAYER = 1
    SCORE = 2
    BOX = 3
    OWN = 4
    CUMULATIVE = 5
    REGION = 6


HEADINGS = {
    Column.KEEP: ("Float", "Ticked layers stay in float in the next variant."),
    Column.LAYER: ("Layer", "A layer that this cell can see, the most to blame first."),
    Column.SCORE: (
        "Score logits",
        "How far this layer alone in INT8 moves the object's score (objectness and class, before the sigmoid): "
        "below 0 it takes the object away.",
    ),
    Column.BOX: ("Box", "The largest change of the four box values by this layer alone."),
    Column.OWN: ("Own dB", "Signal over its own error, inside what the cell sees of it."),
    Column.CUMULATIVE: ("Cum. dB", "Signal over error of the whole INT8 network up to here, likewise."),
    Column.REGION: ("Seen", "Rows and columns of the layer's output that reach this cell."),
}


class ObjectRows:
    """The layers of one object, the most to blame first."""

    def __init__(self, found: ObjectFinding) -> None:
        self.found = found
        self.layers = found.blame.layers
        self.names = tuple(one.layer.name for one in self.layers)
        known = [abs(one.score_shift) for one in self.layers if one.score_shift is not None]
        self.most = max(known, default=0.0)

    def __len__(self) -> int:
        return len(self.layers)

    def text(self, row: int, column: Column) -> str:
        one = self.layers[row]
        if column is Column.LAYER:
            return one.layer.name
        if column is Column.SCORE:
            return fixed(one.score_shift, 3, sign=True)
        if column is Column.BOX:
            return short(one.box_shift)
        if column in (Column.OWN, Column.CUMULATIVE):
            return fixed((one.own if column is Column.OWN else one.cumulative).sqnr_db, 1)
        if column is Column.REGION:
            return _seen(one)
        return ""


def sentence(found: ObjectFinding) -> str:
    """The cell's logits in both models, and who moved them most."""
    blame = found.blame
    cell = blame.cell
    parts = [
        f"{name} {fixed(mine, 2)} {ARROW} {fixed(theirs, 2)}"
        for name, mine, theirs in readings(blame, found.class_id)
    ]
    worst = next((one for one in blame.layers if one.score_shift is not None), None)
    words = f"{found.class_name}, {blame.output} ({cell.row}, {cell.column}): {', '.join(parts)}."
    if worst is None or worst.score_shift is None or worst.score_shift >= 0:
        return f"{words} No layer alone takes it away."
    return f"{words} {worst.layer.name} takes {fixed(-worst.score_shift, 2)} of it."


def tip(found: ObjectFinding) -> str:
    """Every value that makes the box, line by line."""
    blame = found.blame
    lines = [
        f"{channel.name}: {fixed(float(mine), 3)} {ARROW} {fixed(float(theirs), 3)}"
        for channel, mine, theirs in zip(blame.channels, blame.reference, blame.candidate, strict=True)
        if channel.group in ("box", "objectness")
    ]
    return "\n".join([sentence(found), f"anchor {blame.cell.anchor}", *lines])


def readings(blame: ObjectBlame, class_id: int) -> list[tuple[str, float, float]]:
    """Objectness, where there is one, and the object's class: name, reference's value, candidate's."""
    classes = [place for place, channel in enumerate(blame.channels) if channel.group == "class"]
    places = [place for place, channel in enumerate(blame.channels) if channel.group == "objectness"]
    return [
        (blame.channels[place].name, float(blame.reference[place]), float(blame.candidate[place]))
        for place in [*places, *classes[class_id : class_id + 1]]
    ]


def inspect_request(view_model: ViewModel, selection: Selection | None) -> Inspect | None:
    """The request for the object that is chosen; None where its cell or its frame is not there."""
    comparison = view_model.comparison
    if selection is None or comparison is None or selection.head < 0 or selection.position < 0:
        return None
    if comparison.frame.index != selection.frame_index:
        return None
    for side in (comparison.reference, comparison.candidate):
        boxes = side.boxes
        same = np.flatnonzero(
            np.abs(boxes.xyxy - np.array(selection.xyxy, np.float32)).max(axis=1, initial=0) < 0.5
        )
        if len(same):
            class_id = int(boxes.class_id[same[0]])
            names = view_model.models.class_names
            name = names[class_id] if class_id < len(names) else f"class {class_id}"
            return Inspect(comparison.frame, selection, class_id, name)
    return None


def _seen(one: LayerAtCell) -> str:
    if one.region is None:
        return "all"
    return f"{one.region.bottom - one.region.top}×{one.region.right - one.region.left}"
