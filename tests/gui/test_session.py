"""Sessions and figures that are saved mean the same when they are read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from tests.gui.conftest import FRAMES, PATIENCE_MS, Inputs, wait_for_frame
from trtviewer.cli.main import run
from trtviewer.compare.settings import CompareSettings
from trtviewer.errors import BadInput
from trtviewer.gui.files.session import Session, read_session, write_session
from trtviewer.gui.main_window import MainWindow
from trtviewer.gui.panes.viewport import View
from trtviewer.gui.view_model import Display, PaneMode, Playing, TruthLayer
from trtviewer.models.load import load_spec
from trtviewer.pipeline.analysis import comparisons
from trtviewer.pipeline.pair import open_pair
from trtviewer.sources.address import open_source
from trtviewer.sources.source import FrameRange

WHOLE = Session(
    reference=Path("/models/a b.onnx"),
    candidates=(Path('/models/quote".onnx'), Path("/models/ü.onnx")),
    shown=1,
    source="scene:street?seed=3",
    truth=Path('/labels/a "b"/coco.json'),
    frame=124,
    settings=CompareSettings(0.3, 0.5, True, 0.6, 0.125),
    display=Display(
        PaneMode.SPLIT,
        "candidate",
        frozenset({0, 7}),
        frozenset({"small"}),
        True,
        False,
        False,
        truth=TruthLayer.LOST,
    ),
    playing=Playing(False, 0.5, (10, 20)),
    view=View(3.5, 0.25, 0.75),
)


@pytest.mark.parametrize("session", (Session(), WHOLE), ids=("empty", "whole"))
def test_that_a_session_reads_as_it_was_written(tmp_path: Path, session: Session) -> None:
    write_session(tmp_path / "s.toml", session)
    assert read_session(tmp_path / "s.toml") == session


def test_that_paths_in_a_session_are_seen_from_its_folder(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(
        'schema = "trtviewer.session/1"\nreference = "m.onnx"\nsource = "v.mp4"\n'
    )
    session = read_session(tmp_path / "s.toml")
    assert (session.reference, session.source) == (tmp_path / "m.onnx", str(tmp_path / "v.mp4"))


@pytest.mark.parametrize(
    ("text", "said"),
    (
        ("[settings]\nconfidance = 0.3", "did you mean confidence?"),
        ("[settings]\nconfidence = 3.0", "confidence is 3"),
        ("frame = 'twelve'", "frame is not a whole number"),
        ("[display]\nmode = 'sideways'", "display.mode is not"),
        ("[playing]\nloop = [5]", "playing.loop is not"),
        ("[display]\ntruth = 'some'", "display.truth is not off or all or lost"),
        ("truth = 3", "truth is not a text"),
        ("settings = 3", "settings is not a table"),
        ("frame = ", "is no session"),
    ),
)
def test_that_a_wrong_key_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "s.toml").write_text(f'schema = "trtviewer.session/1"\n{text}\n')
    with pytest.raises(BadInput) as caught:
        read_session(tmp_path / "s.toml")
    assert said in str(caught.value)


def test_that_an_opened_session_shows_what_was_saved(
    comparing: MainWindow,
    make_window: Callable[[], MainWindow],
    inputs: Inputs,
    tmp_path: Path,
    qtbot: QtBot,
) -> None:
    comparing.engine.add_candidate(inputs.other, show=False)
    comparing.view_model.change_settings(confidence=0.2, match_iou=0.9)
    comparing.requests.seek.emit(13)
    wait_for_frame(comparing, qtbot, 13)
    comparing.comparison.zoom_by(2)
    path = tmp_path / "session.toml"
    comparing.save_session_to(path)
    again = make_window()
    again.open_session(path)
    wait_for_frame(again, qtbot, 13)
    assert again.view_model.settings == comparing.view_model.settings
    assert [entry.path for entry in again.view_model.models.candidates] == [inputs.candidate, inputs.other]
    assert again.comparison.viewport.view == comparing.comparison.viewport.view


@pytest.fixture
def yolo_labels(inputs: Inputs, tmp_path: Path) -> Path:
    """Labels of every frame of the video: what the reference finds on it, a little moved, each third left out."""
    spec = load_spec(inputs.reference)
    folder = tmp_path / "labels"
    folder.mkdir()
    (folder / "classes.txt").write_text("\n".join(spec.classes))
    with open_source(str(inputs.video)) as source, open_pair(spec, load_spec(inputs.candidate)) as pair:
        for frame in comparisons(source, FrameRange(), pair, CompareSettings(confidence=0.2)):
            height, width = frame.frame.size
            found = frame.reference.detections
            corners = np.clip(found.xyxy + 1.5, 0, (width, height, width, height))[::3]
            lines = [
                f"{class_id} {(x0 + x1) / 2 / width} {(y0 + y1) / 2 / height} {(x1 - x0) / width} {(y1 - y0) / height}"
                for class_id, (x0, y0, x1, y1) in zip(found.class_id[::3], corners, strict=True)
                if x1 - x0 > 1 and y1 - y0 > 1
            ]
            (folder / f"{frame.frame.index:06d}.txt").write_text("\n".join(lines))
    return folder


def test_that_a_session_opens_its_labels_again(
    comparing: MainWindow,
    make_window: Callable[[], MainWindow],
    yolo_labels: Path,
    tmp_path: Path,
    qtbot: QtBot,
) -> None:
    comparing.engine.open_labels(yolo_labels)
    comparing.flip_truth(TruthLayer.LOST)
    comparing.save_session_to(tmp_path / "session.toml")
    again = make_window()
    again.open_session(tmp_path / "session.toml")
    wait_for_frame(again, qtbot, 0)
    qtbot.waitUntil(lambda: again.view_model.truth is not None, timeout=PATIENCE_MS)
    assert again.engine.labels == str(yolo_labels)
    assert again.view_model.display.truth is TruthLayer.LOST
    assert len(again.view_model.truth.truth.objects)


@pytest.mark.parametrize("with_truth", (False, True), ids=("alone", "with labels"))
def test_that_saved_figures_are_those_of_the_command_line(
    comparing: MainWindow,
    inputs: Inputs,
    tmp_path: Path,
    qtbot: QtBot,
    with_truth: bool,
    request: pytest.FixtureRequest,
) -> None:
    labels = request.getfixturevalue("yolo_labels") if with_truth else None
    if labels is not None:
        comparing.engine.open_labels(labels)
    comparing.view_model.change_settings(confidence=0.2, match_iou=0.9)
    qtbot.mouseClick(comparing.findChild(QPushButton, "summary.analyse"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(
        lambda: (
            comparing.view_model.matched_video is not None
            and len(comparing.view_model.matched_video.frame_index) == FRAMES
            and comparing.view_model.matched_video.settings == comparing.view_model.settings
        ),
        timeout=PATIENCE_MS,
    )
    mine, theirs = tmp_path / "window.json", tmp_path / "compare.json"
    comparing.engine.save_figures(mine)
    qtbot.waitUntil(mine.exists, timeout=2 * PATIENCE_MS)
    models = ("--reference", inputs.reference, "--candidate", inputs.candidate, "--source", inputs.video)
    truth = () if labels is None else ("--truth", labels)
    words = ("compare", *models, *truth, "--conf", 0.2, "--match-iou", 0.9, "--json", theirs)
    run([str(word) for word in words])
    window, command = json.loads(mine.read_text()), json.loads(theirs.read_text())
    for report in (window, command):
        for side in ("reference", "candidate"):
            for speed in ("latency_ms", "fps"):
                del report[side][speed]
    assert_alike(window, command)
    assert ("truth" in window) == with_truth
    if with_truth:
        assert window["truth"]["differences"]["lost"] > 0, "the two differ by the truth too"


def assert_alike(one: object, other: object, place: str = "") -> None:
    """Equal, but for the last digits of sums that were made in another order."""
    if isinstance(one, dict):
        assert isinstance(other, dict)
        assert one.keys() == other.keys(), place
        for key in one:
            assert_alike(one[key], other[key], f"{place}.{key}")
    elif isinstance(one, list):
        assert isinstance(other, list)
        assert len(one) == len(other), place
        for index, (first, second) in enumerate(zip(one, other, strict=True)):
            assert_alike(first, second, f"{place}[{index}]")
    elif isinstance(one, float):
        assert one == pytest.approx(other, rel=1e-6), place
    else:
        assert one == other, place
