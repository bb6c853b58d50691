"""Which plans may be loaded: a plan is code, so only those that this user built, or has said to trust."""

from __future__ import annotations

import hashlib
from pathlib import Path

from trtviewer.atomic import write_text
from trtviewer.errors import BadInput
from trtviewer.places import config_folder

_CHUNK = 1 << 20


class UntrustedPlan(BadInput):
    """A plan that was not built here and that nobody has said to trust; `digest` is what `trust` would remember."""

    digest = ""


def digest_of(path: Path) -> str:
    """SHA-256 of the file, in hexadecimal. Raises: BadInput: it cannot be read."""
    sha = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while block := stream.read(_CHUNK):
                sha.update(block)
    except FileNotFoundError as error:
        raise BadInput("does not exist", subject=path) from error
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror or error}", subject=path) from error
    return sha.hexdigest()


def digest_path(engine: Path) -> Path:
    """Where a built engine's SHA-256 lies: `yolo.engine.sha256`."""
    return engine.with_name(engine.name + ".sha256")


def digest_line(digest: str, engine: Path) -> str:
    """The contents of that file, as `sha256sum --check` reads them."""
    return f"{digest}  {engine.name}\n"


def trust(engine: Path) -> None:
    """Remembers the engine by its SHA-256; moved or copied, it stays trusted. Raises: BadInput: it cannot be read, or nothing can be remembered."""
    remember(digest_of(engine), engine)


def remember(digest: str, engine: Path) -> None:
    """As `trust`, for whoever knows the digest."""
    known = _known()
    if digest in known:
        return
    place = _list()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        before = place.read_text(encoding="utf-8") if place.is_file() else ""
    except OSError as error:
        raise BadInput(f"cannot be written: {error.strerror or error}", subject=place) from error
    write_text(place, before + digest_line(digest, engine))


def require_trusted(engine: Path) -> None:
    """Looks at a plan's SHA-256 before any runtime reads the plan.

    The file beside an engine tells whether it is whole; it cannot tell who made it, since whoever sends an engine can send
    that file too. Trusted is what this user's own list has: `trtviewer build` enters what it builds.

    Raises:
        BadInput: it is not the file that was built: cut short, or changed.
        UntrustedPlan: it is not on the list.
    """
    digest = digest_of(engine)
    if digest in _known():
        return
    beside = digest_path(engine)
    if beside.is_file():
        said = beside.read_text(encoding="utf-8", errors="replace").partition(" ")[0].strip().lower()
        if said != digest:
            raise BadInput(
                f"is not what {beside.name} says was built: it is cut short, or was changed",
                subject=engine,
                advice="copy or build it again",
            )
    error = UntrustedPlan(
        "was not built here, and a plan is code that would run with your rights",
        subject=engine,
        advice="if you know whose it is, give --trust once; or build it from its .onnx with trtviewer build",
    )
    error.digest = digest
    raise error


def _list() -> Path:
    return config_folder() / "trusted_plans.sha256"


def _known() -> set[str]:
    place = _list()
    try:
        lines = place.read_text(encoding="utf-8", errors="replace").splitlines() if place.is_file() else []
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror or error}", subject=place) from error
    return {line.partition(" ")[0] for line in lines if line}
