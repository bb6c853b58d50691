"""Which builders of engines are here, and what one made, in words; no Qt."""

from __future__ import annotations

from trtviewer import optional
from trtviewer.build.request import BuiltEngine, Runtime
from trtviewer.runners.nvidia import driver

TITLES = {Runtime.TENSORRT: "TensorRT", Runtime.TENSORRT_RTX: "TensorRT for RTX"}
_MODULES = {
    Runtime.TENSORRT: ("tensorrt", "tensorrt_bindings"),
    Runtime.TENSORRT_RTX: ("tensorrt_rtx", "tensorrt_rtx_bindings"),
}
_PHASE_LENGTH = 40


def builders() -> tuple[Runtime, ...]:
    """Those that are installed; they are not loaded, which takes seconds."""
    return tuple(
        runtime for runtime, names in _MODULES.items() if any(optional.installed(name) for name in names)
    )


def missing() -> str:
    """What to do where there is none."""
    return (
        "Needs TensorRT or TensorRT for RTX, and neither is installed: "
        f"{optional.how_to_install('tensorrt')}, or {optional.how_to_install('rtx')}"
    )


def hindrance(runtime: Runtime) -> str:
    """Why an installed one cannot build here; empty where it can."""
    if runtime is Runtime.TENSORRT and not driver().gpus:
        return f"TensorRT builds by timing kernels on the GPU, and {driver().trouble}."
    return ""


def cannot_run() -> str:
    """Why no engine can run here; empty where one can."""
    return (
        ""
        if driver().gpus
        else f"an engine runs on an NVIDIA GPU, and {driver().trouble}: open it where there is one"
    )


def phase_words(phase: str) -> str:
    """A builder's own name of what it is at, no longer than the status line bears."""
    return phase if len(phase) <= _PHASE_LENGTH else phase[: _PHASE_LENGTH - 1] + "…"


def built_words(built: BuiltEngine) -> str:
    """What was made, in one line."""
    words = (
        f"Built {built.path.name}: {built.builder}, {built.layers} layers, "
        f"{built.size / 1e6:.1f} MB in {built.seconds:.1f} s."
    )
    if built.warnings:
        more = f" (and {len(built.warnings) - 1} more)" if len(built.warnings) > 1 else ""
        words += f" The builder warned: {' '.join(built.warnings[0].split())}{more}"
    return words
