"""What a command writes is none of what it reads, and no two of its results are one file."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from trtviewer.errors import BadUsage
from trtviewer.models.sidecar import sidecar_path

_MODELS = ("model", "reference", "candidate")
_INPUTS = ("source", "truth", "calibration_table")
_OUTPUTS = ("json", "html", "bundle", "output", "write_calibration_table", "self_test")


def require_apart(arguments: argparse.Namespace) -> None:
    """Looks, before any work, that no result would take the place of a model, its sidecar, another input or result.

    Raises: BadUsage: one would.
    """
    taken = {path.resolve(): said for path, said in _read(arguments)}
    for path in _named(arguments, _OUTPUTS):
        if path.resolve() in taken:
            raise BadUsage(
                f"the output is {taken[path.resolve()]}", subject=path, advice="choose another name"
            )
        taken[path.resolve()] = "also that of another option"


def _read(arguments: argparse.Namespace) -> Iterator[tuple[Path, str]]:
    for path in _named(arguments, _INPUTS):
        yield path, "what is read"
    for path in _named(arguments, _MODELS):
        yield sidecar_path(path), f"the sidecar of {path}"
        yield path, "the model itself"


def _named(arguments: argparse.Namespace, names: tuple[str, ...]) -> Iterator[Path]:
    for name in names:
        value = getattr(arguments, name, None)
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                yield Path(one)
