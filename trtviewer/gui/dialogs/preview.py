"""Runs a model that is not understood yet on one frame, reading by reading; no Qt, one thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trtviewer.compare.frame_comparison import Side
from trtviewer.compare.settings import CompareSettings
from trtviewer.detect.families import decode
from trtviewer.detect.nms import suppress
from trtviewer.errors import TrtviewerError
from trtviewer.gui.engine_room import open_any_source
from trtviewer.models.load import load_spec
from trtviewer.models.sidecar import Sidecar
from trtviewer.models.spec import ModelSpec
from trtviewer.pipeline.handover import Closed, Latest
from trtviewer.pipeline.worker import Worker
from trtviewer.preprocess import Preprocessor
from trtviewer.runners.choose import open_runner
from trtviewer.sources.frame import Frame


@dataclass(frozen=True, eq=False, slots=True)
class Trial:
    """What one reading of a model gives on the frame.

    Attributes:
        spec: what was understood; None where `error` says what is still missing.
        frame, side: the frame and what was found in it; None where there is no source, or it failed.
    """

    spec: ModelSpec | None = None
    frame: Frame | None = None
    side: Side | None = None
    error: str = ""


class Preview:
    """Answers the newest reading only.

    Args:
        address, frame_index: the frame to try on; no frame where the address is None.
        publish: gets each `Trial`, on this object's thread.
    """

    def __init__(
        self,
        path: Path,
        address: str | None,
        frame_index: int,
        settings: CompareSettings,
        publish: Callable[[Trial], None],
    ) -> None:
        self._path = path
        self._address = address
        self._frame_index = frame_index
        self._settings = settings
        self._publish = publish
        self._frame: Frame | None = None
        self._wanted: Latest[Sidecar] = Latest()
        self._worker = Worker("preview", self._run).start()

    def request(self, sidecar: Sidecar) -> None:
        self._wanted.put(sidecar)

    def close(self) -> None:
        self._worker.cancel()
        self._wanted.close()
        self._worker.join()

    def _run(self, cancelled: threading.Event) -> None:
        while not cancelled.is_set():
            try:
                sidecar = self._wanted.wait()
            except Closed:
                return
            spec: ModelSpec | None = None
            try:
                spec = load_spec(self._path, sidecar)
                self._publish(self._tried(spec))
            except TrtviewerError as error:
                self._publish(Trial(spec, error=str(error)))

    def _tried(self, spec: ModelSpec) -> Trial:
        if self._frame is None and self._address is not None:
            with open_any_source(self._address) as source:
                self._frame = source.read(self._frame_index)
        if self._frame is None or spec.input is None:
            return Trial(spec)
        prepared = Preprocessor(spec.input).prepare(self._frame.picture)
        with open_runner(spec) as runner:
            result = runner.run(np.ascontiguousarray(prepared.tensor), self._frame_index)
            info = runner.info
        boxes = decode(spec, result.heads, prepared.placement)
        settings = self._settings
        detections = suppress(boxes, settings.confidence, settings.nms_iou, settings.agnostic_nms)
        return Trial(spec, self._frame, Side(spec, result.heads, boxes, detections, result.times, info))
