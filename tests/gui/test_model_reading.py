"""A model that cannot be understood is described in a dialog, with what it finds at once."""

from __future__ import annotations

import shutil
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLabel, QPlainTextEdit, QPushButton
from pytestqt.qtbot import QtBot

from tests.gui.conftest import PATIENCE_MS, Inputs
from tests.model_zoo import ANCHORS
from trtviewer.gui.dialogs.model_reading import ModelReading
from trtviewer.gui.main_window import MainWindow
from trtviewer.gui.view_model import ModelState
from trtviewer.models.load import load_spec
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
    mine, known = load_spec(bare), load_spec(inputs.reference)
    assert (mine.family, mine.heads) == (known.family, known.heads)


def test_that_cancelling_leaves_no_file_and_no_thread(
    window: MainWindow, inputs: Inputs, tmp_path: Path, qtbot: QtBot
) -> None:
    bare = tmp_path / "bare.onnx"
    shutil.copy(inputs.reference, bare)
    window.ask_reading(bare)
    dialog = window.findChild(ModelReading)
    qtbot.mouseClick(dialog.findChild(QPushButton, "reading.cancel"), Qt.MouseButton.LeftButton)
    assert list(tmp_path.glob("*.toml")) == []
