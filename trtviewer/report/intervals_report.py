"""The keys `detections_intervals` and `truth.difference_intervals` of the comparison report."""

from __future__ import annotations

from typing import Any

from trtviewer.compare.intervals import LEVEL, Interval, NoInterval
from trtviewer.compare.significance import ONE_POINT, DetectionIntervals, PrecisionIntervals


def detection_intervals(intervals: DetectionIntervals) -> dict[str, Any]:
    """The intervals of the shares; `more_frames` would narrow one to a point up or down, `reason` is why there is none."""
    return {
        "level": LEVEL,
        "block_frames": intervals.block_frames,
        "still_alike": intervals.still_alike,
        "missed_rate": _share(intervals.missed_rate),
        "agreement_f1": _share(intervals.agreement_f1),
    }


def difference_intervals(intervals: PrecisionIntervals) -> dict[str, Any]:
    """The intervals of the AP differences; `more_frames` would settle which side is better."""
    return {
        "level": LEVEL,
        "ap50": _difference(intervals.ap50),
        "ap50_95": _difference(intervals.ap50_95),
    }


def _share(interval: Interval | NoInterval) -> dict[str, Any]:
    if isinstance(interval, NoInterval):
        return {"low": None, "high": None, "more_frames": None, "reason": interval.reason}
    return {
        "low": interval.low,
        "high": interval.high,
        "more_frames": interval.frames_to_narrow(ONE_POINT),
        "reason": None,
    }


def _difference(interval: Interval | NoInterval) -> dict[str, Any]:
    if isinstance(interval, NoInterval):
        return {"low": None, "high": None, "settled": None, "more_frames": None, "reason": interval.reason}
    return {
        "low": interval.low,
        "high": interval.high,
        "settled": interval.is_settled,
        "more_frames": interval.frames_to_settle,
        "reason": None,
    }
