"""Raw maps by scale (yolo-anchor): their layout, stride and class count, from shape and sidecar."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from trtviewer.errors import BadInput
from trtviewer.models.ambiguous import AmbiguousModel
from trtviewer.models.anchor_sets import fitting_sets
from trtviewer.models.model_file import UNKNOWN_DIM, Tensor
from trtviewer.models.sidecar import Sidecar, SidecarHead
from trtviewer.models.spec import HeadSpec

MAP_STRIDES = (4, 8, 16, 32, 64, 128)


class Reading(NamedTuple):
    """One way to see an output as a raw map; `anchors` is None where anchors and values share an axis, `channels`."""

    layout: str
    stride: int | None
    anchors: int | None
    channels: int


def readings(output: Tensor, size: tuple[int, int]) -> list[Reading]:
    """Every layout in which the output's cells cover an input of that size."""
    shape = output.shape
    found: list[Reading] = []
    if len(shape) == 4:
        found = [
            Reading("nchw", _stride(size, shape[2], shape[3]), None, shape[1]),
            Reading("nhwc", _stride(size, shape[1], shape[2]), None, shape[3]),
        ]
    if len(shape) == 5:
        found = [
            Reading("nahwc", _stride(size, shape[2], shape[3]), shape[1], shape[1] * shape[4]),
            Reading("nhwac", _stride(size, shape[1], shape[2]), shape[3], shape[3] * shape[4]),
        ]
    return [reading for reading in found if reading.stride != 0 and reading.channels > 5]


def _stride(size: tuple[int, int], rows: int, columns: int) -> int | None:
    """Pixels between cells; None where the map's size is not known; 0 where it is no map of the input."""
    if UNKNOWN_DIM in (rows, columns):
        return None
    strides = [stride for stride in MAP_STRIDES if (rows * stride, columns * stride) == size]
    return strides[0] if strides else 0


def anchor_heads(
    path: Path,
    outputs: Sequence[Tensor],
    size: tuple[int, int],
    sidecar: Sidecar,
    class_count: int | None,
) -> tuple[list[HeadSpec], int]:
    """The heads, in the model's order, and the number of classes that they have.

    Raises:
        AmbiguousModel: no anchors are given; the readings are the networks whose strides fit.
        BadInput: a map does not fit the input, its sidecar or the other maps.
    """
    lacking = [output for output in outputs if not _anchors(sidecar, output)]
    if lacking:
        raise _without_anchors(path, outputs, lacking, size, sidecar)
    heads = []
    counts = {}
    for output in outputs:
        said = sidecar.head(output.name)
        assert said is not None and said.anchors is not None
        head, counts[output.name] = _head(path, output, size, said, said.anchors, class_count)
        heads.append(head)
    if len(set(counts.values())) > 1:
        each = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise BadInput(
            f"its heads have different numbers of classes ({each})",
            subject=path,
            advice="check the anchors in the sidecar",
        )
    return heads, next(iter(counts.values()))


def _anchors(sidecar: Sidecar, output: Tensor) -> tuple[tuple[float, float], ...]:
    said = sidecar.head(output.name)
    return () if said is None or said.anchors is None else said.anchors


def _without_anchors(
    path: Path, outputs: Sequence[Tensor], lacking: Sequence[Tensor], size: tuple[int, int], sidecar: Sidecar
) -> BadInput:
    if len(lacking) < len(outputs):
        return BadInput(
            f"the anchors of {', '.join(output.name for output in lacking)} are not given",
            subject=sidecar.path or path,
            advice="anchors = [[width, height], ...] under its [[head]]",
        )
    strides = {reading.stride for output in outputs for reading in readings(output, size)[:1]}
    fitting = fitting_sets(frozenset(stride for stride in strides if stride))
    names = tuple(f'{item.name} (box = "{item.box}", its anchors)' for item in fitting)
    what = f"gives raw maps ({', '.join(map(str, outputs))}) without their anchors, and"
    return AmbiguousModel(
        what,
        names or ("a yolo-anchor network of unknown anchors", "a network of another family"),
        path,
    )


def _head(
    path: Path,
    output: Tensor,
    size: tuple[int, int],
    said: SidecarHead,
    anchors: tuple[tuple[float, float], ...],
    class_count: int | None,
) -> tuple[HeadSpec, int]:
    fitting = readings(output, size)
    if not fitting:
        raise BadInput(
            f"its output {output} is no map of an input of {size[0]} x {size[1]}",
            subject=path,
            advice="a yolo-anchor head is [1, A*(5+C), H, W] or another layout of it, of one stride",
        )
    if said.layout is not None:
        fitting = [reading for reading in fitting if reading.layout == said.layout]
    if said.stride is not None:
        fitting = [reading for reading in fitting if reading.stride in (said.stride, None)]
    if not fitting:
        raise BadInput(
            f"its output {output} is not {_said(said)} at {size[0]} x {size[1]}, as the sidecar says",
            subject=path,
            advice="mend stride or layout in the sidecar, or leave them out",
        )
    whole = [reading for reading in fitting if _classes(reading, len(anchors)) is not None]
    if not whole:
        raise BadInput(
            f"its output {output} has {fitting[0].channels} channels, which is no multiple of 5 + classes for "
            f"{len(anchors)} anchors",
            subject=path,
            advice="check the anchors in the sidecar",
        )
    agreeing = [reading for reading in whole if _classes(reading, len(anchors)) == class_count]
    chosen = (agreeing or whole)[0]
    classes = _classes(chosen, len(anchors))
    stride = said.stride or chosen.stride
    if classes is None or stride is None:
        raise BadInput(
            f"the size of its output {output} is open", subject=path, advice="say its stride in the sidecar"
        )
    shape = _shape(chosen.layout, len(anchors), classes, size[0] // stride, size[1] // stride)
    head = HeadSpec(
        output.name,
        shape,
        chosen.layout,
        stride,
        anchors,
        said.box or "exp",
        1.0 if said.scale_xy is None else said.scale_xy,
    )
    return head, classes


def _said(said: SidecarHead) -> str:
    layout = f"layout {said.layout}" if said.layout else ""
    stride = f"stride {said.stride}" if said.stride else ""
    return " of ".join(filter(None, (layout, stride)))


def _classes(reading: Reading, anchors: int) -> int | None:
    """How many classes so many anchors leave; None where they do not fit."""
    if reading.anchors not in (None, anchors) or reading.channels % anchors:
        return None
    classes = reading.channels // anchors - 5
    return classes if classes > 0 else None


def _shape(layout: str, anchors: int, classes: int, rows: int, columns: int) -> tuple[int, ...]:
    values = 5 + classes
    return {
        "nchw": (1, anchors * values, rows, columns),
        "nhwc": (1, rows, columns, anchors * values),
        "nahwc": (1, anchors, rows, columns, values),
        "nhwac": (1, rows, columns, anchors, values),
    }[layout]
