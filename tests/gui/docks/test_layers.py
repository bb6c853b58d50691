"""Layers and variants in the whole window, driven as a user does; figures against the core and loops."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton, QSpinBox, QTableView, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from tests.gui.conftest import PATIENCE_MS, Inputs, open_all, wait_for_frame
from trtviewer.blame.measurement import LayerMeasurement, measure
from trtviewer.blame.pairing import load_twin
from trtviewer.blame.trial import Bench
from trtviewer.gui.docks.layer_rows import Column, LayerRows, noise_words, percent
from trtviewer.gui.docks.layer_ticks import MOST_MISSED
from trtviewer.gui.docks.layers import LayersDock
from trtviewer.gui.docks.variant_model import Column as VariantColumn
from trtviewer.gui.docks.variants import VariantsDock
from trtviewer.gui.files.session import Session
from trtviewer.gui.main_window import MainWindow
from trtviewer.gui.what_if.recipe import Part
from trtviewer.gui.what_if.state import Judge
from trtviewer.models.load import load_spec
from trtviewer.sources.address import open_source
from trtviewer.sources.source import spread

FEW = 3


@pytest.fixture
def opened(comparing: MainWindow, qtbot: QtBot) -> MainWindow:
    """The window with the Layers dock in front and few frames chosen."""
    comparing.requests.reveal.emit("layers")
    qtbot.waitUntil(lambda: comparing.findChild(LayersDock) is not None)
    comparing.findChild(QSpinBox, "layers.frames").setValue(FEW)
    comparing.findChild(QSpinBox, "layers.calibration_frames").setValue(FEW)
    return comparing


@pytest.fixture
def found(opened: MainWindow, qtbot: QtBot) -> MainWindow:
    """The same, with the layers measured."""
    click(opened, qtbot, "layers.find")
    qtbot.waitUntil(lambda: opened.view_model.what_if.layers is not None, timeout=PATIENCE_MS)
    wait_idle(opened, qtbot)
    return opened


def click(window: MainWindow, qtbot: QtBot, name: str) -> None:
    qtbot.mouseClick(window.findChild(QPushButton, name), Qt.MouseButton.LeftButton)


def wait_idle(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not window.view_model.what_if.running, timeout=PATIENCE_MS)


def apply(window: MainWindow, qtbot: QtBot) -> None:
    """Presses Apply and waits until the new variant is painted and judged."""
    count = len(window.view_model.models.candidates)
    click(window, qtbot, "layers.apply")
    qtbot.waitUntil(lambda: len(window.view_model.models.candidates) == count + 1, timeout=PATIENCE_MS)
    wait_shown(window, qtbot)
    wait_idle(window, qtbot)


def wait_shown(window: MainWindow, qtbot: QtBot) -> None:
    def there() -> bool:
        comparison, candidate = window.view_model.comparison, window.view_model.models.candidate
        return comparison is not None and comparison.candidate.spec.path == candidate.path

    qtbot.waitUntil(there, timeout=PATIENCE_MS)


def column(table: QTableView, which: int) -> list[str]:
    model = table.model()
    return [model.index(row, which).data() for row in range(model.rowCount())]


def test_that_the_table_shows_what_the_core_measures_the_worst_first(
    found: MainWindow, inputs: Inputs
) -> None:
    twin = load_twin(load_spec(inputs.reference), load_spec(inputs.candidate))
    measurement = LayerMeasurement(twin, found.view_model.settings, 1)
    with open_source(str(inputs.video)) as source:
        measure(measurement, source, spread(source.length, FEW))
    expected = measurement.result()
    costs = {
        error.layer.name: -1.0 if cost is None else float(np.mean(list(cost.mse.values())))
        for error, cost in zip(expected.layers, expected.at_heads, strict=True)
    }
    table = found.findChild(QTableView, "layers.table")
    names = column(table, Column.LAYER)
    assert [costs[name] for name in names] == pytest.approx(sorted(costs.values(), reverse=True), rel=1e-4)
    shown = [float(text.replace("−", "-")) for text in column(table, Column.HEADS) if text != "–"]
    assert shown == pytest.approx([costs[name] for name in names if costs[name] >= 0], rel=6e-3)
    assert found.view_model.what_if.layers.result.frames == FEW
    words = found.findChild(QLabel, "layers.words").text()
    assert words.startswith(names[0])


def test_that_the_graph_order_is_one_click_away(found: MainWindow, qtbot: QtBot) -> None:
    table = found.findChild(QTableView, "layers.table")
    worst_first = column(table, Column.LAYER)
    button = found.findChild(QToolButton, "layers.graph_order")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    graph = [error.layer.name for error in found.view_model.what_if.layers.result.layers]
    assert column(table, Column.LAYER) == graph
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert column(table, Column.LAYER) == worst_first


def test_that_a_ticked_layer_is_float_in_the_variant_and_the_others_are_not(
    found: MainWindow, qtbot: QtBot
) -> None:
    table = found.findChild(QTableView, "layers.table")
    table.setCurrentIndex(table.model().index(0, Column.LAYER))
    qtbot.keyClick(table, Qt.Key.Key_Space)
    name = column(table, Column.LAYER)[0]
    assert found.view_model.what_if.ticks == {name}
    assert found.findChild(QLabel, "layers.kept").text().startswith("1 float, ")
    apply(found, qtbot)
    candidate = found.view_model.models.candidate
    model = onnx.load(str(candidate.path))
    quantized = {
        output for node in model.graph.node if node.op_type == "DequantizeLinear" for output in node.output
    }
    by_name = {node.name: node for node in model.graph.node if node.op_type == "Conv"}
    assert not quantized.intersection(by_name[name].input[:2])
    others = [node for node in by_name.values() if node.name != name]
    assert others and all(quantized.issuperset(node.input[:2]) for node in others)


def test_that_a_variant_is_shown_on_the_same_frame_and_keys_go_back_and_forth(
    found: MainWindow, qtbot: QtBot
) -> None:
    found.requests.seek.emit(7)
    wait_for_frame(found, qtbot, 7)
    apply(found, qtbot)
    models = found.view_model.models
    assert models.shown == 1
    assert found.view_model.comparison.frame.index == 7
    qtbot.keyClick(found, Qt.Key.Key_1)
    wait_shown(found, qtbot)
    assert found.view_model.models.shown == 0
    qtbot.keyClick(found, Qt.Key.Key_2)
    wait_shown(found, qtbot)
    assert found.view_model.comparison.candidate.spec.path == models.candidates[1].path
    assert found.view_model.comparison.frame.index == 7


def test_that_the_history_judges_every_variant_on_the_same_frames(
    found: MainWindow, qtbot: QtBot, inputs: Inputs
) -> None:
    apply(found, qtbot)
    found.requests.reveal.emit("variants")
    qtbot.waitUntil(lambda: found.findChild(VariantsDock) is not None)
    table = found.findChild(QTableView, "variants.table")
    qtbot.waitUntil(lambda: table.model().rowCount() == 2)
    variants = found.view_model.what_if.variants
    assert {one.frames.frames for one in variants.values()} == {spread(24, FEW)}
    reference = {one.figures.reference for one in variants.values()}
    assert len(reference) == 1
    shown = column(table, VariantColumn.MISSED)
    for text, entry in zip(shown, found.view_model.models.candidates, strict=True):
        figures = variants[entry.path].figures
        assert text.startswith(f"{figures.missed} of {figures.reference}")
    assert column(table, VariantColumn.NAME)[0] == inputs.candidate.name
    assert column(table, VariantColumn.NAME)[1] == "mse, 3 frames of numbers.mkv"
    assert column(table, VariantColumn.MACS) == ["100 %", "100 %"]


def test_that_figures_of_variants_follow_the_confidence_with_no_model_run(
    found: MainWindow, qtbot: QtBot
) -> None:
    (variant,) = found.view_model.what_if.variants.values()
    reference = variant.figures.reference
    found.view_model.change_settings(confidence=0.9)
    qtbot.waitUntil(
        lambda: next(iter(found.view_model.what_if.variants.values())).figures.reference < reference,
        timeout=PATIENCE_MS,
    )
    (after,) = found.view_model.what_if.variants.values()
    boxes = [frame.reference for frame in after.kept]
    assert after.figures.reference <= sum(int((one.score > np.float32(0.9)).sum()) for one in boxes)
    assert after.kept is variant.kept


def test_that_ranges_are_collected_once_for_any_number_of_variants(found: MainWindow, qtbot: QtBot) -> None:
    titles: list[str] = []
    found.view_model.progress_changed.connect(lambda progress: titles.extend(one.title for one in progress))
    apply(found, qtbot)
    assert any(title.startswith("Calibrating") for title in titles)
    titles.clear()
    found.findChild(QComboBox, "layers.method").setCurrentIndex(2)
    apply(found, qtbot)
    assert not any(title.startswith("Calibrating") for title in titles)
    path = found.view_model.models.candidate.path
    facts = {entry.key: entry.value for entry in onnx.load(str(path)).metadata_props}
    assert facts["trtviewer.calibration.method"] == "minmax"


def test_that_a_variant_can_be_saved_and_is_whole(found: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    apply(found, qtbot)
    path = found.view_model.models.candidate.path
    found.requests.reveal.emit("variants")
    qtbot.waitUntil(lambda: found.findChild(VariantsDock) is not None)
    found.findChild(VariantsDock).save_to(tmp_path / "cured.onnx")
    wait_idle(found, qtbot)
    assert onnx.load(str(tmp_path / "cured.onnx")) == onnx.load(str(path))
    assert load_spec(tmp_path / "cured.onnx").classes == load_spec(path).classes
    found.findChild(VariantsDock).save_to(tmp_path / "half.onnx", "float16")
    wait_idle(found, qtbot)
    assert max(entry.version for entry in onnx.load(str(tmp_path / "half.onnx")).opset_import) >= 19


def test_that_no_variant_is_left_behind_when_the_window_closes(found: MainWindow, qtbot: QtBot) -> None:
    apply(found, qtbot)
    path = found.view_model.models.candidate.path
    assert path.is_file()
    found.unsaved.asks = False
    found.close()
    assert not path.exists()


def test_that_stop_keeps_what_was_measured_or_says_that_nothing_was(opened: MainWindow, qtbot: QtBot) -> None:
    opened.findChild(QSpinBox, "layers.frames").setValue(24)
    click(opened, qtbot, "layers.find")
    assert opened.findChild(QPushButton, "layers.find").text() == "Stop"
    click(opened, qtbot, "layers.find")
    wait_idle(opened, qtbot)
    layers = opened.view_model.what_if.layers
    assert layers is None or layers.result.frames <= 24
    assert not opened.view_model.problems


def test_that_a_candidate_of_another_network_gets_a_banner_and_the_rest_goes_on(
    opened: MainWindow, qtbot: QtBot, inputs: Inputs
) -> None:
    opened.engine.add_candidate(inputs.reference)
    wait_shown(opened, qtbot)
    click(opened, qtbot, "layers.find")
    wait_idle(opened, qtbot)
    qtbot.waitUntil(lambda: bool(opened.view_model.problems))
    problem = opened.view_model.problems[-1]
    assert problem.place == "layers"
    assert "no quantized layer" in problem.what
    banner = opened.findChild(QWidget, "banner.layers")
    assert banner is not None and banner.isVisibleTo(opened)
    apply(opened, qtbot)
    assert opened.view_model.models.candidate.precision == "INT8"


def test_that_keeping_everything_in_float_is_refused_in_words(found: MainWindow, qtbot: QtBot) -> None:
    found.view_model.what_if.set_ticks(
        frozenset(error.layer.name for error in found.view_model.what_if.layers.result.layers)
    )
    click(found, qtbot, "layers.apply")
    wait_idle(found, qtbot)
    qtbot.waitUntil(lambda: bool(found.view_model.problems))
    assert found.view_model.problems[-1].what == "leaves no layer in INT8"
    assert len(found.view_model.models.candidates) == 1


def test_that_the_menu_ticks_the_five_worst(found: MainWindow) -> None:
    found.findChild(QAction, "layers.tick.worst").trigger()
    table = found.findChild(QTableView, "layers.table")
    assert found.view_model.what_if.ticks == set(column(table, Column.LAYER)[:5])
    states = [
        Qt.CheckState(table.model().index(row, Column.KEEP).data(Qt.ItemDataRole.CheckStateRole))
        for row in range(table.model().rowCount())
    ]
    assert states.count(Qt.CheckState.Checked) == 5 and states[0] == Qt.CheckState.Checked


def test_that_another_video_forgets_the_measurement(
    found: MainWindow, qtbot: QtBot, inputs: Inputs, tmp_path: Path
) -> None:
    copy = tmp_path / "again.mkv"
    copy.write_bytes(inputs.video.read_bytes())
    found.engine.open_source(str(copy))
    qtbot.waitUntil(lambda: found.view_model.what_if.layers is None, timeout=PATIENCE_MS)
    assert not any(one.kept for one in found.view_model.what_if.variants.values())
    assert "seconds" in found.findChild(QLabel, "layers.empty").text()


def test_that_an_empty_window_says_what_to_open(
    window: MainWindow, qtbot: QtBot, inputs: Inputs, make_window: Callable[[], MainWindow]
) -> None:
    window.requests.reveal.emit("layers")
    qtbot.waitUntil(lambda: window.findChild(LayersDock) is not None)
    assert "Open a reference" in window.findChild(QLabel, "layers.empty").text()
    assert not window.findChild(QPushButton, "layers.find").isEnabled()
    assert not window.findChild(QPushButton, "layers.apply").isEnabled()
    open_all(window, inputs)
    wait_for_frame(window, qtbot, 0)
    assert window.findChild(QPushButton, "layers.find").isEnabled()


def test_that_noise_is_told_from_damage_in_words() -> None:
    assert noise_words(1.04) == "ordinary 1.0×"
    assert noise_words(2.0) == "ordinary 2.0×"
    assert noise_words(7.31) == "broken 7.3×"
    assert noise_words(None) == "–"
    assert [percent(value) for value in (None, 0.0, 5e-5, 0.0052, 0.052, 0.0996, 1.0)] == [
        "–", "0 %", "<0.01 %", "0.52 %", "5.2 %", "10 %", "100 %",
    ]  # fmt: skip


def test_that_the_share_left_in_int8_counts_multiplications(found: MainWindow) -> None:
    rows = LayerRows(found.view_model.what_if.layers.result)
    macs = {error.layer.name: error.layer.macs for error in rows.result.layers}
    ticked = frozenset(sorted(macs)[:2])
    left = sum(count for name, count in macs.items() if name not in ticked) / sum(macs.values())
    assert rows.int8_share(ticked) == pytest.approx(left)


def test_that_the_status_bar_says_how_int8_is_computed_here(comparing: MainWindow, qtbot: QtBot) -> None:
    status = comparing.findChild(QLabel, "status")
    qtbot.waitUntil(lambda: "disable_quant_qdq" in status.text(), timeout=PATIENCE_MS)
    assert "INT8" in status.text()
    assert "disable_quant_qdq" in comparing.findChild(QLabel, "status.emulated").toolTip()


@pytest.fixture
def refitted(found: MainWindow, qtbot: QtBot, inputs: Inputs) -> MainWindow:
    """The window with the whole video analysed and thresholds fitted, the Variants dock in front."""
    found.engine.add_candidate(inputs.other)
    wait_shown(found, qtbot)
    found.view_model.change_settings(confidence=0.15)  # at which one class is scored differently by this twin
    found.requests.analyse.emit()
    qtbot.waitUntil(lambda: found.view_model.analysed == (24, 24), timeout=PATIENCE_MS)
    found.requests.reveal.emit("variants")
    qtbot.waitUntil(lambda: found.findChild(VariantsDock) is not None)
    click(found, qtbot, "variants.fit")
    qtbot.waitUntil(lambda: found.view_model.what_if.refit is not None, timeout=PATIENCE_MS)
    wait_idle(found, qtbot)
    return found


def test_that_refitted_thresholds_are_in_force_at_a_press_and_gone_at_the_next(
    refitted: MainWindow, qtbot: QtBot
) -> None:
    model, result = refitted.view_model, refitted.view_model.what_if.refit.refit
    assert model.what_if.refit.frames == 24
    words = refitted.findChild(QLabel, "variants.fit_words").text()
    assert f"missed {result.before.counts.missed} → {result.after.counts.missed}" in words
    assert result.table.rows, "the seeded twin needs other thresholds"
    before = model.comparison.candidate.detections.index
    qtbot.mouseClick(refitted.findChild(QToolButton, "variants.in_force"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(model.comparison.settings.candidate_thresholds), timeout=PATIENCE_MS)
    expected = result.table.detections(model.comparison.candidate.boxes, model.settings)
    assert np.array_equal(model.comparison.candidate.detections.index, expected.index)
    # The analysed video is matched again at them, as the re-fit itself counted.
    qtbot.waitUntil(lambda: model.matched_video.settings == model.settings, timeout=PATIENCE_MS)
    both = result.fitted_after.counts.missed + result.after.counts.missed
    assert int(model.matched_video.missed.sum()) == both
    qtbot.mouseClick(refitted.findChild(QToolButton, "variants.in_force"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not model.comparison.settings.candidate_thresholds, timeout=PATIENCE_MS)
    assert np.array_equal(model.comparison.candidate.detections.index, before)


def test_that_thresholds_in_force_go_with_another_candidate_or_confidence(
    refitted: MainWindow, qtbot: QtBot
) -> None:
    qtbot.mouseClick(refitted.findChild(QToolButton, "variants.in_force"), Qt.MouseButton.LeftButton)
    assert refitted.view_model.settings.candidate_thresholds
    refitted.view_model.change_settings(confidence=0.4)
    assert not refitted.view_model.settings.candidate_thresholds
    assert refitted.view_model.settings.confidence == 0.4
    assert not refitted.findChild(QToolButton, "variants.in_force").isVisibleTo(refitted)


def test_that_the_thresholds_are_saved_as_a_table(refitted: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    refitted.findChild(VariantsDock).save_table_to(tmp_path / "thresholds.csv")
    wait_idle(refitted, qtbot)
    lines = (tmp_path / "thresholds.csv").read_text().splitlines()
    assert lines[0] == "class_id,class,stride,confidence"
    assert len(lines) == 2 + len(refitted.view_model.what_if.refit.refit.table.rows)


def test_that_too_few_frames_are_said_not_fitted_to(found: MainWindow, qtbot: QtBot) -> None:
    found.requests.reveal.emit("variants")
    qtbot.waitUntil(lambda: found.findChild(VariantsDock) is not None)
    click(found, qtbot, "variants.fit")
    wait_idle(found, qtbot)
    qtbot.waitUntil(lambda: bool(found.view_model.problems))
    assert "too few" in found.view_model.problems[-1].what


def test_that_closing_in_the_middle_of_a_work_leaves_nothing_behind(opened: MainWindow, qtbot: QtBot) -> None:
    opened.findChild(QSpinBox, "layers.frames").setValue(24)
    click(opened, qtbot, "layers.find")
    qtbot.waitUntil(lambda: bool(opened.view_model.progress), timeout=PATIENCE_MS)
    opened.close()
    assert opened.view_model.what_if.layers is None


def test_that_a_second_request_waits_for_the_first_to_end(opened: MainWindow, qtbot: QtBot) -> None:
    opened.findChild(QSpinBox, "layers.frames").setValue(24)
    click(opened, qtbot, "layers.find")
    assert not opened.findChild(QPushButton, "layers.apply").isEnabled()
    opened.requests.what_if.emit(Judge(Part(opened.view_model.source.address, (0,))))
    assert opened.view_model.status.startswith("Still at work")
    click(opened, qtbot, "layers.find")
    wait_idle(opened, qtbot)


def test_that_layers_of_a_video_that_is_gone_are_not_shown(
    opened: MainWindow, qtbot: QtBot, inputs: Inputs, tmp_path: Path
) -> None:
    copy = tmp_path / "again.mkv"
    copy.write_bytes(inputs.video.read_bytes())
    opened.findChild(QSpinBox, "layers.frames").setValue(24)
    click(opened, qtbot, "layers.find")
    opened.engine.open_source(str(copy))
    qtbot.waitUntil(lambda: opened.view_model.source.address == str(copy), timeout=PATIENCE_MS)
    wait_idle(opened, qtbot)
    assert opened.view_model.what_if.layers is None


def test_that_a_session_leaves_out_variants_that_were_not_saved(
    found: MainWindow, qtbot: QtBot, inputs: Inputs
) -> None:
    apply(found, qtbot)
    session = Session.of(found.view_model, found.comparison.viewport.view)
    assert session.candidates == (inputs.candidate,)
    assert session.shown == 0


def test_that_the_search_ticks_layers_that_meet_its_goal(
    opened: MainWindow, qtbot: QtBot, inputs: Inputs
) -> None:
    opened.findChild(QSpinBox, "layers.frames").setValue(24)
    click(opened, qtbot, "layers.find")
    qtbot.waitUntil(lambda: opened.view_model.what_if.layers is not None, timeout=PATIENCE_MS)
    wait_idle(opened, qtbot)
    (variant,) = opened.view_model.what_if.variants.values()
    assert variant.figures.missed > MOST_MISSED * variant.figures.reference, (
        "the twin must miss more than the goal"
    )
    opened.findChild(QAction, "layers.tick.fewest").trigger()
    qtbot.waitUntil(lambda: bool(opened.view_model.what_if.ticks), timeout=PATIENCE_MS)
    wait_idle(opened, qtbot)
    twin = load_twin(load_spec(inputs.reference), load_spec(inputs.candidate))
    with open_source(str(inputs.video)) as source:
        bench = Bench(
            twin, (source.read(index) for index in range(24)), opened.view_model.settings, threads=1
        )
    ticked = {
        index for index, layer in enumerate(twin.layers) if layer.name in opened.view_model.what_if.ticks
    }
    trial = bench.try_float(ticked)
    assert trial.missed_rate <= MOST_MISSED
    assert f"{len(ticked)} layers in float" in opened.view_model.status
