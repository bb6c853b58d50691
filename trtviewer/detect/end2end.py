"""Detections that the model has chosen itself: [1, N, 6], or the four outputs of EfficientNMS. They have no cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trtviewer.detect.boxes import NO_STRIDE
from trtviewer.detect.decoded import Decoded
from trtviewer.detect.scale_map import Channel, Grid, ScaleMap
from trtviewer.errors import BadInput
from trtviewer.models.spec import HeadSpec, ModelSpec

ROW_NAMES = ("left", "top", "right", "bottom", "score", "class")
"""The values of a row of [1, N, 6]."""


class EfficientNms(NamedTuple):
    """Which of the model's heads is which of the plugin's four outputs."""

    number: int
    boxes: int
    scores: int
    classes: int


def decode(spec: ModelSpec, heads: Mapping[str, NDArray[np.float32]], floor: float) -> list[Decoded]:
    """The rows as they are; padding (a class below 0, or past the plugin's count) is left out.

    Raises: BadInput: the outputs are of neither form; or a box above the floor has a class that the model has not.
    """
    arrays = [heads[head.output] for head in spec.heads]
    if len(arrays) == 1:
        rows = arrays[0].reshape(-1, 6) if arrays[0].shape[-1:] == (6,) else np.empty((0, 0), np.float32)
        if rows.shape[1] != 6:
            raise _neither(spec)
        return [_chosen(spec, 0, rows[:, :4], rows[:, 4], rows[:, 5], floor)]
    which = _efficient_nms(spec)
    boxes = arrays[which.boxes].reshape(-1, 4)
    number = arrays[which.number].reshape(-1)[0]
    rows_used = int(np.clip(np.nan_to_num(number), 0, len(boxes)))
    return [
        _chosen(
            spec,
            which.boxes,
            boxes[:rows_used],
            arrays[which.scores].reshape(-1)[:rows_used],
            arrays[which.classes].reshape(-1)[:rows_used],
            floor,
        )
    ]


def _chosen(
    spec: ModelSpec,
    head: int,
    boxes: NDArray[np.float32],
    score: NDArray[np.float32],
    class_id: NDArray[np.float32],
    floor: float,
) -> Decoded:
    position = np.flatnonzero((score > floor) & np.isfinite(class_id) & (class_id >= 0))
    classes = np.rint(class_id[position]).astype(np.int64)
    if len(classes) and classes.max() >= len(spec.classes):
        raise BadInput(
            f"gives a box of class {classes.max()}, but has {len(spec.classes)} classes",
            subject=spec.path,
            advice="check the class names",
        )
    return Decoded(
        xyxy=boxes[position].astype(np.float64),
        score=score[position].astype(np.float64),
        class_id=classes.astype(np.int32),
        stride=np.full(len(position), NO_STRIDE, np.int32),
        position=position.astype(np.int32),
        head=head,
    )


def _efficient_nms(spec: ModelSpec) -> EfficientNms:
    """Told by shapes; of the two that are alike, and of all four where there is one box, by names, else by the plugin's order."""
    if len(spec.heads) != 4:
        raise _neither(spec)
    boxes = [index for index, head in enumerate(spec.heads) if len(head.shape) == 3 and head.shape[-1] == 4]
    if len(boxes) != 1:
        raise _neither(spec)
    others = [index for index in range(4) if index != boxes[0]]
    single = [index for index in others if np.prod(spec.heads[index].shape) == 1]
    number = single[0] if len(single) == 1 else _named(spec, others, "num", others[0])
    others.remove(number)
    classes = _named(spec, others, "class", _named(spec, others, "label", others[1]))
    others.remove(classes)
    return EfficientNms(number, boxes[0], others[0], classes)


def _named(spec: ModelSpec, among: list[int], word: str, otherwise: int) -> int:
    named = [index for index in among if word in spec.heads[index].output.lower()]
    return named[0] if len(named) == 1 else otherwise


def _neither(spec: ModelSpec) -> BadInput:
    shapes = ", ".join(f"{head.output} {list(head.shape)}" for head in spec.heads)
    return BadInput(
        f"is end2end, but its outputs are neither [1, N, 6] nor the four of EfficientNMS: {shapes}",
        subject=spec.path,
    )


def scale_maps(spec: ModelSpec, head: HeadSpec, array: NDArray[np.float32]) -> tuple[ScaleMap, ...]:
    """One map with no grid: each row a cell."""
    values = canonical(spec, head, array)
    return (ScaleMap(head.output, head.output, None, values[:, None, :], _channels(head, len(values))),)


def canonical(spec: ModelSpec, head: HeadSpec, array: NDArray[np.float32]) -> NDArray[np.float32]:
    """[6, N] or [4, N] or [1, N], a view."""
    return _rows(array).T


def channels(spec: ModelSpec, head: HeadSpec) -> tuple[Channel, ...]:
    """The values of a row."""
    return _channels(head, head.shape[-1] if len(head.shape) == 3 else 1)


def _channels(head: HeadSpec, width: int) -> tuple[Channel, ...]:
    names = ROW_NAMES[:width] if width in (4, 6) else (head.output,) * width
    return tuple(
        Channel(index, "box" if width >= 4 and index < 4 else "other", 0, name)
        for index, name in enumerate(names)
    )


def grids(spec: ModelSpec, head: HeadSpec, shape: tuple[int, ...]) -> tuple[Grid, ...]:
    """None that is one: a row of places."""
    return (Grid(None, 1, shape[1] if len(shape) > 1 else 1, 1, 0),)


def cell_channels(
    spec: ModelSpec, head: HeadSpec, array: NDArray[np.float32], position: NDArray[np.int32]
) -> NDArray[np.float32]:
    """[M, 6] or [M, 4]: the rows themselves."""
    return _rows(array)[position]


def _rows(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """[N, values of a row]."""
    return array.reshape(-1, array.shape[-1] if array.ndim == 3 else 1)
