"""`trtviewer info` tells each value with its origin."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import model_zoo as zoo
from tests.recorded_engine import write_engine
from trtviewer.cli.main import run
from trtviewer.errors import BadInput


def test_that_every_value_is_shown_with_its_origin(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = zoo.tiny_yolo_anchor(tmp_path / "m.onnx", size=(64, 96))
    assert run(["info", str(path)]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    for row in (
        ["family", "yolo-anchor", "sidecar"],
        ["precision", "fp32", "model"],
        ["classes", "3:", "kind0,", "kind1,", "kind2", "sidecar"],
        ["input.size", "64", "x", "96", "(height", "x", "width)", "model"],
        ["input.colour", "rgb", "sidecar"],
        ["input.pixel_scale", "1/255", "default"],
        ["head.head16.stride", "16", "sidecar"],
        ["head.head16.shape", "[1,", "24,", "4,", "6]", "model"],
        ["head.head16.anchors", "20x28,", "32x24,", "30x44", "sidecar"],
    ):
        assert row in rows


@pytest.mark.parametrize(
    "make",
    [zoo.tiny_yolo_anchor, zoo.tiny_yolo_flat, zoo.tiny_yolo_dfl, zoo.tiny_yolox, zoo.tiny_end2end],
)
def test_that_the_json_holds_all_of_it(tmp_path: Path, make) -> None:
    path = make(tmp_path / "m.onnx")
    assert run(["info", str(path), "--json", str(tmp_path / "info.json")]) == 0
    report = json.loads((tmp_path / "info.json").read_text(encoding="utf-8"))
    assert report["schema"] == "trtviewer.info/1"
    assert report["path"] == str(path)
    assert report["input"]["size"] == [64, 64]
    assert report["heads"][0]["shape"][0] == 1
    named = {f"input.{name}" for name in report["input"]} | {"family", "precision", "classes"}
    named |= {
        f"head.{head['output']}.{name}" for head in report["heads"] for name in head if name != "output"
    }
    assert set(report["origins"]) == named


def test_that_names_that_look_like_markup_are_shown_as_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = zoo.tiny_yolo_dfl(tmp_path / "m.onnx", metadata=zoo.ultralytics_metadata(["[red]", "[/]", "b"]))
    run(["info", str(path)])
    assert "3: [red], [/], b" in capsys.readouterr().out


def test_that_a_recording_without_an_input_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "outputs.toml").write_text('[[output]]\nname = "a"\nshape = [1, 2, 3]\n')
    assert run(["info", str(tmp_path), "--json", str(tmp_path / "i.json")]) == 0
    assert "none: only tensors are compared" in capsys.readouterr().out
    assert json.loads((tmp_path / "i.json").read_text())["input"] is None


def test_that_a_json_that_cannot_be_written_is_said_before_anything_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = zoo.tiny_yolo_dfl(tmp_path / "m.onnx")
    with pytest.raises(BadInput, match="cannot be written"):
        run(["info", str(path), "--json", str(tmp_path / "nowhere" / "i.json")])
    assert capsys.readouterr().out == ""


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.mark.usefixtures("own_home")
def test_that_layers_recorded_beside_an_engine_are_told_where_it_cannot_be_opened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_engine(tmp_path / "m.engine")
    assert run(["info", str(path), "--json", str(tmp_path / "i.json")]) == 0
    told = capsys.readouterr().out
    assert "not opened:" in told
    assert "recorded in m.engine.layers.json, int8: 5 layers, 2 int8, 1 fp32, 1 fp16, 1 tf32" in " ".join(
        told.split()
    )
    engine = json.loads((tmp_path / "i.json").read_text())["engine"]
    assert engine["runtime"] is None and engine["precision"] == "int8"
    assert "was not built here" in engine["trouble"]
    fused = engine["layers"][1]
    assert fused["onnx"] == ["Conv_0", "Relu_1"]
    assert (fused["inputs"], fused["outputs"]) == (["int8"], ["int8"])
    assert engine["layers"][2]["outputs"] == ["fp16"]


@pytest.mark.usefixtures("own_home")
def test_that_a_record_that_is_none_is_named_with_the_cure(tmp_path: Path) -> None:
    path = write_engine(tmp_path / "m.engine")
    (tmp_path / "m.engine.layers.json").write_text('{"layers": []}')
    with pytest.raises(BadInput, match=r"m\.engine\.layers\.json: has no list of Layers") as caught:
        run(["info", str(path)])
    assert "exportLayerInfo" in caught.value.advice
