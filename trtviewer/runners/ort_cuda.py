"""ONNX Runtime on CUDA, on the device layer: our stream, our input buffer, our outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnxruntime as ort

from trtviewer import optional
from trtviewer.errors import BadInput, MissingRuntime
from trtviewer.models.spec import ModelSpec, Precision
from trtviewer.runners.cuda import Stream
from trtviewer.runners.gpu_runner import DeviceOutput, GpuRunner, Slot
from trtviewer.runners.ort import ORT_ERRORS, cpu_session_options, first_line, open_session
from trtviewer.runners.runner import RunnerInfo

_PROVIDER = "CUDAExecutionProvider"
_ELEMENTS = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(uint8)": "uint8",
}


def cuda_available() -> bool:
    """Whether this ONNX Runtime was built with CUDA; whether a device answers shows when a session is opened."""
    return _PROVIDER in ort.get_available_providers()


class OrtCudaRunner(GpuRunner):
    """Runs an ONNX model on the GPU; FP32 without TF32, and INT8 emulated in float, as on the CPU."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self._ort: ort.InferenceSession | None = None
        self._bindings: dict[tuple[int, int], ort.IOBinding] = {}
        self._run_options = ort.RunOptions()
        # Otherwise each run waits twice for the GPU before it returns.
        self._run_options.add_run_config_entry("disable_synchronize_execution_providers", "1")

    @property
    def info(self) -> RunnerInfo:
        emulated = self._spec.precision is Precision.INT8
        return RunnerInfo("ONNX Runtime CUDA", self._spec.precision.value, emulated, on_gpu=True)

    def _prepare(self) -> None:
        if not cuda_available():
            raise MissingRuntime(
                "needs ONNX Runtime with CUDA, and the one installed has none",
                subject=self._spec.path,
                advice=optional.how_to_get_onnxruntime_gpu(),
            )
        # Finds cuBLAS and cuDNN in the wheels that bring them.
        ort.preload_dlls()

    def _open(self, stream: Stream) -> Sequence[DeviceOutput]:
        options = cpu_session_options(quantized=self._spec.precision is Precision.INT8)
        provider = {"device_id": 0, "user_compute_stream": str(stream.handle), "use_tf32": "0"}
        session = open_session(self._spec.path, options, [(_PROVIDER, provider)])
        if session.get_providers()[0] != _PROVIDER:
            raise MissingRuntime(
                "CUDA did not start: ONNX Runtime fell back to the CPU",
                subject=self._spec.path,
                advice="trtviewer doctor shows which library or driver is missing",
            )
        self._ort = session
        elements = {output.name: output.type for output in session.get_outputs()}
        return [
            DeviceOutput(
                head.output, head.output, self._fixed(head.output, head.shape), _dtype(elements, head.output)
            )
            for head in self._spec.heads
        ]

    def _fixed(self, name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        if any(length < 0 for length in shape):
            raise BadInput(
                f"its output {name} has no fixed shape, and memory on the GPU is set aside beforehand",
                subject=self._spec.path,
                advice="export it with a fixed number of boxes, or run it on the CPU",
            )
        return shape

    def _enqueue(self, slot: Slot, input_address: int) -> None:
        key = (slot.index, input_address)
        if key not in self._bindings:
            self._bindings[key] = self._bind(slot, input_address)
        try:
            self._opened.run_with_iobinding(self._bindings[key], self._run_options)
        except ORT_ERRORS as error:
            raise BadInput(
                f"failed while running: {first_line(error)}",
                subject=self._spec.path,
                advice="trtviewer info shows which input was understood",
            ) from error

    def _bind(self, slot: Slot, input_address: int) -> Any:
        binding = self._opened.io_binding()
        dtype = np.dtype(self._input.dtype).type
        binding.bind_input(self._input.name, "cuda", 0, dtype, list(self.given_shape), input_address)
        for output in self._outputs:
            address = slot.outputs[output.name].address
            kind = np.dtype(output.dtype).type
            binding.bind_output(output.name, "cuda", 0, kind, list(output.shape), address)
        return binding

    @property
    def _opened(self) -> ort.InferenceSession:
        if self._ort is None:
            raise RuntimeError("a runner runs only while it is entered")
        return self._ort

    def _close(self) -> None:
        self._bindings.clear()
        self._ort = None


def _dtype(elements: dict[str, str], name: str) -> str:
    return _ELEMENTS.get(elements.get(name, ""), "float32")
