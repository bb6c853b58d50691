from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from trtviewer.opencv import cv2


@pytest.mark.slow
def test_that_the_headless_demo_writes_report_and_picture_and_five_lines(tmp_path: Path) -> None:
    environment = {
        key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")
    }
    done = subprocess.run(
        [sys.executable, "-m", "trtviewer", "demo", "--headless"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={
            **environment,
            "XDG_STATE_HOME": str(tmp_path / "state"),
            "XDG_CONFIG_HOME": str(tmp_path / "config"),
        },
        timeout=240,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 5
    report = json.loads((tmp_path / "trtviewer-demo.json").read_text())
    assert report["schema"] == "trtviewer.compare/1"
    assert report["by_size"]["small"]["missed_rate"] > 0.1
    picture = cv2.imread(str(tmp_path / "trtviewer-demo.png"))
    assert picture.shape == (800, 1280, 3)
    assert picture[120:480, :900].std() > 20  # two street scenes, not an empty window
