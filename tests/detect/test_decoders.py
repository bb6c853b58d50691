"""Every family against a decoder that takes one value at a time, in float64."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.detect.heads import ANCHORS, CELLS, PLACEMENT, SIZE, WAY, flat_rows, logits, model
from tests.oracles import scalar_decoders
from tests.oracles.scalar_decoders import assert_equal_boxes
from trtviewer.detect.decoded import sigmoid
from trtviewer.detect.families import decode
from trtviewer.errors import BadInput, ShapeMismatch
from trtviewer.models.spec import Family, HeadSpec


def in_layout(nchw: np.ndarray, anchors: int, layout: str) -> np.ndarray:
    """A [1, A*K, H, W] head in another layout of the design."""
    _, channels, rows, columns = nchw.shape
    split = nchw.reshape(1, anchors, channels // anchors, rows, columns)
    return np.ascontiguousarray(
        {
            "nchw": nchw,
            "nhwc": nchw.transpose(0, 2, 3, 1),
            "nhwac": split.transpose(0, 3, 4, 1, 2),
            "nahwc": split.transpose(0, 1, 3, 4, 2),
        }[layout]
    )


def anchor_model(kind: str, layout: str, count: int, seed: int, scale_xy: float = 1.0):
    """A three-headed model, its heads, and what the oracle needs of them; coarsest head first, as darknet's."""
    specs, heads, told = [], {}, []
    for stride in (32, 16, 8):
        shape = (1, 3 * (5 + count), SIZE[0] // stride, SIZE[1] // stride)
        array = in_layout(logits(shape, seed + stride), 3, layout)
        name = f"out{stride}"
        specs.append(HeadSpec(name, array.shape, layout, stride, ANCHORS[stride], kind, scale_xy))
        heads[name] = array
        told.append((array, layout, stride, ANCHORS[stride], count, kind, scale_xy))
    return model(Family.YOLO_ANCHOR, count, *specs), heads, told


@pytest.mark.parametrize("layout", ["nchw", "nhwc", "nhwac", "nahwc"])
@pytest.mark.parametrize(("kind", "scale_xy"), [("exp", 1.0), ("exp", 1.05), ("square", 1.0)])
def test_that_raw_anchor_maps_decode_as_one_value_at_a_time(layout, kind, scale_xy):
    spec, heads, told = anchor_model(kind, layout, 7, seed=3, scale_xy=scale_xy)
    boxes = decode(spec, heads, PLACEMENT)
    expected = scalar_decoders.yolo_anchor(told, WAY)
    assert len(boxes) > 100
    assert_equal_boxes(boxes, expected)


def test_that_a_single_class_and_a_single_anchor_decode():
    array = logits((1, 6, 6, 4), 1)
    spec = model(Family.YOLO_ANCHOR, 1, HeadSpec("out", array.shape, "nchw", 16, ((30, 61),)))
    told = [(array, "nchw", 16, ((30, 61),), 1, "exp", 1.0)]
    assert_equal_boxes(decode(spec, {"out": array}, PLACEMENT), scalar_decoders.yolo_anchor(told, WAY))


@pytest.mark.parametrize("layout", ["ncp", "npc"])
@pytest.mark.parametrize("count", [1, 80])
def test_that_yolo_dfl_decodes_as_one_value_at_a_time(layout, count):
    rows = flat_rows(CELLS, 4 + count, count)
    array = np.ascontiguousarray((rows.T if layout == "ncp" else rows)[None])
    spec = model(Family.YOLO_DFL, count, HeadSpec("output0", array.shape, layout))
    expected = scalar_decoders.flat(rows, WAY, SIZE, count, objectness=False, anchors=1)
    boxes = decode(spec, {"output0": array}, PLACEMENT)
    assert len(boxes) > 20
    assert_equal_boxes(boxes, expected)


def test_that_mask_coefficients_behind_the_classes_are_no_classes():
    rows = flat_rows(CELLS, 4 + 3 + 32, 5)
    spec = model(Family.YOLO_DFL, 3, HeadSpec("output0", (1, 39, CELLS), "ncp"))
    expected = scalar_decoders.flat(rows, WAY, SIZE, 3, objectness=False, anchors=1)
    assert_equal_boxes(decode(spec, {"output0": rows.T[None]}, PLACEMENT), expected)


@pytest.mark.parametrize("count", [1, 80])
def test_that_yolo_flat_decodes_as_one_value_at_a_time(count):
    rows = flat_rows(3 * CELLS, 5 + count, count)
    spec = model(Family.YOLO_FLAT, count, HeadSpec("output0", (1, *rows.shape), "npc"))
    expected = scalar_decoders.flat(rows, WAY, SIZE, count, objectness=True, anchors=3)
    boxes = decode(spec, {"output0": rows[None]}, PLACEMENT)
    assert len(boxes) > 20
    assert_equal_boxes(boxes, expected)


@pytest.mark.parametrize("decoded", [False, True])
def test_that_yolox_decodes_as_one_value_at_a_time(decoded):
    rows = flat_rows(CELLS, 5 + 9, 4, undecoded=not decoded)
    spec = model(Family.YOLOX, 9, HeadSpec("output", (1, *rows.shape), "npc", decoded=decoded))
    expected = scalar_decoders.flat(rows, WAY, SIZE, 9, objectness=True, anchors=1, undecoded=not decoded)
    boxes = decode(spec, {"output": rows[None]}, PLACEMENT)
    assert len(boxes) > 20
    assert_equal_boxes(boxes, expected)


def test_that_a_fourth_stride_is_seen_from_the_number_of_positions():
    strides, size = (8, 16, 32, 64), (128, 192)
    count = sum(size[0] // stride * (size[1] // stride) for stride in strides)
    rows = flat_rows(count, 5 + 2, 6, undecoded=True)
    spec = model(Family.YOLOX, 2, HeadSpec("output", (1, *rows.shape), "npc"), size=size)
    expected = scalar_decoders.flat(
        rows, WAY, size, 2, objectness=True, anchors=1, undecoded=True, strides=strides
    )
    assert_equal_boxes(decode(spec, {"output": rows[None]}, PLACEMENT), expected)


def test_that_end_to_end_rows_are_taken_as_they_are():
    rows = np.array(
        [
            [10, 20, 30, 40, 0.5, 1],
            [1, 2, 3, 4, 0.01, 0],  # not above the floor
            [5, 6, 50, 60, 0.9, 2],
            [0, 0, 0, 0, 0, -1],
            [0, 0, 9, 9, 0.8, -1],  # padding
        ],
        np.float32,
    )
    spec = model(Family.END2END, 3, HeadSpec("output0", (1, 5, 6), ""))
    boxes = decode(spec, {"output0": rows[None]}, PLACEMENT)
    assert boxes.final
    assert boxes.position.tolist() == [2, 0]
    assert boxes.class_id.tolist() == [2, 1]
    assert boxes.stride.tolist() == [0, 0]
    expected = [[(5 + 1.25) / 0.5, (6 - 3) / 0.53, (50 + 1.25) / 0.5, (60 - 3) / 0.53]]
    np.testing.assert_allclose(boxes.xyxy[:1], expected, rtol=1e-6)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2)])
