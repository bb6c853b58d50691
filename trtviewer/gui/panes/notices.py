"""What is said over a picture: what is missing, what failed, that there is nothing to see."""

from __future__ import annotations

from collections.abc import Sequence

from trtviewer.gui.panes.headers import SIDES
from trtviewer.gui.view_model import ViewModel


def notice(model: ViewModel, sides: Sequence[str]) -> str:
    """The sentence over a pane that shows these sides; empty where the picture says all."""
    if len(sides) == 1 and sides[0] in SIDES:
        entry = getattr(model.models, sides[0])
        if entry is None and (model.models.reference or model.models.candidate or model.bare is not None):
            return f"Drop the {sides[0]} model here"
        if entry is not None and entry.state == "opening":
            return f"Opening {entry.name} …"
        if entry is not None and entry.state == "failed":
            return f"{entry.name} could not be opened"
        if entry is not None and model.alone is not None and model.alone[0] != sides[0]:
            return f"{entry.name} cannot be compared with the {model.alone[0]}"
    comparison = model.comparison
    if comparison is None:
        if model.bare is not None and not (model.models.reference or model.models.candidate):
            return "Drop two models: the INT8 one becomes the candidate"
        if model.source is None and (model.models.reference or model.models.candidate):
            return "Drop a video, a picture or a folder of pictures"
        return ""
    confidence = f"{comparison.settings.confidence:.2f}".rstrip("0").rstrip(".")
    if sides == ("difference",):
        missed, extra = len(comparison.matching.missed), len(comparison.matching.extra)
        return "" if missed or extra else "The two agree on every object of this frame"
    counts = [len(getattr(comparison, side).detections) for side in sides]
    return "" if any(counts) else f"No object above {confidence} in this frame"
