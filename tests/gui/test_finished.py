"""What was made in the background can be opened at one click; an engine that cannot run here says why."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from tests.gui.conftest import PATIENCE_MS, Inputs
from tests.gui.test_file_makers import begin_build
from trtviewer.gui.main_window import MainWindow
from trtviewer.gui.problems import finished
from trtviewer.runners.nvidia import driver


@pytest.mark.skipif(bool(driver().gpus), reason="a GPU is here")
def test_that_an_engine_built_where_none_can_run_says_why(
    comparing: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tensorrt_rtx_bindings", reason="needs the wheels of the extra `rtx`")
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    with qtbot.waitSignal(comparing.build_work.finished, timeout=12 * PATIENCE_MS):
        begin_build(comparing, qtbot, tmp_path / "out")
    banner = comparing.findChild(QWidget, "banner.build")
    assert banner.isVisibleTo(comparing)
    words = banner.findChild(QLabel, "banner.words").text()
    assert "Built out.engine" in words
    assert "An engine runs on an NVIDIA GPU" in words
    assert banner.findChild(QPushButton, "banner.choice") is None
    qtbot.mouseClick(banner.findChild(QPushButton, "banner.dismiss"), Qt.MouseButton.LeftButton)
    assert comparing.view_model.problems == ()


def test_that_what_was_made_is_opened_as_candidate_at_one_click(
    comparing: MainWindow, inputs: Inputs, qtbot: QtBot
) -> None:
    done = finished("Built x", "build", lambda: comparing.engine.add_candidate(inputs.other))
    with qtbot.waitSignal(comparing.build_work.finished, timeout=PATIENCE_MS):
        comparing.build_work.start("Building x", lambda tell, cancelled: done)
    assert comparing.view_model.status == "Built x"
    choice = comparing.findChild(QPushButton, "banner.choice")
    assert choice.text() == "Open as candidate"
    qtbot.mouseClick(choice, Qt.MouseButton.LeftButton)
    assert comparing.view_model.problems == ()
    qtbot.waitUntil(
        lambda: comparing.view_model.comparison.candidate.spec.path == inputs.other, timeout=PATIENCE_MS
    )
