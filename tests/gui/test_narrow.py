"""The window on small screens and with long names: everything can be reached, nothing is cut without saying so."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import QApplication, QLabel, QScrollArea, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from tests.gui.conftest import Inputs, open_all, wait_for_frame
from trtviewer.gui.main_window import MainWindow
from trtviewer.gui.theme import DARK, LIGHT, Theme
from trtviewer.gui.typography import Elided
from trtviewer.gui.view_model import PaneMode, Progress

SMALLEST = (960, 500)
"""A screen of 1920 x 1080 at 200 %, without the system's title and task bars."""
SIZES = ((1040, 700), (1280, 800), SMALLEST, (1280, 680), (1920, 1080))
LONG = "pedestrians-and-cars-detector-of-the-crossroads-release"


@pytest.fixture
def long_names(inputs: Inputs, tmp_path: Path) -> Inputs:
    """The same models under names of 60 letters, which differ at their ends."""
    named = []
    for path, end in ((inputs.reference, "fp32"), (inputs.candidate, "int8")):
        copy = tmp_path / f"{LONG}-{end}.onnx"
        shutil.copy(path, copy)
        shutil.copy(path.with_suffix(".toml"), copy.with_suffix(".toml"))
        named.append(copy)
    return Inputs(named[0], named[1], inputs.other, inputs.video)


def shown(parent: QWidget, kind: type[QWidget] = QWidget) -> Iterator[QWidget]:
    yield from (child for child in parent.findChildren(kind) if child.isVisible() and child.width() > 0)


def texts_cut(parent: QWidget) -> list[str]:
    """The labels and buttons whose text is wider than their room, without dots that say so."""
    return [
        child.text()
        for kind in (QLabel, QToolButton)
        for child in shown(parent, kind)
        if not isinstance(child, Elided)
        and not (isinstance(child, QLabel) and child.wordWrap())
        and child.sizeHint().width() > child.width() + 1
        and "…" not in child.text()
    ]


