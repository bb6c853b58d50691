"""Variants that were made in the window and not saved: asked for once, before they go."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import onnx
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFileDialog, QMessageBox, QPushButton, QSpinBox
from pytestqt.qtbot import QtBot

from tests.gui.conftest import PATIENCE_MS, Inputs
from tests.gui.docks.test_layers import apply, click, wait_idle
from trtviewer.gui.app import Interrupt
from trtviewer.gui.docks.layers import LayersDock
from trtviewer.gui.docks.variants import VariantsDock
from trtviewer.gui.main_window import MainWindow
from trtviewer.gui.what_if.recipe import Part
from trtviewer.gui.what_if.state import FindLayers
from trtviewer.models.load import load_spec

FEW = 2


@pytest.fixture
def changed(comparing: MainWindow, qtbot: QtBot) -> MainWindow:
    """A window with a variant that was made in it."""
    comparing.requests.reveal.emit("layers")
    qtbot.waitUntil(lambda: comparing.findChild(LayersDock) is not None)
    comparing.findChild(QSpinBox, "layers.frames").setValue(FEW)
    comparing.findChild(QSpinBox, "layers.calibration_frames").setValue(FEW)
    apply(comparing, qtbot)
    return comparing


def boxes(window: MainWindow) -> list[QMessageBox]:
    return [box for box in window.findChildren(QMessageBox, "unsaved") if box.isVisible()]


def press(window: MainWindow, qtbot: QtBot, name: str) -> None:
    qtbot.waitUntil(lambda: len(boxes(window)) == 1)
    qtbot.mouseClick(boxes(window)[0].findChild(QPushButton, f"unsaved.{name}"), Qt.MouseButton.LeftButton)


def choose(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (path, ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: path)


def variant_of(window: MainWindow) -> Path:
    path = window.view_model.models.candidate.path
    assert window.view_model.what_if.variant(path).unsaved
    return path


def test_that_closing_asks_once_however_often_and_cancel_stays(changed: MainWindow, qtbot: QtBot) -> None:
    path = variant_of(changed)
    for _ in range(3):
        assert not changed.close()
    assert len(boxes(changed)) == 1
    assert boxes(changed)[0].informativeText() == "2: mse, 2 frames of numbers.mkv"
    press(changed, qtbot, "cancel")
    qtbot.waitUntil(lambda: not boxes(changed))
    assert changed.isVisible() and path.is_file()
    changed.requests.seek.emit(3)
    qtbot.waitUntil(lambda: changed.view_model.comparison.frame.index == 3, timeout=PATIENCE_MS)
    changed.close()
    assert len(boxes(changed)) == 1, "it is asked anew"


def test_that_discard_closes_and_takes_the_variant_away(changed: MainWindow, qtbot: QtBot) -> None:
    path = variant_of(changed)
    changed.close()
    press(changed, qtbot, "discard")
    qtbot.waitUntil(lambda: not changed.isVisible())
    assert not path.exists()


def test_that_save_writes_it_whole_and_then_closes(
    changed: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = variant_of(changed)
    expected, classes = onnx.load(str(path)), load_spec(path).classes
    choose(monkeypatch, str(tmp_path / "kept"))
    changed.close()
    press(changed, qtbot, "save")
    qtbot.waitUntil(lambda: not changed.isVisible(), timeout=PATIENCE_MS)
    assert onnx.load(str(tmp_path / "kept.onnx")) == expected
    assert load_spec(tmp_path / "kept.onnx").classes == classes
    assert not path.exists()


def test_that_many_are_asked_for_together_and_saved_to_one_folder(
    changed: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply(changed, qtbot)
    (tmp_path / "tiny-variant1-mse.onnx").write_text("somebody's")
    choose(monkeypatch, str(tmp_path))
    # What is under way ends first; nothing of the answer is lost.
    changed.requests.what_if.emit(FindLayers(Part(changed.view_model.source.address, tuple(range(24)))))
    changed.close()
    assert boxes(changed)[0].text().startswith("2 variants")
    press(changed, qtbot, "save")
    qtbot.waitUntil(lambda: not changed.isVisible(), timeout=PATIENCE_MS)
    assert {path.name for path in tmp_path.glob("*.onnx")} == {
        "tiny-variant1-mse.onnx",
        "tiny-variant1-mse-2.onnx",
        "tiny-variant2-mse.onnx",
    }
    assert (tmp_path / "tiny-variant1-mse.onnx").read_text() == "somebody's"


def test_that_what_cannot_be_saved_keeps_the_window(
    changed: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = variant_of(changed)
    choose(monkeypatch, str(tmp_path / "nowhere" / "kept.onnx"))
    changed.close()
    press(changed, qtbot, "save")
    qtbot.waitUntil(lambda: bool(changed.view_model.problems), timeout=PATIENCE_MS)
    wait_idle(changed, qtbot)
    assert changed.isVisible() and path.is_file()


def test_that_closing_the_candidate_asks_and_the_window_then_does_not(
    changed: MainWindow, qtbot: QtBot, inputs: Inputs
) -> None:
    close = changed.findChild(QAction, "compare.close_candidate")
    path = variant_of(changed)
    close.trigger()
    press(changed, qtbot, "cancel")
    qtbot.waitUntil(lambda: not boxes(changed))
    assert changed.view_model.models.candidate.path == path
    close.trigger()
    press(changed, qtbot, "discard")
    assert [one.path for one in changed.view_model.models.candidates] == [inputs.candidate]
    changed.close()
    assert not changed.isVisible()


def test_that_a_variant_that_fell_out_of_its_place_is_still_asked_for(
    changed: MainWindow, qtbot: QtBot, inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = variant_of(changed)
    changed.findChild(QAction, "compare.swap").trigger()
    changed.engine.open_reference(inputs.reference)
    qtbot.waitUntil(lambda: changed.view_model.models.reference.spec is not None, timeout=PATIENCE_MS)
    models = changed.view_model.models
    assert path not in {models.reference.path, *(one.path for one in models.candidates)}
    choose(monkeypatch, str(tmp_path / "kept.onnx"))
    changed.close()
    press(changed, qtbot, "save")
    qtbot.waitUntil(lambda: not changed.isVisible(), timeout=PATIENCE_MS)
    assert load_spec(tmp_path / "kept.onnx").classes == load_spec(inputs.reference).classes


def test_that_a_variant_is_no_recent_file(changed: MainWindow, inputs: Inputs) -> None:
    assert str(variant_of(changed)) not in changed.preferences.recent_models
    assert str(inputs.candidate) in changed.preferences.recent_models


def test_that_a_saved_variant_is_not_asked_for_and_is_offered_where_it_lies(
    changed: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    changed.requests.reveal.emit("variants")
    qtbot.waitUntil(lambda: changed.findChild(VariantsDock) is not None)
    changed.findChild(VariantsDock).save_to(tmp_path / "cured.onnx")
    wait_idle(changed, qtbot)
    click(changed, qtbot, "banner.choice")
    qtbot.waitUntil(
        lambda: changed.view_model.comparison.candidate.spec.path == tmp_path / "cured.onnx",
        timeout=PATIENCE_MS,
    )
    assert not changed.view_model.problems
    changed.close()
    assert not changed.isVisible() and not boxes(changed)


def test_that_ctrl_c_asks_nobody(changed: MainWindow, qtbot: QtBot) -> None:
    path = variant_of(changed)
    interrupt = Interrupt(changed)
    try:
        os.kill(os.getpid(), signal.SIGINT)
        qtbot.waitUntil(lambda: not changed.isVisible(), timeout=PATIENCE_MS)
    finally:
        interrupt.close()
    assert not path.exists()


def test_that_a_window_with_no_variant_closes_at_once(comparing: MainWindow) -> None:
    assert comparing.close()
