"""A source with no model: its frames play and are gone through, and the panes ask for the models."""

from __future__ import annotations

import itertools
from pathlib import Path

import cv2
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QToolButton
from pytestqt.qtbot import QtBot

from tests.gui.conftest import FRAMES, PATIENCE_MS, SIZE, Inputs, number_in, wait_for_frame
from tests.sources.videos import write_cut_video
from trtviewer.gui.main_window import MainWindow
from trtviewer.gui.view_model import PaneMode


def picture_in(window: MainWindow, side: str) -> int | None:
    """The number of the frame that a pane has painted; None where there is none."""
    pane = window.comparison.panes[side]
    if pane.rendered is None:
        return None
    return number_in(pane.rendered.pixels[..., :3])


def numbers_painted(window: MainWindow) -> list[int]:
    """Fills with the number of every frame that the panes take over from now on."""
    seen: list[int] = []
    window.comparison.painted.connect(lambda rendered: seen.append(number_in(rendered.pixels[..., :3])))
    return seen


@pytest.fixture
def alone(window: MainWindow, inputs: Inputs, qtbot: QtBot) -> MainWindow:
    """A window that shows the first frame of a video, with no model."""
    window.engine.open_source(str(inputs.video))
    qtbot.waitUntil(lambda: picture_in(window, "candidate") == 0, timeout=PATIENCE_MS)
    return window


def test_that_a_video_alone_is_gone_through_and_invites_the_models(alone: MainWindow, qtbot: QtBot) -> None:
    for side in ("reference", "candidate"):
        qtbot.waitUntil(lambda s=side: picture_in(alone, s) == 0, timeout=PATIENCE_MS)
        assert alone.comparison.panes[side].notice == f"Drop the {side} model here"
    qtbot.keyClick(alone, Qt.Key.Key_S)
    assert alone.comparison.panes["reference"].notice.startswith("Drop two models")
    qtbot.keyClick(alone, Qt.Key.Key_A)
    alone.requests.seek.emit(9)
    qtbot.waitUntil(lambda: picture_in(alone, "reference") == 9, timeout=PATIENCE_MS)
    qtbot.keyClick(alone, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: picture_in(alone, "candidate") == 10, timeout=PATIENCE_MS)
    qtbot.keyClick(alone, Qt.Key.Key_Left)
    qtbot.waitUntil(lambda: picture_in(alone, "candidate") == 9, timeout=PATIENCE_MS)
    assert alone.view_model.position.frame_index == 9
    qtbot.keyClick(alone, Qt.Key.Key_End)
    qtbot.waitUntil(lambda: picture_in(alone, "reference") == FRAMES - 1, timeout=PATIENCE_MS)
    assert alone.view_model.problems == ()


