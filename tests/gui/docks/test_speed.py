"""The speed dock; figures against numpy, and what it says where a speed stands for nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from tests.gui.docks.conftest import Show, pixels_of
from trtviewer.gui.docks.figures import DASH
from trtviewer.gui.docks.speed import SpeedDock
from trtviewer.gui.panes.pane_header import RECORDED_TIP
from trtviewer.gui.view_model import (
    BenchmarkResult,
    FrameTimings,
    Models,
    Progress,
    Requests,
    SideTimings,
    ViewModel,
)
from trtviewer.runners.runner import RunnerInfo


def play(view_model: ViewModel, count: int) -> list[FrameTimings]:
    rng = np.random.default_rng(3)
    made = []
    for index in range(count):
        own, other = (float(value) for value in rng.uniform((20, 8), (40, 12)))
        timings = FrameTimings(
            index, 1.5, 0.5, SideTimings(own, 0.8), SideTimings(other, 0.4), 24.0, index // 10
        )
        view_model.set_timings(timings)
        made.append(timings)
    return made


def text(dock: SpeedDock, name: str) -> str:
    """A label's words without its markup."""
    from PySide6.QtGui import QTextDocument

    document = QTextDocument()
    document.setHtml(dock.findChild(QLabel, f"speed.{name}").text())
    return document.toPlainText()


def real_int8(view_model: ViewModel) -> None:
    """The candidate runs on a device that has INT8."""
    candidate = view_model.models.candidate
    assert candidate is not None
    info = RunnerInfo("TensorRT 10.13", "int8", emulated=False)
    view_model.set_models(Models(view_model.models.reference, (replace(candidate, info=info),), 0))


def test_that_latencies_are_those_of_the_frames_shown(
    show: Show, qtbot: QtBot, view_model: ViewModel
) -> None:
    dock = show("speed")
    made = play(view_model, 60)
    own = np.array([one.reference.infer_ms for one in made if one.reference is not None])
    p95 = f"{np.percentile(own, 95):.1f} ms"
    qtbot.waitUntil(lambda: text(dock, "reference.p95") == p95, timeout=2000)
    assert text(dock, "reference.p50") == f"{np.median(own):.1f} ms"
    assert text(dock, "reference.fps") == f"{1000 / own.mean():.1f}"
    assert made[-1].candidate is not None
    assert text(dock, "candidate.now") == f"{made[-1].candidate.infer_ms:.1f} ms"
    assert "24 frames/s shown" in text(dock, "shown")
    assert "5 left out" in text(dock, "shown")


def test_that_the_frame_shown_before_the_dock_was_made_counts(show: Show, view_model: ViewModel) -> None:
    (first,) = play(view_model, 1)
    dock = show("speed")
    assert text(dock, "reference.now") == f"{first.reference.infer_ms:.1f} ms"
    assert "No frame" not in dock.shown.text()


def test_that_each_stage_stands_for_both_sides(show: Show, qtbot: QtBot, view_model: ViewModel) -> None:
    dock = show("speed")
    play(view_model, 5)
    qtbot.waitUntil(lambda: "decode 1.5 ms" in dock.stages.accessibleDescription(), timeout=2000)
    words = dock.stages.accessibleDescription()
    assert "reference: decode 1.5 ms, preprocess 0.5 ms, infer" in words
    assert "postprocess 0.8 ms" in words
    assert "postprocess 0.4 ms" in words
    assert (pixels_of(dock.stages) != pixels_of(dock.stages)[0, 0]).any()


def test_that_the_plot_changes_between_latency_and_rate(
    show: Show, qtbot: QtBot, view_model: ViewModel
) -> None:
    dock = show("speed")
    play(view_model, 30)
    qtbot.waitUntil(lambda: text(dock, "reference.p50") != "–", timeout=2000)
    latency_top = dock.plot.getPlotItem().getViewBox().viewRange()[1][1]
    qtbot.mouseClick(dock.findChild(QToolButton, "speed.rate"), Qt.MouseButton.LeftButton)
    rate_top = dock.plot.getPlotItem().getViewBox().viewRange()[1][1]
    assert latency_top == pytest.approx(50)
    assert rate_top == pytest.approx(200)


def test_that_one_frame_in_the_last_second_is_not_told_as_many(
    show: Show, view_model: ViewModel, qtbot: QtBot
) -> None:
    dock = show("speed")
    view_model.set_timings(FrameTimings(0, 1.5, 0.5, SideTimings(20.0, 0.8), SideTimings(21.0, 0.4), 1.0, 0))
    qtbot.waitUntil(lambda: "1 frame/s shown" in text(dock, "shown"), timeout=2000)


