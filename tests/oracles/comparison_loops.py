"""The rules of a comparison by plain loops in float64: matching and its reasons, tensor figures, counts. Shares no code with the program."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

REASONS = ("class_changed", "moved", "suppressed", "below_confidence", "gone")


class Box(NamedTuple):
    """One box before NMS; `detected` where it came through."""

    xyxy: tuple[float, float, float, float]
    score: float
    class_id: int
    detected: bool


class Loss(NamedTuple):
    """One detection with no partner: its index among all boxes, why, and the box that says so (-1 for none)."""

    index: int
    reason: str
    other: int


def iou(a: Sequence[float], b: Sequence[float]) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(0.0, width) * max(0.0, height)
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
    return shared / union if union > 0 else 0.0


def match(
    reference: Sequence[Box], candidate: Sequence[Box], match_iou: float, confidence: float
) -> tuple[list[tuple[int, int]], list[Loss], list[Loss]]:
    """Pairs, misses and extras; all indices into the boxes given."""
    found = []
    for i, mine in enumerate(reference):
        for j, other in enumerate(candidate):
            if mine.detected and other.detected and mine.class_id == other.class_id:
                value = iou(mine.xyxy, other.xyxy)
                if value >= match_iou:
                    found.append((-value, -mine.score, i, j))
    pairs: list[tuple[int, int]] = []
    for _, _, i, j in sorted(found):
        if all(i != a and j != b for a, b in pairs):
            pairs.append((i, j))
    free_reference = [i for i, box in enumerate(reference) if box.detected and all(i != a for a, _ in pairs)]
    free_candidate = [j for j, box in enumerate(candidate) if box.detected and all(j != b for _, b in pairs)]
    missed = [_loss(i, reference, candidate, free_candidate, match_iou, confidence) for i in free_reference]
    extra = [_loss(j, candidate, reference, free_reference, match_iou, confidence) for j in free_candidate]
    return pairs, missed, extra


def _loss(
    index: int,
    own: Sequence[Box],
    other: Sequence[Box],
    free: Sequence[int],
    match_iou: float,
    confidence: float,
) -> Loss:
    mine = own[index]
    changed = [
        (-iou(mine.xyxy, other[j].xyxy), j)
        for j in free
        if other[j].class_id != mine.class_id and iou(mine.xyxy, other[j].xyxy) >= match_iou
    ]
    if changed:
        return Loss(index, "class_changed", min(changed)[1])
    moved = [
        (-iou(mine.xyxy, other[j].xyxy), j)
        for j in free
        if other[j].class_id == mine.class_id and 0.1 <= iou(mine.xyxy, other[j].xyxy) < match_iou
    ]
    if moved:
        return Loss(index, "moved", min(moved)[1])
    near = [
        (-box.score, j)
        for j, box in enumerate(other)
        if not box.detected and box.class_id == mine.class_id and iou(mine.xyxy, box.xyxy) >= match_iou
    ]
    suppressed = [entry for entry in near if -entry[0] > confidence]
    if suppressed:
        return Loss(index, "suppressed", min(suppressed)[1])
    if near:
        return Loss(index, "below_confidence", min(near)[1])
    return Loss(index, "gone", -1)


def size(xyxy: Sequence[float]) -> str:
    area = (xyxy[2] - xyxy[0]) * (xyxy[3] - xyxy[1])
    return "small" if area < 32**2 else "medium" if area < 96**2 else "large"


class Figures(NamedTuple):
    mse: float | None
    mae: float | None
    max_abs: float | None
    over_epsilon: float | None
    cosine: float | None
    sqnr_db: float | None
    nonfinite_reference: int
    nonfinite_candidate: int
    count: int


def figures(reference: Sequence[float], candidate: Sequence[float], epsilon: float) -> Figures:
    """The figures of two flat sequences, summed without rounding error."""
    bad_reference = sum(not math.isfinite(r) for r in reference)
    bad_candidate = sum(not math.isfinite(c) for c in candidate)
    pairs = [
        (r, c) for r, c in zip(reference, candidate, strict=True) if math.isfinite(r) and math.isfinite(c)
    ]
    if not pairs:
        return Figures(None, None, None, None, None, None, bad_reference, bad_candidate, 0)
    d = [c - r for r, c in pairs]
    dd, rr, cc = (
        math.fsum(x * x for x in values) for values in (d, [r for r, _ in pairs], [c for _, c in pairs])
    )
    rc = math.fsum(r * c for r, c in pairs)
    return Figures(
        mse=dd / len(d),
        mae=math.fsum(abs(x) for x in d) / len(d),
        max_abs=max(abs(x) for x in d),
        over_epsilon=sum(abs(x) > epsilon for x in d) / len(d),
        cosine=rc / (math.sqrt(rr) * math.sqrt(cc)) if rr and cc else None,
        sqnr_db=10 * math.log10(rr / dd) if rr and dd else None,
        nonfinite_reference=bad_reference,
        nonfinite_candidate=bad_candidate,
        count=len(d),
    )
