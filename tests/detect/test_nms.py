"""NMS and IoU against one pair at a time, on boxes with ties, copies and no area."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracles import scalar_nms
from trtviewer.detect import nms
from trtviewer.detect.boxes import CandidateBoxes
from trtviewer.detect.iou import iou_matrix
from trtviewer.detect.nms import suppress


def boxes_of(xyxy, score, class_id=None, *, final=False) -> CandidateBoxes:
    count = len(score)
    nought = np.zeros(count, np.int32)
    return CandidateBoxes(
        xyxy=np.reshape(xyxy, (-1, 4)),
        score=score,
        class_id=nought if class_id is None else class_id,
        stride=nought,
        head=nought,
        position=np.arange(count),
        final=final,
    )


def assert_as_one_pair_at_a_time(boxes, confidence, nms_iou, agnostic=False):
    found = suppress(boxes, confidence, nms_iou, agnostic).index.tolist()
    assert found == scalar_nms.suppress(
        boxes.xyxy, boxes.score, boxes.class_id, np.float32(confidence), nms_iou, agnostic
    )
    return found


corner = st.integers(0, 12)
box = st.tuples(corner, corner, corner, corner)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(box, st.sampled_from([0.1, 0.3, 0.5, 0.9]), st.integers(0, 2)), max_size=40),
    st.sampled_from([0.01, 0.1, 0.3]),
    st.sampled_from([0.0, 0.25, 0.45, 0.5, 1 / 3, 1.0]),
    st.booleans(),
)
def test_that_small_boxes_with_every_tie_are_removed_as_one_pair_at_a_time(
    rows, confidence, nms_iou, agnostic
):
    """Whole corners give IoUs that are exactly the threshold, copies, boxes inside out and boxes of no area."""
    boxes = boxes_of([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])
    assert_as_one_pair_at_a_time(boxes, confidence, nms_iou, agnostic)


@pytest.mark.parametrize("agnostic", [False, True])
@pytest.mark.parametrize(("crowd", "spread"), [(3, 2.0), (60, 9.0), (900, 30.0)])
def test_that_crowds_past_one_block_are_removed_as_one_pair_at_a_time(crowd, spread, agnostic):
    """1,300 boxes around few or many objects: what one block keeps removes boxes of the next."""
    random = np.random.default_rng(crowd)
    count = 1300
    assert count > 2 * nms.BLOCK
    centre = random.uniform(0, 1000, (crowd, 2))[random.integers(0, crowd, count)] + random.normal(
        0, spread, (count, 2)
    )
    size = random.uniform(20, 120, (count, 2))
    score = np.sort(np.round(random.uniform(0.011, 1, count), 2))[::-1]
    boxes = boxes_of(
        np.concatenate((centre - size / 2, centre + size / 2), axis=1), score, random.integers(0, 3, count)
    )
    found = assert_as_one_pair_at_a_time(boxes, 0.01, 0.45, agnostic)
    assert 3 <= len(found) < count


def test_that_one_box_copied_five_thousand_times_leaves_one():
    boxes = boxes_of(np.tile([10, 10, 50, 90], (5000, 1)), np.full(5000, 0.5))
    assert suppress(boxes, 0.25, 0.45).index.tolist() == [0]


def test_that_a_long_row_each_overlapping_the_next_keeps_every_second():
    left = np.arange(600) * 4.0
    boxes = boxes_of(np.stack((left, left * 0, left + 10, left * 0 + 10), axis=1), np.linspace(0.9, 0.3, 600))
    found = assert_as_one_pair_at_a_time(boxes, 0.25, 0.4)
    assert found == list(range(0, 600, 2))


def test_that_one_box_of_absurd_size_costs_no_other():
    ordinary = [[0, 0, 10, 10], [1, 1, 10, 10], [100, 100, 120, 130]]
    boxes = boxes_of([*ordinary, [-3e38, -3e38, 3e38, 3e38]], [0.9, 0.8, 0.7, 0.6], [5, 5, 5, 79])
    assert suppress(boxes, 0.25, 0.45).index.tolist() == [0, 2, 3]


def test_that_the_confidence_is_compared_as_scores_are_kept():
    boxes = boxes_of([[0, 0, 1, 1], [5, 5, 6, 6]], [0.31, 0.3])
    assert suppress(boxes, 0.3, 0.45).index.tolist() == [0]


def test_that_final_boxes_only_pass_the_threshold():
    boxes = boxes_of([[0, 0, 9, 9]] * 3, [0.9, 0.5, 0.2], final=True)
    detections = suppress(boxes, 0.25, 0.45)
    assert detections.index.tolist() == [0, 1]
    assert detections.boxes is boxes


def test_that_boxes_out_of_order_come_by_falling_score():
    boxes = boxes_of([[0, 0, 1, 1], [5, 5, 6, 6], [9, 9, 10, 10]], [0.4, 0.9, 0.4])
    assert suppress(boxes, 0.25, 0.45).index.tolist() == [1, 0, 2]


def test_that_no_box_gives_no_detection():
    assert len(suppress(boxes_of([], []), 0.25, 0.45)) == 0


def test_that_iou_equals_one_pair_at_a_time():
    random = np.random.default_rng(0)
    corners = random.uniform(-50, 800, (140, 4)).astype(np.float32)
    corners[:100, 2:] = corners[:100, :2] + random.uniform(0, 300, (100, 2)).astype(np.float32)
    first, second = corners[:70], corners[30:]
    expected = [[scalar_nms.iou(a.tolist(), b.tolist()) for b in second] for a in first]
    found = iou_matrix(first, second)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=0)


def test_that_equal_boxes_have_an_iou_of_exactly_one():
    random = np.random.default_rng(1)
    corners = random.uniform(0, 4000, (3000, 2)).astype(np.float32)
    boxes = np.concatenate(
        (corners, corners + random.uniform(1e-2, 3000, (3000, 2)).astype(np.float32)), axis=1
    )
    for start in range(0, 3000, 500):
        block = boxes[start : start + 500]
        assert (np.diag(iou_matrix(block, block)) == 1).all()
    assert iou_matrix(boxes, boxes[:7]).max() <= 1


def test_that_boxes_of_no_area_have_no_iou():
    boxes = np.array([[5, 5, 5, 9], [5, 5, 5, 5], [9, 9, 3, 3], [0, 0, 20, 20]], np.float32)
    assert iou_matrix(boxes[:3], boxes).tolist() == [[0] * 4] * 3


def test_that_iou_of_many_boxes_equals_that_of_few_at_a_time():
    random = np.random.default_rng(2)
    boxes = np.sort(random.uniform(0, 100, (700, 2, 2)), axis=1).reshape(-1, 4).astype(np.float32)
    found = iou_matrix(boxes, boxes)
    np.testing.assert_array_equal(found[650:], iou_matrix(boxes[650:], boxes))
    assert iou_matrix(boxes[:0], boxes).shape == (0, 700)
    assert iou_matrix(boxes, boxes[:0]).shape == (700, 0)
