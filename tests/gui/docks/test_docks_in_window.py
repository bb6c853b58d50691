"""The docks in the real window, with real models, a real video and the real core."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDockWidget,
    QDoubleSpinBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QSlider,
    QSpinBox,
    QTabBar,
)
from pytestqt.qtbot import QtBot

from tests.gui.conftest import FRAMES, PATIENCE_MS, Inputs, number_in, open_all, wait_for_frame
from tests.gui.docks.conftest import pixels_of
from trtviewer.compare.matched_video import DisagreementTable, MatchedVideoBuilder
from trtviewer.gui.docks.catalogue import DOCKS
from trtviewer.gui.docks.disagreements import DisagreementsDock
from trtviewer.gui.docks.heatmaps import HeatmapsDock
from trtviewer.gui.main_window import MainWindow
from trtviewer.gui.view_model import ModelState
from trtviewer.pipeline.analysis import comparisons
from trtviewer.pipeline.pair import open_pair
from trtviewer.sources.address import open_source
from trtviewer.sources.source import FrameRange


def dock_of(window: MainWindow, qtbot: QtBot, dock_id: str):  # type: ignore[no-untyped-def]
    """Clicks the dock's tab, as a user does."""
    title = next(one.title for one in DOCKS if one.id == dock_id)
    for bar in window.findChildren(QTabBar):
        for index in range(bar.count()):
            if bar.tabText(index) == title and bar.isVisible():
                qtbot.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.tabRect(index).center())
    dock = window.findChild(QDockWidget, f"dock.{dock_id}")
    qtbot.waitUntil(lambda: dock.widget() is not None and dock.widget().isVisible(), timeout=5000)
    return dock.widget()


def analysed(window: MainWindow, qtbot: QtBot) -> None:
    window.actions_by_id["compare.analyse"].trigger()
    qtbot.waitUntil(lambda: window.view_model.analysed[0] == FRAMES, timeout=PATIENCE_MS)


def fresh_table(window: MainWindow) -> DisagreementTable:
    """The disagreements by a comparison that shares nothing with the window, at the settings of now."""
    models, settings = window.view_model.models, window.view_model.settings
    assert models.reference is not None
    assert models.candidate is not None
    assert models.reference.spec is not None
    assert models.candidate.spec is not None
    assert window.view_model.source is not None
    builder = MatchedVideoBuilder(settings, models.reference.spec.classes)
    with (
        open_source(window.view_model.source.address) as source,
        open_pair(models.reference.spec, models.candidate.spec) as pair,
    ):
        for one in comparisons(source, FrameRange(), pair, settings):
            builder.add_matched(one.kept(), one.reference.detections, one.candidate.detections, one.matching)
    return builder.snapshot().disagreements


def as_set(table: DisagreementTable) -> set[tuple[int, ...]]:
    return set(
        zip(
            table.frame_index.tolist(),
            table.kind.tolist(),
            table.reason.tolist(),
            table.class_id.tolist(),
            table.position.tolist(),
            table.head.tolist(),
            strict=True,
        )
    )


def test_that_the_table_agrees_with_a_fresh_comparison_also_after_a_slider_move(
    comparing: MainWindow, qtbot: QtBot
) -> None:
    dock: DisagreementsDock = dock_of(comparing, qtbot, "disagreements")
    analysed(comparing, qtbot)
    qtbot.waitUntil(
        lambda: dock.model.table is comparing.view_model.matched_video.disagreements, timeout=5000
    )
    first = as_set(dock.model.table)
    assert first == as_set(fresh_table(comparing))
    slider = comparing.findChild(QSlider, "confidence")
    slider.setFocus()
    for _ in range(3):
        qtbot.keyClick(slider, Qt.Key.Key_PageDown)
    settings = comparing.view_model.settings
    assert settings.confidence < 0.25

    def through() -> bool:
        video = comparing.view_model.matched_video
        return (
            video.settings == settings
            and len(video.frame_index) == FRAMES
            and dock.model.table is video.disagreements
        )

    qtbot.waitUntil(through, timeout=PATIENCE_MS)
    second = as_set(dock.model.table)
    assert second == as_set(fresh_table(comparing))
    assert second != first
    assert not dock.findChild(QLabel, "disagreements.notice").isVisible()


