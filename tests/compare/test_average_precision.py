"""AP equals pycocotools' own, whatever the frames: crowds, ties, empty frames, objects to be ignored, too many boxes."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from tests.oracles.coco_evaluation import Labelled, coco_evaluation
from trtviewer.compare.average_precision import AveragePrecision, PrecisionTotals
from trtviewer.compare.true_objects import TrueObjects
from trtviewer.compare.truth_files import open_labels
from trtviewer.compare.truth_totals import clipped
from trtviewer.detect.boxes import SCORE_FLOOR
from trtviewer.detect.families import decode
from trtviewer.detect.nms import suppress
from trtviewer.models.load import load_spec
from trtviewer.preprocess import Preprocessor
from trtviewer.runners.choose import open_runner
from trtviewer.sources.address import open_source

CLASSES = 4


def random_frame(rng: np.random.Generator, *, coarse: bool, boxes: int = 25) -> Labelled:
    """Objects of all sizes, detections near them and elsewhere; `coarse` ones lie on a grid and have few scores."""
    objects = int(rng.integers(0, 12))
    side = np.exp(rng.uniform(np.log(6), np.log(220), (objects, 2)))
    corner = rng.uniform(0, 300, (objects, 2))
    true_class = rng.integers(0, CLASSES, objects).astype(np.int32)
    near = rng.integers(0, max(objects, 1), boxes) if objects else np.zeros(0, np.int64)
    spread = rng.choice([0.02, 0.1, 0.3], len(near))[:, None]
    found = np.concatenate((corner, corner + side), axis=1)[near]
    found = found + rng.normal(0, 1, found.shape) * spread * np.tile(side[near], 2)
    stray = rng.uniform(0, 300, (int(rng.integers(0, 8)), 2))
    found = np.concatenate((found, np.concatenate((stray, stray + rng.uniform(5, 120, stray.shape)), axis=1)))
    truth = np.concatenate((corner, corner + side), axis=1)
    score = rng.uniform(0.01, 1, len(found))
    if coarse:
        truth, found, score = np.round(truth / 16) * 16, np.round(found / 16) * 16, np.round(score, 1)
    found[:, 2:] = np.maximum(found[:, 2:], found[:, :2] + 1)
    truth[:, 2:] = np.maximum(truth[:, 2:], truth[:, :2] + 1)
    class_id = np.concatenate((true_class[near], rng.integers(0, CLASSES, len(stray)))).astype(np.int32)
    order = np.argsort(-score.astype(np.float32), kind="stable")
    sides = truth[:, 2:] - truth[:, :2]
    return Labelled(
        found[order],
        score.astype(np.float32)[order],
        class_id[order],
        truth,
        true_class,
        sides[:, 0] * sides[:, 1] * rng.choice([1.0, 0.6], objects),
        rng.random(objects) < 0.1,
        rng.random(objects) < 0.1,
    )


def totals_of(frames: list[Labelled]) -> PrecisionTotals:
    totals = PrecisionTotals(CLASSES)
    for frame in frames:
        truth = TrueObjects(frame.true_xyxy, frame.true_class, frame.true_area, frame.ignore, frame.crowd)
        totals.update(frame.xyxy, frame.score, frame.class_id, truth)
    return totals


def assert_equal(ours: AveragePrecision, frames: list[Labelled]) -> None:
    theirs = coco_evaluation(frames, CLASSES)
    figures = [ours.ap50_95, ours.ap50, ours.ap75, *ours.by_size.values()]
    figures = [-1.0 if figure is None else figure for figure in figures]
    np.testing.assert_allclose(figures, theirs.stats[:6], rtol=0, atol=1e-9)
    for class_id in range(CLASSES):
        of_class = theirs.of_class(class_id)
        if of_class[0] < 0:
            assert class_id not in ours.by_class
        else:
            _, ap50, ap50_95 = ours.by_class[class_id]
            assert ap50 == pytest.approx(of_class[0], abs=1e-9)
            assert ap50_95 == pytest.approx(of_class.mean(), abs=1e-9)


@pytest.mark.parametrize("seed", range(12))
def test_that_ap_is_that_of_pycocotools(seed: int) -> None:
    rng = np.random.default_rng(seed)
    frames = [
        random_frame(rng, coarse=seed % 2 == 1, boxes=int(rng.integers(1, 40)))
        for _ in range(int(rng.integers(1, 12)))
    ]
    assert_equal(totals_of(frames).result(), frames)


def test_that_only_the_best_hundred_of_a_class_count() -> None:
    rng = np.random.default_rng(7)
    frames = [random_frame(rng, coarse=False, boxes=900) for _ in range(2)]
    assert max(np.bincount(frames[0].class_id)) > 100
    assert_equal(totals_of(frames).result(), frames)


def test_that_merged_totals_are_those_of_all_frames() -> None:
    rng = np.random.default_rng(11)
    frames = [random_frame(rng, coarse=True) for _ in range(9)]
    first, second = totals_of(frames[:4]), totals_of(frames[4:])
    first.merge(second)
    assert_equal(first.result(), frames)
    assert first.frames == 9


def test_that_without_objects_there_is_no_ap() -> None:
    nothing = PrecisionTotals(CLASSES).result()
    assert (nothing.ap50, nothing.ap50_95, dict(nothing.by_class)) == (None, None, {})
    assert dict(nothing.by_size) == {"small": None, "medium": None, "large": None}


def test_that_a_side_that_finds_nothing_has_zero() -> None:
    frame = random_frame(np.random.default_rng(3), coarse=False)
    truth = TrueObjects(frame.true_xyxy, frame.true_class, frame.true_area, frame.ignore, frame.crowd)
    totals = PrecisionTotals(CLASSES)
    totals.update(np.zeros((0, 4)), np.zeros(0, np.float32), np.zeros(0, np.int32), truth)
    assert totals.result().ap50 == 0.0


@pytest.mark.real
def test_that_ap_of_the_real_model_on_a_scene_is_that_of_pycocotools(real_data: Path) -> None:
    spec = load_spec(real_data / "yolov4-tiny.onnx")
    assert spec.input is not None
    preprocessor = Preprocessor(spec.input)
    totals = PrecisionTotals(len(spec.classes))
    frames = []
    with ExitStack() as stack:
        scene = stack.enter_context(open_source("scene:street?frames=400&size=768x432"))
        runner = stack.enter_context(open_runner(spec, threads=1))
        labels = stack.enter_context(open_labels("scene", scene, spec.classes))
        for index in range(0, 400, 50):
            frame = scene.read(index)
            prepared = preprocessor.prepare(frame.picture)
            boxes = decode(spec, runner.run(prepared.tensor, index).heads, prepared.placement)
            found = suppress(boxes, SCORE_FLOOR, 0.45)
            xyxy, truth = clipped(found.xyxy, frame.size), labels.objects(frame)
            totals.update(xyxy, found.score, found.class_id, truth)
            of_truth = (truth.xyxy, truth.class_id, truth.area, truth.crowd, truth.ignore)
            frames.append(Labelled(xyxy, found.score, found.class_id, *of_truth))
    ours = totals.result()
    theirs = coco_evaluation(frames, len(spec.classes))
    assert ours.ap50 is not None
    assert ours.ap50 > 0.05
    figures = [ours.ap50_95, ours.ap50, ours.ap75, *ours.by_size.values()]
    np.testing.assert_allclose(
        [-1.0 if figure is None else figure for figure in figures], theirs.stats[:6], rtol=0, atol=1e-9
    )
