"""What a native library writes to stderr is dropped; what anyone else writes meanwhile is not."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from trtviewer.chatter import without_chatter


def test_that_only_marked_lines_are_dropped(capfd: pytest.CaptureFixture[str]) -> None:
    with without_chatter("libnoise"):
        os.write(2, b"libnoise: a warning\nprogress 10 %\n")
        os.write(2, b"libnoise: another\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "progress 10 %\nafter\n"


def test_that_stderr_is_back_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyError), without_chatter("libnoise"):
        os.write(2, b"kept\nlibnoise\n")
        raise KeyError
    assert capfd.readouterr().err == "kept\n"


def test_that_a_program_without_stderr_goes_on() -> None:
    code = "import os; os.close(2)\nfrom trtviewer.chatter import without_chatter\nwith without_chatter('x'): print('inside')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "inside\n")


def test_that_importing_opencv_leaves_no_qt_variables_and_a_silent_log() -> None:
    code = (
        "from trtviewer.opencv import cv2\nimport os\n"
        "print(sorted(name for name in os.environ if name.startswith('QT_QPA_P') or name.endswith('FONTDIR')))\n"
        "cv2.VideoCapture(97)"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QT_")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")
