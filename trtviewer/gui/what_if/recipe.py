"""How a variant is made, on which frames, and what became of it; no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trtviewer.errors import BadInput


@dataclass(frozen=True, slots=True)
class Part:
    """Some frames of one source."""

    source: str
    frames: tuple[int, ...]

    @property
    def name(self) -> str:
        return short_name(self.source)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a variant is made of the reference.

    Attributes:
        method, percentile: of finding ranges; the percentile counts for that method only.
        calibration: the frames that ranges are found on.
        keep_float: names of nodes that stay float.
    """

    method: str
    percentile: float
    calibration: tuple[Part, ...]
    keep_float: frozenset[str] = frozenset()

    @property
    def method_words(self) -> str:
        return f"percentile {self.percentile:g}" if self.method == "percentile" else self.method

    @property
    def calibration_words(self) -> str:
        return " and ".join(f"{len(part.frames)} frames of {part.name}" for part in self.calibration)

    @property
    def words(self) -> str:
        """All of it in one line, shortest first: "mse, 2 in float, 64 frames of street.avi"."""
        kept = f", {len(self.keep_float)} in float" if self.keep_float else ""
        return f"{self.method_words}{kept}, {self.calibration_words}"


@dataclass(frozen=True, slots=True)
class Made:
    """A variant that was written.

    Attributes:
        path: its file; it is gone when the workshop closes.
        macs_share: of the multiplications, those that run in INT8; None where that is not known.
    """

    path: Path
    recipe: Recipe
    macs_share: float | None


def short_name(address: str) -> str:
    """A source's address, short enough for a sentence."""
    if address.startswith(("scene:", "camera:")):
        return address.partition("?")[0]
    return Path(address).name or address


def stamp(path: Path) -> tuple[str, int, int]:
    """What tells a file from the one that was there before under the same name."""
    try:
        found = path.stat()
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror or error}", subject=path) from error
    return str(path), found.st_mtime_ns, found.st_size
