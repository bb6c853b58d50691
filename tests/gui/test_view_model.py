"""One state, changed in one place: an equal value is no change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from trtviewer.compare.settings import CompareSettings
from trtviewer.errors import BadUsage
from trtviewer.gui.theme import LIGHT
from trtviewer.gui.view_model import (
    Display,
    ModelEntry,
    Models,
    Playing,
    Position,
    Problem,
    Progress,
    SourceEntry,
    ViewModel,
)

VALUES = {
    "settings": CompareSettings(0.5),
    "models": Models(reference=ModelEntry(Path("m.onnx"))),
    "source": SourceEntry("v.mp4", "v.mp4", 9, 25.0),
    "position": Position(3, 0.12),
    "playing": Playing(True),
    "display": Display(labels=False),
    "pointed": (1.0, 2.0),
    "status": "ready",
    "theme": LIGHT,
}


@pytest.mark.parametrize("name", VALUES)
def test_that_an_equal_value_emits_nothing(qapp: QApplication, qtbot: QtBot, name: str) -> None:
    model = ViewModel()
    heard: list[object] = []
    getattr(model, f"{name}_changed").connect(heard.append)
    setter = getattr(model, f"set_{name}")
    setter(VALUES[name])
    setter(VALUES[name] if isinstance(VALUES[name], str | tuple) else replace(VALUES[name]))
    assert heard == [VALUES[name]]
    assert getattr(model, name) == VALUES[name]


def test_that_a_threshold_out_of_bounds_is_refused_and_changes_nothing(qapp: QApplication) -> None:
    model = ViewModel()
    with pytest.raises(BadUsage):
        model.change_settings(confidence=2.0)
    assert model.settings == CompareSettings()


def test_that_progress_is_told_apart_by_its_task(qapp: QApplication) -> None:
    model = ViewModel()
    model.set_progress(Progress("a", "A", 1, 10))
    model.set_progress(Progress("b", "B"))
    model.set_progress(Progress("a", "A", 2, 10))
    assert [(one.task, one.done) for one in model.progress] == [("b", 0), ("a", 2)]
    model.end_progress("a")
    model.end_progress("never there")
    assert [one.task for one in model.progress] == ["b"]


def test_that_a_place_shows_one_problem(qapp: QApplication) -> None:
    model = ViewModel()
    model.add_problem(Problem("broke", place="candidate"))
    model.add_problem(Problem("broke again", place="candidate"))
    model.add_problem(Problem("else", place="source"))
    assert [one.what for one in model.problems] == ["broke again", "else"]
    model.clear_problems("candidate")
    assert [one.what for one in model.problems] == ["else"]
