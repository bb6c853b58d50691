"""What the figures say in words: noise is called noise."""

from __future__ import annotations

from typing import Any

import pytest

from trtviewer.report.sentences import ap_sentence, interval_lines, rounded


def interval(low: float | None, high: float | None, settled: bool | None, more: int | None) -> dict[str, Any]:
    reason = "too few frames for an interval: 9 of at least 40" if low is None else None
    return {"low": low, "high": high, "settled": settled, "more_frames": more, "reason": reason}


@pytest.mark.parametrize(
    ("difference", "given", "says"),
    [
        (
            -0.004,
            interval(-0.021, 0.013, False, 853),
            "0.4 points worse, which may be noise (95 %: −2.1 to +1.3); about 860 more frames would settle it",
        ),
        (
            -0.02,
            interval(-0.03, -0.01, True, 0),
            "2.0 points worse, more than noise (95 %: −3.0 to −1.0)",
        ),
        (0.0, interval(-0.01, 0.01, False, None), "no difference, within the noise (95 %: −1.0 to +1.0)"),
        (
            0.01,
            interval(None, None, None, None),
            "1.0 points better; too few frames for an interval: 9 of at least 40",
        ),
    ],
)
def test_that_a_difference_in_ap_is_told_with_its_noise(
    difference: float, given: dict[str, Any], says: str
) -> None:
    assert ap_sentence(difference, given) == says


def report(**intervals: Any) -> dict[str, Any]:
    share = {"low": 0.03, "high": 0.06, "more_frames": 1234}
    given = {"missed_rate": share, "agreement_f1": share, "block_frames": 16, "still_alike": False}
    return {
        "frames": 100,
        "detections": {"missed_rate": 0.045, "agreement_f1": 0.05},
        "detections_intervals": given | intervals,
    }


def test_that_a_share_is_told_with_its_interval_and_what_would_narrow_it() -> None:
    assert interval_lines(report()) == [
        "95 % sure: missed rate 4.5 % (3.0 to 6.0 %); F1 0.050 (0.030 to 0.060), about 16 neighbouring frames taken as one",
        "about 1,300 more frames would tell the missed rate to within 1 point",
    ]


def test_that_too_few_or_too_like_frames_are_said() -> None:
    unknown = interval(None, None, None, None)
    assert interval_lines(report(missed_rate=unknown)) == ["too few frames for an interval: 9 of at least 40"]
    assert "alike in so short a source" in interval_lines(report(still_alike=True))[1]


def test_that_an_estimate_has_two_figures_that_count() -> None:
    assert [rounded(value) for value in (7, 99, 101, 12_345)] == ["7", "99", "110", "13,000"]
