"""Work in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
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


OWNER = """
from tests.test_isolated import sleep_and_say_who
from trtviewer.isolated import run_isolated
if __name__ == "__main__":
    run_isolated(sleep_and_say_who, (), lambda process: print(process, flush=True))
"""


def sleep_and_say_who(tell: Tell) -> None:
    tell(os.getpid())
    time.sleep(600)


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="looks at another process as Linux does")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_that_work_ends_when_its_owner_is_killed(how: signal.Signals, tmp_path: Path) -> None:
    script = tmp_path / "owner.py"
    script.write_text(OWNER)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, env=environment) as owner:
        assert owner.stdout is not None
        watched = os.pidfd_open(int(owner.stdout.readline()))
        owner.send_signal(how)
        ended, _, _ = select.select([watched], [], [], 10)
        os.close(watched)
        assert ended
