"""The window as a user meets it: keys, mouse, drops; what is shown is the core's own."""

from __future__ import annotations

import itertools
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDropEvent, QImage, QKeySequence
from PySide6.QtWidgets import QDoubleSpinBox, QLabel, QPushButton, QSlider, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from tests.gui.conftest import (
    FRAMES,
    PATIENCE_MS,
    Inputs,
    number_in,
    open_all,
    wait_for_frame,
    write_numbered,
)
from tests.model_zoo import tiny_yolo_anchor
from trtviewer.compare.matched_video import MatchedVideo, rematch
from trtviewer.compare.settings import CompareSettings
from trtviewer.gui.main_window import MainWindow
from trtviewer.gui.preferences import Preferences
from trtviewer.gui.theme import BOX_STYLES, DARK, LIGHT
from trtviewer.gui.view_model import ModelState, PaneMode, Selection
from trtviewer.models.load import load_spec
from trtviewer.models.trust import UntrustedPlan, digest_of
from trtviewer.pipeline.analysis import comparisons
from trtviewer.pipeline.pair import open_pair
from trtviewer.sources.address import open_source
from trtviewer.sources.source import FrameRange

CLICK = Qt.MouseButton.LeftButton


def pixels(widget: QWidget) -> np.ndarray:
    """What the widget shows, [H, W, 3] RGB."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    lines = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return lines[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def picture_of(window: MainWindow, side: str) -> np.ndarray:
    """The part of a pane that the frame covers."""
    pane = window.comparison.panes[side]
    where = pane.mapping()
    height, width = window.view_model.comparison.frame.size
    box = where.rect(0, 0, width, height).toRect()
    return pixels(pane)[box.top() : box.bottom(), box.left() : box.right()]


def press(qtbot: QtBot, window: MainWindow, key: Qt.Key, modifier=Qt.KeyboardModifier.NoModifier) -> None:
    qtbot.keyClick(window, key, modifier)


def drop(widget: QWidget, paths: list[Path]) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    event = QDropEvent(
        QPointF(widget.rect().center()),
        Qt.DropAction.CopyAction,
        data,
        CLICK,
        Qt.KeyboardModifier.NoModifier,
    )
    widget.dropEvent(event)


def analysed(inputs: Inputs, settings: CompareSettings) -> MatchedVideo:
    """The whole video by the core alone, with no window."""
    reference = load_spec(inputs.reference)
    with (
        open_source(str(inputs.video)) as source,
        open_pair(reference, load_spec(inputs.candidate)) as pair,
    ):
        kept = [frame.kept() for frame in comparisons(source, FrameRange(), pair, CompareSettings())]
    return rematch(kept, settings, reference.classes)


def same_video(one: MatchedVideo, other: MatchedVideo) -> bool:
    order = np.argsort(one.frame_index)
    return (
        one.settings == other.settings
        and np.array_equal(one.frame_index[order], other.frame_index)
        and np.array_equal(one.missed[order], other.missed)
        and np.array_equal(one.extra[order], other.extra)
        and one.totals.counts == other.totals.counts
        and dict(one.totals.by_size) == dict(other.totals.by_size)
        and dict(one.totals.missed_reasons) == dict(other.totals.missed_reasons)
    )


# Opening ----------------------------------------------------------------------------------------------------------------


def test_that_an_empty_window_says_what_to_drop(window: MainWindow) -> None:
    assert window.start_page.isVisible()
    assert "video" in window.findChild(QLabel, "verdict").text()


def test_that_two_models_and_a_video_dropped_at_once_compare(
    window: MainWindow, inputs: Inputs, qtbot: QtBot
) -> None:
    drop(window, [inputs.candidate, inputs.video, inputs.reference])
    wait_for_frame(window, qtbot, 0)
    assert window.view_model.models.reference.path == inputs.reference
    assert window.view_model.models.candidate.path == inputs.candidate, "the Q/DQ one"
    header = window.comparison.headers["candidate"]
    assert header.findChild(QLabel, "header.candidate.precision").text() == "INT8 emulated"
    assert header.findChild(QLabel, "header.candidate.name").whole == inputs.candidate.name


def test_that_one_model_plays_alone_and_the_other_pane_invites(
    window: MainWindow, inputs: Inputs, qtbot: QtBot
) -> None:
    drop(window, [inputs.video, inputs.reference])
    qtbot.waitUntil(lambda: window.view_model.alone is not None, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: len(window.comparison.panes["reference"].marks()) > 0, timeout=PATIENCE_MS)
    assert window.view_model.comparison is None
    assert window.comparison.panes["candidate"].marks() == ()
    assert "Drop the candidate" in window.comparison.panes["candidate"].notice


def test_that_a_bad_file_leaves_a_banner_and_the_rest_goes_on(
    comparing: MainWindow, inputs: Inputs, tmp_path: Path, qtbot: QtBot
) -> None:
    bad = tmp_path / "weights.pt"
    bad.write_bytes(b"no model")
    drop(comparing, [bad])
    qtbot.waitUntil(lambda: bool(comparing.view_model.problems), timeout=PATIENCE_MS)
    words = comparing.findChild(QLabel, "banner.words").text()
    assert "weights.pt" in words
    assert "onnx" in words.lower(), "it says how to export"
    qtbot.waitUntil(
        lambda: comparing.view_model.models.candidate.path == inputs.candidate, timeout=PATIENCE_MS
    )
    press(qtbot, comparing, Qt.Key.Key_Right)
    wait_for_frame(comparing, qtbot, 1)
    assert "weights.pt" in comparing.findChild(QLabel, "banner.words").text(), "and the banner stays"


def test_that_a_bad_source_dropped_during_play_leaves_a_banner_and_play_goes_on(
    comparing: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    model = comparing.view_model
    comparing.engine.toggle()
    qtbot.waitUntil(lambda: model.position.frame_index > 0, timeout=PATIENCE_MS)
    model.set_playing(replace(model.playing, loop=(0, FRAMES - 1)))
    folder = tmp_path / "no pictures"
    folder.mkdir()
    drop(comparing, [folder])
    qtbot.waitUntil(lambda: bool(model.problems), timeout=PATIENCE_MS)
    with qtbot.waitSignals([model.comparison_changed] * 3, timeout=PATIENCE_MS):
        pass
    assert model.playing.playing
    assert "no pictures" in comparing.findChild(QLabel, "banner.words").text()


def test_that_a_first_candidate_that_fails_is_named_in_its_pane(
    window: MainWindow, inputs: Inputs, tmp_path: Path, qtbot: QtBot
) -> None:
    bad = tmp_path / "cut.onnx"
    bad.write_bytes(inputs.candidate.read_bytes()[:400])
    window.engine.open_reference(inputs.reference)
    window.engine.add_candidate(bad)
    window.engine.open_source(str(inputs.video))
    qtbot.waitUntil(lambda: window.view_model.alone is not None, timeout=PATIENCE_MS)
    assert window.view_model.models.candidate.state is ModelState.FAILED
    assert "cut.onnx could not be opened" in window.comparison.panes["candidate"].notice


def test_that_a_banner_can_be_dismissed(window: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    window.engine.open_source(str(tmp_path / "nothing.mp4"))
    qtbot.waitUntil(lambda: bool(window.view_model.problems), timeout=PATIENCE_MS)
    qtbot.mouseClick(window.findChild(QPushButton, "banner.dismiss"), CLICK)
    assert window.view_model.problems == ()
    assert not window.banners.isVisible()


# Panes ------------------------------------------------------------------------------------------------------------------


def test_that_both_panes_show_the_same_frame_while_it_plays(comparing: MainWindow, qtbot: QtBot) -> None:
    comparing.view_model.change_display(boxes=False)
    seen: list[int] = []

    def look(_: object) -> None:
        numbers = {side: number_in(picture_of(comparing, side)) for side in ("reference", "candidate")}
        assert numbers["reference"] == numbers["candidate"]
        seen.append(numbers["reference"])

    comparing.comparison.painted.connect(look)
    press(qtbot, comparing, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: len(set(seen)) >= 6, timeout=PATIENCE_MS)
    press(qtbot, comparing, Qt.Key.Key_Space)
    comparing.comparison.painted.disconnect(look)
    assert seen == sorted(seen)


@pytest.mark.parametrize("frame", (0, 7, FRAMES - 1))
def test_that_seeking_paints_exactly_that_frame(comparing: MainWindow, qtbot: QtBot, frame: int) -> None:
    comparing.view_model.change_display(boxes=False)
    comparing.requests.seek.emit(frame)
    wait_for_frame(comparing, qtbot, frame)
    assert number_in(picture_of(comparing, "reference")) == frame
    assert number_in(picture_of(comparing, "candidate")) == frame
    assert comparing.findChild(QLabel, "transport.frame").text() == f"frame {frame} / {FRAMES - 1}"


def test_that_arrows_step_and_stop_at_the_ends(comparing: MainWindow, qtbot: QtBot) -> None:
    press(qtbot, comparing, Qt.Key.Key_Right)
    wait_for_frame(comparing, qtbot, 1)
    press(qtbot, comparing, Qt.Key.Key_Left)
    wait_for_frame(comparing, qtbot, 0)
    press(qtbot, comparing, Qt.Key.Key_End)
    wait_for_frame(comparing, qtbot, FRAMES - 1)
    press(qtbot, comparing, Qt.Key.Key_Right)
    press(qtbot, comparing, Qt.Key.Key_Left)
    wait_for_frame(comparing, qtbot, FRAMES - 2)
    press(qtbot, comparing, Qt.Key.Key_Home)
    wait_for_frame(comparing, qtbot, 0)
    press(qtbot, comparing, Qt.Key.Key_Left)
    press(qtbot, comparing, Qt.Key.Key_Right)
    wait_for_frame(comparing, qtbot, 1)


def test_that_every_meaning_is_drawn_in_its_colour(comparing: MainWindow, qtbot: QtBot) -> None:
    comparing.view_model.change_display(labels=False)
    set_and_wait(comparing, qtbot, confidence=0.2, match_iou=0.95)
    matching = comparing.view_model.comparison.matching
    assert len(matching.missed) and len(matching.extra) and len(matching.pairs), "the models differ"
    wait_for_labels_off(comparing, qtbot)
    for side, kinds in (
        ("reference", ("matched", "missed", "extra_ghost")),
        ("candidate", ("matched", "missed_ghost", "extra")),
    ):
        painted = pixels(comparing.comparison.panes[side]).astype(int)
        for kind in kinds:
            color = QColor(BOX_STYLES[kind].color)
            wanted = np.array([color.red(), color.green(), color.blue()])
            assert (np.abs(painted - wanted).sum(axis=-1) < 12).any(), (side, kind)
        assert {mark.kind for mark in comparing.comparison.panes[side].marks()} == set(kinds)


def set_and_wait(window: MainWindow, qtbot: QtBot, **values: float) -> None:
    """Sets thresholds, and waits until the panes show them."""
    window.view_model.change_settings(**values)
    pane = window.comparison.panes["reference"]
    qtbot.waitUntil(
        lambda: pane.rendered.request.shown.comparison.settings == window.view_model.settings,
        timeout=PATIENCE_MS,
    )


def wait_for_labels_off(window: MainWindow, qtbot: QtBot) -> None:
    pane = window.comparison.panes["reference"]
    qtbot.waitUntil(lambda: not pane.rendered.request.display.labels, timeout=PATIENCE_MS)


def test_that_hovering_tells_both_scores_and_lights_up_the_partner(
    comparing: MainWindow, qtbot: QtBot
) -> None:
    pane, partner = (comparing.comparison.panes[side] for side in ("reference", "candidate"))
    mark = min((mark for mark in pane.marks() if mark.kind == "matched"), key=lambda mark: mark.area)
    other = next(one for one in partner.marks() if one.key == mark.key)
    before = pixels(partner)
    where = pane.mapping()
    x1, y1, x2, y2 = mark.xyxy
    middle = where.to_pane((x1 + x2) / 2, (y1 + y2) / 2).toPoint()
    qtbot.mouseMove(pane, middle)
    qtbot.waitUntil(lambda: not np.array_equal(before, pixels(partner)), timeout=PATIENCE_MS)
    changed = np.argwhere((before != pixels(partner)).any(axis=-1))
    box = partner.mapping().rect(*other.xyxy)
    assert abs(changed[:, 1].min() - box.left()) < 8
    assert abs(changed[:, 0].max() - box.bottom()) < 8
    comparison = comparing.view_model.comparison
    first, second = comparison.matching.pairs[mark.key[1]]
    said = " ".join(comparing.comparison._describe(mark.key))
    assert f"{float(comparison.reference.detections.score[first]):.3f}" in said
    assert f"{float(comparison.candidate.detections.score[second]):.3f}" in said
    assert f"IoU {float(comparison.matching.iou[mark.key[1]]):.2f}" in said


def test_that_wheel_and_double_click_zoom_both_panes(comparing: MainWindow, qtbot: QtBot) -> None:
    one, other = comparing.comparison.panes["reference"], comparing.comparison.panes["candidate"]
    comparing.comparison.zoom_by(3)
    assert one.mapping() == other.mapping()
    assert comparing.comparison.viewport.view.zoom == pytest.approx(3)
    qtbot.waitUntil(lambda: one.rendered.mapping == one.mapping(), timeout=PATIENCE_MS)
    assert np.array_equal(one.rendered.pixels, other.rendered.pixels)
    start = one.rect().center()
    before = one.mapping()
    qtbot.mousePress(one, CLICK, pos=start)
    qtbot.mouseMove(one, start + QPoint(30, -20))
    qtbot.mouseRelease(one, CLICK, pos=start + QPoint(30, -20))
    moved = other.mapping()
    assert (moved.dx - before.dx, moved.dy - before.dy) == pytest.approx((30, -20))
    qtbot.mouseDClick(other, CLICK, pos=start)
    assert comparing.comparison.viewport.view.zoom == 1


@pytest.mark.parametrize(
    ("key", "mode", "panes"),
    (
        (Qt.Key.Key_S, PaneMode.SPLIT, 1),
        (Qt.Key.Key_B, PaneMode.BLINK, 1),
        (Qt.Key.Key_G, PaneMode.SINGLE, 1),
        (Qt.Key.Key_D, PaneMode.DIFFERENCE, 1),
        (Qt.Key.Key_A, PaneMode.SIDE_BY_SIDE, 2),
    ),
)
def test_that_each_mode_has_its_key(
    comparing: MainWindow, qtbot: QtBot, key: Qt.Key, mode: PaneMode, panes: int
) -> None:
    press(qtbot, comparing, key)
    assert comparing.view_model.display.mode is mode
    assert sum(pane.isVisible() for pane in comparing.comparison.panes.values()) == panes
    assert comparing.findChild(QToolButton, f"button.mode.{mode.value}").isChecked()


def test_that_the_divider_of_the_split_is_dragged(comparing: MainWindow, qtbot: QtBot) -> None:
    press(qtbot, comparing, Qt.Key.Key_S)
    pane = comparing.comparison.panes["reference"]
    start = QPoint(pane.width() // 2, pane.height() // 3)
    qtbot.mousePress(pane, CLICK, pos=start)
    qtbot.mouseMove(pane, QPoint(pane.width() // 4, start.y()))
    qtbot.mouseRelease(pane, CLICK, pos=QPoint(pane.width() // 4, start.y()))
    assert pane.split == pytest.approx(0.25, abs=0.01)
    assert comparing.comparison.viewport.view.zoom == 1, "the picture stayed"


def test_that_the_difference_shows_only_what_is_unmatched(comparing: MainWindow, qtbot: QtBot) -> None:
    set_and_wait(comparing, qtbot, confidence=0.2, match_iou=0.95)
    press(qtbot, comparing, Qt.Key.Key_D)
    pane = comparing.comparison.panes["reference"]
    qtbot.waitUntil(lambda: "difference" in pane.rendered.scenes, timeout=PATIENCE_MS)
    comparison = comparing.view_model.comparison
    assert len(pane.marks()) == comparison.missed + comparison.extra
    assert {mark.kind for mark in pane.marks()} == {"missed", "extra"}


# Thresholds -------------------------------------------------------------------------------------------------------------


def test_that_slider_and_spin_box_move_the_core_live(comparing: MainWindow, qtbot: QtBot) -> None:
    slider, box = (
        comparing.findChild(QSlider, "confidence"),
        comparing.findChild(QDoubleSpinBox, "confidence.value"),
    )
    set_and_wait(comparing, qtbot, confidence=0.05)
    before = len(comparing.view_model.comparison.reference.detections)
    slider.setFocus()
    for _ in range(3):
        qtbot.keyClick(slider, Qt.Key.Key_PageUp)
    confidence = comparing.view_model.settings.confidence
    assert confidence > 0.15
    assert box.value() == pytest.approx(confidence, abs=0.005)
    qtbot.waitUntil(
        lambda: comparing.view_model.comparison.settings.confidence == confidence, timeout=PATIENCE_MS
    )
    after = comparing.view_model.comparison.reference.detections
    assert len(after) < before
    assert float(after.score.min()) > confidence
    box.selectAll()
    qtbot.keyClicks(box, "0.30")
    assert comparing.view_model.settings.confidence == pytest.approx(0.30)
    assert slider.value() == pytest.approx(1000 * 0.29 / 0.99, abs=1)


def test_that_a_double_click_on_the_name_goes_back_to_the_default(
    comparing: MainWindow, qtbot: QtBot
) -> None:
    comparing.view_model.change_settings(match_iou=0.8)
    qtbot.mouseDClick(comparing.findChild(QLabel, "match_iou.label"), CLICK)
    assert comparing.view_model.settings == CompareSettings()


def test_that_arrows_move_a_focused_slider_and_not_the_video(comparing: MainWindow, qtbot: QtBot) -> None:
    slider = comparing.findChild(QSlider, "nms_iou")
    comparing.activateWindow()
    slider.setFocus()
    qtbot.waitUntil(slider.hasFocus)
    before = slider.value()
    qtbot.keyClick(slider, Qt.Key.Key_Right)
    assert slider.value() > before
    assert comparing.view_model.position.frame_index == 0


def test_that_filters_hide_objects_and_change_no_figure(comparing: MainWindow, qtbot: QtBot) -> None:
    set_and_wait(comparing, qtbot, confidence=0.1)
    counts = comparing.view_model.comparison.missed, comparing.view_model.comparison.extra
    qtbot.mouseClick(comparing.findChild(QToolButton, "size.small"), CLICK)
    pane = comparing.comparison.panes["reference"]
    qtbot.waitUntil(lambda: "small" not in pane.rendered.request.display.sizes, timeout=PATIENCE_MS)
    sizes = [mark for mark in pane.marks() if mark.area < 32**2 and mark.xyxy[0] > 0 and mark.xyxy[1] > 16
             and mark.xyxy[2] < 192 and mark.xyxy[3] < 144]  # fmt: skip
    assert sizes == []
    assert (comparing.view_model.comparison.missed, comparing.view_model.comparison.extra) == counts
    popup = comparing.filters._popup
    qtbot.mouseClick(comparing.findChild(QToolButton, "classes"), CLICK)
    qtbot.keyClicks(popup.search, "kind1")
    shown = [popup.list.item(row) for row in range(popup.list.count()) if not popup.list.isRowHidden(row)]
    assert len(shown) == 1
    shown[0].setCheckState(Qt.CheckState.Unchecked)
    assert comparing.view_model.display.classes == frozenset({0, 2})
    popup.hide()


# Summary, analysis, timeline ---------------------------------------------------------------------------------------------


def analyse(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.mouseClick(window.findChild(QPushButton, "summary.analyse"), CLICK)
    qtbot.waitUntil(
        lambda: (
            window.view_model.matched_video is not None
            and len(window.view_model.matched_video.frame_index) == FRAMES
            and not window.view_model.progress
        ),
        timeout=PATIENCE_MS,
    )


def test_that_the_analysed_video_agrees_with_the_core_after_every_slider_move(
    comparing: MainWindow, inputs: Inputs, qtbot: QtBot
) -> None:
    analyse(comparing, qtbot)
    assert same_video(comparing.view_model.matched_video, analysed(inputs, CompareSettings()))
    for values in ({"confidence": 0.3}, {"match_iou": 0.7}, {"nms_iou": 0.2, "confidence": 0.1}):
        comparing.view_model.change_settings(**values)
        settings = comparing.view_model.settings
        qtbot.waitUntil(
            lambda s=settings: comparing.view_model.matched_video.settings == s, timeout=PATIENCE_MS
        )
        expected = analysed(inputs, settings)
        assert same_video(comparing.view_model.matched_video, expected)
        comparing.summary.refresh()
        counts = expected.totals.counts
        assert comparing.findChild(QLabel, "summary.missed").text() == str(counts.missed)
        assert comparing.findChild(QLabel, "summary.extra").text() == str(counts.extra)
        assert comparing.findChild(QLabel, "summary.agreement").text() == f"{counts.agreement_f1:.3f}"
        small = expected.totals.by_size["small"]
        assert (
            comparing.findChild(QLabel, "summary.size.small").text() == f"{small.missed} / {small.reference}"
        )


def places_in_order(video: MatchedVideo) -> list[tuple[int, tuple[float, ...]]]:
    """Every disagreement as the user should meet it: by frame, missed first, the larger before the smaller."""
    table = video.disagreements
    rows = zip(table.frame_index.tolist(), table.kind.tolist(), table.xyxy.tolist(), strict=True)
    ordered = sorted(
        rows, key=lambda row: (row[0], row[1], -(row[2][2] - row[2][0]) * (row[2][3] - row[2][1]))
    )
    return [(frame, tuple(xyxy)) for frame, _, xyxy in ordered]


def wait_for_place(window: MainWindow, qtbot: QtBot, place: tuple[int, tuple[float, ...]]) -> None:
    def is_there() -> bool:
        chosen = window.view_model.selection
        return chosen is not None and (chosen.frame_index, chosen.xyxy) == place

    qtbot.waitUntil(is_there, timeout=PATIENCE_MS)
    wait_for_frame(window, qtbot, place[0])


def test_that_n_goes_from_one_disagreement_to_the_next_and_zooms_to_it(
    comparing: MainWindow, qtbot: QtBot
) -> None:
    comparing.view_model.change_settings(confidence=0.24)
    analyse(comparing, qtbot)
    qtbot.waitUntil(
        lambda: comparing.view_model.matched_video.settings == comparing.view_model.settings,
        timeout=PATIENCE_MS,
    )
    places = places_in_order(comparing.view_model.matched_video)
    assert len({frame for frame, _ in places[:12]}) > 1, "some lie in one frame, some in the next"
    for place in places[:12]:
        press(qtbot, comparing, Qt.Key.Key_N)
        wait_for_place(comparing, qtbot, place)
    assert comparing.comparison.viewport.view.zoom > 1
    for place in places[10::-1]:
        press(qtbot, comparing, Qt.Key.Key_N, Qt.KeyboardModifier.ShiftModifier)
        wait_for_place(comparing, qtbot, place)


def test_that_n_looks_ahead_where_nothing_is_analysed_yet(
    comparing: MainWindow, inputs: Inputs, qtbot: QtBot
) -> None:
    comparing.view_model.change_settings(confidence=0.24)
    qtbot.waitUntil(
        lambda: (
            comparing.view_model.matched_video is not None
            and comparing.view_model.matched_video.settings == comparing.view_model.settings
        ),
        timeout=PATIENCE_MS,
    )
    assert len(comparing.view_model.matched_video.frame_index) < FRAMES
    places = places_in_order(analysed(inputs, comparing.view_model.settings))
    first_beyond = next(k for k, (frame, _) in enumerate(places) if frame > 0)
    for place in places[: first_beyond + 1]:
        press(qtbot, comparing, Qt.Key.Key_N)
        wait_for_place(comparing, qtbot, place)
    qtbot.waitUntil(lambda: not comparing.view_model.progress, timeout=PATIENCE_MS)
    last = FRAMES - 1
    comparing.requests.seek.emit(last)
    wait_for_frame(comparing, qtbot, last)
    for place in [place for place in places if place[0] == last]:
        press(qtbot, comparing, Qt.Key.Key_N)
        wait_for_place(comparing, qtbot, place)
    press(qtbot, comparing, Qt.Key.Key_N)
    qtbot.waitUntil(
        lambda: comparing.view_model.status == "No disagreement after this one.", timeout=PATIENCE_MS
    )


def test_that_the_timeline_colours_misses_and_seeks_where_it_is_clicked(
    comparing: MainWindow, qtbot: QtBot
) -> None:
    timeline = comparing.transport.timeline
    comparing.view_model.change_settings(confidence=0.24)
    analyse(comparing, qtbot)
    video = comparing.view_model.matched_video
    qtbot.waitUntil(
        lambda: comparing.view_model.matched_video.settings.confidence == 0.24, timeout=PATIENCE_MS
    )
    video = comparing.view_model.matched_video
    painted = pixels(timeline)
    theme = comparing.view_model.theme
    for role, counts in (("missed", video.missed), ("extra", video.extra)):
        color = theme.color(role)
        wanted = np.array([color.red(), color.green(), color.blue()])
        for frame, count in zip(video.frame_index.tolist(), counts.tolist(), strict=True):
            if frame:  # the position's line stands on frame 0
                column = painted[:, round(timeline.x_of(frame))]
                assert (column == wanted).all(axis=-1).any() == (count > 0), (role, frame)
    target = 17
    place = QPoint(round(timeline.x_of(target)), timeline.height() // 2)
    qtbot.mouseClick(timeline, CLICK, pos=place)
    wait_for_frame(comparing, qtbot, target)


def test_that_hovering_over_the_timeline_shows_that_frame(comparing: MainWindow, qtbot: QtBot) -> None:
    timeline = comparing.transport.timeline
    qtbot.mouseMove(timeline, QPoint(round(timeline.x_of(11)), 20))
    qtbot.waitUntil(
        lambda: (
            comparing.view_model.thumbnail is not None and comparing.view_model.thumbnail.frame_index == 11
        ),
        timeout=PATIENCE_MS,
    )
    assert number_in(comparing.view_model.thumbnail.pixels[..., :3]) == 11
    assert timeline._preview.isVisible()
    assert "Frame 11" in timeline._preview.words.text()


def test_that_shift_and_drag_loops_a_range(comparing: MainWindow, qtbot: QtBot) -> None:
    timeline = comparing.transport.timeline
    shift = Qt.KeyboardModifier.ShiftModifier
    first, last = (QPoint(round(timeline.x_of(frame)), 20) for frame in (5, 8))
    qtbot.mousePress(timeline, CLICK, shift, first)
    qtbot.mouseMove(timeline, last)
    qtbot.mouseRelease(timeline, CLICK, shift, last)
    assert comparing.view_model.playing.loop == (5, 8)
    seen: list[int] = []
    comparing.view_model.position_changed.connect(lambda position: seen.append(position.frame_index))
    comparing.requests.seek.emit(5)
    press(qtbot, comparing, Qt.Key.Key_Space)
    qtbot.waitUntil(
        lambda: any(later < earlier for earlier, later in itertools.pairwise(seen)),
        timeout=PATIENCE_MS,
    )
    press(qtbot, comparing, Qt.Key.Key_Space)
    assert all(5 <= frame <= 8 for frame in seen[1:])


# Candidates --------------------------------------------------------------------------------------------------------------


def test_that_keys_change_the_candidate_on_the_same_frame(
    comparing: MainWindow, inputs: Inputs, qtbot: QtBot
) -> None:
    comparing.requests.seek.emit(9)
    wait_for_frame(comparing, qtbot, 9)
    comparing.engine.add_candidate(inputs.other)
    for key, path in ((None, inputs.other), (Qt.Key.Key_1, inputs.candidate), (Qt.Key.Key_2, inputs.other)):
        if key is not None:
            press(qtbot, comparing, key)
        qtbot.waitUntil(
            lambda p=path: (
                comparing.view_model.comparison is not None
                and comparing.view_model.comparison.candidate.spec.path == p
            ),
            timeout=PATIENCE_MS,
        )
        assert comparing.view_model.comparison.frame.index == 9
    assert len(comparing.view_model.models.candidates) == 2


# Out of it, and the rest --------------------------------------------------------------------------------------------------


def test_that_a_saved_picture_is_what_is_seen(comparing: MainWindow, tmp_path: Path) -> None:
    path = tmp_path / "seen.png"
    comparing.save_picture_to(path)
    saved = QImage(str(path))
    assert saved.width() == comparing.comparison.width()
    assert saved.height() > comparing.comparison.height(), "the legend is under it"
    shown = comparing.comparison.picture()
    assert saved.pixelColor(300, 200) == shown.pixelColor(300, 200)


def test_that_a_picture_that_cannot_be_written_is_said(comparing: MainWindow, tmp_path: Path) -> None:
    comparing.save_picture_to(tmp_path / "no folder" / "seen.png")
    assert comparing.view_model.problems[0].advice
    assert list(tmp_path.glob("**/*.png")) == []


def test_that_presentation_shows_panes_and_verdict_and_goes_back(comparing: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: "INT8" in comparing.summary.verdict.text(), timeout=PATIENCE_MS)
    press(qtbot, comparing, Qt.Key.Key_F11)
    assert not comparing.panel.isVisible()
    assert not comparing.transport.isVisible()
    label = comparing.findChild(QLabel, "presentation.verdict")
    qtbot.waitUntil(lambda: label.text() == comparing.summary.verdict.text() != "", timeout=PATIENCE_MS)
    press(qtbot, comparing, Qt.Key.Key_F11)
    assert comparing.panel.isVisible()
    assert comparing.transport.isVisible()


def test_that_both_themes_can_be_chosen_and_are_kept(
    make_window: Callable[[], MainWindow], qtbot: QtBot
) -> None:
    window = make_window()
    for choice, theme in (("light", LIGHT), ("dark", DARK)):
        window.choose_theme(choice)
        assert window.view_model.theme is theme
        assert tuple(pixels(window.panel)[-3, 5]) == (
            theme.color("surface").red(),
            theme.color("surface").green(),
            theme.color("surface").blue(),
        )
    window.close()
    assert make_window().view_model.theme is DARK


def test_that_recent_files_are_kept(
    make_window: Callable[[], MainWindow], inputs: Inputs, qtbot: QtBot
) -> None:
    window = make_window()
    open_all(window, inputs)
    wait_for_frame(window, qtbot, 0)
    window.close()
    again = make_window()
    assert str(inputs.video) in again.preferences.recent_sources
    button = again.start_page.findChild(QPushButton, "recent.1.1")
    assert button.text() == inputs.video.name
    qtbot.mouseClick(button, CLICK)
    qtbot.waitUntil(lambda: again.view_model.source is not None, timeout=PATIENCE_MS)


def test_that_a_recent_name_is_shown_with_its_ampersand(make_window: Callable[[], MainWindow]) -> None:
    page = make_window().start_page
    page.set_recent(Preferences(recent_sources=("scene:street?condition=day&seed=3",)))
    button = page.findChild(QPushButton, "recent.1.1")
    assert QKeySequence.mnemonic(button.text()).isEmpty()
    assert button.text().replace("&&", "&") == "scene:street?condition=day&seed=3"


def test_that_damaged_preferences_are_set_aside(
    make_window: Callable[[], MainWindow], tmp_path: Path
) -> None:
    folder = tmp_path / "preferences"
    folder.mkdir()
    (folder / "window.json").write_text('{"version": 1, "theme": "pink"}')
    window = make_window()
    assert "damaged" in window.view_model.status
    assert (folder / "window.unreadable.json").exists()


def test_that_the_thresholds_are_kept_between_runs(make_window: Callable[[], MainWindow]) -> None:
    window = make_window()
    window.view_model.change_settings(confidence=0.4, agnostic_nms=True)
    window.close()
    assert make_window().view_model.settings == CompareSettings(confidence=0.4, agnostic_nms=True)


def test_that_an_engine_from_elsewhere_asks_once(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    path = tmp_path / "yolo.engine"
    path.write_bytes(b"plan")
    error = UntrustedPlan("was not built here", subject=path)
    error.digest = digest_of(path)
    window.engine._ask_trust(error, "candidate", path)
    qtbot.waitUntil(lambda: window.findChild(QPushButton, "banner.choice") is not None, timeout=PATIENCE_MS)
    qtbot.mouseClick(window.findChild(QPushButton, "banner.choice"), CLICK)
    remembered = tmp_path / "config" / "trtviewer" / "trusted_plans.sha256"
    qtbot.waitUntil(remembered.exists, timeout=PATIENCE_MS)
    assert error.digest in remembered.read_text()


def test_that_closing_while_it_plays_and_analyses_ends_at_once(comparing: MainWindow, qtbot: QtBot) -> None:
    press(qtbot, comparing, Qt.Key.Key_Space)
    comparing.requests.analyse.emit()
    comparing.engine.add_candidate(comparing.view_model.models.reference.path)
    comparing.close()
    # The guard of tests/conftest.py looks for threads that are left.


def test_that_what_was_analysed_of_each_candidate_is_kept(
    comparing: MainWindow, inputs: Inputs, qtbot: QtBot
) -> None:
    analyse(comparing, qtbot)
    counts = comparing.view_model.matched_video.totals.counts
    comparing.engine.add_candidate(inputs.other)
    qtbot.waitUntil(
        lambda: (
            comparing.view_model.comparison is not None
            and comparing.view_model.comparison.candidate.spec.path == inputs.other
            and comparing.view_model.matched_video is not None
            and len(comparing.view_model.matched_video.frame_index) < FRAMES
        ),
        timeout=PATIENCE_MS,
    )
    press(qtbot, comparing, Qt.Key.Key_1)
    qtbot.waitUntil(
        lambda: len(comparing.view_model.matched_video.frame_index) == FRAMES, timeout=PATIENCE_MS
    )
    assert comparing.view_model.matched_video.totals.counts == counts
    assert not comparing.view_model.progress, "nothing was analysed again"


def test_that_an_analysis_goes_on_with_the_candidate_that_is_shown_and_comes_back_to_the_other(
    comparing: MainWindow, inputs: Inputs, tmp_path: Path, qtbot: QtBot
) -> None:
    frames = 250
    comparing.engine.open_source(str(write_numbered(tmp_path / "long.mkv", frames)))
    qtbot.waitUntil(lambda: comparing.view_model.analysed[1] == frames, timeout=PATIENCE_MS)
    wait_for_frame(comparing, qtbot, 0)
    comparing.engine.add_candidate(inputs.other, show=False)
    qtbot.waitUntil(
        lambda: all(entry.state is ModelState.READY for entry in comparing.view_model.models.candidates),
        timeout=PATIENCE_MS,
    )

    def whole(candidate: Path) -> bool:
        model = comparing.view_model
        return (
            model.models.candidate.path == candidate
            and model.comparison.candidate.spec.path == candidate
            and model.analysed == (frames, frames)
            and not model.progress
        )

    qtbot.mouseClick(comparing.findChild(QPushButton, "summary.analyse"), CLICK)
    qtbot.waitUntil(lambda: bool(comparing.view_model.progress), timeout=PATIENCE_MS)
    press(qtbot, comparing, Qt.Key.Key_2)
    qtbot.waitUntil(lambda: whole(inputs.other), timeout=6 * PATIENCE_MS)
    assert len(comparing.engine.kept_frames(inputs.candidate)) < frames, "it was done before the key"
    press(qtbot, comparing, Qt.Key.Key_1)
    qtbot.waitUntil(lambda: whole(inputs.candidate), timeout=6 * PATIENCE_MS)


def test_that_a_cancelled_analysis_stays_cancelled_for_every_candidate(
    comparing: MainWindow, inputs: Inputs, tmp_path: Path, qtbot: QtBot
) -> None:
    frames = 250
    comparing.engine.open_source(str(write_numbered(tmp_path / "long.mkv", frames)))
    qtbot.waitUntil(lambda: comparing.view_model.analysed[1] == frames, timeout=PATIENCE_MS)
    wait_for_frame(comparing, qtbot, 0)
    comparing.requests.analyse.emit()
    qtbot.waitUntil(lambda: bool(comparing.view_model.progress), timeout=PATIENCE_MS)
    qtbot.mouseClick(comparing.findChild(QPushButton, "work.cancel"), CLICK)
    comparing.engine.add_candidate(inputs.other)
    qtbot.waitUntil(
        lambda: comparing.view_model.models.candidate.state is ModelState.READY, timeout=PATIENCE_MS
    )
    assert "analysis" not in [thread.name for thread in threading.enumerate()]
    assert len(comparing.engine.kept_frames(inputs.other)) < frames


def test_that_a_cancelled_analysis_keeps_what_it_has(comparing: MainWindow, qtbot: QtBot) -> None:
    comparing.requests.analyse.emit()
    qtbot.waitUntil(lambda: bool(comparing.view_model.progress), timeout=PATIENCE_MS)
    button = comparing.findChild(QPushButton, "work.cancel")
    qtbot.mouseClick(button, CLICK)
    qtbot.waitUntil(lambda: not comparing.view_model.progress, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: comparing.view_model.matched_video is not None, timeout=PATIENCE_MS)
    assert comparing.view_model.problems == ()


def test_that_an_analysed_video_says_how_sure_its_figures_are(comparing: MainWindow, qtbot: QtBot) -> None:
    comparing.resize(1280, 1080)
    comparing.view_model.change_settings(confidence=0.2, match_iou=0.9)
    analyse(comparing, qtbot)
    label = comparing.findChild(QLabel, "summary.findings")
    # Of so short a video, that they are not sure.
    sure = f"Too few frames for an interval: {FRAMES}"
    qtbot.waitUntil(lambda: sure in label.text(), timeout=PATIENCE_MS)
    assert label.isVisible()
    assert comparing.view_model.findings.frames == FRAMES
    comparing.view_model.change_settings(confidence=0.3)
    qtbot.waitUntil(
        lambda: comparing.view_model.findings.settings.confidence == 0.3 and sure in label.text(),
        timeout=PATIENCE_MS,
    )


def test_that_models_that_do_not_go_together_say_so_and_the_reference_plays_alone(
    comparing: MainWindow, inputs: Inputs, tmp_path: Path, qtbot: QtBot
) -> None:
    stranger = tiny_yolo_anchor(tmp_path / "stranger.onnx", seed=3, classes=5)
    comparing.engine.add_candidate(stranger)
    qtbot.waitUntil(lambda: comparing.view_model.alone is not None, timeout=PATIENCE_MS)
    assert comparing.view_model.problems[0].place == "candidate"
    pane = comparing.comparison.panes["candidate"]
    qtbot.waitUntil(lambda: "cannot be compared" in pane.notice, timeout=PATIENCE_MS)
    press(qtbot, comparing, Qt.Key.Key_1)
    qtbot.waitUntil(lambda: comparing.view_model.comparison is not None, timeout=PATIENCE_MS)
    assert comparing.view_model.comparison.candidate.spec.path == inputs.candidate
    assert comparing.view_model.problems == ()


def test_that_escape_goes_back_to_the_whole_frame_and_out_of_the_presentation(
    comparing: MainWindow, qtbot: QtBot
) -> None:
    comparing.requests.select.emit(Selection(3, (40.0, 40.0, 60.0, 60.0), "missed kind1"))
    wait_for_frame(comparing, qtbot, 3)
    assert comparing.comparison.viewport.view.zoom > 1
    assert comparing.findChild(QLabel, "status").text().strip() == "missed kind1"
    press(qtbot, comparing, Qt.Key.Key_Escape)
    assert comparing.comparison.viewport.view.zoom == 1
    assert comparing.view_model.selection is None
    press(qtbot, comparing, Qt.Key.Key_F11)
    press(qtbot, comparing, Qt.Key.Key_Escape)
    assert not comparing.presenting


def test_that_the_status_line_forgets_what_another_candidate_did(
    comparing: MainWindow, inputs: Inputs, qtbot: QtBot
) -> None:
    comparing.engine.add_candidate(inputs.other, show=False)
    comparing.requests.select.emit(Selection(3, (40.0, 40.0, 60.0, 60.0), "missed kind1 0.43"))
    wait_for_frame(comparing, qtbot, 3)
    status = comparing.findChild(QLabel, "status")
    assert status.text().strip() == "missed kind1 0.43"
    zoom = comparing.comparison.viewport.view.zoom
    press(qtbot, comparing, Qt.Key.Key_2)
    qtbot.waitUntil(
        lambda: comparing.view_model.comparison.candidate.spec.path == inputs.other, timeout=PATIENCE_MS
    )
    assert status.text().strip() == ""
    assert comparing.comparison.viewport.view.zoom == zoom, "the place is still looked at"


def test_that_a_verdict_of_two_models_of_one_precision_names_the_side(
    comparing: MainWindow, inputs: Inputs, qtbot: QtBot
) -> None:
    comparing.view_model.change_settings(confidence=0.24)
    qtbot.waitUntil(lambda: "INT8" in comparing.summary.verdict.whole, timeout=PATIENCE_MS)
    comparing.engine.open_reference(inputs.other)
    qtbot.waitUntil(lambda: "he candidate " in comparing.summary.verdict.whole, timeout=PATIENCE_MS)
    assert "INT8" not in comparing.summary.verdict.whole


def test_that_a_folder_of_pictures_shows_the_name_of_the_picture(
    window: MainWindow, inputs: Inputs, tmp_path: Path, qtbot: QtBot
) -> None:
    for name in ("bus.png", "zidane.png"):
        cv2.imwrite(str(tmp_path / name), np.zeros((96, 128, 3), np.uint8))
    window.engine.open_reference(inputs.reference)
    window.engine.open_source(str(tmp_path))
    shown = window.findChild(QLabel, "transport.time")
    qtbot.waitUntil(lambda: shown.text() == "bus.png", timeout=PATIENCE_MS)
    press(qtbot, window, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: shown.text() == "zidane.png", timeout=PATIENCE_MS)


def test_that_the_banner_of_a_damaged_model_is_a_sentence_and_its_details_have_the_rest(
    comparing: MainWindow, inputs: Inputs, tmp_path: Path, qtbot: QtBot
) -> None:
    model = onnx.load(inputs.candidate)
    model.graph.node[0].op_type = "NoSuchOperator"
    damaged = tmp_path / "damaged.onnx"
    onnx.save(model, damaged)
    shutil.copy(inputs.candidate.with_suffix(".toml"), damaged.with_suffix(".toml"))
    comparing.engine.add_candidate(damaged)
    qtbot.waitUntil(lambda: bool(comparing.view_model.problems), timeout=PATIENCE_MS)
    words = comparing.findChild(QLabel, "banner.words").text()
    assert "cannot be opened by ONNX Runtime" in words
    assert "NoSuchOperator" not in words
    assert "ONNXRuntimeError" not in words
    assert "NoSuchOperator" in comparing.view_model.problems[0].details
