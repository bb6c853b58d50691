"""The preprocessing kernel gives what the CPU path gives, within one step of a pixel."""

from __future__ import annotations

import numpy as np
import pytest

from trtviewer.models.spec import InputSpec, Resize
from trtviewer.preprocess import Preprocessor, to_model_layout
from trtviewer.runners.gpu_input import GpuInput

SIZES = [(576, 768), (416, 416), (1080, 1920), (37, 411), (832, 832), (100, 60), (1, 1), (416, 300)]


def on_gpu(spec: InputSpec, pictures: list[np.ndarray]) -> list[tuple[np.ndarray, object]]:
    """The tensors, brought back; four slots in turn."""
    found = []
    with GpuInput(spec, 4) as maker:
        session = maker._session
        for index, picture in enumerate(pictures):
            tensor, placement = maker.prepare(picture, index % 4)
            with session.device.current():
                tensor.ready.synchronize()
                out = np.full(tensor.shape, np.nan, tensor.dtype)
                session.device.driver.memcpy_dtoh(out, tensor.address)
            found.append((out, placement))
    return found


@pytest.mark.parametrize("resize", list(Resize))
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("colour", ["rgb", "bgr"])
def test_that_it_equals_the_cpu_within_a_255th(resize: Resize, dtype: str, colour: str) -> None:
    spec = InputSpec("images", (416, 416), dtype=dtype, colour=colour, resize=resize)
    random = np.random.default_rng(1)
    pictures = [random.integers(0, 256, (*size, 3), np.uint8) for size in SIZES]
    cpu = Preprocessor(spec)
    for picture, (tensor, placement) in zip(pictures, on_gpu(spec, pictures), strict=True):
        expected = cpu.prepare(picture)
        assert placement == expected.placement
        difference = np.abs(
            tensor.astype(np.float64) - to_model_layout(expected.tensor, spec).astype(np.float64)
        )
        assert difference.max() <= 1 / 255 + (1e-3 if dtype == "float16" else 1e-7), picture.shape


def test_that_mean_std_pad_and_an_oblong_input_are_kept() -> None:
    spec = InputSpec("x", (320, 512), mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), pad=0)
    picture = np.random.default_rng(2).integers(0, 256, (300, 700, 3), np.uint8)
    expected = Preprocessor(spec).prepare(picture).tensor
    tensor, _ = on_gpu(spec, [picture])[0]
    assert np.abs(tensor - expected).max() <= 1 / 255 / 0.224 + 1e-6


def test_that_a_picture_of_its_own_size_is_bit_equal() -> None:
    spec = InputSpec("x", (416, 416))
    picture = np.random.default_rng(3).integers(0, 256, (416, 416, 3), np.uint8)
    np.testing.assert_array_equal(on_gpu(spec, [picture])[0][0], Preprocessor(spec).prepare(picture).tensor)


def test_that_a_street_is_bit_equal(pictures: list[np.ndarray]) -> None:
    spec = InputSpec("x", (416, 416))
    cpu = Preprocessor(spec)
    for picture, (tensor, _) in zip(pictures, on_gpu(spec, pictures), strict=True):
        np.testing.assert_array_equal(tensor, cpu.prepare(picture).tensor)
