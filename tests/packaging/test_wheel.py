"""The wheel carries the resources, and works in an environment that has nothing but what it asks for."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, ROOT]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode and "hatchling" in done.stderr:
        pytest.skip(f"the build backend cannot be had: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("*.whl")
    return path


def test_that_the_wheel_carries_what_resources_holds_and_no_test(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    resources = {
        f"trtviewer/_resources/{path.relative_to(ROOT / 'resources').as_posix()}"
        for folder in ("demo", "help", "icons", "kernels")
        for path in (ROOT / "resources" / folder).iterdir()
        if path.is_file()
    }
    assert resources | {"trtviewer/_resources/README.md"} <= names
    assert not [name for name in names if "__pycache__" in name or name.startswith(("tests/", "packaging/"))]
    assert any(name.endswith("licenses/LICENSE") for name in names)


@pytest.mark.slow
def test_that_the_program_works_from_the_wheel_in_a_fresh_environment(wheel: Path, tmp_path: Path) -> None:
    folder = tmp_path / "fresh ä"
    venv.create(folder, with_pip=True)
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    install = [programs / "python", "-m", "pip", "install", "-q", "-c", ROOT / "requirements.lock", wheel]
    done = subprocess.run(install, capture_output=True, text=True)
    if done.returncode and "trtviewer" not in done.stderr:
        pytest.skip(f"the dependencies cannot be had: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "QT_QPA_PLATFORM": "offscreen"}

    def trtviewer(*arguments: str) -> str:
        command = [str(programs / "trtviewer"), *arguments]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=250
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    trtviewer("doctor", "--json", "doctor.json")
    doctor = json.loads((tmp_path / "doctor.json").read_text("utf-8"))
    assert doctor["packages"]["onnxruntime"] and not doctor["clashes"]
    assert "ONNX on the CPU" in [one["what"] for one in doctor["abilities"] if one["works"]]
    assert "frames of scene:street" in trtviewer("demo", "--headless")
    assert (tmp_path / "trtviewer-demo.png").stat().st_size > 10_000
