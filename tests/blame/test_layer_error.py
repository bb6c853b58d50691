"""Own and cumulative error of layers, against a computation that stores everything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.blame import small
from tests.oracles import layer_loops
from tests.quantize import networks
from trtviewer.blame.layer_error import LayerMeter

NETWORKS = [networks.plain, networks.residual, networks.routed]
WRITERS = [small.ours, small.onnxruntimes]


def writer_name(writer: object) -> str:
    return getattr(writer, "__name__", str(writer))


@pytest.mark.parametrize("write", WRITERS, ids=writer_name)
@pytest.mark.parametrize("make", NETWORKS, ids=writer_name)
def test_that_the_errors_are_those_of_a_computation_that_stores_everything(
    make: Callable[[Path], Path], write: Callable[[Path, Path], Path], tmp_path: Path
) -> None:
    model = make(tmp_path / "float.onnx")
    candidate = write(model, tmp_path / "int8.onnx")
    meter = LayerMeter(small.twin_of(model, candidate), threads=1)
    frames = networks.pictures(4, seed=5)
    for tensor in frames:
        meter.update(tensor)

    stored, quantized = (layer_loops.all_tensors(path, frames) for path in (model, candidate))
    nodes = {node.name: node for node in onnx.load(model).graph.node}
    their_model = onnx.load(candidate)
    theirs = {node.name: node for node in their_model.graph.node}
    for error in meter.result():
        node, other = nodes[error.layer.name], theirs[error.layer.name]
        reference = stored[node.output[0]]
        mse, sqnr, cosine = layer_loops.figures(reference, quantized[other.output[0]])
        assert error.cumulative.mse == pytest.approx(mse, rel=1e-4)
        assert error.cumulative.sqnr_db == pytest.approx(sqnr, abs=1e-3)
        assert error.cumulative.cosine == pytest.approx(cosine, abs=1e-9)
        if error.layer.op not in ("Conv", "Concat", "Add"):
            assert error.layer.op in ("Slice", "Resize")
            continue
        own = [
            layer_loops.own_output(
                their_model,
                other,
                {index: stored[name][frame] for index, name in enumerate(node.input) if name in stored},
            )
            for frame in range(len(frames))
        ]
        mse, sqnr, cosine = layer_loops.figures(reference, own)
        assert error.own.mse == pytest.approx(mse, rel=1e-4)
        assert error.own.sqnr_db == pytest.approx(sqnr, abs=1e-3)
        assert error.own.cosine == pytest.approx(cosine, abs=1e-9)


def test_that_layers_come_in_the_graphs_order_with_their_macs(tmp_path: Path) -> None:
    model = networks.routed(tmp_path / "float.onnx")
    twin = small.twin_of(model, small.ours(model, tmp_path / "int8.onnx"))
    order = [node.name for node in onnx.load(model).graph.node]
    names = [layer.name for layer in twin.layers]
    assert names == [name for name in order if name in names]
    assert {layer.name: layer.macs for layer in twin.layers if layer.macs} == {
        "First": 16 * 16 * 8 * 3 * 9,
        "Small": 16 * 16 * 4 * 4 * 9,
        "Deep": 8 * 8 * 8 * 12 * 9,
        "Head_deep": 8 * 8 * 6 * 8,
        "Head_wide": 16 * 16 * 6 * 12,
    }


def test_that_a_layer_kept_in_float_has_no_error_of_its_own(tmp_path: Path) -> None:
    model = networks.plain(tmp_path / "float.onnx")
    twin = small.twin_of(model, small.ours(model, tmp_path / "int8.onnx", ["Middle"]))
    meter = LayerMeter(twin, threads=1)
    meter.update(networks.pictures(1)[0])
    middle = next(error for error in meter.result() if error.layer.name == "Middle")
    assert middle.layer.precision == "fp32"
    assert (middle.own.mse, middle.own.sqnr_db, middle.own.cosine) == (0, None, pytest.approx(1, abs=1e-15))
    assert middle.cumulative.mse is not None
    assert middle.cumulative.mse > 0
    assert (middle.clipped_share, middle.range_used, middle.expected_mse) == (None, None, None)


def test_that_a_float16_candidate_is_measured_as_it_is(tmp_path: Path) -> None:
    model = networks.plain(tmp_path / "float.onnx")
    candidate = small.ours(model, tmp_path / "int8.onnx", ["Head"], float_type="float16")
    meter = LayerMeter(small.twin_of(model, candidate), threads=1)
    frames = networks.pictures(2, seed=5)
    for tensor in frames:
        meter.update(tensor)
    errors = {error.layer.name: error for error in meter.result()}
    assert [error.layer.precision for error in errors.values()] == ["int8", "int8", "fp16"]
    outputs = [small.run(path, tensor)[0] for path in (model, candidate) for tensor in frames]
    expected = np.mean([(outputs[frame + 2] - outputs[frame]) ** 2 for frame in range(2)], dtype=np.float64)
    assert errors["Head"].cumulative.mse == pytest.approx(float(expected), rel=1e-3)
    assert errors["Head"].own.mse is not None
    assert 0 < errors["Head"].own.mse < errors["Head"].cumulative.mse / 100


def test_that_clipping_and_the_use_of_the_range_are_those_of_the_frames(tmp_path: Path) -> None:
    model = networks.plain(tmp_path / "float.onnx")
    twin = small.twin_of(model, small.ours(model, tmp_path / "int8.onnx", method="entropy"))
    meter = LayerMeter(twin, threads=1)
    frames = [3 * tensor for tensor in networks.pictures(3, seed=5)]
    for tensor in frames:
        meter.update(tensor)
    stored = layer_loops.all_tensors(model, frames)
    for error in meter.result():
        (pair,) = error.layer.ranges
        steps = np.rint(np.stack(stored[pair.tensor]).astype(np.float64) / pair.scale)
        clipped = (steps > 127) | (steps < -128)
        assert error.clipped_share == pytest.approx(float(clipped.mean()), abs=1e-5)
        assert clipped.any()
        assert error.range_used == 1
    dim = LayerMeter(twin, threads=1)
    dim.update(np.full((1, 3, 16, 16), 0.25, np.float32))
    first = dim.result()[0]
    assert first.clipped_share == 0
    assert first.range_used == pytest.approx(0.25 / first.layer.ranges[0].high)


def test_that_the_expected_error_is_the_measured_one_where_values_are_spread_evenly(tmp_path: Path) -> None:
    net = networks.Builder(4, size=64)
    made = net.conv("images", 3, 32, 1, name="First")
    model = net.save(tmp_path / "float.onnx", net.conv(made, 32, 32, 1, name="Second"))
    network = small.load_network(model)
    ranges = small.collect_ranges(network, networks.pictures(2, size=64), threads=1)
    small.write_qdq(network, small.amax_by_tensor(ranges, "minmax"), (), tmp_path / "int8.onnx")
    twin = small.load_twin(small.spec_of(model, size=64), small.spec_of(tmp_path / "int8.onnx", size=64))
    meter = LayerMeter(twin, threads=1)
    for tensor in networks.pictures(4, size=64, seed=3):
        meter.update(tensor)
    first, second = meter.result()
    assert first.expected_mse is not None and second.expected_mse is not None
    # The first has just 96 weights, so their own rounding is far from even.
    assert first.own.mse == pytest.approx(first.expected_mse, rel=0.4)
    assert second.own.mse == pytest.approx(second.expected_mse, rel=0.15)


def test_that_frames_in_another_order_give_the_same_figures(tmp_path: Path) -> None:
    model = networks.plain(tmp_path / "float.onnx")
    twin = small.twin_of(model, small.ours(model, tmp_path / "int8.onnx"))
    frames = networks.pictures(3, seed=5)
    forth, back = LayerMeter(twin, threads=1), LayerMeter(twin, threads=1)
    for tensor, other in zip(frames, reversed(frames), strict=True):
        forth.update(tensor)
        back.update(other)
    assert forth.frames == back.frames == 3
    for one, other_error in zip(forth.result(), back.result(), strict=True):
        assert one.own.mse == pytest.approx(other_error.own.mse, rel=1e-12)
        assert one.cumulative.mse == pytest.approx(other_error.cumulative.mse, rel=1e-12)
