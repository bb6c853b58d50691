"""The window as a process: it starts, and Ctrl-C ends it in the middle of its work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.gui.conftest import Inputs

PATIENCE_S = 60


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_that_ctrl_c_closes_the_window_at_once(inputs: Inputs, tmp_path: Path) -> None:
    environment = os.environ | {
        "QT_QPA_PLATFORM": "offscreen",
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    command = [sys.executable, "-m", "trtviewer", "view"]
    command += ["--reference", str(inputs.reference), "--candidate", str(inputs.candidate)]
    command += ["--source", str(inputs.video)]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    log = tmp_path / "state" / "trtviewer" / "trtviewer.log"
    end = time.monotonic() + PATIENCE_S
    while not (log.exists() and "first compared frame" in log.read_text()):
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        assert time.monotonic() < end, "no frame was compared"
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert (tmp_path / "config" / "trtviewer" / "window.json").exists(), "what it knew is kept"
