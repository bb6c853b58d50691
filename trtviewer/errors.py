"""What went wrong, with what, and what to do about it: the errors that reach a user."""

from __future__ import annotations

from pathlib import Path


class TrtviewerError(Exception):
    """An error that the user can act on; the command line prints it as one line, the window as a banner.

    Args:
        what: what is wrong, as a clause ("is not a video").
        subject: the file, option or layer that it is wrong with; may be empty.
        advice: what to do; may be empty.
    """

    exit_status = 2

    def __init__(self, what: str, *, subject: str | Path = "", advice: str = "") -> None:
        super().__init__(what, str(subject), advice)
        self.what = what
        self.subject = str(subject)
        self.advice = advice

    def __str__(self) -> str:
        text = f"{self.subject}: {self.what}" if self.subject else self.what
        if self.advice:
            text = f"{text} ({self.advice})"
        return " ".join(text.split())


class BadUsage(TrtviewerError):
    """The command line, a setting or an address of a source cannot be understood."""


class BadInput(TrtviewerError):
    """A file, a model or a source is not what it should be."""


class ShapeMismatch(BadInput):
    """Two arrays that must have one shape do not."""


class MissingRuntime(TrtviewerError):
    """A library or a device that is needed is not on this machine."""

    exit_status = 3


class Cancelled(TrtviewerError):
    """The user stopped the work; what was measured so far is still good."""

    exit_status = 130

    def __init__(self, what: str = "cancelled", *, subject: str | Path = "", advice: str = "") -> None:
        super().__init__(what, subject=subject, advice=advice)
