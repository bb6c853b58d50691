from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.model_zoo import quantized_twin, tiny_yolo_anchor
from trtviewer.cli.main import run
from trtviewer.errors import BadInput, BadUsage, Cancelled
from trtviewer.models.load import load_spec
from trtviewer.pipeline.bench import bench_pair


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """A float model, another one, and the INT8 twin of the first."""
    folder = tmp_path_factory.mktemp("bench")
    first = tiny_yolo_anchor(folder / "a.onnx", seed=1)
    return first, tiny_yolo_anchor(folder / "c.onnx", seed=2), quantized_twin(first, folder / "b.onnx")


def bench(reference: Path, candidate: Path, out: Path) -> dict:
    command = ["bench", "--reference", str(reference), "--candidate", str(candidate), "--seconds", "0.3"]
    assert run([*command, "--json", str(out)]) == 0
    return json.loads(out.read_text())


def test_that_the_speed_up_is_of_the_figures_alone(
    models: tuple[Path, Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = bench(models[0], models[1], tmp_path / "b.json")
    alone = [report[side]["alone"]["median_ms"] for side in ("reference", "candidate")]
    assert report["speedup"] == pytest.approx(alone[0] / alone[1])
    for side in ("reference", "candidate"):
        for kind in ("alone", "together"):
            latency = report[side][kind]
            assert latency["runs"] > 5
            assert 0 < latency["median_ms"] <= latency["p95_ms"] <= latency["p99_ms"]
            assert latency["fps"] == pytest.approx(1000 / latency["mean_ms"])
    assert "speed-up, alone" in capsys.readouterr().out


def test_that_emulated_int8_has_no_speed_up_and_says_why(
    models: tuple[Path, Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = bench(models[0], models[2], tmp_path / "b.json")
    assert report["speedup"] is None
    assert report["candidate"]["emulated"] is True
    assert "stand for nothing on a GPU" in capsys.readouterr().out


def test_that_models_that_do_not_correspond_are_refused(
    models: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    other = tiny_yolo_anchor(tmp_path / "large.onnx", seed=1, size=96)
    with pytest.raises(BadInput, match="do not correspond"):
        run(["bench", "--reference", str(models[0]), "--candidate", str(other), "--seconds", "0.1"])


def test_that_a_cancelled_benchmark_has_no_half_result(models: tuple[Path, Path, Path]) -> None:
    specs = load_spec(models[0]), load_spec(models[1])
    shares: list[float] = []
    with pytest.raises(Cancelled):
        bench_pair(*specs, progress=shares.append, cancelled=lambda: len(shares) > 8, seconds=0.5)
    assert shares == sorted(shares)


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf"])
def test_that_a_time_that_is_none_is_refused(models: tuple[Path, Path, Path], seconds: str) -> None:
    with pytest.raises(BadUsage, match="--seconds: must be above 0"):
        run(["bench", "--reference", str(models[0]), "--candidate", str(models[1]), f"--seconds={seconds}"])


def test_that_the_shortest_time_measures_once(models: tuple[Path, Path, Path]) -> None:
    result = bench_pair(load_spec(models[0]), load_spec(models[1]), seconds=1e-9)
    assert result.reference.alone.runs == result.candidate.together.runs == 1


def test_that_a_recording_is_not_measured(models: tuple[Path, Path, Path], tmp_path: Path) -> None:
    folder = tmp_path / "recorded"
    folder.mkdir()
    spec = load_spec(models[0])
    np.savez(folder / "0.npz", **{head.output: np.zeros(head.shape, np.float32) for head in spec.heads})
    with pytest.raises(BadInput, match="is a recording: there is nothing to measure"):
        run(["bench", "--reference", str(models[0]), "--candidate", str(folder), "--seconds", "0.1"])
