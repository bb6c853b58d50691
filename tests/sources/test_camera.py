"""A camera's frames count up and only the latest can be had again. OpenCV reads a file here: the same object."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.sources.videos import HEIGHT, WIDTH
from trtviewer.errors import BadInput
from trtviewer.sources.camera import CameraSource

FRAME_BYTES = HEIGHT * WIDTH * 3

Video = Callable[[str], Path]


@pytest.fixture
def camera(video: Video) -> CameraSource:
    capture = cv2.VideoCapture(str(video("short_groups.avi")))
    return CameraSource(capture, "camera:0", cache_bytes=5 * FRAME_BYTES)


def test_that_frames_count_up_as_the_camera_gives_them(camera: CameraSource, video: Video) -> None:
    plain = cv2.VideoCapture(str(video("short_groups.avi")))
    expected = [plain.read()[1] for _ in range(30)]
    with camera:
        assert camera.length is None
        assert camera.size == (HEIGHT, WIDTH)
        assert camera.rate == pytest.approx(30)
        for index in (0, 1, 2, 5, 6, 29):
            frame = camera.read(index)
            assert frame.index == index
            assert np.array_equal(frame.picture, expected[index])


def test_that_only_the_latest_frames_can_be_had_again(camera: CameraSource) -> None:
    with camera:
        times = [camera.read(index).time_s for index in range(20)]
        assert times == sorted(times)
        assert [camera.read(index).index for index in (15, 17, 19)] == [15, 17, 19]
        assert camera.time_s(17) == times[17]
        with pytest.raises(BadInput, match="latest frames"):
            camera.read(3)


def test_that_a_camera_that_stops_is_told(camera: CameraSource) -> None:
    with camera:
        with pytest.raises(BadInput, match="gives no more pictures"):
            camera.read(5000)
        with pytest.raises(BadInput, match="gives no more pictures"):
            camera.read(5001)


def test_that_a_camera_without_a_picture_is_refused() -> None:
    with pytest.raises(BadInput, match="camera:5"):
        CameraSource(cv2.VideoCapture(), "camera:5")
