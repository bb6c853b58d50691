"""The key `truth` of the comparison report."""

from __future__ import annotations

from typing import Any

from trtviewer.compare.true_objects import Labels
from trtviewer.compare.truth_totals import Found, SideTruth, TruthSummary
from trtviewer.detect.boxes import SCORE_FLOOR


def truth_report(summary: TruthSummary, labels: Labels) -> dict[str, Any]:
    """Both sides against the truth; figures that are not defined are None.

    AP is of all boxes above `ap_floor`; `found`, precision and recall are at the settings' confidence and match IoU.
    """
    sides = {"reference": summary.reference, "candidate": summary.candidate}
    figures = {name: _side(side, summary, name) for name, side in sides.items()}
    return {
        "path": labels.path,
        "kind": labels.kind,
        "classes_left_out": list(labels.left_out),
        "frames": summary.frames,
        "objects": summary.objects,
        "ignored": summary.ignored,
        "ap_floor": SCORE_FLOOR,
        **figures,
        "difference": {
            key: None if None in (value, figures["candidate"][key]) else figures["candidate"][key] - value
            for key, value in figures["reference"].items()
        },
        "found": _found(summary.found),
        "by_size": {size: _found(found) for size, found in summary.by_size.items()},
        "by_class": [
            {
                "class_id": class_id,
                "name": summary.class_names[class_id],
                **_found(found),
                **{name: _class_ap(side, class_id) for name, side in sides.items()},
            }
            for class_id, found in summary.by_class.items()
        ],
        "differences": _differences(summary),
    }


def _side(side: SideTruth, summary: TruthSummary, name: str) -> dict[str, Any]:
    ap = side.precision
    detections = side.true + side.false
    return {
        "ap50": ap.ap50,
        "ap75": ap.ap75,
        "ap50_95": ap.ap50_95,
        **{f"ap50_95_{size}": value for size, value in ap.by_size.items()},
        "precision": side.true / detections if detections else None,
        "recall": summary.found.reference_recall if name == "reference" else summary.found.candidate_recall,
        "true": side.true,
        "false": side.false,
    }


def _found(found: Found) -> dict[str, Any]:
    return {
        "objects": found.objects,
        "both": found.both,
        "only_reference": found.only_reference,
        "only_candidate": found.only_candidate,
        "neither": found.neither,
    }


def _class_ap(side: SideTruth, class_id: int) -> dict[str, float | None]:
    _, ap50, ap50_95 = side.precision.by_class.get(class_id, (0, None, None))
    return {"ap50": ap50, "ap50_95": ap50_95}


def _differences(summary: TruthSummary) -> dict[str, int]:
    found = summary.differences
    return {
        "all": found.all,
        "worse": found.worse,
        "better": found.better,
        "lost": found.lost,
        "false_new": found.false_new,
        "gained": found.gained,
        "false_gone": found.false_gone,
        "same_object": found.same_object,
        "ignored": found.ignored,
    }
