"""The files that the File menu makes in the background, against what the command writes of the same models and video."""

from __future__ import annotations

import hashlib
import json
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from tests.gui.conftest import FRAMES, PATIENCE_MS, Inputs, wait_for_frame
from trtviewer.cli.main import run
from trtviewer.compare.settings import RefittedSettings
from trtviewer.gui.files.report import ReportRequest, write_reports
from trtviewer.gui.main_window import MainWindow
from trtviewer.gui.panes.pane_header import RECORDED_TIP
from trtviewer.gui.view_model import Playing
from trtviewer.models.load import load_spec
from trtviewer.report.bundle import open_bundle
from trtviewer.sources.source import FrameRange

CONFIDENCE = 0.3


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Evidence is unpacked into the cache, and what is built is entered in a list of trusted plans: not the user's."""
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))


def compared(inputs: Inputs, *options: object) -> None:
    models = ("--reference", inputs.reference, "--candidate", inputs.candidate, "--source", inputs.video)
    words = ("compare", *models, "--conf", CONFIDENCE, *options)
    run([str(word) for word in words])


def ask(window: MainWindow, qtbot: QtBot, action: str, path: Path, frames: str = "") -> None:
    """Goes through the dialog: names the file, chooses the frames whose words begin so, and begins."""
    window.actions_by_id[action].trigger()
    name = {"file.export_report": "report", "file.save_evidence": "evidence"}[action]
    field = window.findChild(QLineEdit, f"{name}.path")
    dialog = field.window()
    qtbot.waitExposed(dialog)
    field.selectAll()
    qtbot.keyClicks(field, str(path))
    if frames:
        choice = dialog.findChild(QComboBox, f"{name}.range")
        choice.setCurrentIndex(choice.findText(frames, Qt.MatchFlag.MatchStartsWith))
    qtbot.mouseClick(dialog.findChild(QPushButton, f"{name}.go"), Qt.MouseButton.LeftButton)


def make(window: MainWindow, qtbot: QtBot, action: str, path: Path, frames: str = "") -> None:
    settings = replace(window.view_model.settings, confidence=CONFIDENCE)
    window.view_model.set_settings(settings)
    with qtbot.waitSignal(window.report_work.finished, timeout=3 * PATIENCE_MS):
        ask(window, qtbot, action, path, frames)


def test_that_the_report_is_of_every_frame_at_the_thresholds_of_now(
    comparing: MainWindow, inputs: Inputs, qtbot: QtBot, tmp_path: Path
) -> None:
    seen: list[tuple[int, int | None]] = []
    comparing.view_model.progress_changed.connect(
        lambda works: seen.extend((work.done, work.total) for work in works if work.task == "report")
    )
    make(comparing, qtbot, "file.export_report", tmp_path / "mine")
    assert comparing.view_model.status == f"Saved mine.html, of {FRAMES} frames."
    assert comparing.view_model.progress == ()
    assert any(total == FRAMES for _, total in seen)
    compared(inputs, "--json", tmp_path / "report.json")
    expected = json.loads((tmp_path / "report.json").read_text())
    page = (tmp_path / "mine.html").read_text()
    assert page.lower().startswith("<!doctype html>")
    for sentence in expected["verdict"]:
        assert sentence in page
    assert "data:image/" in page, "it shows the worst frames"


def test_that_the_evidence_is_what_the_command_writes_and_opens_with_no_model(
    comparing: MainWindow, inputs: Inputs, qtbot: QtBot, tmp_path: Path
) -> None:
    make(comparing, qtbot, "file.save_evidence", tmp_path / "mine.zip")
    assert comparing.view_model.status == f"Saved mine.zip, of {FRAMES} frames."
    compared(inputs, "--bundle", tmp_path / "expected.zip")
    with zipfile.ZipFile(tmp_path / "mine.zip") as ours, zipfile.ZipFile(tmp_path / "expected.zip") as theirs:
        assert ours.namelist() == theirs.namelist()
        for name in ours.namelist():
            if name.startswith(("frames/", "reference/", "candidate/")):
                assert ours.read(name) == theirs.read(name), name
        figures = [json.loads(archive.read("report.json"))["detections"] for archive in (ours, theirs)]
    assert figures[0] == figures[1]
    opened = open_bundle(tmp_path / "mine.zip")
    assert opened.settings.confidence == CONFIDENCE
    assert load_spec(opened.reference).heads == load_spec(inputs.reference).heads


def test_that_evidence_shows_a_dash_for_its_speed_and_says_why(
    window: MainWindow, inputs: Inputs, qtbot: QtBot, tmp_path: Path
) -> None:
    made = tmp_path / "e.zip"
    compared(inputs, "--bundle", made)
    window.engine.open_reference(made / "reference")
    window.engine.add_candidate(made / "candidate")
    window.engine.open_source(str(made))
    wait_for_frame(window, qtbot, 0)
    for side in ("reference", "candidate"):
        for field in ("latency", "fps"):
            label = window.findChild(QLabel, f"header.{side}.{field}")
            assert label.text().startswith("– ")
            assert label.toolTip() == RECORDED_TIP
    assert window.findChild(QLabel, "header.candidate.precision").text().startswith("INT8")
    assert window.view_model.models.candidate.emulated


