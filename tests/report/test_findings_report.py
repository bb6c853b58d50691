"""The further keys of the report, of some frames and of none, and their sentences."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace
from typing import Any

import pytest

from tests.compare.pairs import INFOS, anchor_comparison, anchor_spec
from trtviewer.compare.findings import Findings
from trtviewer.compare.settings import CompareSettings
from trtviewer.models.correspond import correspond
from trtviewer.report.compare_json import ReportModel, ReportSource
from trtviewer.report.findings_report import findings_report
from trtviewer.report.gates import figures
from trtviewer.report.sentences import candidate_name, height_line, track_line
from trtviewer.report.worst_frames import WorstFrames
from trtviewer.report.worst_pictures import WorstPicture, picture_of

REFERENCE, CANDIDATE = anchor_spec("reference.onnx"), anchor_spec("candidate.onnx")


def report_of(frames: int, *, video: bool = True) -> dict[str, Any]:
    findings = Findings(CompareSettings(), REFERENCE, video)
    for seed in range(frames):
        findings.update(anchor_comparison(seed))
    return findings_report(
        findings,
        ReportModel(REFERENCE, INFOS[0]),
        ReportModel(CANDIDATE, INFOS[1]),
        ReportSource("street.avi", (120, 128), 30.0 if video else None),
        correspond(REFERENCE, CANDIDATE),
    )


def test_that_a_report_of_no_frames_has_every_name_that_gates_may_use() -> None:
    empty, full = report_of(0), report_of(12)
    names = {name for name in figures(full) if not name.startswith("by_stride")}
    assert names <= set(figures(empty)) | {"tracks.worst"}
    json.dumps(full, allow_nan=False)


def test_that_intervals_enclose_their_figures() -> None:
    report = report_of(40, video=False)
    intervals = report["detections_intervals"]
    for name in ("missed_rate", "agreement_f1"):
        assert intervals[name]["low"] <= report["detections"][name] <= intervals[name]["high"]


def test_that_too_few_frames_have_no_interval_but_a_reason() -> None:
    pictures, video = (
        report_of(frames, video=video)["detections_intervals"]["missed_rate"]
        for frames, video in ((39, False), (60, True))
    )
    assert pictures == {
        "low": None,
        "high": None,
        "more_frames": None,
        "reason": "too few frames for an interval: 39 of at least 40",
    }
    assert video["low"] is None
    assert "neighbours are alike, and they span 60 of at least 600" in video["reason"]


def test_that_heights_count_every_detection_of_the_reference() -> None:
    report = report_of(12)
    assert sum(row["reference"] for row in report["by_height"]["bins"]) == report["detections"]["reference"]
    assert sum(row["matched"] for row in report["by_height"]["bins"]) == report["detections"]["matched"]


def test_that_pictures_have_no_tracks() -> None:
    assert report_of(3, video=False)["tracks"] is None
    assert track_line(report_of(3, video=False), "INT8") == ""


def of(**values: Any) -> dict[str, Any]:
    tracks = dict.fromkeys(("tracks", "dropped", "flickering", "late", "longest_gap"), 0)
    tracks |= {"mean_first_found_after": None, "longest_gap_s": 0.0}
    none = {"height": None, "reference": None, "matched": None, "recall_above": None}
    return {
        "candidate": {"precision": values.get("precision", "int8")},
        "tracks": tracks | values.get("tracks", {}),
        "by_height": {"blind": values.get("blind", none), "half": values.get("half", none)},
    }


@pytest.mark.parametrize(
    ("report", "says"),
    [
        (of(), ""),
        (
            of(blind={"height": 14, "reference": 32, "matched": 1, "recall_above": 0.98}),
            "INT8 is blind below 14 px of height: 1 of 32; of what is higher 98.0 %",
        ),
        (
            of(half={"height": 20, "reference": 32, "matched": 15, "recall_above": None}),
            "INT8 finds at most half of what is lower than 20 px: 15 of 32",
        ),
    ],
)
def test_that_heights_are_said_in_words(report: dict[str, Any], says: str) -> None:
    assert height_line(report, candidate_name(report)) == says


def test_that_tracks_are_said_in_words() -> None:
    assert track_line(of(), "INT8") == ""
    assert track_line(of(tracks={"tracks": 7}), "INT8") == (
        "INT8 follows all 7 of the reference's tracks from their beginning, steadily"
    )
    given = of(
        tracks={
            "tracks": 20, "dropped": 2, "flickering": 3, "late": 4, "longest_gap": 31, "longest_gap_s": 1.03,
            "mean_first_found_after": 2.25,
        }
    )  # fmt: skip
    assert track_line(given, candidate_name(of(precision="unknown"))) == (
        "of 20 tracks of the reference the candidate drops 2, makes 3 flicker, finds 4 late "
        "(2.2 frames on the mean of all found); longest gap 31 frames (1.0 s)"
    )


def test_that_memory_does_not_grow_with_the_frames() -> None:
    made = [anchor_comparison(seed) for seed in range(20)]
    findings = Findings(CompareSettings(), REFERENCE, True)
    pictures = WorstFrames[WorstPicture](True)

    def show(first: int, last: int) -> None:
        for index in range(first, last):
            frame = replace(made[index % 20].frame, index=index, time_s=index / 30)
            comparison = replace(made[index % 20], frame=frame)
            findings.update(comparison)
            pictures.update(comparison, lambda: picture_of(comparison))  # noqa: B023

    show(0, 300)
    tracemalloc.start()
    try:
        show(300, 400)
        before, _ = tracemalloc.get_traced_memory()
        show(400, 900)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 1_000_000  # the bounded series still fill; 500 pictures would be 23 MB
