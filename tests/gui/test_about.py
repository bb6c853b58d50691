"""Help tells what the program is, on what terms, and where it looks for TensorRT."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QListWidget, QPlainTextEdit, QTabWidget
from pytestqt.qtbot import QtBot

from trtviewer import __version__, extra_site
from trtviewer.gui.main_window import MainWindow


def test_that_about_tells_the_version_and_escape_closes_it(window: MainWindow, qtbot: QtBot) -> None:
    window.actions_by_id["help.about"].trigger()
    words = window.findChild(QLabel, "about.words")
    assert __version__ in words.text()
    pages = window.findChild(QTabWidget, "about.pages")
    qtbot.keyClick(pages, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: window.findChild(QLabel, "about.words") is None)


def test_that_each_package_shows_its_licence_by_keyboard(window: MainWindow, qtbot: QtBot) -> None:
    window.actions_by_id["help.licences"].trigger()
    names = window.findChild(QListWidget, "licences.names")
    text = window.findChild(QPlainTextEdit, "licences.text")
    assert "MIT licence" in text.toPlainText()
    qtbot.keyClick(names, Qt.Key.Key_Down)
    assert names.currentItem().text().split()[0] in text.toPlainText()
    assert "Licence: " in text.toPlainText()


def test_that_a_folder_that_is_added_is_shown_kept_and_judged(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv(extra_site.VARIABLE, os.pathsep.join([str(tmp_path / "gone")]))
    (tmp_path / "mine" / "pycuda").mkdir(parents=True)
    window.actions_by_id["help.runtimes"].trigger()
    pages = window.findChild(QTabWidget, "about.pages")
    page = pages.currentWidget()
    shown = window.findChild(QPlainTextEdit, "runtimes.places")
    assert "there is no such folder" in shown.toPlainText()
    page.add(tmp_path / "mine")
    assert "pycuda" in window.findChild(QLabel, "runtimes.said").text().lower()
    assert str(tmp_path / "mine") in shown.toPlainText()
    assert str(tmp_path / "mine") in extra_site.list_file().read_text("utf-8")
