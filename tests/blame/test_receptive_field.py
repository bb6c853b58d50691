"""Receptive fields, against what really changes a cell when one place of the picture is changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from tests import model_zoo
from tests.blame import small
from tests.quantize import networks
from trtviewer.blame.pairing import load_twin
from trtviewer.blame.receptive_field import Region, receptive_fields
from trtviewer.models.load import load_spec

SIZE = 24


def strided(path: Path) -> Path:
    """Convolutions with stride, dilation and uneven padding, upsampling, a transposed convolution and a joint."""
    net = networks.Builder(5, size=SIZE)
    net.conv("images", 3, 4)
    first = net.nodes[-1]
    first.attribute.extend([networks.helper.make_attribute("strides", [2, 2])])
    a = first.output[0]
    b = net.conv(a, 4, 4)
    net.nodes[-1].attribute.extend([networks.helper.make_attribute("dilations", [2, 1])])
    pads = next(entry for entry in net.nodes[-1].attribute if entry.name == "pads")
    pads.ints[:] = [2, 0, 2, 2]
    pooled = net.op("AveragePool", b, kernel_shape=[2, 2], strides=[2, 2])
    scales = net.const(np.array([1, 1, 2, 2], np.float32))
    up = net.op("Resize", pooled, "", scales, mode="nearest")
    weights = net.const(net.random.standard_normal((4, 4, 2, 2)).astype(np.float32))
    transposed = net.op("ConvTranspose", pooled, weights, kernel_shape=[2, 2], strides=[2, 2])
    joined = net.op("Concat", up, transposed, b, axis=1)
    return net.save(path, net.conv(joined, 12, 6, name="Head"))


def pooled(path: Path) -> Path:
    net = networks.Builder(6, size=SIZE)
    x = net.op("Relu", net.conv("images", 3, 4))
    x = net.op("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    x = net.op("Sigmoid", net.conv(x, 4, 4))
    return net.save(path, net.conv(x, 4, 6, name="Head"))


def changed_places(model: Path, output: int, row: int, column: int) -> np.ndarray:
    """[H, W] whether the cell changes when the picture changes there; the network and what it reads are taken from the file."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    given = session.get_inputs()[0]
    random = np.random.default_rng(0)
    picture = random.random(given.shape, np.float32)
    before = session.run(None, {given.name: picture})[output][0, :, row, column]
    changed = np.zeros(given.shape[2:], np.bool_)
    for place in np.ndindex(*changed.shape):
        other = picture.copy()
        other[0, :, place[0], place[1]] += random.choice([-30, 30], 3).astype(np.float32)
        after = session.run(None, {given.name: other})[output][0, :, row, column]
        changed[place] = bool((after != before).any())
    return changed


@pytest.mark.parametrize("cell", [(0, 0), (5, 6), (11, 11), (2, 11)])
@pytest.mark.parametrize("make", [strided, pooled], ids=["strided", "pooled"])
def test_that_the_field_of_a_cell_is_what_can_change_it(
    make: Callable[[Path], Path], cell: tuple[int, int], tmp_path: Path
) -> None:
    model = make(tmp_path / "float.onnx")
    twin = small.load_twin(
        small.spec_of(model, size=SIZE), small.spec_of(int8_of(model, tmp_path), size=SIZE)
    )
    shape = twin.shapes["head"][2:]
    region = receptive_fields(twin, "head", (shape[0], shape[1]), *cell)["images"]
    assert region is not None
    rows, columns = np.nonzero(changed_places(model, 0, *cell))
    assert (region.top, region.bottom) == (rows.min(), rows.max() + 1)
    assert (region.left, region.right) == (columns.min(), columns.max() + 1)


def int8_of(model: Path, folder: Path) -> Path:
    network = small.load_network(model)
    ranges = small.collect_ranges(network, networks.pictures(2, size=SIZE), threads=1)
    small.write_qdq(network, small.amax_by_tensor(ranges, "minmax"), (), folder / "int8.onnx")
    return folder / "int8.onnx"


def test_that_layers_beside_the_way_are_not_seen(tmp_path: Path) -> None:
    net = networks.Builder(0)
    trunk = net.op("Relu", net.conv("images", 3, 8, name="Trunk"))
    heads = [net.conv(trunk, 8, 6, 1, name=name) for name in ("Left", "Right")]
    model = net.save(tmp_path / "float.onnx", *heads)
    twin = small.twin_of(model, small.ours(model, tmp_path / "int8.onnx"))
    fields = receptive_fields(twin, "left", (16, 16), 3, 4)
    assert "right" not in fields
    assert fields["left"] == Region(3, 4, 4, 5)
    assert fields["trunk"] == Region(3, 4, 4, 5)
    assert fields["images"] == Region(2, 5, 3, 6)


def test_that_a_head_of_all_strides_is_followed_to_the_maps_of_the_cells_stride(tmp_path: Path) -> None:
    model = model_zoo.tiny_yolo_dfl(tmp_path / "tiny.onnx")
    twin = load_twin(load_spec(model), load_spec(small.ours_of(model, tmp_path / "int8.onnx")))
    (output,) = twin.outputs
    rows, columns = (side // 16 for side in twin.shapes[twin.input][2:])
    fields = receptive_fields(twin, output, (rows, columns), 1, 2)
    maps = {name: twin.shapes[name][2:] for name in fields if len(twin.shapes.get(name, ())) == 4}
    starts = [name for name, region in fields.items() if region == Region(1, 2, 2, 3)]
    assert starts
    assert all(maps[name] == (rows, columns) for name in starts)
    region = fields[twin.input]
    assert region is not None
    # The cell's own pixels are in its field, and it is no finer map that was followed.
    assert region.top <= 16 and region.bottom >= 32
    assert region.left <= 32 and region.right >= 48
