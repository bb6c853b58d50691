"""What the network is trained for: boxes by CIoU, objectness by how well its box fits, classes one by one."""

from __future__ import annotations

import math
from typing import Any

import torch
from network import CLASSES, FIELDS, OUTPUTS, SCALE_XY, STRIDES
from torch.nn import functional as F  # noqa: N812


def boxes_of(head: Any, anchors: Any, stride: int) -> tuple[Any, Any]:
    """A raw head [B, 3*FIELDS, H, W] as boxes [B, 3, H, W, 4] (x0, y0, x1, y1, input pixels) and the rest as logits."""
    batch, _, high, wide = head.shape
    raw = head.float().view(batch, 3, FIELDS, high, wide).permute(0, 1, 3, 4, 2)
    column = torch.arange(wide, device=head.device).view(1, 1, 1, wide)
    row = torch.arange(high, device=head.device).view(1, 1, high, 1)
    x = (raw[..., 0].sigmoid() * SCALE_XY - (SCALE_XY - 1) / 2 + column) * stride
    y = (raw[..., 1].sigmoid() * SCALE_XY - (SCALE_XY - 1) / 2 + row) * stride
    w = raw[..., 2].clamp(-6, 6).exp() * anchors[:, 0].view(1, 3, 1, 1) / 2
    h = raw[..., 3].clamp(-6, 6).exp() * anchors[:, 1].view(1, 3, 1, 1) / 2
    return torch.stack([x - w, y - h, x + w, y + h], -1), raw[..., 4:]


def overlap(a: Any, b: Any) -> Any:
    """IoU of boxes that broadcast against each other, [..., 4]."""
    inner = (
        (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(min=0).prod(-1)
    )
    areas = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1)
    return inner / (areas - inner + 1e-7)


def complete_iou(a: Any, b: Any) -> Any:
    """CIoU of pairs of boxes, [N, 4]. Source: Zheng et al., Distance-IoU Loss, 2020."""
    iou = overlap(a, b)
    outer = torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])
    apart = ((a[:, :2] + a[:, 2:] - b[:, :2] - b[:, 2:]) / 2).square().sum(-1)
    wa, wb = a[:, 2:] - a[:, :2], b[:, 2:] - b[:, :2]
    shape = (4 / math.pi**2) * (torch.atan(wb[:, 0] / wb[:, 1]) - torch.atan(wa[:, 0] / wa[:, 1])).square()
    with torch.no_grad():
        weight = shape / (1 - iou + shape + 1e-7)
    return iou - apart / (outer.square().sum(-1) + 1e-7) - weight * shape


def detection_loss(heads: tuple[Any, ...], objects: Any, anchors: Any) -> tuple[Any, Any]:
    """The loss of a batch, and its parts (box, objectness, class) for the log.

    Args: heads: raw, in the order of `OUTPUTS`. objects: [B, M, 6] as `Frames.objects`. anchors: [9, 2], smallest first.
    """
    real = objects[..., 0] >= 0
    where = real.nonzero()
    known = objects[where[:, 0], where[:, 1]]
    size = known[:, 3:5] - known[:, 1:3]
    both = torch.minimum(size[:, None], anchors[None]).prod(2)
    fit = both / (size.prod(1)[:, None] + anchors.prod(1)[None] - both)
    chosen = (fit > 0.4) | F.one_hot(fit.argmax(1), 9).bool()
    centre = (known[:, 1:3] + known[:, 3:5]) / 2
    total_box = total_object = total_class = 0.0
    count = 0
    boxes_all = torch.where(real[..., None], objects[..., 1:5], torch.zeros_like(objects[..., 1:5]) - 9)
    for output, head in zip(OUTPUTS, heads, strict=True):
        start, stride = {"small": 0, "medium": 3, "large": 6}[output], STRIDES[output]
        boxes, logits = boxes_of(head, anchors[start : start + 3], stride)
        high, wide = head.shape[2:]
        pair = chosen[:, start : start + 3].nonzero()
        thing, anchor = pair[:, 0], pair[:, 1]
        cell = (centre[thing] / stride).long()
        column, row, image = cell[:, 0].clamp(0, wide - 1), cell[:, 1].clamp(0, high - 1), where[thing, 0]
        counted = known[thing, 5] == 0
        target = torch.zeros(logits.shape[:-1], device=head.device)
        weight = torch.ones_like(target)
        with torch.no_grad():
            flat = boxes.detach().flatten(1, 3)
            fits = overlap(flat[:, :, None], boxes_all[:, None])
            ignored = (objects[..., 5] == 1) & real
            close = (fits > 0.6).any(2) | ((fits > 0.3) & ignored[:, None]).any(2)
            weight[close.view(weight.shape)] = 0
            weight[image[~counted], anchor[~counted], row[~counted], column[~counted]] = 0
        image, anchor, row, column, thing = (v[counted] for v in (image, anchor, row, column, thing))
        if len(thing):
            mine = boxes[image, anchor, row, column]
            goal = known[thing, 1:5]
            iou = complete_iou(mine, goal)
            total_box = total_box + (1 - iou).sum()
            labels = F.one_hot(known[thing, 0].long(), len(CLASSES)).float()
            total_class = total_class + F.binary_cross_entropy_with_logits(
                logits[image, anchor, row, column, 1:], labels, reduction="sum"
            )
            target[image, anchor, row, column] = 0.3 + 0.7 * overlap(mine, goal).detach()
            weight[image, anchor, row, column] = 1
            count += len(thing)
        total_object = (
            total_object
            + (F.binary_cross_entropy_with_logits(logits[..., 0], target, reduction="none") * weight).sum()
        )
    parts = torch.stack(
        [torch.as_tensor(part, device=objects.device) for part in (total_box, total_object, total_class)]
    )
    parts = parts / max(1, count)
    return parts[0] * 3.0 + parts[1] + parts[2], parts.detach()
