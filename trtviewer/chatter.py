"""What native libraries write to stderr by themselves, kept from the user: one error is one line of ours."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_one_at_a_time = threading.Lock()


@contextmanager
def without_chatter(*marks: str) -> Iterator[None]:
    """Holds back what reaches file descriptor 2 in the block, then passes on all lines but the library's.

    Nothing that another thread writes meanwhile is lost: it comes out when the block ends, so blocks are short.

    Args:
        marks: a line that contains one of them is the library's, and is dropped.
    """
    with _one_at_a_time:
        _flush()
        try:
            kept = os.dup(2)
        except OSError:  # a windowed program has no stderr at all
            yield
            return
        try:
            with tempfile.TemporaryFile() as held:
                os.dup2(held.fileno(), 2)
                try:
                    yield
                finally:
                    _flush()
                    os.dup2(kept, 2)
                    held.seek(0)
                    for line in held.read().splitlines(keepends=True):
                        if not any(mark.encode() in line for mark in marks):
                            os.write(2, line)
        finally:
            os.close(kept)


def _flush() -> None:
    if sys.stderr is not None:
        sys.stderr.flush()
