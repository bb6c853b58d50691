"""Two models correspond, or every difference is told at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests import model_zoo as zoo
from trtviewer.errors import BadInput
from trtviewer.models.correspond import correspond
from trtviewer.models.load import load_spec
from trtviewer.models.spec import Family, HeadSpec, InputSpec, ModelSpec, Resize

INPUT = InputSpec("images", (416, 416))
MAPS = (
    HeadSpec("conv29", (1, 24, 13, 13), "nchw", 32, ((1.0, 2.0),)),
    HeadSpec("conv36", (1, 24, 26, 26), "nchw", 16, ((1.0, 2.0),)),
)


def model(
    heads: Sequence[HeadSpec] = MAPS,
    *,
    family: Family = Family.YOLO_ANCHOR,
    given: InputSpec | None = INPUT,
    classes: int = 3,
    path: str = "a.onnx",
) -> ModelSpec:
    return ModelSpec(Path(path), family, tuple(zoo.class_names(classes)), given, tuple(heads))


def differences(reference: ModelSpec, candidate: ModelSpec) -> str:
    with pytest.raises(BadInput) as caught:
        correspond(reference, candidate)
    message = str(caught.value)
    assert "\n" not in message
    assert str(reference.path) in message
    assert str(candidate.path) in message
    return message


def test_that_a_model_and_its_quantized_twin_correspond_by_name(tmp_path: Path) -> None:
    reference = zoo.tiny_yolo_anchor(tmp_path / "m.onnx")
    candidate = zoo.quantized_twin(reference, tmp_path / "int8.onnx")
    found = correspond(load_spec(reference), load_spec(candidate))
    assert found.pairs == (("head8", "head8"), ("head16", "head16"), ("head32", "head32"))
    assert found.outputs_reason == ""


def test_that_names_win_and_order_is_the_references() -> None:
    assert correspond(model(), model(MAPS[::-1])).pairs == (("conv29", "conv29"), ("conv36", "conv36"))


@pytest.mark.parametrize(
    ("layout", "shapes"),
    [
        ("nhwc", [(1, 26, 26, 24), (1, 13, 13, 24)]),
        ("nhwac", [(1, 26, 26, 3, 8), (1, 13, 13, 3, 8)]),
        ("nahwc", [(1, 3, 26, 26, 8), (1, 3, 13, 13, 8)]),
    ],
)
def test_that_other_names_pair_by_shape_and_stride_in_any_layout(
    layout: str, shapes: list[tuple[int, ...]]
) -> None:
    other = [
        HeadSpec(f"Identity_{index}:0", shape, layout, stride)
        for index, (shape, stride) in enumerate(zip(shapes, (16, 32), strict=True))
    ]
    found = correspond(model(), model(other))
    assert found.pairs == (("conv29", "Identity_1:0"), ("conv36", "Identity_0:0"))


def test_that_a_transposed_head_pairs_with_the_plain_one(tmp_path: Path) -> None:
    metadata = zoo.ultralytics_metadata(zoo.class_names(3))
    plain = load_spec(zoo.tiny_yolo_dfl(tmp_path / "a.onnx", metadata=metadata))
    turned = load_spec(zoo.tiny_yolo_dfl(tmp_path / "b.onnx", transposed=True, metadata=metadata))
    assert correspond(plain, turned).pairs == (("output0", "output0"),)


def test_that_every_difference_of_the_inputs_is_told_in_one_line() -> None:
    other = InputSpec(
        "x",
        (640, 640),
        colour="bgr",
        pixel_scale=1.0,
        mean=(1.0, 2.0, 3.0),
        std=(0.5, 1.0, 1.0),
        resize=Resize.LETTERBOX_TOPLEFT,
        pad=0,
    )
    message = differences(model(), model(given=other, classes=4))
    for said in (
        "input size 416x416 against 640x640",
        "resize letterbox against letterbox-topleft",
        "pad 114 against 0",
        "colour rgb against bgr",
        "pixel scale 0.00392156863 against 1",
        "mean [0, 0, 0] against [1, 2, 3]",
        "std [1, 1, 1] against [0.5, 1, 1]",
        "3 classes against 4",
    ):
        assert said in message


def test_that_type_and_layout_of_the_input_may_differ() -> None:
    other = replace(INPUT, name="x", dtype="float16", layout="nhwc")
    assert len(correspond(model(), model(given=other)).pairs) == 2


def test_that_the_pad_of_a_stretched_picture_does_not_matter() -> None:
    stretched = replace(INPUT, resize=Resize.STRETCH)
    assert correspond(model(given=stretched), model(given=replace(stretched, pad=0))).pairs


def test_that_outputs_without_a_partner_are_told_with_both_lists() -> None:
    message = differences(model(), model([MAPS[0], HeadSpec("conv99", (1, 24, 52, 52), "nchw", 8)]))
    for said in (
        "conv36 [1, 24, 26, 26]",
        "conv99 [1, 24, 52, 52]",
        "no partner for conv36 of the reference and no partner for conv99",
    ):
        assert said in message


def test_that_an_output_too_many_is_told() -> None:
    assert "no partner for conv36 of the candidate" in differences(model(MAPS[:1]), model())


def test_that_of_two_alike_none_is_guessed() -> None:
    alike = [HeadSpec(name, (1, 24, 13, 13), "nchw") for name in ("a", "b")]
    others = [replace(head, output=head.output.upper()) for head in alike]
    assert "no partner for a, b" in differences(
        model(alike, family=Family.NONE), model(others, family=Family.NONE)
    )
    half_named = [alike[0], others[1]]
    found = correspond(model(alike, family=Family.NONE), model(half_named, family=Family.NONE))
    assert found.pairs == (("a", "a"), ("b", "B"))


@pytest.mark.parametrize("turned", [False, True])
def test_that_raw_heads_against_boxes_compare_by_detections_only(tmp_path: Path, turned: bool) -> None:
    raw = load_spec(zoo.tiny_yolo_dfl(tmp_path / "a.onnx", classes=80))
    boxes = load_spec(zoo.tiny_end2end(tmp_path / "b.onnx", classes=80))
    found = correspond(boxes, raw) if turned else correspond(raw, boxes)
    assert found.pairs == ()
    assert "boxes after NMS" in found.outputs_reason
    assert "raw heads" in found.outputs_reason


def test_that_two_end2end_models_pair_where_their_outputs_are_alike(tmp_path: Path) -> None:
    one = load_spec(zoo.tiny_end2end(tmp_path / "a.onnx"))
    other = load_spec(zoo.tiny_end2end(tmp_path / "b.onnx", seed=1))
    four = load_spec(zoo.tiny_end2end(tmp_path / "c.onnx", efficient_nms=True))
    assert correspond(one, other).pairs == (("output0", "output0"),)
    assert correspond(one, four).pairs == ()
    assert correspond(one, four).outputs_reason


def test_that_decoded_and_undecoded_yolox_compare_by_detections_only(tmp_path: Path) -> None:
    raw = load_spec(zoo.tiny_yolox(tmp_path / "a.onnx"))
    decoded = replace(raw, heads=(replace(raw.heads[0], decoded=True),))
    assert correspond(raw, decoded).pairs == ()
    assert "decoded" in correspond(raw, decoded).outputs_reason


def test_that_a_recording_without_a_family_pairs_its_tensors_only() -> None:
    recorded = ModelSpec(
        Path("dump"),
        Family.NONE,
        (),
        None,
        (HeadSpec("a", (1, 13, 13, 24), "nhwc"), HeadSpec("b", (1, 26, 26, 24), "nhwc")),
    )
    assert correspond(model(), recorded).pairs == (("conv29", "a"), ("conv36", "b"))
    assert correspond(recorded, model()).pairs == (("a", "conv29"), ("b", "conv36"))
