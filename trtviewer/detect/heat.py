"""One channel of the outputs as a map over the cells: what a heatmap shows, for both sides of a pair, scale by scale."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from trtviewer.detect.families import scale_maps
from trtviewer.detect.scale_map import ScaleMap
from trtviewer.models.spec import Family, ModelSpec

SIZE_WORDS = {4: "tiny", 8: "small", 16: "medium", 32: "large", 64: "huge"}
"""What the cells of a stride are there to find."""


class HeatKind(StrEnum):
    """What is taken from the channels of a cell; where there are several anchors, the greatest over them."""

    SCORE = "score"
    OBJECTNESS = "objectness"
    CLASS = "class"
    BOX = "box"
    RAW = "raw"


@dataclass(frozen=True, slots=True)
class HeatChannel:
    """Which map is asked for.

    Attributes:
        kind: what is taken from the channels.
        class_id: for `CLASS`: whose score.
        anchor, name: for `BOX`: which anchor's channel of that name.
        index: for `RAW`: the channel's place among the head's.
    """

    kind: HeatKind = HeatKind.SCORE
    class_id: int = 0
    anchor: int = 0
    name: str = ""
    index: int = 0

    @property
    def is_probability(self) -> bool:
        """Whether its values go from 0 to 1."""
        return self.kind in (HeatKind.SCORE, HeatKind.OBJECTNESS, HeatKind.CLASS)


@dataclass(frozen=True, eq=False, slots=True)
class HeatRow:
    """One scale: the maps of both sides, and candidate - reference.

    Attributes:
        stride: pixels of the input between its cells; None where there is none.
        title: "small objects", or the head's name where there is no stride.
        reference, candidate: [H, W] float32, read-only; None where that side has no such channel at this scale.
        difference: [H, W] float32, candidate - reference; None unless both are there with one shape.
        levels: the least and greatest value of the common colour scale, round numbers.
        reach: the difference's colour scale goes from -reach to +reach, a round number.
        reference_map, candidate_map: all channels, to read a cell's logits from.
        reference_place: the reference's map in `scale_maps`, as `cell_of` counts them; -1 where it has none.
    """

    stride: int | None
    title: str
    reference: NDArray[np.float32] | None
    candidate: NDArray[np.float32] | None
    difference: NDArray[np.float32] | None
    levels: tuple[float, float]
    reach: float
    reference_map: ScaleMap | None
    candidate_map: ScaleMap | None
    reference_place: int

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of its cells."""
        values = self.reference if self.reference is not None else self.candidate
        return (0, 0) if values is None else (values.shape[0], values.shape[1])


def scale_title(scale: ScaleMap) -> str:
    """What its cells are there to find, "small objects"; the map's name where its stride says nothing."""
    return f"{SIZE_WORDS[scale.stride]} objects" if scale.stride in SIZE_WORDS else scale.name


def has_logits(spec: ModelSpec) -> bool:
    """Whether objectness and class channels are before their sigmoid."""
    return spec.family is Family.YOLO_ANCHOR


def heat(scale: ScaleMap, channel: HeatChannel, *, logits: bool) -> NDArray[np.float32] | None:
    """The map of one channel at one scale.

    Args:
        scale: the head's channels, [C, H, W].
        channel: what to take from them.
        logits: objectness and classes are before their sigmoid (`has_logits`).

    Returns: [H, W] float32, a new array, read-only; None where the scale has no such channel.
    """
    values = scale.values
    match channel.kind:
        case HeatKind.RAW:
            chosen = values[channel.index] if 0 <= channel.index < len(values) else None
        case HeatKind.BOX:
            index = _box_index(scale, channel)
            chosen = None if index is None else values[index]
        case _:
            return _best_over_anchors(scale, values, channel, logits=logits)
    if chosen is None:
        return None
    return _frozen(np.array(chosen, np.float32))


