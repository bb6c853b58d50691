"""What a report shows of a bad frame: its picture, both sides' boxes, and the maps of their scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trtviewer.compare.frame_comparison import FrameComparison
from trtviewer.compare.matching import Reason, Unmatched
from trtviewer.compare.totals import class_name
from trtviewer.compare.truth_totals import FrameTruth
from trtviewer.detect.boxes import Detections
from trtviewer.detect.heat import HeatChannel, HeatRow, heat_rows
from trtviewer.opencv import cv2
from trtviewer.preprocess import Placement

_WIDEST = 960
_QUALITY = 82

_REASONS = {
    Reason.CLASS_CHANGED: "class changed",
    Reason.MOVED: "moved",
    Reason.SUPPRESSED: "removed by NMS",
    Reason.BELOW_CONFIDENCE: "below threshold",
    Reason.GONE: "gone",
}


@dataclass(frozen=True, slots=True)
class DrawnBox:
    """One box to be drawn.

    Attributes:
        kind: "matched", "missed", "extra", "ghost" (where the other side has what this one lacks) or "truth".
        xyxy: pixels of the source frame, clipped to it.
        label: class and score, and why the other side lacks it.
    """

    kind: str
    xyxy: tuple[float, float, float, float]
    label: str


@dataclass(frozen=True, eq=False, slots=True)
class HeatPictures:
    """The scores of one scale as PNG, one pixel a cell, cut to the frame; `difference` is candidate - reference."""

    title: str
    reference: bytes
    candidate: bytes
    difference: bytes | None
    size: tuple[int, int]
    greatest: float
    reach: float


@dataclass(frozen=True, eq=False, slots=True)
class WorstPicture:
    """One bad frame, ready to be shown; it holds no heads.

    Attributes:
        jpeg: the picture, at most 960 pixels wide.
        size: height and width of the source frame.
        reference, candidate: what is drawn on each side.
        heat: of the scale with the most misses and extras; None where there is none.
    """

    frame: int
    time_s: float
    name: str
    missed: int
    extra: int
    mse: float | None
    size: tuple[int, int]
    jpeg: bytes
    reference: tuple[DrawnBox, ...]
    candidate: tuple[DrawnBox, ...]
    heat: HeatPictures | None


def picture_of(comparison: FrameComparison, truth: FrameTruth | None = None) -> WorstPicture:
    """What a report shows of a frame."""
    frame = comparison.frame
    reference, candidate = _boxes(comparison, truth)
    return WorstPicture(
        frame.index,
        frame.time_s,
        frame.name,
        comparison.missed,
        comparison.extra,
        comparison.mse,
        frame.size,
        _jpeg(frame.picture),
        reference,
        candidate,
        _heat(comparison),
    )


def _boxes(
    comparison: FrameComparison, truth: FrameTruth | None
) -> tuple[tuple[DrawnBox, ...], tuple[DrawnBox, ...]]:
    ours, theirs, matching = comparison.reference, comparison.candidate, comparison.matching
    size = comparison.frame.size
    true = []
    if truth is not None:
        found = truth.reference_finds | truth.candidate_finds
        true = [
            DrawnBox("truth", _clip(box, size), "")
            for box in truth.objects.xyxy[~truth.objects.ignore & ~found].tolist()
        ]
    missed = _unmatched("missed", ours.detections, matching.missed, ours.spec.classes, size)
    extra = _unmatched("extra", theirs.detections, matching.extra, theirs.spec.classes, size)
    sides = []
    for side, column, own, other in ((ours, 0, missed, extra), (theirs, 1, extra, missed)):
        pairs = [
            DrawnBox("matched", _clip(box, size), "")
            for box in side.detections.xyxy[matching.pairs[:, column]].tolist()
        ]
        ghosts = [DrawnBox(f"{box.kind}-ghost", box.xyxy, "") for box in other]
        sides.append((*true, *pairs, *ghosts, *own))
    return sides[0], sides[1]


def _unmatched(
    kind: str, detections: Detections, unmatched: Unmatched, names: Sequence[str], size: tuple[int, int]
) -> list[DrawnBox]:
    drawn = []
    for place, index in enumerate(unmatched.index.tolist()):
        reason = _REASONS[Reason(int(unmatched.reason[place]))]
        other = float(unmatched.other_score[place])
        if not math.isnan(other):
            reason = f"{reason} {other:.2f}"
        name = class_name(names, int(detections.class_id[index]))
        label = f"{name} {float(detections.score[index]):.2f} · {reason}"
        drawn.append(DrawnBox(kind, _clip(detections.xyxy[index].tolist(), size), label))
    return drawn


def _clip(box: Sequence[float], size: tuple[int, int]) -> tuple[float, float, float, float]:
    height, width = size
    x0, y0, x1, y1 = (
        min(max(value, 0.0), float(most)) for value, most in zip(box, (width, height) * 2, strict=True)
    )
    return x0, y0, x1, y1


def _jpeg(picture: NDArray[np.uint8]) -> bytes:
    height, width = picture.shape[:2]
    if max(height, width) > _WIDEST:
        by = _WIDEST / max(height, width)
        smaller = (max(1, round(width * by)), max(1, round(height * by)))
        picture = np.asarray(cv2.resize(picture, smaller, interpolation=cv2.INTER_AREA), np.uint8)
    return _encoded(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])


def _encoded(kind: str, picture: NDArray[Any], options: list[int] | None = None) -> bytes:
    done, data = cv2.imencode(kind, picture, options or [])
    if not done:
        raise ValueError(f"a picture of shape {picture.shape} cannot be encoded")
    return bytes(data)


def _heat(comparison: FrameComparison) -> HeatPictures | None:
    strides = _strides(comparison.reference.detections, comparison.matching.missed.index)
    strides += _strides(comparison.candidate.detections, comparison.matching.extra.index)
    rows = [
        row
        for row in heat_rows(
            (comparison.reference.spec, comparison.reference.heads),
            (comparison.candidate.spec, comparison.candidate.heads),
            comparison.correspondence.pairs,
            HeatChannel(),
            stride=max(strides, key=strides.count) if strides else None,
        )
        if row.reference is not None and row.candidate is not None and min(row.grid) > 1
    ]
    return _heat_pictures(rows[0], comparison.placement) if rows else None


def _strides(detections: Detections, index: NDArray[np.int32]) -> list[int]:
    return [stride for stride in detections.stride[index].tolist() if stride]


def _heat_pictures(row: HeatRow, placement: Placement) -> HeatPictures:
    assert row.reference is not None
    assert row.candidate is not None
    inside = _cells_of_frame(row, placement)
    reference, candidate = row.reference[inside], row.candidate[inside]
    greatest = max(float(reference.max()), float(candidate.max()), 1e-6)
    difference, reach = None, 0.0
    if row.difference is not None:
        own = row.difference[inside]
        reach = max(float(np.abs(own).max()), 1e-6)
        difference = _encoded(".png", diverging(own / reach))
    return HeatPictures(
        row.title,
        _encoded(".png", sequential(reference / greatest)),
        _encoded(".png", sequential(candidate / greatest)),
        difference,
        (reference.shape[0], reference.shape[1]),
        greatest,
        reach,
    )


def _cells_of_frame(row: HeatRow, placement: Placement) -> tuple[slice, slice]:
    """The cells that lie on the picture, not on the letterbox's bars."""
    rows, columns = row.grid
    (high, wide), (input_high, input_wide) = placement.frame_size, placement.input_size

    def span(offset: float, length: float, whole: int, cells: int) -> slice:
        begin = math.floor(offset / whole * cells + 1e-6)
        return slice(begin, max(begin + 1, min(cells, math.ceil((offset + length) / whole * cells - 1e-6))))

    return (
        span(placement.offset_y, high * placement.scale_y, input_high, rows),
        span(placement.offset_x, wide * placement.scale_x, input_wide, columns),
    )


def sequential(share: NDArray[Any]) -> NDArray[np.uint8]:
    """[H, W, 3] BGR of values 0..1: dark blue over green to yellow (viridis)."""
    grey = np.nan_to_num(np.clip(share, 0, 1) * 255).astype(np.uint8)
    return np.asarray(cv2.applyColorMap(grey, cv2.COLORMAP_VIRIDIS), np.uint8)


def diverging(share: NDArray[Any]) -> NDArray[np.uint8]:
    """[H, W, 3] BGR of values -1..1: vermilion where the candidate has less, grey, blue where it has more."""
    share = np.nan_to_num(np.clip(share, -1, 1))[..., None]
    middle, less, more = (
        np.array(color, np.float64) for color in ((244, 243, 242), (0, 94, 213), (178, 114, 0))
    )
    mixed = middle + np.where(share < 0, -share * (less - middle), share * (more - middle))
    return mixed.round().astype(np.uint8)
