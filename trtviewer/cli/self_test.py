"""`doctor --self-test`: builds, runs and compares with whatever is here, names the step that fails, and packs it all to be sent."""

from __future__ import annotations

import io
import json
import logging
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from trtviewer.atomic import require_writable, write_bytes
from trtviewer.build.engine import build_engine
from trtviewer.build.request import BuildRequest, Runtime
from trtviewer.cli.self_test_models import pictures, write_models
from trtviewer.errors import TrtviewerError
from trtviewer.models.load import load_spec
from trtviewer.models.spec import ModelSpec
from trtviewer.pipeline.worker import RunnerThread
from trtviewer.places import log_file
from trtviewer.runners.choose import cuda_is_here, open_runner
from trtviewer.runners.nvidia import driver
from trtviewer.runners.ort import OrtRunner
from trtviewer.runners.runner import RunResult
from trtviewer.runners.trt_module import TENSORRT, TENSORRT_RTX, load_tensorrt, title

SCHEMA = "trtviewer.self-test/1"
PASSED, FAILED, LEFT_OUT = "passed", "failed", "left out"
_ROUNDS = 8
_LOG_TAIL = 200_000
_TOLERANCE = {"fp32": 1e-5, "int8": 2e-2}
"""Mean squared error over the output's variance: of float arithmetic in another order, and of INT8 that rounds elsewhere."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the self test.

    Attributes:
        name: "tensorrt: build fp32".
        outcome: `PASSED`, `FAILED` or `LEFT_OUT`.
        detail: figures, the error, or what is missing.
    """

    name: str
    outcome: str
    detail: str
    seconds: float = 0.0


@dataclass(slots=True)
class SelfTest:
    """All steps, in order; `failed` is the first that failed."""

    steps: list[Step] = field(default_factory=list)

    @property
    def failed(self) -> Step | None:
        return next((step for step in self.steps if step.outcome == FAILED), None)

    def do(self, name: str, work: Callable[[], tuple[Any, str]]) -> Any:
        """Does one step; gives what it made, None where it failed."""
        begin = time.perf_counter()
        try:
            made, detail = work()
        except Exception as error:
            # Whatever goes wrong here is a finding: this command exists to report it.
            _log.exception("self test: %s", name)
            kind = "" if isinstance(error, TrtviewerError) else f"{type(error).__name__}: "
            text = " ".join(f"{kind}{error}".split())
            self.steps.append(Step(name, FAILED, text, time.perf_counter() - begin))
            return None
        self.steps.append(Step(name, PASSED, detail, time.perf_counter() - begin))
        return made

    def leave_out(self, name: str, why: str) -> None:
        self.steps.append(Step(name, LEFT_OUT, why))


def self_test(out: Path, versions: Any = None) -> SelfTest:
    """Runs every step that can run here, and writes `out`: steps and figures, versions, the networks, the end of the log.

    Args:
        versions: what `doctor` found; packed as it is.

    Raises: BadInput: `out` cannot be written.
    """
    require_writable(out)
    test = SelfTest()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        specs = test.do(
            "make the networks", lambda: (write_models(folder), "four convolutions, fp32 and Q/DQ")
        )
        if specs is not None:
            expected = test.do("ONNX Runtime CPU", lambda: _on_the_cpu(specs))
            if expected is not None:
                _on_the_gpu(test, specs, expected, folder)
        write_bytes(out, _packed(test, versions, folder))
    return test


Expected = tuple[Sequence[RunResult], Sequence[RunResult]]


def _on_the_cpu(specs: Sequence[ModelSpec]) -> tuple[Expected, str]:
    made = []
    for spec in specs:
        with OrtRunner(spec, threads=1) as runner:
            made.append([runner.run(picture, 0) for picture in pictures(_ROUNDS)])
    error = _error(made[1], made[0])
    return (made[0], made[1]), f"int8 against fp32: error {error:.2e} of the variance"


def _on_the_gpu(test: SelfTest, specs: Sequence[ModelSpec], expected: Expected, folder: Path) -> None:
    gpu = driver().gpus
    if cuda_is_here():
        test.do("ONNX Runtime CUDA: both at once", lambda: _both(specs, expected))
    else:
        missing = driver().trouble or "onnxruntime-gpu, pycuda or cuda-bindings is not installed"
        test.leave_out("ONNX Runtime CUDA: both at once", missing)
    for runtime, module in ((Runtime.TENSORRT, TENSORRT), (Runtime.TENSORRT_RTX, TENSORRT_RTX)):
        name = runtime.value
        try:
            version = title(load_tensorrt(module))
        except TrtviewerError as error:
            test.leave_out(name, str(error))
            continue
        if runtime is Runtime.TENSORRT and not gpu:
            test.leave_out(f"{name}: build and run", f"{version} builds on a GPU, and {driver().trouble}")
            continue
        engines = [
            test.do(
                f"{name}: build {precision}",
                partial(_built, spec, folder / f"{name}-{precision}.engine", runtime),
            )
            for spec, precision in zip(specs, _TOLERANCE, strict=True)
        ]
        if None in engines:
            continue
        if gpu:
            test.do(f"{name}: run both at once", partial(_both, engines, expected))
        else:
            test.leave_out(f"{name}: run both at once", driver().trouble)


def _built(spec: ModelSpec, out: Path, runtime: Runtime) -> tuple[ModelSpec, str]:
    built = build_engine(spec, out, BuildRequest(spec.path, runtime))
    return load_spec(
        out
    ), f"{built.builder}, {built.layers} layers, {built.size} bytes, {built.seconds:.2f} s"


def _both(specs: Sequence[ModelSpec], expected: Expected) -> tuple[bool, str]:
    """Runs both at once through the program's own runners, and holds them against the CPU."""
    with ExitStack() as stack:
        sides = [
            stack.enter_context(RunnerThread(open_runner(spec, device="cuda"), name))
            for spec, name in zip(specs, _TOLERANCE, strict=True)
        ]
        asked = [[side.submit(picture, 0) for picture in pictures(_ROUNDS)] for side in sides]
        found = [[answer.result() for answer in answers] for answers in asked]
        told = []
        for side, results, truth, (name, most) in zip(
            sides, found, expected, _TOLERANCE.items(), strict=True
        ):
            error = _error(results, truth)
            milliseconds = np.median([result.times.compute_ms for result in results if result.times])
            told.append(
                f"{name} ({side.info.name}, {side.info.precision}): error {error:.2e}, {milliseconds:.3f} ms"
            )
            if not error <= most:
                raise ArithmeticError(f"{told[-1]}, and at most {most:g} was expected")
    return True, "; ".join(told)


def _error(found: Sequence[RunResult], truth: Sequence[RunResult]) -> float:
    """The largest mean squared difference of a head, as a share of the head's variance."""
    worst = 0.0
    for one, other in zip(found, truth, strict=True):
        for name, head in other.heads.items():
            difference = one.heads[name].astype(np.float64) - head
            worst = max(worst, float(np.mean(difference**2) / np.var(head.astype(np.float64))))
    return worst


def _packed(test: SelfTest, versions: Any, folder: Path) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        report = {"schema": SCHEMA, "steps": [asdict(step) for step in test.steps], "doctor": versions}
        archive.writestr("self-test.json", json.dumps(report, indent=2))
        for path in sorted(folder.glob("*.onnx")) + sorted(folder.glob("*.toml")):
            archive.write(path, f"models/{path.name}")
        log = log_file()
        if log.is_file():
            archive.writestr("trtviewer.log", log.read_bytes()[-_LOG_TAIL:])
    return packed.getvalue()
