"""The demo that ships with the program: which models, on which scene."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trtviewer.errors import MissingRuntime
from trtviewer.resources import resource

SCENE = "scene:street?condition=mix&seed=3&frames=900"
"""Half a minute from day through rain into night."""


@dataclass(frozen=True, slots=True)
class BundledDemo:
    """A float detector, its INT8 twins (the careless one first), and the scene that they are shown on."""

    reference: Path
    candidates: tuple[Path, ...]
    source: str


def bundled_demo() -> BundledDemo:
    """Raises: MissingRuntime: this installation came without the demo's files."""
    reference = resource("demo", "detector.onnx")
    candidates = tuple(resource("demo", f"detector-int8-{twin}.onnx") for twin in ("careless", "good"))
    lacking = [path for path in (reference, *candidates) if not path.is_file()]
    if lacking:
        raise MissingRuntime(
            "the demo's models are not in this installation",
            subject=lacking[0],
            advice="install trtviewer from its wheel or its whole repository",
        )
    return BundledDemo(reference, candidates, SCENE)
