"""The table of disagreements, by mouse and keys, against Python's own sorting and filtering."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from tests.gui.docks.conftest import Show, pixels_of, video_of
from trtviewer.compare.matched_video import EXTRA, MISSED, DisagreementTable, MatchedVideo
from trtviewer.compare.matching import Reason
from trtviewer.compare.settings import CompareSettings
from trtviewer.compare.totals import SIZES
from trtviewer.gui.docks.disagreement_rows import KIND_WORDS, Column
from trtviewer.gui.docks.disagreements import DisagreementsDock
from trtviewer.gui.panes.marks import REASON_WORDS
from trtviewer.gui.theme import LIGHT
from trtviewer.gui.view_model import Models, Requests, Selection, SourceEntry, ViewModel

NAMES = ("person", "car", "dog")


@pytest.fixture
def video(view_model: ViewModel) -> MatchedVideo:
    made, _ = video_of(12)
    assert len(made.disagreements) > 40
    view_model.set_matched_video(made)
    return made


def rows_of(dock: DisagreementsDock) -> list[list[str]]:
    model = dock.view.model()
    return [
        [model.index(row, column).data() for column in range(model.columnCount())]
        for row in range(model.rowCount())
    ]


def plain(table: DisagreementTable) -> list[dict[str, object]]:
    """The table as Python's own rows."""
    return [
        {
            "frame": int(table.frame_index[i]),
            "kind": int(table.kind[i]),
            "reason": int(table.reason[i]),
            "class": NAMES[int(table.class_id[i])],
            "size": SIZES[int(table.size[i])],
            "stride": int(table.stride[i]),
            "reference": float((table.score if table.kind[i] == MISSED else table.other_score)[i]),
            "candidate": float((table.other_score if table.kind[i] == MISSED else table.score)[i]),
            "iou": float(table.iou[i]),
            "error": float(table.cell_error[i]),
            "row": i,
        }
        for i in range(len(table))
    ]


def shown_rows(dock: DisagreementsDock) -> list[int]:
    return dock.model.rows.tolist()


