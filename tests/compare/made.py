"""Boxes and maps for the tests of comparisons, from a seed or from a table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tests.oracles.comparison_loops import Box
from trtviewer.compare.kept import KeptFrame
from trtviewer.detect.boxes import CandidateBoxes, Detections
from trtviewer.detect.scale_map import Channel, ScaleMap


def boxes_of(
    xyxy: Sequence[Sequence[float]],
    score: Sequence[float],
    class_id: Sequence[int] | None = None,
    stride: Sequence[int] | None = None,
) -> CandidateBoxes:
    count = len(score)
    return CandidateBoxes(
        xyxy=np.array(xyxy, np.float32).reshape(count, 4),
        score=np.array(score, np.float32),
        class_id=np.zeros(count, np.int32) if class_id is None else np.array(class_id, np.int32),
        stride=np.full(count, 8, np.int32) if stride is None else np.array(stride, np.int32),
        head=np.zeros(count, np.int32),
        position=np.arange(count, dtype=np.int32),
    )


def random_boxes(
    rng: np.random.Generator, count: int, *, classes: int = 3, coarse: bool = False
) -> CandidateBoxes:
    """Boxes crowded enough to compete; `coarse` ones lie on a grid, so that IoUs and scores are often equal."""
    if coarse:
        corner = rng.integers(0, 4, (count, 2)) * 8.0
        side = rng.integers(1, 4, (count, 2)) * 8.0
        score = rng.integers(2, 10, count) / 10
    else:
        corner = rng.uniform(0, 120, (count, 2))
        side = rng.uniform(4, 140, (count, 2))
        score = rng.uniform(0.011, 1, count)
    order = np.argsort(-score, kind="stable")
    return boxes_of(
        np.concatenate((corner, corner + side), axis=1)[order],
        score[order],
        rng.integers(0, classes, count),
        rng.choice([8, 16, 32], count),
    )


def jittered(rng: np.random.Generator, boxes: CandidateBoxes, pixels: float = 6.0) -> CandidateBoxes:
    """What another model makes of the same objects: moved, rescored, a few of another class, a few not there."""
    there = rng.random(len(boxes)) > 0.15
    xyxy = (boxes.xyxy + rng.normal(0, pixels, boxes.xyxy.shape))[there]
    xyxy[:, 2:] = np.maximum(xyxy[:, 2:], xyxy[:, :2] + 1)
    score = np.clip(boxes.score + rng.normal(0, 0.2, len(boxes)), 0.011, 1)[there]
    class_id = np.where(rng.random(len(boxes)) < 0.1, (boxes.class_id + 1) % 3, boxes.class_id)[there]
    order = np.argsort(-score, kind="stable")
    return boxes_of(xyxy[order], score[order], class_id[order], boxes.stride[there][order])


def chosen(
    rng: np.random.Generator, boxes: CandidateBoxes, confidence: float, share: float = 0.7
) -> Detections:
    """Any of the boxes above the threshold, as if NMS had taken the others."""
    above = np.flatnonzero(boxes.score > np.float32(confidence))
    return Detections(boxes, above[rng.random(len(above)) < share].astype(np.int32))


def table(detections: Detections) -> list[Box]:
    """For the oracle."""
    boxes, found = detections.boxes, set(detections.index.tolist())
    return [
        Box(tuple(map(float, boxes.xyxy[i])), float(boxes.score[i]), int(boxes.class_id[i]), i in found)
        for i in range(len(boxes))
    ]


def kept_frame(index: int, reference: CandidateBoxes, candidate: CandidateBoxes) -> KeptFrame:
    return KeptFrame(
        frame_index=index,
        time_s=index / 30,
        frame_size=(240, 320),
        reference=reference,
        candidate=candidate,
        error_mse=np.array([index * 0.5, 0.25]),
        reference_cell_error=np.arange(len(reference), dtype=np.float32),
        candidate_cell_error=np.arange(len(candidate), dtype=np.float32) + 0.5,
    )


def channels(groups: str, anchors: int = 1) -> tuple[Channel, ...]:
    """Channels of each anchor from letters: "bboc" is two of box, one of objectness, one of class."""
    names = {"b": "box", "o": "objectness", "c": "class", "x": "other"}
    return tuple(
        Channel(anchor * len(groups) + place, names[letter], anchor, f"{letter}{place}")  # type: ignore[arg-type]
        for anchor in range(anchors)
        for place, letter in enumerate(groups)
    )


def maps_of(
    values: NDArray[np.float32], channels_: tuple[Channel, ...], output: str = "head", stride: int | None = 8
) -> ScaleMap:
    return ScaleMap(output, output, stride, values, channels_)
