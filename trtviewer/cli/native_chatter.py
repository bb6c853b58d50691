"""What native libraries write to the process's stderr goes to the log, so that a user reads only our own lines."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LARGEST_LOG = 4_000_000
"""Bytes; a log beyond is begun anew, and the one before is kept beside it."""


@contextmanager
def native_chatter_to(log: Path) -> Iterator[None]:
    """Points file descriptor 2 at `log`, and Python's own `sys.stderr` at the terminal as before; logging goes there too.

    OpenCV, FFmpeg, ONNX Runtime and TensorRT write to the descriptor itself. Where the log cannot be written, what
    they say is dropped: a full disk or a read-only home must not keep anyone from working.
    """
    sink = _open_log(log)
    sys.stderr.flush()
    terminal = os.dup(2)
    os.dup2(sink, 2)
    os.close(sink)
    before = sys.stderr
    handler = logging.StreamHandler(
        os.fdopen(os.dup(2), "w", buffering=1, encoding="utf-8", errors="replace")
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.INFO)
    sys.stderr = os.fdopen(terminal, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)
    try:
        yield
    finally:
        sys.stderr.flush()
        sys.stderr = before
        logging.getLogger().removeHandler(handler)
        handler.stream.close()
        os.dup2(terminal, 2)
        os.close(terminal)


def _open_log(log: Path) -> int:
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        if log.exists() and log.stat().st_size > _LARGEST_LOG:
            log.replace(log.with_suffix(".old.log"))
        return os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    except OSError:
        return os.open(os.devnull, os.O_WRONLY)
