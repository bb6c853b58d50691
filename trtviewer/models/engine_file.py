"""What a TensorRT engine's file says before any runtime reads its plan: Ultralytics' header, and what the sidecar adds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trtviewer.errors import BadInput
from trtviewer.models.coco import COCO_NAMES
from trtviewer.models.from_shapes import STRIDES
from trtviewer.models.model_file import UNKNOWN_DIM, Metadata, ModelFile, Tensor, parse_metadata
from trtviewer.models.sidecar import Sidecar, SidecarHead, sidecar_path
from trtviewer.models.spec import Family, ModelSpec, Precision
from trtviewer.models.understand import understand

ENGINE_SUFFIXES = (".engine", ".plan", ".trt")
_LONGEST_METADATA = 1 << 20


@dataclass(frozen=True, slots=True)
class EngineFile:
    """An engine's file.

    Attributes:
        metadata: Ultralytics' JSON; empty where the file is a plan alone.
        plan_offset: where the plan starts, in bytes.
    """

    path: Path
    metadata: dict[str, Any]
    plan_offset: int

    def plan(self) -> bytes:
        """The plan, for a runtime. Raises: BadInput: it cannot be read."""
        try:
            with self.path.open("rb") as stream:
                stream.seek(self.plan_offset)
                return stream.read()
        except OSError as error:
            raise BadInput(f"cannot be read: {error.strerror or error}", subject=self.path) from error


def read_engine(path: Path) -> EngineFile:
    """Reads the header: 4 bytes of length, little-endian, and that much JSON; a file without it is a plan from its first byte.

    Raises: BadInput: it is not there, is empty, or ends within its metadata.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(4), "little", signed=True)
            text = stream.read(length) if 0 < length <= _LONGEST_METADATA else b""
    except FileNotFoundError as error:
        raise BadInput("does not exist", subject=path) from error
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror or error}", subject=path) from error
    if not size:
        raise BadInput("is empty", subject=path)
    if text.lstrip()[:1] != b"{":
        return EngineFile(path, {}, 0)
    if len(text) < length or size == 4 + length:
        raise BadInput("is cut short: it ends before its plan", subject=path, advice="copy or build it again")
    try:
        metadata = json.loads(text)
    except (UnicodeDecodeError, json.JSONDecodeError):
        # A plan may begin with any bytes; only a whole JSON object is a header.
        return EngineFile(path, {}, 0)
    return EngineFile(path, metadata, 4 + length)


def load_engine(path: Path, sidecar: Sidecar) -> ModelSpec:
    """The spec of an engine as far as it is known without a runtime: tensors are as sidecar and metadata say.

    Whoever opens the engine (`TrtRunner`) holds its own tensors against these, and refuses what does not fit.

    Raises: BadInput: neither sidecar nor metadata say enough.
    """
    return described_engine(path, sidecar, parse_metadata(read_engine(path).metadata))


def described_engine(path: Path, sidecar: Sidecar, metadata: Metadata) -> ModelSpec:
    """As `load_engine`, with its header's metadata given: the file itself need not be there."""
    size = sidecar.input.size or metadata.size
    family = sidecar.family
    if family is None and any(head.anchors for head in sidecar.heads):
        family = Family.YOLO_ANCHOR
    if family is None and metadata.size is not None:
        family = Family.END2END if metadata.end2end else Family.YOLO_DFL
    if size is None or family is None:
        raise BadInput(
            "an engine does not say what it detects",
            subject=path,
            advice=f"write {sidecar_path(path).name} beside it, with family, classes, [input] size and [[head]], "
            "or build it with trtviewer build, which writes it",
        )
    if family is Family.YOLO_ANCHOR and not sidecar.heads:
        raise BadInput(
            "its heads are not described", subject=sidecar.path or path, advice="add [[head]] tables"
        )
    classes = len(sidecar.classes or metadata.names or COCO_NAMES)
    outputs = _expected_outputs(family, size, classes, sidecar.heads)
    layout = sidecar.input.layout or "nchw"
    shape = (1, 3, *size) if layout == "nchw" else (1, *size, 3)
    file = ModelFile(path, (Tensor("images", shape),), tuple(outputs), metadata, Precision.UNKNOWN)
    return understand(file, sidecar)


def _expected_outputs(
    family: Family, size: tuple[int, int], classes: int, heads: Sequence[SidecarHead]
) -> list[Tensor]:
    """The outputs that a network of that family has, under the names that the sidecar gives."""
    cells = sum((size[0] // stride) * (size[1] // stride) for stride in STRIDES)
    names = [head.output for head in heads] or ["output0"]
    if family is Family.YOLO_ANCHOR:
        return [_expected_map(head, size, classes) for head in heads]
    if family is Family.END2END and len(names) == 4:
        shapes: list[tuple[int, ...]] = [(1, 1), (1, UNKNOWN_DIM, 4), (1, UNKNOWN_DIM), (1, UNKNOWN_DIM)]
        return [Tensor(name, shape) for name, shape in zip(names, shapes, strict=True)]
    transposed = bool(heads) and heads[0].layout == "npc"
    shape = {
        Family.END2END: (1, UNKNOWN_DIM, 6),
        Family.YOLO_FLAT: (1, 3 * cells, 5 + classes),
        Family.YOLOX: (1, cells, 5 + classes),
        Family.YOLO_DFL: (1, cells, 4 + classes) if transposed else (1, 4 + classes, cells),
    }[family]
    return [Tensor(names[0], shape)]


def _expected_map(head: SidecarHead, size: tuple[int, int], classes: int) -> Tensor:
    anchors, values = len(head.anchors or ()) or 3, 5 + classes
    rows, columns = (side // head.stride if head.stride else UNKNOWN_DIM for side in size)
    shape: dict[str, tuple[int, ...]] = {
        "nchw": (1, anchors * values, rows, columns),
        "nhwc": (1, rows, columns, anchors * values),
        "nahwc": (1, anchors, rows, columns, values),
        "nhwac": (1, rows, columns, anchors, values),
    }
    return Tensor(head.output, shape.get(head.layout or "nchw", shape["nchw"]))
