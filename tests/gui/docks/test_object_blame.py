"""Blame for one object, from a click on the picture to the layers of its cell."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QTableView, QToolButton
from pytestqt.qtbot import QtBot

from tests.gui.conftest import PATIENCE_MS, wait_for_frame
from trtviewer.gui.docks.layers import LayersDock
from trtviewer.gui.docks.object_rows import Column
from trtviewer.gui.main_window import MainWindow
from trtviewer.gui.view_model import Selection


def choose_a_missed_object(window: MainWindow, qtbot: QtBot) -> Selection:
    """Clicks on the picture, frame after frame, until a missed object is chosen: small ones may lie over others."""
    pane = window.comparison.panes["reference"]
    for index in range(24):
        window.requests.seek.emit(index)
        wait_for_frame(window, qtbot, index)
        for mark in pane.rendered.scenes["reference"].marks:
            if mark.kind != "missed":
                continue
            middle = ((mark.xyxy[0] + mark.xyxy[2]) / 2, (mark.xyxy[1] + mark.xyxy[3]) / 2)
            at = pane.mapping().to_pane(*middle)
            qtbot.mouseClick(pane, Qt.MouseButton.LeftButton, pos=at.toPoint())
            chosen = window.view_model.selection
            if chosen is not None and chosen.label.startswith("missed"):
                return chosen
            window.requests.select.emit(None)
            window.comparison.fit()
    pytest.fail("no missed object could be chosen")


def test_that_a_click_on_a_missed_object_chooses_it_and_its_layers_are_ranked(
    comparing: MainWindow, qtbot: QtBot
) -> None:
    selection = choose_a_missed_object(comparing, qtbot)
    comparison = comparing.view_model.comparison
    boxes, missed = comparison.reference.boxes, comparison.matching.missed.index
    rows = comparison.reference.detections.index[missed]
    assert (selection.head, selection.position) in {
        (int(boxes.head[row]), int(boxes.position[row])) for row in rows
    }
    comparing.requests.reveal.emit("layers")
    qtbot.waitUntil(lambda: comparing.findChild(LayersDock) is not None)
    button = comparing.findChild(QToolButton, "layers.object")
    qtbot.waitUntil(button.isEnabled, timeout=PATIENCE_MS)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: comparing.view_model.what_if.object is not None, timeout=PATIENCE_MS)

    # What is said of the cell is what the heads of the shown frame hold there.
    found = comparing.view_model.what_if.object
    cell = found.blame.cell
    output = comparison.reference.spec.heads[selection.head].output
    channels = comparison.reference.heads[output].shape[1] // 3
    for side, said in (("reference", found.blame.reference), ("candidate", found.blame.candidate)):
        head = getattr(comparison, side).heads[output][0]
        own = head[cell.anchor * channels : (cell.anchor + 1) * channels, cell.row, cell.column]
        np.testing.assert_allclose(said, own, rtol=1e-3, atol=1e-3)
    words = comparing.findChild(QLabel, "layers.words").text()
    assert f"objectness {said_as(found.blame.reference[4])} → {said_as(found.blame.candidate[4])}" in words

    table = comparing.findChild(QTableView, "layers.object_table")
    assert table.isVisibleTo(comparing)
    shifts = [
        float(table.model().index(row, Column.SCORE).data().replace("−", "-"))
        for row in range(table.model().rowCount())
        if table.model().index(row, Column.SCORE).data() != "–"
    ]
    assert shifts and shifts == sorted(shifts)
    box = table.model().index(0, Column.KEEP)
    table.model().setData(box, Qt.CheckState.Checked, Qt.ItemDataRole.CheckStateRole)
    assert comparing.view_model.what_if.ticks == {table.model().index(0, Column.LAYER).data()}


def said_as(value: float) -> str:
    return f"{float(value):.2f}".replace("-", "−")


def test_that_without_a_choice_there_is_no_object_to_look_at(comparing: MainWindow, qtbot: QtBot) -> None:
    comparing.requests.reveal.emit("layers")
    qtbot.waitUntil(lambda: comparing.findChild(LayersDock) is not None)
    assert not comparing.findChild(QToolButton, "layers.object").isEnabled()