def test_that_a_row_brings_both_panes_to_its_frame_and_zooms_there(
    comparing: MainWindow, qtbot: QtBot
) -> None:
    dock: DisagreementsDock = dock_of(comparing, qtbot, "disagreements")
    analysed(comparing, qtbot)
    qtbot.waitUntil(
        lambda: dock.model.table is comparing.view_model.matched_video.disagreements, timeout=PATIENCE_MS
    )
    table = dock.model.table
    assert table is not None
    row = next(i for i in range(len(dock.model.rows)) if table.frame_index[dock.model.rows[i]] > 2)
    frame = int(table.frame_index[dock.model.rows[row]])
    index = dock.model.index(row, 0)
    dock.view.scrollTo(index)
    qtbot.mouseClick(
        dock.view.viewport(), Qt.MouseButton.LeftButton, pos=dock.view.visualRect(index).center()
    )
    wait_for_frame(comparing, qtbot, frame)
    qtbot.waitUntil(lambda: comparing.comparison.viewport.view.zoom > 1, timeout=5000)
    left, top, right, bottom = table.xyxy[dock.model.rows[row]].tolist()
    view = comparing.comparison.viewport.view
    height, width = comparing.view_model.comparison.frame.size
    assert (view.x * width, view.y * height) == pytest.approx(((left + right) / 2, (top + bottom) / 2))


def test_that_the_heatmap_lies_over_every_frame_that_is_shown(comparing: MainWindow, qtbot: QtBot) -> None:
    comparing.view_model.change_display(boxes=False)
    pane = comparing.comparison.panes["reference"]
    qtbot.keyClick(comparing, Qt.Key.Key_H)
    qtbot.waitUntil(lambda: comparing.view_model.overlay is not None, timeout=PATIENCE_MS)
    seen: list[tuple[int, int | None]] = []

    def note(rendered: object) -> None:
        overlay = comparing.view_model.overlay
        seen.append((pane.frame_index, None if overlay is None else overlay.frame_index))  # type: ignore[arg-type]

    comparing.comparison.painted.connect(note)
    for index in range(1, 8):
        qtbot.keyClick(comparing, Qt.Key.Key_Right)
        wait_for_frame(comparing, qtbot, index)
    assert [frame for frame, _ in seen] == sorted(frame for frame, _ in seen)
    assert {frame for frame, _ in seen} >= set(range(1, 8))
    assert all(frame == overlay for frame, overlay in seen)
    with_map = pixels_of(pane).astype(int)
    qtbot.keyClick(comparing, Qt.Key.Key_H)
    qtbot.waitUntil(lambda: comparing.view_model.overlay is None, timeout=5000)
    plain = pixels_of(pane).astype(int)
    assert (np.abs(with_map - plain).max(axis=-1) > 12).mean() > 0.02


def test_that_the_heatmap_lies_over_the_difference_too(comparing: MainWindow, qtbot: QtBot) -> None:
    comparing.view_model.change_display(boxes=False)
    qtbot.keyClick(comparing, Qt.Key.Key_D)
    pane = comparing.comparison.panes["reference"]
    qtbot.waitUntil(lambda: "difference" in pane.rendered.scenes, timeout=PATIENCE_MS)
    plain = pixels_of(pane).astype(int)
    qtbot.keyClick(comparing, Qt.Key.Key_H)

    def laid() -> bool:
        return bool((np.abs(pixels_of(pane).astype(int) - plain).max(axis=-1) > 12).mean() > 0.02)

    qtbot.waitUntil(laid, timeout=PATIENCE_MS)
    qtbot.keyClick(comparing, Qt.Key.Key_H)
    qtbot.waitUntil(lambda: not laid(), timeout=PATIENCE_MS)


