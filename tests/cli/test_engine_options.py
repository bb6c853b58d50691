"""`--trust` and `--plugin`, and what a machine with no GPU says of an engine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.model_zoo import class_names, tiny_yolo_anchor, write_anchor_sidecar
from trtviewer.cli.main import COMMANDS, run
from trtviewer.errors import BadInput
from trtviewer.runners.nvidia import driver
from trtviewer.runners.trt_module import plugin_libraries

no_gpu = pytest.mark.skipif(bool(driver().gpus), reason="a GPU is here")


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    """A file that may be an engine, with a sidecar that says what it would detect."""
    path = tmp_path / "foreign.engine"
    path.write_bytes(b"ftrt" + bytes(5000))
    write_anchor_sidecar(path, (8, 16, 32), class_names(3), size=(64, 64))
    return path


def process(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "trtviewer", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env=dict(os.environ)
    )


def test_that_every_command_that_opens_models_has_both_options(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("view", "compare", "bench", "layers", "info"):
        if name in COMMANDS:
            run([name, "--help"])
            told = capsys.readouterr().out
            assert "--trust" in told, name
            assert "--plugin" in told, name


def test_that_an_untrusted_engine_is_one_line_and_status_2(engine: Path) -> None:
    done = process("bench", "--reference", engine, "--candidate", engine)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"trtviewer: {engine}: was not built here, and a plan is code")
    assert "--trust" in done.stderr
    assert done.stderr.count("\n") == 1


@no_gpu
def test_that_trust_is_given_once_and_the_missing_gpu_is_one_line_and_status_3(engine: Path) -> None:
    for arguments in (("--trust",), ()):
        done = process("bench", "--reference", engine, "--candidate", engine, *arguments)
        assert (done.returncode, done.stdout) == (3, "")
        assert "foreign.engine: needs an NVIDIA GPU" in done.stderr
        assert done.stderr.count("\n") == 1


def test_that_a_changed_engine_must_be_trusted_anew(engine: Path) -> None:
    process("bench", "--reference", engine, "--candidate", engine, "--trust")
    engine.write_bytes(engine.read_bytes() + b"x")
    done = process("bench", "--reference", engine, "--candidate", engine)
    assert done.returncode == 2
    assert "was not built here" in done.stderr


def test_that_a_plugin_library_that_is_not_there_is_told_before_any_work(tmp_path: Path) -> None:
    model = tiny_yolo_anchor(tmp_path / "tiny.onnx")
    with pytest.raises(BadInput, match=r"libnone\.so: does not exist"):
        run(["info", str(model), "--plugin", str(tmp_path / "libnone.so")])
    library = tmp_path / "libsome.so"
    library.touch()
    assert run(["info", str(model), "--plugin", str(library)]) == 0
    assert plugin_libraries() == (library,)
    assert run(["info", str(model)]) == 0
    assert plugin_libraries() == ()
