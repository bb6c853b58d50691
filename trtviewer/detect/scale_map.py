"""What a head holds: its channels by name and group, and its cells as one map a stride."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trtviewer.errors import ShapeMismatch
from trtviewer.models.spec import HeadSpec, ModelSpec

Group = Literal["box", "objectness", "class", "other"]

GROUPS: tuple[Group, ...] = ("box", "objectness", "class", "other")
"""Every group of channels, in the order in which they are shown."""

STRIDES = ((8, 16, 32), (16, 32), (8, 16, 32, 64), (4, 8, 16, 32))
"""The strides that a flat head may hold, the usual ones first: their cells, added up, tell which."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel of a head.

    Attributes:
        index: its place on the first axis of `ScaleMap.values`.
        group: what it says something of.
        anchor: the anchor that it belongs to, from 0.
        name: "x", "y", "width", "height", "objectness", or the class' name.
    """

    index: int
    group: Group
    anchor: int
    name: str


@dataclass(frozen=True, eq=False, slots=True)
class ScaleMap:
    """One head at one stride, with channels first, whatever the model's layout is.

    Attributes:
        name: "conv36"; "output0/8" where the head holds several strides.
        output: the head's output.
        stride: pixels between cells; None where there is no grid.
        values: [channels, H, W] float32, read-only, a view of the head where that can be; H = 1 where there is no grid.
        channels: one for each of the first axis.
    """

    name: str
    output: str
    stride: int | None
    values: NDArray[np.float32]
    channels: tuple[Channel, ...]

    def __post_init__(self) -> None:
        view = self.values.view()
        view.setflags(write=False)
        object.__setattr__(self, "values", view)
        if view.ndim != 3 or len(view) != len(self.channels):
            raise ValueError(f"{self.name}: {len(self.channels)} channels named, values are {view.shape}")


class Cell(NamedTuple):
    """Where a box was made: the place in `scale_maps`, the anchor, and the cell of that map."""

    scale_map: int
    anchor: int
    row: int
    column: int


@dataclass(frozen=True, slots=True)
class Grid:
    """One stride of a head: its cells, and which positions of the head they are.

    Attributes:
        stride: pixels between cells; None where the positions are in no grid.
        rows, columns, anchors: position start + (anchor * rows + row) * columns + column.
        start, stop: the positions.
    """

    stride: int | None
    rows: int
    columns: int
    anchors: int
    start: int

    @property
    def stop(self) -> int:
        return self.start + self.anchors * self.rows * self.columns


@lru_cache(maxsize=64)
def flat_grids(positions: int, input_size: tuple[int, int] | None, anchors: int) -> tuple[Grid, ...]:
    """The strides of a head that has all of them in one row of positions, finest first.

    Args:
        positions: N.
        input_size: height and width of the model's input; None where that is not known.
        anchors: boxes a cell.

    Returns: one grid a stride; one with stride None where no strides give that many cells.
    """
    for strides in STRIDES if input_size is not None else ():
        assert input_size is not None
        grids: list[Grid] = []
        start = 0
        for stride in strides:
            grids.append(Grid(stride, input_size[0] // stride, input_size[1] // stride, anchors, start))
            start = grids[-1].stop
        if start == positions:
            return tuple(grids)
    return (Grid(None, 1, positions, 1, 0),)


def strides_of(grids: tuple[Grid, ...], position: NDArray[np.integer[Any]], absent: int) -> NDArray[np.int32]:
    """[N] the stride of each position; `absent` where it is in no grid."""
    starts, strides = _starts_and_strides(grids, absent)
    return strides[starts.searchsorted(position, "right") - 1]


@lru_cache(maxsize=64)
def _starts_and_strides(grids: tuple[Grid, ...], absent: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    strides = [absent if grid.stride is None else grid.stride for grid in grids]
    return np.array([grid.start for grid in grids], np.int64), np.array(strides, np.int32)


def cell_in(grids: tuple[Grid, ...], position: int) -> Cell:
    """Which grid a position is in, and where. Raises: IndexError: it is in none."""
    for index, grid in enumerate(grids):
        if grid.start <= position < grid.stop:
            anchor, place = divmod(position - grid.start, grid.rows * grid.columns)
            return Cell(index, anchor, *divmod(place, grid.columns))
    raise IndexError(f"position {position} is beyond the head's last, {grids[-1].stop - 1}")


BOX_NAMES = ("x", "y", "width", "height")


@lru_cache(maxsize=64)
def box_channels(
    classes: tuple[str, ...], *, objectness: bool, anchors: int = 1, width: int | None = None
) -> tuple[Channel, ...]:
    """The channels of a head of boxes: for each anchor the box, the objectness where there is one, the classes.

    Args:
        classes: their names.
        objectness: whether there is one.
        anchors: how often all of that is there.
        width: channels an anchor; those past the classes (masks, key points) are "other".
    """
    names: list[tuple[Group, str]] = [("box", name) for name in BOX_NAMES]
    names += [("objectness", "objectness")] if objectness else []
    names += [("class", name) for name in classes]
    names += [("other", f"other {index}") for index in range((width or len(names)) - len(names))]
    return tuple(
        Channel(anchor * len(names) + index, group, anchor, name)
        for anchor in range(anchors)
        for index, (group, name) in enumerate(names)
    )


def only_batch(spec: ModelSpec, head: HeadSpec, array: NDArray[np.float32], axes: int) -> NDArray[np.float32]:
    """The head less its batch axis. Raises: ShapeMismatch: it has not `axes` axes, the first of them 1."""
    if array.ndim != axes or array.shape[0] != 1:
        raise ShapeMismatch(
            f"output {head.output} is {list(array.shape)}, but a {spec.family} head in layout "
            f"{head.layout or 'of its own'} has {axes} axes and a batch of 1",
            subject=spec.path,
        )
    batch: NDArray[np.float32] = array[0]
    return batch


def wrong_width(spec: ModelSpec, head: HeadSpec, width: int, expected: str) -> ShapeMismatch:
    """The error for a head whose channels do not fit the class count."""
    return ShapeMismatch(
        f"output {head.output} has {width} channels, but {len(spec.classes)} classes need {expected}",
        subject=spec.path,
        advice="check the class names and the anchors",
    )
