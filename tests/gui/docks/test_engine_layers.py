"""An engine's layers in the Layers dock, where no GPU can open it: what is recorded, what is known beside it, and why."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLabel, QTableView
from pytestqt.qtbot import QtBot

from tests.gui.conftest import PATIENCE_MS
from tests.gui.docks.test_layers import column
from tests.recorded_engine import LAYERS, write_engine
from trtviewer.gui.docks.engine_rows import Column
from trtviewer.gui.docks.layers import LayersDock
from trtviewer.gui.main_window import MainWindow
from trtviewer.gui.view_model import ModelState
from trtviewer.runners.nvidia import driver

pytestmark = pytest.mark.skipif(bool(driver().gpus), reason="a GPU is here")


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def open_engine(window: MainWindow, qtbot: QtBot, path: Path, side: str = "candidate") -> LayersDock:
    """Opens it, waits until that has failed, for there is no GPU, and reveals the Layers dock."""
    window.engine.open_paths([path], side)

    def failed() -> bool:
        entry = getattr(window.view_model.models, side)
        return entry is not None and entry.state is ModelState.FAILED

    qtbot.waitUntil(failed, timeout=PATIENCE_MS)
    window.requests.reveal.emit("layers")
    qtbot.waitUntil(lambda: window.findChild(LayersDock) is not None)
    return window.findChild(LayersDock)


def open_and_read(window: MainWindow, qtbot: QtBot, path: Path, side: str = "candidate") -> None:
    dock = open_engine(window, qtbot, path, side)
    qtbot.waitUntil(lambda: dock.engine.reading is not None, timeout=PATIENCE_MS)


def shown(window: MainWindow) -> QTableView:
    table = window.findChild(QTableView, "layers.engine_table")
    assert table.isVisible()
    return table


@pytest.mark.parametrize("side", ["candidate", "reference"])
def test_that_recorded_layers_are_shown_with_what_they_run_in(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, side: str
) -> None:
    open_and_read(window, qtbot, write_engine(tmp_path / "m.engine"), side)
    table = shown(window)
    assert column(table, Column.LAYER) == [one["Name"] for one in LAYERS]
    assert column(table, Column.RUNS_IN) == ["FP32", "INT8", "INT8", "FP16", "TF32"]
    assert column(table, Column.READS) == ["FP32", "INT8", "INT8", "FP16", "FP32"]
    assert column(table, Column.WRITES) == ["INT8", "INT8", "FP16", "FP16", "FP32"]
    assert column(table, Column.HOLDS)[:3] == ["–", "Conv_0, Relu_1", "Conv_2"]
    assert column(table, Column.TACTIC)[1] == "sm80_xmma_fprop_i8i8_i8i32"
    words = window.findChild(QLabel, "layers.words").text()
    assert words == (
        "2 of the 5 layers of m.engine run in INT8, 1 in FP32, 1 in FP16, 1 in TF32 (recorded in m.engine.layers.json)."
    )
    marks = [
        table.model().index(row, Column.RUNS_IN).data(Qt.ItemDataRole.DecorationRole).name()
        for row in range(5)
    ]
    assert len({marks[0], marks[1], marks[3]}) == 3, "FP32, INT8 and FP16 are told apart"
    assert marks[1] == marks[2]


def test_that_only_the_layers_of_one_precision_can_be_shown(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    open_and_read(window, qtbot, write_engine(tmp_path / "m.engine"))
    precision = window.findChild(QComboBox, "layers.precision")
    assert precision.itemText(0) == "All 5"
    precision.setCurrentIndex(precision.findData("INT8"))
    assert column(shown(window), Column.LAYER) == ["Conv_0 + Relu_1", "Conv_2"]
    precision.setCurrentIndex(0)
    assert shown(window).model().rowCount() == 5


def test_that_an_engine_that_tells_names_only_says_so(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    open_and_read(window, qtbot, write_engine(tmp_path / "m.engine", layers=("Conv_0 + Relu_1", "Conv_2")))
    assert column(shown(window), Column.LAYER) == ["Conv_0 + Relu_1", "Conv_2"]
    assert column(shown(window), Column.RUNS_IN) == ["not said"] * 2
    assert "without detailed profiling verbosity" in window.findChild(QLabel, "layers.words").text()


def test_that_of_an_engine_with_no_record_is_said_why_and_what_is_known(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    open_and_read(window, qtbot, write_engine(tmp_path / "m.engine", size=(64, 96), layers=None))
    label = window.findChild(QLabel, "layers.engine_empty")
    assert label.isVisible()
    why, beside, cure = label.text().splitlines()
    assert why.startswith("Not opened: m.engine was not built here")
    assert beside == "Beside it is said: yolo-anchor, 96 × 64, 3 classes, outputs head8, head16, head32."
    assert "--exportLayerInfo=m.engine.layers.json" in cure


def test_that_a_record_that_cannot_be_read_is_named(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    path = write_engine(tmp_path / "m.engine")
    (tmp_path / "m.engine.layers.json").write_text("no json")
    open_engine(window, qtbot, path)
    label = window.findChild(QLabel, "layers.engine_empty")
    qtbot.waitUntil(lambda: "m.engine.layers.json: cannot be read" in label.text(), timeout=PATIENCE_MS)


def test_that_the_blame_comes_back_with_a_candidate_that_is_no_engine(
    comparing: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    comparing.requests.reveal.emit("layers")
    qtbot.waitUntil(lambda: comparing.findChild(LayersDock) is not None)
    what, seen = comparing.findChild(LayersDock).what, []
    assert not what.isVisible()
    comparing.view_model.models_changed.connect(lambda _: seen.append((what.isVisible(), what.currentText())))
    comparing.engine.open_paths([write_engine(tmp_path / "m.engine")], "candidate")
    # It cannot be opened here: the candidate that ran goes on, and so does the dock.
    qtbot.waitUntil(lambda: (True, "Engine: candidate") in seen and not what.isVisible(), timeout=PATIENCE_MS)
    assert comparing.findChild(QLabel, "layers.empty").isVisible()


def test_that_closing_while_it_is_being_read_leaves_nothing(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    open_engine(window, qtbot, write_engine(tmp_path / "m.engine"))
    window.close()
    assert not window.isVisible()
