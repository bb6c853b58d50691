"""A video file whose every frame can be had, exactly as playing from the start shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from trtviewer.errors import BadInput
from trtviewer.sources.frame import Frame
from trtviewer.sources.frame_cache import FrameCache
from trtviewer.sources.source import Source
from trtviewer.sources.video_decoder import PictureMaker, Stumbled, VideoDecoder, size_bytes
from trtviewer.sources.video_index import build_index

CACHE_BYTES = 128 * 1024 * 1024
"""About 100 frames of 720p, 40 of 1080p: decoded frames are kept as the codec gives them, half a BGR picture's size."""

_DECODE_ON = 8
"""So many frames ahead, decoding on is quicker than a seek, whatever the key frames."""

_KEYS_TRIED = 2
"""A seek that lands too late is tried again one key frame back; after that the file is read from its start."""


class VideoSource(Source):
    """A video file: random access by an index of time stamps, made when it is opened.

    The length is that of the index (`video_index`), never the header's. A frame that the index promises and that does
    not decode (the file is damaged there) raises BadInput when it is read; those after it can be read.

    Args:
        path: any file that FFmpeg can decode.
        address: the text that opens it again; the path where not given.
        cache_bytes: how much the decoded frames that are kept may hold.
        cancelled: asked while the index is made; True ends it.

    Raises:
        BadInput: it is not a video, or nothing in it decodes.
        Cancelled: `cancelled` said so.
    """

    def __init__(
        self,
        path: Path,
        *,
        address: str = "",
        cache_bytes: int = CACHE_BYTES,
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        self._path = path
        self._address = address or str(path)
        self._index = build_index(path, cancelled)
        self._number = {int(tag): number for number, tag in enumerate(self._index.tags)}
        self._cache: FrameCache[Any] = FrameCache(cache_bytes)
        self._maker = PictureMaker()
        self._lost: set[int] = set()
        self._closed = False
        self._careful = self._index.careful
        self._decoder = VideoDecoder(path, careful=self._careful)
        self._pictures: Iterator[Any] = self._decoder.pictures()
        self._position = 0
        try:
            self._size = self.read(0).size
        except BaseException:
            self.close()
            raise

    @property
    def address(self) -> str:
        return self._address

    @property
    def length(self) -> int:
        return len(self._index)

    @property
    def rate(self) -> float:
        return self._index.rate

    @property
    def size(self) -> tuple[int, int]:
        return self._size

    @property
    def cached_bytes(self) -> int:
        """How much the kept frames hold now."""
        return self._cache.held_bytes

    @property
    def remark(self) -> str:
        promised = self._index.promised_length
        if promised > self.length:
            return f"its header speaks of {promised} frames, {self.length} can be read: it may be cut short"
        return ""

    def read(self, index: int) -> Frame:
        """See `Source.read`. Quick just after the last frame read and where frames are kept; else it costs a seek."""
        self._check(index)
        decoded = self._cache.take(index)
        if decoded is None:
            try:
                decoded = self._decode(index)
            except Stumbled:
                # From here on as a careful decoder that plays from the start gives it; no fault stops that one.
                self._careful = True
                self._restart()
                decoded = self._decode(index)
        return self._frame(index, decoded)

    def time_s(self, index: int) -> float:
        self._check(index)
        return float(self._index.times_s[index])

    def close(self) -> None:
        self._closed = True
        self._cache.clear()
        self._pictures = iter(())
        self._decoder.close()

    def _check(self, index: int) -> None:
        if self._closed:
            raise ValueError(f"{self._address} is closed")
        if not 0 <= index < self.length:
            raise IndexError(f"{self._address} has frames 0 to {self.length - 1}, not {index}")

    def _frame(self, index: int, decoded: Any) -> Frame:
        return Frame(self._maker.picture(decoded), index, float(self._index.times_s[index]))

    def _decode(self, index: int) -> Any:
        """The decoded frame, by the cheapest way that is exact."""
        if index in self._lost:
            raise self._damaged(index)
        key = self._index.key_at(index)
        ahead = index - self._position
        if ahead >= 0 and (ahead < _DECODE_ON or self._index.keys[key] <= self._position):
            decoded = self._play_to(index)
            if decoded is not None:
                return decoded
        if self._index.searchable:
            for earlier in range(key, max(-1, key - _KEYS_TRIED), -1):
                if not self._jump(int(self._index.keys[earlier])):
                    continue
                decoded = self._play_to(index)
                if decoded is not None:
                    return decoded
        self._restart()
        decoded = self._play_to(index)
        if decoded is None:
            self._lost.add(index)
            raise self._damaged(index)
        return decoded

    def _play_to(self, index: int) -> Any:
        """Decodes on, keeping all that comes; None where `index` is passed over or the file ends."""
        while self._position <= index:
            decoded = next(self._pictures, None)
            if decoded is None:
                return None
            number = self._number.get(decoded.pts) if self._index.searchable else self._position
            if number is None or number < self._position:
                continue
            self._keep(number, decoded)
        return self._cache.take(index)

    def _jump(self, key: int) -> bool:
        """Seeks to key frame `key` or an earlier one; False where what comes out cannot be trusted to be one."""
        self._position = self.length  # until a frame has told where the decoder is
        if not self._decoder.seek(int(self._index.tags[key])):
            return False
        self._pictures = self._decoder.pictures(from_key=True)
        # What comes out before the key frame refers to frames that were not decoded.
        landed = next((decoded for decoded in self._pictures if decoded.key_frame), None)
        number = None if landed is None or landed.is_corrupt else self._number.get(landed.pts)
        if number is None or number > key or self._index.keys[self._index.key_at(number)] != number:
            return False
        self._keep(number, landed)
        return True

    def _restart(self) -> None:
        """Opens the file anew."""
        # Kept frames lie in the old decoder's pool, which is freed whole or not at all: both would be twice the bound.
        self._cache.clear()
        self._decoder.close()
        self._decoder = VideoDecoder(self._path, careful=self._careful)
        self._pictures = self._decoder.pictures()
        self._position = 0

    def _keep(self, number: int, decoded: Any) -> None:
        self._cache.put(number, decoded, size_bytes(decoded))
        self._position = number + 1

    def _damaged(self, index: int) -> BadInput:
        return BadInput(
            f"frame {index} is damaged and does not decode",
            subject=self._address,
            advice="choose frames around it with --start and --frames, or convert the video again",
        )
