"""The TensorRT that is installed here: its module, its version, and its log."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from trtviewer import optional
from trtviewer.errors import BadInput, MissingRuntime

if TYPE_CHECKING:
    import tensorrt

_log = logging.getLogger(__name__)

TENSORRT = "tensorrt"
TENSORRT_RTX = "tensorrt_rtx"
_BINDINGS = {TENSORRT: "tensorrt_bindings", TENSORRT_RTX: "tensorrt_rtx_bindings"}
"""The modules that `tensorrt` and `tensorrt_rtx` only pass on; with some wheels they are there alone."""


def load_tensorrt(name: str, subject: str = "") -> ModuleType:
    """The module of a runtime.

    Args:
        name: `TENSORRT` or `TENSORRT_RTX`.
        subject: the file that needs it, for the message.

    Raises:
        MissingRuntime: it is not installed, does not load, or is older than 10.
    """
    bindings = _BINDINGS[name]
    if not optional.installed(name) and optional.installed(bindings):
        name = bindings
    trt = optional.load(name, subject=subject)
    # TensorRT 8.6 had neither; with it went the last interface by binding numbers.
    if not hasattr(trt, "IProgressMonitor") and hasattr(trt, "Builder"):
        raise MissingRuntime(
            f"needs TensorRT 10 or newer, and {getattr(trt, '__version__', 'an older one')} is installed",
            subject=subject,
            advice=f"{optional.how_to_install('tensorrt')}, of a newer version; or record the outputs there, one .npz a frame, and open their folder",
        )
    return trt


def is_rtx(trt: ModuleType) -> bool:
    """Whether it is TensorRT for RTX: it builds for compute capabilities, with no GPU."""
    return hasattr(trt, "ComputeCapability")


def title(trt: ModuleType) -> str:
    """The runtime with its version, "TensorRT 10.13.3" or "TensorRT for RTX 1.7.1"."""
    version = ".".join(str(getattr(trt, "__version__", "")).split(".")[:3])
    return f"{'TensorRT for RTX' if is_rtx(trt) else 'TensorRT'} {version}".strip()


class MessageLog:
    """What TensorRT says: to the program's log, and to whoever collects it. One for the whole process.

    TensorRT keeps one logger for everything, calls it from any thread, and after the objects that were made with it.

    Attributes:
        native: the object that TensorRT is given.
    """

    def __init__(self, trt: ModuleType) -> None:
        self._lock = threading.Lock()
        self._collecting: list[list[tuple[bool, str]]] = []
        self.native: tensorrt.ILogger = _native_logger(trt, self._take)

    @contextmanager
    def collect(self) -> Iterator[list[tuple[bool, str]]]:
        """Gives a list that grows by (is an error, text) for each warning and error until the block ends."""
        messages: list[tuple[bool, str]] = []
        with self._lock:
            self._collecting.append(messages)
        try:
            yield messages
        finally:
            with self._lock:
                self._collecting = [other for other in self._collecting if other is not messages]

    def _take(self, is_error: bool, text: str) -> None:
        _log.log(logging.ERROR if is_error else logging.WARNING, "%s", text)
        with self._lock:
            for messages in self._collecting:
                messages.append((is_error, text))


_logs: dict[str, MessageLog] = {}
_logs_lock = threading.Lock()


def log_of(trt: ModuleType) -> MessageLog:
    """The one log of a runtime's module."""
    with _logs_lock:
        if trt.__name__ not in _logs:
            _logs[trt.__name__] = MessageLog(trt)
        return _logs[trt.__name__]


def _native_logger(trt: ModuleType, take: Any) -> Any:
    errors = (trt.ILogger.ERROR, trt.ILogger.INTERNAL_ERROR)
    shown = (*errors, trt.ILogger.WARNING)

    class Logger(trt.ILogger):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)

        def log(self, severity: Any, text: str) -> None:
            if severity in shown:
                take(severity in errors, text)

    return Logger()


_plugins: tuple[Path, ...] = ()


def use_plugins(libraries: Sequence[Path]) -> None:
    """Says which plugin libraries this process loads with TensorRT; the registry that they enter is the process's one too.

    Raises: BadInput: one is not there.
    """
    global _plugins
    for library in libraries:
        if not library.is_file():
            raise BadInput("does not exist", subject=library, advice="--plugin takes a plugin library's path")
    _plugins = tuple(libraries)


def plugin_libraries() -> tuple[Path, ...]:
    """What `use_plugins` was told last."""
    return _plugins


def load_plugins(trt: ModuleType, libraries: Sequence[Path]) -> None:
    """Registers TensorRT's own plugins, and those of the given libraries; a library's code runs here and now.

    Raises: BadInput: a library cannot be loaded, or this runtime takes none.
    """
    if hasattr(trt, "init_libnvinfer_plugins"):
        trt.init_libnvinfer_plugins(log_of(trt).native, "")
    for library in libraries:
        if not library.is_file():
            raise BadInput("does not exist", subject=library, advice="--plugin takes a plugin library's path")
        if is_rtx(trt):
            raise BadInput(f"{title(trt)} takes no plugins", subject=library, advice="build it for TensorRT")
        registry: tensorrt.IPluginRegistry = trt.get_plugin_registry()
        with log_of(trt).collect() as messages:
            handle = registry.load_library(str(library.resolve()))
        if handle is None and not any("already" in text for _, text in messages):
            reason = next((text for is_error, text in messages if is_error), "it registers no plugin")
            raise BadInput(
                f"cannot be loaded as a plugin library: {reason}",
                subject=library,
                advice=f"it must be built for {title(trt)} and this system",
            )
