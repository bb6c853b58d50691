"""Recall against height, against counting one by one; and below which height the candidate is blind."""

from __future__ import annotations

import numpy as np
import pytest

from tests.compare.made import boxes_of, chosen, jittered, random_boxes
from trtviewer.compare.heights import EDGES, HeightRecall, HeightTotals
from trtviewer.compare.matching import match
from trtviewer.compare.settings import CompareSettings
from trtviewer.detect.boxes import Detections

SETTINGS = CompareSettings()


def found_of(heights: list[float], found: list[bool]) -> HeightRecall:
    """The reference sees objects of these heights side by side; the candidate those that are found."""
    rows = [[60.0 * i, 0.0, 60.0 * i + 30, height] for i, height in enumerate(heights)]
    kept = [row for row, seen in zip(rows, found, strict=True) if seen]
    sides = [
        Detections(boxes_of(some, [0.9] * len(some)), np.arange(len(some), dtype=np.int32))
        for some in (rows, kept)
    ]
    totals = HeightTotals()
    totals.update(sides[0], match(sides[0], sides[1], SETTINGS))
    return totals.result()


def test_that_every_detection_is_counted_in_its_bin_whatever_the_order() -> None:
    rng = np.random.default_rng(1)
    whole, first, second = HeightTotals(), HeightTotals(), HeightTotals()
    expected = {low: [0, 0] for low in EDGES}
    for index in range(20):
        boxes = random_boxes(rng, 40)
        reference = chosen(rng, boxes, 0.25)
        candidate = chosen(rng, jittered(rng, boxes), 0.25)
        matching = match(reference, candidate, SETTINGS)
        whole.update(reference, matching)
        (first if index % 2 else second).update(reference, matching)
        matched = {int(pair[0]) for pair in matching.pairs}
        for row in range(len(reference)):
            height = float(reference.xyxy[row, 3] - reference.xyxy[row, 1])
            low = max(edge for edge in EDGES if edge <= height)
            expected[low][0] += 1
            expected[low][1] += row in matched
    first.merge(second)
    assert first.result() == whole.result()
    assert {one.low: [one.reference, one.matched] for one in whole.result().bins} == expected


def test_that_a_candidate_is_blind_below_the_height_under_which_it_finds_almost_nothing() -> None:
    heights = [*np.linspace(5, 13.5, 30), *np.linspace(15, 100, 60)]
    result = found_of(heights, [height > 14 for height in heights])
    assert result.blind is not None
    assert (result.blind.height, result.blind.reference, result.blind.matched) == (14, 30, 0)
    assert result.blind.recall_above == 1


def test_that_half_is_not_blind() -> None:
    heights = [*np.linspace(5, 13.5, 30), *np.linspace(15, 100, 60)]
    result = found_of(heights, [height > 14 or index % 5 < 2 for index, height in enumerate(heights)])
    assert result.blind is None
    assert result.half is not None
    assert (result.half.height, result.half.matched) == (14, 12)


@pytest.mark.parametrize("heights", [[], [5.0] * 9, [30.0] * 50])
def test_that_nothing_is_said_of_few_or_of_what_is_found(heights: list[float]) -> None:
    result = found_of(heights, [height > 20 for height in heights])
    assert (result.blind, result.half) == (None, None)
