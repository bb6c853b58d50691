"""Two tiny models that correspond, and a source whose frames say which they are."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Self

import numpy as np
import pytest

from tests.model_zoo import quantized_twin, tiny_yolo_anchor
from trtviewer.errors import BadInput
from trtviewer.models.load import load_spec
from trtviewer.models.spec import ModelSpec
from trtviewer.pipeline.pair import Pair, open_pair
from trtviewer.sources.frame import Frame
from trtviewer.sources.source import Truth


class Numbers:
    """Frames of noise, each a function of its index alone, which stands in the first pixel; some may be damaged."""

    def __init__(self, length: int | None = 40, damaged: tuple[int, ...] = ()) -> None:
        self.length = length
        self.damaged = damaged
        self.reads: list[int] = []
        self.address, self.rate, self.size = "numbers", 100.0, (48, 64)
        self.class_names: tuple[str, ...] = ()

    def read(self, index: int) -> Frame:
        self.reads.append(index)
        if index in self.damaged:
            raise BadInput(f"frame {index} is damaged", subject=self.address)
        picture = np.random.default_rng(index).integers(0, 256, (48, 64, 3), np.uint8)
        picture[0, 0] = index % 256, index // 256, 0
        return Frame(picture, index, self.time_s(index))

    def time_s(self, index: int) -> float:
        return index / self.rate

    def truth(self, index: int) -> Truth | None:
        return None

    def close(self) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@pytest.fixture(scope="session")
def specs(tmp_path_factory: pytest.TempPathFactory) -> tuple[ModelSpec, ModelSpec]:
    folder = tmp_path_factory.mktemp("pair")
    reference = tiny_yolo_anchor(folder / "tiny.onnx", seed=1)
    candidate = quantized_twin(reference, folder / "tiny_int8.onnx")
    return load_spec(reference), load_spec(candidate)


@pytest.fixture
def pair(specs: tuple[ModelSpec, ModelSpec]) -> Iterator[Pair]:
    with open_pair(*specs) as opened:
        yield opened


def number_of(picture: np.ndarray) -> int:
    """The index that a frame of `Numbers` carries in its pixels."""
    return int(picture[0, 0, 0]) + 256 * int(picture[0, 0, 1])