def test_that_evidence_of_a_loop_or_of_this_frame_is_of_those_frames_alone(
    comparing: MainWindow, inputs: Inputs, qtbot: QtBot, tmp_path: Path
) -> None:
    comparing.view_model.set_playing(Playing(loop=(5, 9)))
    comparing.requests.seek.emit(13)
    wait_for_frame(comparing, qtbot, 13)
    make(comparing, qtbot, "file.save_evidence", tmp_path / "loop.zip")
    assert comparing.view_model.status == "Saved loop.zip, of 5 frames.", "the loop is the first choice"
    compared(inputs, "--start", 5, "--frames", 5, "--bundle", tmp_path / "expected.zip")
    mine, expected = open_bundle(tmp_path / "loop.zip"), open_bundle(tmp_path / "expected.zip")
    assert mine.report["detections"] == expected.report["detections"]
    assert mine.frames == expected.frames
    assert set(mine.frames) <= set(range(5, 10))
    make(comparing, qtbot, "file.save_evidence", tmp_path / "one.zip", "This frame")
    assert open_bundle(tmp_path / "one.zip").frames == (13,)
    make(comparing, qtbot, "file.export_report", tmp_path / "all.html", "The whole video")
    assert comparing.view_model.status == f"Saved all.html, of {FRAMES} frames."


def test_that_dropped_evidence_opens_whole_with_the_names_of_its_models(
    comparing: MainWindow,
    make_window: Callable[[], MainWindow],
    inputs: Inputs,
    qtbot: QtBot,
    tmp_path: Path,
) -> None:
    make(comparing, qtbot, "file.save_evidence", tmp_path / "e.zip")
    again = make_window()
    again.engine.open_paths([tmp_path / "e.zip"])
    wait_for_frame(again, qtbot, 0)
    models = again.view_model.models
    assert (models.reference.name, models.candidate.name) == (inputs.reference.name, inputs.candidate.name)
    assert models.candidate.precision == "INT8"
    assert again.view_model.settings.confidence == CONFIDENCE
    shown = again.view_model.comparison
    assert shown.missed + shown.extra > 0
    qtbot.waitUntil(lambda: again.summary.verdict.text().startswith("INT8"), timeout=PATIENCE_MS)


def test_that_evidence_opens_with_its_threshold_re_fit_which_goes_with_another_candidate(
    comparing: MainWindow, inputs: Inputs, qtbot: QtBot, tmp_path: Path
) -> None:
    settings = RefittedSettings(thresholds=((0, 8, 0.11), (1, 16, 0.4)))
    request = ReportRequest(
        None,
        tmp_path / "refitted.zip",
        str(inputs.video),
        (load_spec(inputs.reference), load_spec(inputs.candidate)),
        settings,
        FrameRange(0, 1, 3),
    )
    write_reports(request)
    comparing.engine.open_paths([str(tmp_path / "refitted.zip")], None)
    model = comparing.view_model
    qtbot.waitUntil(
        lambda: model.comparison is not None and model.comparison.settings == settings, timeout=PATIENCE_MS
    )
    comparing.engine.add_candidate(inputs.other)
    qtbot.waitUntil(lambda: not model.settings.candidate_thresholds, timeout=PATIENCE_MS)


