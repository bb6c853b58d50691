"""Which input of a model takes the picture, in which layout, and of which size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from trtviewer.errors import BadInput
from trtviewer.models.model_file import UNKNOWN_DIM, Metadata, Tensor
from trtviewer.models.sidecar import Sidecar, sidecar_path
from trtviewer.models.spec import Family, InputSpec, Origin, Resize

_DTYPES = ("float32", "float16", "uint8")
_PICTURE = ("colour", "pixel_scale", "mean", "std", "resize", "pad")


@dataclass(frozen=True, slots=True)
class InputFacts:
    """The one input, with everything fixed; `origins` by the names of `InputSpec`'s fields."""

    name: str
    size: tuple[int, int]
    dtype: str
    layout: str
    origins: dict[str, Origin] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """The shape that the model is given."""
        return (1, 3, *self.size) if self.layout == "nchw" else (1, *self.size, 3)


def find_input(path: Path, inputs: Sequence[Tensor], metadata: Metadata, sidecar: Sidecar) -> InputFacts:
    """The model's input, its free dimensions fixed: batch to 1, height and width by the sidecar, else by the metadata.

    Raises: BadInput: there is none or several, it is no picture, its batch is fixed to more than 1, or its size stays unknown.
    """
    if not inputs:
        raise BadInput("has no input", subject=path)
    if len(inputs) > 1:
        raise BadInput(
            f"has {len(inputs)} inputs ({', '.join(map(str, inputs))}), and only a picture can be given",
            subject=path,
            advice="export it with the picture as its only input",
        )
    given = inputs[0]
    layout, layout_origin = _layout(path, given, sidecar)
    if given.dtype not in _DTYPES:
        raise BadInput(
            f"its input {given} is {given.dtype}; pictures are given as {', '.join(_DTYPES)}", subject=path
        )
    if given.shape[0] not in (1, UNKNOWN_DIM):
        raise BadInput(
            f"its input {given} takes a batch of {given.shape[0]}, and frames are given one at a time",
            subject=path,
            advice="export it with batch 1 or a dynamic batch",
        )
    size, size_origin = _size(path, given, layout, metadata, sidecar)
    origins = {
        "name": Origin.MODEL,
        "dtype": Origin.MODEL,
        "layout": layout_origin,
        "size": size_origin,
    }
    return InputFacts(given.name, size, given.dtype, layout, origins)


def _layout(path: Path, given: Tensor, sidecar: Sidecar) -> tuple[str, Origin]:
    fitting = []
    if len(given.shape) == 4:
        fitting = [
            layout for layout, axis in (("nchw", 1), ("nhwc", 3)) if given.shape[axis] in (3, UNKNOWN_DIM)
        ]
        # A length that is said is more than one that is open.
        said = [layout for layout in fitting if given.shape[1 if layout == "nchw" else 3] == 3]
        fitting = said or fitting
    if not fitting:
        raise BadInput(
            f"its input {given} is not a picture, [1, 3, height, width] or [1, height, width, 3]",
            subject=path,
        )
    if sidecar.input.layout is None:
        return fitting[0], Origin.SHAPES
    if sidecar.input.layout not in fitting:
        raise BadInput(
            f"its input {given} is not {sidecar.input.layout}, as the sidecar says",
            subject=path,
            advice=f'input.layout = "{fitting[0]}", or leave it out',
        )
    return sidecar.input.layout, Origin.SIDECAR


def _size(
    path: Path, given: Tensor, layout: str, metadata: Metadata, sidecar: Sidecar
) -> tuple[tuple[int, int], Origin]:
    declared = given.shape[2:4] if layout == "nchw" else given.shape[1:3]
    for said, origin in ((sidecar.input.size, Origin.SIDECAR), (metadata.size, Origin.METADATA)):
        if said is None:
            continue
        if all(own in (UNKNOWN_DIM, other) for own, other in zip(declared, said, strict=True)):
            return said, Origin.MODEL if UNKNOWN_DIM not in declared else origin
        if origin is Origin.SIDECAR:
            raise BadInput(
                f"its input {given} is fixed, and cannot be {said[0]} x {said[1]}, as the sidecar says",
                subject=path,
                advice="leave input.size out of the sidecar, or export with dynamic sizes",
            )
    if UNKNOWN_DIM in declared:
        raise BadInput(
            f"the size of its input {given} is open",
            subject=path,
            advice=f"say size = [height, width] under [input] in {sidecar_path(path).name}",
        )
    return (declared[0], declared[1]), Origin.MODEL


def input_spec(facts: InputFacts, family: Family, sidecar: Sidecar) -> tuple[InputSpec, dict[str, Origin]]:
    """The whole input: what was found, and the picture as the sidecar says it; what it leaves out is as the family's networks are trained."""
    default = InputSpec(facts.name, facts.size, facts.dtype, facts.layout)
    if family is Family.YOLOX:
        # Megvii's networks take BGR pixels as they are, placed in the top left corner.
        default = replace(default, colour="bgr", pixel_scale=1.0, resize=Resize.LETTERBOX_TOPLEFT)
    said = {name: getattr(sidecar.input, name) for name in _PICTURE}
    origins = dict(facts.origins)
    origins |= {name: Origin.DEFAULT if value is None else Origin.SIDECAR for name, value in said.items()}
    return replace(default, **{name: value for name, value in said.items() if value is not None}), origins
