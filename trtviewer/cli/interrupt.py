"""Ctrl-C between two frames: figures are of whole frames, and those that are done are written."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from threading import Event
from types import FrameType

from trtviewer.cli.progress import progress_bar
from trtviewer.report.comparison_run import ComparisonRun
from trtviewer.sources.source import FrameRange


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Gives what tells whether Ctrl-C was pressed since; a second one ends the program as ever.

    Where Ctrl-C is ignored, as in a shell's background, it stays so.
    """
    asked = Event()
    before = signal.getsignal(signal.SIGINT)

    def note(number: int, frame: FrameType | None) -> None:
        asked.set()
        signal.signal(signal.SIGINT, before)

    if before is not signal.default_int_handler:
        yield asked.is_set
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def compared(running: ComparisonRun, frames: FrameRange, expected: int | None) -> bool:
    """Compares the frames; True where Ctrl-C ended it before the last one."""
    with (
        progress_bar("comparing", expected) as show,
        interruptible() as interrupted,
        closing(running.frames(frames, interrupted)) as done_so_far,
    ):
        for done in done_so_far:
            show(done)
        return interrupted()


def frames_interrupted(frames: int) -> str:
    """How far it came, for the error that ends the command."""
    return f"interrupted after {frames} frame{'s' if frames != 1 else ''}"
