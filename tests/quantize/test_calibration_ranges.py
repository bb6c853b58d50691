"""Calibration runs: ranges against all activations stored, merging, cancelling, refusing."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from tests import model_zoo
from tests.oracles.calibration import best_mse, quantization_mse
from tests.quantize import networks
from trtviewer.errors import BadInput, Cancelled
from trtviewer.models.spec import InputSpec
from trtviewer.preprocess import Preprocessor
from trtviewer.quantize.graph import Network, load_network
from trtviewer.quantize.layout import plan
from trtviewer.quantize.methods import amax_by_tensor
from trtviewer.quantize.ranges import calibration_tensors, collect_ranges, input_amax_of


def stored(network: Network, tensors: list[NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """Every activation of every frame, by a session of its own."""
    model = onnx.ModelProto()
    model.CopyFrom(network.model)
    names = [output for node in network.nodes for output in node.output]
    known = {info.name: info for info in network.model.graph.value_info}
    model.graph.output.extend(known[name] for name in names if name in known)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    exposed = [output.name for output in session.get_outputs()]
    runs = [session.run(exposed, {network.input: tensor}) for tensor in tensors]
    result = {name: np.stack([run[i] for run in runs]) for i, name in enumerate(exposed)}
    return {network.input: np.stack(tensors), **result}


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return load_network(model_zoo.tiny_yolo_anchor(tmp_path / "tiny.onnx"))


def test_that_ranges_agree_with_all_activations_stored(network: Network) -> None:
    pictures = networks.pictures(6, 64)
    ranges = collect_ranges(network, pictures, threads=1)
    assert ranges.frames == 6
    everything = stored(network, pictures)
    chosen = {method: amax_by_tensor(ranges, method, 99.9) for method in ("minmax", "percentile", "mse")}
    assert set(ranges.histograms) == set(plan(network).tensors)
    for name, histogram in ranges.histograms.items():
        values = np.abs(everything[name].astype(np.float64))
        assert chosen["minmax"][name] == pytest.approx(values.max(), rel=1e-5)
        exact = np.quantile(values, 0.999, method="inverted_cdf")
        assert abs(chosen["percentile"][name] - exact) <= histogram.width * (1 + 1e-3)
        error = quantization_mse(everything[name], chosen["mse"][name])
        assert error <= 1.01 * best_mse(everything[name], 400)


def test_that_ranges_of_two_halves_merge_to_those_of_the_whole(network: Network) -> None:
    pictures = networks.pictures(5, 64)
    whole = collect_ranges(network, pictures, threads=1)
    halves = [collect_ranges(network, part, threads=1) for part in (pictures[:2], pictures[2:])]
    merged = halves[0].merged(halves[1])
    assert merged.frames == 5
    for name, histogram in whole.histograms.items():
        other = merged.histograms[name]
        assert (histogram.width, histogram.minimum, histogram.maximum) == (
            other.width,
            other.minimum,
            other.maximum,
        )
        np.testing.assert_array_equal(histogram.counts, other.counts)


def test_that_the_picture_keeps_its_known_range_through_a_focus_layer(tmp_path: Path) -> None:
    net = networks.Builder()
    parts = []
    for start in (0, 1):
        ends = [net.const(np.array([value], np.int64)) for value in (start, 16, 3, 2)]
        parts.append(net.op("Slice", "images", *ends, name=f"Part_{start}"))
    focus = net.op("Concat", *parts, axis=1, name="Focus")
    path = net.save(tmp_path / "m.onnx", net.conv(net.op("Relu", net.conv(focus, 6, 4, name="First")), 4, 2))
    dim = [picture * np.float32(0.3) for picture in networks.pictures(2)]
    amax = amax_by_tensor(collect_ranges(path, dim, input_amax=1.0, threads=1))
    assert amax["part_0"] == amax["part_1"] == amax["focus"] == 1.0
    assert amax["relu_4"] != 1.0


def test_that_memory_does_not_grow_with_the_number_of_frames(network: Network) -> None:
    def peak(count: int) -> int:
        random = np.random.default_rng(0)
        frames = (random.random((1, 3, 64, 64), dtype=np.float32) for _ in range(count))
        tracemalloc.start()
        collect_ranges(network, frames, threads=1)
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    peak(2)  # what is made once
    assert peak(60) < 1.05 * peak(6)


def test_that_progress_is_told_frame_by_frame(network: Network) -> None:
    told: list[int] = []
    collect_ranges(network, networks.pictures(3, 64), threads=1, progress=told.append)
    assert told == [1, 2, 3]


def test_that_cancelling_stops_before_the_next_frame(network: Network) -> None:
    given = 0

    def frames() -> Iterator[NDArray[np.float32]]:
        nonlocal given
        for picture in networks.pictures(10, 64):
            given += 1
            yield picture

    with pytest.raises(Cancelled):
        collect_ranges(network, frames(), threads=1, cancelled=lambda: given > 3)
    assert given == 4


def test_that_a_network_that_gives_nan_is_refused_by_tensor_and_frame(tmp_path: Path) -> None:
    path = networks.plain(tmp_path / "m.onnx")
    model = onnx.load(str(path))
    weights = model.graph.initializer[0]
    bad = numpy_helper.to_array(weights).copy()
    bad[0, 0, 0, 0] = np.nan
    weights.CopyFrom(numpy_helper.from_array(bad, weights.name))
    onnx.save(model, path)
    with pytest.raises(BadInput, match="tensor 'leaky' is NaN or infinite on frame 30"):
        collect_ranges(path, networks.pictures(2), frame_indices=[30, 40], threads=1)


def test_that_a_network_that_overflows_on_one_frame_names_that_frame(tmp_path: Path) -> None:
    path = networks.plain(tmp_path / "m.onnx")
    pictures = networks.pictures(3)
    pictures[2] = pictures[2] * np.float32(3e38)
    with pytest.raises(BadInput, match="infinite on frame 2"):
        collect_ranges(path, pictures, threads=1)


def test_that_no_frame_is_no_calibration(network: Network) -> None:
    with pytest.raises(BadInput, match="no frame to calibrate on"):
        collect_ranges(network, [], threads=1)


def test_that_a_picture_of_another_size_is_refused(network: Network) -> None:
    with pytest.raises(BadInput, match="failed while calibrating"):
        collect_ranges(network, networks.pictures(1, 32), threads=1)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (InputSpec("x", (8, 8)), 1.0),
        (InputSpec("x", (8, 8), pixel_scale=1.0), 255.0),
        (InputSpec("x", (8, 8), mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)), 2.64),
        (InputSpec("x", (8, 8), pixel_scale=1.0, mean=(127.5,) * 3, std=(127.5,) * 3), 1.0),
    ],
)
def test_that_the_range_of_the_picture_covers_every_pixel(spec: InputSpec, expected: float) -> None:
    assert input_amax_of(spec) == pytest.approx(expected)


def test_that_calibration_sees_what_the_viewer_shows_the_model() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (48, 60, 3), np.uint8)
    spec = InputSpec("images", (64, 64))

    class OneFrame:
        def read(self, index: int) -> object:
            assert index == 7
            return type("Frame", (), {"picture": picture})

    (tensor,) = calibration_tensors(OneFrame(), spec, [7])  # type: ignore[arg-type]
    np.testing.assert_array_equal(tensor, Preprocessor(spec).prepare(picture).tensor)


def test_that_models_that_cannot_be_quantized_say_why(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"

    def refused(message: str) -> None:
        with pytest.raises(BadInput, match=message) as caught:
            load_network(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)

    refused("cannot be read")
    path.write_bytes(b"this is no model at all")
    refused("is not a")
    networks.plain(path)
    path.write_bytes(path.read_bytes()[:-100])
    refused("is not a whole ONNX model")
    path.write_bytes(b"")
    refused("is not an ONNX model")
    networks.plain(path, opset=12)
    refused("is of opset 12, and INT8 by channel needs 13")
    networks.plain(path, batch="N")
    refused("its batch is N, not 1")
    networks.plain(path, batch=4)
    refused("its batch is 4, not 1")
    net = networks.Builder()
    net.save(path, net.op("Relu", "images"))
    refused("has no Conv")
    net = networks.Builder()
    scale, zero = net.const(np.array(0.1, np.float32)), net.const(np.array(0, np.int8))
    pair = net.op("DequantizeLinear", net.op("QuantizeLinear", "images", scale, zero), scale, zero)
    net.save(path, net.conv(pair, 3, 4))
    refused("is quantized already")
    networks.plain(path)
    model = onnx.load(str(path))
    for tensor in model.graph.initializer:
        tensor.CopyFrom(
            numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), tensor.name)
        )
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.FLOAT16
    onnx.save(model, path)
    refused("is FP16")
    model = onnx.load(str(networks.plain(path)))
    model.graph.input.append(helper.make_tensor_value_info("other", onnx.TensorProto.FLOAT, [1]))
    onnx.save(model, path)
    refused("has 2 inputs")


def test_that_external_data_is_read_from_the_models_folder_and_from_nowhere_else(tmp_path: Path) -> None:
    model = onnx.load(str(networks.plain(tmp_path / "whole.onnx")))
    path = tmp_path / "apart.onnx"
    onnx.save_model(model, str(path), save_as_external_data=True, location="apart.data", size_threshold=0)
    assert load_network(path).model.ByteSize() > 1000
    (tmp_path / "apart.data").rename(tmp_path / "moved.data")
    with pytest.raises(BadInput, match=r"its weights are in 'apart.data', which is not beside it"):
        load_network(path)
    for outside in ("../moved.data", str(tmp_path / "moved.data"), "..\\moved.data", "C:\\moved.data"):
        crooked = onnx.load(str(path), load_external_data=False)
        for tensor in crooked.graph.initializer:
            for entry in tensor.external_data:
                if entry.key == "location":
                    entry.value = outside
        path.write_bytes(crooked.SerializeToString())
        with pytest.raises(BadInput, match="outside the model's folder"):
            load_network(path)


def test_that_a_network_whose_only_quantized_tensor_is_its_input_is_calibrated(tmp_path: Path) -> None:
    weight = numpy_helper.from_array(np.ones((4, 3, 3, 3), np.float32), "weight")
    node = helper.make_node("Conv", ["images", "weight"], ["out"], name="Conv_0", pads=[1, 1, 1, 1])
    float32 = onnx.TensorProto.FLOAT
    images = helper.make_tensor_value_info("images", float32, [1, 3, 16, 16])
    out = helper.make_tensor_value_info("out", float32, [1, 4, 16, 16])
    graph = helper.make_graph([node], "one", [images], [out], [weight])
    path = tmp_path / "one.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    pictures = networks.pictures(2)
    ranges = collect_ranges(load_network(path), pictures, threads=1)
    assert set(ranges.histograms) == {"images"}
    largest = max(float(np.abs(picture).max()) for picture in pictures)
    assert amax_by_tensor(ranges, "minmax")["images"] == pytest.approx(largest, rel=1e-5)
