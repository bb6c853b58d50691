"""Preprocessing on the GPU: a frame is uploaded once, and one kernel makes the input that both models read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from trtviewer import optional
from trtviewer.errors import BadInput, MissingRuntime, ShapeMismatch
from trtviewer.models.spec import InputSpec
from trtviewer.preprocess import Placement, normalisation_table, place
from trtviewer.resources import resource
from trtviewer.runners.cuda import Device, DeviceBuffer, DeviceSession, Event, PinnedArray
from trtviewer.runners.runner import DeviceTensor

_BLOCK = (32, 8, 1)


@dataclass(eq=False, slots=True)
class _Slot:
    """One frame under way: its picture in pinned memory and on the GPU (both grow), its tensor, and when that is ready."""

    picture: PinnedArray
    uploaded: DeviceBuffer
    tensor: DeviceBuffer
    begun: Event
    arrived: Event
    ready: Event


class GpuInput:
    """Makes input tensors on the GPU for one `InputSpec`: equal to `Preprocessor`'s to the bit where OpenCV resizes as it does today.

    Entered and left on any thread; `prepare` is called by one thread at a time.

    Args:
        slots: how many tensors may be in use at once.

    Raises: MissingRuntime: when entered: no GPU, no pycuda, or no NVRTC.
    """

    def __init__(self, spec: InputSpec, slots: int) -> None:
        self.spec = spec
        self._count = slots
        self._session = DeviceSession()
        self._slots: list[_Slot] = []
        self._module: Any = None
        self._kernel: Any = None

    def __enter__(self) -> Self:
        self._session.__enter__()
        device = self._session.device
        try:
            with device.current(), device.errors():
                self._stream = self._session.stream()
                self._load(device)
                self._slots = [self._make_slot() for _ in range(self._count)]
        except BaseException as error:
            self._session.__exit__(type(error), error, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._session.device.current():
            # Unloaded where the context is current; elsewhere it would stay.
            self._kernel = self._module = None
        self._slots = []
        self._session.__exit__(kind, error, trace)

    def prepare(self, picture: NDArray[np.uint8], slot: int) -> tuple[DeviceTensor, Placement]:
        """Makes the tensor of one frame in that slot, whose tensor nobody reads any more; does not wait for the GPU.

        Args:
            picture: [H, W, 3] BGR uint8; copied before this returns.

        Raises:
            ShapeMismatch: it is not of that shape and type.
            MissingRuntime: the GPU has failed, or its memory is full.
        """
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8 or picture.size == 0:
            raise ShapeMismatch(f"a picture is [H, W, 3] uint8, not {picture.shape} {picture.dtype}")
        height, width = picture.shape[:2]
        placement, fitted = place((height, width), self.spec)
        device = self._session.device
        with device.current(), device.errors():
            own = self._grown(slot, picture.size)
            # The upload before, from the same pinned memory, must be through.
            own.arrived.synchronize()
            pinned = own.picture.array[: picture.size]
            np.copyto(pinned.reshape(picture.shape), picture)
            own.begun.record(self._stream)
            self._session.upload(pinned, own.uploaded.address, self._stream)
            own.arrived.record(self._stream)
            self._launch(own, placement, fitted)
            own.ready.record(self._stream)
        shape = (1, 3, *self.spec.size)
        return DeviceTensor(own.tensor.address, shape, self.spec.dtype, own.ready), placement

    def times(self, slot: int) -> tuple[float, float]:
        """Milliseconds of the slot's last upload and of its kernel, by events; waits for them."""
        device = self._session.device
        own = self._slots[slot]
        with device.current(), device.errors():
            own.ready.synchronize()
            return own.begun.ms_until(own.arrived), own.arrived.ms_until(own.ready)

    def _launch(self, slot: _Slot, placement: Placement, fitted: tuple[int, int]) -> None:
        rows, columns = self.spec.size
        offsets = int(placement.offset_y), int(placement.offset_x)
        swap = int(self.spec.colour == "rgb")
        # The kernel's `Geometry`, member by member.
        geometry = (*placement.frame_size, rows, columns, *offsets, *fitted, swap, self.spec.pad)
        grid = (-(-columns // _BLOCK[0]), -(-rows // _BLOCK[1]))
        self._kernel(
            np.uint64(slot.uploaded.address),
            np.uint64(slot.tensor.address),
            np.uint64(self._table.address),
            *(np.int32(value) for value in geometry),
            block=_BLOCK,
            grid=grid,
            stream=self._stream.native,
        )

    def _load(self, device: Device) -> None:
        if self.spec.dtype not in ("float32", "float16") or self.spec.layout != "nchw":
            raise BadInput(f"is prepared on the GPU as float32 or float16 nchw, not {self.spec.dtype}")
        # Kept as attributes: the module must outlive its kernel.
        self._module = device.driver.module_from_buffer(compiled_kernels(*device.gpu.compute_capability))
        self._kernel = self._module.get_function(f"letterbox_{self.spec.dtype}")
        table = normalisation_table(self.spec)
        self._table = self._session.buffer(table.nbytes)
        device.driver.memcpy_htod(self._table.address, table)

    def _make_slot(self) -> _Slot:
        session = self._session
        size = 3 * int(np.prod(self.spec.size)) * np.dtype(self.spec.dtype).itemsize
        slot = _Slot(
            session.pinned((1,), np.uint8),
            session.buffer(0),
            session.buffer(size),
            *(session.event() for _ in range(3)),
        )
        slot.arrived.record(self._stream)
        return slot

    def _grown(self, index: int, size: int) -> _Slot:
        """The slot with room for a picture of that many bytes; the smaller memory it had goes when the session ends."""
        slot = self._slots[index]
        if slot.picture.array.size < size:
            slot.picture = self._session.pinned((size,), np.uint8)
            slot.uploaded = self._session.buffer(size)
        return slot


@cache
def compiled_kernels(major: int, minor: int) -> bytes:
    """The kernels as machine code of a GPU of that compute capability, made by NVRTC: the user's machine needs no compiler.

    Raises: MissingRuntime: NVRTC is not here, or knows no such GPU.
    """
    nvrtc = optional.load("cuda.bindings.nvrtc")
    source = resource("kernels", "letterbox.cu").read_bytes()
    try:
        status, program = nvrtc.nvrtcCreateProgram(source, b"letterbox.cu", 0, [], [])
    except RuntimeError as error:  # the bindings look for the library itself at their first call
        raise MissingRuntime(
            "needs NVRTC, whose library is not found", advice=optional.how_to_install("cuda")
        ) from error
    _require(status, "makes no program")
    options = [f"--gpu-architecture=sm_{major}{minor}".encode()]
    (status,) = nvrtc.nvrtcCompileProgram(program, len(options), options)
    if int(status) != 0:
        _, size = nvrtc.nvrtcGetProgramLogSize(program)
        log = b" " * size
        nvrtc.nvrtcGetProgramLog(program, log)
        _require(status, f"does not compile the kernels: {log.decode(errors='replace')}")
    status, size = nvrtc.nvrtcGetCUBINSize(program)
    _require(status, "knows no code for this GPU")
    code: bytes = b" " * size
    (status,) = nvrtc.nvrtcGetCUBIN(program, code)
    _require(status, "gives no code")
    nvrtc.nvrtcDestroyProgram(program)
    return code


def _require(status: Any, what: str) -> None:
    if int(status) != 0:
        raise MissingRuntime(
            f"NVRTC {what} ({status})",
            advice=f"install an NVRTC of the driver's CUDA: {optional.how_to_install('cuda')}",
        )
