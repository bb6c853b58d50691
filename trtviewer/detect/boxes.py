"""Boxes of one side of one frame: before NMS, and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

SCORE_FLOOR = 0.01
"""Candidate boxes are kept above this score; it is also the least confidence that can be set."""

NO_STRIDE = 0
"""The stride of a box whose family has none (end2end)."""


def owned(array: ArrayLike, dtype: DTypeLike, *tail: int) -> NDArray[Any]:
    """A read-only copy of `array`, shaped [N, *tail]: nobody else can change it."""
    copy = np.array(array, dtype).reshape(-1, *tail)
    copy.setflags(write=False)
    return copy


@dataclass(frozen=True, eq=False, slots=True)
class CandidateBoxes:
    """Decoded boxes above the score floor, before NMS, by falling score (ties: lower position first).

    Attributes:
        xyxy: [N, 4] float32, pixels of the source frame, not clipped to it.
        score: [N] float32, objectness x class where there is objectness, else class.
        class_id: [N] int32, the one best class.
        stride: [N] int32; `NO_STRIDE` where the family has none.
        head: [N] int32, index into the model's heads.
        position: [N] int32, where in that head: (anchor * H + row) * W + column at the box's stride for yolo-anchor; the
            index into the N places of all strides for the flat families; the row of the output for end2end.
        final: the model has done its own NMS; ours leaves them as they are.
    """

    xyxy: NDArray[np.float32]
    score: NDArray[np.float32]
    class_id: NDArray[np.int32]
    stride: NDArray[np.int32]
    head: NDArray[np.int32]
    position: NDArray[np.int32]
    final: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "xyxy", owned(self.xyxy, np.float32, 4))
        object.__setattr__(self, "score", owned(self.score, np.float32))
        for name in ("class_id", "stride", "head", "position"):
            object.__setattr__(self, name, owned(getattr(self, name), np.int32))
        lengths = {
            name: len(getattr(self, name))
            for name in ("xyxy", "score", "class_id", "stride", "head", "position")
        }
        if len(set(lengths.values())) != 1:
            raise ValueError(f"candidate boxes need arrays of one length, not {lengths}")

    def __len__(self) -> int:
        return len(self.score)


@dataclass(frozen=True, eq=False, slots=True)
class Detections:
    """What is left after the confidence threshold and NMS, by falling score.

    Attributes:
        boxes: the candidate boxes that they were chosen from.
        index: [M] int32, which of them.
    """

    boxes: CandidateBoxes
    index: NDArray[np.int32]

    def __post_init__(self) -> None:
        object.__setattr__(self, "index", owned(self.index, np.int32))

    def __len__(self) -> int:
        return len(self.index)

    @property
    def xyxy(self) -> NDArray[np.float32]:
        """[M, 4] float32, pixels of the source frame."""
        return self.boxes.xyxy[self.index]

    @property
    def score(self) -> NDArray[np.float32]:
        """[M] float32."""
        return self.boxes.score[self.index]

    @property
    def class_id(self) -> NDArray[np.int32]:
        """[M] int32."""
        return self.boxes.class_id[self.index]

    @property
    def stride(self) -> NDArray[np.int32]:
        """[M] int32."""
        return self.boxes.stride[self.index]
