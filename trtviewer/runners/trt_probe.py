"""A plan is tried in a process of its own first: should native code crash on it, that process ends, and no window."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trtviewer.errors import BadInput
from trtviewer.isolated import ProcessDied, Tell, run_isolated
from trtviewer.models.spec import ModelSpec
from trtviewer.models.trust import digest_of
from trtviewer.runners.trt_plan import EngineLayer


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """What trying a plan told: the runtime, the engine's arithmetic, its layers."""

    runtime: str
    precision: str
    layers: tuple[EngineLayer, ...]


_tried: dict[tuple[str, tuple[Path, ...]], PlanFacts] = {}
_lock = threading.Lock()


def probe_once(spec: ModelSpec, plugins: Sequence[Path] = ()) -> PlanFacts:
    """Loads the plan and runs it once, elsewhere; a plan that this process has tried is not tried again.

    Raises:
        BadInput, MissingRuntime: what loading it here would have raised; or it crashes.
    """
    key = (digest_of(spec.path), tuple(plugins))
    with _lock:
        known = _tried.get(key)
    if known is None:
        known = _probe(spec, tuple(plugins))
        with _lock:
            _tried[key] = known
    return known


def tried(path: Path, plugins: Sequence[Path] = ()) -> PlanFacts | None:
    """What this process was told when it tried this very plan; None where it has not. Raises: BadInput: it cannot be read."""
    key = (digest_of(path), tuple(plugins))
    with _lock:
        return _tried.get(key)


def _probe(spec: ModelSpec, plugins: tuple[Path, ...]) -> PlanFacts:
    plain = (spec.path, spec.family, spec.classes, spec.input, spec.heads, spec.precision)
    try:
        facts: PlanFacts = run_isolated(_try, (plain, plugins))
    except ProcessDied as died:
        raise BadInput(
            f"its runtime {died.how} while trying it",
            subject=spec.path,
            advice="build it again here from its .onnx: trtviewer build; the log has the runtime's last words",
        ) from died
    return facts


def _try(tell: Tell, plain: tuple[object, ...], plugins: tuple[Path, ...]) -> PlanFacts:
    from trtviewer.runners.trt import TrtRunner

    spec = ModelSpec(*plain)  # type: ignore[arg-type]
    with TrtRunner(spec, plugins, probe=False) as runner:
        if spec.input is not None:
            runner.run(np.zeros((1, 3, *spec.input.size), np.float32), 0)
        return PlanFacts(runner.info.name, runner.info.precision, runner.layers)
