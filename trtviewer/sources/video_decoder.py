"""One open video file: its packets and its pictures, in the order in which a player meets them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import av.logging
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from trtviewer.errors import BadInput
from trtviewer.opencv import cv2
from trtviewer.sources.source import OPENS

av.logging.set_level(None)  # FFmpeg's own lines on stderr: none

_NOT_VIDEO = frozenset({"tty", "bin", "xbin", "adf", "idf"})
"""Formats of FFmpeg that draw a text file as pictures: it opens any .txt with them."""

_STILL = frozenset({"image2", "image2pipe"})

_TURNS = {90: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_CLOCKWISE}

_THREADS = max(1, min(4, os.cpu_count() or 1))


class Stumbled(Exception):
    """A quick decoder met damage: what comes after must be left to a careful one."""


class VideoDecoder:
    """A video file, opened; iterated once from the start, or again from a seek.

    Several threads decode alike only what is whole: where FFmpeg mends damage, its result then depends on the moment
    (measured, H.264). So a quick decoder stops at the first fault, and a careful one, with one thread, mends what it
    can and passes over packets that do not decode, as players do.

    Args:
        path: a local file; nothing else is ever opened, also from within a playlist.
        careful: one thread, and no fault stops it.

    Raises:
        BadInput: it is not a video, has no picture, or its codec is not known.
    """

    def __init__(self, path: Path, *, careful: bool = False) -> None:
        self._path = path
        self._careful = careful
        try:
            # "file:" and the white list: a file's name or contents can never make FFmpeg open an address.
            self._container = av.open(f"file:{path}", options={"protocol_whitelist": "file"})
        except (av.error.FFmpegError, OSError) as error:
            raise _not_video(path, error) from error
        try:
            self.stream = self._picture_stream()
            codec = self.stream.codec_context
            if careful:
                codec.thread_count = 1
            else:
                codec.thread_type, codec.thread_count = "AUTO", _THREADS
                codec.options = {"err_detect": "explode"}
        except BaseException:
            self._container.close()
            raise

    def _picture_stream(self) -> Any:
        format_name = self._container.format.name
        if format_name in _NOT_VIDEO:
            raise BadInput("is not a video or picture", subject=self._path, advice=OPENS)
        cover = av.stream.Disposition.attached_pic  # of an audio file
        streams = [stream for stream in self._container.streams.video if not stream.disposition & cover]
        if not streams:
            raise BadInput("has no pictures in it, only other streams", subject=self._path, advice=OPENS)
        if streams[0].codec_context is None:
            raise BadInput("its video codec is not known to FFmpeg", subject=self._path, advice="convert it")
        return streams[0]

    @property
    def is_still(self) -> bool:
        """Whether FFmpeg takes it for a single picture, not a video."""
        name = self._container.format.name
        return name in _STILL or name.endswith("_pipe")

    @property
    def has_time_stamps(self) -> bool:
        """False for raw streams (.h264): their time stamps after a seek mean nothing."""
        return not self._container.format.flags & int(av.format.Flags.no_timestamps.value)

    @property
    def promised_length(self) -> int:
        """The number of frames that the header speaks of; 0 where it does not. Often wrong."""
        return max(0, int(self.stream.frames))

    def packets(self) -> Iterator[Any]:
        """The packets with something in them, in file order, from the start or the last seek.

        Where the file is cut the packets just end; one that is itself cut off is none: half a picture is no frame.
        """
        before = None
        try:
            for packet in self._container.demux(self.stream):
                if not packet.size:
                    continue
                if before is not None:
                    yield before
                before = packet
        except (av.error.FFmpegError, OSError):
            pass  # what cannot be read any more is past the end
        if before is not None and not before.is_corrupt:
            yield before

    def pictures(self, *, from_key: bool = False) -> Iterator[Any]:
        """The pictures in the order of showing, as `av.VideoFrame`.

        Args:
            from_key: pass over all packets before the first key frame's: after a seek they refer to what is not there.

        Raises:
            Stumbled: something is damaged, and this decoder is not careful.
        """
        for packet in self.packets():
            if from_key and not packet.is_keyframe:
                continue
            from_key = False
            yield from self._decoded(packet)
        yield from self._decoded(None)

    def _decoded(self, packet: Any) -> list[Any]:
        try:
            return list(self.stream.codec_context.decode(packet))
        except (av.error.FFmpegError, OSError) as error:
            if not self._careful:
                raise Stumbled from error
            return []

    def seek(self, time_stamp: int) -> bool:
        """Goes to a key frame that should be at or before `time_stamp`; False where the file cannot be searched."""
        try:
            self._container.seek(time_stamp, stream=self.stream, backward=True)
        except (av.error.FFmpegError, OSError):
            return False
        return True

    def close(self) -> None:
        """Closes the file; may be called twice."""
        self._container.close()


class PictureMaker:
    """Turns decoded frames into BGR pictures, upright as the file's rotation says."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def picture(self, frame: Any) -> NDArray[np.uint8]:
        """[H, W, 3] BGR uint8, contiguous, owned by nobody else."""
        converted: NDArray[Any] = self._reformatter.reformat(frame, format="bgr24").to_ndarray()
        turn = _TURNS.get(round(frame.rotation) % 360)
        if turn is not None:
            converted = cv2.rotate(converted, turn)
        return np.ascontiguousarray(converted, np.uint8)


def size_bytes(frame: Any) -> int:
    """How much memory a decoded frame holds."""
    return sum(plane.buffer_size for plane in frame.planes)


def _not_video(path: Path, error: Exception) -> BadInput:
    if isinstance(error, av.error.InvalidDataError):
        if path.suffix.lower() in {".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi"}:
            return BadInput(
                "is not a video or picture that can be read: it is damaged, cut short, or something else",
                subject=path,
                advice="copy or record it again",
            )
        return BadInput("is not a video or picture", subject=path, advice=OPENS)
    reason = getattr(error, "strerror", None) or str(error)
    return BadInput(f"cannot be opened: {reason}", subject=path, advice=OPENS)
