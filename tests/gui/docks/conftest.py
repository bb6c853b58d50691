"""One dock alone, on a real view model, with real comparisons in it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from tests.compare.pairs import anchor_comparison
from trtviewer.compare.frame_comparison import FrameComparison
from trtviewer.compare.matched_video import MatchedVideo, MatchedVideoBuilder
from trtviewer.compare.settings import CompareSettings
from trtviewer.gui.docks.newest import Pace
from trtviewer.gui.style_sheet import style_sheet
from trtviewer.gui.theme import DARK
from trtviewer.gui.view_model import ModelEntry, Models, ModelState, Requests, ViewModel

Show = Callable[..., Any]


@pytest.fixture
def view_model(qapp: QApplication) -> ViewModel:
    """A reference and an emulated INT8 candidate are open; nothing has run yet."""
    qapp.setStyleSheet(style_sheet(DARK))
    model = ViewModel()
    comparison = anchor_comparison(1)
    sides = [
        ModelEntry(Path(name), ModelState.READY, side.spec, side.info)
        for name, side in (("a.onnx", comparison.reference), ("b.onnx", comparison.candidate))
    ]
    model.set_models(Models(sides[0], (sides[1],), 0))
    return model


@pytest.fixture
def requests() -> Requests:
    return Requests()


@pytest.fixture
def show(qtbot: QtBot, view_model: ViewModel, requests: Requests) -> Iterator[Show]:
    """Makes a dock by its module's name and shows it; it is closed when the test ends."""
    made: list[QWidget] = []

    def make(module: str, width: int = 1100, height: int = 320, *, hidden: bool = False) -> QWidget:
        dock = importlib.import_module(f"trtviewer.gui.docks.{module}").make(view_model, requests)
        made.append(dock)
        dock.resize(width, height)
        if not hidden:
            dock.show()
            qtbot.waitExposed(dock)
        return dock

    yield make
    for dock in made:
        dock.close_dock()
        dock.close()
        dock.deleteLater()


def turns_taken(qtbot: QtBot) -> None:
    """Waits until every dock that asked for its turn before has had it: who asks for two later ones gets them after those."""
    due: list[None] = []
    pace = Pace()
    pace.due.connect(lambda: due.append(None))
    for count in (1, 2):
        pace.want()
        qtbot.waitUntil(lambda n=count: len(due) == n, timeout=5000)


def pixels_of(widget: QWidget) -> np.ndarray:
    """What is painted: [H, W, 3] RGB."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3).copy()


def video_of(
    count: int, settings: CompareSettings | None = None
) -> tuple[MatchedVideo, list[FrameComparison]]:
    """So many analysed frames, each with other heads."""
    settings = settings or CompareSettings()
    comparisons = [
        replace(one, frame=replace(one.frame, index=index))
        for index, one in enumerate(anchor_comparison(seed).with_settings(settings) for seed in range(count))
    ]
    builder = MatchedVideoBuilder(settings, comparisons[0].reference.spec.classes)
    for one in comparisons:
        builder.add_matched(one.kept(), one.reference.detections, one.candidate.detections, one.matching)
    return builder.snapshot(), comparisons
