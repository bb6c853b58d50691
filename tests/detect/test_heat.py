"""Heatmaps against plain loops in float64."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trtviewer.detect.families import scale_maps
from trtviewer.detect.heat import HeatChannel, HeatKind, has_logits, heat, heat_rows, read_cell, round_up
from trtviewer.models.spec import Family, HeadSpec, InputSpec, ModelSpec

CLASSES = ("person", "car", "dog")


def anchor_spec(names: tuple[str, ...] = ("fine", "coarse")) -> ModelSpec:
    heads = tuple(
        HeadSpec(name, (1, 24, 64 // stride, 64 // stride), "nchw", stride, ((8, 8), (16, 16), (32, 32)))
        for name, stride in zip(names, (8, 16), strict=True)
    )
    return ModelSpec(Path("tiny.onnx"), Family.YOLO_ANCHOR, CLASSES, InputSpec("images", (64, 64)), heads)


def dfl_spec() -> ModelSpec:
    head = HeadSpec("output0", (1, 7, 84), "ncp")
    return ModelSpec(Path("dfl.onnx"), Family.YOLO_DFL, CLASSES, InputSpec("images", (64, 64)), (head,))


def anchor_heads(spec: ModelSpec, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {head.output: rng.normal(0, 4, head.shape).astype(np.float32) for head in spec.heads}


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def score_by_loops(head: np.ndarray, row: int, column: int, class_id: int | None = None) -> float:
    best = 0.0
    for anchor in range(3):
        values = [float(head[0, anchor * 8 + index, row, column]) for index in range(8)]
        classes = [sigmoid(value) for value in values[5:]]
        best = max(best, sigmoid(values[4]) * (max(classes) if class_id is None else classes[class_id]))
    return best


@pytest.mark.parametrize("class_id", [None, 0, 2])
def test_that_a_score_map_is_objectness_times_class_of_the_best_anchor(class_id: int | None) -> None:
    spec = anchor_spec()
    heads = anchor_heads(spec, 3)
    channel = HeatChannel() if class_id is None else HeatChannel(HeatKind.CLASS, class_id=class_id)
    found = heat(scale_maps(spec, heads)[0], channel, logits=True)
    expected = [
        [score_by_loops(heads["fine"], row, column, class_id) for column in range(8)] for row in range(8)
    ]
    assert found is not None
    np.testing.assert_allclose(found, expected, rtol=2e-6)


def test_that_an_objectness_map_is_the_greatest_of_the_anchors() -> None:
    spec = anchor_spec()
    heads = anchor_heads(spec, 4)
    found = heat(scale_maps(spec, heads)[1], HeatChannel(HeatKind.OBJECTNESS), logits=True)
    expected = [
        [max(sigmoid(float(heads["coarse"][0, a * 8 + 4, r, c])) for a in range(3)) for c in range(4)]
        for r in range(4)
    ]
    assert found is not None
    np.testing.assert_allclose(found, expected, rtol=2e-6)


def test_that_box_and_raw_channels_are_untouched() -> None:
    spec = anchor_spec()
    heads = anchor_heads(spec, 5)
    fine = scale_maps(spec, heads)[0]
    box = heat(fine, HeatChannel(HeatKind.BOX, anchor=2, name="height"), logits=True)
    raw = heat(fine, HeatChannel(HeatKind.RAW, index=9), logits=True)
    np.testing.assert_array_equal(box, heads["fine"][0, 2 * 8 + 3])
    np.testing.assert_array_equal(raw, heads["fine"][0, 9])


def test_that_a_channel_which_a_model_has_not_is_none() -> None:
    spec = dfl_spec()
    maps = scale_maps(spec, {"output0": np.zeros((1, 7, 84), np.float32)})
    assert heat(maps[0], HeatChannel(HeatKind.OBJECTNESS), logits=has_logits(spec)) is None
    assert heat(maps[0], HeatChannel(HeatKind.CLASS, class_id=3), logits=has_logits(spec)) is None
    assert heat(maps[0], HeatChannel(HeatKind.RAW, index=7), logits=has_logits(spec)) is None
    assert heat(maps[0], HeatChannel(HeatKind.BOX, anchor=1, name="x"), logits=has_logits(spec)) is None


def test_that_a_flat_head_gives_one_map_a_stride_with_its_probabilities_as_they_are() -> None:
    spec = dfl_spec()
    values = np.random.default_rng(1).random((1, 7, 84)).astype(np.float32)
    rows = heat_rows(
        (spec, {"output0": values}), (spec, {"output0": values}), (("output0",) * 2,), HeatChannel()
    )
    assert [(row.title, row.grid) for row in rows] == [
        ("small objects", (8, 8)),
        ("medium objects", (4, 4)),
        ("large objects", (2, 2)),
    ]
    np.testing.assert_array_equal(rows[1].reference, values[0, 4:, 64:80].max(axis=0).reshape(4, 4))
    assert not rows[0].difference.any()  # type: ignore[union-attr]


def test_that_rows_pair_outputs_of_other_names_and_take_candidate_minus_reference() -> None:
    reference, candidate = anchor_spec(), anchor_spec(("a", "b"))
    own, other = anchor_heads(reference, 6), anchor_heads(candidate, 7)
    rows = heat_rows((reference, own), (candidate, other), (("fine", "a"), ("coarse", "b")), HeatChannel())
    assert [row.stride for row in rows] == [8, 16]
    expected = score_by_loops(other["b"], 1, 2) - score_by_loops(own["coarse"], 1, 2)
    assert float(rows[1].difference[1, 2]) == pytest.approx(expected, abs=1e-6)  # type: ignore[index]
    assert rows[1].reach >= float(np.abs(rows[1].difference).max())  # type: ignore[arg-type]
    assert rows[0].levels[0] == 0 and rows[0].levels[1] <= 1


def test_that_a_side_without_that_scale_leaves_the_other_side_standing_alone() -> None:
    reference, candidate = anchor_spec(), dfl_spec()
    rows = heat_rows(
        (reference, anchor_heads(reference, 8)),
        (candidate, {"output0": np.zeros((1, 7, 84), np.float32)}),
        (),
        HeatChannel(),
    )
    assert [(row.stride, row.reference is None, row.candidate is None) for row in rows] == [
        (8, False, False),
        (16, False, False),
        (32, True, False),
    ]
    assert rows[2].difference is None and rows[2].reference_place == -1


def test_that_one_scale_alone_is_the_same_as_among_all() -> None:
    spec = anchor_spec()
    sides = ((spec, anchor_heads(spec, 1)), (spec, anchor_heads(spec, 2)))
    every = heat_rows(*sides, (("fine", "fine"), ("coarse", "coarse")), HeatChannel())
    (alone,) = heat_rows(*sides, (("fine", "fine"), ("coarse", "coarse")), HeatChannel(), stride=16)
    assert alone.title == every[1].title == "medium objects"
    assert alone.reference_place == every[1].reference_place == 1
    np.testing.assert_array_equal(alone.difference, every[1].difference)
    assert heat_rows(*sides, (), HeatChannel(), stride=8)[0].title == "small objects"
    assert heat_rows(*sides, (), HeatChannel(), stride=64) == ()


def test_that_nan_and_infinity_do_not_reach_the_scale() -> None:
    spec = anchor_spec()
    own = anchor_heads(spec, 9)
    broken = {name: array.copy() for name, array in own.items()}
    broken["fine"][0, 9, 0, 0], broken["fine"][0, 9, 1, 1] = np.nan, np.inf
    row = heat_rows((spec, own), (spec, broken), (), HeatChannel(HeatKind.RAW, index=9))[0]
    plain = own["fine"][0, 9]
    assert row.levels[0] <= float(plain.min()) and row.levels[1] >= float(plain.max())
    assert math.isfinite(row.reach) and math.isnan(float(row.candidate[0, 0]))  # type: ignore[index]


def test_that_a_cell_reads_the_logits_of_its_best_anchor_on_both_sides() -> None:
    spec = anchor_spec()
    own, other = anchor_heads(spec, 10), anchor_heads(spec, 11)
    row = heat_rows((spec, own), (spec, other), (("fine", "fine"),), HeatChannel())[0]
    reading = read_cell(row, (3, 4), logits=True)
    assert reading is not None
    cell = own["fine"][0, :, 3, 4].reshape(3, 8).astype(float)
    scores = [sigmoid(values[4]) * sigmoid(values[5:].max()) for values in cell]
    anchor = int(np.argmax(scores))
    best = int(cell[anchor, 5:].argmax())
    assert reading.anchor == anchor
    (objectness, first, second), (name, third, fourth) = reading.channels
    assert (objectness, name) == ("objectness", CLASSES[best])
    partner = other["fine"][0, :, 3, 4].reshape(3, 8)
    assert (first, second) == pytest.approx((cell[anchor, 4], float(partner[anchor, 4])))
    assert (third, fourth) == pytest.approx((cell[anchor, 5 + best], float(partner[anchor, 5 + best])))


@given(st.floats(1e-9, 1e9))
def test_that_a_scale_ends_at_the_next_of_one_two_five(value: float) -> None:
    found = round_up(value)
    assert value * (1 - 1e-5) <= found <= value * 2.5 * (1 + 1e-5)
    mantissa = found / 10 ** math.floor(math.log10(found) + 1e-9)
    assert min(abs(mantissa - step) for step in (1, 2, 5, 10)) < 1e-6
