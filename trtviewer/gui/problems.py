"""An error as the window shows it."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from pathlib import Path

from trtviewer.errors import TrtviewerError
from trtviewer.gui.state import Problem

_log = logging.getLogger(__name__)


def finished(what: str, place: str, open_it: Callable[[], object] | None, why_not: str = "") -> Problem:
    """What was made, as a banner that opens it as candidate; or, where that cannot be, says why."""
    choice = None if open_it is None else ("Open as candidate", open_it)
    return Problem(what, advice=why_not, place=place, choice=choice, good=True)


def problem_of(error: BaseException, place: str, retry: Callable[[], None] | None = None) -> Problem:
    """An error as the window shows it; what is no `TrtviewerError` is a bug, and is logged whole."""
    details = "".join(traceback.format_exception(error))
    if isinstance(error, TrtviewerError):
        return Problem(
            _without_raw_text(error),
            Path(error.subject).name or error.subject,
            error.advice,
            place,
            details,
            retry,
        )
    _log.error("unexpected error", exc_info=error)
    text = " ".join(str(error).split()) or type(error).__name__
    return Problem(
        f"unexpected error: {text}", "", "this is a bug; Details has the whole of it", place, details, retry
    )


def _without_raw_text(error: TrtviewerError) -> str:
    """What is wrong, without ONNX Runtime's own words at its end: those are for Details and for the terminal."""
    cause = error.__cause__
    raw = error.what.partition(": ")[2]
    if raw and type(cause).__module__.startswith("onnxruntime") and raw in str(cause):
        return error.what.partition(": ")[0]
    return error.what
