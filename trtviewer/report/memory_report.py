"""The keys `by_height` and `tracks` of the comparison report: what a customer remembers."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from trtviewer.compare.heights import Below, HeightRecall
from trtviewer.compare.tracks import TrackSummary


def heights_report(heights: HeightRecall) -> dict[str, Any]:
    """The reference's detections by height in pixels, and the heights below which the candidate finds little of them."""
    return {
        "blind_below": None if heights.blind is None else heights.blind.height,
        "half_below": None if heights.half is None else heights.half.height,
        "blind": _below(heights.blind),
        "half": _below(heights.half),
        "bins": [
            {
                "low": one.low,
                "high": one.high,
                "reference": one.reference,
                "matched": one.matched,
                "recall": one.recall,
            }
            for one in heights.bins
            if one.reference
        ],
    }


def tracks_report(tracks: TrackSummary) -> dict[str, Any]:
    """The reference's tracks, and what the candidate makes of them."""
    return {
        "tracks": tracks.tracks,
        "dropped": tracks.dropped,
        "flickering": tracks.flickering,
        "late": tracks.late,
        "reference_flickering": tracks.reference_flickering,
        "mean_first_found_after": tracks.mean_first_found_after,
        "longest_gap": tracks.longest_gap,
        "longest_gap_s": tracks.longest_gap_s,
        "worst": [_without_name(asdict(track)) for track in tracks.worst],
    }


def _without_name(track: dict[str, Any]) -> dict[str, Any]:
    # Entries with a `name` are addressed by it in gates, and many tracks are of one class.
    return {"class": track.pop("name"), **track}


def _below(below: Below | None) -> dict[str, Any]:
    if below is None:
        return {"height": None, "reference": None, "matched": None, "recall_above": None}
    return asdict(below)
