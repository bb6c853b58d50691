"""The bundled demo, where this installation has one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from trtviewer.resources import resource

if TYPE_CHECKING:
    from trtviewer.gui.engine import Engine


def demo_opener() -> Callable[[Engine], None] | None:
    """What "Try the demo" does; None where no demo is bundled."""
    reference = resource("demo", "detector.onnx")
    candidate = resource("demo", "detector-int8.onnx")
    if not (reference.is_file() and candidate.is_file()):
        return None

    def open_demo(engine: Engine) -> None:
        engine.open_reference(reference)
        engine.add_candidate(candidate)
        engine.open_source("scene:street")

    return open_demo
