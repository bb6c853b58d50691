"""TensorRT's calibration caches, read and written to the bit."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import numpy_helper

from tests.quantize import networks
from trtviewer.errors import BadInput
from trtviewer.quantize.calibration_cache import bits_of, read_table, scales_for, write_table
from trtviewer.quantize.graph import load_network
from trtviewer.quantize.layout import plan
from trtviewer.quantize.methods import Method
from trtviewer.quantize.qdq import make_qdq


def table(folder: Path, *lines: str, header: str = "TRT-8601-EntropyCalibration2") -> Path:
    path = folder / "calibration.cache"
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def test_that_the_documented_example_is_read(tmp_path: Path) -> None:
    read = read_table(table(tmp_path, "prob: 3c010a14"))
    assert read.header == "TRT-8601-EntropyCalibration2"
    assert float(read.scales["prob"]) == struct.unpack("!f", bytes.fromhex("3c010a14"))[0]
    assert float(read.scales["prob"]) == pytest.approx(0.0078759, rel=1e-5)


@pytest.mark.parametrize(
    "header",
    ["TRT-4001-EntropyCalibration", "TRT-5105-EntropyCalibration2", "TRT-100300-MinMaxCalibration"],
)
def test_that_tables_of_every_version_are_read(tmp_path: Path, header: str) -> None:
    assert read_table(table(tmp_path, "x: 3c010a14", header=header)).header == header


def test_that_names_with_colons_blanks_and_brackets_are_whole(tmp_path: Path) -> None:
    names = ["(Unnamed Layer* 3) [Convolution]_output", "a: b", "model/conv:0"]
    read = read_table(table(tmp_path, *(f"{name}: 3c010a14" for name in names)))
    assert list(read.scales) == names


@given(st.floats(min_value=2.0**-100, max_value=2.0**100, width=32))
def test_that_a_scale_is_written_by_its_bits(scale: float) -> None:
    assert bits_of(np.float32(scale)) == struct.pack("!f", scale).hex()


def test_that_what_is_written_is_read_again_to_the_bit(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    scales = {f"tensor {index}": np.float32(random.lognormal()) for index in range(100)}
    write_table(tmp_path / "t.cache", scales, Method.MSE)
    read = read_table(tmp_path / "t.cache")
    assert {name: scale.tobytes() for name, scale in read.scales.items()} == {
        name: scale.tobytes() for name, scale in scales.items()
    }


def test_that_the_header_names_an_algorithm_of_tensorrt(tmp_path: Path) -> None:
    for method, name in ((Method.MINMAX, "MinMaxCalibration"), (Method.ENTROPY, "EntropyCalibration2")):
        write_table(tmp_path / "t.cache", {"x": np.float32(1)}, method)
        assert (tmp_path / "t.cache").read_text().splitlines()[0] == f"TRT-8601-{name}"


def test_that_a_table_wins_over_every_rule(tmp_path: Path) -> None:
    """Members of a group with scales of their own, and a picture that is not 1/127."""
    network = load_network(networks.routed(tmp_path / "m.onnx"))
    names = plan(network).tensors
    lines = [f"{name}: {0x3C010A14 + index:08x}" for index, name in enumerate(names)]
    path = table(tmp_path, *lines)
    made = make_qdq(network, scales_for(network, read_table(path), path)).model
    written = {tensor.name: numpy_helper.to_array(tensor) for tensor in made.graph.initializer}
    for index, name in enumerate(names):
        assert written[f"{name}_scale"].tobytes() == struct.pack("<I", 0x3C010A14 + index)


def test_that_a_dead_tensor_of_the_table_counts_as_lacking(tmp_path: Path) -> None:
    network = load_network(networks.plain(tmp_path / "m.onnx"))
    path = table(tmp_path, "images: 3c010a14", "leaky: 0", "silu: 3c010a14")
    read = read_table(path)
    assert read.dead == ("leaky",)
    made = make_qdq(network, scales_for(network, read, path))
    assert made.missing == ("leaky",)
    assert made.float_layers == ("Middle",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a TensorRT calibration table"),
        (b"x: 3c010a14\n", "is not a TensorRT calibration table"),
        (b"\xff\xfe\x00\x01", "is not text"),
        (b"TRT-8601-EntropyCalibration2\n", "has no scale"),
        (
            b"TRT-8601-EntropyCalibration2\nx: 3c010a14\ny = 2\n",
            "line 3 is not a tensor and its scale: 'y = 2'",
        ),
        (b"TRT-8601-EntropyCalibration2\nx: 7fc00000\n", "line 2"),
        (b"TRT-8601-EntropyCalibration2\nx: bf800000\n", "line 2"),
        (b"TRT-8601-EntropyCalibration2\nx: 3c010a143c\n", "line 2"),
    ],
)
def test_that_what_is_no_table_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "t.cache"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=message):
        read_table(path)


def test_that_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read: No such file"):
        read_table(tmp_path / "none.cache")


def test_that_a_table_of_another_model_tells_what_matches_best(tmp_path: Path) -> None:
    network = load_network(networks.routed(tmp_path / "m.onnx"))
    path = table(tmp_path, "act_wide:0: 3c010a14", "whatever: 3c010a14")
    with pytest.raises(
        BadInput, match=r"has none of the 8 tensors.*'act_wide:0' is most like the model's 'act_wide'"
    ):
        scales_for(network, read_table(path), path)
    path = table(tmp_path, "123: 3c010a14")
    with pytest.raises(BadInput, match=r"names are like '123'.*another model"):
        scales_for(network, read_table(path), path)
