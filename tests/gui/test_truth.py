"""True objects over the pictures, from a source that knows them and from labels."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from tests.gui.conftest import PATIENCE_MS
from tests.model_zoo import quantized_twin, tiny_yolo_anchor
from trtviewer.compare.truth_files import own_labels
from trtviewer.compare.truth_totals import frame_truth
from trtviewer.gui.main_window import MainWindow
from trtviewer.gui.view_model import TruthLayer
from trtviewer.resources import resource
from trtviewer.sources.address import open_source

SCENE = "scene:street?seed=3&frames=4"


def test_that_a_scene_shows_its_own_truth(window: MainWindow, qtbot: QtBot) -> None:
    window.engine.open_reference(resource("demo", "detector.onnx"))
    window.engine.add_candidate(resource("demo", "detector-int8-careless.onnx"))
    window.engine.open_source(SCENE)
    qtbot.waitUntil(lambda: window.view_model.comparison is not None, timeout=PATIENCE_MS)
    pane = window.comparison.panes["reference"]
    qtbot.waitUntil(lambda: pane.rendered is not None, timeout=PATIENCE_MS)
    before = pane.grab().toImage()
    qtbot.keyClick(window, Qt.Key.Key_T)
    qtbot.waitUntil(lambda: window.view_model.truth is not None, timeout=PATIENCE_MS)
    assert pane.grab().toImage() != before
    comparison = window.view_model.comparison
    with open_source(SCENE) as source, own_labels(source, comparison.reference.spec.classes) as labels:
        expected = frame_truth(comparison, labels.objects(comparison.frame), labels.classes)
    shown = window.view_model.truth.truth
    assert np.array_equal(shown.objects.xyxy, expected.objects.xyxy)
    assert np.array_equal(shown.candidate_finds, expected.candidate_finds)
    qtbot.keyClick(window, Qt.Key.Key_T, Qt.KeyboardModifier.ShiftModifier)
    assert window.view_model.display.truth is TruthLayer.LOST
    qtbot.keyClick(window, Qt.Key.Key_T, Qt.KeyboardModifier.ShiftModifier)
    assert window.view_model.truth is None


def test_that_labels_are_opened_and_bad_ones_are_told(
    window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    from tests.gui.conftest import write_numbered

    reference = tiny_yolo_anchor(tmp_path / "tiny.onnx", seed=1)
    video = write_numbered(tmp_path / "v.mkv", 3)
    window.engine.open_reference(reference)
    window.engine.add_candidate(quantized_twin(reference, tmp_path / "twin.onnx"))
    window.engine.open_source(str(video))
    qtbot.waitUntil(lambda: window.view_model.comparison is not None, timeout=PATIENCE_MS)
    qtbot.keyClick(window, Qt.Key.Key_T)
    qtbot.waitUntil(lambda: "no truth" in window.view_model.status, timeout=PATIENCE_MS)
    assert window.view_model.display.truth is TruthLayer.OFF
    bad = tmp_path / "labels.json"
    bad.write_text(json.dumps({"images": [], "annotations": [], "categories": []}))
    window.engine.open_labels(bad)
    qtbot.waitUntil(lambda: bool(window.view_model.problems), timeout=PATIENCE_MS)
    assert window.view_model.problems[0].place == "labels"
    assert window.view_model.display.truth is TruthLayer.OFF
