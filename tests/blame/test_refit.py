"""The re-fit of thresholds, on frames whose candidate was changed in a known way."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.compare.made import boxes_of, kept_frame, random_boxes
from trtviewer.blame.refit import FEWEST_OBJECTS, Refit, Threshold, ThresholdTable, halves, refit
from trtviewer.compare.kept import KeptFrame
from trtviewer.compare.settings import CompareSettings
from trtviewer.detect.boxes import CandidateBoxes
from trtviewer.detect.nms import suppress

SETTINGS = CompareSettings(confidence=0.4)
NAMES = ("person", "car", "dog")


def objects(rng: np.random.Generator, count: int) -> CandidateBoxes:
    """Objects far from each other, most of them sure ones, of three classes at two strides."""
    place = rng.permutation(100)[:count]
    corner = np.stack((place % 10 * 40.0, place // 10 * 40.0), axis=1)
    score = np.sort(
        np.where(rng.random(count) < 0.6, rng.uniform(0.5, 1, count), rng.uniform(0.02, 0.3, count))
    )
    return boxes_of(
        np.concatenate((corner, corner + 20), axis=1),
        score[::-1],
        rng.integers(0, 3, count),
        rng.choice([8, 16], count),
    )


def rescored(boxes: CandidateBoxes, factor: np.ndarray | float) -> CandidateBoxes:
    score = boxes.score * factor
    order = np.argsort(-score, kind="stable")
    order = order[score[order] > 0.01]
    return boxes_of(boxes.xyxy[order], score[order], boxes.class_id[order], boxes.stride[order])


def weak_far_cars(boxes: CandidateBoxes) -> np.ndarray:
    """The candidate gives cars at stride 8 half their score; most fall below the threshold."""
    return np.where((boxes.class_id == 1) & (boxes.stride == 8), 0.5, 1.0)


def video(factor: Callable[[CandidateBoxes], np.ndarray], frames: int = 80) -> list[KeptFrame]:
    rng = np.random.default_rng(3)
    made = [objects(rng, 24) for _ in range(frames)]
    return [kept_frame(index, boxes, rescored(boxes, factor(boxes))) for index, boxes in enumerate(made)]


@pytest.fixture(scope="module")
def weak() -> Refit:
    return refit(video(weak_far_cars), SETTINGS, NAMES)


def test_that_the_threshold_of_a_weakened_class_and_stride_moves_along_and_no_other(weak: Refit) -> None:
    (row,) = weak.table.rows
    assert (row.class_id, row.stride) == (1, 8)
    # Sure cars now score 0.25 to 0.5, unsure ones at most 0.15.
    assert 0.15 <= row.confidence <= 0.25
    assert weak.table.confidence == 0.4


def test_that_all_comes_back_on_the_frames_that_were_not_fitted_to(weak: Refit) -> None:
    assert weak.before.frames + weak.fitted_before.frames == 80
    assert weak.before.counts.missed > 50
    assert weak.after.counts.missed == 0
    assert weak.after.counts.extra == weak.before.counts.extra


def test_that_an_equal_candidate_keeps_its_thresholds() -> None:
    found = refit(video(lambda boxes: np.ones(len(boxes))), SETTINGS, NAMES)
    assert found.table == ThresholdTable(0.4)
    assert found.after.counts == found.before.counts


def test_that_the_fitted_frames_never_agree_less() -> None:
    for seed in range(2):
        rng = np.random.default_rng(seed)
        frames = []
        for index in range(20):
            boxes, factor = random_boxes(rng, 30), rng.uniform(0.3, 1.3, 30)
            frames.append(kept_frame(index, boxes, rescored(boxes, factor)))
        found = refit(frames, SETTINGS, NAMES)
        after, before = found.fitted_after.counts.agreement_f1, found.fitted_before.counts.agreement_f1
        assert after is not None and before is not None
        assert after >= before


def test_that_too_few_objects_are_left_alone() -> None:
    rng = np.random.default_rng(0)
    frames = []
    for index in range(40):
        few = index < FEWEST_OBJECTS - 1
        boxes = boxes_of([[0, 0, 20, 20]] * few, [0.8] * few, [1] * few)
        frames.append(kept_frame(index, boxes, rescored(boxes, 0.3)))
    rng.shuffle(frames)
    assert refit(frames, SETTINGS, NAMES).table.rows == ()


def test_that_a_table_without_rows_is_the_plain_threshold() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        boxes = random_boxes(rng, 60)
        expected = suppress(boxes, 0.4, SETTINGS.nms_iou)
        found = ThresholdTable(0.4).detections(boxes, SETTINGS)
        assert found.boxes is boxes
        np.testing.assert_array_equal(found.index, expected.index)


def test_that_a_box_is_judged_by_its_own_class_and_stride_before_nms() -> None:
    # The box of stride 16 would remove the one of stride 8, were it not below its own threshold.
    boxes = boxes_of([[0, 0, 20, 20], [1, 0, 21, 20]], [0.5, 0.45], [0, 0], [16, 8])
    table = ThresholdTable(0.4, (Threshold(0, 16, 0.6),))
    assert table.detections(boxes, SETTINGS).index.tolist() == [1]
    assert ThresholdTable(0.4).detections(boxes, SETTINGS).index.tolist() == [0]


@pytest.mark.parametrize("count", [0, 1, 7, 20, 95])
def test_that_the_halves_are_runs_of_frames_and_together_all_of_them(count: int) -> None:
    empty = boxes_of([], [])
    frames = [kept_frame(index, empty, empty) for index in range(count)]
    first, second = halves(frames)
    indices = sorted(frame.frame_index for frame in [*first, *second])
    assert indices == list(range(count))
    assert abs(len(first) - len(second)) <= max(1, -(-count // 20))


def test_that_no_frames_give_no_thresholds() -> None:
    found = refit([], SETTINGS, NAMES)
    assert found.table.rows == ()
    assert found.after.frames == 0


def test_that_the_table_is_written_for_others_to_read(weak: Refit, tmp_path: Path) -> None:
    weak.table.write(tmp_path / "thresholds.csv", NAMES)
    rows = list(csv.DictReader((tmp_path / "thresholds.csv").read_text().splitlines()))
    assert [row["class"] for row in rows] == ["", "car"]
    assert [row["stride"] for row in rows] == ["", "8"]
    assert float(rows[0]["confidence"]) == 0.4
    assert float(rows[1]["confidence"]) == pytest.approx(weak.table.rows[0].confidence, rel=1e-3)
