"""The help is the README, every link of it leads somewhere, and following one opens what it names."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QApplication, QLabel, QListWidget, QTextBrowser, QWidget
from pytestqt.qtbot import QtBot

from tests.gui.conftest import PATIENCE_MS
from trtviewer.gui.help.text import SCHEME, TOUR, WHAT_NOW, HelpPage, help_pages
from trtviewer.gui.help.window import HelpWindow
from trtviewer.gui.main_window import MainWindow
from trtviewer.resources import readme

_LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)]+)\)")


def links_of(page: HelpPage) -> list[str]:
    """Where its links lead; not its pictures."""
    return _LINK.findall(page.markdown)


LINKS = sorted({link for page in help_pages() for link in links_of(page)})


def help_window(qtbot: QtBot) -> HelpWindow:
    """The help, read."""

    def read() -> list[HelpWindow]:
        shown = [one for one in QApplication.topLevelWidgets() if isinstance(one, HelpWindow)]
        return [one for one in shown if one.isVisible() and one.contents.count()]

    qtbot.waitUntil(lambda: bool(read()), timeout=PATIENCE_MS)
    (found,) = read()
    return found


def opened(window: MainWindow, qtbot: QtBot, key: Qt.KeyboardModifier) -> HelpWindow:
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    qtbot.keyClick(window, Qt.Key.Key_F1, key)
    help_ = help_window(qtbot)
    qtbot.waitUntil(help_.isActiveWindow)
    return help_


def click(help_: HelpWindow, qtbot: QtBot, link: str) -> None:
    """Clicks the words that lead to `link`, on the page that has them."""
    (row,) = [number for number, page in enumerate(help_pages()) if link in links_of(page)][:1]
    help_.findChild(QListWidget, "help.contents").setCurrentRow(row)
    text = help_.findChild(QTextBrowser, "help.text")
    cursor = QTextCursor(text.document())
    while cursor.charFormat().anchorHref() != link:
        assert cursor.movePosition(QTextCursor.MoveOperation.NextCharacter), f"{link} is not on its page"
    cursor.movePosition(QTextCursor.MoveOperation.NextCharacter)
    text.setTextCursor(cursor)
    text.ensureCursorVisible()
    place = text.cursorRect(cursor).center() - QPoint(2, 0)
    qtbot.mouseClick(text.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_that_f1_opens_the_tour_with_its_pictures_and_shift_the_way_out(
    window: MainWindow, qtbot: QtBot
) -> None:
    help_ = opened(window, qtbot, Qt.KeyboardModifier.NoModifier)
    text = help_.findChild(QTextBrowser, "help.text")
    (tour,) = [page for page in help_pages() if page.slug == TOUR]
    assert text.toPlainText().startswith(tour.title)
    assert len(tour.pictures) >= 4
    qtbot.waitUntil(lambda: text.loadResource(2, QUrl(tour.pictures[0])) is not None, timeout=PATIENCE_MS)
    for path in tour.pictures:
        assert text.loadResource(2, QUrl(path)).width() > 0, path
    height = sum(text.loadResource(2, QUrl(path)).height() for path in tour.pictures)
    assert text.document().size().height() > height, "they stand in the page"
    assert opened(window, qtbot, Qt.KeyboardModifier.ShiftModifier) is help_, "one window turns its pages"
    assert text.toPlainText().startswith("My INT8 model loses objects")
    qtbot.keyClick(help_, Qt.Key.Key_Escape)
    assert not help_.isVisible()


def test_that_the_pages_are_the_whole_readme(window: MainWindow, qtbot: QtBot) -> None:
    text = readme().read_text("utf-8")
    assert "\n".join(page.markdown for page in help_pages()).split() == text.split()
    help_ = opened(window, qtbot, Qt.KeyboardModifier.NoModifier)
    contents = help_.findChild(QListWidget, "help.contents")
    assert [contents.item(row).text() for row in range(contents.count())] == [
        line.lstrip("# ") for line in text.splitlines() if line.startswith(("# ", "## "))
    ]


def test_that_every_link_is_of_the_window_or_a_page() -> None:
    slugs = {page.slug for page in help_pages()}
    assert all(link.startswith(SCHEME) or link[1:] in slugs for link in LINKS), LINKS
    what_now = next(page for page in help_pages() if page.slug == WHAT_NOW)
    docks = {"disagreements", "heatmaps", "error_histogram", "layers", "calibration", "variants", "speed"}
    assert docks <= {link.removeprefix(SCHEME).partition("#")[0] for link in links_of(what_now)}


@pytest.mark.parametrize("link", [link for link in LINKS if "." not in link.partition("#")[0]])
def test_that_a_link_opens_its_dock_and_goes_to_its_control(
    comparing: MainWindow, qtbot: QtBot, link: str
) -> None:
    help_ = opened(comparing, qtbot, Qt.KeyboardModifier.ShiftModifier)
    for dock in comparing.shelf.docks.values():
        dock.hide()
    comparing.panel.hide()
    click(help_, qtbot, link)
    dock, _, control = link.removeprefix(SCHEME).partition("#")
    if link.startswith("#"):
        assert help_.text.toPlainText().startswith("Models and sources")
        return
    shown = comparing.shelf.docks[dock] if dock else comparing.panel
    qtbot.waitUntil(shown.isVisible, timeout=PATIENCE_MS)
    assert help_.findChild(QLabel, "help.said").text().startswith("Opened ")
    if control:
        found = comparing.findChild(QWidget, control)
        assert found.isVisible()
        assert found.hasFocus() or comparing.focusWidget() is found or not found.isEnabled()


def commands() -> list[str]:
    names = [link.removeprefix(SCHEME) for link in LINKS if link.startswith(SCHEME)]
    return [name for name in names if "." in name.partition("#")[0]]


def test_that_every_command_that_is_linked_is_there_and_one_runs(comparing: MainWindow, qtbot: QtBot) -> None:
    assert set(commands()) <= set(comparing.actions_by_id)
    help_ = opened(comparing, qtbot, Qt.KeyboardModifier.ShiftModifier)
    click(help_, qtbot, "trtviewer:mode.split")
    assert comparing.view_model.display.mode.value == "split"


def test_that_an_empty_window_says_what_a_link_needs(window: MainWindow, qtbot: QtBot) -> None:
    help_ = opened(window, qtbot, Qt.KeyboardModifier.ShiftModifier)
    said = help_.findChild(QLabel, "help.said")
    click(help_, qtbot, "trtviewer:layers")
    assert "first" in said.text()
    click(help_, qtbot, "trtviewer:compare.analyse")
    assert "first" in said.text()
    assert not window.shelf.docks["layers"].isVisible()


def test_that_the_keyboard_goes_through_the_links(comparing: MainWindow, qtbot: QtBot) -> None:
    help_ = opened(comparing, qtbot, Qt.KeyboardModifier.ShiftModifier)
    text = help_.findChild(QTextBrowser, "help.text")
    text.setFocus()
    before = comparing.view_model.progress
    qtbot.keyClick(text, Qt.Key.Key_Tab)
    qtbot.keyClick(text, Qt.Key.Key_Return)
    assert help_.findChild(QLabel, "help.said").text() == "Analyse the whole video."
    assert before == ()


def test_that_the_help_follows_the_theme_and_goes_with_the_window(
    make_window: Callable[[], MainWindow], qtbot: QtBot
) -> None:
    window = make_window()
    help_ = opened(window, qtbot, Qt.KeyboardModifier.NoModifier)
    pictures = []
    for theme in ("dark", "light"):
        window.choose_theme(theme)
        pictures.append(help_.grab().toImage().pixelColor(help_.width() - 40, 40).lightness())
    assert pictures[0] < 64 < 192 < pictures[1]
    with qtbot.waitSignal(help_.destroyed, timeout=PATIENCE_MS):
        window.close()
    window.shut_down()  # as the program does once more at its end
