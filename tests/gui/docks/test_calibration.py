"""The calibration coach in the whole window: ranges against the activations themselves, and what its buttons do."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime as ort
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton, QSpinBox, QTableView, QToolButton
from pytestqt.qtbot import QtBot

from tests.gui.conftest import PATIENCE_MS, Inputs, wait_for_frame
from tests.gui.docks.test_layers import apply, click, column, wait_idle, wait_shown
from trtviewer.gui.docks.calibration import CalibrationDock
from trtviewer.gui.docks.clip_map import painted
from trtviewer.gui.docks.layers import LayersDock
from trtviewer.gui.main_window import MainWindow
from trtviewer.models.load import load_spec
from trtviewer.preprocess import Preprocessor
from trtviewer.sources.address import open_source
from trtviewer.sources.source import spread

FEW = 4


@pytest.fixture
def grey(tmp_path: Path) -> Path:
    """A folder of pictures that are nearly black: calibrated on them, everything else is beyond the range."""
    for index in range(3):
        cv2.imwrite(str(tmp_path / f"{index}.png"), np.full((96, 96, 3), 4 + index, np.uint8))
    return tmp_path


@pytest.fixture
def careless(comparing: MainWindow, qtbot: QtBot, grey: Path) -> MainWindow:
    """The window with a variant in the pane that was calibrated on the dark, the Calibration dock in front."""
    comparing.requests.reveal.emit("layers")
    qtbot.waitUntil(lambda: comparing.findChild(LayersDock) is not None)
    comparing.findChild(QSpinBox, "layers.frames").setValue(1)
    comparing.findChild(QComboBox, "layers.method").setCurrentIndex(2)
    comparing.findChild(LayersDock).recipe.calibrate_on(str(grey))
    apply(comparing, qtbot)
    comparing.requests.reveal.emit("calibration")
    qtbot.waitUntil(lambda: comparing.findChild(CalibrationDock) is not None)
    comparing.findChild(QSpinBox, "calibration.frames").setValue(FEW)
    return comparing


@pytest.fixture
def coached(careless: MainWindow, qtbot: QtBot) -> MainWindow:
    click(careless, qtbot, "calibration.look")
    qtbot.waitUntil(lambda: careless.view_model.what_if.coach is not None, timeout=PATIENCE_MS)
    wait_idle(careless, qtbot)
    return careless


def largest(model: Path, tensor: str, pictures: list[np.ndarray]) -> float:
    """The largest absolute value of a tensor, by exposing it."""
    loaded = onnx.load(str(model))
    loaded.graph.output.append(onnx.helper.make_tensor_value_info(tensor, onnx.TensorProto.FLOAT, None))
    session = ort.InferenceSession(loaded.SerializeToString(), providers=["CPUExecutionProvider"])
    preprocessor = Preprocessor(load_spec(model).input)
    name = session.get_inputs()[0].name
    return max(
        float(np.abs(session.run([tensor], {name: preprocessor.prepare(one).tensor})[0]).max())
        for one in pictures
    )


def test_that_the_coach_says_which_ranges_these_frames_exceed(
    coached: MainWindow, inputs: Inputs, grey: Path
) -> None:
    words = coached.findChild(QLabel, "calibration.words").text()
    assert words.startswith(f"{FEW} of {FEW} frames exceed the range of")
    report = coached.view_model.what_if.coach.report
    tensor = max(report.tensors, key=lambda one: len(one.exceeding) * one.here / max(one.seen or 1, 1e-9))
    with open_source(str(inputs.video)) as source:
        pictures = [source.read(index).picture for index in spread(24, FEW)]
    dark = [cv2.imread(str(path)) for path in sorted(grey.glob("*.png"))]
    assert tensor.here == pytest.approx(largest(inputs.reference, tensor.tensor, pictures), rel=1e-4)
    assert tensor.seen == pytest.approx(largest(inputs.reference, tensor.tensor, dark), rel=1e-3)
    table = coached.findChild(QTableView, "calibration.ranges")
    assert tensor.tensor in column(table, 0)
    exceeding = [int(text) for text in column(table, 6)]
    assert exceeding == sorted(exceeding, reverse=True) and exceeding[0] == FEW


def test_that_a_suggested_frame_is_gone_to_and_the_suggested_are_added(
    coached: MainWindow, qtbot: QtBot, inputs: Inputs
) -> None:
    suggested = coached.view_model.what_if.coach.report.suggested
    go = coached.findChild(QComboBox, "calibration.go")
    assert [go.itemData(place) for place in range(go.count())] == list(suggested)
    go.activated.emit(go.count() - 1)
    qtbot.waitUntil(lambda: coached.view_model.comparison.frame.index == suggested[-1], timeout=PATIENCE_MS)
    click(coached, qtbot, "calibration.add")
    (part,) = coached.view_model.what_if.extra
    assert part.frames == tuple(sorted(suggested)) and part.source == str(inputs.video)
    assert not coached.findChild(QPushButton, "calibration.add").isEnabled()
    coached.requests.reveal.emit("layers")
    click(coached, qtbot, "layers.apply")
    qtbot.waitUntil(lambda: len(coached.view_model.models.candidates) == 3, timeout=PATIENCE_MS)
    wait_shown(coached, qtbot)
    wait_idle(coached, qtbot)
    variants = coached.view_model.what_if.variants
    worse, better = (variants[entry.path] for entry in coached.view_model.models.candidates[1:])
    assert better.made.recipe.calibration == (*worse.made.recipe.calibration, part)
    assert better.figures.mse < worse.figures.mse / 2
    coached.requests.reveal.emit("calibration")
    click(coached, qtbot, "calibration.clear")
    assert coached.view_model.what_if.extra == ()


def test_that_where_it_clips_is_painted_over_the_candidate_and_taken_away(
    coached: MainWindow, qtbot: QtBot
) -> None:
    model = coached.view_model
    qtbot.mouseClick(coached.findChild(QToolButton, "calibration.paint"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: model.overlay is not None, timeout=PATIENCE_MS)
    overlay = model.overlay
    assert overlay.frame_index == model.comparison.frame.index
    assert overlay.reference is None and overlay.candidate.any()
    # The input's square lies around the frame, its bars outside.
    height, width = model.comparison.frame.size
    left, top, right, bottom = overlay.xyxy
    assert left <= 0 and top <= 0 and right >= width and bottom >= height
    coached.requests.seek.emit(5)
    qtbot.waitUntil(lambda: model.overlay is not None and model.overlay.frame_index == 5, timeout=PATIENCE_MS)
    qtbot.mouseClick(coached.findChild(QToolButton, "calibration.paint"), Qt.MouseButton.LeftButton)
    assert model.overlay is None


def test_that_what_is_painted_goes_with_its_tab_and_comes_back_with_it(
    coached: MainWindow, qtbot: QtBot
) -> None:
    model = coached.view_model
    qtbot.mouseClick(coached.findChild(QToolButton, "calibration.paint"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: model.overlay is not None, timeout=PATIENCE_MS)
    coached.requests.reveal.emit("speed")
    qtbot.waitUntil(lambda: model.overlay is None, timeout=PATIENCE_MS)
    asked: list[object] = []
    model.overlay_changed.connect(asked.append)
    coached.requests.seek.emit(3)
    wait_for_frame(coached, qtbot, 3)
    coached.requests.seek.emit(5)
    wait_for_frame(coached, qtbot, 5)
    assert asked == []
    coached.requests.reveal.emit("calibration")
    qtbot.waitUntil(lambda: model.overlay is not None and model.overlay.frame_index == 5, timeout=PATIENCE_MS)


def test_that_the_preprocessing_is_checked_in_words(careless: MainWindow, qtbot: QtBot) -> None:
    click(careless, qtbot, "calibration.check")
    qtbot.waitUntil(lambda: careless.view_model.what_if.preprocessing is not None, timeout=PATIENCE_MS)
    wait_idle(careless, qtbot)
    report = careless.view_model.what_if.preprocessing
    label = careless.findChild(QLabel, "calibration.preprocessing_words")
    assert label.isVisibleTo(careless)
    assert label.text().lower().rstrip(".") == report.words().lower()
    assert len(label.toolTip().splitlines()) == len(report.tried)


def test_that_a_double_click_ticks_the_layer(coached: MainWindow, qtbot: QtBot) -> None:
    button = coached.findChild(QToolButton, "calibration.tensors")
    if not button.isChecked():
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    table = coached.findChild(QTableView, "calibration.ranges")
    table.doubleClicked.emit(table.model().index(0, 0))
    first = column(table, 0)[0]
    tensor = next(one for one in coached.view_model.what_if.coach.report.tensors if one.tensor == first)
    assert coached.view_model.what_if.ticks == set(tensor.layers)


def test_that_an_empty_window_says_what_to_open(window: MainWindow, qtbot: QtBot) -> None:
    window.requests.reveal.emit("calibration")
    qtbot.waitUntil(lambda: window.findChild(CalibrationDock) is not None)
    assert "Open a reference" in window.findChild(QLabel, "calibration.empty").text()
    assert not window.findChild(QPushButton, "calibration.look").isEnabled()


def test_that_nothing_clipped_is_not_painted_and_all_clipped_has_the_whole_colour() -> None:
    shares = np.array([[0.0, 0.001], [0.25, 1.0]], np.float32)
    pixels = painted(shares, (255, 128, 0), 0.5)
    alpha = pixels >> 24
    assert alpha[0, 0] == 0 and pixels[0, 0] == 0
    assert 40 <= alpha[0, 1] <= 44
    assert alpha[1, 0] == alpha[1, 1] == 128
    assert (pixels[1, 1] >> 16) & 255 == 128 and (pixels[1, 1] >> 8) & 255 == 64 and pixels[1, 1] & 255 == 0
