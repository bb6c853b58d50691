"""The coach: ranges against the frames now playing, causes that the structure shows, and the preprocessing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests import model_zoo
from tests.blame import small
from tests.oracles import layer_loops
from tests.quantize import networks
from trtviewer.blame.causes import CauseKind, causes
from trtviewer.blame.coach import CoachReport, RangeCoach
from trtviewer.blame.twin import Twin
from trtviewer.models.spec import InputSpec
from trtviewer.preprocess import Preprocessor
from trtviewer.quantize.ranges import Ranges, calibration_tensors, collect_ranges
from trtviewer.sources.address import open_source
from trtviewer.sources.frame import Frame

INPUT = InputSpec("images", (16, 16))


def frame(index: int, low: int, high: int) -> Frame:
    """Noise between two brightnesses."""
    picture = np.random.default_rng(index).integers(low, high + 1, (16, 16, 3), dtype=np.uint8)
    return Frame(picture, index, index / 30)


DIM = [frame(index, 0, 60) for index in range(6)]
BRIGHT = [frame(index, 100, 255) for index in range(10, 16)]


def tensors_of(frames: list[Frame]) -> list[np.ndarray]:
    preprocessor = Preprocessor(INPUT)
    return [preprocessor.prepare(each.picture).tensor.copy() for each in frames]


def calibrated(model: Path, out: Path, frames: list[Frame]) -> tuple[Twin, Ranges]:
    network = small.load_network(model)
    ranges = collect_ranges(network, tensors_of(frames), threads=1)
    small.write_qdq(network, small.amax_by_tensor(ranges, "minmax"), (), out)
    return small.twin_of(model, out), ranges


@pytest.fixture
def dim(tmp_path: Path) -> tuple[Twin, Ranges]:
    return calibrated(networks.plain(tmp_path / "float.onnx"), tmp_path / "int8.onnx", DIM)


def coached(twin: Twin, frames: list[Frame], ranges: Ranges | None = None) -> CoachReport:
    coach = RangeCoach(twin, ranges, threads=1)
    for each in frames:
        coach.update(each)
    return coach.result()


@pytest.mark.parametrize("with_calibration", [True, False])
def test_that_frames_like_the_calibrations_stay_within(
    dim: tuple[Twin, Ranges], with_calibration: bool
) -> None:
    twin, ranges = dim
    report = coached(twin, DIM, ranges if with_calibration else None)
    assert report.suggested == ()
    assert not any(tensor.exceeding for tensor in report.tensors)
    assert report.words() == "all 6 frames stay within the calibrated ranges"


@pytest.mark.parametrize("with_calibration", [True, False])
def test_that_brighter_frames_exceed_and_are_named(dim: tuple[Twin, Ranges], with_calibration: bool) -> None:
    twin, ranges = dim
    report = coached(twin, [*DIM, *BRIGHT], ranges if with_calibration else None)
    bright = tuple(each.index for each in BRIGHT)
    stored = layer_loops.all_tensors(twin.reference.path, tensors_of([*DIM, *BRIGHT]))
    for tensor in report.tensors:
        values = np.concatenate(stored[tensor.tensor]).astype(np.float64)
        assert tensor.here == pytest.approx(np.abs(values).max(), rel=1e-5)
        steps = np.rint(values / (tensor.limit / 127))
        assert tensor.clipped_share == pytest.approx(np.mean((steps > 127) | (steps < -128)), abs=2e-4)
        np.testing.assert_allclose(tensor.channel_amax, np.abs(values).max(axis=(0, 2, 3)), rtol=1e-5)
        if tensor.tensor == "images":
            assert tensor.exceeding == bright
    assert set(report.suggested) <= set(bright)
    assert report.suggested
    words = report.words()
    assert words.startswith("6 of 12 frames exceed the range of ")
    assert ", ".join(map(str, report.suggested)) in words


def test_that_the_first_suggested_frame_widens_the_ranges_most(dim: tuple[Twin, Ranges]) -> None:
    twin, ranges = dim
    report = coached(twin, BRIGHT, ranges)
    names = [tensor.tensor for tensor in report.tensors]
    gains = {}
    for each in BRIGHT:
        stored = layer_loops.all_tensors(twin.reference.path, tensors_of([each]))
        ratios = [np.abs(stored[name][0]).max() / ranges.histograms[name].amax for name in names]
        gains[each.index] = sum(np.log2(ratio) for ratio in ratios if ratio > 1.05)
    assert report.suggested[0] == max(gains, key=lambda index: gains[index])


def test_that_the_clip_map_shows_where(dim: tuple[Twin, Ranges]) -> None:
    twin, _ = dim
    picture = np.full((16, 16, 3), 30, np.uint8)
    picture[4:8, 10:14] = 250
    shown = RangeCoach(twin, threads=1).clip_map(Frame(picture, 0, 0.0), "images")
    expected = np.zeros((16, 16), np.float32)
    expected[4:8, 10:14] = 1
    np.testing.assert_array_equal(shown, expected)


def test_that_nothing_looked_at_is_said(dim: tuple[Twin, Ranges]) -> None:
    assert RangeCoach(dim[0], threads=1).result().words() == "no frame was looked at"


def found_in(twin: Twin, frames: list[Frame]) -> dict[CauseKind, str]:
    return {cause.kind: f"{cause.layer}: {cause.evidence}" for cause in causes(twin, coached(twin, frames))}


def test_that_a_well_calibrated_network_has_no_cause(dim: tuple[Twin, Ranges]) -> None:
    assert found_in(dim[0], DIM) == {}


def test_that_a_saturated_first_layer_is_named(dim: tuple[Twin, Ranges]) -> None:
    found = found_in(dim[0], BRIGHT)
    assert CauseKind.SATURATED_FIRST in found
    assert "lies beyond" in found[CauseKind.SATURATED_FIRST]


def test_that_a_concat_of_unlike_ranges_is_named_with_what_is_left(tmp_path: Path) -> None:
    net = networks.Builder(2)
    loud = net.op("Relu", net.conv("images", 3, 8, name="Loud"), name="Act_loud")
    quiet = net.op("Relu", net.conv("images", 3, 8, name="Quiet"), name="Act_quiet")
    quiet = net.op("Mul", quiet, net.const(np.array(0.01, np.float32)), name="Soft")
    join = net.op("Concat", loud, quiet, axis=1, name="Join")
    pool = net.op("MaxPool", join, kernel_shape=[2, 2], strides=[2, 2], name="Pool")
    model = net.save(tmp_path / "float.onnx", net.conv(pool, 16, 6, 1, name="Head"))
    twin, _ = calibrated(model, tmp_path / "int8.onnx", DIM)
    found = [cause for cause in causes(twin, coached(twin, DIM)) if cause.kind is CauseKind.CONCAT_RANGES]
    (cause,) = found
    assert cause.layer == "Join"
    assert "times less" in cause.evidence
    assert "of 127 steps are left" in cause.evidence
    assert cause.cure.startswith("keep Head in float")


def test_that_a_concat_with_an_input_of_zeros_is_no_cause(tmp_path: Path) -> None:
    net = networks.Builder(2)
    loud = net.op("Relu", net.conv("images", 3, 8, name="Loud"), name="Act_loud")
    silent = net.conv("images", 3, 8, name="Silent")
    silent = net.op("Mul", silent, net.const(np.array(0, np.float32)), name="Off")
    join = net.op("Concat", loud, silent, axis=1, name="Join")
    model = net.save(tmp_path / "float.onnx", net.conv(join, 16, 6, 1, name="Head"))
    twin, _ = calibrated(model, tmp_path / "int8.onnx", DIM)
    report = coached(twin, DIM)
    assert report.maps["off"].max() == 0
    assert CauseKind.CONCAT_RANGES not in {cause.kind for cause in causes(twin, report)}


def test_that_outlier_and_dead_channels_are_named(tmp_path: Path) -> None:
    net = networks.Builder(3)
    made = net.conv("images", 3, 10, name="First")
    weights = networks.numpy_helper.to_array(net.weights[0]).copy()
    weights[0] *= 100  # one channel above all others, two that vanish beside it
    weights[8:] *= 1e-3
    net.weights[0] = networks.numpy_helper.from_array(weights, net.weights[0].name)
    net.weights[1] = networks.numpy_helper.from_array(np.zeros(10, np.float32), net.weights[1].name)
    act = net.op("LeakyRelu", made, alpha=0.5, name="Act")
    model = net.save(tmp_path / "float.onnx", net.conv(act, 10, 6, 1, name="Head"))
    twin, _ = calibrated(model, tmp_path / "int8.onnx", DIM)
    found = found_in(twin, DIM)
    assert found[CauseKind.OUTLIER_CHANNELS].startswith("Head: 1 channel of 10 of act reach")
    assert found[CauseKind.DEAD_CHANNELS].startswith("Head: ")
    assert "never reach half a step" in found[CauseKind.DEAD_CHANNELS]


def test_that_a_real_structure_with_every_kind_of_node_is_gone_through(tmp_path: Path) -> None:
    for make in (model_zoo.tiny_yolo_dfl, model_zoo.tiny_yolox):
        model = make(tmp_path / f"{make.__name__}.onnx")
        reference = small.load_spec(model)
        candidate = small.load_spec(small.ours_of(model, tmp_path / f"{make.__name__}_int8.onnx"))
        twin = small.load_twin(reference, candidate)
        assert reference.input is not None
        folder = small.noise_pictures(tmp_path / make.__name__, 2)
        with open_source(str(folder)) as source:
            ranges = collect_ranges(
                small.load_network(model), calibration_tensors(source, reference.input, range(2)), threads=1
            )
            report = coached(twin, [source.read(0), source.read(1)], ranges)
        assert report.frames == 2
        assert all(tensor.layers for tensor in report.tensors)
        causes(twin, report)