def click_heading(dock: DisagreementsDock, qtbot: QtBot, column: Column) -> None:
    header = dock.view.horizontalHeader()
    x = header.sectionViewportPosition(column) + header.sectionSize(column) // 2
    qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(x, header.height() // 2))


def choose(dock: DisagreementsDock, name: str, text: str) -> None:
    box = dock.findChild(QComboBox, name)
    index = next(i for i in range(box.count()) if box.itemText(i).split("  ")[0] == text)
    box.setCurrentIndex(index)


def test_that_each_row_says_what_the_core_found(show: Show, video: MatchedVideo) -> None:
    dock = show("disagreements")
    table = video.disagreements
    rows = rows_of(dock)
    assert len(rows) == len(table)
    for row, source in zip(rows, plain(table), strict=True):
        assert row[Column.FRAME] == str(source["frame"])
        assert row[Column.KIND] == KIND_WORDS[source["kind"]]  # type: ignore[index]
        assert row[Column.REASON] == REASON_WORDS[Reason(source["reason"])]  # type: ignore[arg-type]
        assert (row[Column.CLASS], row[Column.SIZE]) == (source["class"], source["size"])
        for column, name in ((Column.REFERENCE_SCORE, "reference"), (Column.CANDIDATE_SCORE, "candidate")):
            value = float(source[name])  # type: ignore[arg-type]
            assert row[column] == ("–" if math.isnan(value) else f"{value:.3f}")
        assert row[Column.CELL_ERROR] == f"{source['error']:.3f}"


@pytest.mark.parametrize(
    ("column", "name"),
    [
        (Column.FRAME, "frame"),
        (Column.KIND, "kind"),
        (Column.REASON, "reason"),
        (Column.CLASS, "class"),
        (Column.STRIDE, "stride"),
        (Column.REFERENCE_SCORE, "reference"),
        (Column.CANDIDATE_SCORE, "candidate"),
        (Column.IOU, "iou"),
        (Column.CELL_ERROR, "error"),
    ],
)
@pytest.mark.parametrize("falling", [False, True])
def test_that_a_click_on_a_heading_sorts_and_a_second_one_turns_it_round(
    show: Show, qtbot: QtBot, video: MatchedVideo, column: Column, name: str, falling: bool
) -> None:
    dock = show("disagreements")
    dock.view.sortByColumn(Column.SIZE, Qt.SortOrder.AscendingOrder)
    click_heading(dock, qtbot, column)
    if falling:
        click_heading(dock, qtbot, column)
    rows = plain(video.disagreements)
    defined = [row for row in rows if not (isinstance(row[name], float) and math.isnan(row[name]))]
    ordered = sorted(defined, key=lambda row: row[name], reverse=falling)  # type: ignore[arg-type, return-value]
    ordered += [row for row in rows if row not in defined]
    assert shown_rows(dock) == [row["row"] for row in ordered]
    assert ("▾" if falling else "▴") in dock.model.headerData(column, Qt.Orientation.Horizontal)


def test_that_filters_leave_what_fits_all_of_them(show: Show, video: MatchedVideo) -> None:
    dock = show("disagreements")
    choose(dock, "disagreements.kind", "missed")
    choose(dock, "disagreements.class", "dog")
    expected = [
        row["row"] for row in plain(video.disagreements) if row["kind"] == MISSED and row["class"] == "dog"
    ]
    assert expected
    assert shown_rows(dock) == expected
    assert (
        dock.findChild(QLabel, "disagreements.count").text()
        == f"{len(expected):,} of {len(video.disagreements):,}"
    )
    dock.findChild(QPushButton, "disagreements.clear").click()
    assert len(shown_rows(dock)) == len(video.disagreements)
    choose(dock, "disagreements.size", "medium")
    assert shown_rows(dock) == [row["row"] for row in plain(video.disagreements) if row["size"] == "medium"]


def test_that_words_filter_by_class_reason_size_and_frame(
    show: Show, qtbot: QtBot, video: MatchedVideo
) -> None:
    dock = show("disagreements")
    field = dock.findChild(QLineEdit, "disagreements.text")
    qtbot.keyClicks(field, "Gone car")
    rows = plain(video.disagreements)
    assert shown_rows(dock) == [
        row["row"] for row in rows if row["class"] == "car" and row["reason"] == Reason.GONE
    ]
    field.clear()
    qtbot.keyClicks(field, "1")
    assert shown_rows(dock) == [row["row"] for row in rows if str(row["frame"]).startswith("1")]
    field.clear()
    qtbot.keyClicks(field, "zebra")
    assert shown_rows(dock) == []
    assert "passes the filters" in dock.findChild(QLabel, "disagreements.empty").text()
    assert dock.findChild(QLabel, "disagreements.empty").isVisible()


def test_that_the_bar_shows_the_shares_and_a_click_filters_by_one_reason(
    show: Show, qtbot: QtBot, video: MatchedVideo
) -> None:
    dock = show("disagreements")
    totals = video.totals
    assert {(one.kind, one.reason.key): one.count for one in dock.bar.segments} == {
        (kind, key): count
        for kind, counts in ((MISSED, totals.missed_reasons), (EXTRA, totals.extra_reasons))
        for key, count in counts.items()
        if count
    }
    assert sum(one.share for one in dock.bar.segments) == pytest.approx(1)
    index = max(range(len(dock.bar.segments)), key=lambda place: dock.bar.segments[place].count)
    chosen = dock.bar.segments[index]
    at = dock.bar.place(index).center().toPoint()
    qtbot.mouseClick(dock.bar, Qt.MouseButton.LeftButton, pos=at)
    expected = [
        row["row"]
        for row in plain(video.disagreements)
        if row["kind"] == chosen.kind and row["reason"] == chosen.reason
    ]
    assert shown_rows(dock) == expected
    assert len(expected) == chosen.count
    qtbot.mouseClick(dock.bar, Qt.MouseButton.LeftButton, pos=at)
    assert len(shown_rows(dock)) == len(video.disagreements)


def test_that_the_bar_is_reached_by_keys_alone(show: Show, qtbot: QtBot, video: MatchedVideo) -> None:
    dock = show("disagreements")
    dock.bar.setFocus()
    qtbot.keyClick(dock.bar, Qt.Key.Key_Right)
    qtbot.keyClick(dock.bar, Qt.Key.Key_Space)
    assert len(shown_rows(dock)) == dock.bar.segments[1].count


def test_that_the_window_s_filters_of_class_and_size_hold_in_the_table(
    show: Show, view_model: ViewModel, video: MatchedVideo
) -> None:
    dock = show("disagreements")
    view_model.change_display(classes=frozenset({1}), sizes=frozenset({"small", "large"}))
    assert shown_rows(dock) == [
        row["row"] for row in plain(video.disagreements) if row["class"] == "car" and row["size"] != "medium"
    ]


def test_that_a_row_leads_to_its_frame_its_box_and_its_cell(
    show: Show, qtbot: QtBot, video: MatchedVideo, requests: Requests
) -> None:
    dock = show("disagreements")
    table = video.disagreements
    row = 3
    at = dock.view.visualRect(dock.model.index(row, int(Column.CLASS))).center()
    with qtbot.waitSignal(requests.select, timeout=2000) as caught:
        qtbot.mouseClick(dock.view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    selection: Selection = caught.args[0]
    assert selection.frame_index == table.frame_index[row]
    assert selection.xyxy == pytest.approx(table.xyxy[row].tolist())
    assert selection.position == table.position[row]
    with qtbot.waitSignal(requests.select, timeout=2000) as caught:
        qtbot.keyClick(dock.view, Qt.Key.Key_Down)
    assert caught.args[0].position == table.position[row + 1]
    with qtbot.waitSignal(requests.select, timeout=2000) as caught:
        qtbot.mouseClick(
            dock.view.viewport(),
            Qt.MouseButton.LeftButton,
            pos=dock.view.visualRect(dock.model.index(row + 1, 0)).center(),
        )
    assert caught.args[0].position == table.position[row + 1]


def test_that_the_cursor_follows_a_choice_made_elsewhere_without_choosing_again(
    show: Show, qtbot: QtBot, view_model: ViewModel, video: MatchedVideo, requests: Requests
) -> None:
    dock = show("disagreements")
    table, row = video.disagreements, 17
    left, top, right, bottom = (float(value) for value in table.xyxy[row])
    with qtbot.assertNotEmitted(requests.select, wait=50):
        view_model.set_selection(Selection(int(table.frame_index[row]), (left, top, right, bottom)))
    assert dock.view.currentIndex().row() == row


def test_that_the_cursor_finds_a_choice_that_was_made_before_its_row_came(
    show: Show, qtbot: QtBot, view_model: ViewModel
) -> None:
    earlier, later = video_of(6)[0], video_of(12)[0]
    view_model.set_matched_video(earlier)
    dock = show("disagreements")
    row = len(later.disagreements) - 1
    table = later.disagreements
    view_model.set_selection(Selection(int(table.frame_index[row]), tuple(table.xyxy[row].tolist())))
    assert not dock.view.currentIndex().isValid()
    view_model.set_matched_video(later)
    qtbot.waitUntil(lambda: dock.view.currentIndex().isValid())
    assert shown_rows(dock)[dock.view.currentIndex().row()] == row


def test_that_the_chosen_row_stays_chosen_while_frames_are_added_and_nothing_is_sought(
    show: Show, qtbot: QtBot, view_model: ViewModel, requests: Requests
) -> None:
    longer, _ = video_of(12)
    shorter, _ = video_of(6)
    view_model.set_matched_video(shorter)
    dock = show("disagreements")
    click_heading(dock, qtbot, Column.CELL_ERROR)
    dock.view.setCurrentIndex(dock.model.index(2, 0))
    row = int(dock.model.rows[2])
    with qtbot.assertNotEmitted(requests.select):
        view_model.set_matched_video(longer)
        qtbot.waitUntil(lambda: len(shown_rows(dock)) == len(longer.disagreements), timeout=2000)
    assert int(dock.model.rows[dock.view.currentIndex().row()]) == row


def test_that_frames_added_at_the_end_are_inserted_and_leave_the_rest_as_painted(
    show: Show, qtbot: QtBot, view_model: ViewModel
) -> None:
    longer, _ = video_of(12)
    shorter, _ = video_of(6)
    view_model.set_matched_video(shorter)
    dock = show("disagreements")
    with (
        qtbot.assertNotEmitted(dock.model.modelReset),
        qtbot.waitSignal(dock.model.rowsInserted, timeout=2000),
    ):
        view_model.set_matched_video(longer)
    assert shown_rows(dock) == list(range(len(longer.disagreements)))
    assert len(rows_of(dock)) == len(longer.disagreements)
    other, _ = video_of(12, CompareSettings(nms_iou=0.5))
    with qtbot.waitSignal(dock.model.modelReset, timeout=2000):
        view_model.set_matched_video(other)
    assert len(rows_of(dock)) == len(other.disagreements)


def test_that_a_chosen_row_is_painted_in_the_accent(
    show: Show, view_model: ViewModel, video: MatchedVideo
) -> None:
    dock = show("disagreements")
    dock.view.selectRow(1)
    area = dock.view.visualRect(dock.model.index(1, int(Column.CLASS)))
    red, green, blue = pixels_of(dock.view.viewport())[area.center().y(), area.right() - 3].tolist()
    accent = view_model.theme.color("accent")
    assert (red, green, blue) == pytest.approx((accent.red(), accent.green(), accent.blue()), abs=4)


def test_that_the_table_says_which_thresholds_it_belongs_to_until_the_match_is_through(
    show: Show, qtbot: QtBot, view_model: ViewModel, video: MatchedVideo
) -> None:
    dock = show("disagreements")
    notice = dock.findChild(QLabel, "disagreements.notice")
    assert not notice.isVisible()
    view_model.change_settings(epsilon=0.1)
    assert not notice.isVisible()
    view_model.change_settings(confidence=0.4)
    assert notice.isVisible()
    assert "0.25" in notice.text()
    assert "0.40" in notice.text()
    made, _ = video_of(12, replace(CompareSettings(), confidence=0.4, epsilon=0.1))
    view_model.set_matched_video(made)
    qtbot.waitUntil(lambda: not notice.isVisible(), timeout=2000)
    assert len(shown_rows(dock)) == len(made.disagreements)


def test_that_what_is_shown_is_copied_as_csv_in_its_order(
    show: Show, qtbot: QtBot, view_model: ViewModel, video: MatchedVideo
) -> None:
    dock = show("disagreements")
    choose(dock, "disagreements.kind", "extra")
    click_heading(dock, qtbot, Column.CANDIDATE_SCORE)
    QGuiApplication.clipboard().clear()
    dock.view.setFocus()
    qtbot.keyClick(dock.view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: QGuiApplication.clipboard().text() != "", timeout=5000)
    found = list(csv.DictReader(io.StringIO(QGuiApplication.clipboard().text())))
    table = video.disagreements
    assert len(found) == len(shown_rows(dock))
    for line, row in zip(found, shown_rows(dock), strict=True):
        assert int(line["frame_index"]) == table.frame_index[row]
        assert line["kind"] == "extra"
        assert line["reason"] == Reason(int(table.reason[row])).key
        assert float(line["candidate_score"]) == pytest.approx(float(table.score[row]), rel=1e-5)
        assert line["reference_score"] == "" or float(line["reference_score"]) == pytest.approx(
            float(table.other_score[row]), rel=1e-5
        )
        assert float(line["right"]) == pytest.approx(float(table.xyxy[row, 2]), rel=1e-5)
    assert f"{len(found):,}" in view_model.status


def test_that_selected_rows_alone_are_copied(show: Show, qtbot: QtBot, video: MatchedVideo) -> None:
    dock = show("disagreements")
    QGuiApplication.clipboard().clear()
    dock.view.selectRow(1)
    dock.view.setFocus()
    qtbot.keyClick(dock.view, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(dock.view, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    dock.findChild(QPushButton, "disagreements.copy").click()
    qtbot.waitUntil(lambda: QGuiApplication.clipboard().text() != "", timeout=5000)
    assert len(QGuiApplication.clipboard().text().splitlines()) == 4


def test_that_nothing_analysed_is_said_in_words_and_offers_the_analysis(
    show: Show, qtbot: QtBot, view_model: ViewModel, requests: Requests
) -> None:
    view_model.set_source(SourceEntry("a.mp4", "a.mp4", 100, 25.0))
    dock = show("disagreements")
    assert "Nothing has been analysed" in dock.findChild(QLabel, "disagreements.empty").text()
    with qtbot.waitSignal(requests.analyse, timeout=2000):
        dock.findChild(QPushButton, "disagreements.analyse").click()


def test_that_without_models_the_analysis_is_not_offered_and_it_says_why(
    show: Show, qtbot: QtBot, view_model: ViewModel
) -> None:
    both = view_model.models
    view_model.set_models(Models())
    view_model.set_source(SourceEntry("a.mp4", "a.mp4", 100, 25.0))
    dock = show("disagreements")
    assert (
        "takes a reference, a candidate and a video" in dock.findChild(QLabel, "disagreements.empty").text()
    )
    assert not dock.findChild(QPushButton, "disagreements.analyse").isVisible()
    view_model.set_models(both)
    qtbot.waitUntil(dock.findChild(QPushButton, "disagreements.analyse").isVisible, timeout=5000)


def test_that_full_agreement_is_said_in_words(show: Show, view_model: ViewModel) -> None:
    made, _ = video_of(3, CompareSettings(confidence=1.0))
    view_model.set_matched_video(made)
    dock = show("disagreements")
    assert "agree on every detection of the 3 frames" in dock.findChild(QLabel, "disagreements.empty").text()


def test_that_a_hidden_table_does_nothing_and_catches_up(
    show: Show, qtbot: QtBot, view_model: ViewModel, video: MatchedVideo
) -> None:
    dock, seen = show("disagreements"), show("disagreements")
    dock.hide()
    longer, _ = video_of(14)
    view_model.set_matched_video(longer)
    qtbot.waitUntil(lambda: len(shown_rows(seen)) == len(longer.disagreements), timeout=5000)
    assert len(shown_rows(dock)) == len(video.disagreements)
    dock.show()
    assert len(shown_rows(dock)) == len(longer.disagreements)


def test_that_a_hundred_thousand_rows_are_asked_for_no_more_cells_than_are_seen(
    show: Show, qtbot: QtBot, view_model: ViewModel, video: MatchedVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = video.disagreements
    chosen = np.random.default_rng(0).integers(0, len(small), 100_000)
    names = DisagreementTable.__slots__
    large = DisagreementTable(**{name: getattr(small, name)[chosen] for name in names})
    dock = show("disagreements")
    asked = 0
    cell = dock.model.cell

    def counted(*arguments: object) -> object:
        nonlocal asked
        asked += 1
        return cell(*arguments)

    monkeypatch.setattr(dock.model, "cell", counted)
    view_model.set_matched_video(replace(video, disagreements=large))
    qtbot.waitUntil(lambda: len(shown_rows(dock)) == 100_000, timeout=5000)
    click_heading(dock, qtbot, Column.IOU)
    dock.view.scrollToBottom()
    dock.grab()
    seen = (dock.view.viewport().height() // dock.view.rowHeight(0) + 2) * len(Column)
    assert 0 < asked < seen * 6
    iou = large.iou[dock.model.rows]
    defined = iou[~np.isnan(iou)]
    assert (np.diff(defined) >= 0).all()
    assert np.isnan(iou[len(defined) :]).all()


def test_that_missed_and_extra_have_their_colours_in_both_themes(
    show: Show, view_model: ViewModel, video: MatchedVideo
) -> None:
    dock = show("disagreements")
    for theme in (view_model.theme, LIGHT):
        view_model.set_theme(theme)
        for kind, role in ((MISSED, "missed"), (EXTRA, "extra")):
            row = next(i for i, one in enumerate(shown_rows(dock)) if video.disagreements.kind[one] == kind)
            index = dock.model.index(row, int(Column.KIND))
            dock.view.scrollTo(index)
            area = dock.view.visualRect(index)
            image = pixels_of(dock.view.viewport())[area.top() : area.bottom(), area.left() : area.right()]
            wanted = theme.color(role)
            off = np.abs(image.astype(int) - [wanted.red(), wanted.green(), wanted.blue()]).max(axis=-1)
            assert off.min() < 24