def test_that_the_four_outputs_of_efficient_nms_are_told_apart_in_any_order(order):
    outputs = [
        ("num_dets", np.array([[2]], np.float32)),
        ("det_boxes", np.array([[[0, 0, 8, 8], [4, 4, 9, 9], [7, 7, 8, 8]]], np.float32)),
        ("det_scores", np.array([[0.75, 0.5, 0.99]], np.float32)),
        ("det_classes", np.array([[1, 0, 1]], np.float32)),
    ]
    specs = [HeadSpec(outputs[index][0], outputs[index][1].shape, "") for index in order]
    boxes = decode(model(Family.END2END, 2, *specs), dict(outputs), PLACEMENT)
    assert boxes.position.tolist() == [0, 1]  # the third is past the count
    assert boxes.score.tolist() == [0.75, 0.5]
    assert boxes.class_id.tolist() == [1, 0]
    assert set(boxes.head.tolist()) == {order.index(1)}


def test_that_efficient_nms_with_one_box_goes_by_names():
    specs = [
        HeadSpec("num", (1, 1), ""),
        HeadSpec("boxes", (1, 1, 4), ""),
        HeadSpec("labels", (1, 1), ""),
        HeadSpec("s", (1, 1), ""),
    ]
    heads = {
        "num": np.ones((1, 1), np.float32),
        "boxes": np.array([[[1, 2, 3, 4]]], np.float32),
        "labels": np.array([[1]], np.float32),
        "s": np.array([[0.5]], np.float32),
    }
    boxes = decode(model(Family.END2END, 2, *specs), heads, PLACEMENT)
    assert (boxes.score.tolist(), boxes.class_id.tolist()) == ([0.5], [1])


