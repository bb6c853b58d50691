"""The whole window on small real models and a short video, driven as a user does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.model_zoo import quantized_twin, tiny_yolo_anchor
from trtviewer.gui.application import make_application
from trtviewer.gui.main_window import MainWindow
from trtviewer.gui.preferences import PreferencesFile

FRAMES = 24
SIZE = (144, 192)
PATIENCE_MS = 10_000


@dataclass(frozen=True, slots=True)
class Inputs:
    """Two models that differ, a second candidate, and a video whose frames say which they are."""

    reference: Path
    candidate: Path
    other: Path
    video: Path


@pytest.fixture(scope="session")
def qapp_args() -> list[str]:
    return ["trtviewer", "-platform", "offscreen"]


@pytest.fixture(scope="session")
def qapp(qapp_args: list[str]) -> QApplication:
    return make_application(qapp_args)


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    folder = tmp_path_factory.mktemp("gui")
    reference = tiny_yolo_anchor(folder / "tiny.onnx", seed=1)
    candidate = quantized_twin(reference, folder / "tiny_int8.onnx")
    other = quantized_twin(reference, folder / "tiny_other.onnx", seed=7, per_channel=False)
    return Inputs(reference, candidate, other, write_numbered(folder / "numbers.mkv", FRAMES))


def write_numbered(path: Path, count: int) -> Path:
    """A lossless video of noise on which a bar code of its frame's number is drawn, black and white, eight bits."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("ffv1", rate=25)
        stream.height, stream.width = SIZE
        stream.pix_fmt = "bgr0"
        for index in range(count):
            picture = cv2.resize(
                np.random.default_rng(index).integers(0, 256, (36, 48, 3), np.uint8), SIZE[::-1]
            )
            for bit in range(8):
                picture[:16, 24 * bit : 24 * bit + 24] = 255 if index >> bit & 1 else 0
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        output.mux(stream.encode())
    return path


def number_in(image: np.ndarray) -> int:
    """The frame's number as it is drawn in a painted picture [H, W, 3] of a whole frame."""
    height, width = image.shape[:2]
    row = image[round(height * 6 / SIZE[0])].mean(axis=-1)
    middles = [round(width * (24 * bit + 12) / SIZE[1]) for bit in range(8)]
    return sum(int(row[x] > 127) << bit for bit, x in enumerate(middles))


@pytest.fixture
def make_window(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[Callable[[], MainWindow]]:
    made: list[MainWindow] = []

    def make() -> MainWindow:
        window = MainWindow(PreferencesFile(tmp_path / "preferences" / "window.json"))
        made.append(window)
        window.resize(1280, 800)
        window.show()
        qtbot.waitExposed(window)
        return window

    yield make
    for window in made:
        window.unsaved.asks = False
        window.close()
        window.deleteLater()
    qapp.processEvents()


@pytest.fixture
def window(make_window: Callable[[], MainWindow]) -> MainWindow:
    """An empty window."""
    return make_window()


@pytest.fixture
def comparing(window: MainWindow, inputs: Inputs, qtbot: QtBot) -> MainWindow:
    """A window that shows the first frame of the video through both models."""
    open_all(window, inputs)
    wait_for_frame(window, qtbot, 0)
    return window


def open_all(window: MainWindow, inputs: Inputs) -> None:
    window.engine.open_reference(inputs.reference)
    window.engine.add_candidate(inputs.candidate)
    window.engine.open_source(str(inputs.video))


def wait_for_frame(window: MainWindow, qtbot: QtBot, index: int) -> None:
    """Waits until the panes have painted that frame of both models that are open."""

    def there() -> bool:
        pane = window.comparison.panes["reference"]
        comparison = window.view_model.comparison
        return (
            comparison is not None
            and comparison.frame.index == index
            and pane.rendered is not None
            and pane.rendered.request.shown.comparison is comparison
        )

    qtbot.waitUntil(there, timeout=PATIENCE_MS)