def can_be_clicked(window: MainWindow, widget: QWidget) -> bool:
    """Whether the mouse reaches it at its middle and at both of its ends."""
    places = (2, widget.width() // 2, widget.width() - 3)
    return all(
        window.childAt(widget.mapTo(window, QPoint(x, widget.height() // 2))) is widget for x in places
    )


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
def test_that_tools_and_headers_show_all_that_they_have_room_for(
    window: MainWindow, long_names: Inputs, qtbot: QtBot, size: tuple[int, int], theme: Theme
) -> None:
    window.view_model.set_theme(theme)
    open_all(window, long_names)
    wait_for_frame(window, qtbot, 0)
    window.resize(*size)
    QApplication.processEvents()
    assert (window.width(), window.height()) == size
    buttons = [window.findChild(QToolButton, f"button.mode.{mode.value}") for mode in PaneMode]
    buttons += [window.findChild(QToolButton, f"picker.{name}") for name in ("reference", "candidate", "add")]
    qtbot.waitUntil(lambda: all(can_be_clicked(window, button) for button in buttons))
    for side, path in (("reference", long_names.reference), ("candidate", long_names.candidate)):
        picker = window.findChild(QToolButton, f"picker.{side}")
        assert "…" in picker.text()
        assert path.name in picker.toolTip()
        name = window.findChild(Elided, f"header.{side}.name")
        assert len(name.text()) >= 10, "a name is seen before anything else"
        assert path.name in name.toolTip()
        assert window.findChild(QLabel, f"header.{side}.precision").isVisible()
    row = window.findChild(QWidget, "tool_row")
    headers = list(window.comparison.headers.values())
    assert [text for part in (row, *headers) for text in texts_cut(part)] == []


def test_that_a_short_name_stays_whole_beside_a_long_one(
    window: MainWindow, inputs: Inputs, long_names: Inputs, qtbot: QtBot
) -> None:
    window.resize(1040, 700)
    window.engine.open_reference(inputs.reference)
    window.engine.add_candidate(long_names.candidate)
    window.engine.open_source(str(inputs.video))
    wait_for_frame(window, qtbot, 0)
    qtbot.waitUntil(lambda: inputs.reference.name in window.findChild(QToolButton, "picker.reference").text())
    assert "…" in window.findChild(QToolButton, "picker.candidate").text()


def test_that_words_come_back_with_the_room_for_them(
    window: MainWindow, long_names: Inputs, qtbot: QtBot
) -> None:
    open_all(window, long_names)
    wait_for_frame(window, qtbot, 0)
    split = window.findChild(QToolButton, "button.mode.split")
    window.resize(*SMALLEST)
    qtbot.waitUntil(lambda: split.width() < 50)
    window.resize(1920, 1080)
    qtbot.waitUntil(lambda: split.width() > 50)
    said = [label.text() for label in shown(window.comparison.headers["candidate"], QLabel)]
    assert "Candidate" in said
    assert "INT8 emulated" in said


def test_that_every_page_fits_a_screen_at_200_per_cent(
    window: MainWindow, inputs: Inputs, qtbot: QtBot
) -> None:
    window.resize(*SMALLEST)
    QApplication.processEvents()
    assert (window.width(), window.height()) == SMALLEST
    open_all(window, inputs)
    wait_for_frame(window, qtbot, 0)
    for dock_id, dock in window.shelf.docks.items():
        window.requests.reveal.emit(dock_id)
        qtbot.waitUntil(lambda d=dock: d.widget() is not None and d.widget().isVisible())
        QApplication.processEvents()
        assert (window.width(), window.height()) == SMALLEST, dock_id
        place = QRect(dock.mapTo(window, QPoint(0, 0)), dock.size())
        assert window.rect().contains(place), dock_id
    assert min(pane.height() for pane in window.comparison.panes.values()) >= 90


def test_that_nothing_moves_when_work_begins_and_ends(
    window: MainWindow, inputs: Inputs, qtbot: QtBot
) -> None:
    open_all(window, inputs)
    wait_for_frame(window, qtbot, 0)
    places = set()
    for progress in (None, Progress("test", "Working", 3, 10, 5.0, cancel=lambda: None)):
        if progress is not None:
            window.view_model.set_progress(progress)
        QApplication.processEvents()
        places.add(window.statusBar().geometry().getRect())
    assert len(places) == 1


def test_that_there_is_nothing_to_play_under_the_start_page(
    window: MainWindow, inputs: Inputs, qtbot: QtBot
) -> None:
    assert window.start_page.isVisible()
    assert not window.transport.isVisible()
    window.toggle_presentation()
    window.toggle_presentation()
    assert not window.transport.isVisible()
    window.engine.open_source(str(inputs.video))
    qtbot.waitUntil(lambda: window.transport.isVisible())
    window.toggle_presentation()
    assert not window.transport.isVisible()
    window.toggle_presentation()
    assert window.transport.isVisible()


@pytest.mark.parametrize("size", SIZES)
def test_that_the_panel_scrolls_down_and_never_aside(
    window: MainWindow, inputs: Inputs, qtbot: QtBot, size: tuple[int, int]
) -> None:
    open_all(window, inputs)
    wait_for_frame(window, qtbot, 0)
    window.resize(*size)
    QApplication.processEvents()
    area = window.findChild(QScrollArea, "panel")
    assert area.widget().width() == area.viewport().width()
    assert texts_cut(area.widget()) == []


def with_long_words(model: Path, folder: Path, words: int, *, broken: bool) -> Path:
    """The same model with output and class names as exporters make them; a broken one gives NaN in one channel of each output."""
    made = onnx.load(model)
    text = model.with_suffix(".toml").read_text()
    for output in made.graph.output:
        long = (
            f"/model/detection_head/{output.name}/cls_and_box/Conv_BiasAdd_output_0{'_dequantized' * words}"
        )
        text = text.replace(f'"{output.name}"', f'"{long}"')
        last = next(node for node in made.graph.node if output.name in node.output)
        if broken:
            bias_of = next(node for node in made.graph.node if last.input[0] in node.output).input[2]
            bias = next(one for one in made.graph.initializer if one.name == bias_of)
            values = numpy_helper.to_array(bias).copy()
            values[0] = np.nan
            bias.CopyFrom(numpy_helper.from_array(values, bias.name))
        last.output[0] = output.name = long
    for number in range(3):
        text = text.replace(f'"kind{number}"', f'"articulated-lorry-with-a-trailer-of-the-kind-{number}"')
    path = folder / f"{'broken' if broken else 'sound'}.onnx"
    onnx.save(made, path)
    path.with_suffix(".toml").write_text(text)
    return path


@pytest.mark.parametrize("size", [(1040, 700), (1280, 800), SMALLEST])
@pytest.mark.parametrize(("words", "cut"), [(1, False), (9, True)])
def test_that_a_long_verdict_is_set_smaller_and_only_then_cut(
    window: MainWindow,
    inputs: Inputs,
    qtbot: QtBot,
    tmp_path: Path,
    size: tuple[int, int],
    words: int,
    cut: bool,
) -> None:
    window.resize(*size)
    window.engine.open_reference(with_long_words(inputs.reference, tmp_path, words, broken=False))
    window.engine.add_candidate(with_long_words(inputs.reference, tmp_path, words, broken=True))
    window.engine.open_source(str(inputs.video))
    wait_for_frame(window, qtbot, 0)
    verdict = window.summary.verdict
    qtbot.waitUntil(lambda: "NaN" in verdict.whole)
    assert len(verdict.whole) > 300
    # Qt's own layout of the same words in the same type: none of its lines lies outside.
    assert verdict.heightForWidth(verdict.width()) <= verdict.height()
    assert verdict.text().endswith("…") == cut
    assert verdict.text().startswith("The candidate")
    if cut:
        assert verdict.whole in verdict.toolTip()
    else:
        assert verdict.text().replace("\u200b", "") == verdict.whole
    widest = max(
        verdict.fontMetrics().horizontalAdvance(word) for word in re.split(r"[\s\u200b]", verdict.text())
    )
    assert widest <= verdict.width()
    assert texts_cut(window.findChild(QScrollArea, "panel").widget()) == []


def test_that_a_short_verdict_is_large_and_whole(window: MainWindow, inputs: Inputs, qtbot: QtBot) -> None:
    open_all(window, inputs)
    wait_for_frame(window, qtbot, 0)
    verdict = window.summary.verdict
    qtbot.waitUntil(lambda: "INT8" in verdict.text())
    assert verdict.text() == verdict.whole
    assert verdict.font().pointSizeF() > 1.2 * window.font().pointSizeF()
    assert "misses" not in verdict.toolTip()
