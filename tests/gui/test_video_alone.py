"""A video with no model: its frames are seen and gone through, and the panes ask for the models."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from tests.gui.conftest import FRAMES, PATIENCE_MS, Inputs, number_in, wait_for_frame
from trtviewer.gui.main_window import MainWindow
from trtviewer.gui.view_model import PaneMode


def picture_in(window: MainWindow, side: str) -> int | None:
    """The number of the frame that a pane has painted; None where there is none."""
    pane = window.comparison.panes[side]
    if pane.rendered is None:
        return None
    return number_in(pane.rendered.pixels[..., :3])


def test_that_a_video_alone_is_seen_and_gone_through(
    window: MainWindow, inputs: Inputs, qtbot: QtBot
) -> None:
    window.engine.open_source(str(inputs.video))
    for side in ("reference", "candidate"):
        qtbot.waitUntil(lambda s=side: picture_in(window, s) == 0, timeout=PATIENCE_MS)
        assert window.comparison.panes[side].notice == f"Drop the {side} model here"
    assert window.comparison.isVisible()
    window.set_mode(PaneMode.SPLIT)
    assert window.comparison.panes["reference"].notice.startswith("Drop two models")
    window.set_mode(PaneMode.SIDE_BY_SIDE)
    window.requests.seek.emit(9)
    qtbot.waitUntil(lambda: picture_in(window, "reference") == 9, timeout=PATIENCE_MS)
    window.requests.step.emit(2)
    qtbot.waitUntil(lambda: picture_in(window, "candidate") == 11, timeout=PATIENCE_MS)
    assert window.view_model.position.frame_index == 11
    window.requests.seek.emit(FRAMES + 5)
    qtbot.waitUntil(lambda: picture_in(window, "reference") == FRAMES - 1, timeout=PATIENCE_MS)
    assert not window.actions_by_id["play.toggle"].isEnabled()
    assert window.view_model.problems == ()


def test_that_models_take_the_picture_over(window: MainWindow, inputs: Inputs, qtbot: QtBot) -> None:
    window.engine.open_source(str(inputs.video))
    qtbot.waitUntil(lambda: window.view_model.bare is not None, timeout=PATIENCE_MS)
    window.engine.open_reference(inputs.reference)
    window.engine.add_candidate(inputs.candidate)
    wait_for_frame(window, qtbot, 0)
    assert window.view_model.bare is None
    assert window.actions_by_id["play.toggle"].isEnabled()
    assert all(not pane.notice.startswith("Drop") for pane in window.comparison.panes.values())
