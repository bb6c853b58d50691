"""Whether two models can be compared, and which output of one is which of the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trtviewer.errors import BadInput
from trtviewer.models.spec import Family, HeadSpec, InputSpec, ModelSpec, Resize

_CHANNELS_LAST = {"nhwc", "npc"}


@dataclass(frozen=True, slots=True)
class Correspondence:
    """Which outputs of two models hold the same thing.

    Attributes:
        pairs: output of the reference, output of the candidate; in the reference's order.
        outputs_reason: why there are none; empty when there are.
    """

    pairs: tuple[tuple[str, str], ...]
    outputs_reason: str = ""


def correspond(reference: ModelSpec, candidate: ModelSpec) -> Correspondence:
    """Pairs the outputs of two models whose input is the same picture and whose classes are as many.

    Dtype and order of the input's axes may differ: they are converted for each. Outputs pair by name, else by the shape that they have
    channels first, and by stride. A recording that says nothing of its input or its classes is not asked for them.

    Returns: no pairs, and the reason, where only detections can be compared.

    Raises:
        BadInput: they do not correspond; every difference is named, in one line.
    """
    faults = _input_differences(reference.input, candidate.input)
    decodable = Family.NONE not in (reference.family, candidate.family)
    if decodable and len(reference.classes) != len(candidate.classes):
        faults.append(f"{len(reference.classes)} classes against {len(candidate.classes)}")
    reason = _only_detections(reference, candidate)
    pairs: list[tuple[str, str]] = []
    if not reason:
        pairs, left, right = _pair(reference.heads, candidate.heads)
        if left or right:
            faults.append(
                f"outputs {_listed(reference.heads)} against {_listed(candidate.heads)}: "
                + " and ".join(_unpaired(left, right))
            )
    if faults:
        raise BadInput(
            "the two models do not correspond: " + "; ".join(faults),
            subject=f"{reference.path} and {candidate.path}",
            advice="a sidecar mends what is only said wrong; the rest needs an export that is alike",
        )
    return Correspondence(tuple(pairs), reason)


def _input_differences(reference: InputSpec | None, candidate: InputSpec | None) -> list[str]:
    if reference is None or candidate is None:
        return []
    faults = []
    if reference.size != candidate.size:
        faults.append("input size {}x{} against {}x{}".format(*reference.size, *candidate.size))
    for name, title in _PICTURE.items():
        mine, other = getattr(reference, name), getattr(candidate, name)
        if name == "pad" and Resize.STRETCH in (reference.resize, candidate.resize):
            continue
        if mine != other:
            faults.append(f"{title} {_said(mine)} against {_said(other)}")
    return faults


_PICTURE = {
    "resize": "resize",
    "pad": "pad",
    "colour": "colour",
    "pixel_scale": "pixel scale",
    "mean": "mean",
    "std": "std",
}


def _said(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.9g}"
    if isinstance(value, tuple):
        return "[" + ", ".join(_said(item) for item in value) + "]"
    return str(value)


def _only_detections(reference: ModelSpec, candidate: ModelSpec) -> str:
    """Why no output of one can be compared with one of the other, though their boxes can; empty when outputs should pair."""
    sides = (reference, candidate)
    last = [spec.family is Family.END2END for spec in sides]
    if Family.NONE in (reference.family, candidate.family):
        return ""
    if all(last):
        if [head.shape for head in reference.heads] == [head.shape for head in candidate.heads]:
            return ""
        return "both give boxes after NMS, in outputs of different shapes"
    if any(last):
        names = ("boxes after NMS", "raw heads")
        first, second = names if last[0] else names[::-1]
        return f"the reference gives {first}, the candidate {second}"
    if reference.family is candidate.family is Family.YOLOX:
        decoded = [any(head.decoded for head in spec.heads) for spec in sides]
        if decoded[0] != decoded[1]:
            return "the boxes of one YOLOX head are decoded, those of the other are not"
    return ""


def _pair(
    reference: Sequence[HeadSpec], candidate: Sequence[HeadSpec]
) -> tuple[list[tuple[str, str]], list[HeadSpec], list[HeadSpec]]:
    """Pairs in the reference's order, and what is left of each."""
    free = list(candidate)
    partner: dict[str, HeadSpec] = {}
    for head in reference:
        named = [other for other in free if other.output == head.output and _alike(head, other)]
        if named:
            partner[head.output] = named[0]
            free.remove(named[0])
    unnamed = [head for head in reference if head.output not in partner]
    for head in unnamed:
        fitting = [other for other in free if _alike(head, other)]
        rivals = [other for other in unnamed if other is not head and _alike(head, other)]
        # Of two alike nothing says which is which; a wrong pair would be a wrong figure.
        if len(fitting) == 1 and not rivals:
            partner[head.output] = fitting[0]
            free.remove(fitting[0])
    pairs = [(head.output, partner[head.output].output) for head in reference if head.output in partner]
    return pairs, [head for head in reference if head.output not in partner], free


def _alike(first: HeadSpec, second: HeadSpec) -> bool:
    if None not in (first.stride, second.stride) and first.stride != second.stride:
        return False
    mine, other = canonical_shape(first), canonical_shape(second)
    return len(mine) == len(other) and all(a == b or -1 in (a, b) for a, b in zip(mine, other, strict=True))


def canonical_shape(head: HeadSpec) -> tuple[int, ...]:
    """The head's shape with channels first; anchors and their values together are the channels."""
    shape = head.shape
    if head.layout in _CHANNELS_LAST and len(shape) >= 2:
        return (shape[0], shape[-1], *shape[1:-1])
    if head.layout == "nhwac" and len(shape) == 5:
        batch, rows, columns, anchors, values = shape
        return batch, anchors * values, rows, columns
    if head.layout == "nahwc" and len(shape) == 5:
        batch, anchors, rows, columns, values = shape
        return batch, anchors * values, rows, columns
    return shape


def _listed(heads: Sequence[HeadSpec]) -> str:
    return ", ".join(f"{head.output} {list(head.shape)}" for head in heads) or "none"


def _unpaired(left: list[HeadSpec], right: list[HeadSpec]) -> list[str]:
    sides = (("of the reference", left), ("of the candidate", right))
    return [
        f"no partner for {', '.join(head.output for head in heads)} {side}" for side, heads in sides if heads
    ]
