"""The Q/DQ models written: structure, arithmetic, and that TensorRT for RTX builds every one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

from tests import model_zoo
from tests.oracles import rtx_build
from tests.quantize import networks
from tests.quantize.twin import write_qdq
from trtviewer.errors import BadInput
from trtviewer.models.load import load_spec
from trtviewer.quantize.graph import Network, load_network
from trtviewer.quantize.keep_float import resolve
from trtviewer.quantize.layout import plan
from trtviewer.quantize.methods import amax_by_tensor
from trtviewer.quantize.qdq import make_qdq, save_with_sidecar, scale_of, shared_scales
from trtviewer.quantize.ranges import calibration_tensors, collect_ranges, input_amax_of
from trtviewer.runners.ort import cpu_session_options
from trtviewer.sources.address import open_source

NETWORKS: dict[str, tuple[Callable[[Path], Path], int]] = {
    "plain": (networks.plain, 16),
    "residual": (networks.residual, 16),
    "routed": (networks.routed, 16),
    "normalised": (networks.normalised, 16),
    "yolo-anchor": (model_zoo.tiny_yolo_anchor, 64),
    "yolo-flat": (model_zoo.tiny_yolo_flat, 64),
    "yolo-dfl": (model_zoo.tiny_yolo_dfl, 64),
    "yolox": (model_zoo.tiny_yolox, 64),
}


@pytest.fixture(params=NETWORKS)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Network, int]:
    make, size = NETWORKS[request.param]
    return load_network(make(tmp_path / "fp32.onnx")), size


def quantized(
    network: Network, size: int, out: Path, *keep_float: str, float_type: str = "float32"
) -> ModelProto:
    ranges = collect_ranges(network, networks.pictures(3, size), input_amax=1.0, threads=1)
    kept = resolve(network, keep_float)
    write_qdq(network, amax_by_tensor(ranges, "mse"), kept, out, float_type)  # type: ignore[arg-type]
    model = onnx.load(str(out))
    onnx.checker.check_model(model, full_check=True)
    return model


def run(
    model: ModelProto, tensor: NDArray[np.float32], options: ort.SessionOptions
) -> list[NDArray[np.float32]]:
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    return [np.asarray(output) for output in session.run(None, {given.name: tensor})]


def constants(model: ModelProto) -> dict[str, NDArray[np.generic]]:
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def producers(model: ModelProto) -> dict[str, onnx.NodeProto]:
    return {output: node for node in model.graph.node for output in node.output}


def test_that_the_rules_of_explicit_quantization_hold(case: tuple[Network, int], tmp_path: Path) -> None:
    network, size = case
    model = quantized(network, size, tmp_path / "int8.onnx")
    values, made = constants(model), producers(model)
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    assert len(convolutions) == len(list(network.weighted()))
    for node in model.graph.node:
        if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
            scale, zero = values[node.input[1]], values[node.input[2]]
            assert zero.dtype == np.int8
            assert not zero.any()
            assert np.all(scale > 0)
        if node.op_type == "QuantizeLinear":
            before = made.get(node.input[0])
            users = [user for user in model.graph.node if before and before.output[0] in user.input]
            # Nothing between a layer and its activation: where a layer's output is quantized, only pairs and adds read it.
            if before is not None and before.op_type == "Conv":
                assert {user.op_type for user in users} <= {"QuantizeLinear", "Concat", "Add"}
    for node in convolutions:
        data, weights = made[node.input[0]], made[node.input[1]]
        assert (data.op_type, weights.op_type) == ("DequantizeLinear", "DequantizeLinear")
        assert values[weights.input[0]].dtype == np.int8
        channels = values[weights.input[0]].shape[0]
        assert values[weights.input[1]].shape == (channels,)
        assert next(entry.i for entry in weights.attribute if entry.name == "axis") == 0
        if len(node.input) > 2:
            assert values[node.input[2]].dtype == np.float32


def test_that_the_weights_are_those_of_the_network_rounded_by_channel(tmp_path: Path) -> None:
    network = load_network(networks.plain(tmp_path / "fp32.onnx"))
    model = quantized(network, 16, tmp_path / "int8.onnx")
    before, after, made = constants(network.model), constants(model), producers(model)
    originals = {node.name: before[node.input[1]] for node in network.weighted()}
    for node in model.graph.node:
        if node.op_type == "Conv":
            weights = made[node.input[1]]
            original = originals[node.name].astype(np.float64)
            scale = np.abs(original).max(axis=(1, 2, 3)) / 127
            np.testing.assert_allclose(after[weights.input[1]], scale, rtol=1e-6)
            expected = np.rint(original / after[weights.input[1]].astype(np.float64)[:, None, None, None])
            np.testing.assert_array_equal(after[weights.input[0]], expected)


def test_that_the_picture_has_the_scale_of_zero_to_one(tmp_path: Path) -> None:
    network = load_network(networks.plain(tmp_path / "fp32.onnx"))
    model = quantized(network, 16, tmp_path / "int8.onnx")
    assert constants(model)["images_scale"] == np.float32(1 / 127)


def test_that_optimised_and_unoptimised_sessions_agree(case: tuple[Network, int], tmp_path: Path) -> None:
    network, size = case
    model = quantized(network, size, tmp_path / "int8.onnx")
    plain = ort.SessionOptions()
    plain.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    for picture in networks.pictures(3, size, seed=77):
        ours = run(model, picture, cpu_session_options(quantized=True))
        theirs = run(model, picture, plain)
        for a, b in zip(ours, theirs, strict=True):
            assert np.mean((a.astype(np.float64) - b) ** 2) < 1e-8


def test_that_the_model_computes_what_the_layout_means(tmp_path: Path) -> None:
    """An own evaluation in numpy, for the plain chain: round data and weights, convolve in float64, activate."""
    network = load_network(networks.plain(tmp_path / "fp32.onnx"))
    model = quantized(network, 16, tmp_path / "int8.onnx")
    picture = networks.pictures(1, seed=5)[0]
    (head,) = run(model, picture, cpu_session_options(quantized=True))
    values, floats = constants(model), constants(network.model)
    x = picture.astype(np.float64)
    names = {"First": "images", "Middle": "leaky", "Head": "silu"}
    for node in network.weighted():
        scale = float(values[names[node.name] + "_scale"])
        x = np.clip(np.rint((x / scale).astype(np.float32)), -128, 127) * scale
        weights = values[node.input[1] + "_quantized"] * values[node.input[1] + "_scale"][:, None, None, None]
        x = convolved(x, weights.astype(np.float64)) + floats[node.input[2]][None, :, None, None]
        if node.name == "First":
            x = np.where(x > 0, x, 0.1 * x)
        elif node.name == "Middle":
            x = x / (1 + np.exp(-x))
    # A value on the edge between two levels may round either way.
    assert np.quantile(np.abs(head - x), 0.99) < 1e-4
    assert np.abs(head - x).max() < 0.05


def convolved(x: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    reach = weights.shape[2] // 2
    padded = np.pad(x, [(0, 0), (0, 0), (reach, reach), (reach, reach)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, weights.shape[2:], axis=(2, 3))
    return np.einsum("nchwij,ocij->nohw", windows, weights)


def test_that_a_layer_kept_in_float_reads_what_was_not_quantized(tmp_path: Path) -> None:
    network = load_network(networks.routed(tmp_path / "fp32.onnx"))
    model = quantized(network, 16, tmp_path / "int8.onnx", "Head_deep")
    node = next(node for node in model.graph.node if node.name == "Head_deep")
    # act_deep is quantized for the concat behind the upsampling, but not for this layer.
    assert node.input[0] == "act_deep"
    assert node.input[1] in {tensor.name for tensor in network.model.graph.initializer}


def test_that_weights_shared_with_a_layer_kept_in_float_are_not_rounded_for_it(tmp_path: Path) -> None:
    net = networks.Builder()
    x = net.op("Relu", net.conv("images", 3, 8, name="First"), name="Act")
    weights = net.random.standard_normal((8, 8, 3, 3)).astype(np.float32)
    shared = net.const(weights)
    for name in ("One", "Two"):
        x = net.op(
            "Relu", net.op("Conv", x, shared, name=name, kernel_shape=[3, 3], pads=[1] * 4), name=f"R_{name}"
        )
    network = load_network(net.save(tmp_path / "fp32.onnx", net.conv(x, 8, 4, name="Last")))
    model = quantized(network, 16, tmp_path / "int8.onnx", "Two")
    two = next(node for node in model.graph.node if node.name == "Two")
    np.testing.assert_array_equal(constants(model)[two.input[1]], weights)
    assert two.input[0] == "r_one"


def test_that_an_output_that_is_also_data_of_a_layer_leaves_as_it_is(tmp_path: Path) -> None:
    net = networks.Builder()
    x = net.op("Relu", net.conv("images", 3, 8, name="First"), name="Act")
    network = load_network(net.save(tmp_path / "fp32.onnx", x, net.conv(x, 8, 4, name="Second")))
    for kind in ("float32", "float16"):
        model = quantized(network, 16, tmp_path / "int8.onnx", float_type=kind)
        assert [output.name for output in model.graph.output] == ["act", "second"]
        picture = networks.pictures(1)[0]
        act = run(model, picture, cpu_session_options(quantized=True))[0]
        steps = act / constants(model)["act_inside_scale"].astype(np.float32)
        assert np.abs(steps - np.rint(steps)).max() > 0.1, "rounded to steps"
        if pytest.importorskip("tensorrt_rtx_bindings"):
            assert rtx_build.build(tmp_path / "int8.onnx").startswith("built")


def test_that_members_of_a_group_have_the_same_scale(tmp_path: Path) -> None:
    network = load_network(networks.routed(tmp_path / "fp32.onnx"))
    values = constants(quantized(network, 16, tmp_path / "int8.onnx"))
    members = ("act_wide", "half", "act_small", "pool", "up", "route", "act_deep")
    assert len({float(values[f"{name}_scale"]) for name in members}) == 1


def test_that_every_model_is_built_by_tensorrt_for_rtx(case: tuple[Network, int], tmp_path: Path) -> None:
    pytest.importorskip("tensorrt_rtx_bindings")
    network, size = case
    for number, (keep, kind) in enumerate(
        [((), "float32"), (("first", "heads"), "float32"), ((), "float16")]
    ):
        if len(list(network.weighted())) == 2 and keep:
            continue  # all of it is first or head
        out = tmp_path / f"int8_{number}.onnx"
        quantized(network, size, out, *keep, float_type=kind)
        assert rtx_build.build(out).startswith("built")


def test_that_float16_leaves_nothing_but_the_border_in_float32(
    case: tuple[Network, int], tmp_path: Path
) -> None:
    network, size = case
    model = quantized(network, size, tmp_path / "int8.onnx", float_type="float16")
    made = producers(model)
    values = constants(model)
    for node in model.graph.node:
        if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
            assert values[node.input[1]].dtype == np.float16
        if node.op_type == "Conv":
            assert all(values[name].dtype == np.float16 for name in node.input[2:])
            data = made[node.input[0]]
            assert data.op_type == "DequantizeLinear"
    assert max(entry.version for entry in model.opset_import if not entry.domain) >= 19
    assert all(entry.type.tensor_type.elem_type == TensorProto.FLOAT for entry in model.graph.input)
    assert all(entry.type.tensor_type.elem_type == TensorProto.FLOAT for entry in model.graph.output)


def test_that_float16_gives_what_float32_gives_but_for_its_rounding(tmp_path: Path) -> None:
    network = load_network(networks.routed(tmp_path / "fp32.onnx"))
    single = quantized(network, 16, tmp_path / "a.onnx")
    half = quantized(network, 16, tmp_path / "b.onnx", float_type="float16")
    picture = networks.pictures(1, seed=3)[0]
    original = run(network.model, picture, cpu_session_options(quantized=False))[0]
    outputs = [run(model, picture, cpu_session_options(quantized=True))[0] for model in (single, half)]
    errors = [np.mean((output.astype(np.float64) - original) ** 2) for output in outputs]
    assert errors[1] < 2 * errors[0]
    assert np.mean((outputs[1] - outputs[0]) ** 2) < errors[0]


def test_that_scales_are_written_bit_for_bit(tmp_path: Path) -> None:
    network = load_network(networks.routed(tmp_path / "fp32.onnx"))
    random = np.random.default_rng(0)
    scales = {name: np.float32(random.uniform(0.001, 1)) for name in plan(network).tensors}
    values = constants(make_qdq(network, scales).model)
    for name, scale in scales.items():
        assert values[f"{name}_scale"].tobytes() == scale.tobytes()


def test_that_what_has_no_scale_stays_float_and_is_told(tmp_path: Path) -> None:
    network = load_network(networks.routed(tmp_path / "fp32.onnx"))
    scales = {name: np.float32(0.01) for name in plan(network).tensors if name not in ("half", "act_deep")}
    result = make_qdq(network, scales)
    assert result.missing == ("half", "act_deep")
    assert result.float_layers == ("Small", "Head_deep")
    onnx.checker.check_model(result.model, full_check=True)
    small = next(node for node in result.model.graph.node if node.name == "Small")
    assert not any("Dequantize" in name for name in small.input)


def test_that_learned_upsampling_and_full_layers_are_quantized_by_their_channels(tmp_path: Path) -> None:
    pytest.importorskip("tensorrt_rtx_bindings")
    network = load_network(networks.transposed(tmp_path / "fp32.onnx"))
    model = quantized(network, 16, tmp_path / "int8.onnx")
    made, values = producers(model), constants(model)
    shapes = {}
    for node in model.graph.node:
        if node.op_type in ("ConvTranspose", "Gemm"):
            weights = made[node.input[1]]
            axis = next(entry.i for entry in weights.attribute if entry.name == "axis")
            shapes[node.op_type] = (axis, values[weights.input[1]].shape)
    assert shapes == {"ConvTranspose": (1, (4,)), "Gemm": (1, (10,))}
    assert rtx_build.build(tmp_path / "int8.onnx").startswith("built")


@pytest.mark.real
def test_that_the_real_network_computes_what_the_unoptimised_graph_does(
    real_data: Path, tmp_path: Path
) -> None:
    path = real_data / "yolov4-tiny.onnx"
    spec, network = load_spec(path), load_network(path)
    assert spec.input is not None
    with open_source(str(real_data / "street.avi")) as source:
        tensors = list(calibration_tensors(source, spec.input, (0, 300, 600)))
    ranges = collect_ranges(network, tensors[:2], input_amax=input_amax_of(spec.input), threads=1)
    model = make_qdq(network, shared_scales(network, amax_by_tensor(ranges))).model
    plain = ort.SessionOptions()
    plain.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    ours, theirs = run(model, tensors[2], cpu_session_options(quantized=True)), run(model, tensors[2], plain)
    for a, b in zip(ours, theirs, strict=True):
        assert np.mean((a.astype(np.float64) - b) ** 2) < 1e-8


def test_that_metadata_travels_and_the_calibration_is_told(tmp_path: Path) -> None:
    path = networks.plain(tmp_path / "fp32.onnx")
    model = onnx.load(str(path))
    helper.set_model_props(model, {"names": "{0: 'cat'}", "stride": "32"})
    onnx.save(model, path)
    network = load_network(path)
    scales = {name: np.float32(0.01) for name in plan(network).tensors}
    made = make_qdq(network, scales, facts={"method": "mse", "frames": "3"}).model
    assert {entry.key: entry.value for entry in made.metadata_props} == {
        "names": "{0: 'cat'}",
        "stride": "32",
        "trtviewer.calibration.method": "mse",
        "trtviewer.calibration.frames": "3",
    }


def test_that_batch_norm_is_folded_and_the_network_computes_the_same(tmp_path: Path) -> None:
    path = networks.normalised(tmp_path / "fp32.onnx")
    network = load_network(path)
    assert "BatchNormalization" not in {node.op_type for node in network.nodes}
    assert len({node.name for node in network.nodes}) == len(network.nodes)
    picture = networks.pictures(1)[0]
    options = cpu_session_options(quantized=False)
    for a, b in zip(
        run(onnx.load(str(path)), picture, options), run(network.model, picture, options), strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


def test_that_ranges_of_another_network_are_refused(tmp_path: Path) -> None:
    network = load_network(networks.plain(tmp_path / "fp32.onnx"))
    with pytest.raises(BadInput, match="no range for its tensor 'images'"):
        shared_scales(network, {"x": 1.0})


def test_that_a_dead_tensor_gets_a_scale_above_zero() -> None:
    assert scale_of(0.0) > 0
    assert scale_of(1e-44) > 0
    assert scale_of(127.0) == 1


def test_that_no_scale_becomes_zero_in_float16(tmp_path: Path) -> None:
    network = load_network(networks.plain(tmp_path / "fp32.onnx"))
    tiny = dict.fromkeys(plan(network).tensors, np.float32(1e-9))
    values = constants(make_qdq(network, tiny, float_type="float16").model)
    scales = [value for name, value in values.items() if name.endswith("_scale")]
    assert len(scales) > len(tiny)
    assert all((scale > 0).all() for scale in scales)


def test_that_no_model_is_written_where_it_or_its_sidecar_cannot_be(tmp_path: Path) -> None:
    original = load_spec(model_zoo.tiny_yolo_anchor(tmp_path / "fp32.onnx"))
    network = load_network(original.path)
    made = make_qdq(network, dict.fromkeys(plan(network).tensors, np.float32(1.0))).model
    with pytest.raises(BadInput, match="cannot be written"):
        save_with_sidecar(made, tmp_path / "nowhere" / "int8.onnx", original)
    (tmp_path / "int8.toml").write_text('family = "yolox"\n')
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(BadInput, match=r"int8\.toml"):
        save_with_sidecar(made, tmp_path / "int8.onnx", original)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
