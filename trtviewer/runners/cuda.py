"""The device layer: one primary context, and streams, events, buffers and pinned memory that one owner frees in order.

TensorRT and ONNX Runtime use the primary context, so this does too: one wrapper of it for the whole process, pushed and popped
by every thread that touches the GPU. Nothing of pycuda's leaves a `DeviceSession`; freed in another thread it would only leak.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from trtviewer import optional
from trtviewer.errors import MissingRuntime
from trtviewer.runners.nvidia import require_gpu

_NON_BLOCKING = 1
"""CU_STREAM_NON_BLOCKING: does not wait for the legacy default stream."""
_STICKY = (
    "illegal address",
    "illegal memory access",
    "illegal instruction",
    "misaligned address",
    "launch failed",
    "launch failure",
    "launch timed out",
    "assert",
    "hardware stack error",
    "invalid program counter",
    "ecc uncorrectable",
    "context is destroyed",
)


class OutOfDeviceMemory(MissingRuntime):
    """The GPU has not as much free memory as was asked for."""


class DeviceLost(MissingRuntime):
    """An error after which the context answers nothing more; only a new process helps."""


class Device:
    """The GPU's primary context, retained once and shared by all threads. Use `Device.get()`."""

    _one: Device | None = None
    _lock = threading.Lock()

    def __init__(self, subject: str) -> None:
        self.gpu = require_gpu(subject, "it runs on one")
        self.driver = optional.load("pycuda.driver", subject=subject)
        with self.errors(subject):
            self.driver.init()
            self._context = self.driver.Device(0).retain_primary_context()

    @classmethod
    def get(cls, subject: str = "") -> Device:
        """The one device. Raises: MissingRuntime: no GPU, no driver, or no pycuda."""
        with cls._lock:
            if cls._one is None:
                cls._one = cls(subject)
            return cls._one

    def push(self) -> None:
        """Makes the context current on this thread. Whoever pushes pops, on the same thread."""
        self._context.push()

    def pop(self) -> None:
        self.driver.Context.pop()

    @contextmanager
    def current(self) -> Iterator[None]:
        """The context current on this thread, for the block."""
        self.push()
        try:
            yield
        finally:
            self.pop()

    def memory(self) -> tuple[int, int]:
        """Free and total bytes of the GPU; the context is current."""
        free, total = self.driver.mem_get_info()
        return int(free), int(total)

    @contextmanager
    def errors(self, subject: str = "", wanted: int | None = None) -> Iterator[None]:
        """Turns pycuda's errors into ours.

        Args:
            wanted: bytes that the block allocates, for the message.

        Raises:
            OutOfDeviceMemory, DeviceLost, MissingRuntime.
        """
        try:
            yield
        except self.driver.MemoryError as error:
            raise self._out_of_memory(subject, wanted) from error
        except self.driver.Error as error:
            text = " ".join(str(error).split())
            if any(mark in text.lower() for mark in _STICKY):
                raise DeviceLost(
                    f"the GPU failed and answers no more: {text}",
                    subject=subject,
                    advice="start the program again; if it fails again on this model, rebuild the engine",
                ) from error
            raise MissingRuntime(f"CUDA: {text}", subject=subject, advice="trtviewer doctor") from error

    def _out_of_memory(self, subject: str, wanted: int | None) -> OutOfDeviceMemory:
        free, total = self.memory()
        asked = "" if wanted is None else f" for {wanted / 2**20:.0f} MiB"
        return OutOfDeviceMemory(
            f"the GPU's memory is full{asked}: {free / 2**20:.0f} of {total / 2**20:.0f} MiB are free",
            subject=subject,
            advice="close what else uses the GPU, or give smaller models",
        )


class Stream:
    """A non-blocking stream; `handle` is what TensorRT and ONNX Runtime take."""

    def __init__(self, driver: Any) -> None:
        self._native = driver.Stream(_NON_BLOCKING)
        self.handle = int(self._native.handle)

    @property
    def native(self) -> Any:
        return self._native

    def wait_for(self, event: Event) -> None:
        """What is put on this stream from now on starts after `event`."""
        self._native.wait_for_event(event.native)

    def synchronize(self) -> None:
        self._native.synchronize()

    def release(self) -> None:
        self._native = None


