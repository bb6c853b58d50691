"""From what is known of a model to the runner that can run it here: one table."""

from __future__ import annotations

from collections.abc import Callable

from trtviewer.errors import BadInput
from trtviewer.models.spec import ModelSpec
from trtviewer.runners.runner import Runner


def open_runner(spec: ModelSpec, *, device: str = "auto", threads: int | None = None) -> Runner:
    """The runner for a model; it holds nothing until it is entered.

    Args:
        device: "cpu", "cuda", or "auto": CUDA where ONNX Runtime has it, else the CPU.
        threads: threads within an operator on the CPU; None for one a core.

    Raises:
        BadInput: nothing here runs such a file.
        MissingRuntime: the runtime that it needs is not installed.
    """
    kind = "folder" if spec.path.is_dir() else spec.path.suffix.lower()
    maker = _RUNNERS.get(kind)
    if maker is None:
        raise BadInput(
            f"no runner knows files of the kind '{kind}'",
            subject=spec.path,
            advice=f"known are {', '.join(sorted(_RUNNERS))}",
        )
    return maker(spec, device, threads)


def _ort(spec: ModelSpec, device: str, threads: int | None) -> Runner:
    from trtviewer.runners.ort import OrtRunner, cuda_available

    if device == "auto":
        device = "cuda" if cuda_available() else "cpu"
    return OrtRunner(spec, device=device, threads=threads)


def _recorded(spec: ModelSpec, device: str, threads: int | None) -> Runner:
    from trtviewer.runners.recorded import RecordedRunner

    return RecordedRunner(spec)


_RUNNERS: dict[str, Callable[[ModelSpec, str, int | None], Runner]] = {
    ".onnx": _ort,
    "folder": _recorded,
}
