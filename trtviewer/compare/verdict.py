"""The figures in one or two plain sentences, the same for terminal, window and report."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from trtviewer.compare.matching import Reason
from trtviewer.compare.tensor_error import OutputError
from trtviewer.compare.totals import Counts, DetectionSummary

_REASONS_TOLD = 3


def verdict(
    summary: DetectionSummary, outputs: Sequence[OutputError] = (), candidate: str = "INT8"
) -> tuple[str, ...]:
    """What the candidate loses, where, why, and what to try; then what else is wrong with it.

    Args:
        summary: the detections of the frames compared.
        outputs: the errors of their outputs.
        candidate: what the candidate is called: its precision, or its name.
    """
    if not summary.frames:
        return ("No frame was compared.",)
    broken = _nonfinite(outputs, candidate)
    second = broken or _extras(summary, candidate)
    return (_misses(summary, candidate), *([second] if second else []))


def _misses(summary: DetectionSummary, candidate: str) -> str:
    counts = summary.counts
    if not counts.reference and not counts.candidate:
        return f"Neither model finds anything in {_frames(summary.frames)}: lower the confidence."
    if not counts.reference:
        return f"The reference finds nothing in {_frames(summary.frames)}: lower the confidence."
    if not counts.missed:
        if counts.reference == 1:
            return f"{candidate} finds the one object that the reference finds."
        return f"{candidate} finds all {_number(counts.reference)} that the reference finds."
    if counts.matched:
        share = _percent(counts.missed / counts.reference)
        said = f"{candidate} misses {_number(counts.missed)} of {_number(counts.reference)} ({share})"
    elif counts.reference == 1:
        said = f"{candidate} misses the one object that the reference finds"
    else:
        said = f"{candidate} misses all {_number(counts.reference)} that the reference finds"
    where = _where(summary)
    return "; ".join([f"{said}, {where}" if where else said, *_why(summary)]) + "."


def _where(summary: DetectionSummary) -> str:
    """Where at least half of the misses are, if there are several places where they could be."""
    missed = summary.counts.missed
    strides = [(f"on stride {stride}", counts) for stride, counts in summary.by_stride if stride is not None]
    for places in (strides, list(summary.by_size.items())):
        word, hit = _hit_most(places)
        if hit and 2 * hit >= missed:
            if missed == 1:
                return word if word.startswith("on") else f"a {word} one"
            return f"{'all' if hit == missed else _number(hit)} of them {word}"
    return ""


def _hit_most(places: Iterable[tuple[str, Counts]]) -> tuple[str, int]:
    """The place with the most misses, and how many; of equal ones that which lost the greater share. 0 where there is one place only."""
    used = [(word, counts) for word, counts in places if counts.reference]
    if len(used) < 2:
        return "", 0
    word, counts = max(used, key=lambda place: (place[1].missed, place[1].missed / place[1].reference))
    return word, counts.missed


def _why(summary: DetectionSummary) -> list[str]:
    reasons = sorted(
        ((reason, summary.missed_reasons[reason.key]) for reason in Reason), key=lambda item: -item[1]
    )
    return [_reason(reason, count, summary) for reason, count in reasons[:_REASONS_TOLD] if count]


def _reason(reason: Reason, count: int, summary: DetectionSummary) -> str:
    one = count == 1
    number = _number(count) if count < summary.counts.missed else "it" if one else "all"
    if reason is Reason.BELOW_CONFIDENCE:
        gap = _upwards(summary.below_by_at_most or 0.0)
        return (
            f"{number} fell under the threshold by {'' if one else 'at most '}{gap}: try the threshold re-fit"
        )
    if reason is Reason.GONE:
        return f"{number} {'is' if one else 'are'} gone: see layers"
    if reason is Reason.SUPPRESSED:
        return f"{number} {'was' if one else 'were'} removed by NMS: try a higher NMS IoU"
    if reason is Reason.MOVED:
        return f"{number} moved: a lower match IoU takes {'it' if one else 'them'} as found"
    return f"{number} changed class"


def _extras(summary: DetectionSummary, candidate: str) -> str:
    extra = summary.counts.extra
    if not extra:
        return ""
    return f"{candidate} finds {_number(extra)} that the reference does not."


def _nonfinite(outputs: Sequence[OutputError], candidate: str) -> str:
    """The outputs that hold inf or NaN; the candidate's first, since they explain its misses."""
    for name, counts in (
        (
            candidate.replace("The ", "the ", 1),
            {output.name: output.total.nonfinite_candidate for output in outputs},
        ),
        ("the reference", {output.name: output.total.nonfinite_reference for output in outputs}),
    ):
        bad = {output: count for output, count in counts.items() if count}
        if bad:
            total = sum(bad.values())
            values = "value that is" if total == 1 else "values that are"
            return f"In {name}, {', '.join(bad)} {_holds(bad)} {_number(total)} {values} inf or NaN."
    return ""


def _holds(bad: dict[str, int]) -> str:
    return "holds" if len(bad) == 1 else "hold"


def _frames(count: int) -> str:
    return "this frame" if count == 1 else f"these {_number(count)} frames"


def _number(value: int) -> str:
    return f"{value:,}"


def _percent(share: float) -> str:
    """One decimal; never 0 % or 100 % of what is neither."""
    if share < 0.0005:
        return "under 0.1 %"
    return f"{min(100 * share, 99.9):.1f}".removesuffix(".0") + " %"


def _upwards(value: float) -> str:
    """Two decimals, rounded up: "at most" stays true."""
    return f"{max(0.01, math.ceil(value * 100 - 1e-9) / 100):g}"
