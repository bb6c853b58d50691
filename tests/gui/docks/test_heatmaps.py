"""The heatmap dock, by mouse and keys; values against loops, colours against the table."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QComboBox, QLabel, QSlider, QWidget
from pytestqt.qtbot import QtBot

from tests.compare.pairs import anchor_comparison
from tests.gui.docks.conftest import Show, pixels_of, turns_taken
from trtviewer.compare.frame_comparison import FrameComparison
from trtviewer.detect.heat import HeatChannel, HeatKind
from trtviewer.gui.docks.colour_maps import viridis
from trtviewer.gui.docks.heat_painter import Cell, HeatPanel
from trtviewer.gui.docks.heat_picture import HeatAnswer, HeatRequest, picture_of
from trtviewer.gui.docks.heatmaps import HeatmapsDock
from trtviewer.gui.theme import Theme
from trtviewer.gui.view_model import PaneMode, Requests, Selection, ViewModel


def score(head: np.ndarray, row: int, column: int) -> float:
    best = 0.0
    width = head.shape[1] // 3
    for anchor in range(3):
        cell = [
            1 / (1 + math.exp(-float(value)))
            for value in head[0, anchor * width : (anchor + 1) * width, row, column]
        ]
        best = max(best, cell[4] * max(cell[5:]))
    return best


@pytest.fixture
def comparison(view_model: ViewModel) -> FrameComparison:
    view_model.set_comparison(anchor_comparison(1))
    assert view_model.comparison is not None
    return view_model.comparison


def shown(show: Show, qtbot: QtBot, width: int = 1100, height: int = 320) -> HeatmapsDock:
    dock = show("heatmaps", width, height)
    qtbot.waitUntil(lambda: dock.answer_picture is not None, timeout=5000)
    return dock


def middle(maps: HeatPanel, cell: Cell, column: int) -> QPoint:
    place: QPointF = maps.place_of(cell, column).center()
    return place.toPoint()


def choose(dock: QWidget, name: str, text: str) -> None:
    box = dock.findChild(QComboBox, name)
    index = box.findText(text)
    assert index >= 0, [box.itemText(i) for i in range(box.count())]
    box.setCurrentIndex(index)


def test_that_each_cell_has_the_colour_of_its_score_on_the_common_scale(
    show: Show, qtbot: QtBot, comparison: FrameComparison
) -> None:
    dock = shown(show, qtbot)
    image = pixels_of(dock.maps)
    row = dock.answer_picture.rows[0].row
    low, high = row.levels
    for column, side in enumerate((comparison.reference, comparison.candidate)):
        for place in ((1, 2), (3, 3), (5, 6)):
            value = score(side.heads["s8"], *place)
            step = round((value - low) / (high - low) * 255)
            colour = int(viridis()[min(255, max(0, step))])
            expected = [colour >> 16 & 255, colour >> 8 & 255, colour & 255]
            at = middle(dock.maps, Cell(0, *place), column)
            assert np.abs(image[at.y(), at.x()].astype(int) - expected).max() <= 4


def test_that_equal_sides_have_a_difference_in_the_colour_of_the_background(
    show: Show, qtbot: QtBot, view_model: ViewModel
) -> None:
    one = anchor_comparison(1)
    view_model.set_comparison(replace(one, candidate=one.reference))
    dock = shown(show, qtbot)
    tile = dock.maps.tile(0, 2).adjusted(2, 2, -2, -2).toRect()
    image = pixels_of(dock.maps)[tile.top() : tile.bottom(), tile.left() : tile.right()]
    ground = view_model.theme.color("surface")
    assert np.abs(image.reshape(-1, 3).astype(int) - [ground.red(), ground.green(), ground.blue()]).max() <= 2


def test_that_a_loss_has_the_colour_of_what_is_missed(
    show: Show, qtbot: QtBot, view_model: ViewModel
) -> None:
    one = anchor_comparison(1)
    heads = {name: values.copy() for name, values in one.reference.heads.items()}
    heads["s8"][0, :, 3, 3] = -9
    view_model.set_comparison(replace(one, candidate=replace(one.reference, heads=heads)))
    dock = shown(show, qtbot)
    at = middle(dock.maps, Cell(0, 3, 3), 2)
    red, green, blue = pixels_of(dock.maps)[at.y(), at.x()].astype(int)
    assert red > green > blue


def test_that_the_cursor_reads_the_values_of_both_sides(
    show: Show, qtbot: QtBot, comparison: FrameComparison
) -> None:
    dock = shown(show, qtbot)
    qtbot.mouseMove(dock.maps, middle(dock.maps, Cell(0, 4, 5), 1))
    qtbot.waitUntil(lambda: dock.maps.cursor_cell == Cell(0, 4, 5), timeout=2000)
    text = dock.findChild(QLabel, "heatmaps.readout").text()
    own = score(comparison.reference.heads["s8"], 4, 5)
    other = score(comparison.candidate.heads["s8"], 4, 5)
    assert f"{own:.3f}" in text
    assert f"{other:.3f}" in text
    assert f"{abs(other - own):.3f}" in text
    assert "row 4, column 5" in text
    assert "logits" in text


def test_that_a_click_asks_for_the_cell_s_place_in_the_frame(
    show: Show, qtbot: QtBot, comparison: FrameComparison, requests: Requests
) -> None:
    dock = shown(show, qtbot)
    with qtbot.waitSignal(requests.select, timeout=2000) as caught:
        qtbot.mouseClick(dock.maps, Qt.MouseButton.LeftButton, pos=middle(dock.maps, Cell(1, 2, 1), 0))
    selection: Selection = caught.args[0]
    assert selection.frame_index == comparison.frame.index
    left, top, right, bottom = selection.xyxy
    # Cells of stride 16; the input is half the frame, two pixels lower.
    assert ((left + right) / 2, (top + bottom) / 2) == pytest.approx((1.5 * 16 * 2, (2.5 * 16 - 2) * 2))
    assert right - left == pytest.approx(5 * 16 * 2)


def test_that_the_maps_can_be_walked_by_keys_alone(
    show: Show, qtbot: QtBot, comparison: FrameComparison, requests: Requests
) -> None:
    dock = shown(show, qtbot)
    dock.maps.setFocus()
    qtbot.keyClick(dock.maps, Qt.Key.Key_Down)
    start = dock.maps.cursor_cell
    qtbot.keyClick(dock.maps, Qt.Key.Key_Right)
    qtbot.keyClick(dock.maps, Qt.Key.Key_Up)
    assert dock.maps.cursor_cell == Cell(0, start.row - 1, start.column + 1)
    qtbot.keyClick(dock.maps, Qt.Key.Key_PageDown)
    assert dock.maps.cursor_cell.row_index == 1
    with qtbot.waitSignal(requests.select, timeout=2000):
        qtbot.keyClick(dock.maps, Qt.Key.Key_Return)


def test_that_one_class_and_raw_channels_can_be_chosen(
    show: Show, qtbot: QtBot, comparison: FrameComparison
) -> None:
    dock = shown(show, qtbot)
    choose(dock, "heatmaps.kind", "One class")
    choose(dock, "heatmaps.which", "dog")
    wanted = HeatChannel(HeatKind.CLASS, class_id=2)
    qtbot.waitUntil(lambda: dock.answer_picture.channel == wanted, timeout=5000)
    choose(dock, "heatmaps.kind", "Any raw channel")
    dock.findChild(QComboBox, "heatmaps.which").setCurrentIndex(7)
    qtbot.waitUntil(lambda: dock.answer_picture.channel.index == 7, timeout=5000)
    np.testing.assert_array_equal(
        dock.answer_picture.rows[1].row.reference, comparison.reference.heads["s16"][0, 7]
    )
    choose(dock, "heatmaps.kind", "Box channel")
    choose(dock, "heatmaps.which", "width · anchor 2")
    qtbot.waitUntil(lambda: dock.answer_picture.channel.name == "width", timeout=5000)
    np.testing.assert_array_equal(
        dock.answer_picture.rows[0].row.candidate, comparison.candidate.heads["s8"][0, 8 + 2]
    )


def test_that_a_map_lies_over_the_picture_where_its_cells_look(
    show: Show, qtbot: QtBot, comparison: FrameComparison, view_model: ViewModel
) -> None:
    dock = shown(show, qtbot)
    choose(dock, "heatmaps.overlay", "small objects, each side's own")
    qtbot.waitUntil(lambda: view_model.overlay is not None, timeout=5000)
    overlay = view_model.overlay
    assert overlay.frame_index == comparison.frame.index
    assert overlay.xyxy == pytest.approx((0, -4, 128, 124))
    assert overlay.reference.shape == overlay.candidate.shape == (8, 8)
    assert not overlay.reference.flags.writeable
    alpha = overlay.reference >> 24
    values = dock.answer_picture.rows[0].row.reference
    assert alpha[values.argmax() // 8, values.argmax() % 8] == alpha.max()
    dock.findChild(QSlider, "heatmaps.opacity").setValue(100)
    qtbot.waitUntil(lambda: int((view_model.overlay.reference >> 24).max()) > int(alpha.max()), timeout=5000)
    choose(dock, "heatmaps.overlay", "nothing")
    assert view_model.overlay is None


def test_that_the_difference_lies_over_both_pictures(
    show: Show, qtbot: QtBot, comparison: FrameComparison, view_model: ViewModel
) -> None:
    dock = shown(show, qtbot)
    choose(dock, "heatmaps.overlay", "medium objects, difference")
    qtbot.waitUntil(lambda: view_model.overlay is not None, timeout=5000)
    assert "difference" in view_model.overlay.title
    np.testing.assert_array_equal(view_model.overlay.reference, view_model.overlay.candidate)


def test_that_the_difference_mode_has_the_difference_whatever_is_chosen(
    show: Show, qtbot: QtBot, comparison: FrameComparison, view_model: ViewModel
) -> None:
    dock = shown(show, qtbot)
    choose(dock, "heatmaps.overlay", "small objects, each side's own")
    qtbot.waitUntil(lambda: view_model.overlay is not None, timeout=5000)
    assert view_model.overlay.difference is None
    view_model.change_display(mode=PaneMode.DIFFERENCE)
    qtbot.waitUntil(lambda: view_model.overlay.difference is not None, timeout=5000)
    assert "difference" in view_model.overlay.title
    view_model.change_display(mode=PaneMode.SPLIT)
    qtbot.waitUntil(lambda: view_model.overlay.difference is None, timeout=5000)
    assert (view_model.overlay.reference != view_model.overlay.candidate).any()


def test_that_maps_without_a_difference_say_so(
    show: Show, qtbot: QtBot, comparison: FrameComparison, view_model: ViewModel
) -> None:
    dock = shown(show, qtbot)
    view_model.change_display(mode=PaneMode.DIFFERENCE)
    lost = replace(
        comparison.candidate, heads={**comparison.candidate.heads, "s8": np.zeros((1, 24, 4, 4), np.float32)}
    )
    view_model.set_comparison(replace(comparison, candidate=lost))
    choose(dock, "heatmaps.overlay", "small objects, each side's own")
    qtbot.waitUntil(lambda: "no difference" in view_model.status, timeout=5000)


def test_that_the_overlay_can_be_asked_for_while_the_dock_is_hidden(
    show: Show, qtbot: QtBot, comparison: FrameComparison, view_model: ViewModel
) -> None:
    dock = show("heatmaps", hidden=True)
    dock.toggle_overlay()
    qtbot.waitUntil(lambda: view_model.overlay is not None, timeout=5000)
    assert view_model.overlay.title.startswith("small objects")
    dock.toggle_overlay()
    assert view_model.overlay is None


def test_that_a_hidden_dock_computes_nothing_and_catches_up_when_it_is_shown(
    show: Show, qtbot: QtBot, comparison: FrameComparison, view_model: ViewModel
) -> None:
    dock, seen = show("heatmaps", hidden=True), show("heatmaps")
    view_model.set_comparison(anchor_comparison(2))
    qtbot.waitUntil(lambda: seen.answer_picture is not None, timeout=5000)
    assert dock.answer_picture is None
    dock.show()
    qtbot.waitUntil(lambda: dock.answer_picture is not None, timeout=5000)


def test_that_a_chosen_disagreement_has_the_mark_on_its_cell(
    show: Show, qtbot: QtBot, comparison: FrameComparison, view_model: ViewModel
) -> None:
    dock = shown(show, qtbot)
    boxes = comparison.reference.boxes
    choice = int(np.flatnonzero(boxes.head == 1)[0])
    before = pixels_of(dock.maps)
    xyxy = tuple(float(value) for value in boxes.xyxy[choice])
    view_model.set_selection(Selection(comparison.frame.index, xyxy, "", 1, int(boxes.position[choice])))
    row, column = divmod(int(boxes.position[choice]) % 16, 4)
    place = dock.maps.place_of(Cell(1, row, column), 0)
    accent = view_model.theme.color("accent")
    after = pixels_of(dock.maps)
    edge = after[int(place.center().y()), int(place.left()) - 3 : int(place.left()) + 3]
    assert (np.abs(edge.astype(int) - [accent.red(), accent.green(), accent.blue()]).max(axis=1) < 12).any()
    assert (before != after).any()
    assert f"row {row}, column {column}" in dock.findChild(QLabel, "heatmaps.readout").text()


def accented(image: np.ndarray, dock: HeatmapsDock, cell: Cell, column: int, theme: Theme) -> bool:
    """Whether the mark of the selection stands around the cell on one of the three maps."""
    place, accent = dock.maps.place_of(cell, column), theme.color("accent")
    edge = image[int(place.center().y()), int(place.left()) - 3 : int(place.left()) + 3]
    near = np.abs(edge.astype(int) - [accent.red(), accent.green(), accent.blue()]).max(axis=1) < 12
    return bool(near.any())


def test_that_a_clicked_cell_keeps_its_mark_in_all_three_maps_of_its_scale(
    show: Show, qtbot: QtBot, comparison: FrameComparison, requests: Requests, view_model: ViewModel
) -> None:
    requests.select.connect(view_model.set_selection)
    dock, cell = shown(show, qtbot), Cell(1, 2, 1)
    qtbot.mouseClick(dock.maps, Qt.MouseButton.LeftButton, pos=middle(dock.maps, cell, 0))
    dock.maps.let_go()
    image, theme = pixels_of(dock.maps), view_model.theme
    assert all(accented(image, dock, cell, column, theme) for column in range(3))
    readout = dock.findChild(QLabel, "heatmaps.readout")
    assert "row 2, column 1" in readout.text(), "read out after the mouse has gone"
    before = dock.answer_picture
    choose(dock, "heatmaps.kind", "Box channel")
    qtbot.waitUntil(lambda: dock.answer_picture is not before, timeout=5000)
    assert all(accented(pixels_of(dock.maps), dock, cell, column, theme) for column in range(3))
    view_model.set_selection(None)
    image = pixels_of(dock.maps)
    assert not any(accented(image, dock, cell, column, theme) for column in range(3))
    assert "Move over a map" in readout.text()


def test_that_escape_takes_a_lone_cursor_away(show: Show, qtbot: QtBot, comparison: FrameComparison) -> None:
    dock = shown(show, qtbot)
    dock.maps.setFocus()
    qtbot.keyClick(dock.maps, Qt.Key.Key_Down)
    assert dock.maps.cursor_cell is not None
    qtbot.keyClick(dock.maps, Qt.Key.Key_Escape)
    assert dock.maps.cursor_cell is None


def test_that_the_place_under_the_mouse_is_told_to_the_panes(
    show: Show, qtbot: QtBot, comparison: FrameComparison, view_model: ViewModel
) -> None:
    dock = shown(show, qtbot)
    qtbot.mouseMove(dock.maps, middle(dock.maps, Cell(0, 2, 2), 0))
    qtbot.waitUntil(lambda: view_model.pointed is not None, timeout=2000)
    assert view_model.pointed == pytest.approx((2.5 * 8 * 2, (2.5 * 8 - 2) * 2))


def test_that_a_slider_of_a_threshold_computes_no_map_again(
    show: Show,
    qtbot: QtBot,
    comparison: FrameComparison,
    view_model: ViewModel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[HeatRequest] = []

    def noted(request: HeatRequest) -> HeatAnswer:
        made.append(request)
        return picture_of(request)

    monkeypatch.setattr("trtviewer.gui.docks.heatmaps.picture_of", noted)
    shown(show, qtbot)
    turns_taken(qtbot)
    before = len(made)
    view_model.set_comparison(comparison.with_settings(replace(comparison.settings, confidence=0.6)))
    turns_taken(qtbot)
    assert len(made) == before


def test_that_nothing_open_is_said_in_words(show: Show, qtbot: QtBot, view_model: ViewModel) -> None:
    dock = show("heatmaps")
    assert (pixels_of(dock.maps) != pixels_of(dock.maps)[0, 0]).any()
    view_model.set_comparison(anchor_comparison(1))
    qtbot.waitUntil(lambda: dock.answer_picture is not None, timeout=5000)
    view_model.set_comparison(None)
    assert dock.answer_picture is None
    assert view_model.overlay is None


@pytest.mark.parametrize(("width", "height", "beside"), [(1200, 200, True), (520, 700, False)])
def test_that_scales_stand_side_by_side_or_below_each_other_as_there_is_room(
    show: Show, qtbot: QtBot, comparison: FrameComparison, width: int, height: int, beside: bool
) -> None:
    dock = shown(show, qtbot, width, height)
    first, second = dock.maps.tile(0, 0), dock.maps.tile(1, 0)
    assert (second.top() == first.top()) is beside
    for index in range(2):
        assert dock.maps.rect().contains(dock.maps.tile(index, 2).toRect())


def test_that_a_click_on_a_title_shows_that_scale_alone_and_larger(
    show: Show, qtbot: QtBot, comparison: FrameComparison
) -> None:
    dock = shown(show, qtbot, 900, 190)
    before = dock.maps.tile(1, 0).width()
    at = dock.maps.title_place(1).center().toPoint()
    qtbot.mouseClick(dock.maps, Qt.MouseButton.LeftButton, pos=at)
    qtbot.waitUntil(lambda: len(dock.answer_picture.rows) == 1, timeout=5000)
    assert dock.answer_picture.rows[0].row.stride == 16
    assert dock.maps.tile(0, 0).width() > 1.2 * before
    assert dock.findChild(QComboBox, "heatmaps.scale").currentText() == "medium objects"
    qtbot.mouseMove(dock.maps, middle(dock.maps, Cell(0, 2, 1), 0))
    qtbot.waitUntil(lambda: dock.maps.cursor_cell == Cell(0, 2, 1), timeout=2000)
    value = score(comparison.reference.heads["s16"], 2, 1)
    assert f"{value:.3f}" in dock.findChild(QLabel, "heatmaps.readout").text()
    at = dock.maps.title_place(0).center().toPoint()
    qtbot.mouseClick(dock.maps, Qt.MouseButton.LeftButton, pos=at)
    qtbot.waitUntil(lambda: len(dock.answer_picture.rows) == 2, timeout=5000)


def test_that_boxes_after_nms_have_no_map_and_it_is_said(
    show: Show, qtbot: QtBot, view_model: ViewModel
) -> None:
    from pathlib import Path

    from tests.compare.pairs import CLASSES, SIZE, compared
    from trtviewer.models.spec import Family, HeadSpec, InputSpec, ModelSpec

    head = HeadSpec("output0", (1, 20, 6), "")
    spec = ModelSpec(Path("e.onnx"), Family.END2END, CLASSES, InputSpec("images", (SIZE, SIZE)), (head,))
    rows = np.random.default_rng(0).uniform(0, 1, (1, 20, 6)).astype(np.float32)
    rows[0, :, 2:4] += 20
    rows[0, :, 5] = 1
    view_model.set_comparison(compared(spec, spec, ({"output0": rows}, {"output0": rows})))
    dock = shown(show, qtbot)
    assert "no grid" in dock.maps.message
    assert (pixels_of(dock.maps) != pixels_of(dock.maps)[0, 0]).any()
