"""What is really in one frame, by the model's own class ids: what both sides are measured against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from trtviewer.detect.boxes import owned
from trtviewer.sources.frame import Frame

_OTHER_SPELLINGS = {
    "aeroplane": "airplane",
    "diningtable": "dining table",
    "motorbike": "motorcycle",
    "pottedplant": "potted plant",
    "sofa": "couch",
    "tvmonitor": "tv",
}
"""Darknet's and PASCAL's names of COCO's classes."""


@dataclass(frozen=True, eq=False, slots=True)
class TrueObjects:
    """The labelled objects of one frame.

    Attributes:
        xyxy: [N, 4] float64, pixels of the frame.
        class_id: [N] int32, into the classes of the models.
        area: [N] float64, pixels: by which an object is small, medium or large; the outline's, where labels give it.
        ignore: [N] bool, counts neither as found nor as missed; what finds it counts neither as right nor as wrong.
        crowd: [N] bool, many objects under one box: ignored, and any number of detections may lie in it.
    """

    xyxy: NDArray[np.float64]
    class_id: NDArray[np.int32]
    area: NDArray[np.float64]
    ignore: NDArray[np.bool_]
    crowd: NDArray[np.bool_]

    def __post_init__(self) -> None:
        object.__setattr__(self, "xyxy", owned(self.xyxy, np.float64, 4))
        object.__setattr__(self, "class_id", owned(self.class_id, np.int32))
        object.__setattr__(self, "area", owned(self.area, np.float64))
        object.__setattr__(self, "crowd", owned(self.crowd, np.bool_))
        object.__setattr__(self, "ignore", owned(np.logical_or(self.ignore, self.crowd), np.bool_))
        lengths = {len(getattr(self, name)) for name in ("xyxy", "class_id", "area", "ignore", "crowd")}
        if len(lengths) != 1:
            raise ValueError(f"true objects need arrays of one length, not of {sorted(lengths)}")

    def __len__(self) -> int:
        return len(self.class_id)


def boxed_objects(
    xyxy: NDArray[np.float64], class_id: NDArray[np.int32], ignore: NDArray[np.bool_] | None = None
) -> TrueObjects:
    """Objects of which only the box is known: its area is the object's."""
    none = np.zeros(len(class_id), np.bool_)
    sides = np.maximum(xyxy[:, 2:] - xyxy[:, :2], 0)
    return TrueObjects(xyxy, class_id, sides[:, 0] * sides[:, 1], none if ignore is None else ignore, none)


class Labels(Protocol):
    """The truth of every frame of one source. Closed by whoever opened it.

    Attributes:
        path: what was given for `--truth`, for reports.
        kind: "coco", "yolo" or "scene".
        classes: ids of the models' classes that are labelled at all; of others nothing is said.
        left_out: classes of the labels that the models do not know; their objects are not counted.
    """

    @property
    def path(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def classes(self) -> frozenset[int]: ...
    @property
    def left_out(self) -> tuple[str, ...]: ...

    def objects(self, frame: Frame) -> TrueObjects:
        """What is really in a frame. Raises: BadInput: the labels are of another picture."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def class_map(names: Mapping[int, str], classes: Sequence[str]) -> dict[int, int]:
    """From the labels' class ids to the models', by name; ids whose name the models do not know are not in it.

    Letters' case, blanks, `_` and `-` do not matter; darknet's and COCO's names of the same class are one.
    """
    known = {_folded(name): index for index, name in reversed(list(enumerate(classes)))}
    return {given: known[_folded(name)] for given, name in names.items() if _folded(name) in known}


def _folded(name: str) -> str:
    plain = "".join(letter for letter in name.casefold() if letter not in " _-")
    other = _OTHER_SPELLINGS.get(plain, plain)
    return other.replace(" ", "")