def test_that_cancel_ends_a_report_and_leaves_nothing(
    comparing: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    with qtbot.waitSignal(comparing.report_work.finished, timeout=3 * PATIENCE_MS):
        ask(comparing, qtbot, "file.export_report", tmp_path / "never.html")
        ask(comparing, qtbot, "file.save_evidence", tmp_path / "never.zip")
        assert comparing.view_model.status.startswith("Still at work: Writing never.html")
        (work,) = [work for work in comparing.view_model.progress if work.task == "report"]
        assert work.cancel is not None
        work.cancel()
    assert "cancelled" in comparing.view_model.status
    assert list(tmp_path.glob("*never*")) == []


def test_that_a_report_that_cannot_be_written_is_a_banner_with_advice(
    comparing: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    with qtbot.waitSignal(comparing.report_work.finished, timeout=3 * PATIENCE_MS):
        ask(comparing, qtbot, "file.export_report", tmp_path / "not there" / "a.html")
    (problem,) = comparing.view_model.problems
    assert problem.subject == "a.html"
    assert problem.advice
    assert problem.retry is not None
    make(comparing, qtbot, "file.export_report", tmp_path / "b.html")
    assert comparing.view_model.problems == (), "the next one takes the banner away"


def test_that_closing_the_window_in_the_middle_leaves_nothing(
    comparing: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    ask(comparing, qtbot, "file.save_evidence", tmp_path / "never.zip")
    comparing.close()
    assert not comparing.report_work.running
    assert list(tmp_path.glob("*never*")) == []


def test_that_nothing_is_reported_of_an_empty_window(window: MainWindow) -> None:
    for name in ("file.export_report", "file.save_evidence"):
        assert not window.actions_by_id[name].isEnabled()


@pytest.fixture
def rtx() -> None:
    pytest.importorskip("tensorrt_rtx_bindings", reason="needs the wheels of the extra `rtx`")


def begin_build(window: MainWindow, qtbot: QtBot, out: Path) -> None:
    """Goes through the dialog: TensorRT for RTX, of the reference, to `out`."""
    window.actions_by_id["file.build_engine"].trigger()
    field = window.findChild(QLineEdit, "build.path")
    dialog = field.window()
    qtbot.waitExposed(dialog)
    dialog.findChild(QComboBox, "build.runtime").setCurrentText("TensorRT for RTX")
    assert field.text().endswith("tiny-rtx.engine")
    field.clear()
    assert not dialog.findChild(QPushButton, "build.go").isEnabled()
    qtbot.keyClicks(field, str(out))
    qtbot.mouseClick(dialog.findChild(QPushButton, "build.go"), Qt.MouseButton.LeftButton)


@pytest.mark.usefixtures("rtx")
def test_that_an_engine_is_built_from_the_menu_with_its_phases_told(
    comparing: MainWindow, inputs: Inputs, qtbot: QtBot, tmp_path: Path
) -> None:
    seen: list[tuple[str, int]] = []
    comparing.view_model.progress_changed.connect(
        lambda works: seen.extend((work.title, work.done) for work in works if work.task == "build")
    )
    out = tmp_path / "out.engine"
    with qtbot.waitSignal(comparing.build_work.finished, timeout=12 * PATIENCE_MS):
        begin_build(comparing, qtbot, tmp_path / "out")
    (problem,) = comparing.view_model.problems
    assert problem.good
    assert comparing.view_model.status.startswith("Built out.engine: TensorRT for RTX")
    assert comparing.view_model.progress == ()
    assert all(title.startswith("Building out.engine with TensorRT for RTX") for title, _ in seen)
    assert len({title for title, _ in seen}) > 1, "the builder's phases are named"
    assert [done for _, done in seen] == sorted(done for _, done in seen)
    plan = out.read_bytes()
    assert plan[:4] == b"vtrt", "the magic of a plan for RTX"
    assert (tmp_path / "out.engine.sha256").read_text() == f"{hashlib.sha256(plan).hexdigest()}  out.engine\n"
    assert load_spec(out).heads == load_spec(inputs.reference).heads


@pytest.mark.usefixtures("rtx")
def test_that_cancel_or_closing_ends_a_build_and_leaves_nothing(
    comparing: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    with qtbot.waitSignal(comparing.build_work.finished, timeout=12 * PATIENCE_MS):
        begin_build(comparing, qtbot, tmp_path / "never.engine")
        comparing.build_work.cancel()
    assert "cancelled" in comparing.view_model.status
    begin_build(comparing, qtbot, tmp_path / "never.engine")
    comparing.close()
    assert not comparing.build_work.running
    assert list(tmp_path.glob("*never*")) == []


@pytest.mark.usefixtures("rtx")
def test_that_a_refused_build_is_a_banner_with_advice(
    comparing: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    (tmp_path / "out.toml").write_text('family = "yolox"\n')
    with qtbot.waitSignal(comparing.build_work.finished, timeout=12 * PATIENCE_MS):
        begin_build(comparing, qtbot, tmp_path / "out.engine")
    (problem,) = comparing.view_model.problems
    assert problem.subject == "out.toml"
    assert "choose another name" in problem.advice
    assert not (tmp_path / "out.engine").exists()


def test_that_the_command_says_what_a_build_lacks(
    window: MainWindow, inputs: Inputs, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    action = window.actions_by_id["file.build_engine"]
    with monkeypatch.context() as nothing_installed:
        for name in ("tensorrt", "tensorrt_bindings", "tensorrt_rtx", "tensorrt_rtx_bindings"):
            nothing_installed.setitem(sys.modules, name, None)
        window.show_can_build()
        assert not action.isEnabled()
        assert "pip install 'trtviewer[rtx]'" in action.toolTip()
    pytest.importorskip("tensorrt_rtx_bindings", reason="needs the wheels of the extra `rtx`")
    window.show_can_build()
    assert not action.isEnabled()
    assert "Open an ONNX model" in action.toolTip()
    window.engine.open_reference(inputs.reference)
    qtbot.waitUntil(action.isEnabled, timeout=PATIENCE_MS)
    assert "Builds a TensorRT engine" in action.toolTip()


@pytest.mark.usefixtures("rtx")
def test_that_the_dialog_warns_of_a_file_that_is_there(
    comparing: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    (tmp_path / "old.engine").write_bytes(b"old")
    comparing.actions_by_id["file.build_engine"].trigger()
    field = comparing.findChild(QLineEdit, "build.path")
    field.clear()
    qtbot.keyClicks(field, str(tmp_path / "old.engine"))
    assert "will be replaced" in field.window().findChild(QLabel, "build.words").text()
    with qtbot.waitSignal(field.window().rejected, timeout=2000):
        qtbot.keyClick(field.window(), Qt.Key.Key_Escape)
    assert (tmp_path / "old.engine").read_bytes() == b"old"
