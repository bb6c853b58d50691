"""`trtviewer layers`, as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import onnx
import pytest

from tests import model_zoo
from tests.blame import small
from tests.interrupted import interrupted
from trtviewer.cli.main import run
from trtviewer.errors import BadInput, BadUsage


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("models")
    model = model_zoo.tiny_yolo_anchor(folder / "tiny.onnx", seed=1)
    return model, small.ours_of(model, folder / "int8.onnx")


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small.noise_pictures(tmp_path_factory.mktemp("source") / "frames", 20)


def layers(models: tuple[Path, Path], frames: Path, *more: object) -> int:
    return run([str(word) for word in (*asked(models, frames), *more)])


def asked(models: tuple[Path, Path], frames: Path) -> tuple[object, ...]:
    reference, candidate = models
    return "layers", "--reference", reference, "--candidate", candidate, "--source", frames


def test_that_the_report_has_every_key_of_the_design_in_the_graphs_order(
    models: tuple[Path, Path], frames: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "layers.json"
    assert layers(models, frames, "--json", out) == 0
    report = json.loads(out.read_text())
    assert report["schema"] == "trtviewer.layers/1"
    assert (report["frames"], report["heads_frames"]) == (16, 8)
    order = [node.name for node in onnx.load(models[0]).graph.node]
    names = [layer["name"] for layer in report["layers"]]
    assert names == [name for name in order if name in names]
    keys = {"name", "op", "output", "macs", "precision", "own", "cumulative", "at_heads"}
    outputs = {output.name for output in onnx.load(models[0]).graph.output}
    for layer in report["layers"]:
        assert set(layer) == keys | {"clipped_share", "range_used", "expected_mse"}
        assert set(layer["own"]) == set(layer["cumulative"]) == {"mse", "sqnr_db", "cosine"}
        if layer["op"] == "Concat":  # goes with the layers that it feeds
            assert layer["at_heads"] is None
            continue
        assert set(layer["at_heads"]) == {"mse", "missed"}
        assert set(layer["at_heads"]["mse"]) == outputs
    told = capsys.readouterr()
    assert told.err == ""
    assert "only that layer in INT8, on 8 of them" in told.out


def test_that_the_terminal_names_the_most_to_blame_first(
    models: tuple[Path, Path], frames: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "layers.json"
    layers(models, frames, "--frames", 2, "--json", out)
    found = json.loads(out.read_text())["layers"]
    cost = {layer["name"]: sum(layer["at_heads"]["mse"].values()) for layer in found if layer["macs"]}
    lines = capsys.readouterr().out.splitlines()
    shown = [name for line in lines for name in cost if line.startswith(f"{name} ")]
    assert shown == sorted(cost, key=lambda name: -cost[name])


def test_that_bad_input_is_told_in_one_line(models: tuple[Path, Path], frames: Path, tmp_path: Path) -> None:
    reference, candidate = models
    with pytest.raises(BadInput, match="it is not a Q/DQ model"):
        layers((reference, reference), frames)
    with pytest.raises(BadInput, match="is quantized already"):
        layers((candidate, candidate), frames)
    with pytest.raises(BadInput, match="has no such frames"):
        layers(models, frames, "--start", 20)
    with pytest.raises(BadInput, match="cannot be written"):
        layers(models, frames, "--json", tmp_path / "none" / "layers.json")
    with pytest.raises(BadUsage):
        layers(models, frames, "--frames", 0)
    other = model_zoo.tiny_yolo_anchor(tmp_path / "other.onnx", seed=2)
    with pytest.raises(BadInput, match="its weights are of another training"):
        layers((other, candidate), frames)


def test_that_ctrl_c_writes_what_was_measured(models: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "layers.json"
    source = small.noise_pictures(tmp_path / "many", 300)
    words = (*asked(models, source), "--frames", 100_000, "--json", out)
    status, seen = interrupted(*words, shown=rb" [1-9]\d*/300")
    assert status == 130
    assert b"interrupted after" in seen
    report = json.loads(out.read_text())
    assert 1 <= report["frames"] < 300
    assert report["layers"][0]["own"]["mse"] is not None


def test_that_ctrl_c_while_searching_keeps_the_layers_and_what_was_tried(
    models: tuple[Path, Path], tmp_path: Path
) -> None:
    out = tmp_path / "layers.json"
    source = small.noise_pictures(tmp_path / "many", 40)
    goal = "outputs.head8.mse < 1e-7"
    words = (*asked(models, source), "--frames", 40, "--search", goal, "--json", out)
    status, seen = interrupted(*words, shown=b"searching")
    assert status == 130
    assert b"interrupted while searching" in seen
    report = json.loads(out.read_text())
    assert report["frames"] == 40
    # Whether a set was tried whole by then is a matter of milliseconds.
    assert all(trial["int8_share"] <= 1 for trial in report.get("search", {"trials": []})["trials"])


def test_that_a_search_is_told_and_written(
    models: tuple[Path, Path], frames: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "layers.json"
    goal = "outputs.head8.mse < 1e-5 and missed_rate < 0.5"
    assert layers(models, frames, "--frames", 2, "--search", goal, "--json", out) == 0
    told = capsys.readouterr().out
    found = json.loads(out.read_text())["search"]
    assert found["goal"] == goal
    assert found["met"]
    assert found["best"]["keep_float"]
    assert f"{found['passes']} forward passes" in told
    for name in found["best"]["keep_float"]:
        assert f"--keep-float {name}" in " ".join(told.split())
    shares = {trial["int8_share"]: trial for trial in found["trials"] if trial["met"]}
    assert found["best"]["int8_share"] == max(shares)


def test_that_a_goal_that_no_report_has_is_bad_usage_before_any_work(
    models: tuple[Path, Path], frames: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(BadUsage, match="missed_rate"):
        layers(models, frames, "--search", "mised_rate < 0.02")
    with pytest.raises(BadUsage, match="cannot be read"):
        layers(models, frames, "--search", "missed_rate")
    assert capsys.readouterr().out == ""
