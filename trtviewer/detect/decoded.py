"""From what one head gave to candidate boxes: the last steps that every family shares, and its sigmoid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from trtviewer.detect.boxes import CandidateBoxes
from trtviewer.preprocess import Placement

Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True, eq=False, slots=True)
class Decoded:
    """The boxes of one head that may be above the floor, in any order, in pixels of the model's input.

    Attributes:
        xyxy: [N, 4] float64; may hold what is not finite.
        score: [N] float64; likewise.
        class_id, stride, position: [N] integers, as in `CandidateBoxes`.
        head: index into the model's heads.
    """

    xyxy: NDArray[np.float64]
    score: NDArray[np.float64]
    class_id: NDArray[np.int32]
    stride: NDArray[np.int32]
    position: NDArray[np.int32]
    head: int


def sigmoid(logits: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """1 / (1 + exp(-x)) in float64, with no overflow at either end; NaN stays NaN."""
    small = np.exp(-np.abs(logits.astype(np.float64)))
    return np.where(logits >= 0, 1.0, small) / (1.0 + small)


def floor_logit(floor: float) -> float:
    """The logit under which no probability is above `floor`, a little lower so that rounding loses no box."""
    return math.log(floor / (1 - floor)) - 1e-3 if 0 < floor < 1 else math.copysign(math.inf, floor - 0.5)


def centred(xy: NDArray[np.float64], wh: NDArray[np.float64]) -> NDArray[np.float64]:
    """[N, 4] corners from centres [N, 2] and sizes [N, 2]."""
    return np.concatenate((xy - wh / 2, xy + wh / 2), axis=1)


def candidate_boxes(
    parts: Sequence[Decoded], placement: Placement, floor: float, *, final: bool = False
) -> CandidateBoxes:
    """All heads' boxes in one, mapped to the source, those above the floor, by falling score.

    Boxes with a score or a coordinate that is not finite are dropped: a broken head has none, and says so in its
    tensor errors. Scores are compared with the floor as they are kept, in float32. Equal scores go by position, then head.
    """
    score = _joined([part.score for part in parts]).astype(np.float32)
    xyxy = placement.to_source(_joined([part.xyxy for part in parts]))
    position = _joined([part.position for part in parts])
    head = _joined([np.full(len(part.score), part.head, np.int32) for part in parts])
    good = np.isfinite(xyxy).all(axis=1) & np.isfinite(score) & (score > floor)
    chosen = good.nonzero()[0]
    chosen = chosen[np.lexsort((head[chosen], position[chosen], -score[chosen]))]
    return CandidateBoxes(
        xyxy=xyxy[chosen],
        score=score[chosen],
        class_id=_joined([part.class_id for part in parts])[chosen],
        stride=_joined([part.stride for part in parts])[chosen],
        head=head[chosen],
        position=position[chosen],
        final=final,
    )


def _joined(arrays: list[NDArray[Number]]) -> NDArray[Number]:
    """One after the other; most models have one."""
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
