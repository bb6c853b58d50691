"""Family name to decoder: one table; from heads to candidate boxes, and to maps by scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trtviewer.detect import end2end, no_family, yolo_anchor, yolo_dfl, yolo_flat, yolox
from trtviewer.detect.boxes import SCORE_FLOOR, CandidateBoxes
from trtviewer.detect.decoded import Decoded, candidate_boxes
from trtviewer.detect.scale_map import GROUPS, Cell, Channel, Grid, Group, ScaleMap, cell_in
from trtviewer.errors import BadInput
from trtviewer.models.spec import Family, HeadSpec, ModelSpec
from trtviewer.preprocess import Placement

__all__ = [
    "GROUPS",
    "Cell",
    "Channel",
    "Group",
    "ScaleMap",
    "canonical",
    "cell_box",
    "cell_channels",
    "cell_of",
    "channels_of",
    "decode",
    "scale_maps",
]


class Decoder(Protocol):
    """What a family's module has. All arrays are one head as the runner gives it: float32, with batch, the model's layout."""

    def decode(
        self, spec: ModelSpec, heads: Mapping[str, NDArray[np.float32]], floor: float, /
    ) -> list[Decoded]: ...
    def scale_maps(
        self, spec: ModelSpec, head: HeadSpec, array: NDArray[np.float32], /
    ) -> tuple[ScaleMap, ...]: ...
    def canonical(
        self, spec: ModelSpec, head: HeadSpec, array: NDArray[np.float32], /
    ) -> NDArray[np.float32]: ...
    def channels(self, spec: ModelSpec, head: HeadSpec, /) -> tuple[Channel, ...]: ...
    def grids(self, spec: ModelSpec, head: HeadSpec, shape: tuple[int, ...], /) -> tuple[Grid, ...]: ...
    def cell_channels(
        self, spec: ModelSpec, head: HeadSpec, array: NDArray[np.float32], position: NDArray[np.int32], /
    ) -> NDArray[np.float32]: ...


FAMILIES: Mapping[Family, Decoder] = {
    Family.YOLO_ANCHOR: yolo_anchor,
    Family.YOLO_FLAT: yolo_flat,
    Family.YOLO_DFL: yolo_dfl,
    Family.YOLOX: yolox,
    Family.END2END: end2end,
    Family.NONE: no_family,
}


def decode(
    spec: ModelSpec,
    heads: Mapping[str, NDArray[np.float32]],
    placement: Placement,
    floor: float = SCORE_FLOOR,
) -> CandidateBoxes:
    """The boxes of one run whose score is above the floor, before NMS, in pixels of the source frame.

    Args:
        spec: the model.
        heads: its outputs, by name, float32 with batch 1, in the model's own layout.
        placement: where the frame lies in the model's input.
        floor: boxes of this score or less are left out.

    Returns: by falling score. Boxes with a logit, a score or a coordinate that is not finite are not among them.

    Raises:
        BadInput: an output is missing, has another shape than the spec says, or the model has no head family.
    """
    _all_there(spec, heads)
    # What overflows or is not a number is no warning: it is dropped at the end, and the tensor errors tell of it.
    with np.errstate(over="ignore", invalid="ignore"):
        parts = FAMILIES[spec.family].decode(spec, heads, floor)
        return candidate_boxes(parts, placement, floor, final=spec.family is Family.END2END)


def scale_maps(spec: ModelSpec, heads: Mapping[str, NDArray[np.float32]]) -> tuple[ScaleMap, ...]:
    """Every head at every stride, channels first, in the order of the model's heads: for heatmaps and for statistics.

    One map of no stride and H = 1 where a head has no grid: end2end, and flat heads whose positions fit no strides.
    Raises: BadInput: as `decode`.
    """
    _all_there(spec, heads)
    module = FAMILIES[spec.family]
    return tuple(found for head in spec.heads for found in module.scale_maps(spec, head, heads[head.output]))


def canonical(spec: ModelSpec, output: str, array: NDArray[np.float32]) -> NDArray[np.float32]:
    """One head with its batch gone and its channels first, so that models of different layouts compare element by element.

    Returns: yolo-anchor [A*(5+C), H, W]; the flat families [4+C or 5+C, N]; end2end [values of a row, N]; no family
        [C, H, W] or [C, rest]. A view, but of yolo-anchor's "nahwc". `channels_of` names the first axis.

    Raises: ShapeMismatch: the array is not as the spec says; KeyError: no such output.
    """
    return FAMILIES[spec.family].canonical(spec, spec.head(output), array)


def channels_of(spec: ModelSpec, output: str) -> tuple[Channel, ...]:
    """The channels of `canonical`'s first axis. Raises: KeyError: no such output."""
    return FAMILIES[spec.family].channels(spec, spec.head(output))


def cell_of(spec: ModelSpec, head: int, position: int) -> Cell:
    """Where a box was made.

    Args:
        head, position: as in `CandidateBoxes`.

    Returns: index into `scale_maps`' result, anchor, row, column. For end2end the row of the output is the column.

    Raises: IndexError: the head has no such position.
    """
    module = FAMILIES[spec.family]
    before = sum(len(module.grids(spec, other, other.shape)) for other in spec.heads[:head])
    found = cell_in(module.grids(spec, spec.heads[head], spec.heads[head].shape), position)
    return found._replace(scale_map=before + found.scale_map)


def cell_channels(
    spec: ModelSpec,
    heads: Mapping[str, NDArray[np.float32]],
    head: int,
    position: NDArray[np.int32],
) -> NDArray[np.float32]:
    """What the network said of some boxes: [M, 5+C] (or [M, 4+C], [M, 6]), the channels of each one's anchor and cell.

    Args:
        heads: the model's outputs.
        head, position [M]: as in `CandidateBoxes`; the same values read another model's head at the same places.
    """
    found = spec.heads[head]
    return FAMILIES[spec.family].cell_channels(spec, found, heads[found.output], position)


def cell_box(stride: int, row: int, column: int) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a cell in pixels of the model's input; its middle is where the cell looks."""
    return (
        float(column * stride),
        float(row * stride),
        float((column + 1) * stride),
        float((row + 1) * stride),
    )


def _all_there(spec: ModelSpec, heads: Mapping[str, NDArray[np.float32]]) -> None:
    missing = [head.output for head in spec.heads if head.output not in heads]
    if missing:
        raise BadInput(
            f"gave no output {', '.join(missing)}; it gave {', '.join(heads) or 'none'}", subject=spec.path
        )
