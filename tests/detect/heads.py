"""Small specs and seeded heads for the tests of the decoders."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.oracles.scalar_decoders import Way
from trtviewer.models.spec import Family, HeadSpec, InputSpec, ModelSpec
from trtviewer.preprocess import Placement

SIZE = (96, 64)
"""Height and width: not square, so that exchanged axes show."""

CELLS = 12 * 8 + 6 * 4 + 3 * 2

PLACEMENT = Placement((180, 125), SIZE, 0.5, 0.53, -1.25, 3.0)
WAY = Way(0.5, 0.53, -1.25, 3.0)

ANCHORS = {
    8: ((10, 13), (16, 30), (33, 23)),
    16: ((30, 61), (62, 45), (59, 119)),
    32: ((116, 90), (156, 198), (373, 326)),
}


def classes(count: int) -> tuple[str, ...]:
    return tuple(f"class {index}" for index in range(count))


def model(family: Family, count: int, *heads: HeadSpec, size: tuple[int, int] | None = SIZE) -> ModelSpec:
    return ModelSpec(
        Path("model.onnx"), family, classes(count), None if size is None else InputSpec("images", size), heads
    )


def logits(shape: tuple[int, ...], seed: int, spread: float = 3.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(-1, spread, shape).astype(np.float32)


def flat_rows(positions: int, width: int, seed: int, *, undecoded: bool = False) -> np.ndarray:
    """[N, width]: boxes, then probabilities most of which are small."""
    random = np.random.default_rng(seed)
    rows = random.uniform(0, 1, (positions, width)) ** 4
    rows[:, :4] = random.normal(0, 1, (positions, 4)) if undecoded else random.uniform(0, 90, (positions, 4))
    return rows.astype(np.float32)
