"""The bundled demo, where this installation has one: it opens, starts to play, and says what is seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from trtviewer.bundled_demo import bundled_demo
from trtviewer.errors import TrtviewerError
from trtviewer.gui.first_steps import FirstSteps

if TYPE_CHECKING:
    from trtviewer.gui.main_window import MainWindow


def demo_opener() -> Callable[[MainWindow], None] | None:
    """What "Try the demo" does; None where no demo is bundled."""
    try:
        demo = bundled_demo()
    except TrtviewerError:
        return None

    def open_demo(window: MainWindow) -> None:
        window.engine.open_reference(demo.reference)
        for index, candidate in enumerate(demo.candidates):
            window.engine.add_candidate(candidate, show=index == 0)
        window.engine.open_source(demo.source)
        _play_once_compared(window)
        window.show_above_transport(FirstSteps(window.view_model, window.requests, window))

    return open_demo


def _play_once_compared(window: MainWindow) -> None:
    model = window.view_model

    def play(comparison: object) -> None:
        if comparison is not None:
            model.comparison_changed.disconnect(play)
            model.set_playing(replace(model.playing, playing=True))

    model.comparison_changed.connect(play)
