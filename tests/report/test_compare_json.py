"""The report: its schema key by key, no NaN in it, and its file whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.compare.pairs import INFOS, anchor_comparison, anchor_spec, compared, disturbed, random_heads
from trtviewer.compare.settings import CompareSettings
from trtviewer.compare.totals import Totals, TotalsResult
from trtviewer.errors import BadInput
from trtviewer.models.correspond import Correspondence, correspond
from trtviewer.report.compare_json import ReportModel, ReportSource, compare_report, write_report
from trtviewer.report.gates import figures
from trtviewer.runners.runner import RunnerInfo

REFERENCE, CANDIDATE = anchor_spec("reference.onnx"), anchor_spec("candidate.onnx")
SOURCE = ReportSource("street.avi", (120, 128), 30.0)

ERROR = {"mse", "mae", "max_abs", "over_epsilon", "cosine", "sqnr_db", "nonfinite"}
COUNTS = {"reference", "candidate", "matched", "missed", "extra", "missed_rate"}
REASONS = ["class_changed", "moved", "suppressed", "below_confidence", "gone"]


def result_of(frames: int) -> TotalsResult:
    totals = Totals(CompareSettings(), REFERENCE)
    for seed in range(frames):
        totals.update(anchor_comparison(seed))
    return totals.result()


def report_of(result: TotalsResult, **others: Any) -> dict[str, Any]:
    given = {"correspondence": correspond(REFERENCE, CANDIDATE)} | others
    correspondence = given.pop("correspondence")
    return compare_report(
        result,
        CompareSettings(),
        ReportModel(REFERENCE, INFOS[0]),
        ReportModel(CANDIDATE, given.pop("candidate_info", INFOS[1])),
        SOURCE,
        correspondence,
        **given,
    )


def test_that_the_report_has_the_keys_of_its_schema() -> None:
    report = report_of(result_of(25))
    assert set(report) == {
        "schema", "version", "frames", "verdict", "source", "settings", "reference", "candidate", "speedup", "outputs",
        "outputs_reason", "detections", "by_stride", "by_size", "by_class", "frames_worst",
    }  # fmt: skip
    assert report["schema"] == "trtviewer.compare/1"
    assert report["frames"] == 25
    assert report["source"] == {"path": "street.avi", "size": [120, 128], "fps": 30.0}
    assert report["settings"] == {
        "conf": 0.25,
        "nms": 0.45,
        "agnostic_nms": False,
        "match_iou": 0.5,
        "epsilon": 0.5,
    }
    for side in ("reference", "candidate"):
        assert set(report[side]) == {"path", "runner", "precision", "emulated", "latency_ms", "fps"}
        assert set(report[side]["latency_ms"]) == {"mean", "p50", "p95", "p99"}
    assert [output["name"] for output in report["outputs"]] == ["s8", "s16"]
    for output in report["outputs"]:
        assert set(output) == ERROR | {"name", "stride", "shape", "groups", "scales"}
        assert set(output["groups"]) == {"box", "objectness", "class"}
        assert set(output["groups"]["box"]) == ERROR
        assert [set(scale) for scale in output["scales"]] == [ERROR | {"stride"}]
        assert set(output["nonfinite"]) == {"reference", "candidate"}
    assert report["outputs"][0]["shape"] == [1, 24, 8, 8]
    assert set(report["detections"]) == COUNTS | {
        "agreement_f1", "mean_iou", "mean_score_delta", "missed_reasons", "extra_reasons",
    }  # fmt: skip
    assert list(report["detections"]["missed_reasons"]) == REASONS
    assert [row["stride"] for row in report["by_stride"]] == [8, 16]
    assert set(report["by_stride"][0]) == COUNTS | {"stride"}
    assert {size: set(row) for size, row in report["by_size"].items()} == dict.fromkeys(
        ("small", "medium", "large"), COUNTS
    )
    assert [(row["class_id"], row["name"]) for row in report["by_class"]] == [
        (0, "person"),
        (1, "car"),
        (2, "dog"),
    ]
    assert len(report["frames_worst"]) == 20
    assert set(report["frames_worst"][0]) == {"frame", "missed", "extra", "mse"}


def test_that_the_figures_of_a_report_agree_with_each_other() -> None:
    report = report_of(result_of(5))
    detections = report["detections"]
    assert detections["reference"] == detections["matched"] + detections["missed"]
    assert detections["missed_rate"] == detections["missed"] / detections["reference"]
    assert detections["agreement_f1"] == pytest.approx(
        2 * detections["matched"] / (detections["reference"] + detections["candidate"])
    )
    assert sum(detections["missed_reasons"].values()) == detections["missed"]
    assert sum(detections["extra_reasons"].values()) == detections["extra"]
    for key in ("reference", "candidate", "matched", "missed", "extra"):
        for rows in (report["by_stride"], report["by_size"].values(), report["by_class"]):
            assert sum(row[key] for row in rows) == detections[key]
    assert report["reference"]["fps"] == 1000 / report["reference"]["latency_ms"]["mean"]
    assert report["reference"]["latency_ms"]["p50"] == 12
    assert report["verdict"][0].startswith(f"INT8 misses {detections['missed']} of {detections['reference']}")


def test_that_a_report_of_no_frame_has_every_name_and_null_where_undefined(tmp_path: Path) -> None:
    report = report_of(result_of(0))
    assert report["frames"] == 0
    assert report["verdict"] == ["No frame was compared."]
    assert report["outputs"][0]["mse"] is None
    assert report["detections"]["missed_rate"] is None
    assert report["reference"]["latency_ms"]["p99"] is None
    assert set(figures(report)) == set(figures(report_of(result_of(2))))
    write_report(tmp_path / "report.json", report)


def test_that_a_report_holds_no_nan_though_the_outputs_do(tmp_path: Path) -> None:
    heads = random_heads(REFERENCE, 1)
    broken = {name: np.full_like(values, np.nan) for name, values in heads.items()}
    totals = Totals(CompareSettings(), REFERENCE)
    totals.update(compared(REFERENCE, CANDIDATE, (heads, broken)))
    report = report_of(totals.result())
    path = tmp_path / "report.json"
    write_report(path, report)

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} in the report")

    assert json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse) == report
    assert report["outputs"][0]["mse"] is None
    assert report["outputs"][0]["nonfinite"]["candidate"] == heads["s8"].size
    assert report["detections"]["missed"] == report["detections"]["reference"] > 0
    assert "inf or NaN" in report["verdict"][1]
    assert report["frames_worst"][0]["mse"] is None


def test_that_a_speedup_is_null_where_the_arithmetic_is_emulated() -> None:
    result = result_of(1)
    assert report_of(result, speedup=2.5)["speedup"] is None
    real = RunnerInfo("TensorRT 10.13", "int8", emulated=False)
    assert report_of(result, speedup=2.5, candidate_info=real)["speedup"] == 2.5
    assert report_of(result, candidate_info=real)["speedup"] is None


def test_that_a_speedup_is_null_where_a_side_is_a_recording() -> None:
    recording = RunnerInfo("recorded", "int8", emulated=False)
    assert report_of(result_of(1), speedup=2.5, candidate_info=recording)["speedup"] is None


def test_that_unpaired_outputs_are_empty_and_say_why() -> None:
    report = report_of(result_of(0), correspondence=Correspondence((), "raw heads against boxes after NMS"))
    assert report["outputs"] == []
    assert report["outputs_reason"] == "raw heads against boxes after NMS"


def test_that_truth_is_there_only_when_given() -> None:
    assert report_of(result_of(0), truth={"ap50": float("nan")})["truth"] == {"ap50": None}


def test_that_a_report_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be written"):
        write_report(tmp_path / "no such folder" / "report.json", report_of(result_of(0)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("precision", ["unknown", INFOS[0].precision])
def test_that_a_candidate_whose_precision_tells_it_from_nothing_is_called_the_candidate(
    precision: str,
) -> None:
    heads = random_heads(REFERENCE, 1)
    totals = Totals(CompareSettings(), REFERENCE)
    totals.update(compared(REFERENCE, CANDIDATE, (heads, disturbed(heads, 2))))
    info = RunnerInfo("recorded", precision, emulated=False)
    assert report_of(totals.result(), candidate_info=info)["verdict"][0].startswith("The candidate misses")
