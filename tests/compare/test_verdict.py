"""The sentences: what they say of each case, word by word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from trtviewer.compare.matching import Reason
from trtviewer.compare.tensor_error import OutputError, TensorError
from trtviewer.compare.totals import SIZES, Counts, DetectionSummary
from trtviewer.compare.verdict import verdict

NONE = dict.fromkeys((reason.key for reason in Reason), 0)


def summary(
    matched: int,
    missed: int = 0,
    extra: int = 0,
    reasons: Mapping[str, int] | None = None,
    *,
    strides: Mapping[int | None, tuple[int, int]] | None = None,
    sizes: Mapping[str, tuple[int, int]] | None = None,
    below: float | None = None,
    frames: int = 100,
) -> DetectionSummary:
    """`strides` and `sizes`: (matched, missed) of each."""
    return DetectionSummary(
        frames=frames,
        counts=Counts(matched, missed, extra),
        mean_iou=None,
        mean_score_delta=None,
        missed_reasons=NONE | dict(reasons or {}),
        extra_reasons=NONE,
        below_by_at_most=below,
        by_stride=tuple((stride, Counts(*counts, 0)) for stride, counts in (strides or {}).items()),
        by_size={size: Counts(*(sizes or {}).get(size, (0, 0)), 0) for size in SIZES},
        by_class=(),
        class_names=(),
    )


THE_DESIGN_S = summary(
    337,
    16,
    0,
    {"below_confidence": 9, "gone": 2, "moved": 5},
    strides={16: (150, 14), 32: (187, 2)},
    below=0.0963,
)


@pytest.mark.parametrize(
    ("of", "sentences"),
    [
        (
            THE_DESIGN_S,
            [
                "INT8 misses 16 of 353 (4.5 %), 14 of them on stride 16; 9 fell under the threshold by at most 0.1: "
                "try the threshold re-fit; 5 moved: a lower match IoU takes them as found; 2 are gone: see layers."
            ],
        ),
        (summary(0, frames=0), ["No frame was compared."]),
        (summary(0, frames=1), ["Neither model finds anything in this frame: lower the confidence."]),
        (
            summary(0, frames=1200),
            ["Neither model finds anything in these 1,200 frames: lower the confidence."],
        ),
        (
            summary(0, 0, 1),
            [
                "The reference finds nothing in these 100 frames: lower the confidence.",
                "INT8 finds 1 that the reference does not.",
            ],
        ),
        (summary(12345), ["INT8 finds all 12,345 that the reference finds."]),
        (summary(1), ["INT8 finds the one object that the reference finds."]),
        (
            summary(9, extra=2),
            ["INT8 finds all 9 that the reference finds.", "INT8 finds 2 that the reference does not."],
        ),
        (
            summary(0, 40, reasons={"gone": 40}),
            ["INT8 misses all 40 that the reference finds; all are gone: see layers."],
        ),
        (
            summary(0, 1, reasons={"gone": 1}, sizes={"small": (0, 1)}),
            ["INT8 misses the one object that the reference finds; it is gone: see layers."],
        ),
        (
            summary(9, 1, reasons={"below_confidence": 1}, below=0.031, strides={8: (3, 1), 16: (6, 0)}),
            [
                "INT8 misses 1 of 10 (10 %), on stride 8; "
                "it fell under the threshold by 0.04: try the threshold re-fit."
            ],
        ),
        (
            summary(
                9,
                1,
                reasons={"suppressed": 1},
                strides={None: (9, 1)},
                sizes={"small": (1, 1), "large": (8, 0)},
            ),
            ["INT8 misses 1 of 10 (10 %), a small one; it was removed by NMS: try a higher NMS IoU."],
        ),
        (
            summary(
                90,
                10,
                reasons={"class_changed": 6, "suppressed": 4},
                strides={8: (30, 4), 16: (30, 3), 32: (30, 3)},
                sizes={"small": (20, 10), "medium": (70, 0)},
            ),
            [
                "INT8 misses 10 of 100 (10 %), all of them small; 6 changed class; "
                "4 were removed by NMS: try a higher NMS IoU."
            ],
        ),
        (
            summary(99_999, 1, reasons={"gone": 1}),
            ["INT8 misses 1 of 100,000 (under 0.1 %); it is gone: see layers."],
        ),
        (
            summary(1, 99_999, reasons={"gone": 99_999}),
            ["INT8 misses 99,999 of 100,000 (99.9 %); all are gone: see layers."],
        ),
        (
            summary(1, 1, reasons={"below_confidence": 1}, below=0.0),
            ["INT8 misses 1 of 2 (50 %); it fell under the threshold by 0.01: try the threshold re-fit."],
        ),
    ],
)
def test_that_a_verdict_says(of: DetectionSummary, sentences: list[str]) -> None:
    assert list(verdict(of)) == sentences


def output(name: str, reference: int = 0, candidate: int = 0) -> OutputError:
    return OutputError(name, TensorError(0.1, 0.1, 1.0, 0.0, 1.0, 30.0, reference, candidate, 9), {}, ())


def test_that_a_verdict_names_outputs_that_hold_inf_or_nan() -> None:
    outputs = [output("conv36", candidate=1014), output("conv29", candidate=1), output("sane")]
    assert (
        verdict(THE_DESIGN_S, outputs)[1] == "In INT8, conv36, conv29 hold 1,015 values that are inf or NaN."
    )
    assert (
        verdict(THE_DESIGN_S, [output("a", reference=1)])[1]
        == "In the reference, a holds 1 value that is inf or NaN."
    )


def test_that_a_verdict_calls_the_candidate_as_told() -> None:
    assert verdict(replace(THE_DESIGN_S), (), "FP16")[0].startswith("FP16 misses 16")


def test_that_a_verdict_has_at_most_two_sentences() -> None:
    both = summary(5, 3, 2, {"gone": 3})
    assert len(verdict(both, [output("a", candidate=2)])) == 2
