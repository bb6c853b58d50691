"""Work in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from trtviewer.errors import BadInput, Cancelled
from trtviewer.isolated import ProcessDied, run_isolated

Tell = Callable[[Any], None]


def count(tell: Tell, end: int) -> int:
    for number in range(end):
        tell(number)
    return end


def refuse(tell: Tell) -> None:
    raise BadInput("is wrong", subject="it", advice="mend it")


def stumble(tell: Tell) -> None:
    raise KeyError("a bug")


def crash(tell: Tell, with_signal: int) -> None:
    os.kill(os.getpid(), with_signal)


def leave(tell: Tell) -> None:
    os._exit(7)


def sleep(tell: Tell) -> None:
    tell("asleep")
    time.sleep(600)


def test_that_what_is_told_and_returned_arrives_in_order() -> None:
    told: list[int] = []
    assert run_isolated(count, (5,), told.append) == 5
    assert told == [0, 1, 2, 3, 4]


def test_that_an_error_of_ours_arrives_whole() -> None:
    with pytest.raises(BadInput) as caught:
        run_isolated(refuse, ())
    assert (caught.value.what, caught.value.subject, caught.value.advice) == ("is wrong", "it", "mend it")


def test_that_a_bug_arrives_with_its_traceback() -> None:
    with pytest.raises(RuntimeError, match=r"in stumble(.|\n)*KeyError: 'a bug'"):
        run_isolated(stumble, ())


@pytest.mark.parametrize("with_signal", [signal.SIGSEGV, signal.SIGABRT])
def test_that_a_crash_takes_nobody_with_it_and_is_named(with_signal: signal.Signals) -> None:
    with pytest.raises(ProcessDied) as caught:
        run_isolated(crash, (int(with_signal),))
    assert caught.value.how == f"crashed ({with_signal.name})"


def test_that_a_process_that_leaves_by_itself_is_told() -> None:
    with pytest.raises(ProcessDied) as caught:
        run_isolated(leave, ())
    assert caught.value.how == "ended with status 7"


def test_that_a_cancel_ends_work_that_never_looks() -> None:
    told: list[str] = []
    with pytest.raises(Cancelled):
        run_isolated(sleep, (), told.append, lambda: told != [])
    assert multiprocessing.active_children() == []
