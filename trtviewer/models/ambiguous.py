"""A model whose shapes allow several readings."""

from __future__ import annotations

from pathlib import Path

from trtviewer.errors import BadInput
from trtviewer.models.sidecar import sidecar_path


class AmbiguousModel(BadInput):
    """The window asks which reading is meant; the command line refuses, and names them all.

    Attributes:
        readings: what it may be, each as a phrase.
    """

    def __init__(self, what: str, readings: tuple[str, ...], path: Path) -> None:
        super().__init__(
            f"{what} can be read as {' or as '.join(readings)}",
            subject=path,
            advice=f"say in {sidecar_path(path).name} which it is",
        )
        self.readings = readings
