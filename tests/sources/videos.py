"""Videos of every awkward kind, written once a session, and what plain playing from the start gives of each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

HEIGHT, WIDTH = 72, 104
LONG_GROUPS = {"bf": "3", "g": "250", "keyint_min": "250", "sc_threshold": "0", "preset": "veryfast"}
MILLISECOND = Fraction(1, 1000)

Played = list[str]


def drawn(index: int) -> NDArray[np.uint8]:
    """A picture unlike that of any other index, with edges and slopes that move."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    picture = np.stack([x * 2 + index * 5, y * 3 + index * 3, x + y + index * 7], axis=-1) % 256
    left = (index * 3) % (WIDTH - 20)
    picture[10:30, left : left + 20] = 255
    return picture.astype(np.uint8)


def write_video(
    path: Path,
    count: int = 300,
    *,
    container: str | None = None,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    stamps: Sequence[int] | None = None,
    tick: Fraction = MILLISECOND,
    rotation: int = 0,
) -> Path:
    """Writes `count` frames; `stamps` are their times in `tick`, 30 a second where not given."""
    with av.open(str(path), "w", format=container) as output:
        stream = output.add_stream(codec, rate=30)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.time_base = tick
        stream.codec_context.options = LONG_GROUPS if options is None else options
        if rotation:
            stream.set_display_rotation(rotation)
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(drawn(index), format="bgr24")
            frame.pts = stamps[index] if stamps else round(index / 30 / tick)
            frame.time_base = tick
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return path


def write_cut_video(path: Path) -> Path:
    """An AVI whose header promises 60 frames, cut in the middle of its pictures."""
    whole = write_video(path, 60, codec="mpeg4", options={}, tick=Fraction(1, 30)).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path


def digest(picture: NDArray[np.uint8]) -> str:
    """Equal only for equal pixels and equal shape."""
    return f"{picture.shape}:{hashlib.sha1(np.ascontiguousarray(picture)).hexdigest()}"


def played(path: Path) -> Played:
    """What comes of decoding the whole file in one thread, in order: the oracle of every seek."""
    pictures: Played = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        for packet in container.demux(stream):
            try:
                frames: list[Any] = list(packet.decode())
            except av.error.InvalidDataError:
                continue
            for frame in frames:
                upright = np.rot90(frame.to_ndarray(format="bgr24"), frame.rotation // 90)
                pictures.append(digest(upright))
    return pictures


def uneven(count: int) -> list[int]:
    """Times in ms with steps of 17, 33, 40 and 100."""
    steps = np.random.default_rng(7).choice([17, 33, 40, 100], count - 1)
    return [0, *np.cumsum(steps).tolist()]


def written_twice(path: Path) -> Path:
    """One recording appended to itself: every time stamp comes twice."""
    data = write_video(path, count=80).read_bytes()
    path.write_bytes(data + data)
    return path


MAKERS: dict[str, Callable[[Path], Path]] = {
    "b_frames.mp4": write_video,
    "uneven.mp4": lambda path: write_video(path, stamps=uneven(300)),
    "broadcast.ts": write_video,
    "turned.mp4": lambda path: write_video(path, rotation=-90),
    "b_frames.mkv": write_video,
    "b_frames.avi": lambda path: write_video(path, stamps=range(300), tick=Fraction(1, 30)),
    "raw.h264": lambda path: write_video(path, container="h264"),
    "open_groups.ts": lambda path: write_video(
        path, options={"x264-params": "open-gop=1:keyint=30:bframes=3:scenecut=0"}
    ),
    "open_groups_hevc.mp4": lambda path: write_video(
        path,
        count=90,
        codec="libx265",
        options={"x265-params": "open-gop=1:keyint=30:bframes=3:log-level=none", "preset": "ultrafast"},
    ),
    "joined.ts": written_twice,
    "mpeg2.ts": lambda path: write_video(
        path, codec="mpeg2video", options={"bf": "2", "g": "12"}, stamps=range(300), tick=Fraction(1, 30)
    ),
    "short_groups.avi": lambda path: write_video(
        path, codec="mpeg4", options={"bf": "0", "g": "50"}, stamps=range(300), tick=Fraction(1, 30)
    ),
    "hidden_packets.webm": lambda path: write_video(
        path,
        count=150,
        codec="libvpx",
        options={"auto-alt-ref": "1", "lag-in-frames": "16", "b": "300k", "cpu-used": "5"},
    ),
}