def heat_rows(
    reference: tuple[ModelSpec, Mapping[str, NDArray[np.float32]]],
    candidate: tuple[ModelSpec, Mapping[str, NDArray[np.float32]]],
    pairs: Sequence[tuple[str, str]],
    channel: HeatChannel,
    *,
    stride: int | None = None,
) -> tuple[HeatRow, ...]:
    """The maps of one channel for all scales of a pair of models, small objects first.

    Args:
        reference, candidate: each model with its raw outputs of one frame.
        pairs: reference output to candidate output, as they correspond; may be empty.
        channel: what to show.
        stride: only the scales of that stride; None for all.
    """
    reference_maps = scale_maps(*reference)
    candidate_maps = scale_maps(*candidate)
    rows = []
    taken: set[int] = set()
    for reference_place, own in enumerate(reference_maps):
        place = _partner(own, candidate_maps, dict(pairs))
        if place is not None:
            taken.add(place)
        if stride not in (None, own.stride):
            continue
        other = None if place is None else candidate_maps[place]
        row = _row(own, other, channel, has_logits(reference[0]), has_logits(candidate[0]))
        rows.append(replace(row, reference_place=reference_place))
    for place, other in enumerate(candidate_maps):
        if place not in taken and stride in (None, other.stride):
            rows.append(_row(None, other, channel, has_logits(reference[0]), has_logits(candidate[0])))
    return tuple(sorted(rows, key=lambda row: row.stride if row.stride is not None else math.inf))


@dataclass(frozen=True, slots=True)
class CellReading:
    """The raw channels that make the score of one cell, of the anchor that scores best there in the reference.

    Attributes:
        anchor: that anchor.
        channels: name, reference's value, candidate's value (nan where that side has none), objectness first.
    """

    anchor: int
    channels: tuple[tuple[str, float, float], ...]


def read_cell(row: HeatRow, place: tuple[int, int], *, logits: bool) -> CellReading | None:
    """What stands behind one cell's score: objectness and the best class; None where the row has neither.

    Args:
        row: the scale.
        place: row and column of the cell.
        logits: the channels are before their sigmoid (`has_logits`).
    """
    own = row.reference_map or row.candidate_map
    if own is None or not (anchors := _anchors(own)):
        return None
    values = _at(own, place)
    probability = _sigmoid if logits else _as_float

    def score(entry: tuple[int | None, NDArray[np.intp]]) -> float:
        objectness, classes = entry
        best = float(probability(values[classes].max(keepdims=True))[0]) if len(classes) else 1.0
        return (
            best if objectness is None else best * float(probability(values[objectness : objectness + 1])[0])
        )

    anchor = max(range(len(anchors)), key=lambda index: score(anchors[index]))
    objectness, classes = anchors[anchor]
    chosen = [] if objectness is None else [objectness]
    if len(classes):
        chosen.append(int(classes[int(values[classes].argmax())]))
    other = row.candidate_map if row.reference_map is not None else None
    others = None if other is None or len(other.channels) != len(own.channels) else _at(other, place)
    names = {channel.index: channel.name for channel in own.channels}
    return CellReading(
        anchor,
        tuple(
            (names[index], float(values[index]), math.nan if others is None else float(others[index]))
            for index in chosen
        ),
    )


def _at(scale: ScaleMap, place: tuple[int, int]) -> NDArray[np.float32]:
    values: NDArray[np.float32] = scale.values[:, place[0], place[1]]
    return values


def round_up(value: float) -> float:
    """The least of ..., 0.1, 0.2, 0.5, 1, 2, 5, ... that is not below `value`; scales then move in steps."""
    if not math.isfinite(value) or value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    for factor in (1, 2, 5):
        if value <= factor * power * (1 + 1e-6):
            return factor * power
    return 10 * power


def _best_over_anchors(
    scale: ScaleMap, values: NDArray[np.float32], channel: HeatChannel, *, logits: bool
) -> NDArray[np.float32] | None:
    best: NDArray[np.float32] | None = None
    for objectness, classes in _anchors(scale):
        one = _of_one_anchor(values, objectness, classes, channel, logits=logits)
        if one is None:
            return None
        best = one if best is None else np.maximum(best, one, out=best)
    return None if best is None else _frozen(best)


def _of_one_anchor(
    values: NDArray[np.float32],
    objectness: int | None,
    classes: NDArray[np.intp],
    channel: HeatChannel,
    *,
    logits: bool,
) -> NDArray[np.float32] | None:
    probability = _sigmoid if logits else _as_float
    if channel.kind is HeatKind.OBJECTNESS:
        return None if objectness is None else probability(values[objectness])
    if channel.kind is HeatKind.CLASS:
        if not 0 <= channel.class_id < len(classes):
            return None
        of_class = probability(values[classes[channel.class_id]])
    elif len(classes):
        # The sigmoid rises, so the greatest logit has the greatest probability: one sigmoid instead of one a class.
        of_class = probability(_greatest(values, classes))
    elif objectness is not None:
        return probability(values[objectness])
    else:
        return None
    return of_class if objectness is None else np.multiply(of_class, probability(values[objectness]))


