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
from trtviewer.gui.engine.room import open_any_source
from trtviewer.models.load import load_spec
from trtviewer.models.model_file import Tensor
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


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the file says of its outputs and its input's size, for proposing anchors; empty where it cannot say."""

    tensors: tuple[Tensor, ...] = ()
    size: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading to be tried.

    Attributes:
        place: the address of a source and the index of its frame; None where no source is open.
    """

    sidecar: Sidecar
    place: tuple[str, int] | None
    settings: CompareSettings


class Preview:
    """Reads the model's header, then answers the newest reading only.

    Args:
        outputs: gets what the header says, once, before any trial; on this object's thread.
        publish: gets each `Trial`, on this object's thread.
    """

    def __init__(
        self, path: Path, outputs: Callable[[Outputs], None], publish: Callable[[Trial], None]
    ) -> None:
        self._path = path
        self._outputs = outputs
        self._publish = publish
        self._place: tuple[str, int] | None = None
        self._frame: Frame | None = None
        self._wanted: Latest[Reading] = Latest()
        self._worker = Worker("preview", self._run).start()

    def request(self, reading: Reading) -> None:
        self._wanted.put(reading)

    def close(self) -> None:
        """Ends the thread after the step under way."""
        self._worker.cancel()
        self._wanted.close()
        self._worker.join()

    def _run(self, cancelled: threading.Event) -> None:
        self._outputs(outputs_of(self._path))
        while not cancelled.is_set():
            try:
                reading = self._wanted.wait()
            except Closed:
                return
            spec: ModelSpec | None = None
            try:
                spec = load_spec(self._path, reading.sidecar)
                frame = self._frame_at(reading.place)
                if not cancelled.is_set():
                    self._publish(_tried(spec, frame, reading.settings))
            except TrtviewerError as error:
                self._publish(Trial(spec, error=str(error)))

    def _frame_at(self, place: tuple[str, int] | None) -> Frame | None:
        """The frame there; the one before is kept, since the form is changed more often than the place."""
        if place != self._place:
            self._place, self._frame = None, None
            if place is not None:
                with open_any_source(place[0]) as source:
                    self._frame = source.read(place[1])
            self._place = place
        return self._frame


def outputs_of(path: Path) -> Outputs:
    """What an ONNX file's header says; a few milliseconds, for a large file up to a second."""
    from trtviewer.models.input_facts import find_input
    from trtviewer.models.onnx_file import read_onnx

    if path.suffix.lower() != ".onnx":
        return Outputs()
    try:
        file = read_onnx(path)
        facts = find_input(path, file.inputs, file.metadata, Sidecar())
    except TrtviewerError:
        # What is wrong is told by the first trial, in the dialog.
        return Outputs()
    return Outputs(file.outputs, facts.size)


def _tried(spec: ModelSpec, frame: Frame | None, settings: CompareSettings) -> Trial:
    if frame is None or spec.input is None:
        return Trial(spec)
    prepared = Preprocessor(spec.input).prepare(frame.picture)
    with open_runner(spec) as runner:
        result = runner.run(np.ascontiguousarray(prepared.tensor), frame.index)
        info = runner.info
    boxes = decode(spec, result.heads, prepared.placement)
    detections = suppress(boxes, settings.confidence, settings.nms_iou, settings.agnostic_nms)
    return Trial(spec, frame, Side(spec, result.heads, boxes, detections, result.times, info))
