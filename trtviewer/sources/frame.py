"""One decoded picture, with its place in the source."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False, slots=True)
class Frame:
    """A decoded picture that nobody changes any more.

    Attributes:
        picture: [H, W, 3] BGR uint8, read-only, contiguous; the producer gives its buffer away.
        index: its place in the source, from 0.
        time_s: when it is shown, in seconds from the first frame.
        name: the file's name in a folder of images; empty elsewhere.
    """

    picture: NDArray[np.uint8]
    index: int
    time_s: float
    name: str = ""

    def __post_init__(self) -> None:
        if self.picture.ndim != 3 or self.picture.shape[2] != 3 or self.picture.dtype != np.uint8:
            raise ValueError(f"a picture is [H, W, 3] uint8, not {self.picture.shape} {self.picture.dtype}")
        self.picture.setflags(write=False)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width, in pixels."""
        return self.picture.shape[0], self.picture.shape[1]

    def without_picture(self) -> Frame:
        """One black pixel, seen everywhere: the frame's size without its memory."""
        picture = np.broadcast_to(np.zeros((), np.uint8), (*self.size, 3))
        return Frame(picture, self.index, self.time_s, self.name)
