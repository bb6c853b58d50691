"""Outputs of any runtime as what the rest of the program reads: float32 arrays that nobody can change."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray


def as_heads(outputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[np.float32]]:
    """Outputs as read-only float32; those that are float32 already are not copied: the caller gives them away."""
    heads: dict[str, NDArray[np.float32]] = {}
    for name, output in outputs.items():
        head = np.asarray(output, np.float32)
        head.setflags(write=False)
        heads[name] = head
    return MappingProxyType(heads)
