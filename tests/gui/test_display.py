"""Where no window can be opened the program says so in one line; Qt itself would abort it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="X11 is Linux's")


def view(tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    left_out = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    environment = {key: value for key, value in os.environ.items() if key not in left_out}
    command = [sys.executable, "-m", "trtviewer", "view"]
    environment |= {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path), **variables}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


@LINUX
def test_that_no_display_is_one_line_and_3(tmp_path: Path) -> None:
    done = view(tmp_path)
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1 and "DISPLAY is empty" in done.stderr


@LINUX
@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="the X libraries come with Xvfb")
def test_that_a_display_that_does_not_answer_is_one_line_and_3(tmp_path: Path) -> None:
    done = view(tmp_path, DISPLAY=":4093")
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1 and "DISPLAY=:4093" in done.stderr
