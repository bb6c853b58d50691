"""The resize that the kernel of resources/kernels/letterbox.cu computes, mirrored in numpy, is OpenCV's to the bit.

That the kernel computes this is for tests/gpu to show; that OpenCV still computes it is shown here, wherever the tests run.
"""

from __future__ import annotations

import cv2
import numpy as np
import pytest


def taps(fitted: int, length: int, along_row: bool) -> tuple[np.ndarray, ...]:
    """The kernel's `tap`, for every pixel of one axis."""
    scale = 1.0 / (np.float64(fitted) / np.float64(length))
    place = ((np.arange(fitted) + 0.5) * scale - 0.5).astype(np.float32)
    low = np.floor(place).astype(np.int64)
    share = place - low.astype(np.float32)
    if along_row:
        share[(low < 0) | (low >= length - 1)] = 0
        low = np.clip(low, 0, length - 1)
    near, far = (np.rint(part * np.float32(2048)).astype(np.int64) for part in (np.float32(1) - share, share))
    return np.maximum(low, 0), np.minimum(low + 1, length - 1), near, far


def kernels_resize(picture: np.ndarray, rows: int, columns: int) -> np.ndarray:
    first, second, near, far = taps(columns, picture.shape[1], True)
    whole = picture.astype(np.int64)
    lines = whole[:, first] * near[None, :, None] + whole[:, second] * far[None, :, None]
    upper, lower, near, far = taps(rows, picture.shape[0], False)
    above, below = lines[upper] >> 4, lines[lower] >> 4
    near, far = near[:, None, None], far[:, None, None]
    return ((((near * above) >> 16) + ((far * below) >> 16) + 2) >> 2).astype(np.uint8)


@pytest.mark.parametrize(
    ("size", "fitted"),
    [
        ((576, 768), (312, 416)),
        ((1080, 1920), (234, 416)),
        ((100, 60), (416, 250)),
        ((832, 832), (416, 416)),
        ((416, 300), (400, 289)),
        ((7, 411), (7, 416)),
        ((1, 1), (64, 64)),
    ],
)
def test_that_opencv_resizes_as_the_kernel_does(size: tuple[int, int], fitted: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    expected = cv2.resize(picture, fitted[::-1], interpolation=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(kernels_resize(picture, *fitted), expected)