def test_that_the_heatmap_says_why_it_cannot_be_laid_over(
    window: MainWindow, inputs: Inputs, qtbot: QtBot
) -> None:
    action = window.actions_by_id["view.heatmap"]
    assert not action.isEnabled()
    assert "Needs a reference" in action.toolTip()
    open_all(window, inputs)
    wait_for_frame(window, qtbot, 0)
    assert action.isEnabled()
    assert "Lays the heatmap" in action.toolTip()


def test_that_the_heatmap_s_cursor_follows_a_row_and_escape_lets_go(
    comparing: MainWindow, qtbot: QtBot
) -> None:
    table: DisagreementsDock = dock_of(comparing, qtbot, "disagreements")
    analysed(comparing, qtbot)
    qtbot.waitUntil(lambda: len(table.model.rows) > 0, timeout=5000)
    index = table.model.index(len(table.model.rows) - 1, 0)
    table.view.scrollTo(index)
    qtbot.mouseClick(
        table.view.viewport(), Qt.MouseButton.LeftButton, pos=table.view.visualRect(index).center()
    )
    row = int(table.model.rows[index.row()])
    found = table.model.table
    assert found is not None
    wait_for_frame(comparing, qtbot, int(found.frame_index[row]))
    maps: HeatmapsDock = dock_of(comparing, qtbot, "heatmaps")
    readout = maps.findChild(QLabel, "heatmaps.readout")
    qtbot.waitUntil(lambda: "logits" in readout.text(), timeout=PATIENCE_MS)
    selection = comparing.view_model.selection
    comparison = comparing.view_model.comparison
    head = comparison.reference.spec.heads[selection.head]
    # Each cell has three anchors; of the raw map, that anchor's objectness is what both sides said there.
    rows, columns = head.shape[2:]
    cell = selection.position % (rows * columns)
    assert f"row {cell // columns}, column {cell % columns}" in readout.text()
    anchor = selection.position // (rows * columns)
    width = head.shape[1] // 3
    for side in (comparison.reference, comparison.candidate):
        values = [
            float(side.heads[head.output][0, one * width + 4, cell // columns, cell % columns])
            for one in range(3)
        ]
        assert any(f"{value:.2f}".replace("-", "−") in readout.text() for value in values), (anchor, values)
    qtbot.keyClick(comparing, Qt.Key.Key_Escape)
    assert comparing.view_model.selection is None
    assert "Move over a map" in readout.text()
    assert comparing.comparison.viewport.view.zoom == 1


def test_that_epsilon_is_one_value_for_slider_spin_box_and_histogram(
    comparing: MainWindow, qtbot: QtBot
) -> None:
    dock = dock_of(comparing, qtbot, "error_histogram")
    before = dock.plot.line_places()[1]
    slider = comparing.findChild(QSlider, "epsilon")
    slider.setFocus()
    qtbot.keyClick(slider, Qt.Key.Key_PageDown)
    qtbot.waitUntil(lambda: dock.plot.line_places()[1] < before, timeout=5000)
    dock.plot.epsilon_dragged.emit(2.5)
    assert comparing.view_model.settings.epsilon == 2.5
    boxes = [box for box in comparing.findChildren(QDoubleSpinBox) if box.value() == pytest.approx(2.5)]
    assert boxes


def test_that_measuring_alone_says_that_int8_is_emulated(comparing: MainWindow, qtbot: QtBot) -> None:
    dock = dock_of(comparing, qtbot, "speed")
    assert "says nothing of a GPU" in dock.findChild(QLabel, "speed.finding").text()
    qtbot.mouseClick(dock.findChild(QPushButton, "speed.measure"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: dock.findChild(QPushButton, "speed.cancel").isVisible(), timeout=5000)
    qtbot.mouseClick(dock.findChild(QPushButton, "speed.cancel"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: dock.findChild(QPushButton, "speed.measure").isVisible(), timeout=PATIENCE_MS)


def test_that_a_range_is_exported_from_the_menu(comparing: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    import av

    comparing.view_model.change_display(boxes=False)
    comparing.actions_by_id["file.export_video"].trigger()
    dialog = comparing.findChild(QLineEdit, "export.path").window()
    dialog.findChild(QSpinBox, "export.first").setValue(2)
    dialog.findChild(QSpinBox, "export.last").setValue(4)
    field = dialog.findChild(QLineEdit, "export.path")
    field.clear()
    qtbot.keyClicks(field, str(tmp_path / "range.mp4"))
    qtbot.mouseClick(dialog.findChild(QPushButton, "export.go"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: comparing.view_model.status.startswith("Saved range.mp4"), timeout=PATIENCE_MS)
    with av.open(str(tmp_path / "range.mp4")) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert [number_in(frame[36 : 36 + 144, :192]) for frame in frames] == [2, 3, 4]


def test_that_the_window_closes_with_every_dock_open_and_an_export_under_way(
    comparing: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    for dock_id in ("heatmaps", "error_histogram", "speed", "disagreements"):
        dock_of(comparing, qtbot, dock_id)
    comparing.actions_by_id["file.export_video"].trigger()
    dialog = comparing.findChild(QLineEdit, "export.path").window()
    dialog.findChild(QLineEdit, "export.path").setText(str(tmp_path / "never.mp4"))
    dialog.accept()
    comparing.close()
    assert list(tmp_path.glob("*.mp4")) == []


@pytest.mark.parametrize("dock_id", ["heatmaps", "error_histogram", "speed"])
def test_that_a_dock_floated_out_of_a_tab_behind_others_is_not_empty(
    comparing: MainWindow, qtbot: QtBot, dock_id: str
) -> None:
    dock = comparing.findChild(QDockWidget, f"dock.{dock_id}")
    dock.setFloating(True)
    dock.show()
    qtbot.waitUntil(lambda: dock.widget() is not None and dock.widget().isVisible(), timeout=5000)


def test_that_a_dock_behind_another_tab_computes_nothing_and_catches_up(
    comparing: MainWindow, qtbot: QtBot
) -> None:
    heatmaps = dock_of(comparing, qtbot, "heatmaps")
    qtbot.waitUntil(lambda: heatmaps.answer_picture is not None, timeout=PATIENCE_MS)
    dock_of(comparing, qtbot, "speed")
    assert not heatmaps.isVisible()
    for index in range(1, 6):
        qtbot.keyClick(comparing, Qt.Key.Key_Right)
        wait_for_frame(comparing, qtbot, index)
    assert heatmaps.answer_picture.frame_index == 0
    dock_of(comparing, qtbot, "heatmaps")
    qtbot.waitUntil(lambda: heatmaps.answer_picture.frame_index == 5, timeout=PATIENCE_MS)


def test_that_the_docks_keep_their_height_from_tab_to_tab(comparing: MainWindow, qtbot: QtBot) -> None:
    heights = set()
    for entry in (*DOCKS, *DOCKS):
        dock_of(comparing, qtbot, entry.id)
        heights.add(comparing.transport.mapTo(comparing, comparing.transport.rect().topLeft()).y())
    assert len(heights) == 1


def test_that_only_what_can_be_read_again_can_be_exported(comparing: MainWindow) -> None:
    action = comparing.actions_by_id["file.export_video"]
    assert action.isEnabled()
    source = comparing.view_model.source
    assert source is not None
    comparing.view_model.set_source(replace(source, address="camera:0", length=None))
    assert not action.isEnabled()
    comparing.view_model.set_source(source)
    candidate = comparing.view_model.models.candidate
    assert candidate is not None
    opening = replace(candidate, spec=None, state=ModelState.OPENING)
    comparing.view_model.set_models(replace(comparing.view_model.models, candidates=(opening,)))
    assert not action.isEnabled()