def _anchors(scale: ScaleMap) -> list[tuple[int | None, NDArray[np.intp]]]:
    """The objectness channel (or None) and the class channels, anchor by anchor."""
    objectness: dict[int, int] = {}
    classes: dict[int, list[int]] = {}
    for channel in scale.channels:
        if channel.group == "objectness":
            objectness[channel.anchor] = channel.index
        elif channel.group == "class":
            classes.setdefault(channel.anchor, []).append(channel.index)
    return [
        (objectness.get(anchor), np.array(classes.get(anchor, ()), np.intp))
        for anchor in sorted({*objectness, *classes})
    ]


def _greatest(values: NDArray[np.float32], index: NDArray[np.intp]) -> NDArray[np.float32]:
    """The maximum over some channels; a view where they lie side by side."""
    first, last = int(index[0]), int(index[-1])
    picked = values[first : last + 1] if last - first + 1 == len(index) else values[index]
    greatest: NDArray[np.float32] = picked.max(axis=0)
    return greatest


def _box_index(scale: ScaleMap, channel: HeatChannel) -> int | None:
    for one in scale.channels:
        if one.group == "box" and one.anchor == channel.anchor and one.name == channel.name:
            return one.index
    return None


def _partner(own: ScaleMap, others: Sequence[ScaleMap], pairs: Mapping[str, str]) -> int | None:
    """The other side's map of the corresponding output and stride; of the same stride where outputs do not pair."""
    for place, other in enumerate(others):
        if pairs.get(own.output) == other.output and own.stride == other.stride:
            return place
    for place, other in enumerate(others):
        if own.output not in pairs and own.stride is not None and own.stride == other.stride:
            return place
    return None


def _row(
    reference: ScaleMap | None,
    candidate: ScaleMap | None,
    channel: HeatChannel,
    reference_logits: bool,
    candidate_logits: bool,
) -> HeatRow:
    own = None if reference is None else heat(reference, channel, logits=reference_logits)
    other = None if candidate is None else heat(candidate, channel, logits=candidate_logits)
    difference = None
    if own is not None and other is not None and own.shape == other.shape:
        with np.errstate(invalid="ignore"):  # inf - inf is nan, and is shown as one
            difference = _frozen(np.subtract(other, own))
    either = reference or candidate
    assert either is not None
    return HeatRow(
        stride=either.stride,
        title=scale_title(either),
        reference=own,
        candidate=other,
        difference=difference,
        levels=_levels([own, other], channel),
        reach=round_up(_greatest_size(difference)),
        reference_map=reference,
        candidate_map=candidate,
        reference_place=-1,
    )


def _levels(maps: Sequence[NDArray[np.float32] | None], channel: HeatChannel) -> tuple[float, float]:
    finite = [values[np.isfinite(values)] for values in maps if values is not None]
    if not any(len(values) for values in finite):
        return 0.0, 1.0
    least = min(float(values.min()) for values in finite if len(values))
    greatest = max(float(values.max()) for values in finite if len(values))
    if channel.is_probability:
        return 0.0, min(1.0, max(0.1, round_up(greatest)))
    step = round_up((greatest - least) / 10)
    low, high = math.floor(least / step) * step, math.ceil(greatest / step) * step
    return low, high if high > low else low + step


def _greatest_size(values: NDArray[np.float32] | None) -> float:
    if values is None:
        return 0.0
    finite = values[np.isfinite(values)]
    return float(np.abs(finite).max()) if len(finite) else 0.0


def _sigmoid(values: NDArray[np.float32]) -> NDArray[np.float32]:
    with np.errstate(
        over="ignore"
    ):  # exp of a very negative logit is inf, and 1 / inf is the 0 that is meant
        out = np.exp(-values)
    out += 1
    return np.reciprocal(out, out=out)


def _as_float(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.array(values, np.float32)


def _frozen(values: NDArray[np.float32]) -> NDArray[np.float32]:
    values.setflags(write=False)
    return values
