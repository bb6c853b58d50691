"""YOLOv8 to v12, decoded in the network: [1, 4+C, N] or its transpose, centre and size in input pixels, class probabilities."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from trtviewer.detect.boxes import NO_STRIDE
from trtviewer.detect.decoded import Decoded, centred
from trtviewer.detect.flat import FlatHeads
from trtviewer.detect.scale_map import strides_of
from trtviewer.models.spec import ModelSpec

_FLAT = FlatHeads(objectness=False)


def decode(spec: ModelSpec, heads: Mapping[str, NDArray[np.float32]], floor: float) -> list[Decoded]:
    """Boxes whose best class is above the floor."""
    return [_decode_head(spec, index, heads[head.output], floor) for index, head in enumerate(spec.heads)]


def _decode_head(spec: ModelSpec, index: int, array: NDArray[np.float32], floor: float) -> Decoded:
    rows = _FLAT.rows(spec, spec.heads[index], array)
    classes = rows[:, 4 : 4 + len(spec.classes)]
    # One pass over everything finds the few positions that matter; NaN is above nothing.
    best = classes.max(axis=1)
    position = (best > floor).nonzero()[0]
    box = rows[position, :4].astype(np.float64)
    return Decoded(
        xyxy=centred(box[:, :2], box[:, 2:]),
        score=best[position].astype(np.float64),
        class_id=classes[position].argmax(axis=1).astype(np.int32),
        stride=strides_of(_FLAT.grids_of(spec, len(rows)), position, NO_STRIDE),
        position=position.astype(np.int32),
        head=index,
    )


scale_maps, canonical, channels = _FLAT.scale_maps, _FLAT.canonical, _FLAT.channels
grids, cell_channels = _FLAT.grids, _FLAT.cell_channels
