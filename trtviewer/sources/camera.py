"""A camera as a source: an endless row of frames of which only the latest can be had again."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from trtviewer.chatter import without_chatter
from trtviewer.errors import BadInput, MissingRuntime
from trtviewer.opencv import cv2
from trtviewer.sources.frame import Frame
from trtviewer.sources.frame_cache import FrameCache
from trtviewer.sources.source import Source

CACHE_BYTES = 128 * 1024 * 1024
"""About 48 pictures of 720p: how far back one can step."""

_COMMON_RATE = 30.0
"""Frames a second where the driver does not tell."""

_CHATTER = ("VIDEOIO", "obsensor", "v4l", "V4L", "global cap", "libv4l")


class CameraSource(Source):
    """The pictures that a camera gives from the moment it is opened, numbered as it gives them.

    Reading ahead waits for the camera, and passes over what lies between; reading back works as far as pictures are
    kept. The time of a frame is when it was read.

    Args:
        capture: an opened `cv2.VideoCapture`; it is released when the source is closed.
        address: the text that opens it again.
        cache_bytes: how much the kept pictures may hold.

    Raises:
        BadInput: the camera gives no picture.
    """

    length: int | None = None

    def __init__(self, capture: Any, address: str, *, cache_bytes: int = CACHE_BYTES) -> None:
        self._capture = capture
        self._address = address
        self._cache: FrameCache[Frame] = FrameCache(cache_bytes)
        stated = float(capture.get(cv2.CAP_PROP_FPS))
        self._rate = stated if 1.0 <= stated <= 1000.0 else _COMMON_RATE
        self._next = 0
        self._opened = time.monotonic()
        try:
            self._size = self.read(0).size
        except BaseException:
            self.close()
            raise

    @property
    def address(self) -> str:
        return self._address

    @property
    def rate(self) -> float:
        return self._rate

    @property
    def size(self) -> tuple[int, int]:
        return self._size

    def read(self, index: int) -> Frame:
        """See `Source.read`.

        Raises:
            BadInput: the frame is past and not kept any more, or the camera gives no more pictures.
        """
        kept = self._cache.take(index)
        if kept is not None:
            return kept
        if index < self._next:
            raise BadInput(
                f"keeps only its latest frames, and {index} is not one of them",
                subject=self._address,
                advice="play goes on with what it gives now",
            )
        while self._next < index:
            if not self._capture.grab():
                raise self._ended()
            self._next += 1
        given, picture = self._capture.read()
        if not given or picture is None:
            raise self._ended()
        now = time.monotonic()
        if index == 0:
            self._opened = now
        if picture.ndim == 2:
            picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
        frame = Frame(np.array(picture, np.uint8, order="C"), index, now - self._opened)
        self._cache.put(index, frame, frame.picture.nbytes)
        self._next = index + 1
        return frame

    def time_s(self, index: int) -> float:
        """When the frame was read, where it is kept; else by the stated rate."""
        kept = self._cache.take(index)
        return kept.time_s if kept is not None else index / self._rate

    def close(self) -> None:
        self._cache.clear()
        self._capture.release()

    def _ended(self) -> BadInput:
        return BadInput(
            "the camera gives no more pictures",
            subject=self._address,
            advice="is it unplugged, or in use by another program?",
        )


def open_camera(number: int) -> CameraSource:
    """The camera `number`, as OpenCV counts them.

    Raises:
        MissingRuntime: there is no such camera, or it cannot be opened.
        BadInput: it opens and gives no picture.
    """
    address = f"camera:{number}"
    with without_chatter(*_CHATTER):
        capture = cv2.VideoCapture(number)
        if not capture.isOpened():
            capture.release()
            raise MissingRuntime(
                "there is no such camera, or another program uses it",
                subject=address,
                advice="cameras count from camera:0",
            )
    return CameraSource(capture, address)
