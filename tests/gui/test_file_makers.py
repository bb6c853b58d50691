"""The files that the File menu makes in the background, against what the command writes of the same models and video."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from tests.gui.conftest import FRAMES, PATIENCE_MS, Inputs
from trtviewer.cli.main import run
from trtviewer.gui.main_window import MainWindow
from trtviewer.models.load import load_spec
from trtviewer.report.bundle import open_bundle

CONFIDENCE = 0.3


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def choose(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """Lets the next save dialog answer with this path."""
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))


def compared(inputs: Inputs, *options: object) -> None:
    models = ("--reference", inputs.reference, "--candidate", inputs.candidate, "--source", inputs.video)
    words = ("compare", *models, "--conf", CONFIDENCE, *options)
    run([str(word) for word in words])


def make(window: MainWindow, qtbot: QtBot, action: str) -> None:
    settings = replace(window.view_model.settings, confidence=CONFIDENCE)
    window.view_model.set_settings(settings)
    with qtbot.waitSignal(window.report_work.finished, timeout=3 * PATIENCE_MS):
        window.actions_by_id[action].trigger()


def test_that_the_report_is_of_every_frame_at_the_thresholds_of_now(
    comparing: MainWindow, inputs: Inputs, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, int | None]] = []
    comparing.view_model.progress_changed.connect(
        lambda works: seen.extend((work.done, work.total) for work in works if work.task == "report")
    )
    choose(monkeypatch, tmp_path / "mine")
    make(comparing, qtbot, "file.export_report")
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
    comparing: MainWindow, inputs: Inputs, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(monkeypatch, tmp_path / "mine.zip")
    make(comparing, qtbot, "file.save_evidence")
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


def test_that_cancel_ends_a_report_and_leaves_nothing(
    comparing: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(monkeypatch, tmp_path / "never.html")
    with qtbot.waitSignal(comparing.report_work.finished, timeout=3 * PATIENCE_MS):
        comparing.actions_by_id["file.export_report"].trigger()
        comparing.actions_by_id["file.save_evidence"].trigger()
        assert comparing.view_model.status.startswith("Still at work: Writing never.html")
        (work,) = [work for work in comparing.view_model.progress if work.task == "report"]
        assert work.cancel is not None
        work.cancel()
    assert "cancelled" in comparing.view_model.status
    assert list(tmp_path.glob("*never*")) == []


def test_that_a_report_that_cannot_be_written_is_a_banner_with_advice(
    comparing: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(monkeypatch, tmp_path / "not there" / "a.html")
    with qtbot.waitSignal(comparing.report_work.finished, timeout=3 * PATIENCE_MS):
        comparing.actions_by_id["file.export_report"].trigger()
    (problem,) = comparing.view_model.problems
    assert problem.subject == "a.html"
    assert problem.advice
    assert problem.retry is not None
    choose(monkeypatch, tmp_path / "b.html")
    make(comparing, qtbot, "file.export_report")
    assert comparing.view_model.problems == (), "the next one takes the banner away"


def test_that_closing_the_window_in_the_middle_leaves_nothing(
    comparing: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(monkeypatch, tmp_path / "never.zip")
    comparing.actions_by_id["file.save_evidence"].trigger()
    comparing.close()
    assert not comparing.report_work.running
    assert list(tmp_path.glob("*never*")) == []


def test_that_nothing_is_reported_of_an_empty_window(window: MainWindow) -> None:
    for name in ("file.export_report", "file.save_evidence"):
        assert not window.actions_by_id[name].isEnabled()
