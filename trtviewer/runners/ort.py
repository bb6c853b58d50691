"""ONNX Runtime on the CPU, where INT8 is emulated exactly."""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as ort_state

from trtviewer.errors import BadInput
from trtviewer.models.spec import InputSpec, ModelSpec, Precision
from trtviewer.preprocess import to_model_layout
from trtviewer.runners.heads import as_heads
from trtviewer.runners.runner import DeviceTensor, InputTensor, RunnerInfo, RunResult, RunTimes

ORT_ERRORS: tuple[type[Exception], ...] = tuple(
    error for error in vars(ort_state).values() if isinstance(error, type) and issubclass(error, Exception)
)
"""What ONNX Runtime raises; its classes have no common one of their own."""
_SILENT = 4
"""ONNX Runtime's level "fatal": its errors reach us as exceptions, and its log lines are chatter to a user."""


def cpu_session_options(*, quantized: bool, threads: int | None = None) -> ort.SessionOptions:
    """The settings of every CPU session of this program.

    A Q/DQ model then gives what the standard's arithmetic gives, on every CPU: Q and DQ stay in float, no kernel
    saturates in int16, and no layout rewrite flips a rounding (equal to the unoptimised graph to 3e-6 in MSE).

    Args:
        quantized: the model has Q/DQ nodes.
        threads: threads within an operator; None for one a core. With several sessions at once give each its share.
    """
    options = ort.SessionOptions()
    options.log_severity_level = _SILENT
    options.add_session_config_entry("session.x64quantprecision", "1")
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if threads is not None:
        options.intra_op_num_threads = threads
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    if quantized:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.add_session_config_entry("session.disable_quant_qdq", "1")
    return options


def open_session(path: Path, options: ort.SessionOptions, providers: list[Any]) -> ort.InferenceSession:
    """An inference session of the model at `path`.

    Raises:
        BadInput: the file is missing or damaged, uses what this ONNX Runtime lacks, or its external data is missing.
    """
    try:
        return ort.InferenceSession(str(path), options, providers=providers)
    except ORT_ERRORS as error:
        raise BadInput(
            f"cannot be opened by ONNX Runtime {ort.__version__}: {first_line(error)}",
            subject=path,
            advice="check that the file is a whole ONNX model of an opset that this version knows",
        ) from error


class OrtRunner:
    """Runs an ONNX model on the CPU."""

    def __init__(self, spec: ModelSpec, *, threads: int | None = None) -> None:
        self._spec = spec
        self._input = _input_of(spec)
        self._threads = threads
        self._session: ort.InferenceSession | None = None
        self._outputs = [head.output for head in spec.heads]
        self._run_options = ort.RunOptions()

    @property
    def spec(self) -> ModelSpec:
        return self._spec

    @property
    def info(self) -> RunnerInfo:
        quantized = self._spec.precision is Precision.INT8
        return RunnerInfo(name="ONNX Runtime CPU", precision=self._spec.precision.value, emulated=quantized)

    @property
    def frame_count(self) -> int | None:
        return None

    def __enter__(self) -> Self:
        options = cpu_session_options(quantized=self._spec.precision is Precision.INT8, threads=self._threads)
        self._session = open_session(self._spec.path, options, ["CPUExecutionProvider"])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session = None

    def run(self, tensor: InputTensor, frame_index: int) -> RunResult:
        if self._session is None:
            raise RuntimeError("a runner runs only while it is entered")
        if isinstance(tensor, DeviceTensor):
            raise TypeError("this runner reads its input in the host's memory")
        # Its own for each run: a stop that comes late finds the run that it was meant for.
        options = self._run_options = ort.RunOptions()
        begin = time.perf_counter()
        fed = to_model_layout(tensor, self._input)
        ready = time.perf_counter()
        try:
            outputs = self._session.run(self._outputs, {self._input.name: fed}, options)
        except ORT_ERRORS as error:
            raise BadInput(
                f"failed while running frame {frame_index}: {first_line(error)}",
                subject=self._spec.path,
                advice="trtviewer info shows which input was understood",
            ) from error
        computed = time.perf_counter()
        heads = as_heads(dict(zip(self._outputs, outputs, strict=True)))
        done = time.perf_counter()
        times = RunTimes(1e3 * (ready - begin), 1e3 * (computed - ready), 1e3 * (done - computed))
        return RunResult(heads, times)

    def stop(self) -> None:
        self._run_options.terminate = True


def _input_of(spec: ModelSpec) -> InputSpec:
    if spec.input is None:
        raise BadInput("says nothing of its input", subject=spec.path)
    return spec.input


def first_line(error: Exception) -> str:
    """The first line of what ONNX Runtime says; the rest is of no use to a user."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
