"""Maps by scale, canonical heads and cells: where each value of a head goes, one value at a time."""

from __future__ import annotations

import numpy as np
import pytest

from tests.detect.heads import ANCHORS, CELLS, PLACEMENT, SIZE, flat_rows, logits, model
from tests.oracles.scalar_decoders import places
from trtviewer.detect.families import (
    canonical,
    cell_box,
    cell_channels,
    cell_of,
    channels_of,
    decode,
    scale_maps,
)
from trtviewer.models.spec import Family, HeadSpec

LAYOUTS = {
    "nchw": lambda split: split.reshape(1, -1, *split.shape[3:]),
    "nhwc": lambda split: split.transpose(0, 3, 4, 1, 2).reshape(1, *split.shape[3:], -1),
    "nhwac": lambda split: split.transpose(0, 3, 4, 1, 2),
    "nahwc": lambda split: split.transpose(0, 1, 3, 4, 2),
}


@pytest.mark.parametrize("layout", list(LAYOUTS))
def test_that_an_anchor_head_of_any_layout_becomes_one_map_with_channels_first(layout):
    nchw = logits((1, 3 * 7, 6, 4), 2)
    array = np.ascontiguousarray(LAYOUTS[layout](nchw.reshape(1, 3, 7, 6, 4)))
    spec = model(Family.YOLO_ANCHOR, 2, HeadSpec("conv36", array.shape, layout, 16, ANCHORS[16]))
    (scale,) = scale_maps(spec, {"conv36": array})
    np.testing.assert_array_equal(scale.values, nchw[0])
    np.testing.assert_array_equal(canonical(spec, "conv36", array), nchw[0])
    assert (scale.name, scale.output, scale.stride) == ("conv36", "conv36", 16)
    assert scale.channels == channels_of(spec, "conv36")
    assert np.shares_memory(scale.values, array) == (layout != "nahwc")
    assert not scale.values.flags.writeable
    assert array.flags.writeable  # a view was frozen, not the caller's array


def test_that_channels_are_named_by_anchor_group_and_class():
    spec = model(Family.YOLO_ANCHOR, 2, HeadSpec("o", (1, 14, 3, 2), "nchw", 32, ANCHORS[32][:2]))
    (scale,) = scale_maps(spec, {"o": np.zeros((1, 14, 3, 2), np.float32)})
    names = ["x", "y", "width", "height", "objectness", "class 0", "class 1"]
    assert [(channel.index, channel.anchor, channel.name) for channel in scale.channels] == [
        (anchor * 7 + index, anchor, name) for anchor in range(2) for index, name in enumerate(names)
    ]
    assert [channel.group for channel in scale.channels[:7]] == [*["box"] * 4, "objectness", *["class"] * 2]


@pytest.mark.parametrize(
    ("family", "layout", "width", "anchors"),
    [
        (Family.YOLO_DFL, "ncp", 6, 1),
        (Family.YOLO_DFL, "npc", 6, 1),
        (Family.YOLOX, "npc", 7, 1),
        (Family.YOLO_FLAT, "npc", 7, 3),
    ],
)
def test_that_a_flat_head_becomes_a_map_a_stride(family, layout, width, anchors):
    rows = flat_rows(anchors * CELLS, width, 3)
    array = np.ascontiguousarray(rows.T[None] if layout == "ncp" else rows[None])
    spec = model(family, 2, HeadSpec("output0", array.shape, layout))
    maps = scale_maps(spec, {"output0": array})
    assert [(scale.name, scale.stride) for scale in maps] == [
        ("output0/8", 8), ("output0/16", 16), ("output0/32", 32),
    ]  # fmt: skip
    assert [scale.values.shape for scale in maps] == [
        (anchors * width, 12, 8), (anchors * width, 6, 4), (anchors * width, 3, 2),
    ]  # fmt: skip
    np.testing.assert_array_equal(canonical(spec, "output0", array), rows.T)
    assert len(channels_of(spec, "output0")) == width
    if anchors == 1:
        assert all(np.shares_memory(scale.values, array) for scale in maps)
    # Every position: the cell that it is, its place in the picture, and its values in the map.
    for position, (stride, row, column) in enumerate(places(SIZE, (8, 16, 32), anchors)):
        cell = cell_of(spec, 0, position)
        scale = maps[cell.scale_map]
        assert (scale.stride, cell.row, cell.column) == (stride, row, column)
        held = scale.values[cell.anchor * width : (cell.anchor + 1) * width, row, column]
        np.testing.assert_array_equal(held, rows[position])
    with pytest.raises(IndexError):
        cell_of(spec, 0, len(rows))


