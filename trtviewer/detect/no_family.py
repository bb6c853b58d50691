"""Outputs of which only the numbers are known (recordings, `diff`): compared as tensors, with no boxes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from trtviewer.detect.decoded import Decoded
from trtviewer.detect.scale_map import Channel, Grid, ScaleMap
from trtviewer.errors import BadInput
from trtviewer.models.spec import HeadSpec, ModelSpec


def decode(spec: ModelSpec, heads: Mapping[str, NDArray[np.float32]], floor: float) -> list[Decoded]:
    """Raises: BadInput: always; there is nothing to decode by."""
    raise BadInput(
        "has outputs of no known head family, so it has no boxes",
        subject=spec.path,
        advice="give family and classes in its sidecar, or compare the outputs alone with `trtviewer diff`",
    )


def scale_maps(spec: ModelSpec, head: HeadSpec, array: NDArray[np.float32]) -> tuple[ScaleMap, ...]:
    """One map, of the stride that the spec says."""
    values = canonical(spec, head, array)
    planes = values if values.ndim == 3 else values.reshape(len(values), 1, -1)
    return (ScaleMap(head.output, head.output, head.stride, planes, _channels(len(values))),)


def canonical(spec: ModelSpec, head: HeadSpec, array: NDArray[np.float32]) -> NDArray[np.float32]:
    """[C, H, W] of [1, C, H, W] or [1, H, W, C]; [C, N] of [1, C, N] or [1, N, C]; [1, N] of less; of more [C, rest]."""
    cells: NDArray[np.float32] = array[0] if array.ndim > 1 and len(array) == 1 else array
    if cells.ndim < 2:
        return cells.reshape(1, -1)
    first = np.moveaxis(cells, -1, 0) if head.layout in ("nhwc", "npc") else cells
    return first if first.ndim <= 3 else first.reshape(len(first), -1)


def channels(spec: ModelSpec, head: HeadSpec) -> tuple[Channel, ...]:
    """All "other"."""
    shaped = np.broadcast_to(np.float32(0), head.shape)  # a shape with no memory behind it
    return _channels(len(canonical(spec, head, shaped)))


def _channels(count: int) -> tuple[Channel, ...]:
    return tuple(Channel(index, "other", 0, f"channel {index}") for index in range(count))


def grids(spec: ModelSpec, head: HeadSpec, shape: tuple[int, ...]) -> tuple[Grid, ...]:
    """The map's cells, of one anchor."""
    _, *cells = canonical(spec, head, np.broadcast_to(np.float32(0), shape)).shape
    rows, columns = cells if len(cells) == 2 else (1, cells[0])
    return (Grid(head.stride, rows, columns, 1, 0),)


def cell_channels(
    spec: ModelSpec, head: HeadSpec, array: NDArray[np.float32], position: NDArray[np.int32]
) -> NDArray[np.float32]:
    """[M, C]: the channels of cells, counted by rows."""
    values = canonical(spec, head, array)
    return values.reshape(len(values), -1)[:, position].T
