"""A piece of work in a process of its own: native code that crashes there, or cannot be stopped, takes nobody with it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from trtviewer.errors import Cancelled, TrtviewerError

_POLL_S = 0.1
"""How soon a cancel is seen."""

Tell = Callable[[Any], None]
"""Given to the work, to tell its owner how far it is; raises OSError once the owner is gone."""


class ProcessDied(Exception):
    """The process ended before its work was done; `exit_code` is negative where a signal ended it."""

    def __init__(self, exit_code: int | None) -> None:
        super().__init__(f"the process ended with {exit_code}")
        self.exit_code = exit_code

    @property
    def how(self) -> str:
        """How it ended, in words: "crashed (SIGSEGV)"."""
        if self.exit_code is not None and self.exit_code < 0:
            try:
                return f"crashed ({signal.Signals(-self.exit_code).name})"
            except ValueError:
                return f"crashed (signal {-self.exit_code})"
        return f"ended with status {self.exit_code}"


def run_isolated(
    work: Callable[..., Any],
    arguments: tuple[Any, ...],
    told: Callable[[Any], None] = lambda message: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Any:
    """Calls `work(tell, *arguments)` in a new process, and gives what it returns.

    The process is killed when `cancelled` says so, or when whoever waits here is interrupted or killed; it ends without
    taking its native libraries down, whose order of destruction is nobody's to rely on.

    Args:
        work: a function at a module's top.
        told: gets what the work tells, on the calling thread.
        cancelled: looked at ten times a second.

    Raises:
        TrtviewerError: the work raised it.
        Cancelled: it was cancelled.
        ProcessDied: the process ended by itself: native code crashed.
        RuntimeError: the work raised anything else; it has the traceback.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_main, args=(theirs, work, arguments), daemon=True)
    try:
        with _undisturbed():
            process.start()
        theirs.close()
        while True:
            if cancelled():
                raise Cancelled
            if not ours.poll(_POLL_S):
                continue
            try:
                kind, message = ours.recv()
            except (EOFError, OSError):
                process.join()
                raise ProcessDied(process.exitcode) from None
            if kind == "told":
                told(message)
            elif kind == "done":
                return message
            elif kind == "error":
                error, what, subject, advice = message
                raise error(what, subject=subject, advice=advice)
            else:
                raise RuntimeError(message)
    finally:
        if process.pid is not None:
            process.kill()
            process.join()
        process.close()
        ours.close()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Keeps Ctrl-C waiting: in the middle of starting a process nobody would know whom to end."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _main(connection: Connection, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    # Ctrl-C reaches the whole group of processes; the owner answers it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_owner, daemon=True).start()
    try:
        connection.send(_answer(connection, work, arguments))
    except OSError:
        # Nobody waits any more: the owner has ended.
        os._exit(1)
    connection.close()
    os._exit(0)


def _end_with_the_owner() -> None:
    """An owner that was killed cannot kill in turn; the work, deep in native code, would go on for minutes."""
    owner = multiprocessing.parent_process()
    if owner is not None:
        owner.join()
        os._exit(1)


def _answer(connection: Connection, work: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[str, Any]:
    try:
        return "done", work(lambda message: connection.send(("told", message)), *arguments)
    except TrtviewerError as error:
        return "error", (type(error), error.what, error.subject, error.advice)
    except Exception:  # a bug: it is told whole where it is waited for
        return "bug", traceback.format_exc()
