"""Gates: what they read, what they refuse, and what they say."""

from __future__ import annotations

from typing import Any

import pytest

from trtviewer.errors import BadUsage
from trtviewer.report.gates import check, figures, parse_gate

REPORT: dict[str, Any] = {
    "schema": "trtviewer.compare/1",
    "frames": 100,
    "reference": {"emulated": False, "latency_ms": {"p95": 31.0}},
    "speedup": None,
    "outputs": [
        {"name": "conv36", "stride": 16, "mse": 0.0387, "groups": {"box": {"mse": 0.01}}, "scales": []},
        {"name": "/model.22/out.0", "stride": None, "mse": 0.2, "scales": [{"stride": 8, "mse": 0.3}]},
    ],
    "detections": {"reference": 353, "missed": 16, "missed_rate": 0.0453, "missed_reasons": {"gone": 2}},
    "by_stride": [{"stride": 8, "missed": 0, "missed_rate": None}, {"stride": 16, "missed": 14}],
    "by_size": {"small": {"missed_rate": 0.2}},
    "by_class": [
        {"class_id": 0, "name": "person", "missed_rate": 0.1},
        {"class_id": 9, "name": "traffic light", "missed_rate": 0.5},
    ],
    "frames_worst": [{"frame": 3, "missed": 9}],
}


@pytest.mark.parametrize(
    ("text", "fails"),
    [
        ("missed_rate > 0.05", False),
        ("missed_rate>0.04", True),
        ("missed >= 16", True),
        ("missed > 16", False),
        ("missed<=16", True),
        ("missed < 16", False),
        ("missed_reasons.gone > 1", True),
        ("detections.missed_reasons.gone > 1", True),
        ("outputs.conv36.mse > 3.8e-2", True),
        ("outputs.conv36.groups.box.mse > .02", False),
        ("outputs./model.22/out.0.scales.8.mse > +0.25", True),
        ("by_size.small.missed_rate > 0.1", True),
        ("by_stride.16.missed > 13", True),
        ("by_class.traffic light.missed_rate > 0.4", True),
        ("reference.latency_ms.p95 > 30", True),
        ("reference < 100", False),
        ("missed > 100 or missed_rate > 0.04", True),
        ("missed > 10 and missed_rate > 0.05", False),
        # `and` binds first: true or (false and false).
        ("missed > 10 or missed > 100 and missed > 200", True),
        ("missed > 100 and missed > 10 or missed > 200", False),
        ("missed > -1", True),
    ],
)
def test_that_a_gate_fails_when_it_is_true(text: str, fails: bool) -> None:
    gate = parse_gate(text)
    assert bool(gate.fails(REPORT)) is fails
    assert gate.met(REPORT) is fails


def test_that_a_null_fails_a_gate_and_meets_no_goal_and_is_said() -> None:
    for text in ("speedup < 2", "speedup > 2", "by_stride.8.missed_rate > 0.5"):
        gate = parse_gate(text)
        assert "is not defined here" in gate.fails(REPORT)
        assert not gate.met(REPORT)
    assert not parse_gate("speedup > 2 and missed > 100").fails(REPORT)
    assert parse_gate("speedup > 2 or missed > 10").met(REPORT)


def test_that_every_failing_gate_gets_a_line_with_its_figures() -> None:
    gates = [
        parse_gate(text) for text in ("missed > 10", "missed > 100", "missed_rate > 0.01 and missed > 1")
    ]
    assert check(gates, REPORT) == (
        "gate failed: missed > 10 (missed is 16)",
        "gate failed: missed_rate > 0.01 and missed > 1 (missed_rate is 0.0453, missed is 16)",
    )


@pytest.mark.parametrize(
    "text",
    ["", "missed", "missed >", "> 3", "missed > x", "missed = 3", "missed == 3", "missed => 3", "missed > 3 missed > 4",
     "missed > 3 and", "(missed > 3)", "missed > 3 xor extra > 2", "missed > 3.4.5", "missed > 1e", "1 < missed < 3",
     "missed > nan"],
)  # fmt: skip
def test_that_a_gate_that_cannot_be_read_is_bad_usage(text: str) -> None:
    with pytest.raises(BadUsage) as caught:
        parse_gate(text).require_names(REPORT)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("missed_rte", "missed_rate"),
        ("by_size.smal.missed_rate", "by_size.small.missed_rate"),
        ("outputs.conv37.mse", "outputs.conv36.mse"),
        ("by_class.persn.missed_rate", "by_class.person.missed_rate"),
    ],
)
def test_that_an_unknown_name_is_bad_usage_with_the_nearest_names(name: str, nearest: str) -> None:
    with pytest.raises(BadUsage, match=nearest):
        check([parse_gate("missed > 1"), parse_gate(f"{name} > 1")], REPORT)


@pytest.mark.parametrize(
    ("name", "needed"), [("tracks.dropped", "this source has no time"), ("truth.candidate.ap50", "--truth")]
)
def test_that_a_figure_of_a_part_that_is_not_there_says_what_it_needs(name: str, needed: str) -> None:
    with pytest.raises(BadUsage, match=needed):
        check([parse_gate(f"{name} > 1")], {**REPORT, "tracks": None})
    whole = {**REPORT, "tracks": {"dropped": 2}, "truth": {"candidate": {"ap50": 2}}}
    assert check([parse_gate(f"{name} > 1")], whole)
    with pytest.raises(BadUsage, match=f"nearest: {name}"):
        check([parse_gate(f"{name}s > 1")], whole)


@pytest.mark.parametrize("name", ["schema", "reference.emulated", "frames_worst.3.missed", "by_size.small"])
def test_that_what_is_no_figure_is_no_name(name: str) -> None:
    assert name not in figures(REPORT)
