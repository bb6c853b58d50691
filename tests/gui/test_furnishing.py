"""An empty window is its start page; docks and panel come with the first thing opened, as they were left."""

from __future__ import annotations

from collections.abc import Callable

from pytestqt.qtbot import QtBot

from tests.gui.conftest import PATIENCE_MS, Inputs
from trtviewer.gui.main_window import MainWindow


def seen(window: MainWindow) -> set[str]:
    """The docks that are not hidden, behind a tab or not."""
    return {name for name, dock in window.shelf.docks.items() if not dock.isHidden()}


def test_that_docks_and_panel_come_with_the_first_thing_that_is_opened(
    window: MainWindow, inputs: Inputs, qtbot: QtBot
) -> None:
    assert window.start_page.isVisible()
    assert seen(window) == set()
    assert not window.panel.isVisible()
    assert not any(dock.toggleViewAction().isEnabled() for dock in window.shelf.docks.values())
    window.engine.open_source(str(inputs.video))
    qtbot.waitUntil(window.panel.isVisible, timeout=PATIENCE_MS)
    assert "disagreements" in seen(window)
    assert window.shelf.docks["disagreements"].widget().isVisible()
    assert all(dock.toggleViewAction().isEnabled() for dock in window.shelf.docks.values())


def test_that_what_was_hidden_stays_hidden_though_an_empty_window_came_between(
    make_window: Callable[[], MainWindow], inputs: Inputs
) -> None:
    first = make_window()
    first.engine.open_reference(inputs.reference)
    first.shelf.docks["speed"].hide()
    first.shelf.docks["heatmaps"].setFloating(True)
    left = seen(first)
    first.close()
    make_window().close()
    last = make_window()
    assert seen(last) == set()
    last.engine.open_reference(inputs.reference)
    assert seen(last) == left
    assert "speed" not in left
    assert last.shelf.docks["heatmaps"].isFloating()


def test_that_what_opens_in_a_presentation_brings_the_docks_when_it_ends(
    window: MainWindow, inputs: Inputs
) -> None:
    window.toggle_presentation()
    window.engine.open_reference(inputs.reference)
    assert seen(window) == set()
    window.toggle_presentation()
    assert window.panel.isVisible()
    assert "disagreements" in seen(window)


def test_that_a_window_that_is_empty_again_hides_them_again(window: MainWindow, inputs: Inputs) -> None:
    window.engine.add_candidate(inputs.candidate)
    window.shelf.docks["speed"].hide()
    left = seen(window)
    window.engine.close_candidate()
    assert seen(window) == set()
    assert not window.panel.isVisible()
    window.engine.add_candidate(inputs.candidate)
    assert seen(window) == left
