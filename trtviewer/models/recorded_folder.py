"""A folder of recorded outputs: which outputs it holds, by its `outputs.toml`, else by its files."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.lib.npyio import NpzFile

from trtviewer.errors import BadInput
from trtviewer.models.input_facts import InputFacts, input_spec
from trtviewer.models.model_file import Metadata, Tensor
from trtviewer.models.sidecar import RecordedOutput, Sidecar, read_sidecar, sidecar_path
from trtviewer.models.spec import Family, HeadSpec, InputSpec, ModelSpec, Origin, Precision
from trtviewer.models.understand import with_input
from trtviewer.sources.images import natural_key

_ARRAY_SUFFIXES = (".npy", ".bin")


def load_recorded(path: Path, sidecar: Sidecar) -> ModelSpec:
    """The spec of a recording. Without a family only its tensors can be compared; with one, boxes too.

    Raises: BadInput: it holds no recorded frames, or its `outputs.toml` and its files contradict each other or the family.
    """
    outputs, origin = recorded_outputs(path, sidecar)
    said = sidecar.input
    decodes = sidecar.family is not None or any(head.anchors for head in sidecar.heads)
    if not decodes:
        return _tensors_only(path, outputs, origin, sidecar)
    if said.size is None:
        raise BadInput(
            "boxes are wanted (it says a family), but not the size of the input that the outputs are from",
            subject=sidecar.path or path,
            advice="say size = [height, width] under [input]",
        )
    given = _recorded_input(sidecar)
    tensors = [Tensor(output.name, output.shape, output.dtype) for output in outputs]
    return with_input(path, given, tensors, Metadata(), Precision.UNKNOWN, sidecar)


def recorded_outputs(
    folder: Path, sidecar: Sidecar | None = None
) -> tuple[tuple[RecordedOutput, ...], Origin]:
    """The outputs of a recording and where that is known from.

    Args: sidecar: its `outputs.toml`, where that is read already.

    Raises: BadInput: there is none, an output has no files, or `.bin` files have no shape.
    """
    toml = sidecar_path(folder)
    if sidecar is None:
        sidecar = read_sidecar(toml) if toml.is_file() else Sidecar()
    if sidecar.outputs:
        return sidecar.outputs, Origin.SIDECAR
    archives = sorted(folder.glob("*.npz"), key=lambda file: natural_key(file.name))
    if archives:
        return tuple(_seen(name, array) for name, array in _arrays_of(archives[0]).items()), Origin.SHAPES
    seen = []
    for child in sorted(folder.iterdir(), key=lambda file: natural_key(file.name)):
        files = [file for file in child.iterdir() if file.suffix in _ARRAY_SUFFIXES] if child.is_dir() else []
        if not files:
            continue
        first = min(files, key=lambda file: natural_key(file.name))
        if first.suffix == ".bin":
            raise BadInput(
                f"the shape of {child.name} is not known: .bin files do not say it",
                subject=folder,
                advice=f"add [[output]] name, shape and layout to {toml.name} in it",
            )
        seen.append(_seen(child.name, _header_of(first)))
    if not seen:
        raise BadInput(
            "holds no recorded outputs",
            subject=folder,
            advice="it should have <frame>.npz files, or one subfolder an output with <frame>.npy or .bin",
        )
    return tuple(seen), Origin.SHAPES


def _seen(name: str, array: np.ndarray[Any, Any]) -> RecordedOutput:
    return RecordedOutput(name, array.shape, str(array.dtype))


def _arrays_of(archive: Path) -> Mapping[str, np.ndarray[Any, Any]]:
    # Opened here, since numpy leaves a damaged archive open.
    try:
        with archive.open("rb") as stream, NpzFile(stream, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise BadInput("is not an .npz archive, or is cut short", subject=archive) from error
    if not found:
        raise BadInput("holds no array", subject=archive)
    return found


def _header_of(file: Path) -> np.ndarray[Any, Any]:
    try:
        found: np.ndarray[Any, Any] = np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise BadInput("is not an .npy array, or is cut short", subject=file) from error
    return found


def _recorded_input(sidecar: Sidecar) -> InputFacts:
    said = sidecar.input
    assert said.size is not None
    origins = {
        "name": Origin.DEFAULT,
        "size": Origin.SIDECAR,
        "dtype": Origin.DEFAULT,
        "layout": Origin.DEFAULT if said.layout is None else Origin.SIDECAR,
    }
    return InputFacts("", said.size, "float32", said.layout or "nchw", origins)


def _tensors_only(
    path: Path, outputs: tuple[RecordedOutput, ...], origin: Origin, sidecar: Sidecar
) -> ModelSpec:
    origins = {"family": Origin.DEFAULT, "precision": Origin.DEFAULT}
    heads = []
    for output in outputs:
        said = sidecar.head(output.name)
        layout = (said.layout if said is not None else None) or output.layout
        stride = said.stride if said is not None else None
        heads.append(HeadSpec(output.name, output.shape, layout or "nchw", stride))
        origins[f"head.{output.name}.shape"] = origin
        origins[f"head.{output.name}.layout"] = Origin.SIDECAR if layout else Origin.DEFAULT
        if stride is not None:
            origins[f"head.{output.name}.stride"] = Origin.SIDECAR
    picture: InputSpec | None = None
    if sidecar.input.size is not None:
        picture, found = input_spec(_recorded_input(sidecar), Family.NONE, sidecar)
        origins |= {f"input.{name}": where for name, where in found.items()}
    if sidecar.classes:
        origins["classes"] = Origin.SIDECAR
    return ModelSpec(
        path=path,
        family=Family.NONE,
        classes=sidecar.classes or (),
        input=picture,
        heads=tuple(heads),
        origins=MappingProxyType(origins),
    )
