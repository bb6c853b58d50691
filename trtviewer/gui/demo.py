"""The bundled demo, where this installation has one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from trtviewer.bundled_demo import bundled_demo
from trtviewer.errors import TrtviewerError

if TYPE_CHECKING:
    from trtviewer.gui.engine import Engine


def demo_opener() -> Callable[[Engine], None] | None:
    """What "Try the demo" does; None where no demo is bundled."""
    try:
        demo = bundled_demo()
    except TrtviewerError:
        return None

    def open_demo(engine: Engine) -> None:
        engine.open_reference(demo.reference)
        for index, candidate in enumerate(demo.candidates):
            engine.add_candidate(candidate, show=index == 0)
        engine.open_source(demo.source)

    return open_demo
