"""The error histogram dock, by mouse; figures against numpy in float64."""

from __future__ import annotations

import itertools

import numpy as np
import pyqtgraph as pg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QComboBox, QLabel, QToolButton
from pytestqt.qtbot import QtBot

from tests.compare.pairs import anchor_comparison
from tests.gui.docks.conftest import Show, pixels_of
from trtviewer.compare.frame_comparison import FrameComparison
from trtviewer.compare.tensor_error import TensorErrors
from trtviewer.gui.docks.error_histogram import ErrorHistogramDock
from trtviewer.gui.docks.histogram_plot import Axis, axis_for, bars_of
from trtviewer.gui.theme import LIGHT
from trtviewer.gui.view_model import ViewModel


@pytest.fixture
def comparison(view_model: ViewModel) -> FrameComparison:
    view_model.set_comparison(anchor_comparison(1))
    assert view_model.comparison is not None
    return view_model.comparison


def difference(
    comparison: FrameComparison, head: str, channels: slice | list[int] = slice(None)
) -> np.ndarray:
    own, other = (
        side.heads[head][0].astype(np.float64) for side in (comparison.reference, comparison.candidate)
    )
    return (other - own)[channels]


def value(dock: ErrorHistogramDock, key: str) -> str:
    return dock.findChild(QLabel, f"error_histogram.{key}").text()


def choose(dock: ErrorHistogramDock, name: str, text: str) -> None:
    box = dock.findChild(QComboBox, name)
    box.setCurrentIndex(box.findText(text))
    assert box.currentText() == text


def number(text: str) -> float:
    return float(text.replace("−", "-").replace(" %", ""))


def line_at(dock: ErrorHistogramDock, which: int) -> QPoint:
    """Where an epsilon line is painted, in pixels of the plot."""
    plot = dock.plot
    place = plot.line_places()[which]
    scene = plot.getPlotItem().getViewBox().mapViewToScene(QPointF(place, -1.5))
    return plot.mapFromScene(scene)


def test_that_the_figures_are_those_of_the_frame(show: Show, comparison: FrameComparison) -> None:
    dock = show("error_histogram")
    choose(dock, "error_histogram.output", "s8")
    d = difference(comparison, "s8")
    own = comparison.reference.heads["s8"].astype(np.float64)
    other = comparison.candidate.heads["s8"].astype(np.float64)
    assert number(value(dock, "mse")) == pytest.approx((d**2).mean(), rel=1e-3)
    assert number(value(dock, "mae")) == pytest.approx(np.abs(d).mean(), rel=1e-3)
    assert number(value(dock, "max_abs")) == pytest.approx(np.abs(d).max(), rel=1e-3)
    assert number(value(dock, "over_epsilon")) == pytest.approx(100 * (np.abs(d) > 0.5).mean(), abs=0.051)
    assert number(value(dock, "sqnr_db")) == pytest.approx(
        10 * np.log10((own**2).sum() / (d**2).sum()), abs=0.051
    )
    cosine = (own * other).sum() / np.sqrt((own**2).sum() * (other**2).sum())
    assert number(value(dock, "cosine")) == pytest.approx(cosine, abs=6e-6)


def test_that_a_group_of_channels_can_be_looked_at_alone(show: Show, comparison: FrameComparison) -> None:
    dock = show("error_histogram")
    choose(dock, "error_histogram.output", "s16")
    choose(dock, "error_histogram.group", "objectness")
    d = difference(comparison, "s16", [4, 12, 20])
    assert number(value(dock, "mse")) == pytest.approx((d**2).mean(), rel=1e-3)
    assert f"{d.size:,} values" in value(dock, "words")
    assert "s16 (objectness)" in value(dock, "words")


