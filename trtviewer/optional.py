"""A runtime that not every machine has, imported when it is first needed."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType

from trtviewer.errors import MissingRuntime

_INSTALL = {
    "tensorrt": "pip install 'trtviewer[tensorrt]', or give the .onnx",
    "tensorrt_rtx": "pip install 'trtviewer[rtx]', or give the .onnx",
    "pycuda.driver": "pip install 'trtviewer[cuda]'",
    "cuda.bindings.nvrtc": "pip install 'trtviewer[cuda]'",
}
_PIP = {
    "tensorrt_rtx": "tensorrt-rtx-cu13-bindings tensorrt-rtx-cu13-libs",
    "cuda.bindings.nvrtc": "cuda-bindings nvidia-cuda-nvrtc",
}
"""What pip installs where it is not named as the module is."""


def _advice(name: str) -> str:
    package = name.partition(".")[0]
    if not getattr(sys, "frozen", False):
        return _INSTALL.get(name, f"pip install {package}")
    # The packaged program has a Python of its own, which pip cannot install into.
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return (
        f"pip install {_PIP.get(name, package)} in a venv of Python {version} and name the venv in TRTVIEWER_SITE; "
        "trtviewer doctor shows where it looked"
    )


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
