"""The comparison report of schema `trtviewer.compare/1`: a plain dictionary, and its file."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trtviewer import __version__
from trtviewer.atomic import write_text
from trtviewer.compare.latency import Latency
from trtviewer.compare.settings import CompareSettings
from trtviewer.compare.tensor_error import OutputError, TensorError
from trtviewer.compare.totals import Counts, DetectionSummary, TotalsResult, strides_of_head
from trtviewer.compare.verdict import verdict
from trtviewer.detect.boxes import NO_STRIDE
from trtviewer.detect.families import channels_of
from trtviewer.models.correspond import Correspondence
from trtviewer.models.spec import ModelSpec
from trtviewer.report.sentences import side_name
from trtviewer.runners.runner import RunnerInfo

SCHEMA = "trtviewer.compare/1"

NO_ERROR = TensorError(None, None, None, None, None, None, 0, 0, 0)
"""The error of an output of which nothing was seen."""


@dataclass(frozen=True, slots=True)
class ReportModel:
    """One side, as the report names it."""

    spec: ModelSpec
    info: RunnerInfo


@dataclass(frozen=True, slots=True)
class ReportSource:
    """The source, as the report names it: its address, height and width, frames a second (None where it has no time)."""

    address: str
    size: tuple[int, int]
    rate: float | None


def compare_report(
    result: TotalsResult,
    settings: CompareSettings,
    reference: ReportModel,
    candidate: ReportModel,
    source: ReportSource,
    correspondence: Correspondence,
    *,
    speedup: float | None = None,
    truth: Mapping[str, Any] | None = None,
    more: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The report of some frames, none included; every figure that is not defined is None.

    Args:
        speedup: reference / candidate latency, each measured alone (`bench`); given as None where either is emulated or recorded.
        truth: the figures against ground truth, where there is one.
        more: further keys, which the schema leaves room for.
    """
    no_speed = any(side.info.emulated or side.info.is_recording for side in (reference, candidate))
    sides = {
        "reference": _model(reference, result.reference_latency),
        "candidate": _model(candidate, result.candidate_latency),
    }
    report: dict[str, Any] = {
        "schema": SCHEMA,
        "version": __version__,
        "frames": result.frames,
        "verdict": list(verdict(result.detections, result.outputs, side_name(sides, "candidate"))),
        "source": {"path": source.address, "size": list(source.size), "fps": source.rate},
        "settings": {
            "conf": settings.confidence,
            "nms": settings.nms_iou,
            "agnostic_nms": settings.agnostic_nms,
            "match_iou": settings.match_iou,
            "epsilon": settings.epsilon,
            **_refit(settings),
        },
        **sides,
        "speedup": None if no_speed else speedup,
        "outputs": _outputs(result, reference.spec, correspondence),
        "outputs_reason": correspondence.outputs_reason or None,
        **detection_report(result.detections),
        "frames_worst": [
            {"frame": frame.frame, "missed": frame.missed, "extra": frame.extra, "mse": frame.mse}
            for frame in result.worst
        ],
    }
    if truth is not None:
        report["truth"] = dict(truth)
    report |= more or {}
    plain: dict[str, Any] = _plain(report)
    return plain


def detection_report(summary: DetectionSummary) -> dict[str, Any]:
    """The keys `detections`, `by_stride`, `by_size` and `by_class` of the report."""
    return {
        "detections": {
            **_counts(summary.counts),
            "agreement_f1": summary.counts.agreement_f1,
            "mean_iou": summary.mean_iou,
            "mean_score_delta": summary.mean_score_delta,
            "missed_reasons": dict(summary.missed_reasons),
            "extra_reasons": dict(summary.extra_reasons),
        },
        "by_stride": [{"stride": stride, **_counts(counts)} for stride, counts in summary.by_stride],
        "by_size": {size: _counts(counts) for size, counts in summary.by_size.items()},
        "by_class": [
            {"class_id": class_id, "name": name, **_counts(counts)}
            for class_id, (name, counts) in enumerate(zip(summary.class_names, summary.by_class, strict=True))
        ],
    }


def output_report(output: OutputError, stride: int | None, shape: tuple[int, ...]) -> dict[str, Any]:
    """One entry of the report's `outputs`."""
    return {
        "name": output.name,
        "stride": stride,
        "shape": list(shape),
        **_error(output.total),
        "groups": {group: _error(error) for group, error in output.groups.items()},
        "scales": [{"stride": scale, **_error(error)} for scale, error in output.scales],
    }


def write_report(path: Path, report: Mapping[str, Any]) -> None:
    """Writes a report as JSON, whole or not at all. Raises: BadInput: it cannot be written there."""
    write_text(path, json.dumps(_plain(dict(report)), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _outputs(result: TotalsResult, spec: ModelSpec, correspondence: Correspondence) -> list[dict[str, Any]]:
    measured = {output.name: output for output in result.outputs}
    entries = []
    for name, _ in correspondence.pairs:
        head = spec.head(name)
        entries.append(
            output_report(measured.get(name) or _not_measured(spec, name), head.stride, head.shape)
        )
    return entries


def _not_measured(spec: ModelSpec, name: str) -> OutputError:
    """Every group and scale of an output of which no frame was seen, so that a gate's name is known before the work."""
    groups = dict.fromkeys(channel.group for channel in channels_of(spec, name))
    strides = dict.fromkeys(strides_of_head(spec, spec.head(name)))
    return OutputError(
        name, NO_ERROR, dict.fromkeys(groups, NO_ERROR), tuple((stride, NO_ERROR) for stride in strides)
    )


def _refit(settings: CompareSettings) -> dict[str, Any]:
    """The candidate's own thresholds, where a re-fit is in force; a report without one has no such key."""
    rows = [
        {"class_id": class_id, "stride": None if stride == NO_STRIDE else stride, "conf": confidence}
        for class_id, stride, confidence in settings.candidate_thresholds
    ]
    return {"candidate_conf": rows} if rows else {}


def _model(model: ReportModel, latency: Latency) -> dict[str, Any]:
    return {
        "path": str(model.spec.path),
        "runner": model.info.name,
        "precision": model.info.precision,
        "emulated": model.info.emulated,
        "latency_ms": {"mean": latency.mean, "p50": latency.p50, "p95": latency.p95, "p99": latency.p99},
        "fps": latency.fps,
    }


def _error(error: TensorError) -> dict[str, Any]:
    return {
        "mse": error.mse,
        "mae": error.mae,
        "max_abs": error.max_abs,
        "over_epsilon": error.over_epsilon,
        "cosine": error.cosine,
        "sqnr_db": error.sqnr_db,
        "nonfinite": {"reference": error.nonfinite_reference, "candidate": error.nonfinite_candidate},
    }


def _counts(counts: Counts) -> dict[str, Any]:
    return {
        "reference": counts.reference,
        "candidate": counts.candidate,
        "matched": counts.matched,
        "missed": counts.missed,
        "extra": counts.extra,
        "missed_rate": counts.missed_rate,
    }


def _plain(value: Any) -> Any:
    """The same with nothing that JSON cannot say: a number that is not finite is None."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
