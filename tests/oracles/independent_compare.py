"""`compare` done again, by plain loops in float64 on the unoptimised graphs, sharing no code with the program.

Knows raw YOLO maps with the "exp" box and a letterbox only, which is what the real model has.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from tests.oracles.letterbox import letterbox, to_network

FLOOR = 0.01


@dataclass(frozen=True)
class Head:
    output: str
    stride: int
    anchors: Sequence[tuple[float, float]]
    scale_xy: float = 1.0


@dataclass(frozen=True)
class Box:
    x1: float
    y1: float
    x2: float
    y2: float
    score: float
    class_id: int
    stride: int
    order: int

    @property
    def area(self) -> float:
        return max(0.0, self.x2 - self.x1) * max(0.0, self.y2 - self.y1)


@dataclass
class Figures:
    reference: int = 0
    candidate: int = 0
    matched: int = 0
    iou_sum: float = 0.0
    score_delta_sum: float = 0.0
    missed_reasons: dict[str, int] = field(default_factory=dict)
    extra_reasons: dict[str, int] = field(default_factory=dict)
    missed_by_stride: dict[int, int] = field(default_factory=dict)
    missed_by_size: dict[str, int] = field(default_factory=dict)
    outputs: dict[str, dict[str, float]] = field(default_factory=dict)


def independent_compare(
    reference: Path, candidate: Path, video: Path, heads: Sequence[Head], classes: int, frames: int
) -> Figures:
    """Compares two models over the first `frames` of `video` at the default thresholds."""
    sessions = [_unoptimised(path) for path in (reference, candidate)]
    figures = Figures()
    sums: dict[str, dict[str, float]] = {}
    for picture in _pictures(video, frames):
        tensor = to_network(letterbox(picture, (416, 416)))
        outputs = [
            dict(
                zip(
                    [h.output for h in heads],
                    s.run([h.output for h in heads], {"images": tensor}),
                    strict=True,
                )
            )
            for s in sessions
        ]
        for head in heads:
            _add_errors(sums.setdefault(head.output, {}), outputs[0][head.output], outputs[1][head.output])
        boxes = [_decode(out, heads, classes, picture.shape[:2]) for out in outputs]
        _add_detections(figures, boxes[0], boxes[1])
    figures.outputs = {name: _errors(total) for name, total in sums.items()}
    return figures


def _unoptimised(path: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _pictures(video: Path, count: int) -> list[NDArray[np.uint8]]:
    with av.open(str(video)) as container:
        pictures = []
        for frame in container.decode(video=0):
            pictures.append(frame.to_ndarray(format="bgr24"))
            if len(pictures) == count:
                break
    return pictures


def _add_errors(total: dict[str, float], reference: NDArray[Any], candidate: NDArray[Any]) -> None:
    r = reference.astype(np.float64).ravel()
    c = candidate.astype(np.float64).ravel()
    # The program's difference is of float32 values; so is this one, before it is widened.
    d = (candidate.ravel() - reference.ravel()).astype(np.float64)
    for name, value in (
        ("n", r.size),
        ("rr", (r * r).sum()),
        ("cc", (c * c).sum()),
        ("rc", (r * c).sum()),
        ("dd", (d * d).sum()),
        ("ad", np.abs(d).sum()),
        ("over", (np.abs(d) > 0.5).sum()),
    ):
        total[name] = total.get(name, 0.0) + float(value)
    total["max"] = max(total.get("max", 0.0), float(np.abs(d).max()))


def _errors(total: dict[str, float]) -> dict[str, float]:
    return {
        "mse": total["dd"] / total["n"],
        "mae": total["ad"] / total["n"],
        "max_abs": total["max"],
        "over_epsilon": total["over"] / total["n"],
        "cosine": total["rc"] / math.sqrt(total["rr"] * total["cc"]),
        "sqnr_db": 10 * math.log10(total["rr"] / total["dd"]),
    }


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def _decode(
    outputs: dict[str, NDArray[Any]], heads: Sequence[Head], classes: int, frame: tuple[int, int]
) -> list[Box]:
    gain = min(416 / frame[0], 416 / frame[1])
    left = round((416 - round(frame[1] * gain)) / 2 - 0.1)
    top = round((416 - round(frame[0] * gain)) / 2 - 0.1)
    boxes: list[Box] = []
    for head in heads:
        raw = outputs[head.output][0]
        _, rows, columns = raw.shape
        for anchor, (anchor_w, anchor_h) in enumerate(head.anchors):
            first = anchor * (5 + classes)
            for row in range(rows):
                for column in range(columns):
                    objectness = _sigmoid(float(raw[first + 4, row, column]))
                    if objectness <= FLOOR:
                        continue
                    values = raw[first : first + 5 + classes, row, column].tolist()
                    best = max(range(classes), key=lambda k, v=values: v[5 + k])
                    score = objectness * _sigmoid(values[5 + best])
                    if score <= FLOOR:
                        continue
                    x = (_sigmoid(values[0]) * head.scale_xy - (head.scale_xy - 1) / 2 + column) * head.stride
                    y = (_sigmoid(values[1]) * head.scale_xy - (head.scale_xy - 1) / 2 + row) * head.stride
                    w = math.exp(values[2]) * anchor_w
                    h = math.exp(values[3]) * anchor_h
                    corners = [
                        (x - w / 2 - left) / gain,
                        (y - h / 2 - top) / gain,
                        (x + w / 2 - left) / gain,
                        (y + h / 2 - top) / gain,
                    ]
                    boxes.append(Box(*corners, score, best, head.stride, len(boxes)))
    return sorted(boxes, key=lambda box: (-box.score, box.order))


def _iou(a: Box, b: Box) -> float:
    width = min(a.x2, b.x2) - max(a.x1, b.x1)
    height = min(a.y2, b.y2) - max(a.y1, b.y1)
    if width <= 0 or height <= 0:
        return 0.0
    inner = width * height
    return inner / (a.area + b.area - inner)


def _suppress(boxes: list[Box], confidence: float, nms_iou: float) -> list[Box]:
    kept: list[Box] = []
    for box in boxes:
        if box.score > confidence and not any(
            k.class_id == box.class_id and _iou(k, box) > nms_iou for k in kept
        ):
            kept.append(box)
    return kept


def _add_detections(figures: Figures, reference_boxes: list[Box], candidate_boxes: list[Box]) -> None:
    confidence, nms_iou, match_iou = 0.25, 0.45, 0.5
    reference = _suppress(reference_boxes, confidence, nms_iou)
    candidate = _suppress(candidate_boxes, confidence, nms_iou)
    pairs = sorted(
        (-_iou(r, c), -r.score, i, j)
        for i, r in enumerate(reference)
        for j, c in enumerate(candidate)
        if r.class_id == c.class_id and _iou(r, c) >= match_iou
    )
    taken_r: set[int] = set()
    taken_c: set[int] = set()
    for negative_iou, _, i, j in pairs:
        if i in taken_r or j in taken_c:
            continue
        taken_r.add(i)
        taken_c.add(j)
        figures.matched += 1
        figures.iou_sum -= negative_iou
        figures.score_delta_sum += candidate[j].score - reference[i].score
    figures.reference += len(reference)
    figures.candidate += len(candidate)
    missed = [box for i, box in enumerate(reference) if i not in taken_r]
    extra = [box for j, box in enumerate(candidate) if j not in taken_c]
    for box in missed:
        _count(figures.missed_reasons, _reason(box, extra, candidate, candidate_boxes, confidence, match_iou))
        _count(figures.missed_by_stride, box.stride)
        _count(
            figures.missed_by_size, "small" if box.area < 32**2 else "medium" if box.area < 96**2 else "large"
        )
    for box in extra:
        _count(figures.extra_reasons, _reason(box, missed, reference, reference_boxes, confidence, match_iou))


def _reason(
    box: Box,
    unmatched: list[Box],
    detections: list[Box],
    all_boxes: list[Box],
    confidence: float,
    match_iou: float,
) -> str:
    if any(o.class_id != box.class_id and _iou(box, o) >= match_iou for o in unmatched):
        return "class_changed"
    if any(o.class_id == box.class_id and 0.1 <= _iou(box, o) < match_iou for o in unmatched):
        return "moved"
    there = [o for o in all_boxes if o.class_id == box.class_id and _iou(box, o) >= match_iou]
    if any(o.score > confidence and o not in detections for o in there):
        return "suppressed"
    if any(FLOOR < o.score <= confidence for o in there):
        return "below_confidence"
    return "gone"


def _count(table: dict[Any, int], key: Any) -> None:
    table[key] = table.get(key, 0) + 1
