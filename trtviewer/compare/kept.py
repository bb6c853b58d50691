"""What is kept of every analysed frame, so that a moved slider matches the whole video again without running a model."""

from __future__ import annotations

import struct
import tempfile
import threading
from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
from numpy.typing import NDArray

from trtviewer.detect.boxes import CandidateBoxes, owned
from trtviewer.errors import BadInput

_HEADER = struct.Struct("<qdiiiii??")
"""Frame index, time, height, width, boxes of the reference and of the candidate, heads, and whether each side is final."""

_COLUMNS = (
    ("xyxy", 4, "<f4"),
    ("score", 1, "<f4"),
    ("class_id", 1, "<i4"),
    ("stride", 1, "<i4"),
    ("head", 1, "<i4"),
    ("position", 1, "<i4"),
)

SPILL_AFTER = 100_000
"""Frames that are kept in memory before further ones go to a file."""


@dataclass(frozen=True, eq=False, slots=True)
class KeptFrame:
    """One frame without its picture and heads.

    Attributes:
        frame_index, time_s: its place in the source.
        frame_size: height and width of the source frame.
        reference, candidate: the boxes of each side above the score floor.
        error_mse: [heads] float64, the MSE of each paired output on this frame; NaN where undefined.
        reference_cell_error, candidate_cell_error: [N] float32, for each box of that side the mean |d| of its cell's
            channels; NaN where its head has no partner.
    """

    frame_index: int
    time_s: float
    frame_size: tuple[int, int]
    reference: CandidateBoxes
    candidate: CandidateBoxes
    error_mse: NDArray[np.float64]
    reference_cell_error: NDArray[np.float32]
    candidate_cell_error: NDArray[np.float32]

    def __post_init__(self) -> None:
        object.__setattr__(self, "error_mse", owned(self.error_mse, np.float64))
        for name, boxes in (
            ("reference_cell_error", self.reference),
            ("candidate_cell_error", self.candidate),
        ):
            errors = owned(getattr(self, name), np.float32)
            object.__setattr__(self, name, errors)
            if len(errors) != len(boxes):
                raise ValueError(f"{name} needs one value a box, {len(boxes)}, not {len(errors)}")

    @property
    def error(self) -> float:
        """The mean MSE over the outputs; NaN where none has one."""
        finite = self.error_mse[np.isfinite(self.error_mse)]
        return float(finite.mean()) if len(finite) else float("nan")

    def to_bytes(self) -> bytes:
        """All of it, about 40 bytes a box."""
        header = _HEADER.pack(
            self.frame_index,
            self.time_s,
            *self.frame_size,
            len(self.reference),
            len(self.candidate),
            len(self.error_mse),
            self.reference.final,
            self.candidate.final,
        )
        columns = [
            np.ascontiguousarray(getattr(boxes, name), dtype)
            for boxes in (self.reference, self.candidate)
            for name, _, dtype in _COLUMNS
        ]
        columns += [self.error_mse, self.reference_cell_error, self.candidate_cell_error]
        return header + b"".join(column.tobytes() for column in columns)

    @classmethod
    def from_bytes(cls, data: bytes) -> KeptFrame:
        """What `to_bytes` wrote."""
        index, time_s, height, width, of_reference, of_candidate, heads, *final = _HEADER.unpack_from(data)
        place = _HEADER.size

        def take(count: int, dtype: str) -> NDArray[Any]:
            nonlocal place
            array = np.frombuffer(data, dtype, count, place)
            place += array.nbytes
            return array

        def side(count: int, final: bool) -> CandidateBoxes:
            return CandidateBoxes(
                **{name: take(count * width_, dtype) for name, width_, dtype in _COLUMNS}, final=final
            )

        return cls(
            frame_index=index,
            time_s=time_s,
            frame_size=(height, width),
            reference=side(of_reference, final[0]),
            candidate=side(of_candidate, final[1]),
            error_mse=take(heads, "<f8"),
            reference_cell_error=take(of_reference, "<f4"),
            candidate_cell_error=take(of_candidate, "<f4"),
        )


class KeptFrames:
    """The kept frames of one analysis, by frame index; written by one thread, read by any.

    The first `spill_after` are in memory, further ones in a temporary file that `close` removes.
    """

    def __init__(self, spill_after: int = SPILL_AFTER) -> None:
        self._spill_after = spill_after
        self._lock = threading.Lock()
        self._order: list[int] = []
        self._in_memory: dict[int, bytes] = {}
        self._in_file: dict[int, tuple[int, int]] = {}
        self._file: IO[bytes] | None = None
        self._closed = False

    def __len__(self) -> int:
        return len(self._order)

    def __contains__(self, frame_index: int) -> bool:
        return frame_index in self._in_memory or frame_index in self._in_file

    def append(self, frame: KeptFrame) -> None:
        """Keeps a frame; one of the same index is replaced.

        Raises:
            BadInput: there is no room left for the temporary file.
        """
        data = frame.to_bytes()
        index = frame.frame_index
        with self._lock:
            self._must_be_open()
            new = index not in self
            if index in self._in_memory or (new and len(self._in_memory) < self._spill_after):
                self._in_memory[index] = data
            else:
                self._in_file[index] = (self._write(data), len(data))
            if new:
                insort(self._order, index)

    def get(self, frame_index: int) -> KeptFrame | None:
        """The frame of that index; None where it was not analysed."""
        with self._lock:
            self._must_be_open()
            data = self._in_memory.get(frame_index)
            if data is None and frame_index in self._in_file:
                assert self._file is not None
                start, size = self._in_file[frame_index]
                self._file.seek(start)
                data = self._file.read(size)
        return None if data is None else KeptFrame.from_bytes(data)

    def __iter__(self) -> Iterator[KeptFrame]:
        """The frames by rising index, as many as there are when the walk begins."""
        with self._lock:
            order = tuple(self._order)
        for index in order:
            frame = self.get(index)
            assert frame is not None, "frames are never removed"
            yield frame

    def close(self) -> None:
        """Lets everything go and removes the file; may be called twice."""
        with self._lock:
            self._closed = True
            self._order, self._in_memory, self._in_file = [], {}, {}
            if self._file is not None:
                self._file.close()
                self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _write(self, data: bytes) -> int:
        """Appends to the file; returns where."""
        try:
            if self._file is None:
                # Closed by close(), which its owner calls.
                self._file = tempfile.TemporaryFile(prefix="trtviewer-kept-")  # noqa: SIM115
            start = self._file.seek(0, 2)
            self._file.write(data)
        except OSError as error:
            raise BadInput(
                f"cannot hold the analysed frames: {error.strerror or error}",
                subject=tempfile.gettempdir(),
                advice="free some room there, or set TMPDIR to another folder",
            ) from error
        return start

    def _must_be_open(self) -> None:
        if self._closed:
            raise ValueError("these kept frames are closed")
