"""Who finds which true object, and which differences are for the better, on frames made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.compare.made import boxes_of
from tests.compare.pairs import CLASSES, anchor_comparison
from trtviewer.compare.frame_comparison import FrameComparison
from trtviewer.compare.matching import match
from trtviewer.compare.settings import CompareSettings
from trtviewer.compare.true_objects import TrueObjects, boxed_objects
from trtviewer.compare.truth_totals import Found, TruthTotals
from trtviewer.detect.boxes import Detections

SETTINGS = CompareSettings()
ALL = frozenset(range(len(CLASSES)))
A, B, C = (0.0, 0.0, 40.0, 40.0), (50.0, 0.0, 70.0, 20.0), (0.0, 60.0, 60.0, 118.0)

Rows = list[tuple[tuple[float, float, float, float], float, int]]


def frame(reference: Rows, candidate: Rows) -> FrameComparison:
    """A comparison with these detections (box, score, class) and nothing else."""
    made = anchor_comparison(0)
    sides = []
    for side, rows in ((made.reference, reference), (made.candidate, candidate)):
        boxes = boxes_of([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])
        sides.append(
            replace(side, boxes=boxes, detections=Detections(boxes, np.arange(len(rows), dtype=np.int32)))
        )
    matching = match(sides[0].detections, sides[1].detections, SETTINGS)
    return replace(made, reference=sides[0], candidate=sides[1], matching=matching)


def objects(
    *rows: tuple[tuple[float, float, float, float], int], ignore: tuple[int, ...] = ()
) -> TrueObjects:
    return boxed_objects(
        np.array([row[0] for row in rows]).reshape(-1, 4),
        np.array([row[1] for row in rows], np.int32),
        np.isin(np.arange(len(rows)), ignore),
    )


def summary_of(comparison: FrameComparison, truth: TrueObjects, labelled: frozenset[int] = ALL):
    totals = TruthTotals(SETTINGS, CLASSES, labelled)
    totals.update(comparison, truth)
    return totals.result()


def test_that_a_true_object_that_only_the_reference_finds_is_lost() -> None:
    summary = summary_of(frame([(A, 0.9, 0), (B, 0.8, 1)], [(A, 0.9, 0)]), objects((A, 0), (B, 1)))
    assert summary.found == Found(both=1, only_reference=1, only_candidate=0, neither=0)
    assert (summary.differences.lost, summary.differences.all) == (1, 1)
    assert summary.by_size["small"] == Found(0, 1, 0, 0)
    assert summary.by_size["medium"] == Found(1, 0, 0, 0)
    assert summary.by_class == {0: Found(1, 0, 0, 0), 1: Found(0, 1, 0, 0)}
    assert summary.reference.precision.ap50 == pytest.approx(1)
    assert summary.candidate.precision.ap50 == pytest.approx(0.5)


def test_that_a_false_alarm_that_is_gone_is_for_the_better() -> None:
    summary = summary_of(frame([(A, 0.9, 0), (B, 0.8, 1)], [(A, 0.9, 0)]), objects((A, 0)))
    assert (summary.differences.false_gone, summary.differences.better, summary.differences.worse) == (
        1,
        1,
        0,
    )
    assert (summary.reference.true, summary.reference.false) == (1, 1)


def test_that_extras_are_gained_or_false_by_the_truth() -> None:
    summary = summary_of(frame([], [(A, 0.9, 0), (B, 0.8, 1)]), objects((A, 0), (C, 2)))
    assert (summary.differences.gained, summary.differences.false_new) == (1, 1)
    assert summary.found == Found(both=0, only_reference=0, only_candidate=1, neither=1)


def test_that_a_moved_box_of_the_same_object_is_neither_better_nor_worse() -> None:
    left, right = (0.0, 0.0, 40.0, 26.0), (0.0, 14.0, 40.0, 40.0)
    summary = summary_of(frame([(left, 0.9, 0)], [(right, 0.9, 0)]), objects((A, 0)))
    assert summary.found.both == 1
    assert (summary.differences.same_object, summary.differences.all) == (2, 2)


def test_that_what_is_to_be_ignored_counts_for_nobody() -> None:
    summary = summary_of(frame([(A, 0.9, 0)], [(B, 0.9, 1)]), objects((A, 0), (B, 1), ignore=(0, 1)))
    assert (summary.objects, summary.ignored, summary.differences.ignored) == (0, 2, 2)
    assert (summary.reference.true, summary.reference.false) == (0, 0)
    assert summary.reference.precision.ap50 is None


def test_that_a_class_that_nobody_labelled_is_neither_true_nor_false() -> None:
    summary = summary_of(frame([(A, 0.9, 0), (B, 0.8, 1)], [(A, 0.9, 0)]), objects((A, 0)), frozenset({0}))
    assert (summary.differences.false_gone, summary.differences.ignored) == (0, 1)
    assert (summary.reference.true, summary.reference.false) == (1, 0)


def test_that_a_box_beyond_the_border_is_measured_inside_the_frame() -> None:
    beyond = (0.0, 80.0, 60.0, 300.0)  # the frame is 128 wide and 120 high
    summary = summary_of(
        frame([(beyond, 0.9, 2)], [(beyond, 0.9, 2)]), objects(((0.0, 80.0, 60.0, 120.0), 2))
    )
    assert summary.found.both == 1


def test_that_merged_totals_are_those_of_all_frames() -> None:
    frames = [
        (frame([(A, 0.9, 0), (B, 0.8, 1)], [(A, 0.7, 0)]), objects((A, 0), (C, 2))),
        (frame([(C, 0.6, 2)], [(C, 0.9, 2), (B, 0.5, 1)]), objects((C, 2), (B, 1), ignore=(1,))),
    ]
    whole, first, second = (TruthTotals(SETTINGS, CLASSES, ALL) for _ in range(3))
    for one in frames:
        whole.update(*one)
    first.update(*frames[0])
    second.update(*frames[1])
    first.merge(second)
    ours, theirs = first.result(), whole.result()
    assert (ours.found, ours.differences, ours.by_class) == (
        theirs.found,
        theirs.differences,
        theirs.by_class,
    )
    assert ours.candidate.precision.ap50_95 == pytest.approx(theirs.candidate.precision.ap50_95, abs=1e-12)
    with pytest.raises(ValueError, match="other settings"):
        first.merge(TruthTotals(CompareSettings(confidence=0.5), CLASSES, ALL))
