"""Which tensors are quantized and which share a scale, on networks small enough to say so by hand."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import pytest

from tests.quantize import networks
from trtviewer.errors import BadUsage
from trtviewer.quantize.graph import load_network
from trtviewer.quantize.keep_float import resolve
from trtviewer.quantize.layout import first_layers, head_layers, plan, quantizable


def groups(path: Path, *keep_float: str) -> set[frozenset[str]]:
    layout = plan(load_network(path), keep_float)
    numbers = set(layout.groups.values())
    return {frozenset(name for name in layout.tensors if layout.groups[name] == n) for n in numbers}


def test_that_a_plain_chain_quantizes_the_data_of_each_layer_and_nothing_else(tmp_path: Path) -> None:
    layout = plan(load_network(networks.plain(tmp_path / "m.onnx")))
    assert layout.layers == ("First", "Middle", "Head")
    assert layout.tensors == ("images", "leaky", "silu")
    assert len(set(layout.groups.values())) == 3


def test_that_a_residual_add_quantizes_its_skip_and_not_its_branch(tmp_path: Path) -> None:
    layout = plan(load_network(networks.residual(tmp_path / "m.onnx")))
    # act_first skips the first Add and is the data of A1; short skips the second, made before b2.
    assert "act_first" in layout.tensors
    assert "short" in layout.tensors
    assert not {"a2", "b2", "add_a", "add_b"}.intersection(layout.tensors)


@pytest.mark.parametrize("make", [networks.plain, networks.residual, networks.routed])
def test_that_ranges_of_the_full_layout_serve_every_choice_of_layers(
    tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    network = load_network(make(tmp_path / "m.onnx"))
    names = [node.name for node in quantizable(network)]
    everything = set(plan(network).tensors)
    for count in range(1, len(names)):
        for kept in combinations(names, count):
            assert everything.issuperset(plan(network, kept).tensors), kept


def test_that_the_skip_of_a_float_branch_is_left_alone(tmp_path: Path) -> None:
    layout = plan(load_network(networks.residual(tmp_path / "m.onnx")), {"B2"})
    assert not {"short", "b2"}.intersection(layout.tensors)


def test_that_concat_slice_pool_and_upsampling_share_one_scale(tmp_path: Path) -> None:
    found = groups(networks.routed(tmp_path / "m.onnx"))
    assert frozenset({"act_wide", "half", "act_small", "pool", "up", "route", "act_deep"}) in found
    assert frozenset({"images"}) in found
    assert len(found) == 2


def test_that_a_concat_of_outputs_is_left_alone(tmp_path: Path) -> None:
    layout = plan(load_network(networks.routed(tmp_path / "m.onnx")))
    assert not {"head_deep", "head_wide", "out"}.intersection(layout.tensors)
    assert not any(name.startswith("flat") for name in layout.tensors)


def test_that_a_concat_kept_in_float_shares_nothing(tmp_path: Path) -> None:
    found = groups(networks.routed(tmp_path / "m.onnx"), "Route")
    assert frozenset({"route"}) in found
    assert frozenset({"act_deep"}) in found
    assert frozenset({"act_wide", "half", "act_small", "pool"}) in found


def test_that_a_group_takes_the_largest_range(tmp_path: Path) -> None:
    layout = plan(load_network(networks.routed(tmp_path / "m.onnx")))
    amax = {name: float(index) for index, name in enumerate(layout.tensors)}
    shared = layout.shared(amax)
    assert shared["images"] == 0
    assert {shared[name] for name in layout.tensors[1:]} == {max(amax.values())}


def test_that_a_layer_kept_in_float_needs_no_quantized_data(tmp_path: Path) -> None:
    layout = plan(load_network(networks.plain(tmp_path / "m.onnx")), {"Middle"})
    assert layout.layers == ("First", "Head")
    assert layout.tensors == ("images", "silu")


def test_that_first_and_heads_are_found(tmp_path: Path) -> None:
    network = load_network(networks.routed(tmp_path / "m.onnx"))
    assert first_layers(network) == ("First",)
    assert head_layers(network) == ("Head_deep", "Head_wide")


def test_that_the_layers_behind_the_fixed_sum_of_a_dfl_head_are_heads_too(tmp_path: Path) -> None:
    net = networks.Builder()
    x = net.op("Relu", net.conv("images", 3, 8, name="First"), name="Act")
    box = net.op("Softmax", net.conv(x, 8, 4, 1, name="Box"), axis=1, name="Soft")
    total = net.conv(box, 4, 1, 1, name="Dfl")
    path = net.save(tmp_path / "m.onnx", net.op("Concat", total, net.conv(x, 8, 2, 1, name="Class"), axis=1))
    assert head_layers(load_network(path)) == ("Box", "Dfl", "Class")


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["First"], {"First"}),
        (["first"], {"First"}),
        (["heads"], {"Head_deep", "Head_wide"}),
        (["Head_*"], {"Head_deep", "Head_wide"}),
        (["Concat"], {"Join", "Route"}),
        (["first", "heads", "Small"], {"First", "Head_deep", "Head_wide", "Small"}),
        ([], set()),
    ],
)
def test_that_keep_float_patterns_mean_what_they_say(
    tmp_path: Path, patterns: list[str], expected: set[str]
) -> None:
    assert resolve(load_network(networks.routed(tmp_path / "m.onnx")), patterns) == expected


def test_that_an_unknown_pattern_tells_the_nearest(tmp_path: Path) -> None:
    network = load_network(networks.routed(tmp_path / "m.onnx"))
    with pytest.raises(BadUsage, match=r"no node 'Smal'.*nearest: Small"):
        resolve(network, ["Smal"])
    with pytest.raises(BadUsage, match="nearest: heads"):
        resolve(network, ["head"])


def test_that_naming_what_is_float_anyway_is_said(tmp_path: Path) -> None:
    network = load_network(networks.routed(tmp_path / "m.onnx"))
    for pattern in ("Act_wide", "LeakyRelu", "Act_*", "Out"):
        with pytest.raises(BadUsage, match="float already"):
            resolve(network, [pattern])


def test_that_keeping_every_layer_in_float_is_refused(tmp_path: Path) -> None:
    network = load_network(networks.routed(tmp_path / "m.onnx"))
    with pytest.raises(BadUsage, match="leaves no layer in INT8"):
        resolve(network, ["Conv"])
