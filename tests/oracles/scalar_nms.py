"""Greedy NMS one pair at a time in float64, as the design words it."""

from __future__ import annotations


def iou(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0.0) * max(height, 0.0)
    area_a = max(a[2] - a[0], 0.0) * max(a[3] - a[1], 0.0)
    area_b = max(b[2] - b[0], 0.0) * max(b[3] - b[1], 0.0)
    union = area_a + area_b - shared
    return shared / union if union > 0 else 0.0


def suppress(xyxy, score, class_id, confidence, nms_iou, agnostic=False):
    """Indices of the kept boxes, by falling score, of equal scores the first first."""
    boxes = [[float(value) for value in box] for box in xyxy]
    order = sorted(
        (i for i in range(len(boxes)) if score[i] > confidence), key=lambda i: (-float(score[i]), i)
    )
    kept = []
    for i in order:
        same = (k for k in kept if agnostic or class_id[k] == class_id[i])
        if all(iou(boxes[k], boxes[i]) <= nms_iou for k in same):
            kept.append(i)
    return kept
