"""The builder itself: ONNX file to plan, in a process of its own, for native code may crash and cannot be interrupted."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from trtviewer import atomic
from trtviewer.build.legacy_int8 import apply_legacy_int8
from trtviewer.build.phases import Phases
from trtviewer.build.refusals import ParserError
from trtviewer.build.request import BuildProgress, BuildRequest, Runtime
from trtviewer.errors import BadInput, BadUsage
from trtviewer.isolated import Tell
from trtviewer.runners.trt_module import (
    TENSORRT,
    TENSORRT_RTX,
    is_rtx,
    load_plugins,
    load_tensorrt,
    log_of,
    title,
)

if TYPE_CHECKING:
    import tensorrt
    import tensorrt_rtx

_SHARE_OF_READING = 0.05


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a build: a plan was written, or `refused` or `errors` say why there is none."""

    builder: str
    layers: int = 0
    seconds: float = 0.0
    refused: tuple[ParserError, ...] = ()
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    built: bool = False


def build_plan(tell: Tell, request: BuildRequest, plan_file: Path, timing_cache: Path) -> Outcome:
    """Reads the model, builds it, and writes the plan to `plan_file`. Meant for `run_isolated`.

    Args:
        tell: gets `BuildProgress`.
        timing_cache: kept from build to build; where it is of another GPU or version it is begun anew.

    Raises:
        MissingRuntime: the runtime is not here.
        BadInput: a plugin library does not load, or an open input has no shape.
        BadUsage: the runtime does not know what is asked of it.
    """
    begin = time.perf_counter()
    name = TENSORRT_RTX if request.runtime is Runtime.TENSORRT_RTX else TENSORRT
    trt = load_tensorrt(name, str(request.model))
    load_plugins(trt, request.plugins)
    log = log_of(trt)
    tell(BuildProgress(f"Reading {request.model.name}", 0.0))
    with log.collect() as messages:
        builder: tensorrt.Builder = trt.Builder(log.native)
        network: tensorrt.INetworkDefinition = builder.create_network(_network_flags(trt, request))
        outcome = Outcome(title(trt))
        refused = _read(trt, network, request.model)
        if refused:
            return replace(outcome, refused=refused, errors=_errors(messages))
        outcome = replace(outcome, layers=network.num_layers)
        config: tensorrt.IBuilderConfig = builder.create_builder_config()
        _configure(trt, builder, network, config, request)
        monitor = _monitor(trt, tell)
        config.progress_monitor = monitor
        cache = None if is_rtx(trt) else _timing_cache(config, timing_cache)
        plan: tensorrt.IHostMemory | None = builder.build_serialized_network(network, config)
        warnings = tuple(dict.fromkeys(text for is_error, text in messages if not is_error))
        if plan is None:
            return replace(outcome, errors=_errors(messages), warnings=warnings)
        try:
            plan_file.write_bytes(memoryview(plan))
        except OSError as error:
            raise BadInput(
                f"the engine cannot be written: {error.strerror}", subject=plan_file.parent
            ) from error
        if cache is not None:
            warnings += _keep(config, timing_cache)
    return replace(outcome, built=True, seconds=time.perf_counter() - begin, warnings=warnings)


def _network_flags(trt: ModuleType, request: BuildRequest) -> int:
    """Strongly typed wherever that is a choice; the bit's place is not the same in every version."""
    if request.legacy_int8 is not None:
        if not hasattr(trt.BuilderFlag, "INT8"):
            raise BadUsage(
                f"{title(trt)} takes INT8 from the graph alone, with no calibration table",
                advice="trtviewer quantize --calibration-table FILE, then build the Q/DQ model that it writes",
            )
        return 0
    flag = getattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None)
    return 0 if flag is None else 1 << int(flag)


def _read(trt: ModuleType, network: tensorrt.INetworkDefinition, model: Path) -> tuple[ParserError, ...]:
    """Reads the model into the network; gives what the parser refused, nothing where it took all."""
    parser: tensorrt.OnnxParser = trt.OnnxParser(network, log_of(trt).native)
    # By its path, so that weights in other files are found beside it.
    if parser.parse_from_file(str(model)):
        return ()
    found = []
    for index in range(parser.num_errors):
        error: tensorrt.ParserError = parser.get_error(index)
        code = str(error.code()).rpartition(".")[2]
        found.append(ParserError(error.node(), error.node_name(), error.node_operator(), code, error.desc()))
    return tuple(found) or (ParserError(-1, "", "", "UNKNOWN", "the parser does not say why"),)


