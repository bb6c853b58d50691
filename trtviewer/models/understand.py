"""From a model's tensors, its metadata and its sidecar to the whole `ModelSpec`: the same for every kind of file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType

from trtviewer.models.coco import COCO_NAMES
from trtviewer.models.from_shapes import Facts, understand_heads
from trtviewer.models.input_facts import InputFacts, find_input, input_spec
from trtviewer.models.model_file import Metadata, ModelFile, Tensor
from trtviewer.models.sidecar import Sidecar
from trtviewer.models.spec import ModelSpec, Origin, Precision


def understand(file: ModelFile, sidecar: Sidecar) -> ModelSpec:
    """Everything about a model whose tensors are known.

    Raises:
        AmbiguousModel: its shapes allow several readings.
        BadInput: it takes no picture, its outputs are of no family, or what is said of it contradicts it.
    """
    given = find_input(file.path, file.inputs, file.metadata, sidecar)
    return with_input(file.path, given, file.outputs, file.metadata, file.precision, sidecar)


def with_input(
    path: Path,
    given: InputFacts,
    outputs: Sequence[Tensor],
    metadata: Metadata,
    precision: Precision,
    sidecar: Sidecar,
) -> ModelSpec:
    """As `understand`, with the input found already."""
    names = sidecar.classes or metadata.names
    facts = Facts(
        path=path,
        outputs=tuple(outputs),
        size=given.size,
        sidecar=sidecar,
        class_count=None if names is None else len(names),
        end2end=metadata.end2end,
        task=metadata.task,
    )
    heads = understand_heads(facts)
    picture, input_origins = input_spec(given, heads.family, sidecar)
    classes_origin = Origin.SIDECAR if sidecar.classes else Origin.METADATA if names else Origin.DEFAULT
    precision_origin = Origin.MODEL
    if precision is Precision.UNKNOWN and metadata.precision is not Precision.UNKNOWN:
        precision, precision_origin = metadata.precision, Origin.METADATA
    origins = {"classes": classes_origin, "precision": precision_origin, **heads.origins}
    origins |= {f"input.{name}": origin for name, origin in input_origins.items()}
    return ModelSpec(
        path=path,
        family=heads.family,
        classes=names or default_names(heads.class_count),
        input=picture,
        heads=heads.heads,
        precision=precision,
        origins=MappingProxyType(origins),
    )


def default_names(count: int | None) -> tuple[str, ...]:
    """COCO's for 80 classes, and where shapes do not tell how many there are (end2end); numbers for any other count."""
    if count in (None, len(COCO_NAMES)):
        return COCO_NAMES
    return tuple(f"class {index}" for index in range(count or 0))
