"""The example for GitHub Actions, its steps run one after another as a runner runs them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from trtviewer.bundled_demo import bundled_demo
from trtviewer.sources.address import open_source

EXAMPLE = Path(__file__).resolve().parents[2] / "packaging" / "github-actions-example.yml"
SHELL = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")
"""What GitHub runs a step with."""


def steps() -> dict[str, str]:
    """Each named step's script."""
    found = re.findall(
        r"^ {6}- name: (.+)\n(?: {8}if: .+\n)? {8}run: \|\n((?: {10}.*\n|\n)+)",
        EXAMPLE.read_text("utf-8"),
        re.MULTILINE,
    )
    return {name: "".join(line[10:] for line in script.splitlines(keepends=True)) for name, script in found}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository as the example expects it: a model with its sidecar, and two folders of pictures."""
    model = bundled_demo().reference
    (tmp_path / "models").mkdir()
    for path in (model, model.with_suffix(".toml")):
        (tmp_path / "models" / path.name).write_bytes(path.read_bytes())
    for folder, seed in (("calibration", 5), ("validation", 6)):
        (tmp_path / "data" / folder).mkdir(parents=True)
        with open_source(f"scene:street?condition=day&seed={seed}&frames=200") as source:
            for index in range(0, 200, 40):
                picture = source.read(index).picture
                assert cv2.imwrite(str(tmp_path / "data" / folder / f"{index}.png"), picture)
    return tmp_path


def run(name: str, repository: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        **dict(re.findall(r"^ {6}([A-Z]+): (\S+)", EXAMPLE.read_text("utf-8"), re.MULTILINE)),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "GITHUB_STEP_SUMMARY": str(repository / "summary.md"),
        "HOME": str(repository),
    }
    return subprocess.run(
        [*SHELL, steps()[name]], cwd=repository, env=environment, capture_output=True, text=True, timeout=250
    )


def test_that_the_steps_run_and_the_gates_pass_on_a_good_twin(repository: Path) -> None:
    assert list(steps()) == ["Install", "Quantize", "Compare", "Summary"]
    for name in ("Quantize", "Compare", "Summary"):
        done = run(name, repository)
        assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"
    summary = (repository / "summary.md").read_text("utf-8")
    assert summary.startswith("### INT8") and "| small |" in summary


def test_that_a_gate_fails_the_job_with_1_and_the_report_is_still_written(repository: Path) -> None:
    assert run("Quantize", repository).returncode == 0
    careless = bundled_demo().candidates[0]
    (repository / "detector-int8.onnx").write_bytes(careless.read_bytes())
    (repository / "detector-int8.toml").write_bytes(careless.with_suffix(".toml").read_bytes())
    for path in (repository / "data" / "validation").iterdir():
        # What the careless twin was not calibrated for: night.
        cv2.imwrite(str(path), cv2.convertScaleAbs(cv2.imread(str(path)), alpha=0.25))
    done = run("Compare", repository)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "missed_rate" in done.stderr
    assert run("Summary", repository).returncode == 0
    assert (repository / "summary.md").is_file()


def test_that_a_missing_model_ends_the_job_with_2_and_one_line(repository: Path) -> None:
    done = run("Compare", repository)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert run("Summary", repository).returncode == 0
