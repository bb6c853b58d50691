"""Work off the GUI thread, and its pace."""

from __future__ import annotations

import threading
import time

import pytest
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from trtviewer.gui.docks.newest import Newest, Pace


def test_that_requests_made_while_one_is_answered_become_the_newest_only(qtbot: QtBot) -> None:
    begun, go_on = threading.Event(), threading.Event()
    worked: list[int] = []

    def work(request: int) -> int:
        worked.append(request)
        begun.set()
        assert go_on.wait(5)
        return request * 10

    newest = Newest("test", work)
    answers: list[int] = []
    newest.answered.connect(answers.append)
    newest.ask(1)
    assert begun.wait(5)
    for request in (2, 3, 4):
        newest.ask(request)
    go_on.set()
    qtbot.waitUntil(lambda: answers[-1:] == [40], timeout=5000)
    newest.close()
    assert worked == [1, 4]


def test_that_a_failed_request_is_told_and_the_next_is_answered(qtbot: QtBot) -> None:
    def work(request: int) -> int:
        if request < 0:
            raise ValueError("negative")
        return request

    newest = Newest("test", work)
    with qtbot.waitSignal(newest.failed, timeout=5000) as caught:
        newest.ask(-1)
    assert str(caught.args[0]) == "negative"
    with qtbot.waitSignal(newest.answered, timeout=5000) as caught:
        newest.ask(7)
    assert caught.args == [7]
    newest.close()


def test_that_nothing_is_answered_after_it_was_closed(qtbot: QtBot) -> None:
    newest = Newest("test", lambda request: request)
    answers: list[int] = []
    newest.answered.connect(answers.append)
    newest.ask(1)
    newest.close()
    newest.close()
    # Answers come in the order in which they were given: after this one nothing of the other is under way.
    later = Newest("later", lambda request: request)
    with qtbot.waitSignal(later.answered, timeout=5000):
        later.ask(2)
    later.close()
    assert answers == []
    Newest("never asked", lambda request: request).close()


@pytest.mark.parametrize("wanted", [2, 50])
def test_that_what_is_wanted_often_is_due_once_and_once_more_when_the_interval_has_passed(
    qtbot: QtBot, wanted: int
) -> None:
    pace = Pace(interval_ms=200)
    due: list[float] = []
    pace.due.connect(lambda: due.append(time.monotonic()))
    pace.want()
    qtbot.waitUntil(lambda: len(due) == 1, timeout=5000)
    for _ in range(wanted):
        pace.want()
    assert len(due) == 1
    qtbot.waitUntil(lambda: len(due) == 2, timeout=5000)
    pace.want()
    pace.stop()
    later = Pace(interval_ms=200)
    for _ in range(2):
        with qtbot.waitSignal(later.due, timeout=5000):
            QTimer.singleShot(0, later.want)
    assert len(due) == 2


def test_that_docks_take_turns_and_each_gets_one(qtbot: QtBot) -> None:
    turns: list[int] = []
    paces = [Pace() for _ in range(4)]
    for index, pace in enumerate(paces):
        pace.due.connect(lambda index=index: turns.append(index))
    for pace in paces:
        pace.want()
    assert len(turns) <= 1
    qtbot.waitUntil(lambda: sorted(turns) == [0, 1, 2, 3], timeout=5000)
