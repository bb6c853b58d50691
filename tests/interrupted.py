"""A command on a terminal of its own, ended by Ctrl-C once enough is shown there."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
from collections.abc import Mapping

PATIENCE_S = 120


def interrupted(
    *words: object, shown: bytes, environment: Mapping[str, str] | None = None
) -> tuple[int, bytes]:
    """Runs trtviewer with these words until its terminal has shown the pattern, and interrupts it.

    Returns: its status, and all that was shown.
    """
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", **(environment or {})}
    command = [sys.executable, "-m", "trtviewer", *map(str, words)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs, env=environment) as running:
        os.close(theirs)
        seen = b""
        while not re.search(shown, seen):
            ready, _, _ = select.select([ours], [], [], PATIENCE_S)
            assert ready, seen
            seen += os.read(ours, 4096)
        running.send_signal(signal.SIGINT)
        try:
            while more := os.read(ours, 4096):
                seen += more
        except OSError:
            pass  # the terminal's other end is closed: the process has ended
        status = running.wait(60)
    os.close(ours)
    return status, seen
