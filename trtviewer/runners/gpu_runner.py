"""What every runner on the GPU does alike: one stream for its work, one for its outputs, three runs under way at once.

    compute stream   [wait for the input] [upload] t1 [the network] t2      [next frame ...]
    copy stream                                        [outputs to pinned memory] t3

The input comes over a stream of its own (`gpu_input.py`), so while one frame is computed the next one is uploaded and the outputs of
the one before travel; whoever asks frame by frame waits for each. The streams wait for each other's events, the host for the last one only.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType, TracebackType
from typing import Self

import numpy as np

from trtviewer.errors import BadInput
from trtviewer.models.spec import InputSpec, ModelSpec
from trtviewer.preprocess import to_model_layout
from trtviewer.runners.cuda import DeviceBuffer, DeviceSession, Event, PinnedArray, Stream
from trtviewer.runners.heads import as_heads
from trtviewer.runners.runner import DeviceTensor, InputTensor, RunnerInfo, RunResult, RunTimes

IN_FLIGHT = 3
"""Runs that may be begun and not finished: one computes, one waits for its turn, and one's outputs are on their way."""


@dataclass(frozen=True, slots=True)
class DeviceOutput:
    """An output as the runtime makes it: its name there, the head that it is, its shape and numpy's name of its type."""

    name: str
    head: str
    shape: tuple[int, ...]
    dtype: str

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64)) * np.dtype(self.dtype).itemsize


@dataclass(frozen=True, eq=False, slots=True)
class Slot:
    """Memory of one run under way."""

    index: int
    given: DeviceBuffer
    given_pinned: PinnedArray
    outputs: Mapping[str, DeviceBuffer]
    pinned: Mapping[str, PinnedArray]
    begun: Event
    fed: Event
    computed: Event
    copied: Event


@dataclass(frozen=True, eq=False, slots=True)
class PendingRun:
    """A run that was begun; `finish` gives its result."""

    slot: Slot
    frame_index: int
    tensor: InputTensor = field(repr=False)


