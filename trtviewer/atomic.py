"""A file written whole or not at all: a temporary file beside it, then a rename."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trtviewer.errors import BadInput


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Gives the path of a temporary file in the same folder, which becomes `path` when the block ends well.

    The temporary name keeps the suffix of `path`, for writers that choose the format by it.

    Raises:
        BadInput: the folder does not exist or cannot be written, or the disk is full; nothing is left behind.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=path.suffix)
        os.close(handle)
    except OSError as error:
        raise _cannot_write(path, error) from error
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes files that only the owner may read; the result gets what any new file would get.
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def require_writable(path: Path) -> None:
    """Looks, before long work, whether its result could be written. Raises: BadInput, as `whole_file`."""
    if path.is_dir():
        raise BadInput("is a folder", subject=path, advice="name a file in it")
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=path.suffix)
    except OSError as error:
        raise _cannot_write(path, error) from error
    os.close(handle)
    Path(name).unlink()


def write_bytes(path: Path, data: bytes) -> None:
    """Writes `data` to `path`, whole or not at all. Raises: BadInput, as `whole_file`."""
    with whole_file(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Writes `text` as UTF-8 to `path`, whole or not at all. Raises: BadInput, as `whole_file`."""
    write_bytes(path, text.encode("utf-8"))


def _cannot_write(path: Path, error: OSError) -> BadInput:
    reason = error.strerror or str(error)
    return BadInput(
        f"cannot be written: {reason}", subject=path, advice="choose another place or mend its permissions"
    )


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
