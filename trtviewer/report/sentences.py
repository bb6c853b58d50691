"""Figures of a report in plain sentences, the same on the terminal and in the HTML report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Report = Mapping[str, Any]


def percent(value: float | None, digits: int = 1) -> str:
    """A share as "4.5 %"; a dash where it is not defined."""
    return "–" if value is None else f"{100 * value:.{digits}f} %"


def candidate_name(report: Report, *, of_sentence: bool = True) -> str:
    """What the candidate is called: "INT8"; "the candidate" (or as a title) where its arithmetic says nothing."""
    named = side_name(report, "candidate")
    return named[0].lower() + named[1:] if of_sentence and named.startswith("The ") else named


def side_name(report: Report, side: str) -> str:
    """What "reference" or "candidate" is called: its arithmetic, unless that is unknown or the other's too."""
    precisions = {key: str(report[key]["precision"]) for key in ("reference", "candidate") if key in report}
    own = precisions[side]
    if own in ("", "unknown") or list(precisions.values()).count(own) > 1:
        return f"The {side}"
    return own.upper()


def interval_lines(report: Report) -> list[str]:
    """How sure missed rate and agreement are, and how many more frames would make them surer."""
    intervals, detections = report["detections_intervals"], report["detections"]
    missed, agreement = intervals["missed_rate"], intervals["agreement_f1"]
    if missed["low"] is None:
        return [str(missed["reason"])] if report["frames"] else []
    parts = [f"missed rate {percent(detections['missed_rate'])} ({_range(missed)})"]
    if agreement["low"] is not None:
        parts.append(
            f"F1 {detections['agreement_f1']:.3f} ({agreement['low']:.3f} to {agreement['high']:.3f})"
        )
    block = intervals["block_frames"]
    alike = f", about {block:,} neighbouring frames taken as one" if block > 1 else ""
    lines = [f"95 % sure: {'; '.join(parts)}{alike}"]
    if intervals["still_alike"]:
        lines.append(
            "even far neighbours are alike in so short a source: of a longer one the intervals would be wider"
        )
    elif missed["more_frames"]:
        lines.append(
            f"about {rounded(missed['more_frames'])} more frames would tell the missed rate to within 1 point"
        )
    return lines


def height_line(report: Report, candidate: str) -> str:
    """Below which height in pixels little of what the reference finds is found; empty where there is none."""
    blind, half = report["by_height"]["blind"], report["by_height"]["half"]
    below = blind if blind["height"] is not None else half
    if below["height"] is None:
        return ""
    said = (
        f"{candidate} is blind below {below['height']} px of height"
        if blind["height"] is not None
        else f"{candidate} finds at most half of what is lower than {below['height']} px"
    )
    above = "" if below["recall_above"] is None else f"; of what is higher {percent(below['recall_above'])}"
    return f"{said}: {below['matched']:,} of {below['reference']:,}{above}"


def track_line(report: Report, candidate: str) -> str:
    """What becomes of the reference's tracks; empty where none was followed."""
    tracks = report["tracks"]
    if tracks is None or not tracks["tracks"]:
        return ""
    if not tracks["dropped"] + tracks["flickering"] + tracks["late"]:
        return f"{candidate} follows all {tracks['tracks']:,} of the reference's tracks from their beginning, steadily"
    parts = [
        f"of {tracks['tracks']:,} tracks of the reference {candidate} drops {tracks['dropped']:,}",
        f"makes {tracks['flickering']:,} flicker",
        f"finds {tracks['late']:,} late",
    ]
    if (tracks["mean_first_found_after"] or 0) >= 0.05:
        parts[-1] += f" ({tracks['mean_first_found_after']:.1f} frames on the mean of all found)"
    gap = f"longest gap {tracks['longest_gap']:,} frames ({tracks['longest_gap_s']:.1f} s)"
    return f"{', '.join(parts)}; {gap}"


def truth_lines(report: Report) -> list[str]:
    """What the truth says: AP and how sure its change is, who finds what, and which differences are for the better."""
    truth = report["truth"]
    found, differences = truth["found"], truth["differences"]
    lines = []
    if truth["difference"]["ap50"] is not None:
        lines.append(
            f"AP50 {truth['reference']['ap50']:.3f} becomes {truth['candidate']['ap50']:.3f}: "
            + ap_sentence(truth["difference"]["ap50"], truth["difference_intervals"]["ap50"])
        )
    lines.append(
        f"of {found['objects']:,} true objects both find {found['both']:,}, only the reference "
        f"{found['only_reference']:,}, only the candidate {found['only_candidate']:,}, neither {found['neither']:,}"
    )
    if differences["all"]:
        lines.append(
            f"of {differences['all']:,} differences {differences['worse']:,} are for the worse "
            f"({differences['lost']:,} true objects lost, {differences['false_new']:,} new false alarms) and "
            f"{differences['better']:,} for the better ({differences['gained']:,} gained, "
            f"{differences['false_gone']:,} false alarms gone)"
        )
    if truth["classes_left_out"]:
        left_out = ", ".join(truth["classes_left_out"])
        lines.append(f"classes of the labels that the models do not know are left out: {left_out}")
    return lines


def ap_sentence(difference: float, interval: Mapping[str, Any]) -> str:
    """Whether a difference in AP, in points, is more than noise: "0.4 points worse, which is noise: ..."."""
    points = f"{abs(100 * difference):.1f} points {'worse' if difference < 0 else 'better'}"
    if round(1000 * difference) == 0:
        points = "no difference"
    if interval["low"] is None:
        return f"{points}; {interval['reason']}"
    span = f"95 %: {100 * interval['low']:+.1f} to {100 * interval['high']:+.1f}".replace("-", "−")
    if interval["settled"]:
        return f"{points}, more than noise ({span})"
    more = interval["more_frames"]
    if more is None:
        return f"{points}, within the noise ({span})"
    return f"{points}, which may be noise ({span}); about {rounded(more)} more frames would settle it"


def rounded(frames: int) -> str:
    """A number of frames to two figures that count, rounded up: it is an estimate."""
    step = 10 ** max(0, len(str(frames)) - 2)
    return f"{-(-frames // step) * step:,}"


def _range(share: Mapping[str, Any]) -> str:
    return f"{100 * share['low']:.1f} to {percent(share['high'])}"
