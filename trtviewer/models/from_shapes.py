"""Head family, strides and class count, from the outputs' shapes and whatever else is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from trtviewer.errors import BadInput
from trtviewer.models import raw_maps
from trtviewer.models.ambiguous import AmbiguousModel
from trtviewer.models.model_file import UNKNOWN_DIM, Tensor
from trtviewer.models.sidecar import Sidecar, sidecar_path
from trtviewer.models.sidecar_keys import nearest
from trtviewer.models.spec import Family, HeadSpec, Origin

STRIDES = (8, 16, 32)
"""The strides of the families that hold them all in one output, in its order."""

_OBJECTNESS = {Family.YOLO_FLAT: 5, Family.YOLO_DFL: 4, Family.YOLOX: 5}
"""How many values come before the classes."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What heads are understood from.

    Attributes:
        size: height and width of the input.
        class_count: how many classes the sidecar or the metadata names; None where neither speaks.
        end2end: the metadata says that the network chooses its boxes itself.
        task: the metadata's task.
    """

    path: Path
    outputs: tuple[Tensor, ...]
    size: tuple[int, int]
    sidecar: Sidecar
    class_count: int | None = None
    end2end: bool = False
    task: str = ""

    @property
    def advice(self) -> str:
        return f"say family and [[head]] in {sidecar_path(self.path).name}"

    @property
    def cells(self) -> int:
        """Cells of all three strides together."""
        return sum((self.size[0] // stride) * (self.size[1] // stride) for stride in STRIDES)


@dataclass(frozen=True, slots=True)
class Heads:
    """What was understood; `class_count` is None where shapes say nothing of classes; `origins` by dotted name."""

    family: Family
    heads: tuple[HeadSpec, ...]
    class_count: int | None
    origins: dict[str, Origin] = field(default_factory=dict)


def understand_heads(facts: Facts) -> Heads:
    """Finds the family (sidecar, else metadata, else shapes) and describes each head.

    Raises:
        AmbiguousModel: the shapes allow several readings.
        BadInput: the outputs are none of the families', contradict the sidecar or the class names, or are masks, poses or labels.
    """
    _refuse_other_tasks(facts)
    outputs = _chosen_outputs(facts)
    family, origin = _family(facts, outputs)
    if family is Family.YOLO_ANCHOR:
        found, count = raw_maps.anchor_heads(
            facts.path, outputs, facts.size, facts.sidecar, facts.class_count
        )
    elif family is Family.END2END:
        found, count = [_end2end_head(output) for output in _end2end_outputs(facts, outputs)], None
    else:
        head, count = _flat_head(facts, family, outputs)
        found = [head]
    if count is not None and facts.class_count is not None and count != facts.class_count:
        raise class_contradiction(facts.path, count, facts.class_count)
    origins = {"family": origin}
    for head in found:
        origins |= _head_origins(head, facts.sidecar, family)
    return Heads(family, tuple(found), count, origins)


def class_contradiction(path: Path, heads: int, names: int) -> BadInput:
    """The heads have one number of classes, the names another."""
    return BadInput(
        f"its heads have {heads} classes, but {names} are named",
        subject=path,
        advice=f"give the right class names in {sidecar_path(path).name}",
    )


def _head_origins(head: HeadSpec, sidecar: Sidecar, family: Family) -> dict[str, Origin]:
    said = sidecar.head(head.output)
    default = {
        "layout": Origin.SHAPES,
        "stride": Origin.SHAPES,
        "anchors": Origin.DEFAULT,
        "box": Origin.DEFAULT,
        "scale_xy": Origin.DEFAULT,
        "decoded": Origin.DEFAULT,
    }
    kept = {
        Family.YOLO_ANCHOR: ("layout", "stride", "anchors", "box", "scale_xy"),
        Family.YOLOX: ("layout", "decoded"),
        Family.END2END: (),
    }.get(family, ("layout",))
    origins = {f"head.{head.output}.shape": Origin.MODEL}
    for name in kept:
        spoken = said is not None and getattr(said, name) is not None
        origins[f"head.{head.output}.{name}"] = Origin.SIDECAR if spoken else default[name]
    return origins


def _refuse_other_tasks(facts: Facts) -> None:
    task = facts.task if facts.task in _OTHER_TASKS else ""
    if not task and facts.sidecar.family is None:
        ranks = sorted(len(output.shape) for output in facts.outputs)
        if ranks == [3, 4] and _is_mask_prototype(facts):
            task = "segment"
        elif ranks == [2] and 1 in facts.outputs[0].shape[:1]:
            task = "classify"
    if task:
        raise BadInput(
            f"is a {_OTHER_TASKS[task]} network ({_listed(facts.outputs)}), and only boxes can be compared",
            subject=facts.path,
            advice="export a detector, or compare recorded outputs with trtviewer diff",
        )


_OTHER_TASKS = {
    "segment": "segmentation",
    "semantic": "segmentation",
    "pose": "pose",
    "obb": "rotated-box",
    "classify": "classification",
}


def _is_mask_prototype(facts: Facts) -> bool:
    """YOLO's segmentation networks give masks of a quarter of the input beside the boxes."""
    maps = next(output for output in facts.outputs if len(output.shape) == 4)
    return maps.shape[2:] == (facts.size[0] // 4, facts.size[1] // 4)


def _chosen_outputs(facts: Facts) -> list[Tensor]:
    """The outputs that the sidecar lists, in the model's order; all where it lists none."""
    names = [output.name for output in facts.outputs]
    missing = [head.output for head in facts.sidecar.heads if head.output not in names]
    if missing and names:
        hints = ", ".join(f'"{name}" (nearest: "{nearest(name, names)}")' for name in missing)
        raise BadInput(
            f"has no output {hints}, which the sidecar describes; its outputs are {_listed(facts.outputs)}",
            subject=facts.path,
        )
    if not facts.outputs:
        raise BadInput("has no output", subject=facts.path)
    if not facts.sidecar.heads:
        return list(facts.outputs)
    return [output for output in facts.outputs if facts.sidecar.head(output.name) is not None]


def _family(facts: Facts, outputs: Sequence[Tensor]) -> tuple[Family, Origin]:
    if facts.sidecar.family is not None:
        return facts.sidecar.family, Origin.SIDECAR
    if any(head.anchors is not None for head in facts.sidecar.heads):
        return Family.YOLO_ANCHOR, Origin.SIDECAR
    if facts.end2end and any(output.shape[-1:] == (6,) for output in outputs):
        return Family.END2END, Origin.METADATA
    if _is_efficient_nms(outputs):
        return Family.END2END, Origin.SHAPES
    flat = [output for output in outputs if len(output.shape) == 3]
    maps = [output for output in outputs if raw_maps.readings(output, facts.size)]
    # Some exports give the raw maps beside the decoded boxes; the boxes are what was trained and shown.
    if len(flat) == 1 and len(flat) + len(maps) == len(outputs):
        return _flat_family(facts, flat[0]), Origin.SHAPES
    if maps and len(maps) == len(outputs):
        return Family.YOLO_ANCHOR, Origin.SHAPES
    raise BadInput(
        f"its outputs are none that are known ({_listed(outputs)})", subject=facts.path, advice=facts.advice
    )


def _flat_family(facts: Facts, output: Tensor) -> Family:
    _, rows, columns = output.shape
    cells = facts.cells
    if rows == 3 * cells and columns > 5:
        return Family.YOLO_FLAT
    if columns == cells and rows > 4:
        return Family.YOLO_DFL
    if rows == cells and columns > 4:
        return _one_box_a_cell(facts, output)
    if columns == 6:
        return Family.END2END
    raise BadInput(
        f"its output {output} holds neither one box a cell ({cells}) nor three ({3 * cells}) of the strides 8, 16, 32 "
        f"at {facts.size[0]} x {facts.size[1]}, nor rows of six values",
        subject=facts.path,
        advice=facts.advice,
    )


def _one_box_a_cell(facts: Facts, output: Tensor) -> Family:
    """[1, N, K]: a transposed yolo-dfl or a yolox; only a class count tells them apart."""
    values = output.shape[2]
    known = facts.class_count
    if known is None and values in (84, 85):
        known = 80
    if known is not None:
        fitting = [
            family for family in (Family.YOLOX, Family.YOLO_DFL) if values == _OBJECTNESS[family] + known
        ]
        if not fitting:
            raise BadInput(
                f"its output {output} has {values - 5} classes as yolox or {values - 4} as yolo-dfl, but {known} are named",
                subject=facts.path,
                advice=f"give the right class names in {sidecar_path(facts.path).name}",
            )
        return fitting[0]
    readings = [f"yolo-dfl with {values - 4} classes"]
    if values > 5:
        readings.append(f"yolox with {values - 5} classes")
    if len(readings) == 1:
        return Family.YOLO_DFL
    raise AmbiguousModel(f"its output {output}", tuple(readings), facts.path)


def _flat_head(facts: Facts, family: Family, outputs: Sequence[Tensor]) -> tuple[HeadSpec, int]:
    """The one head of a family that holds all strides in one output, and its class count."""
    flat = [output for output in outputs if len(output.shape) == 3]
    boxes = facts.cells * (3 if family is Family.YOLO_FLAT else 1)
    for output in flat:
        for layout in ("ncp", "npc") if family is Family.YOLO_DFL else ("npc",):
            positions, values = output.shape[1:][::-1] if layout == "ncp" else output.shape[1:]
            if positions in (boxes, UNKNOWN_DIM) and values > _OBJECTNESS[family]:
                said = facts.sidecar.head(output.name)
                if said is not None and said.layout not in (None, layout):
                    continue
                shape = (1, values, boxes) if layout == "ncp" else (1, boxes, values)
                decoded = bool(said is not None and said.decoded)
                head = HeadSpec(output.name, shape, layout, decoded=decoded)
                return head, values - _OBJECTNESS[family]
    wanted = {
        Family.YOLO_FLAT: f"[1, {boxes}, 5 + classes]",
        Family.YOLO_DFL: f"[1, 4 + classes, {boxes}] or its transpose",
        Family.YOLOX: f"[1, {boxes}, 5 + classes]",
    }[family]
    raise BadInput(
        f"is {family} by its sidecar, which at {facts.size[0]} x {facts.size[1]} has an output {wanted}, "
        f"but its outputs are {_listed(outputs)}",
        subject=facts.path,
        advice="mend family, layout or the input's size in the sidecar",
    )


def _is_efficient_nms(outputs: Sequence[Tensor]) -> bool:
    if len(outputs) != 4:
        return False
    boxes = [output.shape for output in outputs if len(output.shape) == 3 and output.shape[2] == 4]
    rest = [output.shape for output in outputs if len(output.shape) in (1, 2)]
    if len(boxes) != 1 or len(rest) != 3:
        return False
    counts = [shape for shape in rest if shape in ((1,), (1, 1), (UNKNOWN_DIM, 1))]
    rows = [shape for shape in rest if shape[-1] == boxes[0][1]]
    return len(counts) >= 1 and len(rows) >= 2


def _end2end_outputs(facts: Facts, outputs: Sequence[Tensor]) -> list[Tensor]:
    if _is_efficient_nms(outputs):
        return list(outputs)
    rows = [output for output in outputs if len(output.shape) == 3 and output.shape[2] == 6]
    if len(rows) == 1:
        return rows
    raise BadInput(
        f"is end2end, but its outputs are neither [1, N, 6] nor the four of EfficientNMS: {_listed(outputs)}",
        subject=facts.path,
        advice=facts.advice,
    )


def _end2end_head(output: Tensor) -> HeadSpec:
    return HeadSpec(output.name, (1, *output.shape[1:]), "")


def _listed(outputs: Sequence[Tensor]) -> str:
    return ", ".join(map(str, outputs))
