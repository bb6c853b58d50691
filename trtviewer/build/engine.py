"""From an ONNX model to an engine with its sidecar and its SHA-256 beside it: all three whole, or none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from trtviewer.atomic import require_writable, whole_file, write_text
from trtviewer.build.builder import Outcome, build_plan
from trtviewer.build.refusals import explain
from trtviewer.build.request import BuildProgress, BuildRequest, BuiltEngine, Runtime
from trtviewer.errors import BadInput, BadUsage, Cancelled, MissingRuntime, TrtviewerError
from trtviewer.isolated import ProcessDied, run_isolated
from trtviewer.models.engine_file import ENGINE_SUFFIXES, described_engine
from trtviewer.models.model_file import parse_metadata
from trtviewer.models.sidecar import read_sidecar, sidecar_path, sidecar_text, write_sidecar
from trtviewer.models.spec import ModelSpec, Precision
from trtviewer.models.trust import digest_line, digest_of, digest_path, remember
from trtviewer.places import cache_folder
from trtviewer.runners.nvidia import require_gpu


def request_for(spec: ModelSpec, request: BuildRequest) -> BuildRequest:
    """The request with the shape that the model's one input has where it is open."""
    if spec.input is None:
        raise BadInput("says nothing of its input", subject=spec.path)
    height, width = spec.input.size
    shape = (1, 3, height, width) if spec.input.layout == "nchw" else (1, height, width, 3)
    return replace(request, model=spec.path, shapes={spec.input.name: shape})


def build_engine(
    spec: ModelSpec,
    out: Path,
    request: BuildRequest,
    progress: Callable[[BuildProgress], None] = lambda progress: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> BuiltEngine:
    """Builds `spec`'s model, in a process of its own, and writes `out`, its sidecar and `out`.sha256.

    Args:
        request: how; its `model` and `shapes` are taken from `spec`.
        progress: called on this thread.
        cancelled: looked at ten times a second; nothing is left behind.

    Raises:
        BadUsage: `out` is no engine's name, or the runtime does not know what is asked of it.
        BadInput: the parser refuses the model, with the node's name and what to change; or the build fails; or nothing can be written.
        MissingRuntime: the runtime, or the GPU that it needs, is not here.
        Cancelled: it was cancelled.
    """
    check_output(spec, out)
    asked = request_for(spec, request)
    if asked.runtime is Runtime.TENSORRT:
        require_gpu(str(spec.path), "TensorRT builds by timing kernels", "--runtime tensorrt-rtx needs none")
    timing_cache = cache_folder() / "timing" / f"{asked.runtime.value}.cache"
    with whole_file(out) as temporary:
        outcome = _build(asked, temporary, timing_cache, progress, cancelled)
        digest = digest_of(temporary)
        _write_beside(spec, out, digest)
        size = temporary.stat().st_size
    remember(digest, out)
    return BuiltEngine(out, outcome.builder, outcome.layers, size, outcome.seconds, outcome.warnings)


def check_output(spec: ModelSpec, out: Path) -> None:
    """Looks, before long work, whether `out` can be written. Raises: as `build_engine`."""
    if out.suffix.lower() not in ENGINE_SUFFIXES:
        raise BadUsage("the output is an engine", subject=out, advice=f"name it {out.stem}.engine")
    if spec.path.suffix.lower() != ".onnx":
        raise BadInput("only ONNX models are built", subject=spec.path, advice="export it to ONNX")
    for path in (out, digest_path(out)):
        require_writable(path)
    if sidecar_path(out).exists():
        write_sidecar(sidecar_path(out), _spec_of(spec, out))  # refuses now what it would refuse at the end
        _require_whole_sidecar(_spec_of(spec, out))


def _build(
    request: BuildRequest,
    plan_file: Path,
    timing_cache: Path,
    progress: Callable[[BuildProgress], None],
    cancelled: Callable[[], bool],
) -> Outcome:
    try:
        outcome: Outcome = run_isolated(
            build_plan, (request, plan_file, timing_cache), told=progress, cancelled=cancelled
        )
    except Cancelled as error:
        raise Cancelled("the build was cancelled", subject=request.model) from error
    except ProcessDied as died:
        raise BadInput(
            f"the builder {died.how} on it",
            subject=request.model,
            advice="this is a fault of the builder: try another version; the log has its last words",
        ) from died
    if outcome.refused:
        raise explain(request.model, outcome.refused, outcome.builder)
    if not outcome.built:
        raise _failure(request, outcome)
    return outcome


def _failure(request: BuildRequest, outcome: Outcome) -> TrtviewerError:
    reason = _own_words(outcome.errors)
    text = reason.lower()
    if "driver version is insufficient" in text or "no cuda-capable device" in text:
        return MissingRuntime(
            f"{outcome.builder} found no GPU, or its driver is too old: {reason}",
            subject=request.model,
            advice="trtviewer doctor shows the driver",
        )
    advice = "the log has all that the builder said"
    if "out of memory" in text or "cudaerrormemoryallocation" in text:
        advice = "close what else uses the GPU's memory, and build again"
    elif "could not find any implementation" in text or "unsupported" in text:
        advice = "export the model without that layer, or with another opset"
    return BadInput(f"{outcome.builder} could not build it: {reason}", subject=request.model, advice=advice)


def _own_words(errors: Sequence[str]) -> str:
    """The first error that is the build's own: with no GPU there, every other one is followed by one of the driver."""
    lines = [error.strip().splitlines()[0] for error in errors if error.strip()]
    own = [line for line in lines if "cudaError 35" not in line]
    return (own or lines or ["it does not say why"])[0]


def _write_beside(spec: ModelSpec, out: Path, digest: str) -> None:
    """Writes the sidecar and the digest; where the digest cannot be written, a new sidecar goes too."""
    sidecar = sidecar_path(out)
    new = not sidecar.exists()
    write_sidecar(sidecar, _spec_of(spec, out))
    try:
        write_text(digest_path(out), digest_line(digest, out))
    except BadInput:
        if new:
            sidecar.unlink(missing_ok=True)
        raise


def _require_whole_sidecar(spec: ModelSpec) -> None:
    """An engine says nothing of itself: what suffices beside its ONNX model may be too little for it.

    Raises: BadInput: an engine could not be opened by the sidecar that is there, or would be read otherwise.
    """
    beside = sidecar_path(spec.path)
    try:
        understood = sidecar_text(described_engine(spec.path, read_sidecar(beside), parse_metadata({})))
    except BadInput:
        understood = ""
    if understood != sidecar_text(spec):
        raise BadInput(
            "is there already, and leaves out what an engine does not say itself",
            subject=beside,
            advice="choose another name for the output, or write all of it: family, classes, [input] size and [[head]]",
        )


def _spec_of(spec: ModelSpec, out: Path) -> ModelSpec:
    return replace(spec, path=out, precision=Precision.UNKNOWN)
