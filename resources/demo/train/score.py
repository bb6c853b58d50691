"""Average precision at IoU 0.5 during training: quick, on the GPU's own boxes. evaluate.py gives the figures that count."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from loss import boxes_of, overlap
from network import CLASSES, OUTPUTS, STRIDES
from numpy.typing import NDArray


@torch.no_grad()
def detections(heads: tuple[Any, ...], anchors: Any, least: float = 0.02) -> list[NDArray[np.float32]]:
    """Boxes after class-wise NMS of each picture, [N, 6]: x0, y0, x1, y1, score, class."""
    boxes, scores = [], []
    for output, head in zip(OUTPUTS, heads, strict=True):
        start = {"small": 0, "medium": 3, "large": 6}[output]
        found, logits = boxes_of(head, anchors[start : start + 3], STRIDES[output])
        boxes.append(found.flatten(1, 3))
        scores.append((logits[..., :1].sigmoid() * logits[..., 1:].sigmoid()).flatten(1, 3))
    every, score = torch.cat(boxes, 1), torch.cat(scores, 1)
    best, kind = score.max(2)
    result = []
    for picture in range(len(every)):
        keep = (best[picture] > least).nonzero()[:, 0]
        keep = keep[best[picture, keep].argsort(descending=True)][:400]
        box, mark, which = every[picture, keep], best[picture, keep], kind[picture, keep]
        shifted = box + which[:, None] * 10000
        iou = overlap(shifted[:, None], shifted[None]).cpu().numpy()
        alive = np.ones(len(keep), bool)
        for number in range(len(keep)):
            if alive[number]:
                alive[number + 1 :] &= iou[number, number + 1 :] <= 0.6
        joined = torch.cat([box, mark[:, None], which[:, None].float()], 1).cpu().numpy()
        result.append(joined[alive])
    return result


def ap50(found: list[NDArray[np.float32]], objects: NDArray[np.float32], small: float | None = None) -> float:
    """Mean over classes of AP at IoU 0.5, 101 points. `small`: only objects of less than this area count, input pixels."""
    values = []
    for kind in range(len(CLASSES)):
        marks, total = [], 0
        for boxes, truth in zip(found, objects, strict=True):
            truth = truth[truth[:, 0] == kind]
            ignored = truth[:, 5] == 1
            if small is not None:
                ignored |= (truth[:, 3] - truth[:, 1]) * (truth[:, 4] - truth[:, 2]) >= small
            total += int((~ignored).sum())
            mine = boxes[boxes[:, 5] == kind]
            taken = np.zeros(len(truth), bool)
            order = np.argsort(ignored, kind="stable")
            for box in mine[np.argsort(-mine[:, 4], kind="stable")]:
                best, choice = 0.5, -1
                for t in order:
                    if taken[t] and not ignored[t]:
                        continue
                    if choice >= 0 and not ignored[choice] and ignored[t]:
                        break
                    wide = min(box[2], truth[t, 3]) - max(box[0], truth[t, 1])
                    high = min(box[3], truth[t, 4]) - max(box[1], truth[t, 2])
                    inner = max(0.0, wide) * max(0.0, high)
                    own = (box[2] - box[0]) * (box[3] - box[1])
                    area = (
                        own
                        if truth[t, 5] == 1
                        else own + (truth[t, 3] - truth[t, 1]) * (truth[t, 4] - truth[t, 2]) - inner
                    )
                    if inner / max(area, 1e-6) >= best:
                        best, choice = inner / max(area, 1e-6), t
                if choice >= 0 and ignored[choice]:
                    continue
                if choice < 0 and small is not None and (box[2] - box[0]) * (box[3] - box[1]) >= small:
                    continue
                if choice >= 0:
                    taken[choice] = True
                marks.append((box[4], choice >= 0))
        if not total:
            continue
        marks.sort(key=lambda mark: -mark[0])
        right = np.cumsum([mark[1] for mark in marks]) if marks else np.zeros(0)
        recall = right / total
        precision = np.maximum.accumulate((right / np.arange(1, len(right) + 1))[::-1])[::-1]
        values.append(
            float(
                np.mean(
                    [
                        precision[recall >= r][0] if (recall >= r).any() else 0.0
                        for r in np.linspace(0, 1, 101)
                    ]
                )
            )
        )
    return float(np.mean(values)) if values else float("nan")
