"""Each kind of file goes to its reader; what cannot be read says how to make it readable."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests import model_zoo as zoo
from trtviewer.errors import BadInput
from trtviewer.models.load import is_model, load_spec
from trtviewer.models.sidecar import Sidecar, SidecarInput


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("yolov8n.pt", "format=onnx"),
        ("yolov3.weights", ".cfg"),
        ("model.pb", "tf2onnx"),
        ("model.tflite", "tf2onnx"),
        ("model.uff", "UFF"),
        ("MODEL.PT", "format=onnx"),
    ],
)
def test_that_other_formats_say_how_to_export_them_or_record_their_outputs(
    tmp_path: Path, name: str, cure: str
) -> None:
    (tmp_path / name).write_bytes(b"anything")
    with pytest.raises(BadInput) as caught:
        load_spec(tmp_path / name)
    message = str(caught.value)
    assert "\n" not in message
    assert cure in message
    assert "ONNX" in message
    assert "record its outputs" in message


def test_that_a_saved_model_folder_says_how_to_export_it(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").touch()
    with pytest.raises(BadInput, match=r"tf2onnx\.convert --saved-model"):
        load_spec(tmp_path)


@pytest.mark.parametrize("name", ["notes.txt", "model"])
def test_that_an_unknown_kind_lists_the_known(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(BadInput, match=r"\.engine, \.onnx, \.plan, \.trt, or a folder"):
        load_spec(tmp_path / name)


def test_that_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="does not exist"):
        load_spec(tmp_path / "none.onnx")


def test_that_a_fault_in_the_sidecar_names_the_sidecar(tmp_path: Path) -> None:
    path = zoo.tiny_yolo_dfl(tmp_path / "m.onnx")
    (tmp_path / "m.toml").write_text("famly = 'yolox'")
    with pytest.raises(BadInput, match=r"m\.toml: unknown key \"famly\""):
        load_spec(path)


def test_that_overrides_win_over_the_sidecar(tmp_path: Path) -> None:
    path = zoo.tiny_yolo_anchor(tmp_path / "m.onnx")
    spec = load_spec(path, Sidecar(classes=("x", "y", "z"), input=SidecarInput(colour="bgr")))
    assert spec.classes == ("x", "y", "z")
    assert spec.input is not None
    assert spec.input.colour == "bgr"
    assert len(spec.heads) == 3


def test_that_models_are_told_from_other_things(tmp_path: Path) -> None:
    assert is_model(tmp_path / "a.ONNX")
    assert is_model(tmp_path / "a.engine")
    assert not is_model(tmp_path / "a.mp4")
    assert not is_model(tmp_path)
    np.savez(tmp_path / "0.npz", a=np.zeros(1))
    assert is_model(tmp_path)
