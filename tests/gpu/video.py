"""Video frames through OpenCV: where the GPU tests run there is no PyAV."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from trtviewer.sources.frame import Frame


def frames_of(path: Path, indices: Iterable[int]) -> list[np.ndarray]:
    """The frames at rising indices, [H, W, 3] BGR."""
    capture = cv2.VideoCapture(str(path))
    found, at, frame = [], -1, None
    for index in indices:
        while at < index:
            good, frame = capture.read()
            assert good, f"frame {index} of {path}"
            at += 1
        found.append(frame)
    capture.release()
    return found


class LoopedVideo:
    """A source that plays a video in order, from the start again at its end, decoding every frame."""

    def __init__(self, path: Path, length: int) -> None:
        self._path = path
        self._capture = cv2.VideoCapture(str(path))
        self.address, self.length, self.rate = str(path), length, 30.0
        self.size = (
            int(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
            int(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
        )
        self.class_names: tuple[str, ...] = ()

    def read(self, index: int) -> Frame:
        good, picture = self._capture.read()
        if not good:
            self._capture.release()
            self._capture = cv2.VideoCapture(str(self._path))
            _, picture = self._capture.read()
        return Frame(picture, index, self.time_s(index))

    def time_s(self, index: int) -> float:
        return index / self.rate

    def truth(self, index: int) -> None:
        return None

    def close(self) -> None:
        self._capture.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
