"""Which NVIDIA GPUs are here, asked of the driver itself: no package of Python's is needed, and no context is made."""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass
from functools import cache

from trtviewer.errors import MissingRuntime

_COMPUTE_MAJOR, _COMPUTE_MINOR = 75, 76
"""CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU: its name, its compute capability, its memory in bytes."""

    name: str
    compute_capability: tuple[int, int]
    memory: int

    @property
    def capability(self) -> str:
        return "{}.{}".format(*self.compute_capability)


@dataclass(frozen=True, slots=True)
class Driver:
    """The driver: the newest CUDA that it speaks ((13, 0); None where there is no driver), its GPUs, and why there are none."""

    cuda: tuple[int, int] | None
    gpus: tuple[Gpu, ...]
    trouble: str = ""


@cache
def driver() -> Driver:
    """Asks the driver once; GPUs do not come and go while a program runs."""
    try:
        library = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return Driver(None, (), "no NVIDIA driver is installed")
    version = ctypes.c_int()
    status = library.cuInit(0)
    if library.cuDriverGetVersion(ctypes.byref(version)) != 0:
        return Driver(None, (), "the NVIDIA driver does not answer")
    cuda = (version.value // 1000, version.value % 1000 // 10)
    if status != 0:
        return Driver(cuda, (), f"the NVIDIA driver does not start: {_name(library, status)}")
    count = ctypes.c_int()
    library.cuDeviceGetCount(ctypes.byref(count))
    gpus = tuple(_gpu(library, index) for index in range(count.value))
    return Driver(cuda, gpus, "" if gpus else "the NVIDIA driver shows no GPU")


def require_gpu(subject: str, why: str, advice: str = "trtviewer doctor shows what is here") -> Gpu:
    """The first GPU. Raises: MissingRuntime: there is none; it says what of driver and GPU is missing."""
    found = driver()
    if not found.gpus:
        raise MissingRuntime(
            f"needs an NVIDIA GPU ({why}), and {found.trouble}", subject=subject, advice=advice
        )
    return found.gpus[0]


def _gpu(library: ctypes.CDLL, index: int) -> Gpu:
    device, major, minor, memory = ctypes.c_int(), ctypes.c_int(), ctypes.c_int(), ctypes.c_size_t()
    name = ctypes.create_string_buffer(256)
    library.cuDeviceGet(ctypes.byref(device), index)
    library.cuDeviceGetName(name, len(name), device)
    library.cuDeviceGetAttribute(ctypes.byref(major), _COMPUTE_MAJOR, device)
    library.cuDeviceGetAttribute(ctypes.byref(minor), _COMPUTE_MINOR, device)
    library.cuDeviceTotalMem_v2(ctypes.byref(memory), device)
    return Gpu(name.value.decode(errors="replace"), (major.value, minor.value), memory.value)


def _name(library: ctypes.CDLL, status: int) -> str:
    text = ctypes.c_char_p()
    known = library.cuGetErrorName(status, ctypes.byref(text)) == 0 and text.value is not None
    return text.value.decode() if known and text.value is not None else f"error {status}"
