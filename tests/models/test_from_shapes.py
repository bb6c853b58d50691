"""What a model is, found from metadata, sidecar or shapes; never guessed where two readings fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import model_zoo as zoo
from tests.models.onnx_models import CELLS, declared
from trtviewer.errors import BadInput
from trtviewer.models.load import AmbiguousModel, load_spec
from trtviewer.models.sidecar import Sidecar, SidecarHead, SidecarInput
from trtviewer.models.spec import Family, Origin, Resize

V3 = {"large": [1, 255, 13, 13], "medium": [1, 255, 26, 26], "small": [1, 255, 52, 52]}
TINY = {"large": [1, 255, 13, 13], "medium": [1, 255, 26, 26]}
ANCHORS = ((10.0, 13.0), (16.0, 30.0), (33.0, 23.0))


def heads(**layouts: str | None) -> Sidecar:
    return Sidecar(
        heads=tuple(SidecarHead(name, anchors=ANCHORS, layout=layout) for name, layout in layouts.items())
    )


@pytest.mark.parametrize(
    ("shape", "family", "layout", "classes"),
    [
        ([1, 3 * CELLS, 85], Family.YOLO_FLAT, "npc", 80),
        ([1, 3 * CELLS, 6], Family.YOLO_FLAT, "npc", 1),
        ([1, 84, CELLS], Family.YOLO_DFL, "ncp", 80),
        ([1, 5, CELLS], Family.YOLO_DFL, "ncp", 1),
        ([1, CELLS, 84], Family.YOLO_DFL, "npc", 80),
        ([1, CELLS, 5], Family.YOLO_DFL, "npc", 1),
        ([1, CELLS, 85], Family.YOLOX, "npc", 80),
        ([1, 300, 6], Family.END2END, "", 80),
        ([1, 100, 6], Family.END2END, "", 80),
    ],
)
def test_that_a_single_output_tells_its_family(
    tmp_path: Path, shape: list[int], family: Family, layout: str, classes: int
) -> None:
    spec = load_spec(declared(tmp_path / "m.onnx", {"output0": shape}))
    assert spec.family is family
    assert spec.origins["family"] is Origin.SHAPES
    (head,) = spec.heads
    assert (head.output, list(head.shape), head.layout, head.stride) == ("output0", shape, layout, None)
    assert len(spec.classes) == classes
    assert spec.origins["classes"] is Origin.DEFAULT
    assert spec.classes[0] == ("person" if classes == 80 else "class 0")


@pytest.mark.parametrize(("size", "cells"), [((640, 640), 8400), ((384, 640), 5040), ((736, 1280), 19320)])
def test_that_the_number_of_cells_follows_the_input(
    tmp_path: Path, size: tuple[int, int], cells: int
) -> None:
    inputs = {"images": [1, 3, *size]}
    assert load_spec(declared(tmp_path / "a.onnx", {"o": [1, 84, cells]}, inputs)).family is Family.YOLO_DFL
    assert (
        load_spec(declared(tmp_path / "b.onnx", {"o": [1, 3 * cells, 85]}, inputs)).family is Family.YOLO_FLAT
    )


@pytest.mark.parametrize(("names", "family"), [(6, Family.YOLOX), (7, Family.YOLO_DFL)])
def test_that_a_known_class_count_tells_yolox_from_a_transposed_dfl(
    tmp_path: Path, names: int, family: Family
) -> None:
    metadata = zoo.ultralytics_metadata(zoo.class_names(names))
    spec = load_spec(declared(tmp_path / "m.onnx", {"output": [1, CELLS, 11]}, metadata=metadata))
    assert spec.family is family
    assert spec.classes == tuple(zoo.class_names(names))
    assert spec.origins["classes"] is Origin.METADATA


def test_that_without_a_class_count_both_readings_are_told(tmp_path: Path) -> None:
    with pytest.raises(AmbiguousModel) as caught:
        load_spec(declared(tmp_path / "m.onnx", {"output": [1, CELLS, 11]}))
    assert caught.value.readings == ("yolo-dfl with 7 classes", "yolox with 6 classes")
    assert "m.toml" in str(caught.value)
    assert all(reading in str(caught.value) for reading in caught.value.readings)


def test_that_a_class_count_that_fits_neither_reading_is_refused_with_all_numbers(tmp_path: Path) -> None:
    sidecar = Sidecar(classes=tuple(zoo.class_names(20)))
    with pytest.raises(BadInput, match=r"6 classes as yolox or 7 as yolo-dfl, but 20 are named"):
        load_spec(declared(tmp_path / "m.onnx", {"output": [1, CELLS, 11]}), sidecar)


@pytest.mark.parametrize("shape", [[1, 3 * CELLS, 85], [1, 84, CELLS]])
def test_that_names_that_contradict_the_head_are_refused_with_both_numbers(
    tmp_path: Path, shape: list[int]
) -> None:
    sidecar = Sidecar(classes=("a", "b"))
    with pytest.raises(BadInput, match="its heads have 80 classes, but 2 are named"):
        load_spec(declared(tmp_path / "m.onnx", {"o": shape}), sidecar)


def test_that_the_four_outputs_of_efficient_nms_are_end2end(tmp_path: Path) -> None:
    outputs = {"num": [1, 1], "boxes": [1, 100, 4], "scores": [1, 100], "classes": [1, 100]}
    spec = load_spec(declared(tmp_path / "m.onnx", outputs))
    assert spec.family is Family.END2END
    assert [head.output for head in spec.heads] == list(outputs)


def test_that_metadata_that_says_end2end_wins_over_the_shape(tmp_path: Path) -> None:
    metadata = zoo.ultralytics_metadata(["a"], 416, end2end=True)
    spec = load_spec(declared(tmp_path / "m.onnx", {"o": [1, 3 * CELLS, 6]}, metadata=metadata))
    assert (spec.family, spec.origins["family"]) == (Family.END2END, Origin.METADATA)


def test_that_raw_maps_beside_decoded_boxes_are_left_aside(tmp_path: Path) -> None:
    outputs = {
        "output0": [1, 3 * CELLS, 85],
        "a": [1, 3, 52, 52, 85],
        "b": [1, 3, 26, 26, 85],
        "c": [1, 3, 13, 13, 85],
    }
    spec = load_spec(declared(tmp_path / "m.onnx", outputs))
    assert spec.family is Family.YOLO_FLAT
    assert [head.output for head in spec.heads] == ["output0"]


@pytest.mark.parametrize(
    ("outputs", "names"), [(V3, ("YOLOv3", "YOLOv5")), (TINY, ("YOLOv3-tiny", "YOLOv4-tiny"))]
)
def test_that_raw_maps_without_anchors_are_refused_with_their_readings(
    tmp_path: Path, outputs: dict[str, list[int]], names: tuple[str, ...]
) -> None:
    with pytest.raises(AmbiguousModel) as caught:
        load_spec(declared(tmp_path / "m.onnx", outputs))
    assert len(caught.value.readings) >= 2
    assert all(any(name in reading for reading in caught.value.readings) for name in names)
    assert all(reading in str(caught.value) for reading in caught.value.readings)


@pytest.mark.parametrize(
    ("layout", "shape"),
    [
        ("nchw", [1, 255, 13, 26]),
        ("nhwc", [1, 13, 26, 255]),
        ("nhwac", [1, 13, 26, 3, 85]),
        ("nahwc", [1, 3, 13, 26, 85]),
    ],
)
def test_that_layout_and_stride_of_a_raw_map_are_seen_from_its_shape(
    tmp_path: Path, layout: str, shape: list[int]
) -> None:
    spec = load_spec(declared(tmp_path / "m.onnx", {"map": shape}, {"x": [1, 3, 416, 832]}), heads(map=None))
    (head,) = spec.heads
    assert (spec.family, head.layout, head.stride, head.box) == (Family.YOLO_ANCHOR, layout, 32, "exp")
    assert list(head.shape) == shape
    assert len(spec.classes) == 80
    assert spec.origins["head.map.stride"] is Origin.SHAPES
    assert spec.origins["head.map.anchors"] is Origin.SIDECAR
    assert spec.origins["head.map.box"] is Origin.DEFAULT


def test_that_a_stride_that_contradicts_the_map_is_refused(tmp_path: Path) -> None:
    sidecar = Sidecar(heads=(SidecarHead("map", 16, anchors=ANCHORS),))
    with pytest.raises(BadInput, match=r"map \[1, 255, 13, 13\] is not stride 16 at 416 x 416"):
        load_spec(declared(tmp_path / "m.onnx", {"map": [1, 255, 13, 13]}), sidecar)


def test_that_a_class_count_that_contradicts_raw_maps_is_refused_with_both_numbers(tmp_path: Path) -> None:
    sidecar = Sidecar(classes=tuple(zoo.class_names(20)), heads=heads(large=None, medium=None).heads)
    with pytest.raises(BadInput, match="its heads have 80 classes, but 20 are named"):
        load_spec(declared(tmp_path / "m.onnx", TINY), sidecar)


def test_that_anchors_that_do_not_divide_the_channels_are_refused(tmp_path: Path) -> None:
    sidecar = Sidecar(heads=(SidecarHead("map", anchors=ANCHORS[:2]),))
    with pytest.raises(BadInput, match="255 channels, which is no multiple of 5 \\+ classes for 2 anchors"):
        load_spec(declared(tmp_path / "m.onnx", {"map": [1, 255, 13, 13]}), sidecar)


def test_that_heads_of_different_class_counts_are_refused(tmp_path: Path) -> None:
    outputs = {"large": [1, 255, 13, 13], "medium": [1, 24, 26, 26]}
    with pytest.raises(BadInput, match="large 80, medium 3"):
        load_spec(declared(tmp_path / "m.onnx", outputs), heads(large=None, medium=None))


def test_that_an_output_that_is_not_there_is_named_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r'no output "lage" \(nearest: "large"\)'):
        load_spec(declared(tmp_path / "m.onnx", TINY), heads(lage=None))


def test_that_a_head_without_anchors_beside_one_with_them_is_named(tmp_path: Path) -> None:
    sidecar = Sidecar(heads=(SidecarHead("large", anchors=ANCHORS), SidecarHead("medium")))
    with pytest.raises(BadInput, match="the anchors of medium are not given"):
        load_spec(declared(tmp_path / "m.onnx", TINY), sidecar)


def test_that_heads_come_in_the_models_order_and_others_are_left_aside(tmp_path: Path) -> None:
    outputs = {"small": [1, 255, 52, 52], "feature": [1, 64, 7, 7], "large": [1, 255, 13, 13]}
    spec = load_spec(declared(tmp_path / "m.onnx", outputs), heads(large=None, small=None))
    assert [(head.output, head.stride) for head in spec.heads] == [("small", 8), ("large", 32)]


@pytest.mark.parametrize(
    ("outputs", "metadata", "said"),
    [
        ({"output0": [1, 116, CELLS], "output1": [1, 32, 104, 104]}, {}, "segmentation"),
        ({"output0": [1, 56, CELLS]}, {"task": "pose"}, "pose"),
        ({"output0": [1, 84, CELLS]}, {"task": "obb"}, "rotated-box"),
        ({"output0": [1, 1000]}, {}, "classification"),
    ],
)
def test_that_networks_that_do_more_or_less_than_boxes_are_refused(
    tmp_path: Path, outputs: dict[str, list[int]], metadata: dict[str, str], said: str
) -> None:
    with pytest.raises(BadInput, match=f"is a {said} network"):
        load_spec(declared(tmp_path / "m.onnx", outputs, metadata=metadata))


@pytest.mark.parametrize(
    "outputs", [{"o": [1, 84, 8400]}, {"logits": [1, 300, 91], "boxes": [1, 300, 4]}, {"o": [1, 5, 6, 7]}]
)
def test_that_unknown_outputs_are_listed_with_what_to_say(
    tmp_path: Path, outputs: dict[str, list[int]]
) -> None:
    with pytest.raises(BadInput) as caught:
        load_spec(declared(tmp_path / "m.onnx", outputs))
    assert all(name in str(caught.value) for name in outputs)
    assert "m.toml" in str(caught.value)


@pytest.mark.parametrize("family", [Family.YOLO_FLAT, Family.YOLOX, Family.END2END, Family.YOLO_DFL])
def test_that_a_family_that_the_outputs_contradict_is_refused(tmp_path: Path, family: Family) -> None:
    with pytest.raises(BadInput, match=f"is {family}"):
        load_spec(declared(tmp_path / "m.onnx", {"o": [1, 777, 17]}), Sidecar(family=family))


def test_that_yolox_is_taken_as_it_is_trained_unless_the_sidecar_says_otherwise(tmp_path: Path) -> None:
    path = declared(tmp_path / "m.onnx", {"output": [1, CELLS, 85]})
    spec = load_spec(path)
    assert spec.input is not None
    assert (spec.input.colour, spec.input.pixel_scale, spec.input.resize) == (
        "bgr",
        1.0,
        Resize.LETTERBOX_TOPLEFT,
    )
    assert not spec.heads[0].decoded
    sidecar = Sidecar(
        input=SidecarInput(colour="rgb", pixel_scale=0.5, resize=Resize.STRETCH),
        heads=(SidecarHead("output", decoded=True),),
    )
    told = load_spec(path, sidecar)
    assert told.input is not None
    assert (told.input.colour, told.input.pixel_scale, told.input.resize) == ("rgb", 0.5, Resize.STRETCH)
    assert told.heads[0].decoded
    assert told.origins["head.output.decoded"] is Origin.SIDECAR


def test_that_every_value_says_where_it_is_from(tmp_path: Path) -> None:
    for path in (
        zoo.tiny_yolo_anchor(tmp_path / "anchor.onnx"),
        zoo.tiny_yolo_flat(tmp_path / "flat.onnx"),
        zoo.tiny_yolo_dfl(tmp_path / "dfl.onnx"),
        zoo.tiny_yolox(tmp_path / "yolox.onnx"),
        zoo.tiny_end2end(tmp_path / "end.onnx"),
        zoo.tiny_end2end(tmp_path / "nms.onnx", efficient_nms=True),
    ):
        spec = load_spec(path)
        named = {name for name in spec.origins if name.startswith("input.")}
        assert named == {f"input.{name}" for name in type(spec.input).__slots__}
        assert {"family", "classes", "precision"} <= set(spec.origins)
        for head in spec.heads:
            assert f"head.{head.output}.shape" in spec.origins