def test_that_all_frames_so_far_are_added_up(
    show: Show, qtbot: QtBot, view_model: ViewModel, comparison: FrameComparison
) -> None:
    errors, frames = TensorErrors(), [anchor_comparison(seed) for seed in range(5)]
    for one in frames:
        errors.update(one.errors)
    view_model.set_video_errors(errors)
    dock = show("error_histogram")
    qtbot.mouseClick(dock.findChild(QToolButton, "error_histogram.so_far"), Qt.MouseButton.LeftButton)
    d = np.concatenate([difference(one, head).ravel() for one in frames for head in ("s8", "s16")])
    assert dock.findChild(QComboBox, "error_histogram.output").currentText() == "all outputs"
    assert number(value(dock, "mse")) == pytest.approx((d**2).mean(), rel=1e-3)
    assert f"{d.size:,} values" in value(dock, "words")
    assert "≈" not in value(dock, "words")
    view_model.change_settings(epsilon=0.2)
    qtbot.waitUntil(lambda: "≈" in value(dock, "words"), timeout=2000)
    assert number(value(dock, "over_epsilon").removeprefix("≈ ")) == pytest.approx(
        100 * (np.abs(d) > 0.2).mean(), abs=1
    )


def test_that_dragging_a_line_sets_epsilon_and_moves_both_lines(
    show: Show,
    qtbot: QtBot,
    view_model: ViewModel,
    comparison: FrameComparison,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # pyqtgraph leaves out moves that come faster than a hand's.
    monkeypatch.setitem(pg.CONFIG_OPTIONS, "mouseRateLimit", -1)
    dock = show("error_histogram")
    # It takes the hover from a move, and with it the line that is to be dragged.
    start = line_at(dock, 1)
    port = dock.plot.viewport()
    aside = itertools.cycle((1, 0))

    def caught() -> bool:
        qtbot.mouseMove(port, start - QPoint(next(aside), 0))
        return port.cursor().shape() == Qt.CursorShape.SplitHCursor

    qtbot.waitUntil(caught, timeout=5000)
    qtbot.mousePress(port, Qt.MouseButton.LeftButton, pos=start)
    for step in range(1, 9):
        qtbot.mouseMove(port, start - QPoint(10 * step, 0))
        qtbot.waitUntil(lambda n=step: line_at(dock, 1).x() < start.x() - 10 * n + 4, timeout=5000)
    qtbot.mouseRelease(port, Qt.MouseButton.LeftButton, pos=start - QPoint(80, 0))

    # Moves are handed on a little later, so as not to outrun the painting: the last one is waited for.
    def followed() -> bool:
        place = dock.plot.axis.place(view_model.settings.epsilon)
        return line_at(dock, 1).x() < start.x() - 76 and dock.plot.line_places()[1] == pytest.approx(place)

    qtbot.waitUntil(followed, timeout=5000)
    assert view_model.settings.epsilon < 0.45
    assert dock.plot.line_places()[0] == pytest.approx(-dock.plot.line_places()[1])
    assert line_at(dock, 1).x() == pytest.approx(start.x() - 80, abs=4)


def test_that_the_lines_follow_epsilon_set_elsewhere(
    show: Show, qtbot: QtBot, view_model: ViewModel, comparison: FrameComparison
) -> None:
    dock = show("error_histogram")
    before = line_at(dock, 1).x()
    view_model.change_settings(epsilon=0.05)
    view_model.set_comparison(comparison.with_settings(view_model.settings))
    qtbot.waitUntil(lambda: line_at(dock, 1).x() < before - 20, timeout=2000)
    qtbot.waitUntil(lambda: "≈" not in value(dock, "words"), timeout=2000)
    d = np.concatenate([difference(comparison, head).ravel() for head in ("s8", "s16")])
    assert number(value(dock, "over_epsilon")) == pytest.approx(100 * (np.abs(d) > 0.05).mean(), abs=0.051)


def test_that_bars_outside_epsilon_have_another_colour_in_both_themes(
    show: Show, qtbot: QtBot, view_model: ViewModel, comparison: FrameComparison
) -> None:
    dock = show("error_histogram")
    for theme in (view_model.theme, LIGHT):
        view_model.set_theme(theme)
        image = pixels_of(dock.plot).astype(int)
        line = line_at(dock, 1)
        foot = image[
            dock.plot.mapFromScene(dock.plot.getPlotItem().getViewBox().mapViewToScene(QPointF(0, -4.0))).y()
            - 3
        ]
        near = {"control": foot[line.x() - 12 : line.x() - 2], "warning": foot[line.x() + 3 : line.x() + 9]}
        for role, pixels in near.items():
            colour = QColor(getattr(theme, role))
            off = np.abs(pixels - [colour.red(), colour.green(), colour.blue()]).max(axis=1)
            assert off.min() < 10, role


def test_that_broken_values_are_counted_and_said(show: Show, view_model: ViewModel) -> None:
    from tests.compare.pairs import anchor_spec, compared, random_heads

    spec = anchor_spec("a.onnx")
    heads = random_heads(spec, 1)
    broken = {name: values.copy() for name, values in heads.items()}
    broken["s8"][0, 0, 0, :3] = np.nan
    view_model.set_comparison(compared(spec, anchor_spec("b.onnx"), (heads, broken)))
    dock = show("error_histogram")
    assert value(dock, "nonfinite") == "0, 3"
    assert value(dock, "mse") == "0"


def test_that_a_hidden_dock_shows_nothing_new_and_catches_up(
    show: Show, qtbot: QtBot, view_model: ViewModel, comparison: FrameComparison
) -> None:
    dock, seen = show("error_histogram"), show("error_histogram")
    before = value(dock, "mse")
    dock.hide()
    view_model.set_comparison(anchor_comparison(9, by=1.0))
    qtbot.waitUntil(lambda: value(seen, "mse") != before, timeout=5000)
    assert value(dock, "mse") == before
    dock.show()
    assert value(dock, "mse") != before


def test_that_nothing_compared_is_said_in_words(show: Show) -> None:
    dock = show("error_histogram")
    assert "Nothing is compared yet" in value(dock, "words")
    assert value(dock, "mse") == "–"


@given(st.floats(-1e6, 1e6, allow_nan=False), st.integers(-3, 6))
def test_that_the_axis_gives_a_difference_back_from_its_place(d: float, top: int) -> None:
    axis = Axis(top)
    found = axis.value(axis.place(d))
    if abs(d) <= 10.0**top:
        assert found == pytest.approx(d, rel=1e-9, abs=axis.least * 1e-9)
    assert -axis.end <= axis.place(d) <= axis.end


@pytest.mark.parametrize("epsilon", [1e-7, 0.003, 0.5, 7.0])
def test_that_the_bars_hold_every_value_and_the_share_outside_epsilon(epsilon: float) -> None:
    comparison = anchor_comparison(4)
    histogram = comparison.errors.histogram_of("s8")
    d = difference(comparison, "s8").astype(np.float32)
    bars = bars_of(histogram, axis_for(float(np.abs(d).max())), epsilon)
    assert bars.share.sum() == pytest.approx(1)
    assert bars.share[bars.outside].sum() == pytest.approx(histogram.share_over(epsilon), abs=2e-3)
    assert bars.share[bars.outside].sum() == pytest.approx((np.abs(d) > epsilon).mean(), abs=0.02)
    assert (bars.right > bars.left).all()
    order = np.argsort(bars.left)
    assert (bars.left[order][1:] >= bars.right[order][:-1] - 1e-9).all()


def test_that_outputs_that_do_not_pair_are_said_to(show: Show, view_model: ViewModel) -> None:
    from tests.compare.pairs import anchor_spec, compared, dfl_spec, random_heads
    from trtviewer.models.correspond import Correspondence

    reference, candidate = anchor_spec("a.onnx"), dfl_spec("b.onnx")
    heads = (random_heads(reference, 1), random_heads(candidate, 2))
    apart = Correspondence((), "one of them gives boxes after NMS")
    view_model.set_comparison(compared(reference, candidate, heads, correspondence=apart))
    dock = show("error_histogram")
    assert "cannot be compared: one of them gives boxes after NMS" in value(dock, "words")
    assert value(dock, "mse") == "–"
