"""From what is known of a model to the runner that can run it here: one table."""

from __future__ import annotations

from collections.abc import Callable

from trtviewer import optional
from trtviewer.errors import BadInput
from trtviewer.evidence_files import recorded_side
from trtviewer.models.spec import ModelSpec
from trtviewer.runners.nvidia import driver
from trtviewer.runners.runner import Runner
from trtviewer.runners.trt_module import plugin_libraries


def open_runner(spec: ModelSpec, *, device: str = "auto", threads: int | None = None) -> Runner:
    """The runner for a model; it holds nothing until it is entered.

    Args:
        device: "cpu", "cuda", or "auto": CUDA where ONNX Runtime has it, else the CPU.
        threads: threads within an operator on the CPU; None for one a core.

    Raises:
        BadInput: nothing here runs such a file.
        MissingRuntime: the runtime that it needs is not installed.
    """
    kind = "folder" if recorded_side(spec.path).is_dir() else spec.path.suffix.lower()
    maker = _RUNNERS.get(kind)
    if maker is None:
        raise BadInput(
            f"no runner knows files of the kind '{kind}'",
            subject=spec.path,
            advice=f"known are {', '.join(sorted(_RUNNERS))}",
        )
    return maker(spec, device, threads)


def _ort(spec: ModelSpec, device: str, threads: int | None) -> Runner:
    from trtviewer.runners.ort import OrtRunner

    if device == "cuda" or (device == "auto" and cuda_is_here(spec)):
        from trtviewer.runners.ort_cuda import OrtCudaRunner

        return OrtCudaRunner(spec)
    return OrtRunner(spec, threads=threads)


def cuda_is_here(spec: ModelSpec | None = None) -> bool:
    """Whether ONNX models run on the GPU here: it answers its driver, and ONNX Runtime with CUDA, pycuda and NVRTC's bindings are installed.

    A model with an output of open length is left to the CPU, since memory on the GPU is set aside beforehand.
    """
    from trtviewer.runners.ort_cuda import cuda_available

    if spec is not None and any(length < 0 for head in spec.heads for length in head.shape):
        return False
    return (
        cuda_available()
        and bool(driver().gpus)
        and all(optional.installed(name) for name in ("pycuda.driver", "cuda.bindings.nvrtc"))
    )


def _tensorrt(spec: ModelSpec, device: str, threads: int | None) -> Runner:
    from trtviewer.runners.trt import TrtRunner

    return TrtRunner(spec, plugin_libraries())


def _recorded(spec: ModelSpec, device: str, threads: int | None) -> Runner:
    from trtviewer.runners.recorded import RecordedRunner

    return RecordedRunner(spec)


_RUNNERS: dict[str, Callable[[ModelSpec, str, int | None], Runner]] = {
    ".onnx": _ort,
    ".engine": _tensorrt,
    ".plan": _tensorrt,
    ".trt": _tensorrt,
    "folder": _recorded,
}
