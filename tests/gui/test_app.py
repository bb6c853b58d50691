"""The start-up guard, the last net, and the border between threads."""

from __future__ import annotations

import logging
import sys
import threading
import time

import pytest
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from trtviewer.errors import MissingRuntime
from trtviewer.gui import app, application
from trtviewer.gui.border import Border, QueueBorder
from trtviewer.gui.main_window import MainWindow


def test_that_a_sound_pyside_passes_the_guard() -> None:
    application.check_pyside()


def test_that_a_pyside_that_loses_references_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = iter((500, 450))
    monkeypatch.setattr(application.sys, "getrefcount", lambda _: next(counts))
    with pytest.raises(MissingRuntime) as caught:
        application.check_pyside()
    assert "6.12.0" in str(caught.value)


def test_that_an_error_nobody_caught_becomes_one_banner_and_is_logged_whole(
    window: MainWindow, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    net = app.LastNet()
    net.watch(window)

    def fail() -> None:
        raise ZeroDivisionError("what nobody thought of")

    def caught() -> None:
        try:
            fail()
        except ZeroDivisionError:
            net._caught(*sys.exc_info())

    with caplog.at_level(logging.ERROR):
        for _ in range(5):
            caught()
            thread = threading.Thread(target=caught)
            thread.start()
            thread.join()
        qtbot.waitUntil(lambda: bool(window.view_model.problems), timeout=5000)
        QApplication.processEvents()
    assert len(window.view_model.problems) == 1
    assert "what nobody thought of" in window.findChild(QLabel, "banner.words").text()
    assert "in fail" in caplog.text, "the whole trace"


def test_that_a_flooded_border_shows_fewer_but_the_newest_last(qapp: QApplication, qtbot: QtBot) -> None:
    border, queue = Border(), QueueBorder()
    seen: list[int] = []
    all_seen: list[int] = []

    def look(value: int) -> None:
        assert threading.current_thread() is threading.main_thread()
        time.sleep(0.002)
        seen.append(value)

    border.arrived.connect(look)
    queue.arrived.connect(all_seen.append)

    def flood() -> None:
        for value in range(3000):
            border.publish(value)
            queue.publish(value)

    threads = [threading.Thread(target=flood) for _ in range(1)]
    for thread in threads:
        thread.start()
    qtbot.waitUntil(lambda: bool(seen) and seen[-1] == 2999 and len(all_seen) == 3000, timeout=10_000)
    for thread in threads:
        thread.join()
    assert seen == sorted(seen)
    assert len(seen) < 3000
    assert all_seen == list(range(3000))


def test_that_nothing_arrives_after_a_border_is_closed(qapp: QApplication) -> None:
    for border in (Border(), QueueBorder()):
        seen: list[object] = []
        border.arrived.connect(seen.append)
        border.publish(1)
        border.close()
        border.publish(2)
        qapp.processEvents()
        assert seen == []
