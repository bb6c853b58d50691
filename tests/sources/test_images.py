"""Pictures are read as cv2.imread reads them, in the order that people expect, and a bad one is named."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.sources.videos import drawn
from trtviewer.errors import BadInput
from trtviewer.sources.address import open_source
from trtviewer.sources.images import ImagesSource, natural_key, pictures_in, read_picture


def with_orientation(jpeg: bytes, orientation: int) -> bytes:
    """The same JPEG, with an EXIF segment that says how to turn it."""
    tiff = b"II*\x00" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    body = b"Exif\x00\x00" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def test_that_a_folder_comes_in_natural_order(tmp_path: Path) -> None:
    for name in ("frame10.png", "frame9.PNG", "Frame1.jpg", "frame2.webp", "notes.txt", ".hidden.png"):
        cv2.imwrite(str(tmp_path / "new.png"), drawn(1))
        (tmp_path / "new.png").rename(tmp_path / name)
    (tmp_path / "folder.png").mkdir()
    assert [path.name for path in pictures_in(tmp_path)] == [
        "Frame1.jpg",
        "frame2.webp",
        "frame9.PNG",
        "frame10.png",
    ]


def test_that_natural_order_is_one_for_all_names() -> None:
    names = ["b", "a10", "a2", "a02", "A2", "10", "9", "a", "²", "a1b2", "a1b10", ""]
    shuffled = random.Random(2).sample(names, len(names))
    assert sorted(names, key=natural_key) == sorted(shuffled, key=natural_key)
    assert sorted(["a10", "a9", "9", "10"], key=natural_key) == ["9", "10", "a9", "a10"]


@pytest.mark.parametrize("suffix", ["png", "jpg", "jpeg", "bmp", "tif", "tiff", "webp", "JPG"])
def test_that_every_kind_of_picture_is_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"picture.{suffix}"
    cv2.imwrite(str(path), drawn(4))
    with open_source(str(path)) as source:
        frame = source.read(0)
        assert source.length == 1
    assert frame.name == path.name
    assert np.array_equal(frame.picture, cv2.imread(str(path)))


@pytest.mark.parametrize(
    "stored",
    [
        drawn(1).astype(np.uint16) * 257,
        drawn(2)[:, :, 0],
        drawn(3)[:, :, 0].astype(np.uint16) * 257,
        np.dstack([drawn(4), drawn(5)[:, :, 0]]),
    ],
    ids=["16 bits", "grey", "grey of 16 bits", "alpha"],
)
def test_that_unusual_pictures_become_bgr_bytes(tmp_path: Path, stored: NDArray[np.uint8]) -> None:
    path = tmp_path / "unusual.png"
    cv2.imwrite(str(path), stored)
    picture = read_picture(path)
    assert picture.dtype == np.uint8
    assert picture.shape == (*stored.shape[:2], 3)
    assert np.array_equal(picture, cv2.imread(str(path)))
    if stored.ndim == 2:
        high = stored if stored.dtype == np.uint8 else stored // 257
        assert np.array_equal(picture[:, :, 1], high)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_that_a_picture_stands_upright_by_its_exif(tmp_path: Path, orientation: int) -> None:
    plain = cv2.imencode(".jpg", drawn(6))[1].tobytes()
    path = tmp_path / "turned.jpg"
    path.write_bytes(with_orientation(plain, orientation))
    stored = cv2.imdecode(np.frombuffer(plain, np.uint8), cv2.IMREAD_COLOR)
    mirrored = orientation in (2, 4, 5, 7)
    turns = {1: 0, 2: 0, 3: 2, 4: 2, 5: 1, 6: 3, 7: 3, 8: 1}[
        orientation
    ]  # counter-clockwise, after mirroring
    expected = np.rot90(stored[:, ::-1] if mirrored else stored, turns)
    if orientation in (5, 7):
        expected = stored.transpose(1, 0, 2) if orientation == 5 else stored[::-1, ::-1].transpose(1, 0, 2)
    assert np.array_equal(read_picture(path), expected)


def test_that_pictures_of_one_folder_may_differ_in_size(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "1.png"), drawn(1))
    cv2.imwrite(str(tmp_path / "2.png"), drawn(2)[:40, :50])
    with open_source(str(tmp_path)) as source:
        assert source.size == drawn(1).shape[:2]
        assert [source.read(index).size for index in (1, 0, 1)] == [(40, 50), drawn(1).shape[:2], (40, 50)]
        assert source.rate is None
        assert [source.read(index).name for index in range(2)] == ["1.png", "2.png"]
        with pytest.raises(IndexError):
            source.read(2)
        with pytest.raises(IndexError):
            source.read(-1)


def test_that_names_outside_ascii_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "Straße 道路"
    folder.mkdir()
    (folder / "кадр 1.png").write_bytes(cv2.imencode(".png", drawn(3))[1].tobytes())
    with open_source(str(folder)) as source:
        assert np.array_equal(source.read(0).picture, drawn(3))


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
@pytest.mark.parametrize("damage", ["empty", "garbage", "head only"])
def test_that_an_unreadable_picture_is_named_and_nothing_else_is_said(
    tmp_path: Path, suffix: str, damage: str, capfd: pytest.CaptureFixture[str]
) -> None:
    whole = cv2.imencode(suffix, drawn(1))[1].tobytes()
    path = tmp_path / f"bad{suffix}"
    path.write_bytes({"empty": b"", "garbage": bytes(range(256)) * 9, "head only": whole[:60]}[damage])
    with pytest.raises(BadInput, match=f"bad{suffix}: is not a picture that can be read"):
        open_source(str(path))
    assert capfd.readouterr() == ("", "")


def test_that_a_bad_picture_in_a_folder_is_named_when_it_is_read(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "1.png"), drawn(1))
    (tmp_path / "2.png").write_bytes(b"no picture")
    cv2.imwrite(str(tmp_path / "3.png"), drawn(3))
    with open_source(str(tmp_path)) as source:
        with pytest.raises(BadInput, match=r"2\.png"):
            source.read(1)
        assert source.read(2).name == "3.png"


def test_that_the_cache_of_pictures_is_bounded(tmp_path: Path) -> None:
    for index in range(9):
        cv2.imwrite(str(tmp_path / f"{index}.png"), drawn(index))
    files = pictures_in(tmp_path)
    with ImagesSource(files, str(tmp_path), cache_bytes=3 * drawn(0).nbytes) as source:
        for index in range(9):
            source.read(index)
        for path in files:
            path.unlink()
        assert np.array_equal(source.read(6).picture, drawn(6))
        with pytest.raises(BadInput, match=r"5\.png"):
            source.read(5)
