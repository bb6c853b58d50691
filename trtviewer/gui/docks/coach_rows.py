"""What the coach found as rows of words: causes with their evidence and cure, and the ranges of every tensor."""

from __future__ import annotations

from dataclasses import dataclass

from trtviewer.blame.causes import CauseKind
from trtviewer.blame.coach import TensorRange
from trtviewer.gui.docks.figures import DASH, short
from trtviewer.gui.docks.layer_rows import TIMES, percent
from trtviewer.gui.what_if.state import CoachFinding

CAUSE_WORDS = {
    CauseKind.CONCAT_RANGES: "Concat of unlike ranges",
    CauseKind.OUTLIER_CHANNELS: "Outlier channels",
    CauseKind.DEAD_CHANNELS: "Dead channels",
    CauseKind.SATURATED_FIRST: "Saturated at the start",
}
CAUSE_HEADINGS = {
    0: ("Cause", "What the structure of the network and its ranges show."),
    1: ("Layer", "Where it was found."),
    2: ("Evidence", "By what it was found."),
    3: ("Cure", "What to try."),
}
TENSOR_HEADINGS = {
    0: ("Tensor", "An activation that is quantized."),
    1: ("Range", "The end of the candidate's range."),
    2: ("Seen", "The largest value on the calibration frames; known for variants that were made here."),
    3: ("Here", "The largest value on these frames."),
    4: ("Over", "The largest value here over what the calibration saw, or over the range."),
    5: ("Clipped", "Share of its values here beyond the range."),
    6: (
        "Frames",
        "So many of these frames exceed it: clip more than 0.1 % of its values or, where it is known what the calibration saw, "
        "reach 5 % beyond that.",
    ),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table.

    Attributes:
        cells: its words.
        layers: what a double click ticks.
        tensor: what can be painted over the frame; "" for none.
        bad: whether it is to be seen first.
    """

    cells: tuple[str, ...]
    layers: tuple[str, ...] = ()
    tensor: str = ""
    bad: bool = False


def cause_rows(found: CoachFinding) -> list[Row]:
    """The causes, the most severe first."""
    return [
        Row((CAUSE_WORDS[one.kind], one.layer, one.evidence, one.cure), (one.layer,)) for one in found.causes
    ]


def tensor_rows(found: CoachFinding) -> list[Row]:
    """The tensors, those that exceed most first."""
    tensors = sorted(found.report.tensors, key=lambda one: (-len(one.exceeding), -over(one)))
    return [
        Row(
            (
                one.tensor,
                short(one.limit),
                DASH if one.seen is None else short(one.seen),
                short(one.here),
                f"{over(one):.2f}{TIMES}",
                percent(one.clipped_share),
                str(len(one.exceeding)),
            ),
            one.layers,
            one.tensor,
            bool(one.exceeding),
        )
        for one in tensors
    ]


def over(tensor: TensorRange) -> float:
    """The largest value here over what the calibration saw, or over the range where that is not known."""
    limit = tensor.limit if tensor.seen is None else tensor.seen
    return tensor.here / limit if limit else 0.0


def sentence(found: CoachFinding) -> str:
    """What the ranges come to, as a sentence."""
    words = found.report.words().partition("; added to the calibration set")[0]
    return f"{words[:1].upper()}{words[1:]}."