def test_that_boxes_come_by_falling_score_then_position_then_head():
    first = np.full((1, 6, 2, 2), 2, np.float32)
    first[0, 4, 1, 1] = 3
    spec = model(
        Family.YOLO_ANCHOR,
        1,
        HeadSpec("a", (1, 6, 2, 2), "nchw", 32, ((9, 9),)),
        HeadSpec("b", (1, 6, 2, 2), "nchw", 16, ((9, 9),)),
    )
    boxes = decode(spec, {"a": first, "b": np.full((1, 6, 2, 2), 2, np.float32)}, PLACEMENT)
    assert list(zip(boxes.position, boxes.head, strict=True)) == [
        (3, 0), (0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1), (3, 1),
    ]  # fmt: skip


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("channel", range(6))
def test_that_a_box_of_logits_that_are_no_numbers_is_dropped_and_spoils_no_other(bad, channel):
    spec, heads, _ = anchor_model("exp", "nchw", 1, seed=8)
    array = heads["out16"]
    array[0, 4:6, 2, 3] = 4.0
    sound = decode(spec, heads, PLACEMENT)
    array[0, channel, 2, 3] = bad
    left = decode(spec, heads, PLACEMENT)
    place = (1, 2 * 4 + 3)
    assert place in set(zip(sound.head, sound.position, strict=True))
    assert place not in set(zip(left.head, left.position, strict=True))
    assert len(left) == len(sound) - 1
    assert np.isfinite(left.xyxy).all()
    assert np.isfinite(left.score).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 3e38])
@pytest.mark.parametrize(
    ("family", "layout", "objectness"),
    [
        (Family.YOLO_DFL, "ncp", 0),
        (Family.YOLO_DFL, "npc", 0),
        (Family.YOLO_FLAT, "npc", 1),
        (Family.YOLOX, "npc", 1),
    ],
)
def test_that_flat_rows_that_are_no_numbers_are_dropped(family, layout, objectness, bad):
    anchors = 3 if family is Family.YOLO_FLAT else 1
    rows = np.full((anchors * CELLS, 4 + objectness + 1), 0.5, np.float32)
    for channel in range(rows.shape[1]):
        rows[10 + channel, channel] = bad
    array = rows.T[None] if layout == "ncp" else rows[None]
    boxes = decode(model(family, 1, HeadSpec("o", array.shape, layout)), {"o": array}, PLACEMENT)
    lost = set(range(len(rows))) - set(boxes.position.tolist())
    assert lost <= set(range(10, 10 + rows.shape[1]))
    assert np.isfinite(boxes.xyxy).all()
    assert np.isfinite(boxes.score).all()
    if not bad > 0 or np.isinf(bad):
        assert lost >= set(range(14, 10 + rows.shape[1]))  # the scores


def test_that_end_to_end_rows_that_are_no_numbers_are_dropped():
    rows = np.tile(np.array([1, 2, 3, 4, 0.5, 0], np.float32), (8, 1))
    for channel in range(6):
        rows[channel, channel] = np.nan
    rows[6, 0] = np.inf
    boxes = decode(model(Family.END2END, 1, HeadSpec("o", (1, 8, 6), "")), {"o": rows[None]}, PLACEMENT)
    assert boxes.position.tolist() == [7]


