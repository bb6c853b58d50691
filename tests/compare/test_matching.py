"""Matching and its reasons, against plain loops."""

from __future__ import annotations

import numpy as np
import pytest

from tests.compare.made import boxes_of, chosen, jittered, random_boxes, table
from tests.oracles import comparison_loops
from trtviewer.compare.matching import Reason, Unmatched, match
from trtviewer.compare.settings import CompareSettings
from trtviewer.detect.boxes import Detections

ALL = CompareSettings(confidence=0.25, match_iou=0.5)


def detections(*boxes: tuple[list[float], float, int], found: list[int] | None = None) -> Detections:
    candidates = boxes_of([box[0] for box in boxes], [box[1] for box in boxes], [box[2] for box in boxes])
    return Detections(candidates, np.array(range(len(boxes)) if found is None else found, np.int32))


def losses(own: Detections, other: Detections, unmatched: Unmatched) -> list[comparison_loops.Loss]:
    """In the oracle's words: all indices into the candidate boxes."""
    told = []
    for index, reason, partner in zip(
        unmatched.index.tolist(), unmatched.reason.tolist(), unmatched.other.tolist(), strict=True
    ):
        if reason in (Reason.CLASS_CHANGED, Reason.MOVED):
            partner = int(other.index[partner])
        told.append(comparison_loops.Loss(int(own.index[index]), Reason(reason).key, partner))
    return told


@pytest.mark.parametrize("seed", range(60))
def test_that_pairs_and_reasons_equal_plain_loops(seed: int) -> None:
    rng = np.random.default_rng(seed)
    settings = CompareSettings(confidence=[0.25, 0.4][seed % 2], match_iou=[0.5, 0.35, 0.75][seed % 3])
    boxes = random_boxes(rng, int(rng.integers(0, 60)), coarse=seed % 4 == 0)
    others = (
        random_boxes(rng, int(rng.integers(0, 60)), coarse=True) if seed % 4 == 0 else jittered(rng, boxes)
    )
    reference, candidate = (chosen(rng, side, settings.confidence) for side in (boxes, others))

    matching = match(reference, candidate, settings)

    pairs, missed, extra = comparison_loops.match(
        table(reference), table(candidate), settings.match_iou, float(np.float32(settings.confidence))
    )
    found = [(int(reference.index[i]), int(candidate.index[j])) for i, j in matching.pairs]
    assert found == pairs
    assert losses(reference, candidate, matching.missed) == missed
    assert losses(candidate, reference, matching.extra) == extra
    assert matching.iou.tolist() == pytest.approx(
        [comparison_loops.iou(boxes.xyxy[i].tolist(), others.xyxy[j].tolist()) for i, j in pairs], rel=1e-6
    )


def test_that_random_cases_hold_every_reason() -> None:
    seen = set()
    for seed in range(60):
        rng = np.random.default_rng(seed)
        boxes = random_boxes(rng, 40)
        sides = [chosen(rng, side, 0.25) for side in (boxes, jittered(rng, boxes))]
        seen |= {Reason(value) for value in match(sides[0], sides[1], ALL).missed.reason}
    assert seen == set(Reason)


def test_that_equal_ious_go_to_the_higher_reference_score_then_to_the_lower_index() -> None:
    square = [0.0, 0.0, 10.0, 10.0]
    reference = detections((square, 0.9, 0), (square, 0.8, 0), (square, 0.8, 0))
    candidate = detections((square, 0.7, 0), (square, 0.6, 0))
    assert match(reference, candidate, ALL).pairs.tolist() == [[0, 0], [1, 1]]


def test_that_the_higher_score_wins_a_tie_even_where_it_comes_later() -> None:
    square = [0.0, 0.0, 10.0, 10.0]
    boxes = boxes_of([square, square], [0.9, 0.6])
    backwards = Detections(boxes, np.array([1, 0], np.int32))
    assert match(backwards, detections((square, 0.7, 0)), ALL).pairs.tolist() == [[1, 0]]


@pytest.mark.parametrize("sides", [(0, 0), (0, 3), (3, 0)])
def test_that_an_empty_side_leaves_everything_unmatched(sides: tuple[int, int]) -> None:
    square = [0.0, 0.0, 10.0, 10.0]
    reference, candidate = (detections(*[(square, 0.9, 0)] * count) for count in sides)
    matching = match(reference, candidate, ALL)
    assert matching.pairs.shape == (0, 2)
    assert (len(matching.missed), len(matching.extra)) == sides
    assert set(matching.missed.reason.tolist()) <= {Reason.GONE}
    assert np.isnan(matching.missed.other_score).all()


def test_that_a_miss_below_the_threshold_keeps_the_best_score_and_its_iou() -> None:
    reference = detections(([0, 0, 10, 10], 0.9, 0))
    candidate = detections(([0, 0, 10, 10], 0.2, 0), ([0, 0, 10, 9], 0.15, 0), found=[])
    missed = match(reference, candidate, ALL).missed
    assert missed.reason.tolist() == [Reason.BELOW_CONFIDENCE]
    assert missed.other.tolist() == [0]
    assert missed.other_score.tolist() == pytest.approx([0.2])
    assert missed.iou.tolist() == [1.0]


def test_that_a_score_equal_to_the_threshold_is_below_it() -> None:
    reference = detections(([0, 0, 10, 10], 0.9, 0))
    candidate = detections(([0, 0, 10, 10], 0.25, 0), found=[])
    assert match(reference, candidate, ALL).missed.reason.tolist() == [Reason.BELOW_CONFIDENCE]


def test_that_a_matched_neighbour_is_no_reason() -> None:
    # The candidate's one box is the partner of the first; the second must not be called "moved" to it.
    reference = detections(([0, 0, 10, 10], 0.9, 0), ([3, 0, 14, 10], 0.8, 0))
    candidate = detections(([0, 0, 10, 10], 0.9, 0))
    matching = match(reference, candidate, ALL)
    assert matching.pairs.tolist() == [[0, 0]]
    assert matching.missed.reason.tolist() == [Reason.GONE]


def test_that_nothing_of_a_matching_can_be_changed() -> None:
    matching = match(detections(([0, 0, 10, 10], 0.9, 0)), detections(([50, 0, 60, 10], 0.9, 0)), ALL)
    for array in (matching.pairs, matching.iou, matching.missed.reason, matching.extra.other_score):
        assert not array.flags.writeable
