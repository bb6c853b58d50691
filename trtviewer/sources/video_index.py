"""Which frames a video really has, and from which key frames each can be reached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trtviewer.errors import BadInput, Cancelled
from trtviewer.sources.source import OPENS
from trtviewer.sources.video_decoder import Stumbled, VideoDecoder

PROBED_FRAMES = 16
"""So many frames are decoded to see whether the packets' time stamps tell the truth."""

_COMMON_RATE = 25.0
"""Frames a second where a raw stream says nothing at all."""


@dataclass(frozen=True, eq=False, slots=True)
class VideoIndex:
    """The frames of a video, in the order of showing.

    Attributes:
        tags: [N] int64, the time stamp by which each frame is known when it leaves the decoder; distinct where
            `searchable`.
        keys: [K] int64, rising: the indices of frames from which decoding can start; the first frame is one.
        times_s: [N] float64, when each is shown, in seconds from the first.
        rate: mean frames a second.
        searchable: False where time stamps are missing or doubled: such a file is only read from its start.
        careful: whether making the index already met damage, which asks for a careful decoder.
        promised_length: the header's number of frames, 0 where it says none.
    """

    tags: NDArray[np.int64]
    keys: NDArray[np.int64]
    times_s: NDArray[np.float64]
    rate: float
    searchable: bool
    careful: bool
    promised_length: int

    def __len__(self) -> int:
        return len(self.tags)

    def key_at(self, index: int) -> int:
        """The position in `keys` of the last key frame at or before frame `index`."""
        return int(np.searchsorted(self.keys, index, side="right")) - 1


def build_index(path: Path, cancelled: Callable[[], bool] | None = None) -> VideoIndex:
    """Reads the whole file once, without decoding, and decodes only where its packets do not say enough.

    Packets say enough when their time stamps are known and distinct, and they foretell the first decoded frames with
    their key frames. What is not shown (edit lists) and what nothing decodes from (before the first key frame) are no
    frames. Otherwise (raw streams, AVI with B-frames or without its own index, hidden packets, single fields) the
    whole file is decoded once, and the frames are those that came out.

    Args:
        cancelled: asked every few milliseconds; True ends the work.

    Raises:
        BadInput: not a video, or nothing in it decodes.
        Cancelled: `cancelled` said so.
    """
    stop = cancelled or (lambda: False)
    try:
        return _build(path, stop, careful=False)
    except Stumbled:
        return _build(path, stop, careful=True)


def _build(path: Path, stop: Callable[[], bool], *, careful: bool) -> VideoIndex:
    index = _from_packets(path, stop, careful)
    return index if index is not None else _from_pictures(path, stop, careful)


def _from_packets(path: Path, stop: Callable[[], bool], careful: bool) -> VideoIndex | None:
    """The index that the packets give; None where they cannot be believed."""
    stamps: list[int] = []
    keys: list[int] = []
    decoder = VideoDecoder(path)
    try:
        if not decoder.has_time_stamps:
            return None
        for number, packet in enumerate(decoder.packets()):
            if number % 64 == 0 and stop():
                raise Cancelled("opening was cancelled", subject=path)
            if packet.pts is None:
                return None
            if packet.is_discard:
                continue
            stamps.append(packet.pts)
            if packet.is_keyframe:
                keys.append(packet.pts)
    finally:
        decoder.close()
    tags = np.unique(np.array(stamps, np.int64))
    shown = _first_frames(path, careful)
    if len(tags) != len(stamps) or not shown or None in shown:
        return None
    first = np.array(list(shown), np.int64)
    tags = tags[np.searchsorted(tags, first[0]) :]
    if not np.array_equal(tags[: len(first)], first) or len(first) < min(len(tags), PROBED_FRAMES):
        return None
    if any(tag in shown and not shown[tag] for tag in keys):
        return None
    return _index(path, tags, np.searchsorted(tags, np.intersect1d(keys, tags)), careful, searchable=True)


def _first_frames(path: Path, careful: bool) -> dict[int | None, bool]:
    """The time stamps of the first frames that come out, in order, and whether each is a key frame."""
    decoder = VideoDecoder(path, careful=careful)
    try:
        return {frame.pts: bool(frame.key_frame) for frame in islice(decoder.pictures(), PROBED_FRAMES)}
    finally:
        decoder.close()


def _from_pictures(path: Path, stop: Callable[[], bool], careful: bool) -> VideoIndex:
    tags: list[int | None] = []
    keys: list[int] = []
    decoder = VideoDecoder(path, careful=careful)
    try:
        for number, frame in enumerate(decoder.pictures()):
            if stop():
                raise Cancelled("opening was cancelled", subject=path)
            tags.append(frame.pts)
            if frame.key_frame:
                keys.append(number)
        has_time_stamps = decoder.has_time_stamps
    finally:
        decoder.close()
    if not tags:
        raise BadInput("holds no frame that can be decoded", subject=path, advice=OPENS)
    known = [tag for tag in tags if tag is not None]
    distinct = len(set(known)) == len(tags)
    numbered = np.array(known if distinct else range(len(tags)), np.int64)
    searchable = distinct and has_time_stamps
    return _index(path, numbered, np.array(keys, np.int64), careful, searchable=searchable, timed=distinct)


def _index(
    path: Path,
    tags: NDArray[np.int64],
    keys: NDArray[np.int64],
    careful: bool,
    *,
    searchable: bool,
    timed: bool = True,
) -> VideoIndex:
    decoder = VideoDecoder(path)
    try:
        stream = decoder.stream
        tick = float(stream.time_base)
        stated = float(stream.average_rate or stream.guessed_rate or _COMMON_RATE)
        promised = decoder.promised_length
    finally:
        decoder.close()
    # Tags need not rise in the order of showing (AVI with B-frames), times do.
    times_s = (np.sort(tags) - tags.min()) * tick if timed else np.arange(len(tags)) / stated
    rate = (len(tags) - 1) / float(times_s[-1]) if timed and len(tags) > 1 else stated
    return VideoIndex(
        tags=tags,
        keys=np.union1d(keys, [0]).astype(np.int64),
        times_s=times_s,
        rate=rate,
        searchable=searchable,
        careful=careful,
        promised_length=promised,
    )