class GpuRunner(ABC):
    """A runner on the GPU. Opened, used and closed on one thread, where its context is current all the while; only `finish` may be
    another thread's."""

    def __init__(self, spec: ModelSpec) -> None:
        if spec.input is None:
            raise BadInput("says nothing of its input", subject=spec.path)
        self._spec = spec
        self._input: InputSpec = spec.input
        self._session: DeviceSession | None = None
        self._slots: list[Slot] = []
        self._next = 0
        self._outputs: Sequence[DeviceOutput] = ()

    @property
    def spec(self) -> ModelSpec:
        return self._spec

    @property
    @abstractmethod
    def info(self) -> RunnerInfo: ...

    @property
    def frame_count(self) -> int | None:
        return None

    @property
    def given_shape(self) -> tuple[int, int, int, int]:
        """The input's shape in the model's own layout."""
        height, width = self._input.size
        return (1, 3, height, width) if self._input.layout == "nchw" else (1, height, width, 3)

    @property
    def session(self) -> DeviceSession:
        if self._session is None:
            raise RuntimeError("a runner runs only while it is entered")
        return self._session

    def __enter__(self) -> Self:
        subject = str(self._spec.path)
        self._prepare()
        self._session = DeviceSession(subject).__enter__()
        self._session.device.push()
        try:
            self.compute, self.copy = self._session.stream(), self._session.stream()
            with self._session.device.errors(subject):
                self._outputs = self._open(self.compute)
                self._slots = [self._make_slot(index) for index in range(IN_FLIGHT)]
                self._warm_up()
        except BaseException as error:
            self._leave(type(error))
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave(kind)

    def run(self, tensor: InputTensor, frame_index: int) -> RunResult:
        return self.finish(self.begin(tensor, frame_index))

    def stop(self) -> None:
        return

    def begin(self, tensor: InputTensor, frame_index: int) -> PendingRun:
        """Puts a run on the streams and does not wait. At most `IN_FLIGHT` are begun and not finished, and they finish in order.

        `tensor` must stay as it is until the run is finished.
        """
        session = self.session
        slot = self._slots[self._next]
        with session.device.errors(str(self._spec.path)):
            if isinstance(tensor, DeviceTensor):
                self.compute.wait_for(tensor.ready)
            slot.begun.record(self.compute)
            address = self._feed(tensor, slot)
            slot.fed.record(self.compute)
            self._enqueue(slot, address)
            slot.computed.record(self.compute)
            self.copy.wait_for(slot.computed)
            for output in self._outputs:
                target = slot.pinned[output.name].array
                session.download(slot.outputs[output.name].address, target, self.copy)
            slot.copied.record(self.copy)
        # Only now: of a run that failed to begin nothing is left, and the slot after it may be under way.
        self._next = (self._next + 1) % len(self._slots)
        return PendingRun(slot, frame_index, tensor)

    def finish(self, pending: PendingRun) -> RunResult:
        """Waits for a run, and takes its outputs out of the pinned memory, which the next one overwrites. On any one thread."""
        slot, device = pending.slot, self.session.device
        with device.current(), device.errors(str(self._spec.path)):
            slot.copied.synchronize()
            times = RunTimes(
                slot.begun.ms_until(slot.fed),
                slot.fed.ms_until(slot.computed),
                slot.computed.ms_until(slot.copied),
            )
        heads = {
            output.head: slot.pinned[output.name].array.astype(np.float32, copy=True)
            for output in self._outputs
        }
        return RunResult(as_heads(heads), times)

    @abstractmethod
    def _prepare(self) -> None:
        """What comes before anything is on the GPU."""

    @abstractmethod
    def _open(self, stream: Stream) -> Sequence[DeviceOutput]:
        """Opens the model on `stream`; gives its outputs."""

    @abstractmethod
    def _enqueue(self, slot: Slot, input_address: int) -> None:
        """Puts one inference on the compute stream, from the input at that address to the slot's output buffers."""

    @abstractmethod
    def _close(self) -> None:
        """Lets go of the model; also after `_open` failed half-way."""

    def _warm_up(self) -> None:
        """Runs each slot once, so that the first frame pays for no lazy loading."""
        zeros = np.zeros((1, 3, *self._input.size), np.float32)
        for _ in self._slots:
            self.run(zeros, 0)

    def _make_slot(self, index: int) -> Slot:
        session = self.session
        dtype = np.dtype(self._input.dtype)
        size = int(np.prod(self.given_shape)) * dtype.itemsize
        return Slot(
            index,
            session.buffer(size),
            session.pinned(self.given_shape, dtype),
            MappingProxyType({output.name: session.buffer(output.size) for output in self._outputs}),
            MappingProxyType(
                {output.name: session.pinned(output.shape, output.dtype) for output in self._outputs}
            ),
            *(session.event() for _ in range(4)),
        )

    def _feed(self, tensor: InputTensor, slot: Slot) -> int:
        """Brings the input to the GPU where it is not there yet; gives its address."""
        if isinstance(tensor, DeviceTensor):
            if tensor.dtype != self._input.dtype or tensor.shape != self.given_shape:
                raise BadInput(
                    f"takes {self._input.dtype} {self.given_shape}, not {tensor.dtype} {tensor.shape}",
                    subject=self._spec.path,
                )
            return tensor.address
        expected = (1, 3, *self._input.size)
        if tensor.shape != expected:
            raise BadInput(f"takes {expected}, not {tensor.shape}", subject=self._spec.path)
        np.copyto(slot.given_pinned.array, to_model_layout(tensor, self._input))
        self.session.upload(slot.given_pinned.array, slot.given.address, self.compute)
        return slot.given.address

    def _leave(self, kind: type[BaseException] | None) -> None:
        """Runs under way first, then the model, then the memory that it used, and the context last."""
        session = self.session
        device = session.device
        try:
            try:
                with session.device.errors(str(self._spec.path)):
                    session.device.driver.Context.synchronize()
            finally:
                self._close()
                self._slots = []
        except Exception:
            # What ended the block is the error to tell, not that the same GPU cannot be tidied up after it.
            if kind is None:
                raise
        finally:
            try:
                session.__exit__(kind, None, None)
            finally:
                self._session = None
                device.pop()