class Event:
    """A point on a stream, with its time. Who waits for it sleeps: spinning would take a core from the thread that feeds the GPU."""

    def __init__(self, driver: Any) -> None:
        self._native = driver.Event(driver.event_flags.BLOCKING_SYNC)

    @property
    def native(self) -> Any:
        return self._native

    def record(self, stream: Stream) -> Self:
        self._native.record(stream.native)
        return self

    def synchronize(self) -> None:
        self._native.synchronize()

    def ms_until(self, later: Event) -> float:
        """Milliseconds from this point to a later one; both have been reached."""
        return float(self._native.time_till(later.native))

    def release(self) -> None:
        self._native = None


class DeviceBuffer:
    """Memory on the GPU, 256-byte aligned."""

    def __init__(self, device: Device, size: int, subject: str) -> None:
        self.size = size
        with device.errors(subject, wanted=size):
            # An empty output still needs an address.
            self._native = device.driver.mem_alloc(max(1, size))
        self.address = int(self._native)

    def release(self) -> None:
        if self._native is not None:
            self._native.free()
            self._native = None


class PinnedArray:
    """An array in page-locked memory of the host: copies to and from it run beside everything else."""

    def __init__(self, device: Device, shape: Sequence[int], dtype: DTypeLike, subject: str) -> None:
        with device.errors(subject):
            self.array: NDArray[Any] = device.driver.pagelocked_empty(tuple(shape), np.dtype(dtype))

    def release(self) -> None:
        # Freed here, where the context is current, and not wherever the last view of it (in a traceback, say) is dropped.
        held, self.array = self.array.base, np.empty(0)
        if held is not None and hasattr(held, "free"):
            held.free()


class DeviceSession:
    """What one owner has on the GPU; all of it is freed when the block ends, on whichever thread that is.

    The context is current while a block of `using` runs, and only then: a session may be used from one thread and closed from another.
    """

    def __init__(self, subject: str = "") -> None:
        self._subject = subject
        self._device: Device | None = None
        self._streams: list[Stream] = []
        self._events: list[Event] = []
        self._buffers: list[DeviceBuffer] = []
        self._pinned: list[PinnedArray] = []

    @property
    def device(self) -> Device:
        if self._device is None:
            raise RuntimeError("a session has a device only while it is entered")
        return self._device

    def __enter__(self) -> Self:
        self._device = Device.get(self._subject)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        device = self.device
        with device.current():
            try:
                with device.errors(self._subject):
                    for stream in self._streams:
                        stream.synchronize()
            except DeviceLost:
                # Nothing can be freed in a lost context, nor need it be: the process is at its end.
                if kind is None:
                    raise
            finally:
                for held in (self._pinned, self._buffers, self._events, self._streams):
                    for item in held:
                        _release(device, item)
                    held.clear()
        self._device = None

    def stream(self) -> Stream:
        self._streams.append(Stream(self.device.driver))
        return self._streams[-1]

    def event(self) -> Event:
        self._events.append(Event(self.device.driver))
        return self._events[-1]

    def buffer(self, size: int) -> DeviceBuffer:
        """Raises: OutOfDeviceMemory: with the figures."""
        self._buffers.append(DeviceBuffer(self.device, size, self._subject))
        return self._buffers[-1]

    def pinned(self, shape: Sequence[int], dtype: DTypeLike) -> PinnedArray:
        self._pinned.append(PinnedArray(self.device, shape, dtype, self._subject))
        return self._pinned[-1]

    def upload(self, source: NDArray[Any], address: int, stream: Stream) -> None:
        """Copies a pinned array to the GPU, in the stream's order."""
        self.device.driver.memcpy_htod_async(address, source, stream.native)

    def download(self, address: int, target: NDArray[Any], stream: Stream) -> None:
        """Copies from the GPU into a pinned array, in the stream's order."""
        self.device.driver.memcpy_dtoh_async(target, address, stream.native)


def _release(device: Device, item: Stream | Event | DeviceBuffer | PinnedArray) -> None:
    try:
        item.release()
    except device.driver.Error:
        # Only a lost context refuses to free; that has been told where it was lost.
        return
