from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from tests.gui.conftest import PATIENCE_MS
from trtviewer.gui.demo import demo_opener
from trtviewer.gui.first_steps import LINES, FirstSteps
from trtviewer.gui.main_window import MainWindow
from trtviewer.gui.preferences import PreferencesFile


@pytest.fixture
def demo_window(make_window: Callable[..., MainWindow], qtbot: QtBot, tmp_path: Path) -> MainWindow:
    opener = demo_opener()
    assert opener is not None
    window = make_window()
    opener(window)
    qtbot.waitUntil(lambda: window.view_model.comparison is not None, timeout=PATIENCE_MS)
    return window


def test_that_the_demo_plays_the_careless_twin_and_says_what_is_seen_in_a_few_lines(
    demo_window: MainWindow, qtbot: QtBot
) -> None:
    model = demo_window.view_model
    qtbot.waitUntil(lambda: model.position.frame_index > 3, timeout=PATIENCE_MS)
    assert model.playing.playing
    assert model.models.candidate is not None
    assert model.models.candidate.name == "detector-int8-careless.onnx"
    steps = demo_window.findChild(FirstSteps)
    assert steps.isVisible()
    assert len(LINES) <= 6


def test_that_one_click_changes_to_the_good_twin_and_back_on_the_same_frame(
    demo_window: MainWindow, qtbot: QtBot
) -> None:
    model = demo_window.view_model
    demo_window.engine.toggle()
    qtbot.waitUntil(lambda: not model.playing.playing, timeout=PATIENCE_MS)
    twin = demo_window.findChild(QPushButton, "first_steps.twin")
    for wanted in ("detector-int8-good.onnx", "detector-int8-careless.onnx"):
        before = model.position.frame_index
        qtbot.mouseClick(twin, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(
            lambda wanted=wanted: (
                model.comparison is not None and model.comparison.candidate.spec.path.name == wanted
            ),
            timeout=PATIENCE_MS,
        )
        assert model.position.frame_index == before
    assert "good twin" in twin.text()


@pytest.mark.parametrize(("width", "whole"), [(1280, True), (960, False)])
def test_that_the_first_steps_leave_the_pictures_their_room(
    demo_window: MainWindow, qtbot: QtBot, width: int, whole: bool
) -> None:
    demo_window.resize(width, 540)
    steps = demo_window.findChild(FirstSteps)
    labels = steps.findChildren(QLabel)
    qtbot.waitUntil(lambda: labels[-1].isVisible() == whole)
    qtbot.waitUntil(
        lambda: all(
            label.height() >= label.heightForWidth(label.width()) for label in labels if label.isVisible()
        )
    )
    assert LINES[-1] in labels[0].toolTip()
    assert (demo_window.width(), demo_window.height()) == (width, 540)
    # The shorter words are laid out in a later turn than the window.
    qtbot.waitUntil(lambda: demo_window.comparison.panes["reference"].height() >= 90)


def test_that_the_first_steps_can_be_closed(demo_window: MainWindow, qtbot: QtBot) -> None:
    qtbot.mouseClick(demo_window.findChild(QPushButton, "first_steps.close"), Qt.MouseButton.LeftButton)
    assert not demo_window.findChild(FirstSteps).isVisible()


def test_that_the_start_page_opens_the_demo(qtbot: QtBot, qapp: object, tmp_path: Path) -> None:
    window = MainWindow(PreferencesFile(tmp_path / "window.json"), demo_opener())
    try:
        window.show()
        qtbot.waitExposed(window)
        qtbot.mouseClick(window.findChild(QPushButton, "start.demo"), Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: window.view_model.comparison is not None, timeout=PATIENCE_MS)
        assert window.findChild(FirstSteps) is not None
    finally:
        window.close()
        window.deleteLater()
