"""What an ONNX file says about itself, and what is said of one that is damaged or unfit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from tests import model_zoo as zoo
from tests.models.onnx_models import CELLS, PICTURE, declared, open_sized_dfl, with_external_data
from trtviewer.errors import BadInput
from trtviewer.models.load import load_spec
from trtviewer.models.onnx_file import read_onnx
from trtviewer.models.sidecar import Sidecar, SidecarInput
from trtviewer.models.spec import Family, Origin, Precision

DFL = {"output0": [1, 84, CELLS]}


def refused(path: Path, sidecar: Sidecar | None = None) -> str:
    with pytest.raises(BadInput) as caught:
        load_spec(path, sidecar)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message


def test_that_the_real_model_is_understood_whole(real_data: Path) -> None:
    spec = load_spec(real_data / "yolov4-tiny.onnx")
    assert (spec.family, spec.precision, len(spec.classes)) == (Family.YOLO_ANCHOR, Precision.FP32, 80)
    assert spec.input is not None
    assert (spec.input.name, spec.input.size, spec.input.layout) == ("images", (416, 416), "nchw")
    assert [(head.output, head.stride, head.shape, head.scale_xy) for head in spec.heads] == [
        ("conv29", 32, (1, 255, 13, 13), 1.05),
        ("conv36", 16, (1, 255, 26, 26), 1.05),
    ]
    assert spec.origins["input.size"] is Origin.MODEL
    assert spec.origins["head.conv36.stride"] is Origin.SIDECAR


def test_that_ultralytics_metadata_gives_the_class_names(tmp_path: Path) -> None:
    names = ["traffic light", "don't walk", 'a "sign"']
    spec = load_spec(zoo.tiny_yolo_dfl(tmp_path / "m.onnx", metadata=zoo.ultralytics_metadata(names)))
    assert spec.classes == tuple(names)
    assert spec.origins["classes"] is Origin.METADATA


def test_that_a_sidecar_wins_over_metadata(tmp_path: Path) -> None:
    path = zoo.tiny_yolo_dfl(tmp_path / "m.onnx", metadata=zoo.ultralytics_metadata(["a", "b", "c"]))
    (tmp_path / "m.toml").write_text('classes = ["x", "y", "z"]\n')
    spec = load_spec(path)
    assert spec.classes == ("x", "y", "z")
    assert spec.origins["classes"] is Origin.SIDECAR


@pytest.mark.parametrize("names", ["{0: 'a', 2: 'c'}", "__import__('os')", "[1, 2]", "{", ""])
def test_that_names_in_no_known_form_count_as_not_said(tmp_path: Path, names: str) -> None:
    spec = load_spec(declared(tmp_path / "m.onnx", DFL, metadata={"names": names}))
    assert spec.origins["classes"] is Origin.DEFAULT


def test_that_open_sizes_are_fixed_by_the_sidecar_and_shapes_follow(tmp_path: Path) -> None:
    path = zoo.tiny_yolo_anchor(tmp_path / "m.onnx", size=(96, 160), dynamic=True)
    spec = load_spec(path)
    assert spec.input is not None
    assert (spec.input.size, spec.origins["input.size"]) == ((96, 160), Origin.SIDECAR)
    assert [head.shape for head in spec.heads] == [(1, 24, 12, 20), (1, 24, 6, 10), (1, 24, 3, 5)]
    assert [head.stride for head in spec.heads] == [8, 16, 32]


def test_that_shapes_follow_an_open_size_without_any_stride_said(tmp_path: Path) -> None:
    path = zoo.tiny_yolo_anchor(tmp_path / "m.onnx", size=(64, 96), dynamic=True)
    text = (tmp_path / "m.toml").read_text()
    (tmp_path / "m.toml").write_text(
        "\n".join(line for line in text.splitlines() if not line.startswith("stride"))
    )
    assert [head.stride for head in load_spec(path).heads] == [8, 16, 32]


def test_that_open_sizes_are_fixed_by_metadata(tmp_path: Path) -> None:
    metadata = zoo.ultralytics_metadata(zoo.class_names(3), (64, 96))
    path = zoo.tiny_yolo_anchor(tmp_path / "m.onnx", dynamic=True, sidecar=False, metadata=metadata)
    zoo.write_anchor_sidecar(path, (8, 16, 32), zoo.class_names(3))
    spec = load_spec(path)
    assert spec.input is not None
    assert (spec.input.size, spec.origins["input.size"]) == ((64, 96), Origin.METADATA)
    assert [head.shape[2:] for head in spec.heads] == [(8, 12), (4, 6), (2, 3)]


@pytest.mark.parametrize(("size", "cells"), [((64, 64), 84), ((384, 640), 5040)])
def test_that_shapes_follow_through_a_grid_that_the_graph_makes(
    tmp_path: Path, size: tuple[int, int], cells: int
) -> None:
    spec = load_spec(open_sized_dfl(tmp_path / "m.onnx"), Sidecar(input=SidecarInput(size=size)))
    assert (spec.family, spec.heads[0].shape) == (Family.YOLO_DFL, (1, 7, cells))


def test_that_an_open_size_that_nobody_says_is_asked_for(tmp_path: Path) -> None:
    path = declared(tmp_path / "m.onnx", DFL, {"images": [1, 3, "height", "width"]})
    assert "size = [height, width] under [input] in m.toml" in refused(path)


def test_that_a_size_that_contradicts_the_model_is_refused(tmp_path: Path) -> None:
    sidecar = Sidecar(input=SidecarInput(size=(640, 640)))
    assert "cannot be 640 x 640" in refused(declared(tmp_path / "m.onnx", DFL), sidecar)


def test_that_metadata_of_another_size_gives_way_to_a_fixed_model(tmp_path: Path) -> None:
    metadata = zoo.ultralytics_metadata([str(index) for index in range(80)], (640, 640))
    spec = load_spec(declared(tmp_path / "m.onnx", DFL, metadata=metadata))
    assert spec.input is not None
    assert (spec.input.size, spec.origins["input.size"]) == ((416, 416), Origin.MODEL)


def test_that_an_open_batch_is_one(tmp_path: Path) -> None:
    spec = load_spec(declared(tmp_path / "m.onnx", DFL, {"images": ["batch", 3, 416, 416]}))
    assert spec.heads[0].shape == (1, 84, CELLS)


def test_that_a_channels_last_input_is_seen(tmp_path: Path) -> None:
    spec = load_spec(declared(tmp_path / "m.onnx", DFL, {"images": [1, 416, 416, 3]}))
    assert spec.input is not None
    assert (spec.input.layout, spec.input.size) == ("nhwc", (416, 416))


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [(TensorProto.FLOAT, "float32"), (TensorProto.FLOAT16, "float16"), (TensorProto.UINT8, "uint8")],
)
def test_that_the_inputs_type_is_the_models(tmp_path: Path, kind: int, dtype: str) -> None:
    spec = load_spec(declared(tmp_path / "m.onnx", DFL, input_type=kind))
    assert spec.input is not None
    assert spec.input.dtype == dtype


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({}, "has no input"),
        ({**PICTURE, "image_shape": [1, 2]}, "has 2 inputs (images [1, 3, 416, 416], image_shape [1, 2])"),
        ({"tokens": [1, 128]}, "tokens [1, 128] is not a picture"),
        ({"grey": [1, 1, 416, 416]}, "grey [1, 1, 416, 416] is not a picture"),
        ({"images": [8, 3, 416, 416]}, "takes a batch of 8"),
    ],
)
def test_that_an_unfit_input_is_named(tmp_path: Path, inputs: dict[str, list[int]], said: str) -> None:
    assert said in refused(declared(tmp_path / "m.onnx", DFL, inputs))


def test_that_an_input_of_another_type_is_named(tmp_path: Path) -> None:
    assert "is int64" in refused(declared(tmp_path / "m.onnx", DFL, input_type=TensorProto.INT64))


def test_that_weights_listed_as_inputs_are_not_inputs(tmp_path: Path) -> None:
    model = onnx.load(declared(tmp_path / "m.onnx", DFL))
    weights = model.graph.initializer[0]
    model.graph.input.append(
        onnx.helper.make_tensor_value_info(weights.name, weights.data_type, weights.dims)
    )
    onnx.save(model, tmp_path / "m.onnx")
    assert [item.name for item in read_onnx(tmp_path / "m.onnx").inputs] == ["images"]


def test_that_precision_is_seen_from_weights_and_from_qdq(tmp_path: Path) -> None:
    fp32 = zoo.tiny_yolo_dfl(tmp_path / "fp32.onnx")
    assert load_spec(fp32).precision is Precision.FP32
    assert load_spec(zoo.quantized_twin(fp32, tmp_path / "int8.onnx")).precision is Precision.INT8
    assert load_spec(declared(tmp_path / "fp16.onnx", DFL, weights=np.float16)).precision is Precision.FP16


@pytest.mark.parametrize("kept", [1, 50, 0.3, 0.9, 0.999])
def test_that_a_truncated_model_is_said(tmp_path: Path, kept: float) -> None:
    data = zoo.tiny_yolo_dfl(tmp_path / "whole.onnx").read_bytes()
    path = tmp_path / "m.onnx"
    path.write_bytes(data[: int(kept if kept >= 1 else kept * len(data))])
    assert "is not an ONNX model" in refused(path)


@pytest.mark.parametrize(
    "content",
    [
        b"<html>not found</html>",
        b"version https://git-lfs.github.com/spec/v1\n",
        b"\0" * 999,
        np.random.default_rng(0).bytes(4000),
    ],
)
def test_that_what_is_no_onnx_is_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    assert "is not an ONNX model" in refused(path)


def test_that_an_empty_and_a_missing_file_are_said(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").touch()
    assert "is empty" in refused(tmp_path / "m.onnx")
    assert "does not exist" in refused(tmp_path / "none.onnx")


def test_that_external_weights_are_not_needed_to_understand_but_must_be_there(tmp_path: Path) -> None:
    path = with_external_data(zoo.tiny_yolo_dfl(tmp_path / "whole.onnx"), tmp_path / "m.onnx")
    assert load_spec(path).family is Family.YOLO_DFL
    data = (tmp_path / "weights.bin").read_bytes()
    (tmp_path / "weights.bin").write_bytes(data[:100])
    assert 'external data "weights.bin" is cut short: 100 bytes' in refused(path)
    (tmp_path / "weights.bin").unlink()
    assert 'external data "weights.bin" is missing' in refused(path)


@pytest.mark.parametrize("location", ["../weights.bin", "/etc/passwd", "a/../../weights.bin", ""])
def test_that_external_weights_outside_the_models_folder_are_refused(tmp_path: Path, location: str) -> None:
    path = with_external_data(zoo.tiny_yolo_dfl(tmp_path / "whole.onnx"), tmp_path / "m.onnx")
    model = onnx.load(path, load_external_data=False)
    for tensor in model.graph.initializer:
        for item in tensor.external_data:
            if item.key == "location":
                item.value = location
    onnx.save(model, path)
    assert "outside of its folder" in refused(path)


def test_that_no_damaged_byte_gives_anything_but_one_clear_line(tmp_path: Path) -> None:
    data = zoo.tiny_yolo_anchor(tmp_path / "whole.onnx", dynamic=True).read_bytes()
    random = np.random.default_rng(0)
    path = tmp_path / "m.onnx"
    (tmp_path / "m.toml").write_text((tmp_path / "whole.toml").read_text())
    for _ in range(300):
        damaged = bytearray(data)
        for _ in range(random.integers(1, 6)):
            damaged[-1 - random.integers(0, 1500)] = random.integers(0, 256)
        path.write_bytes(damaged)
        try:
            load_spec(path)
        except BadInput as error:
            assert "\n" not in str(error)
