"""Which engines the window asks about, and how often: on a machine with no GPU trust is asked before the missing GPU is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from tests.gui.conftest import PATIENCE_MS
from tests.model_zoo import class_names, tiny_yolo_anchor, write_anchor_sidecar
from trtviewer.build.engine import build_engine
from trtviewer.build.request import BuildRequest, Runtime
from trtviewer.gui.main_window import MainWindow
from trtviewer.models.load import load_spec
from trtviewer.runners.nvidia import driver

pytestmark = pytest.mark.skipif(bool(driver().gpus), reason="a GPU is here")


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))


def problem_of(window: MainWindow, qtbot: QtBot, engine: Path) -> str:
    """Opens the engine; what the window then says of it."""
    window.view_model.clear_problems()
    window.engine.open_reference(engine)
    return problem_shown(window, qtbot)


def problem_shown(window: MainWindow, qtbot: QtBot) -> str:
    qtbot.waitUntil(lambda: bool(window.view_model.problems), timeout=PATIENCE_MS)
    (problem,) = window.view_model.problems
    return problem.what


def test_that_an_engine_from_elsewhere_is_asked_about_once(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    engine = tmp_path / "foreign.engine"
    engine.write_bytes(b"ftrt" + bytes(5000))
    write_anchor_sidecar(engine, (8, 16, 32), class_names(3), size=(64, 64))
    assert "was not built here" in problem_of(window, qtbot, engine)
    qtbot.waitUntil(lambda: window.findChild(QPushButton, "banner.choice") is not None, timeout=PATIENCE_MS)
    asked = list(window.view_model.problems)
    qtbot.mouseClick(window.findChild(QPushButton, "banner.choice"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: list(window.view_model.problems) not in ([], asked), timeout=PATIENCE_MS)
    assert "needs an NVIDIA GPU" in problem_shown(window, qtbot)
    assert "needs an NVIDIA GPU" in problem_of(window, qtbot, engine), "it is not asked about again"


def test_that_an_engine_built_here_is_not_asked_about_wherever_it_is_moved(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    pytest.importorskip("tensorrt_rtx_bindings", reason="needs the wheels of the extra `rtx`")
    made = tmp_path / "made"
    made.mkdir()
    spec = load_spec(tiny_yolo_anchor(made / "tiny.onnx"))
    build_engine(spec, made / "built.engine", BuildRequest(spec.path, Runtime.TENSORRT_RTX))
    assert "needs an NVIDIA GPU" in problem_of(window, qtbot, made / "built.engine")
    moved = made.rename(tmp_path / "moved")
    assert "needs an NVIDIA GPU" in problem_of(window, qtbot, moved / "built.engine")
