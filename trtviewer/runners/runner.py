"""What runs one model: input tensor to heads, with its times; the same for every runtime."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from trtviewer.models.spec import ModelSpec


@dataclass(frozen=True, slots=True)
class DeviceTensor:
    """A tensor in the memory of a GPU, given to runners that read it there.

    Attributes:
        address: device pointer of [1, 3, H, W] values in `dtype`, contiguous.
        shape, dtype: as numpy's.
        ready: an event of the device layer that the runner's stream waits for before it reads.
    """

    address: int
    shape: tuple[int, ...]
    dtype: str
    ready: Any


RECORDED = "recorded"
"""The name of the runner that runs nothing, and so has no latency."""

InputTensor = NDArray[np.float32] | DeviceTensor
"""[1, 3, H, W] float32, the same for both models; each runner converts dtype and layout to its own."""


@dataclass(frozen=True, slots=True)
class RunTimes:
    """Milliseconds of one run; the copies are 0 where nothing is copied."""

    copy_in_ms: float
    compute_ms: float
    copy_out_ms: float

    @property
    def total_ms(self) -> float:
        return self.copy_in_ms + self.compute_ms + self.copy_out_ms


@dataclass(frozen=True, eq=False, slots=True)
class RunResult:
    """What one run made.

    Attributes:
        heads: output name to array, read-only, owned by whoever holds this; float32, the model's layout.
        times: None of a recording, where nothing was run: reading a file says nothing of the model.
    """

    heads: Mapping[str, NDArray[np.float32]]
    times: RunTimes | None

    @property
    def latency_ms(self) -> float | None:
        """All of the run with its copies; None of a recording."""
        return None if self.times is None else self.times.total_ms


@dataclass(frozen=True, slots=True)
class RunnerInfo:
    """What is running a model, for headers and reports.

    Attributes:
        name: "ONNX Runtime CPU", "ONNX Runtime CUDA", "TensorRT 10.13", "recorded".
        precision: what the model's file says (`ModelSpec.precision`), or what the engine really does.
        emulated: quantized arithmetic computed in float; its speed stands for nothing.
        on_gpu: it reads a `DeviceTensor`, and `begin` and `finish` let it run while it is waited for.
    """

    name: str
    precision: str
    emulated: bool
    on_gpu: bool = False

    @property
    def is_recording(self) -> bool:
        return self.name == RECORDED


class Runner(Protocol):
    """Runs one model. Cheap to make; holds its runtime only while entered, and all of that on one thread."""

    @property
    def spec(self) -> ModelSpec: ...
    @property
    def info(self) -> RunnerInfo:
        """What is running; known once entered."""

    @property
    def frame_count(self) -> int | None:
        """How many frames it can be asked for, known once entered; None for a model, which runs on any."""

    def run(self, tensor: InputTensor, frame_index: int) -> RunResult:
        """Runs the model on one frame's tensor.

        Args:
            tensor: the frame, as `preprocess` makes it. Recorded outputs ignore it.
            frame_index: the frame's index in its source; only recorded outputs need it.

        Raises:
            BadInput: the tensor does not fit; or the recording has no such frame.
            MissingRuntime: the device is gone.
        """

    def stop(self) -> None:
        """Ends the run under way, which then raises; called from another thread. Does nothing where a run is over in milliseconds."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
