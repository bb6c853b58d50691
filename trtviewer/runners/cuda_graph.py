"""A CUDA graph: work that was put on a stream once, recorded, and put there again by one call."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from trtviewer import optional
from trtviewer.errors import MissingRuntime
from trtviewer.runners.cuda import Stream


def runtime() -> ModuleType | None:
    """The CUDA runtime's bindings, which have graphs (pycuda has none); None where they are not installed."""
    try:
        return optional.load("cuda.bindings.runtime")
    except MissingRuntime:
        return None


class CudaGraph:
    """Recorded work; the addresses and shapes that it was recorded with are frozen in it."""

    def __init__(self, cudart: ModuleType, executable: Any) -> None:
        self._cudart = cudart
        self._executable = executable

    def launch(self, stream: Stream) -> None:
        _check(self._cudart, self._cudart.cudaGraphLaunch(self._executable, stream.handle))

    def release(self) -> None:
        if self._executable is not None:
            self._cudart.cudaGraphExecDestroy(self._executable)
            self._executable = None


def capture(cudart: ModuleType, stream: Stream, enqueue: Callable[[], bool]) -> CudaGraph | None:
    """Records what `enqueue` puts on the stream; nothing of it runs meanwhile.

    Args:
        enqueue: False where it could not put its work there.

    Returns: None where the work cannot be recorded; the stream is as before.
    """
    # Thread-local: other threads go on allocating and synchronising.
    mode = cudart.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
    _check(cudart, cudart.cudaStreamBeginCapture(stream.handle, mode))
    done = False
    try:
        done = enqueue()
    finally:
        status, graph = cudart.cudaStreamEndCapture(stream.handle)
        good = int(status) == 0
        if not (done and good):
            _discard(cudart, graph if good else None)
    if not (done and good):
        return None
    status, executable = cudart.cudaGraphInstantiate(graph, 0)
    cudart.cudaGraphDestroy(graph)
    return CudaGraph(cudart, executable) if int(status) == 0 else None


def _discard(cudart: ModuleType, graph: Any) -> None:
    if graph is not None and int(graph) != 0:
        cudart.cudaGraphDestroy(graph)
    # A capture that failed leaves its error behind for the next call to find.
    cudart.cudaGetLastError()


def _check(cudart: ModuleType, answer: tuple[Any, ...]) -> None:
    if int(answer[0]) != 0:
        raise MissingRuntime(f"CUDA graph: {cudart.cudaGetErrorString(answer[0])[1]!r}")
