"""Five hundred actions of a hasty user, in an order that a seed fixes: nothing may break, and panes never mix frames."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QDockWidget, QSlider
from pytestqt.exceptions import TimeoutError as QtTimeoutError
from pytestqt.qtbot import QtBot

from tests.gui.conftest import FRAMES, PATIENCE_MS, Inputs, number_in
from trtviewer.gui.actions import ACTIONS
from trtviewer.gui.main_window import MainWindow
from trtviewer.gui.panes.render import Rendered
from trtviewer.gui.panes.viewport import FIT, mapping
from trtviewer.gui.view_model import PaneMode

ACTIONS_IN_ALL = 500
LOOK_EVERY = 50
ASKS = ("file.", "help.", "view.presentation", "compare.measure", "compare.close_candidate")
"""Actions that open a dialog, quit, or run for seconds."""


class Storm:
    """Does one random thing after another in a window."""

    def __init__(self, window: MainWindow, inputs: Inputs, bad: list[Path], seed: int) -> None:
        self.window, self.inputs, self.bad = window, inputs, bad
        self.chance = random.Random(seed)
        self.quick = [action.id for action in ACTIONS if not action.id.startswith(ASKS)]
        self.deeds: list[Callable[[], None]] = [
            self.seek,
            self.slide,
            self.act,
            self.act,
            self.flip_dock,
            self.drop_bad_file,
            self.drop_model,
            self.change_candidate,
            self.resize,
            self.zoom,
        ]

    def one(self) -> None:
        self.chance.choice(self.deeds)()

    def seek(self) -> None:
        self.window.requests.seek.emit(self.chance.randrange(FRAMES))

    def slide(self) -> None:
        name = self.chance.choice(["confidence", "nms_iou", "match_iou", "epsilon"])
        slider = self.window.findChild(QSlider, name)
        slider.setValue(self.chance.randint(slider.minimum(), slider.maximum()))

    def act(self) -> None:
        self.window.actions_by_id[self.chance.choice(self.quick)].trigger()

    def flip_dock(self) -> None:
        self.chance.choice(self.window.findChildren(QDockWidget)).toggleViewAction().trigger()

    def drop_bad_file(self) -> None:
        self.drop(self.chance.choice(self.bad))

    def drop_model(self) -> None:
        self.drop(self.chance.choice([self.inputs.candidate, self.inputs.other]))

    def change_candidate(self) -> None:
        self.window.requests.show_candidate.emit(self.chance.randrange(3))

    def resize(self) -> None:
        self.window.resize(self.chance.randint(900, 1600), self.chance.randint(650, 1000))

    def zoom(self) -> None:
        self.window.comparison.zoom_by(self.chance.choice([0.5, 0.8, 1.25, 2.0]))

    def drop(self, path: Path) -> None:
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(path))])
        place = QPoint(self.window.width() // 2, self.window.height() // 3)
        copy, buttons, keys = (
            Qt.DropAction.CopyAction,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
        entered = QDragEnterEvent(place, copy, mime, buttons, keys)
        QApplication.sendEvent(self.window, entered)
        if entered.isAccepted():
            QApplication.sendEvent(self.window, QDropEvent(QPointF(place), copy, mime, buttons, keys))


def number_drawn(window: MainWindow, side: str) -> int:
    """The frame's number as it stands in the pixels of a pane that shows the whole frame, without boxes."""
    pane = window.comparison.panes[side]
    image = pane.grab().toImage()
    pixels = np.array(image.constBits()).reshape(image.height(), image.bytesPerLine() // 4, 4)[..., :3]
    comparison = window.view_model.comparison
    assert comparison is not None
    rect = mapping(FIT, comparison.frame.size, pane.size().toSizeF()).rect(
        0, 0, comparison.frame.size[1], comparison.frame.size[0]
    )
    x, y = round(rect.x()), round(rect.y())
    return number_in(pixels[y : y + round(rect.height()), x : x + round(rect.width())])


@pytest.mark.slow
def test_that_five_hundred_hasty_actions_break_nothing(
    comparing: MainWindow, inputs: Inputs, qtbot: QtBot, tmp_path: Path
) -> None:
    bad = [tmp_path / name for name in ("notes.txt", "cut.onnx", "cut.mp4", "absent.onnx", "empty")]
    bad[0].write_text("nothing to see")
    bad[1].write_bytes(inputs.reference.read_bytes()[:500])
    bad[2].write_bytes(inputs.video.read_bytes()[:300])
    bad[4].mkdir()
    window = comparing
    mixed: list[object] = []

    def look(rendered: Rendered) -> None:
        shown = {
            pane.frame_index for pane in window.comparison.panes.values() if pane.frame_index is not None
        }
        if shown != {rendered.frame_index}:
            mixed.append(shown)

    window.comparison.painted.connect(look)
    storm = Storm(window, inputs, bad, seed=7)
    for deed in range(1, ACTIONS_IN_ALL + 1):
        storm.one()
        QApplication.processEvents()
        if deed % LOOK_EVERY == 0:
            settle_and_look(window, inputs, qtbot, deed)
    assert not mixed
    assert not [entry for entry in window.view_model.problems if "unexpected" in entry.what]
    window.close()
    left = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    assert not left


def numbers_drawn(window: MainWindow) -> list[int]:
    return [number_drawn(window, side) for side in ("reference", "candidate")]


def state_of(window: MainWindow) -> str:
    """What to know when the panes do not show what they should."""
    model = window.view_model
    comparison = model.comparison
    return (
        f"comparison {comparison and comparison.frame.index}, {model.position}, {model.playing}, "
        f"drawn {numbers_drawn(window) if comparison else None}, "
        f"reference {model.models.reference and model.models.reference.state}, "
        f"candidates {[(one.name, str(one.state)) for one in model.models.candidates]} shown {model.models.shown}, "
        f"problems {[(one.place, one.what) for one in model.problems]}"
    )


def shows(window: MainWindow, wanted: int) -> bool:
    """Whether that frame is shown; asks for it again, since what is still being opened starts at its first frame."""
    comparison = window.view_model.comparison
    if (
        comparison is not None
        and comparison.frame.index == wanted
        and window.view_model.position.frame_index == wanted
    ):
        return True
    window.requests.seek.emit(wanted)
    return False


def settle_and_look(window: MainWindow, inputs: Inputs, qtbot: QtBot, deed: int) -> None:
    """Stops, opens what was dropped away, and reads the frame's number in the pixels of both panes."""
    window.engine.open_reference(inputs.reference)
    window.engine.add_candidate(inputs.candidate)
    window.engine.open_source(str(inputs.video))
    if window.view_model.playing.playing:
        window.engine.toggle()
    window.view_model.change_display(mode=PaneMode.SIDE_BY_SIDE, boxes=False)
    window.view_model.set_overlay(None)
    window.comparison.fit()
    wanted = deed % FRAMES
    try:
        qtbot.waitUntil(
            lambda: shows(window, wanted) and numbers_drawn(window) == [wanted, wanted], timeout=PATIENCE_MS
        )
    except QtTimeoutError as error:
        raise AssertionError(f"after {deed} actions, frame {wanted}: {state_of(window)}") from error
    window.view_model.change_display(boxes=True)
