"""What each layer alone costs at the heads, against models that are quantized in just that layer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests import model_zoo
from tests.blame import small
from tests.quantize import networks
from trtviewer.blame import at_heads
from trtviewer.blame.at_heads import HeadsMeter
from trtviewer.blame.measurement import HEADS_FRAMES, LayerMeasurement, measure
from trtviewer.blame.pairing import load_twin
from trtviewer.compare.settings import CompareSettings
from trtviewer.models.load import load_spec
from trtviewer.pipeline.analysis import comparisons
from trtviewer.pipeline.pair import open_pair
from trtviewer.preprocess import Placement
from trtviewer.sources.address import open_source
from trtviewer.sources.frame import Frame
from trtviewer.sources.source import FrameRange

PLACED = Placement((16, 16), (16, 16), 1.0, 1.0, 0.0, 0.0)


def black(index: int) -> Frame:
    return Frame(np.zeros((16, 16, 3), np.uint8), index, 0.0)


@pytest.mark.parametrize("nodes", [1_000, 1], ids=["one_session", "one_a_layer"])
def test_that_it_is_the_error_of_models_quantized_in_that_layer_alone(
    nodes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(at_heads, "_NODES", nodes)
    model = networks.plain(tmp_path / "float.onnx")
    twin = small.twin_of(model, small.ours(model, tmp_path / "int8.onnx"))
    meter = HeadsMeter(twin, CompareSettings(), threads=1)
    frames = networks.pictures(3, seed=5)
    for index, tensor in enumerate(frames):
        meter.update(black(index), PLACED, tensor)
    every = {"First", "Middle", "Head"}
    for layer, found in zip(twin.layers, meter.result(), strict=True):
        alone = small.ours(model, tmp_path / f"{layer.name}.onnx", every - {layer.name})
        errors = [small.run(alone, tensor)[0] - small.run(model, tensor)[0] for tensor in frames]
        assert found is not None
        assert found.mse["head"] == pytest.approx(
            float(np.mean(np.square(errors, dtype=np.float64))), rel=1e-3
        )


def test_that_missed_detections_are_those_of_a_comparison(tmp_path: Path) -> None:
    model = model_zoo.tiny_yolo_anchor(tmp_path / "tiny.onnx", seed=1)
    candidate = small.ours_of(model, tmp_path / "int8.onnx")
    settings = CompareSettings(confidence=0.05)
    folder = small.noise_pictures(tmp_path / "frames", 5)
    reference = load_spec(model)
    twin = load_twin(reference, load_spec(candidate))
    measurement = LayerMeasurement(twin, settings, threads=1)
    with open_source(str(folder)) as source:
        measure(measurement, source, range(5))
        found = measurement.result().at_heads
        for index, (layer, cost) in enumerate(zip(twin.layers, found, strict=True)):
            others = [other.name for other in twin.layers if other.name != layer.name]
            alone = small.ours_of(model, tmp_path / f"only{index}.onnx", others)
            with open_pair(reference, load_spec(alone)) as pair:
                missed = sum(each.missed for each in comparisons(source, FrameRange(), pair, settings))
            # A Concat has its pairs for the layers that it feeds, and goes with them.
            assert (cost is None) == (layer.op == "Concat")
            assert cost is None or cost.missed == missed


def test_that_a_layer_that_no_path_leads_from_costs_a_head_nothing(tmp_path: Path) -> None:
    net = networks.Builder(0)
    trunk = net.op("Relu", net.conv("images", 3, 8, name="Trunk"), name="Act")
    heads = [net.conv(trunk, 8, 6, 1, name=name) for name in ("Left", "Right")]
    model = net.save(tmp_path / "float.onnx", *heads)
    twin = small.twin_of(model, small.ours(model, tmp_path / "int8.onnx"))
    meter = HeadsMeter(twin, CompareSettings(), threads=1)
    meter.update(black(0), PLACED, networks.pictures(1)[0])
    costs = {layer.name: cost for layer, cost in zip(twin.layers, meter.result(), strict=True)}
    assert costs["Left"] is not None and costs["Right"] is not None
    assert costs["Left"].mse["right"] == costs["Right"].mse["left"] == 0
    assert costs["Left"].mse["left"] and costs["Right"].mse["right"]


def test_that_at_most_eight_spread_frames_are_looked_at_and_all_are_measured(tmp_path: Path) -> None:
    model = networks.plain(tmp_path / "float.onnx")
    twin = small.twin_of(model, small.ours(model, tmp_path / "int8.onnx"))
    folder = small.noise_pictures(tmp_path / "frames", 11)
    measurement = LayerMeasurement(twin, CompareSettings(), threads=1)
    done: list[int] = []
    with open_source(str(folder)) as source:
        measure(measurement, source, range(11), done.append)
    result = measurement.result()
    assert (result.frames, result.heads_frames) == (11, HEADS_FRAMES)
    assert done == list(range(1, 12))
    costs = [result.at_heads[index] for index in result.ranked()]
    assert costs == sorted(costs, key=lambda cost: -cost.mean_mse if cost else 1)


def test_that_a_cancelled_measurement_keeps_what_it_has(tmp_path: Path) -> None:
    model = networks.plain(tmp_path / "float.onnx")
    twin = small.twin_of(model, small.ours(model, tmp_path / "int8.onnx"))
    folder = small.noise_pictures(tmp_path / "frames", 4)
    measurement = LayerMeasurement(twin, CompareSettings(), threads=1)
    with open_source(str(folder)) as source:
        measure(measurement, source, range(4), cancelled=lambda: measurement.result().frames == 2)
    assert measurement.result().frames == 2
    assert measurement.result().layers[0].own.mse is not None
