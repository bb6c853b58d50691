"""What an engine's file says before any runtime reads it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import model_zoo as zoo
from trtviewer.errors import BadInput
from trtviewer.models.engine_file import read_engine
from trtviewer.models.load import load_spec
from trtviewer.models.sidecar import write_sidecar
from trtviewer.models.spec import Family, Origin, Precision

PLAN = b"ftrt" + bytes(range(256)) * 4
HEADER = {
    "description": "Ultralytics YOLOv8n model",
    "task": "detect",
    "imgsz": [64, 96],
    "names": {"0": "cat", "1": "dog", "2": "owl"},
    "args": {"half": False, "int8": True},
}


def with_header(path: Path, header: object = HEADER, plan: bytes = PLAN) -> Path:
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(4, "little") + text + plan)
    return path


def test_that_ultralytics_header_is_read_and_the_plan_is_found(tmp_path: Path) -> None:
    file = read_engine(with_header(tmp_path / "m.engine"))
    assert file.metadata == HEADER
    assert file.plan() == PLAN


@pytest.mark.parametrize(
    "content", [PLAN, b"\x10\0\0\0not json at all, but a plan", b"\x05\0\0\0{bad}" + PLAN, b"ab"]
)
def test_that_a_file_without_a_header_is_a_plan_from_its_first_byte(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.plan").write_bytes(content)
    file = read_engine(tmp_path / "m.plan")
    assert (file.metadata, file.plan_offset, file.plan()) == ({}, 0, content)


def test_that_a_file_that_ends_in_its_header_is_cut_short(tmp_path: Path) -> None:
    whole = with_header(tmp_path / "m.engine").read_bytes()
    for length in (30, len(whole) - len(PLAN)):
        (tmp_path / "m.engine").write_bytes(whole[:length])
        with pytest.raises(BadInput, match="cut short"):
            load_spec(tmp_path / "m.engine")


def test_that_an_empty_engine_is_said(tmp_path: Path) -> None:
    (tmp_path / "m.trt").touch()
    with pytest.raises(BadInput, match="is empty"):
        load_spec(tmp_path / "m.trt")


def test_that_the_header_says_classes_size_and_precision(tmp_path: Path) -> None:
    spec = load_spec(with_header(tmp_path / "m.engine"))
    assert spec.classes == ("cat", "dog", "owl")
    assert spec.input is not None
    assert spec.input.size == (64, 96)
    assert spec.precision is Precision.INT8
    assert spec.origins["precision"] is Origin.METADATA
    assert spec.family is Family.YOLO_DFL
    assert spec.heads[0].shape == (1, 7, 126)


def test_that_a_plan_with_neither_header_nor_sidecar_asks_for_one(tmp_path: Path) -> None:
    (tmp_path / "m.engine").write_bytes(PLAN)
    with pytest.raises(BadInput, match=r"write m\.toml beside it"):
        load_spec(tmp_path / "m.engine")


@pytest.mark.parametrize(
    "make",
    [
        lambda path: zoo.tiny_yolo_anchor(path, size=(64, 96), layout="nhwac"),
        lambda path: zoo.tiny_yolo_flat(path, size=(64, 96)),
        lambda path: zoo.tiny_yolo_dfl(path, size=(64, 96)),
        lambda path: zoo.tiny_yolox(path, size=(64, 96), decoded=True),
        lambda path: zoo.tiny_end2end(path),
        lambda path: zoo.tiny_end2end(path, efficient_nms=True),
    ],
)
def test_that_a_complete_sidecar_makes_an_engine_known_as_its_onnx(tmp_path: Path, make) -> None:
    reference = load_spec(make(tmp_path / "m.onnx"))
    (tmp_path / "m.toml").unlink(missing_ok=True)
    write_sidecar(tmp_path / "m.toml", reference)
    (tmp_path / "m.engine").write_bytes(PLAN)
    spec = load_spec(tmp_path / "m.engine")
    assert (spec.family, spec.classes, spec.input) == (reference.family, reference.classes, reference.input)
    assert [head.output for head in spec.heads] == [head.output for head in reference.heads]
    if spec.family is not Family.END2END:
        assert spec.heads == reference.heads