def _configure(
    trt: ModuleType,
    builder: tensorrt.Builder,
    network: tensorrt.INetworkDefinition,
    config: tensorrt.IBuilderConfig,
    request: BuildRequest,
) -> None:
    if not request.tf32:
        config.clear_flag(trt.BuilderFlag.TF32)
    # The engine inspector tells each layer's precision only of engines that were built so.
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
    # Two engines run at once, each on the one stream that it is given.
    config.max_aux_streams = 0
    _fix_open_inputs(builder, network, config, request)
    if request.compute_capabilities:
        _choose_gpus(trt, config, request.compute_capabilities)
    if request.legacy_int8 is not None:
        apply_legacy_int8(trt, network, config, request.legacy_int8)


def _fix_open_inputs(
    builder: tensorrt.Builder,
    network: tensorrt.INetworkDefinition,
    config: tensorrt.IBuilderConfig,
    request: BuildRequest,
) -> None:
    profile: tensorrt.IOptimizationProfile | None = None
    for index in range(network.num_inputs):
        given: tensorrt.ITensor = network.get_input(index)
        if all(length >= 0 for length in given.shape):
            continue
        shape = request.shapes.get(given.name)
        if shape is None:
            raise BadInput(
                f"the shape of its input {given.name} is open",
                subject=request.model,
                advice="say size = [height, width] under [input] in its sidecar",
            )
        if profile is None:
            profile = builder.create_optimization_profile()
        profile.set_shape(given.name, shape, shape, shape)
    if profile is not None:
        config.add_optimization_profile(profile)


def _choose_gpus(trt: ModuleType, config: tensorrt_rtx.IBuilderConfig, capabilities: Sequence[str]) -> None:
    known = trt.ComputeCapability.__members__ if is_rtx(trt) else {}
    if not known:
        raise BadUsage(
            f"{title(trt)} builds for the GPU that is here, and for no list of them",
            advice="leave out --compute-capability, or --runtime tensorrt-rtx",
        )
    members = ["SM" + capability.replace(".", "") for capability in capabilities]
    for capability, member in zip(capabilities, members, strict=True):
        if member not in known:
            all_known = ", ".join(f"{name[2:-1]}.{name[-1]}" for name in known if name.startswith("SM"))
            raise BadUsage(
                f"{title(trt)} does not build for compute capability {capability}",
                advice=f"it knows {all_known}",
            )
    config.num_compute_capabilities = len(members)
    for index, member in enumerate(members):
        config.set_compute_capability(known[member], index)


def _monitor(trt: ModuleType, tell: Tell) -> Any:
    phases = Phases()

    def report(progress: BuildProgress) -> bool:
        share = _SHARE_OF_READING + (1 - _SHARE_OF_READING) * progress.share
        try:
            tell(BuildProgress(progress.phase, share))
        except OSError:  # whoever asked for the engine is gone
            return False
        return True

    class Monitor(trt.IProgressMonitor):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)

        def phase_start(self, name: str, parent: str | None, steps: int) -> None:
            report(phases.start(name, parent, steps))

        def step_complete(self, name: str, step: int) -> bool:
            return report(phases.step(name, step))

        def phase_finish(self, name: str) -> None:
            report(phases.finish(name))

    return Monitor()


def _timing_cache(config: tensorrt.IBuilderConfig, path: Path) -> tensorrt.ITimingCache:
    try:
        kept = path.read_bytes()
    except OSError:  # there is none yet, or it cannot be read: it only saves time
        kept = b""
    cache: tensorrt.ITimingCache = config.create_timing_cache(kept)
    if not config.set_timing_cache(cache, False):
        cache = config.create_timing_cache(b"")
        config.set_timing_cache(cache, False)
    return cache


def _keep(config: tensorrt.IBuilderConfig, path: Path) -> tuple[str, ...]:
    """Keeps what was timed, for the next build. Returns: a warning where it cannot be: the engine is made all the same."""
    cache: tensorrt.ITimingCache = config.get_timing_cache()
    measured: tensorrt.IHostMemory = cache.serialize()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.write_bytes(path, bytes(memoryview(measured)))
    except (OSError, BadInput) as error:
        return (f"the next build takes as long: its timings cannot be kept: {error}",)
    return ()


def _errors(messages: Sequence[tuple[bool, str]]) -> tuple[str, ...]:
    return tuple(text for is_error, text in messages if is_error)
