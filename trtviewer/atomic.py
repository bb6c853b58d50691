"""A file written whole or not at all: a temporary file beside it, then a rename."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from trtviewer.errors import BadInput


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Gives the path of a temporary file in the same folder, which becomes `path` when the block ends well.

    The temporary name keeps the suffix of `path`, for writers that choose the format by it.

    Raises:
        BadInput: the folder does not exist or cannot be written, the path is no file, or the disk is full; nothing is left behind.
    """
    _require_replaceable(path)
    temporary = _beside(path)
    try:
        temporary.touch(mode=0o600, exist_ok=False)
        yield temporary
        # The result gets the rights that any new file would get.
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path.resolve())
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        _remove(temporary)


def require_writable(path: Path) -> None:
    """Looks, before long work, whether its result could be written. Raises: BadInput, as `whole_file`."""
    _require_replaceable(path)
    temporary = _beside(path)
    try:
        temporary.touch(mode=0o600, exist_ok=False)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        _remove(temporary)


def write_bytes(path: Path, data: bytes) -> None:
    """Writes `data` to `path`, whole or not at all. Raises: BadInput, as `whole_file`."""
    with whole_file(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Writes `text` as UTF-8 to `path`, whole or not at all. Raises: BadInput, as `whole_file`."""
    write_bytes(path, text.encode("utf-8"))


def _require_replaceable(path: Path) -> None:
    if path.is_dir():
        raise BadInput("is a folder", subject=path, advice="name a file in it")
    if path.exists() and not path.is_file():
        # The rename would put a file in the place of /dev/null.
        raise BadInput("is a device or a pipe, not a file", subject=path, advice="name a file")


def _beside(path: Path) -> Path:
    """A name for a temporary file; known before the file is made, so that Ctrl-C at any moment leaves none behind."""
    # A link stays one: what it points at is replaced, in the folder where that is.
    real = path.resolve()
    return real.with_name(f".{real.stem}.{secrets.token_hex(4)}{path.suffix}")


def _remove(temporary: Path) -> None:
    # Where it could not be made, its folder may be none.
    with suppress(OSError):
        temporary.unlink()


def _cannot_write(path: Path, error: OSError) -> BadInput:
    reason, advice = error.strerror or str(error), "choose another place or mend its permissions"
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        reason, advice = "its folder does not exist", f"make {path.parent}, or choose another place"
    elif error.errno in (errno.ENOSPC, errno.EDQUOT):
        advice = "make room, or choose another place"
    return BadInput(f"cannot be written: {reason}", subject=path, advice=advice)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
