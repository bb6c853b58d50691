"""A runtime that not every machine has, imported when it is first needed."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType

from trtviewer.errors import MissingRuntime

_EXTRAS = {
    "tensorrt": "tensorrt",
    "tensorrt_rtx": "rtx",
    "pycuda.driver": "cuda",
    "cuda.bindings.nvrtc": "cuda",
}
_PACKAGES = {
    "tensorrt": "tensorrt",
    "rtx": "tensorrt-rtx-cu13-bindings tensorrt-rtx-cu13-libs",
    "cuda": "pycuda cuda-bindings nvidia-cuda-nvrtc",
}
"""What an extra installs, for the packaged program: it has a Python of its own, which pip cannot install into."""


def how_to_install(extra: str) -> str:
    """What to do for the runtimes of one extra, `tensorrt`, `rtx` or `cuda`."""
    if getattr(sys, "frozen", False):
        return _into_a_venv(_PACKAGES[extra])
    return f"pip install 'trtviewer[{extra}]'"


def how_to_get_onnxruntime_gpu() -> str:
    """What to do for ONNX models on the GPU: its package and the CPU's exclude each other."""
    if getattr(sys, "frozen", False):
        return "this packaged program has ONNX Runtime for the CPU: build an engine of the model, or install trtviewer by pip"
    return "pip uninstall onnxruntime, then pip install 'trtviewer[cuda]'"


def _into_a_venv(packages: str) -> str:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return (
        f"pip install {packages} in a venv of Python {version} and name the venv in TRTVIEWER_SITE; "
        "trtviewer doctor shows where it looked"
    )


def _advice(name: str) -> str:
    package = name.partition(".")[0]
    if name in _EXTRAS:
        other = ", or give the .onnx" if package.startswith("tensorrt") else ""
        return f"{how_to_install(_EXTRAS[name])}{other}"
    return _into_a_venv(package) if getattr(sys, "frozen", False) else f"pip install {package}"


def load(name: str, *, subject: str = "") -> ModuleType:
    """Imports the optional module `name`.

    Args:
        name: the module's full name, `tensorrt` or `pycuda.driver`.
        subject: the file that needs it, for the message.

    Raises:
        MissingRuntime: it is not installed, or it is and one of its libraries does not load: two different advices.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise MissingRuntime(
            f"needs {name}, which is not installed", subject=subject, advice=_advice(name)
        ) from error
    except (ImportError, OSError) as error:
        raise MissingRuntime(
            f"needs {name}, which is installed but does not load: {error}",
            subject=subject,
            advice="install the driver or library that it names; trtviewer doctor shows what is here",
        ) from error


def installed(name: str) -> bool:
    """Whether the module could be found; it is not imported, so a broken one counts as installed."""
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False
