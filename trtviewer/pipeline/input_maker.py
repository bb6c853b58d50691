"""Who makes the input tensor that both models read: the host, or the GPU where both models are."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from trtviewer.models.spec import InputSpec
from trtviewer.pipeline.worker import RunnerThread
from trtviewer.preprocess import Placement, Preprocessor
from trtviewer.runners.gpu_input import GpuInput
from trtviewer.runners.runner import InputTensor


class InputMaker(Protocol):
    """Makes tensors in numbered slots; a slot's tensor stays as it is until that slot is used again."""

    def prepare(self, picture: NDArray[np.uint8], slot: int) -> tuple[InputTensor, Placement]: ...

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class HostInput:
    """Tensors in the host's memory; with no spec (recorded outputs read no input) empty ones."""

    def __init__(self, spec: InputSpec | None, slots: int) -> None:
        self._preprocessor = None if spec is None else Preprocessor(spec)
        shape = (1, 3, 0, 0) if self._preprocessor is None else self._preprocessor.shape
        self._tensors = [np.empty(shape, np.float32) for _ in range(slots)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    def prepare(self, picture: NDArray[np.uint8], slot: int) -> tuple[InputTensor, Placement]:
        tensor = self._tensors[slot]
        if self._preprocessor is not None:
            return tensor, self._preprocessor.prepare(picture, tensor).placement
        size = (picture.shape[0], picture.shape[1])
        return tensor, Placement(size, size, 1.0, 1.0, 0.0, 0.0)


def input_maker(
    spec: InputSpec | None, slots: int, reference: RunnerThread, candidate: RunnerThread
) -> InputMaker:
    """The GPU where both runners are on it and read one and the same tensor there, else the host.

    Args:
        spec: how a frame becomes the tensor; None where neither model reads one.
        slots: how many tensors may be in use at once.
        reference, candidate: entered.
    """
    inputs = [side.spec.input for side in (reference, candidate)]
    kinds = {(given.dtype, given.layout) for given in inputs if given is not None}
    same = None not in inputs and kinds in ({("float32", "nchw")}, {("float16", "nchw")})
    if spec is not None and same and reference.info.on_gpu and candidate.info.on_gpu:
        return GpuInput(spec, slots)
    return HostInput(spec, slots)
