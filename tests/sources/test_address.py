"""An address opens the source that it names, or says in one line why not and what to do."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.sources.videos import drawn
from trtviewer.errors import BadInput, BadUsage, MissingRuntime, TrtviewerError
from trtviewer.sources.address import open_source
from trtviewer.sources.images import ImagesSource
from trtviewer.sources.video import VideoSource

Video = Callable[[str], Path]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    cv2.imwrite(str(path), drawn(1))
    return path


def test_that_a_video_a_picture_and_a_folder_are_told_apart(video: Video, picture: Path) -> None:
    for path, kind in (
        (video("b_frames.mp4"), VideoSource),
        (picture, ImagesSource),
        (picture.parent, ImagesSource),
    ):
        with open_source(str(path)) as source:
            assert isinstance(source, kind)
            assert source.address == str(path)
            assert source.class_names == ()
            assert source.truth(0) is None


def test_that_contents_count_where_the_name_says_nothing(video: Video, picture: Path, tmp_path: Path) -> None:
    film, still = tmp_path / "film", tmp_path / "still.dat"
    shutil.copy(video("b_frames.mkv"), film)
    picture.rename(still)
    with open_source(str(film)) as source:
        assert source.length == 300
    with open_source(str(still)) as source:
        assert np.array_equal(source.read(0).picture, drawn(1))


def test_that_a_name_with_a_colon_or_other_letters_is_a_file(video: Video, tmp_path: Path) -> None:
    for name in ("12:30.mp4", "дорога %d.mp4", "with space#1?.mp4", "concat:a.mp4"):
        path = tmp_path / name
        shutil.copy(video("b_frames.mp4"), path)
        with open_source(str(path)) as source:
            assert source.length == 300


@pytest.mark.parametrize(
    ("address", "kind", "words"),
    [
        ("", BadUsage, "no source is named"),
        ("camera:front", BadUsage, "camera:0 is the first"),
        ("camera:", BadUsage, "camera:0 is the first"),
        ("scane:street", BadInput, "did you mean scene:street?"),
        ("https://example.org/a.mp4", BadInput, "only files are opened"),
        ("no/such/folder/a.mp4", BadInput, "its folder is not there"),
        ("~nobody_of_that_name/a.mp4", BadInput, "nobody_of_that_name"),
        ("a" * 400, BadInput, "cannot be read"),
        ("a\0b.mp4", BadInput, "no such file"),
    ],
)
def test_that_an_address_that_cannot_be_understood_says_why(
    address: str, kind: type[TrtviewerError], words: str
) -> None:
    with pytest.raises(kind) as caught:
        open_source(address)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_status == 2


def test_that_a_misspelt_file_is_answered_with_its_neighbour(picture: Path) -> None:
    with pytest.raises(BadInput, match=r"did you mean .*picture\.png"):
        open_source(str(picture.with_name("pictrue.png")))


def test_that_what_is_no_source_is_told_what_would_be_one(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    contents = {
        "notes.txt": b"only text\n" * 50,
        "garbage.bin": bytes(range(256)) * 64,
        "list.m3u8": b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
        "empty": b"",
    }
    for name, data in contents.items():
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(BadInput) as caught:
            open_source(str(path))
        assert str(path) in str(caught.value)
        assert "a folder of pictures" in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_that_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("0 0 0 1 1")
    with pytest.raises(BadInput, match="folder without pictures"):
        open_source(str(tmp_path))


def test_that_a_pipe_does_not_make_it_wait(tmp_path: Path) -> None:
    path = tmp_path / "pipe.mp4"
    os.mkfifo(path)
    with pytest.raises(BadInput, match="neither a file nor a folder"):
        open_source(str(path))


def test_that_a_camera_that_is_not_there_is_a_missing_device(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(MissingRuntime, match="camera:97: there is no such camera") as caught:
        open_source("camera:97")
    assert caught.value.exit_status == 3
    assert capfd.readouterr() == ("", "")