def test_that_the_status_line_tells_of_a_cut_video(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    window.engine.open_source(str(write_cut_video(tmp_path / "cut.avi")))
    words = window.findChild(QLabel, "status")
    qtbot.waitUntil(
        lambda: "cut.avi: its header speaks of 60 frames" in words.whole,
        timeout=PATIENCE_MS,
    )


def test_that_a_video_alone_plays_to_its_end_by_space(alone: MainWindow, qtbot: QtBot) -> None:
    seen = numbers_painted(alone)
    qtbot.keyClick(alone, Qt.Key.Key_Space)
    assert alone.view_model.playing.playing
    qtbot.waitUntil(lambda: picture_in(alone, "reference") == FRAMES - 1, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: not alone.view_model.playing.playing, timeout=PATIENCE_MS)
    assert seen == sorted(seen)
    assert len(set(seen)) > 2, "it played there, and did not jump"


def test_that_a_video_alone_loops_at_the_chosen_speed(alone: MainWindow, qtbot: QtBot) -> None:
    for index, key in ((5, Qt.Key.Key_I), (8, Qt.Key.Key_O)):
        alone.requests.seek.emit(index)
        qtbot.waitUntil(lambda i=index: picture_in(alone, "reference") == i, timeout=PATIENCE_MS)
        qtbot.keyClick(alone, key)
    qtbot.keyClick(alone, Qt.Key.Key_BracketRight)
    seen = numbers_painted(alone)
    qtbot.mouseClick(alone.findChild(QToolButton, "button.play.toggle"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(
        lambda: sum(late < early for early, late in itertools.pairwise(seen)) >= 2,
        timeout=PATIENCE_MS,
    )
    assert set(seen) <= {5, 6, 7, 8}
    assert alone.view_model.playing.speed == 1.5


def test_that_a_model_takes_a_playing_video_over_where_it_is(
    alone: MainWindow, inputs: Inputs, qtbot: QtBot
) -> None:
    alone.requests.seek.emit(9)
    qtbot.waitUntil(lambda: picture_in(alone, "reference") == 9, timeout=PATIENCE_MS)
    alone.engine.open_reference(inputs.reference)
    qtbot.waitUntil(lambda: alone.view_model.alone is not None, timeout=PATIENCE_MS)
    assert alone.view_model.alone[1].frame.index == 9
    assert alone.view_model.bare is None
    alone.engine.add_candidate(inputs.candidate)
    wait_for_frame(alone, qtbot, 9)
    assert all(not pane.notice.startswith("Drop") for pane in alone.comparison.panes.values())
    seen = numbers_painted(alone)
    qtbot.keyClick(alone, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: bool(seen) and seen[-1] == FRAMES - 1, timeout=PATIENCE_MS)


def test_that_the_frames_go_on_when_the_last_model_is_closed(
    alone: MainWindow, inputs: Inputs, qtbot: QtBot
) -> None:
    alone.engine.add_candidate(inputs.candidate)
    qtbot.waitUntil(lambda: alone.view_model.alone is not None, timeout=PATIENCE_MS)
    alone.requests.seek.emit(4)
    qtbot.waitUntil(lambda: alone.view_model.position.frame_index == 4, timeout=PATIENCE_MS)
    qtbot.keyClick(alone, Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: alone.view_model.bare is not None, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: not alone.comparison.panes["candidate"].marks(), timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: picture_in(alone, "candidate") == 4, timeout=PATIENCE_MS)
    qtbot.keyClick(alone, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: picture_in(alone, "reference") == FRAMES - 1, timeout=PATIENCE_MS)


def test_that_one_model_plays_alone_with_its_detections(
    alone: MainWindow, inputs: Inputs, qtbot: QtBot
) -> None:
    alone.engine.open_reference(inputs.reference)
    qtbot.waitUntil(lambda: alone.view_model.alone is not None, timeout=PATIENCE_MS)
    seen = numbers_painted(alone)
    qtbot.keyClick(alone, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: bool(seen) and seen[-1] == FRAMES - 1, timeout=PATIENCE_MS)
    panes = alone.comparison.panes
    assert len(panes["reference"].marks()) > 0
    assert panes["candidate"].marks() == ()
    assert panes["candidate"].notice == "Drop the candidate model here"


def test_that_a_camera_alone_shows_its_live_picture(
    window: MainWindow, inputs: Inputs, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no camera here: OpenCV reads a file through the same object."""
    opened = cv2.VideoCapture
    monkeypatch.setattr(cv2, "VideoCapture", lambda number: opened(str(inputs.video)))
    seen = numbers_painted(window)
    window.engine.open_source("camera:0")
    qtbot.waitUntil(lambda: len(set(seen)) > 3, timeout=PATIENCE_MS)
    assert seen == sorted(seen)
    assert window.view_model.source.frame_size == SIZE
    assert not window.actions_by_id["play.end"].isEnabled()
    qtbot.keyClick(window, Qt.Key.Key_Space)
    paused = window.view_model.position.frame_index
    assert not window.view_model.playing.playing
    qtbot.keyClick(window, Qt.Key.Key_Left)
    qtbot.waitUntil(lambda: seen[-1] < max(seen), timeout=PATIENCE_MS)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: max(seen) > paused, timeout=PATIENCE_MS)


@pytest.mark.parametrize("mode", list(PaneMode))
def test_that_a_video_alone_is_seen_in_every_mode(alone: MainWindow, qtbot: QtBot, mode: PaneMode) -> None:
    seen = numbers_painted(alone)
    alone.set_mode(mode)
    alone.requests.seek.emit(7)
    qtbot.waitUntil(lambda: bool(seen) and seen[-1] == 7, timeout=PATIENCE_MS)
