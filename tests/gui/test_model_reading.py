"""A model that cannot be understood is described in a dialog, with what it finds at once."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLabel, QPlainTextEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from tests.gui.conftest import PATIENCE_MS, Inputs
from tests.model_zoo import ANCHORS
from trtviewer.gui.dialogs.model_reading import ModelReading
from trtviewer.gui.main_window import MainWindow
from trtviewer.gui.view_model import ModelState
from trtviewer.models import onnx_file
from trtviewer.models.load import load_spec
from trtviewer.models.onnx_file import read_onnx
from trtviewer.models.spec import Family


def test_that_an_unknown_model_is_described_tried_and_opened(
    window: MainWindow, inputs: Inputs, tmp_path: Path, qtbot: QtBot
) -> None:
    bare = tmp_path / "bare.onnx"
    shutil.copy(inputs.reference, bare)
    window.engine.open_source(str(inputs.video))
    qtbot.waitUntil(lambda: window.view_model.source is not None, timeout=PATIENCE_MS)
    window.engine.open_paths([bare], "reference")
    qtbot.waitUntil(lambda: window.findChild(ModelReading) is not None, timeout=PATIENCE_MS)
    dialog = window.findChild(ModelReading)
    qtbot.waitUntil(dialog.findChild(QWidget, "reading.form").isEnabled, timeout=PATIENCE_MS)
    family = dialog.findChild(QComboBox, "reading.family")
    family.setCurrentIndex(family.findData(Family.YOLO_ANCHOR))
    anchors = dialog.findChild(QPlainTextEdit, "reading.anchors")
    said = dialog.findChild(QLabel, "reading.said")
    anchors.setPlainText("head8 eight")
    qtbot.waitUntil(lambda: "not numbers" in said.text(), timeout=PATIENCE_MS)
    assert not dialog.findChild(QPushButton, "reading.save").isEnabled()
    anchors.setPlainText(
        "\n".join(
            f"head{stride} {stride} " + " ".join(f"{width} {height}" for width, height in pairs)
            for stride, pairs in ANCHORS.items()
        )
    )
    qtbot.waitUntil(lambda: "look right?" in said.text(), timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: dialog.rendered is not None, timeout=PATIENCE_MS)
    assert said.text().startswith(str(len(dialog.pane.marks())))
    qtbot.mouseClick(dialog.findChild(QPushButton, "reading.save"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(
        lambda: (
            window.view_model.models.reference is not None
            and window.view_model.models.reference.state is ModelState.READY
        ),
        timeout=PATIENCE_MS,
    )
    qtbot.waitUntil(lambda: window.findChild(ModelReading) is None, timeout=PATIENCE_MS)
    mine, known = load_spec(bare), load_spec(inputs.reference)
    assert (mine.family, mine.heads) == (known.family, known.heads)


@pytest.mark.parametrize("way", ["cancel", "escape", "close"])
def test_that_cancelling_takes_the_dialog_away_and_leaves_no_file_and_no_thread(
    window: MainWindow, inputs: Inputs, tmp_path: Path, qtbot: QtBot, way: str
) -> None:
    bare = tmp_path / "bare.onnx"
    shutil.copy(inputs.reference, bare)
    window.ask_reading(bare)
    dialog = window.findChild(ModelReading)
    if way == "cancel":
        qtbot.mouseClick(dialog.findChild(QPushButton, "reading.cancel"), Qt.MouseButton.LeftButton)
    elif way == "escape":
        qtbot.waitUntil(dialog.isActiveWindow, timeout=PATIENCE_MS)
        qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    else:
        dialog.close()
    qtbot.waitUntil(lambda: window.findChild(ModelReading) is None, timeout=PATIENCE_MS)
    assert list(tmp_path.glob("*.toml")) == []


def test_that_the_header_is_read_off_the_gui_thread_and_proposes_its_anchors(
    window: MainWindow, inputs: Inputs, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = tmp_path / "bare.onnx"
    shutil.copy(inputs.reference, bare)
    threads: list[threading.Thread] = []

    def read(path: Path) -> object:
        threads.append(threading.current_thread())
        return read_onnx(path)

    monkeypatch.setattr(onnx_file, "read_onnx", read)
    window.ask_reading(bare)
    dialog = window.findChild(ModelReading)
    form = dialog.findChild(QWidget, "reading.form")
    assert not form.isEnabled(), "nothing can be chosen before the outputs are known"
    assert not dialog.findChild(QPushButton, "reading.save").isEnabled()
    qtbot.waitUntil(form.isEnabled, timeout=PATIENCE_MS)
    assert threads
    assert threading.main_thread() not in threads
    text = dialog.findChild(QPlainTextEdit, "reading.anchors").toPlainText()
    assert [line.split()[:2] for line in text.splitlines()] == [
        [f"head{stride}", str(stride)] for stride in ANCHORS
    ]


def test_that_closing_at_once_ends_the_reading(window: MainWindow, inputs: Inputs, tmp_path: Path) -> None:
    bare = tmp_path / "bare.onnx"
    shutil.copy(inputs.reference, bare)
    before = set(threading.enumerate())
    window.ask_reading(bare)
    window.findChild(ModelReading).close()
    assert {thread.name for thread in set(threading.enumerate()) - before} <= {"engine_0"}


def test_that_two_unknown_models_are_asked_for_one_after_the_other(
    window: MainWindow, inputs: Inputs, tmp_path: Path, qtbot: QtBot
) -> None:
    bare = [tmp_path / "one.onnx", tmp_path / "two.onnx"]
    for path in bare:
        shutil.copy(inputs.reference, path)
    window.engine.open_paths(bare)
    qtbot.waitUntil(lambda: len(window.view_model.problems) == 2, timeout=PATIENCE_MS)
    asked = []
    for _ in bare:
        qtbot.waitUntil(lambda: len(window.findChildren(ModelReading)) == 1, timeout=PATIENCE_MS)
        dialog = window.findChild(ModelReading)
        asked.append(dialog.windowTitle())
        qtbot.mouseClick(dialog.findChild(QPushButton, "reading.cancel"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.findChild(ModelReading) is None, timeout=PATIENCE_MS)
    assert sorted(asked) == ["How is one.onnx read?", "How is two.onnx read?"]
