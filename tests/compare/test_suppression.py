"""A threshold re-fit in force: the same as its table says, live, matched again, and in the reasons of misses."""

from __future__ import annotations

import numpy as np

from tests.compare.pairs import anchor_comparison
from trtviewer.blame.refit import Threshold, ThresholdTable
from trtviewer.compare.matched_video import rematch
from trtviewer.compare.matching import Reason
from trtviewer.compare.settings import CompareSettings, RefittedSettings


def thresholds_for(comparison, confidence: float) -> tuple[tuple[int, int, float], ...]:
    boxes = comparison.candidate.boxes
    kinds = sorted({(int(c), int(s)) for c, s in zip(boxes.class_id, boxes.stride, strict=True)})
    return tuple((c, s, confidence if place % 2 else 0.05) for place, (c, s) in enumerate(kinds))


def test_that_a_refit_in_force_finds_what_its_table_says() -> None:
    comparison = anchor_comparison(3)
    thresholds = thresholds_for(comparison, 0.6)
    settings = RefittedSettings(thresholds=thresholds)
    table = ThresholdTable(settings.confidence, tuple(Threshold(*row) for row in thresholds))
    changed = comparison.with_settings(settings)
    expected = table.detections(comparison.candidate.boxes, settings)
    assert np.array_equal(changed.candidate.detections.index, expected.index)
    assert len(expected) != len(comparison.candidate.detections)
    # The reference stays what it was, and going back gives back what was there.
    assert np.array_equal(changed.reference.detections.index, comparison.reference.detections.index)
    back = changed.with_settings(CompareSettings())
    assert np.array_equal(back.candidate.detections.index, comparison.candidate.detections.index)


def test_that_kept_frames_are_matched_alike() -> None:
    comparison = anchor_comparison(5)
    settings = RefittedSettings(thresholds=thresholds_for(comparison, 0.6))
    live = comparison.with_settings(settings)
    video = rematch([comparison.kept()], settings, comparison.reference.spec.classes)
    assert (int(video.missed[0]), int(video.extra[0])) == (live.missed, live.extra)


def test_that_a_box_under_its_own_threshold_is_below_confidence_not_suppressed() -> None:
    comparison = anchor_comparison(1)
    boxes = comparison.candidate.boxes
    kinds = {(int(c), int(s)) for c, s in zip(boxes.class_id, boxes.stride, strict=True)}
    settings = RefittedSettings(thresholds=tuple((c, s, 0.99) for c, s in sorted(kinds)))
    missed = comparison.with_settings(settings).matching.missed
    assert len(missed)
    assert not (missed.reason == Reason.SUPPRESSED).any()
    assert (missed.reason == Reason.BELOW_CONFIDENCE).any()
