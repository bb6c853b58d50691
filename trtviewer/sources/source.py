"""What every source of frames can do: tell its length, give any frame, and its truth where it knows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from trtviewer.sources.frame import Frame


@dataclass(frozen=True, eq=False, slots=True)
class Truth:
    """What is really in one frame, from a scene or from label files.

    Attributes:
        xyxy: [N, 4] float32, pixels of the frame.
        class_id: [N] int32, into the names of whoever gives the truth.
        ignore: [N] bool; such an object counts neither as found nor as missed (too small, too much hidden).
    """

    xyxy: NDArray[np.float32]
    class_id: NDArray[np.int32]
    ignore: NDArray[np.bool_]

    def __post_init__(self) -> None:
        count = len(self.class_id)
        if self.xyxy.shape != (count, 4) or self.ignore.shape != (count,):
            raise ValueError(
                f"truth of {count} objects needs xyxy [{count}, 4] and ignore [{count}], "
                f"not {self.xyxy.shape} and {self.ignore.shape}"
            )
        for array in (self.xyxy, self.class_id, self.ignore):
            array.setflags(write=False)


OPENS = "give a video, a picture (png, jpg, bmp, tif, webp), a folder of pictures, camera:N or scene:NAME"
"""The advice wherever something cannot be opened as a source."""


class Source(Protocol):
    """A numbered sequence of frames. Used by one thread at a time; a second user opens the address again.

    Attributes:
        address: the text that opens it again, as the user gave it.
        length: number of frames; None where there is no end (a camera).
        rate: mean frames a second; None where frames have no time (a folder of images).
        size: height and width of the first frame.
        class_names: names for `Truth.class_id`; empty where the source knows no truth.
        remark: what the user should know of it, in one clause; empty where all is well.
    """

    @property
    def address(self) -> str: ...
    @property
    def length(self) -> int | None: ...
    @property
    def rate(self) -> float | None: ...
    @property
    def size(self) -> tuple[int, int]: ...

    @property
    def class_names(self) -> tuple[str, ...]:
        return ()

    @property
    def remark(self) -> str:
        return ""

    def read(self, index: int) -> Frame:
        """The frame at `index`: exactly the pixels that playing from the start gives there.

        Raises:
            IndexError: there is no such frame.
            BadInput: the file is damaged there.
        """

    def time_s(self, index: int) -> float:
        """When frame `index` is shown, in seconds from the first, without decoding it."""

    def truth(self, index: int) -> Truth | None:
        """What is really in frame `index`; None where the source does not know."""
        return None

    def close(self) -> None:
        """Frees the file or device; may be called twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class FrameRange:
    """Which frames of a source are meant: at most `count`, each `every`-th, from index `start`."""

    start: int = 0
    every: int = 1
    count: int | None = None

    def indices(self, length: int | None) -> Iterator[int]:
        """The indices, rising; without end where neither the source nor `count` gives one."""
        index, given = self.start, 0
        while (length is None or index < length) and (self.count is None or given < self.count):
            yield index
            index += self.every
            given += 1

    def size(self, length: int | None) -> int | None:
        """How many indices there will be; None where there is no end."""
        if length is None:
            return self.count
        available = max(0, -(-(length - self.start) // self.every))
        return available if self.count is None else min(available, self.count)


def spread(length: int, count: int) -> tuple[int, ...]:
    """`count` indices (or all, where there are fewer) spread evenly over a source, the first and last included."""
    if length <= count:
        return tuple(range(length))
    if count == 1:
        return (0,)
    return tuple(int(index) for index in np.linspace(0, length - 1, count).round())
