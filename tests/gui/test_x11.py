"""The program as a user starts it: a process of its own, a real window on a real X server, keys from outside."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.gui.conftest import Inputs

PATIENCE_S = 60

pytestmark = [
    pytest.mark.x11,
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("Xvfb") is None or shutil.which("xdotool") is None,
        reason="needs Xvfb and xdotool (Debian: xvfb, xdotool)",
    ),
]


@pytest.fixture
def display() -> Iterator[str]:
    """The name of a private X display."""
    near, far = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(far), "-screen", "0", "1280x800x24", "-nolisten", "tcp"],
        pass_fds=(far,),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(far)
    with os.fdopen(near) as answer:
        number = answer.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait(PATIENCE_S)


@dataclass
class Program:
    """The running program, its log, and its keyboard."""

    process: subprocess.Popen[str]
    environment: dict[str, str]
    log: Path

    def says(self) -> str:
        return self.log.read_text(errors="replace") if self.log.is_file() else ""

    def key(self, *keys: str) -> None:
        tool = ["xdotool", "search", "--onlyvisible", "--name", "trtviewer", "windowfocus"]
        subprocess.run(tool, env=self.environment, check=True, capture_output=True)
        subprocess.run(["xdotool", "key", *keys], env=self.environment, check=True)


@pytest.fixture
def program(display: str, inputs: Inputs, tmp_path: Path) -> Iterator[Program]:
    """The window on the tiny models and the numbered video, once its first compared frame is on the screen."""
    environment = {
        **os.environ,
        "DISPLAY": display,
        "QT_QPA_PLATFORM": "xcb",
        "HOME": str(tmp_path),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    command = [sys.executable, "-m", "trtviewer", "view", "--reference", str(inputs.reference)]
    command += ["--candidate", str(inputs.candidate), "--source", str(inputs.video)]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    running = Program(process, environment, tmp_path / "state" / "trtviewer" / "trtviewer.log")
    wait_until(lambda: "first compared frame" in running.says() or process.poll() is not None)
    yield running
    if process.poll() is None:
        process.kill()
    process.communicate()


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_that_keys_work_and_ctrl_q_ends_it_with_nothing_said(program: Program) -> None:
    for keys in (("space",), ("d",), ("s",), ("ctrl+Return",), ("n",), ("a",), ("ctrl+q",)):
        program.key(*keys)
    _, error = program.process.communicate(timeout=PATIENCE_S)
    assert (program.process.returncode, error) == (0, "")
    assert not [line for line in program.says().splitlines() if " WARNING " in line or " ERROR " in line]


def test_that_ctrl_c_ends_it_while_it_plays(program: Program) -> None:
    program.key("space")
    program.process.send_signal(signal.SIGINT)
    _, error = program.process.communicate(timeout=PATIENCE_S)
    assert program.process.returncode in (0, 130)
    assert "Traceback" not in error + program.says()
