"""A folder of recorded outputs says which outputs it holds, by its `outputs.toml` or by its files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trtviewer.errors import BadInput
from trtviewer.models.load import load_spec
from trtviewer.models.recorded_folder import recorded_outputs
from trtviewer.models.spec import Family, Origin, Precision

TOML = """
[[output]]
name = "large"
shape = [1, 2, 2, 24]
layout = "nhwc"
[[output]]
name = "small"
shape = [1, 24, 4, 4]
dtype = "float16"
"""
DECODABLE = """
family = "yolo-anchor"
classes = ["a", "b", "c"]
[input]
size = [64, 64]
[[output]]
name = "large"
shape = [1, 2, 2, 24]
[[head]]
output = "large"
anchors = [[10, 20], [20, 10], [30, 30]]
"""


def archives(folder: Path) -> Path:
    for name in ("frame10", "frame2"):
        shape = (1, 24, 4, 4) if name == "frame2" else (1, 1)
        np.savez(
            folder / f"{name}.npz",
            small=np.zeros(shape, np.float32),
            large=np.zeros((1, 24, 2, 2), np.float32),
        )
    return folder


def test_that_archives_say_their_outputs_and_shapes(tmp_path: Path) -> None:
    spec = load_spec(archives(tmp_path))
    assert (spec.family, spec.classes, spec.input, spec.precision) == (
        Family.NONE,
        (),
        None,
        Precision.UNKNOWN,
    )
    assert [(head.output, head.shape) for head in spec.heads] == [
        ("small", (1, 24, 4, 4)),
        ("large", (1, 24, 2, 2)),
    ]
    assert spec.origins["head.small.shape"] is Origin.SHAPES


def test_that_subfolders_of_arrays_are_outputs(tmp_path: Path) -> None:
    for name, shape in (("conv10", (1, 24, 2, 2)), ("conv9", (1, 24, 4, 4))):
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "0.npy", np.zeros(shape, np.float32))
    (tmp_path / "notes").mkdir()
    assert [head.output for head in load_spec(tmp_path).heads] == ["conv9", "conv10"]


def test_that_raw_files_need_their_shape_said(tmp_path: Path) -> None:
    (tmp_path / "large").mkdir()
    np.zeros(96, np.float32).tofile(tmp_path / "large" / "0.bin")
    with pytest.raises(BadInput, match=r"shape of large is not known.*outputs\.toml"):
        load_spec(tmp_path)
    (tmp_path / "outputs.toml").write_text(TOML)
    spec = load_spec(tmp_path)
    assert [(head.output, head.shape, head.layout) for head in spec.heads] == [
        ("large", (1, 2, 2, 24), "nhwc"),
        ("small", (1, 24, 4, 4), "nchw"),
    ]
    assert spec.origins["head.large.layout"] is Origin.SIDECAR
    assert [output.dtype for output in recorded_outputs(tmp_path)[0]] == ["float32", "float16"]


def test_that_sidecar_keys_make_a_recording_decodable(tmp_path: Path) -> None:
    (tmp_path / "outputs.toml").write_text(DECODABLE)
    spec = load_spec(tmp_path)
    assert (spec.family, spec.classes) == (Family.YOLO_ANCHOR, ("a", "b", "c"))
    assert spec.input is not None
    assert spec.input.size == (64, 64)
    (head,) = spec.heads
    assert (head.layout, head.stride) == ("nhwc", 32)


def test_that_a_decodable_recording_without_its_input_size_asks_for_it(tmp_path: Path) -> None:
    (tmp_path / "outputs.toml").write_text(DECODABLE.replace("size = [64, 64]", ""))
    with pytest.raises(BadInput, match=r"size = \[height, width\]"):
        load_spec(tmp_path)


def test_that_a_folder_with_nothing_recorded_says_what_it_should_hold(tmp_path: Path) -> None:
    (tmp_path / "picture.png").touch()
    with pytest.raises(BadInput, match=r"holds no recorded outputs.*npz"):
        load_spec(tmp_path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"not an archive"])
def test_that_a_damaged_archive_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "0.npz").write_bytes(content)
    with pytest.raises(BadInput, match=r"0\.npz: is not an \.npz archive"):
        load_spec(tmp_path)


def test_that_a_damaged_array_is_named(tmp_path: Path) -> None:
    (tmp_path / "large").mkdir()
    (tmp_path / "large" / "0.npy").write_bytes(b"\x93NUMPY cut")
    with pytest.raises(BadInput, match=r"0\.npy: is not an \.npy array"):
        load_spec(tmp_path)


def test_that_a_typo_in_outputs_toml_is_named(tmp_path: Path) -> None:
    (tmp_path / "outputs.toml").write_text(TOML.replace("layout", "layot"))
    with pytest.raises(BadInput, match=r'"output\[0\]\.layot", the nearest is "layout"'):
        load_spec(tmp_path)
