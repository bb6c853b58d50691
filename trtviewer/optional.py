"""A runtime that not every machine has, imported when it is first needed."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

from trtviewer.errors import MissingRuntime

_INSTALL = {
    "tensorrt": "pip install 'trtviewer[tensorrt]', or give the .onnx",
    "tensorrt_rtx": "pip install 'trtviewer[rtx]', or give the .onnx",
    "pycuda.driver": "pip install 'trtviewer[cuda]'",
    "cuda.bindings.nvrtc": "pip install 'trtviewer[cuda]'",
    "faster_coco_eval": "pip install faster-coco-eval",
}


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
        advice = _INSTALL.get(name, f"pip install {name.partition('.')[0]}")
        raise MissingRuntime(
            f"needs {name}, which is not installed", subject=subject, advice=advice
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
