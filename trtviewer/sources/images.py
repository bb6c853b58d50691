"""One picture, or a folder of pictures, as a source: frame by frame in natural order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trtviewer.chatter import without_chatter
from trtviewer.errors import BadInput
from trtviewer.opencv import cv2
from trtviewer.sources.frame import Frame
from trtviewer.sources.frame_cache import FrameCache
from trtviewer.sources.source import Source

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"})
"""What a folder is searched for, in any case of letters."""

CACHE_BYTES = 64 * 1024 * 1024

_CHATTER = ("JPEG", "JFIF", "libpng", "TIFF", "marker")
"""What libjpeg, libpng and libtiff, inside OpenCV, put into their own lines on stderr."""


class ImagesSource(Source):
    """Pictures that are numbered but have no time: one frame a second where a time is asked for.

    Args:
        files: the pictures, in their order; not empty. They may differ in size.
        address: the text that opens it again.
        cache_bytes: how much the decoded pictures that are kept may hold.

    Raises:
        BadInput: the first picture cannot be read.
    """

    rate: float | None = None

    def __init__(self, files: Sequence[Path], address: str, *, cache_bytes: int = CACHE_BYTES) -> None:
        if not files:
            raise ValueError("a source of pictures needs at least one")
        self._files = tuple(files)
        self._address = address
        self._cache: FrameCache[Frame] = FrameCache(cache_bytes)
        self._size = self.read(0).size

    @property
    def address(self) -> str:
        return self._address

    @property
    def length(self) -> int:
        return len(self._files)

    @property
    def size(self) -> tuple[int, int]:
        return self._size

    @property
    def files(self) -> tuple[Path, ...]:
        """The pictures' files, in the order of the frames: what label files are found by."""
        return self._files

    def read(self, index: int) -> Frame:
        """See `Source.read`. Raises BadInput, naming the file, where a picture cannot be read."""
        time_s = self.time_s(index)
        frame = self._cache.take(index)
        if frame is None:
            frame = Frame(read_picture(self._files[index]), index, time_s, self._files[index].name)
            self._cache.put(index, frame, frame.picture.nbytes)
        return frame

    def time_s(self, index: int) -> float:
        if not 0 <= index < len(self._files):
            raise IndexError(f"{self._address} has frames 0 to {len(self._files) - 1}, not {index}")
        return float(index)

    def close(self) -> None:
        self._cache.clear()


def pictures_in(folder: Path) -> tuple[Path, ...]:
    """The pictures directly in `folder`, in natural order: frame2 before frame10. Hidden files are none.

    Raises:
        BadInput: the folder cannot be read.
    """
    try:
        found = [path for path in folder.iterdir() if is_picture_name(path) and path.is_file()]
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror or error}", subject=folder) from error
    return tuple(sorted(found, key=lambda path: natural_key(path.name)))


def is_picture_name(path: Path) -> bool:
    """Whether the name is a picture's, by its suffix."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def natural_key(name: str) -> tuple[tuple[tuple[int, int, str], ...], str]:
    """Sorts names as people do: runs of digits as numbers, letters whatever their case; ties by the name itself."""
    parts = re.split(r"([0-9]+)", name)
    key = tuple((0, int(part), "") if part.isdecimal() else (1, 0, part.casefold()) for part in parts if part)
    return key, name


def read_picture(path: Path) -> NDArray[np.uint8]:
    """[H, W, 3] BGR uint8, as `cv2.imread` reads it: upright by EXIF, 16 bits and grey converted, no alpha.

    Raises:
        BadInput: the file cannot be read or is not a whole picture; the message names it.
    """
    try:
        data = np.fromfile(path, np.uint8)  # cv2.imread cannot open every name on every system
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror or error}", subject=path) from error
    picture = None
    if len(data):
        try:
            with without_chatter(*_CHATTER):
                picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
        except cv2.error as error:
            raise BadInput(
                "is a picture that OpenCV refuses", subject=path, advice="it may be too large; save it again"
            ) from error
    if picture is None:
        raise BadInput(
            "is not a picture that can be read", subject=path, advice="it is damaged or empty: take it away"
        )
    return np.ascontiguousarray(picture, np.uint8)