def test_that_a_box_leads_to_its_cell_and_to_what_the_network_said_there():
    heads = {f"out{stride}": logits((1, 21, 96 // stride, 64 // stride), stride) for stride in (32, 16)}
    spec = model(
        Family.YOLO_ANCHOR,
        2,
        *(
            HeadSpec(f"out{stride}", heads[f"out{stride}"].shape, "nchw", stride, ANCHORS[stride])
            for stride in (32, 16)
        ),
    )
    boxes = decode(spec, heads, PLACEMENT)
    maps = scale_maps(spec, heads)
    assert set(boxes.head.tolist()) == {0, 1}
    for head in (0, 1):
        mine = boxes.head == head
        vectors = cell_channels(spec, heads, head, boxes.position[mine])
        assert vectors.shape == (mine.sum(), 7)
        for vector, position, class_id in zip(
            vectors, boxes.position[mine], boxes.class_id[mine], strict=True
        ):
            cell = cell_of(spec, head, int(position))
            assert cell.scale_map == head
            held = maps[head].values[cell.anchor * 7 : cell.anchor * 7 + 7, cell.row, cell.column]
            np.testing.assert_array_equal(vector, held)
            assert vector[5:].argmax() == class_id


def test_that_the_same_positions_read_a_head_of_another_layout():
    nchw = logits((1, 21, 6, 4), 9)
    nhwc = np.ascontiguousarray(nchw.transpose(0, 2, 3, 1))
    one = model(Family.YOLO_ANCHOR, 2, HeadSpec("a", nchw.shape, "nchw", 16, ANCHORS[16]))
    other = model(Family.YOLO_ANCHOR, 2, HeadSpec("b", nhwc.shape, "nhwc", 16, ANCHORS[16]))
    positions = decode(one, {"a": nchw}, PLACEMENT).position
    np.testing.assert_array_equal(
        cell_channels(one, {"a": nchw}, 0, positions), cell_channels(other, {"b": nhwc}, 0, positions)
    )


def test_that_cells_of_the_second_head_are_counted_behind_those_of_the_first():
    shapes = {"p": (1, CELLS, 7), "q": (1, CELLS, 7)}
    spec = model(Family.YOLOX, 2, *(HeadSpec(name, shape, "npc") for name, shape in shapes.items()))
    maps = scale_maps(spec, {name: np.zeros(shape, np.float32) for name, shape in shapes.items()})
    cell = cell_of(spec, 1, 96 + 5)
    assert maps[cell.scale_map].name == "q/16"
    assert (cell.anchor, cell.row, cell.column) == (0, 1, 1)


def test_that_positions_that_fit_no_strides_are_one_map_with_no_grid():
    rows = flat_rows(50, 6, 1)
    spec = model(Family.YOLO_DFL, 2, HeadSpec("o", (1, 50, 6), "npc"))
    (scale,) = scale_maps(spec, {"o": rows[None]})
    assert (scale.name, scale.stride, scale.values.shape) == ("o", None, (6, 1, 50))
    assert set(decode(spec, {"o": rows[None]}, PLACEMENT).stride.tolist()) == {0}
    assert cell_of(spec, 0, 17) == (0, 0, 0, 17)


def test_that_recordings_that_name_no_picture_have_no_grid():
    spec = model(Family.YOLO_DFL, 2, HeadSpec("o", (1, CELLS, 6), "npc"), size=None)
    assert scale_maps(spec, {"o": flat_rows(CELLS, 6, 1)[None]})[0].stride is None


def test_that_end_to_end_outputs_are_maps_with_no_grid():
    four = {"num": (1, 1), "boxes": (1, 5, 4), "scores": (1, 5), "classes": (1, 5)}
    for shapes in ({"output0": (1, 5, 6)}, four):
        spec = model(Family.END2END, 2, *(HeadSpec(name, shape, "") for name, shape in shapes.items()))
        heads = {
            name: np.arange(np.prod(shape), dtype=np.float32).reshape(shape) for name, shape in shapes.items()
        }
        for scale in scale_maps(spec, heads):
            assert scale.stride is None
            assert scale.channels == channels_of(spec, scale.output)
            assert scale.values.shape[1] == 1
            assert scale.values.size == heads[scale.output].size
            np.testing.assert_array_equal(
                scale.values[:, 0], canonical(spec, scale.output, heads[scale.output])
            )
    single = model(Family.END2END, 2, HeadSpec("output0", (1, 5, 6), ""))
    rows = np.arange(30, dtype=np.float32).reshape(1, 5, 6)
    np.testing.assert_array_equal(cell_channels(single, {"output0": rows}, 0, np.array([3])), rows[0, 3:4])
    assert cell_of(single, 0, 3) == (0, 0, 0, 3)


@pytest.mark.parametrize(
    ("shape", "layout", "expected"),
    [
        ((1, 5, 3, 2), "nchw", (5, 3, 2)),
        ((1, 3, 2, 5), "nhwc", (5, 3, 2)),
        ((1, 5, 40), "ncp", (5, 40)),
        ((1, 40, 5), "npc", (5, 40)),
        ((1, 40), "", (1, 40)),
        ((40,), "", (1, 40)),
        ((1, 3, 6, 4, 2), "", (3, 48)),
    ],
)
def test_that_outputs_of_no_family_still_have_channels_first(shape, layout, expected):
    array = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    spec = model(Family.NONE, 0, HeadSpec("o", shape, layout, stride=8))
    found = canonical(spec, "o", array)
    assert found.shape == expected
    assert len(channels_of(spec, "o")) == expected[0]
    assert {channel.group for channel in channels_of(spec, "o")} == {"other"}
    (scale,) = scale_maps(spec, {"o": array})
    np.testing.assert_array_equal(scale.values.reshape(expected), found)
    place = found[0].size - 1
    np.testing.assert_array_equal(
        cell_channels(spec, {"o": array}, 0, np.array([place]))[0], found.reshape(len(found), -1)[:, place]
    )
    cell = cell_of(spec, 0, place)
    np.testing.assert_array_equal(
        scale.values[:, cell.row, cell.column], found.reshape(len(found), -1)[:, place]
    )


def test_that_a_cell_is_its_square_of_the_input():
    assert cell_box(16, 2, 3) == (48, 32, 64, 48)