def test_that_heads_with_nothing_above_the_floor_give_empty_boxes():
    for family, shape, layout in (
        (Family.YOLO_ANCHOR, (1, 21, 6, 4), "nchw"),
        (Family.YOLO_DFL, (1, 6, CELLS), "ncp"),
        (Family.YOLO_FLAT, (1, 3 * CELLS, 7), "npc"),
        (Family.YOLOX, (1, CELLS, 7), "npc"),
        (Family.END2END, (1, 300, 6), ""),
        (Family.END2END, (1, 0, 6), ""),
    ):
        head = HeadSpec("o", shape, layout, 16, ANCHORS[16])
        array = np.full(shape, -20 if family is Family.YOLO_ANCHOR else 0, np.float32)
        boxes = decode(model(family, 2, head), {"o": array}, PLACEMENT)
        assert (len(boxes), boxes.xyxy.shape) == (0, (0, 4))


def test_that_a_higher_floor_gives_the_same_boxes_less_the_lower_ones():
    spec, heads, _ = anchor_model("exp", "nchw", 3, seed=5)
    every, some = decode(spec, heads, PLACEMENT), decode(spec, heads, PLACEMENT, floor=0.4)
    above = every.score > 0.4
    assert 0 < len(some) < len(every)
    np.testing.assert_array_equal(some.xyxy, every.xyxy[above])
    np.testing.assert_array_equal(some.position, every.position[above])


def test_that_the_sigmoid_is_exact_and_never_overflows():
    values = np.concatenate([np.linspace(-110, 110, 2001), [-3e38, 3e38, 0]]).astype(np.float32)
    expected = [scalar_decoders.sigmoid(float(value)) for value in values]
    np.testing.assert_allclose(sigmoid(values), expected, rtol=1e-12)


def test_that_heads_that_contradict_the_classes_are_told_with_both_figures():
    array = np.zeros((1, 255, 3, 2), np.float32)
    head = HeadSpec("conv29", array.shape, "nchw", 32, ANCHORS[32])
    with pytest.raises(ShapeMismatch, match=r"conv29 has 255 channels.*20 classes.*75"):
        decode(model(Family.YOLO_ANCHOR, 20, head), {"conv29": array}, PLACEMENT)
    with pytest.raises(ShapeMismatch, match=r"84 channels.*91 classes.*95"):
        decode(
            model(Family.YOLO_DFL, 91, HeadSpec("o", (1, 84, CELLS), "ncp")),
            {"o": np.zeros((1, 84, CELLS), np.float32)},
            PLACEMENT,
        )


def test_that_what_cannot_be_decoded_says_why():
    head = HeadSpec("o", (1, 126, 7), "npc")
    array = np.zeros((1, 126, 7), np.float32)
    array[0, :, 4:] = 1
    with pytest.raises(BadInput, match="gave no output o; it gave p"):
        decode(model(Family.YOLOX, 2, head), {"p": array}, PLACEMENT)
    with pytest.raises(BadInput, match="no known head family"):
        decode(model(Family.NONE, 2, head), {"o": array}, PLACEMENT)
    with pytest.raises(BadInput, match="no sum of cells"):
        decode(model(Family.YOLOX, 2, head, size=(96, 96)), {"o": array}, PLACEMENT)
    with pytest.raises(BadInput, match="class 7, but has 2 classes"):
        rows = np.array([[[1, 2, 3, 4, 0.5, 7]]], np.float32)
        decode(model(Family.END2END, 2, HeadSpec("o", (1, 1, 6), "")), {"o": rows}, PLACEMENT)
    with pytest.raises(BadInput, match="neither"):
        decode(model(Family.END2END, 2, head), {"o": array}, PLACEMENT)
    with pytest.raises(BadInput, match="no anchors"):
        decode(
            dataclasses.replace(model(Family.YOLO_ANCHOR, 2, HeadSpec("o", (1, 21, 3, 2)))),
            {"o": np.zeros((1, 21, 3, 2), np.float32)},
            PLACEMENT,
        )