def test_that_emulated_int8_is_said_instead_of_a_speed_up(show: Show, view_model: ViewModel) -> None:
    dock = show("speed")
    assert "says nothing of a GPU" in text(dock, "finding")
    view_model.set_benchmark(BenchmarkResult(30.0, 33.0, None, emulated=True))
    assert not dock.findChild(QLabel, "speed.speedup").isVisible()
    assert "says nothing of a GPU" in text(dock, "finding")
    assert "30.0 ms → 33.0 ms" in text(dock, "finding")


def test_that_a_recording_has_no_speed_and_says_why(show: Show, view_model: ViewModel, qtbot: QtBot) -> None:
    dock = show("speed")
    candidate = view_model.models.candidate
    assert candidate is not None
    info = RunnerInfo("recorded", "int8", emulated=True)
    view_model.set_models(Models(view_model.models.reference, (replace(candidate, info=info),), 0))
    view_model.set_timings(FrameTimings(0, 1.5, 0.5, SideTimings(20.0, 0.8), SideTimings(None, 0.4), 24.0, 0))
    qtbot.waitUntil(lambda: text(dock, "reference.now") == "20.0 ms")
    for key in ("fps", "now", "p50", "p95"):
        field = dock.findChild(QLabel, f"speed.candidate.{key}")
        assert (text(dock, f"candidate.{key}"), field.toolTip()) == (DASH, RECORDED_TIP)
        assert dock.findChild(QLabel, f"speed.reference.{key}").toolTip() != RECORDED_TIP
    assert text(dock, "finding") == RECORDED_TIP
    assert not dock.findChild(QPushButton, "speed.measure").isEnabled()


def test_that_a_measured_speed_up_stands_in_large_type(show: Show, view_model: ViewModel) -> None:
    dock = show("speed")
    real_int8(view_model)
    assert "has not been measured" in text(dock, "finding")
    view_model.set_benchmark(BenchmarkResult(30.0, 12.0, 2.5, emulated=False))
    large = dock.findChild(QLabel, "speed.speedup")
    assert large.isVisible()
    assert large.text() == "2.50 ×"
    assert large.font().pointSizeF() > 2 * dock.font().pointSizeF()
    assert "30.0 ms → 12.0 ms" in text(dock, "finding")


def test_that_measuring_is_asked_for_shows_its_progress_and_can_be_cancelled(
    show: Show, qtbot: QtBot, view_model: ViewModel, requests: Requests
) -> None:
    dock = show("speed")
    with qtbot.waitSignal(requests.measure_alone, timeout=2000):
        qtbot.mouseClick(dock.findChild(QPushButton, "speed.measure"), Qt.MouseButton.LeftButton)
    cancelled: list[bool] = []
    cancel: Callable[[], None] = lambda: cancelled.append(True)  # noqa: E731 - a name makes its type plain
    view_model.set_progress(Progress("bench", "Measuring", 40, 100, 9.0, cancel))
    bar = dock.findChild(QProgressBar, "speed.progress")
    assert bar.isVisible()
    assert bar.value() == 40
    assert not dock.findChild(QPushButton, "speed.measure").isVisible()
    qtbot.mouseClick(dock.findChild(QPushButton, "speed.cancel"), Qt.MouseButton.LeftButton)
    assert cancelled == [True]
    view_model.end_progress("bench")
    assert dock.findChild(QPushButton, "speed.measure").isVisible()


def test_that_other_models_begin_with_no_past(show: Show, qtbot: QtBot, view_model: ViewModel) -> None:
    dock = show("speed")
    real_int8(view_model)
    play(view_model, 10)
    view_model.set_benchmark(BenchmarkResult(30.0, 12.0, 2.5, emulated=False))
    qtbot.waitUntil(lambda: text(dock, "reference.p50") != "–", timeout=2000)
    assert dock.findChild(QLabel, "speed.speedup").isVisible()
    candidate = view_model.models.candidate
    assert candidate is not None
    other = replace(candidate, path=candidate.path.with_name("other.onnx"))
    view_model.set_models(Models(view_model.models.reference, (other,), 0))
    assert text(dock, "reference.p50") == "–"
    assert not dock.findChild(QLabel, "speed.speedup").isVisible()
    assert "has not been measured" in text(dock, "finding")


def test_that_the_times_of_a_hidden_dock_are_not_lost(
    show: Show, qtbot: QtBot, view_model: ViewModel
) -> None:
    dock = show("speed", hidden=True)
    made = play(view_model, 20)
    assert text(dock, "candidate.now") == "–"
    dock.show()
    assert made[-1].candidate is not None
    assert text(dock, "candidate.now") == f"{made[-1].candidate.infer_ms:.1f} ms"
