"""Raw anchor maps, one head a stride: YOLOv3 and v4 (box "exp"), YOLOv5 and v7 (box "square")."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from trtviewer.detect.boxes import NO_STRIDE
from trtviewer.detect.decoded import Decoded, centred, floor_logit, sigmoid
from trtviewer.detect.scale_map import (
    Channel,
    Grid,
    ScaleMap,
    box_channels,
    only_batch,
    wrong_width,
)
from trtviewer.errors import BadInput
from trtviewer.models.spec import HeadSpec, ModelSpec

AXES = {"nchw": 4, "nhwc": 4, "nhwac": 5, "nahwc": 5}
"""The layouts, and how many axes each has."""


def decode(spec: ModelSpec, heads: Mapping[str, NDArray[np.float32]], floor: float) -> list[Decoded]:
    """Boxes whose objectness x best class may be above the floor. Source: darknet's yolo_layer.c, YOLOv5's Detect."""
    return [_decode_head(spec, index, heads[head.output], floor) for index, head in enumerate(spec.heads)]


def _decode_head(spec: ModelSpec, index: int, array: NDArray[np.float32], floor: float) -> Decoded:
    head = spec.heads[index]
    planes = _planes(spec, head, array)
    _, _, rows, columns = planes.shape
    # The score is never above the objectness, so most cells are done with after one comparison.
    anchor, row, column = np.nonzero(planes[:, 4] > floor_logit(floor))
    vectors = planes[anchor, :, row, column]
    class_id = vectors[:, 5:].argmax(axis=1)
    best = np.take_along_axis(vectors[:, 5:], class_id[:, None], axis=1)[:, 0]
    score = sigmoid(vectors[:, 4]) * sigmoid(best)
    # A sigmoid makes a score even of an infinite logit; such a box is dropped all the same.
    finite = np.isfinite(vectors[:, :5]).all(axis=1) & np.isfinite(best)

    kept = np.flatnonzero(finite & (score > floor * (1 - 1e-6)))
    anchor, row, column, vectors = anchor[kept], row[kept], column[kept], vectors[kept]
    stride = _stride(spec, head, rows)
    xy, wh = _centre_and_size(head, vectors, np.array(head.anchors, np.float64)[anchor])
    return Decoded(
        xyxy=centred((xy + np.stack((column, row), axis=1)) * stride, wh),
        score=score[kept],
        class_id=class_id[kept].astype(np.int32),
        stride=np.full(len(kept), stride, np.int32),
        position=((anchor * rows + row) * columns + column).astype(np.int32),
        head=index,
    )


def _centre_and_size(
    head: HeadSpec, vectors: NDArray[np.float32], anchors: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """[N, 2] the centre within its cell, in cells, and [N, 2] the size, in input pixels."""
    inner = sigmoid(vectors[:, :2])
    if head.box == "square":
        return 2 * inner - 0.5, (2 * sigmoid(vectors[:, 2:4])) ** 2 * anchors
    size = np.exp(vectors[:, 2:4].astype(np.float64)) * anchors
    return head.scale_xy * inner - (head.scale_xy - 1) / 2, size


def scale_maps(spec: ModelSpec, head: HeadSpec, array: NDArray[np.float32]) -> tuple[ScaleMap, ...]:
    """One map: the head is one stride."""
    values = canonical(spec, head, array)
    return (
        ScaleMap(
            head.output, head.output, _stride(spec, head, values.shape[1]), values, channels(spec, head)
        ),
    )


def canonical(spec: ModelSpec, head: HeadSpec, array: NDArray[np.float32]) -> NDArray[np.float32]:
    """[A*(5+C), H, W]; a copy only of layout "nahwc"."""
    planes = _planes(spec, head, array)
    return planes.reshape(-1, *planes.shape[2:])


def channels(spec: ModelSpec, head: HeadSpec) -> tuple[Channel, ...]:
    """By anchor: x, y, width, height, objectness, the classes."""
    return box_channels(spec.classes, objectness=True, anchors=len(head.anchors))


def grids(spec: ModelSpec, head: HeadSpec, shape: tuple[int, ...]) -> tuple[Grid, ...]:
    """The head's one grid."""
    rows, columns = {
        "nchw": shape[-2:],
        "nhwc": shape[1:3],
        "nhwac": shape[1:3],
        "nahwc": shape[2:4],
    }[head.layout]
    return (Grid(_stride(spec, head, rows), rows, columns, len(head.anchors), 0),)


def cell_channels(
    spec: ModelSpec, head: HeadSpec, array: NDArray[np.float32], position: NDArray[np.int32]
) -> NDArray[np.float32]:
    """[M, 5+C]: what the head holds for the anchors and cells of these positions."""
    planes = _planes(spec, head, array)
    anchor, row, column = np.unravel_index(position, (planes.shape[0], *planes.shape[2:]))
    vectors: NDArray[np.float32] = planes[anchor, :, row, column]
    return vectors


def _planes(spec: ModelSpec, head: HeadSpec, array: NDArray[np.float32]) -> NDArray[np.float32]:
    """[A, 5+C, H, W], a view in every layout."""
    if not head.anchors:
        raise BadInput(
            f"output {head.output} has no anchors", subject=spec.path, advice="give them in the sidecar"
        )
    if head.layout not in AXES:
        raise BadInput(
            f"output {head.output} has layout {head.layout!r}, which is none of {', '.join(AXES)}",
            subject=spec.path,
        )
    cells = only_batch(spec, head, array, AXES[head.layout])
    anchors, width = len(head.anchors), 5 + len(spec.classes)
    found = {
        "nchw": cells.shape[:1],
        "nhwc": cells.shape[-1:],
        "nhwac": cells.shape[-2:],
        "nahwc": (cells.shape[0], cells.shape[-1]),
    }[head.layout]
    if found not in ((anchors * width,), (anchors, width)):
        raise wrong_width(
            spec,
            head,
            int(np.prod(found)),
            f"{anchors} anchors x (5 + {len(spec.classes)}) = {anchors * width}",
        )
    if head.layout == "nchw":
        return cells.reshape(anchors, width, *cells.shape[1:])
    if head.layout == "nahwc":
        return cells.transpose(0, 3, 1, 2)
    return cells.reshape(*cells.shape[:2], anchors, width).transpose(2, 3, 0, 1)


def _stride(spec: ModelSpec, head: HeadSpec, rows: int) -> int:
    """The head's stride; from the input's height where the head does not say."""
    if head.stride is not None:
        return head.stride
    if spec.input is None:
        raise BadInput(
            f"output {head.output} has no stride", subject=spec.path, advice="give it in the sidecar"
        )
    return max(1, spec.input.size[0] // rows) if rows else NO_STRIDE
