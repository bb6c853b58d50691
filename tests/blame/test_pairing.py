"""A candidate laid on its reference, and any mixture of the two as a graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.blame import small
from tests.model_zoo import quantized_twin
from tests.quantize import networks
from trtviewer.blame.mixed_graph import open_mixed, variant
from trtviewer.blame.twin import Twin
from trtviewer.errors import BadInput

NETWORKS = [networks.plain, networks.residual, networks.routed, networks.normalised]


def indices_of(twin: Twin, *names: str) -> set[int]:
    places = {layer.name: index for index, layer in enumerate(twin.layers)}
    return {places[name] for name in names}


def outputs_of(twin: Twin, float_names: list[str], tensor: np.ndarray) -> list[np.ndarray]:
    graph, names = variant(twin, indices_of(twin, *float_names))
    session = open_mixed(graph, twin.candidate.path, 1)
    return session.run(names, {twin.input: tensor})


@pytest.mark.parametrize("make", NETWORKS, ids=lambda make: make.__name__)
@pytest.mark.parametrize("write", [small.ours, small.onnxruntimes], ids=["ours", "onnxruntimes"])
def test_that_with_nothing_in_float_it_is_the_candidate(
    make: Callable[[Path], Path], write: Callable[[Path, Path], Path], tmp_path: Path
) -> None:
    model = make(tmp_path / "float.onnx")
    candidate = write(model, tmp_path / "int8.onnx")
    (tensor,) = networks.pictures(1)
    (made,) = outputs_of(small.twin_of(model, candidate), [], tensor)
    np.testing.assert_allclose(made, small.run(candidate, tensor)[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("make", NETWORKS, ids=lambda make: make.__name__)
def test_that_with_everything_in_float_it_is_the_reference(
    make: Callable[[Path], Path], tmp_path: Path
) -> None:
    model = make(tmp_path / "float.onnx")
    twin = small.twin_of(model, small.ours(model, tmp_path / "int8.onnx"))
    (tensor,) = networks.pictures(1)
    (made,) = outputs_of(twin, [layer.name for layer in twin.layers], tensor)
    np.testing.assert_allclose(made, small.run(model, tensor)[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kept", [["First"], ["Middle"], ["Head"], ["First", "Head"]])
def test_that_a_layer_in_float_is_what_keep_float_writes(kept: list[str], tmp_path: Path) -> None:
    model = networks.plain(tmp_path / "float.onnx")
    twin = small.twin_of(model, small.ours(model, tmp_path / "int8.onnx"))
    written = small.ours(model, tmp_path / "kept.onnx", kept)
    for tensor in networks.pictures(3):
        (made,) = outputs_of(twin, kept, tensor)
        np.testing.assert_allclose(made, small.run(written, tensor)[0], rtol=1e-5, atol=1e-5)


def test_that_a_pair_that_two_layers_read_stays_for_the_one_in_int8(tmp_path: Path) -> None:
    model = networks.residual(tmp_path / "float.onnx")
    twin = small.twin_of(model, small.ours(model, tmp_path / "int8.onnx"))
    ranges = {layer.name: layer.ranges for layer in twin.layers}
    # B1 and the convolution of the shortcut read one tensor through one pair.
    assert ranges["B1"] == ranges["Short"] != ()
    (tensor,) = networks.pictures(1)
    graph = variant(twin, indices_of(twin, "Short"))[0].model()
    readers = {node.name: node.input[0] for node in graph.graph.node if node.name in ("B1", "Short")}
    assert readers["Short"] == ranges["Short"][0].tensor
    assert readers["B1"] != readers["Short"]
    both, short, none = (outputs_of(twin, kept, tensor)[0] for kept in (["B1", "Short"], ["Short"], []))
    assert not np.array_equal(short, none)
    assert not np.array_equal(short, both)


@pytest.mark.parametrize("named", [True, False])
def test_that_onnxruntimes_own_layout_with_quantized_outputs_is_understood(
    named: bool, tmp_path: Path
) -> None:
    model = networks.plain(tmp_path / "float.onnx")
    if not named:
        nameless = onnx.load(model)
        for node in nameless.graph.node:
            node.name = ""
        onnx.save(nameless, model)
    candidate = quantized_twin(model, tmp_path / "int8.onnx")
    twin = small.twin_of(model, candidate)
    outputs = {layer.output for layer in twin.layers if layer.is_int8}
    assert {"first", "middle", "head"} <= outputs
    (tensor,) = networks.pictures(1)
    (made,) = outputs_of(twin, [], tensor)
    np.testing.assert_allclose(made, small.run(candidate, tensor)[0], rtol=1e-5, atol=1e-5)


def refusal(model: Path, candidate: Path) -> str:
    with pytest.raises(BadInput) as caught:
        small.twin_of(model, candidate)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_that_another_training_of_the_same_network_is_refused(tmp_path: Path) -> None:
    model = networks.plain(tmp_path / "float.onnx")
    other = networks.plain(tmp_path / "other.onnx", seed=7)
    text = refusal(model, small.ours(other, tmp_path / "int8.onnx"))
    assert "its weights are of another training" in text
    assert "give the FP32 model that the candidate was quantized from" in text


def test_that_another_network_is_refused_with_the_layer_that_tells(tmp_path: Path) -> None:
    model = networks.plain(tmp_path / "float.onnx")
    changed = onnx.load(model)
    middle = next(node for node in changed.graph.node if node.name == "Middle")
    middle.name, middle.output[0] = "Waist", "waist"
    for node in changed.graph.node:
        for index, name in enumerate(node.input):
            node.input[index] = "waist" if name == "middle" else name
    onnx.save(changed, tmp_path / "other.onnx")
    text = refusal(model, small.ours(tmp_path / "other.onnx", tmp_path / "int8.onnx"))
    assert "its Conv 'Waist' has no partner there" in text


def test_that_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    for name, channels in (("float", 8), ("other", 12)):
        net = networks.Builder(0)
        made = net.conv("images", 3, channels, name="First")
        net.save(tmp_path / f"{name}.onnx", net.conv(made, channels, 6, 1, name="Head"))
    text = refusal(tmp_path / "float.onnx", small.ours(tmp_path / "other.onnx", tmp_path / "int8.onnx"))
    assert "the weights of 'First' are [12, 3, 3, 3] against [8, 3, 3, 3]" in text


def test_that_a_float_candidate_and_an_int8_reference_are_refused(tmp_path: Path) -> None:
    model = networks.plain(tmp_path / "float.onnx")
    assert "has no quantized layer: it is not a Q/DQ model" in refusal(model, model)
    candidate = small.ours(model, tmp_path / "int8.onnx")
    assert "is quantized already" in refusal(candidate, candidate)


def test_that_an_engine_is_refused(tmp_path: Path) -> None:
    model = networks.plain(tmp_path / "float.onnx")
    spec = small.spec_of(model)
    with pytest.raises(BadInput, match="is no ONNX file"):
        small.load_twin(spec, replace(spec, path=tmp_path / "int8.engine"))


@pytest.mark.parametrize("kept", [["Small"], ["Deep"], ["Head_wide"], ["Head_deep", "Head_wide"], ["First"]])
def test_that_a_concat_goes_with_the_layers_that_it_feeds(kept: list[str], tmp_path: Path) -> None:
    model = networks.routed(tmp_path / "float.onnx")
    twin = small.twin_of(model, small.ours(model, tmp_path / "int8.onnx"))
    feeds = {
        layer.name: {twin.layers[fed].name for fed in layer.feeds} for layer in twin.layers if layer.feeds
    }
    assert feeds["Join"] == {"Deep"}
    assert feeds["Route"] == {"Head_wide"}
    graph = variant(twin, indices_of(twin, *kept))[0].model().graph
    float_joints = {name for name, fed in feeds.items() if fed <= set(kept)}
    quantized = {node.name for node in graph.node if any(">" in name for name in node.input)}
    for layer in twin.layers:
        assert (layer.name in quantized) == (layer.name not in {*kept, *float_joints})


def test_that_a_network_of_any_size_is_taken_at_the_size_that_its_spec_says(tmp_path: Path) -> None:
    model = networks.plain(tmp_path / "float.onnx")
    sizes = onnx.load(model)
    for dimension, name in zip(sizes.graph.input[0].type.tensor_type.shape.dim[2:], "hw", strict=True):
        dimension.dim_param = name
    onnx.save(sizes, tmp_path / "any.onnx")
    candidate = small.ours(tmp_path / "any.onnx", tmp_path / "int8.onnx")
    fixed = small.spec_of(model)
    specs = [replace(fixed, path=path) for path in (tmp_path / "any.onnx", candidate)]
    twin = small.load_twin(specs[0], specs[1])
    assert [layer.macs for layer in twin.layers] == [256 * 8 * 3 * 9, 256 * 8 * 8 * 9, 256 * 6 * 8]
    (tensor,) = networks.pictures(1)
    (made,) = outputs_of(twin, [], tensor)
    np.testing.assert_allclose(made, small.run(candidate, tensor)[0], rtol=1e-5, atol=1e-5)


def test_that_a_candidate_in_fp8_is_refused_with_its_type(tmp_path: Path) -> None:
    model = networks.plain(tmp_path / "float.onnx")
    path = small.ours(model, tmp_path / "fp8.onnx")
    candidate = onnx.load(path)
    zeros = {node.input[2] for node in candidate.graph.node if node.op_type == "QuantizeLinear"}
    for tensor in candidate.graph.initializer:
        if tensor.name in zeros:
            kind = onnx.TensorProto.FLOAT8E4M3FN
            tensor.CopyFrom(onnx.helper.make_tensor(tensor.name, kind, tensor.dims, [0.0]))
    candidate.opset_import[0].version = 19
    onnx.save(candidate, path)
    with pytest.raises(BadInput, match="quantized to float8_e4m3fn"):
        small.twin_of(model, path)
