"""Any frame of any video is exactly what playing from the start shows there."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.sources.videos import HEIGHT, MAKERS, WIDTH, digest, played, uneven, write_cut_video, write_video
from trtviewer.errors import BadInput, Cancelled
from trtviewer.sources.video import VideoSource

SMALL_CACHE = 200_000  # about 17 of the test's frames: nearly every seek really seeks

Video = Callable[[str], Path]


DEMANDED = {"b_frames.mp4", "uneven.mp4", "broadcast.ts", "turned.mp4"}


@pytest.mark.parametrize("name", MAKERS)
def test_that_random_seeks_are_exact(video: Video, name: str) -> None:
    path = video(name)
    expected = played(path)
    pick = random.Random(name)
    with VideoSource(path, cache_bytes=SMALL_CACHE) as source:
        assert source.length == len(expected)
        wrong = [
            index
            for index in (pick.randrange(source.length) for _ in range(200 if name in DEMANDED else 70))
            if digest(source.read(index).picture) != expected[index]
        ]
    assert not wrong


@pytest.mark.real
def test_that_200_random_seeks_in_a_real_video_are_exact(real_data: Path) -> None:
    path = real_data / "street.avi"
    expected = played(path)
    pick = random.Random(5)
    with VideoSource(path) as source:
        assert source.length == len(expected) == 795
        wrong = [
            index
            for index in (pick.randrange(795) for _ in range(200))
            if digest(source.read(index).picture) != expected[index]
        ]
    assert not wrong


@pytest.mark.parametrize("name", ["b_frames.mp4", "broadcast.ts", "raw.h264"])
def test_that_playing_stepping_back_and_skipping_give_the_same_frames(video: Video, name: str) -> None:
    path = video(name)
    expected = played(path)
    walk = [*range(60), *range(59, 20, -1), *range(21, 270, 7), 269, 268, 299, 0, 1, 250, 249, 251]
    with VideoSource(path, cache_bytes=SMALL_CACHE) as source:
        for index in walk:
            frame = source.read(index)
            assert (frame.index, digest(frame.picture)) == (index, expected[index])


def test_that_times_are_those_of_an_uneven_video(video: Video) -> None:
    with VideoSource(video("uneven.mp4")) as source:
        times = [source.time_s(index) for index in range(source.length)]
        assert times == pytest.approx([stamp / 1000 for stamp in uneven(300)], abs=1e-4)
        assert source.read(17).time_s == times[17]
        assert source.rate == pytest.approx(299 / (uneven(300)[-1] / 1000), rel=1e-4)


def test_that_times_start_at_zero_where_the_stream_does_not(video: Video) -> None:
    with VideoSource(video("broadcast.ts")) as source:
        assert source.time_s(0) == 0
        assert source.rate == pytest.approx(30, rel=1e-3)


def test_that_times_rise_where_the_files_own_do_not(video: Video) -> None:
    with VideoSource(video("b_frames.avi")) as source:
        times = [source.time_s(index) for index in range(source.length)]
    assert np.all(np.diff(times) > 0)


@pytest.mark.parametrize("rotation", [-90, 90, 180])
def test_that_a_turned_video_is_shown_upright(tmp_path: Path, rotation: int) -> None:
    path = write_video(tmp_path / "turned.mp4", count=3, rotation=rotation)
    with VideoSource(path) as source:
        upright = source.read(1).picture
    assert upright.shape == ((HEIGHT, WIDTH, 3) if rotation == 180 else (WIDTH, HEIGHT, 3))
    # The picture was drawn lying; counter-clockwise by the stated angle it stands. Compression costs a little.
    with av.open(str(path)) as container:
        lying = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)][1]
    turns = {
        90: lambda a: a.transpose(1, 0, 2)[::-1],
        -90: lambda a: a[::-1].transpose(1, 0, 2),
        180: lambda a: a[::-1, ::-1],
    }
    assert np.array_equal(upright, turns[rotation](lying))


def test_that_frames_are_read_only_bgr(video: Video) -> None:
    with VideoSource(video("b_frames.mp4")) as source:
        picture = source.read(3).picture
        assert source.size == picture.shape[:2] == (HEIGHT, WIDTH)
    assert picture.dtype == np.uint8
    assert picture.flags.c_contiguous
    with pytest.raises(ValueError, match="read-only"):
        picture[0, 0] = 0


def test_that_the_cache_stays_within_its_bound(video: Video) -> None:
    with VideoSource(video("b_frames.mp4"), cache_bytes=SMALL_CACHE) as source:
        held = []
        for index in [*range(40), 200, 100, 299]:
            source.read(index)
            held.append(source.cached_bytes)
    assert max(held) <= SMALL_CACHE
    assert max(held) > SMALL_CACHE / 2


def test_that_one_frame_larger_than_the_cache_is_still_read(video: Video) -> None:
    path = video("b_frames.mp4")
    expected = played(path)
    with VideoSource(path, cache_bytes=1) as source:
        assert [digest(source.read(index).picture) for index in (5, 6, 5, 299)] == [
            expected[index] for index in (5, 6, 5, 299)
        ]


def test_that_stepping_back_within_the_cache_decodes_nothing(tmp_path: Path) -> None:
    path = write_video(tmp_path / "gone.mp4", count=60)
    source = VideoSource(path)
    forward = [digest(source.read(index).picture) for index in range(30)]
    path.unlink()  # going back to the file would fail now
    assert [digest(source.read(index).picture) for index in range(29, -1, -1)] == forward[::-1]
    source.close()


def test_that_indices_beyond_the_ends_are_refused(video: Video) -> None:
    with VideoSource(video("b_frames.mp4")) as source:
        for index in (-1, 300):
            with pytest.raises(IndexError, match="0 to 299"):
                source.read(index)
            with pytest.raises(IndexError):
                source.time_s(index)


def test_that_a_cut_file_gives_the_frames_that_are_whole(real_data: Path, tmp_path: Path) -> None:
    whole = real_data / "street.avi"
    cut = tmp_path / "cut.avi"
    cut.write_bytes(whole.read_bytes()[:1_000_000])
    with VideoSource(cut, cache_bytes=6_000_000) as source, VideoSource(whole) as full:
        assert 50 < source.length < 150
        assert "header speaks of 795 frames" in source.remark
        for index in (source.length - 1, 3, source.length // 2):
            assert np.array_equal(source.read(index).picture, full.read(index).picture)


def test_that_only_a_cut_file_is_remarked_on(video: Video, tmp_path: Path) -> None:
    with VideoSource(write_cut_video(tmp_path / "cut.avi")) as source:
        assert f"60 frames, {source.length} can be read" in source.remark
    for whole in MAKERS:
        with VideoSource(video(whole)) as source:
            assert source.remark == "", whole


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_that_a_cut_broadcast_gives_what_decodes(video: Video, tmp_path: Path, share: float) -> None:
    data = video("broadcast.ts").read_bytes()
    cut = tmp_path / "cut.ts"
    cut.write_bytes(data[: int(len(data) * share)])
    with VideoSource(cut, cache_bytes=SMALL_CACHE) as source:
        assert 30 < source.length < 290
        forward = [digest(source.read(index).picture) for index in range(source.length)]
    whole = played(video("broadcast.ts"))
    assert forward[:-4] == whole[: source.length - 4]  # B-frames around the cut may miss their next neighbour


def test_that_a_broadcast_joined_in_the_middle_starts_at_its_first_key_frame(
    video: Video, tmp_path: Path
) -> None:
    whole = video("mpeg2.ts")
    data = whole.read_bytes()
    late = tmp_path / "late.ts"
    late.write_bytes(data[188 * (len(data) // 3 // 188) :])
    expected = played(late)
    with VideoSource(late, cache_bytes=SMALL_CACHE) as source:
        assert source.length == len(expected)
        pick = random.Random(1)
        for index in (pick.randrange(source.length) for _ in range(40)):
            assert digest(source.read(index).picture) == expected[index]


def test_that_a_cut_mp4_is_refused_in_one_sentence(video: Video, tmp_path: Path) -> None:
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(video("b_frames.mp4").read_bytes()[:9_000])
    with pytest.raises(BadInput, match="cut short"):
        VideoSource(cut)


@pytest.mark.parametrize("name", ["b_frames.mp4", "b_frames.mkv", "mpeg2.ts", "raw.h264"])
def test_that_a_damaged_video_reads_alike_from_everywhere(
    video: Video, tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    data = bytearray(video(name).read_bytes())
    pick = random.Random(3)
    for _ in range(8):
        data[pick.randrange(3000, len(data) - 15000)] ^= pick.randrange(1, 255)
    path = tmp_path / name
    path.write_bytes(data)

    def seen(source: VideoSource, index: int) -> str:
        try:
            return digest(source.read(index).picture)
        except BadInput as error:
            assert f"frame {index} is damaged" in str(error)
            return "damaged"

    with VideoSource(path) as source:
        forward = [seen(source, index) for index in range(source.length)]
    with VideoSource(path, cache_bytes=SMALL_CACHE) as source:
        order = [pick.randrange(source.length) for _ in range(60)]
        assert [seen(source, index) for index in order] == [forward[index] for index in order]
    assert len(set(forward)) > 100
    assert capfd.readouterr() == ("", "")


def test_that_a_frame_that_does_not_decode_is_named(tmp_path: Path) -> None:
    path = write_video(
        tmp_path / "pictures.avi",
        40,
        codec="mjpeg",
        options={"strict": "-2"},
        stamps=range(40),
        tick=Fraction(1, 30),
    )
    with av.open(str(path)) as container:
        packet = [packet for packet in container.demux(video=0) if packet.size][30]
    data = path.read_bytes()
    assert data.count(bytes(packet)) == 1
    path.write_bytes(data.replace(bytes(packet), bytes(packet.size)))
    with VideoSource(path) as source:
        for _ in range(2):
            with pytest.raises(BadInput, match="frame 30 is damaged"):
                source.read(30)
            for index in (0, 29, 31, 39, 5):
                assert source.read(index).index == index


def test_that_nothing_reaches_stderr(video: Video, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    garbage = tmp_path / "garbage.mp4"
    garbage.write_bytes(bytes(range(256)) * 100)
    with pytest.raises(BadInput):
        VideoSource(garbage)
    late = tmp_path / "late.ts"
    late.write_bytes(video("open_groups.ts").read_bytes()[40_000:])
    with VideoSource(late) as source:
        for index in range(0, source.length, 9):
            source.read(index)
    assert capfd.readouterr() == ("", "")


def test_that_sound_alone_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        output.mux(stream.encode(frame))
    with pytest.raises(BadInput, match="no pictures"):
        VideoSource(path)


def test_that_opening_can_be_cancelled(video: Video) -> None:
    for name in ("b_frames.mp4", "raw.h264"):
        with pytest.raises(Cancelled):
            VideoSource(video(name), cancelled=lambda: True)


def test_that_a_closed_source_says_so(video: Video) -> None:
    source = VideoSource(video("b_frames.mp4"))
    source.close()
    source.close()
    with pytest.raises(ValueError, match="closed"):
        source.read(0)
