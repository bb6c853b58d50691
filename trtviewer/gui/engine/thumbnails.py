"""Small pictures of frames for the timeline: a thread with its own handle on the source; no Qt."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from trtviewer.errors import TrtviewerError
from trtviewer.pipeline.handover import Closed, Latest
from trtviewer.pipeline.worker import Worker
from trtviewer.sources.source import Source

WIDTH = 176
MOST = 400


class Thumbnails:
    """Answers the newest request only; what was made is kept."""

    def __init__(
        self, open_source: Callable[[], Source], publish: Callable[[int, NDArray[np.uint8]], None]
    ) -> None:
        self._open_source = open_source
        self._publish = publish
        self._wanted: Latest[int] = Latest()
        self._made: OrderedDict[int, NDArray[np.uint8]] = OrderedDict()
        self._worker = Worker("thumbnails", self._run).start()

    def request(self, frame_index: int) -> None:
        self._wanted.put(frame_index)

    def close(self) -> None:
        self._worker.cancel()
        self._wanted.close()
        self._worker.join()

    def _run(self, cancelled: threading.Event) -> None:
        source: Source | None = None
        try:
            while not cancelled.is_set():
                index = self._wanted.wait()
                if index not in self._made:
                    # Opened at the first request: most windows are never asked for one.
                    source = source or self._open_source()
                    self._made[index] = _small(source.read(index).picture)
                    if len(self._made) > MOST:
                        self._made.popitem(last=False)
                self._publish(index, self._made[index])
        except (Closed, IndexError, TrtviewerError):
            # A frame that cannot be read is told by the player; the timeline then simply shows no picture.
            return
        finally:
            if source is not None:
                source.close()


def _small(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (WIDTH, max(1, round(height * WIDTH / width))), interpolation=cv2.INTER_AREA)
    made = cv2.cvtColor(small, cv2.COLOR_BGR2BGRA)
    made.setflags(write=False)
    return made
