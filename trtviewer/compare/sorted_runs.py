"""Rows that are too many for memory: kept in runs, each sorted when it came, in memory up to a bound, then in a file.

The file has no name (where the system can do that) and ends with what it belongs to, also on an error or Ctrl-C.
"""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from trtviewer.errors import BadInput

MEMORY_BYTES = 32 * 2**20
"""So much of one kind of rows stays in memory."""

_PIECE = 65_536

Rows = NDArray[np.void]
"""[N] of a structured type."""


class SortedRuns:
    """Runs of rows, appended and read back in parts.

    Args: dtype: of a row. memory_bytes: before further runs go to a file.
    """

    def __init__(self, dtype: DTypeLike, memory_bytes: int = MEMORY_BYTES) -> None:
        self._dtype = np.dtype(dtype)
        self._room = memory_bytes
        # The rows themselves, or where in the file they begin.
        self._runs: list[tuple[int, Rows | int]] = []
        self._file: IO[bytes] | None = None

    def __len__(self) -> int:
        """How many runs there are."""
        return len(self._runs)

    def append(self, rows: Rows) -> None:
        """Keeps a run. Raises: BadInput: there is no room left for the temporary file."""
        if rows.nbytes <= self._room:
            self._room -= rows.nbytes
            self._runs.append((len(rows), rows))
        else:
            self._room = 0
            self._runs.append((len(rows), self._write(rows)))

    def part(self, run: int, begin: int = 0, end: int | None = None) -> Rows:
        """Rows of one run."""
        length, kept = self._runs[run]
        end = length if end is None else min(end, length)
        if not isinstance(kept, int):
            return kept[begin:end]
        assert self._file is not None
        self._file.seek(kept + begin * self._dtype.itemsize)
        return np.frombuffer(self._file.read((end - begin) * self._dtype.itemsize), self._dtype)

    def pieces(self) -> Iterator[Rows]:
        """All rows, a bounded number at a time."""
        for run, (length, _) in enumerate(self._runs):
            for begin in range(0, length, _PIECE):
                yield self.part(run, begin, begin + _PIECE)

    def merged(self, bounds: list[tuple[int, int]], key: str) -> Iterator[Rows]:
        """The rows between the bounds of each run as one, by falling `key`; of equal ones those of the earlier run first.

        Args: bounds: of each run; within them it falls by `key` already.
        """
        places = [begin for begin, _ in bounds]
        piece = max(256, _PIECE // max(1, len(bounds)))
        while any(place < end for place, (_, end) in zip(places, bounds, strict=True)):
            heads = [
                self.part(run, places[run], min(places[run] + piece, end))
                for run, (_, end) in enumerate(bounds)
            ]
            # Rows behind the lowest head that has more to come may still be preceded by what is not read yet.
            open_runs = [run for run, (_, end) in enumerate(bounds) if places[run] + len(heads[run]) < end]
            taken = [len(head) for head in heads]
            if open_runs:
                limit = max(open_runs, key=lambda run: (heads[run][key][-1], -run))
                lowest = heads[limit][key][-1]
                for run, head in enumerate(heads):
                    # Equal ones of an earlier run come before it, of a later run after it.
                    falling = -head[key]
                    before = (falling <= -lowest) if run <= limit else (falling < -lowest)
                    taken[run] = int(np.count_nonzero(before))
            rows = np.concatenate([head[:count] for head, count in zip(heads, taken, strict=True)])
            yield rows[np.argsort(-rows[key], kind="stable")]
            places = [place + count for place, count in zip(places, taken, strict=True)]

    def _write(self, rows: Rows) -> int:
        """Appends to the file; returns where."""
        try:
            if self._file is None:
                # Closed with this object, or at the end of the program.
                self._file = tempfile.TemporaryFile(prefix="trtviewer-rows-")  # noqa: SIM115
                weakref.finalize(self, self._file.close)
            begin = self._file.seek(0, 2)
            self._file.write(np.ascontiguousarray(rows, self._dtype).tobytes())
            self._file.flush()
        except OSError as error:
            raise BadInput(
                f"cannot hold what is found against the truth: {error.strerror or error}",
                subject=tempfile.gettempdir(),
                advice="free some room there, or set TMPDIR to another folder",
            ) from error
        return begin


def structured(dtype: Any, **columns: NDArray[Any]) -> Rows:
    """Columns of one length as rows."""
    rows = np.empty(len(next(iter(columns.values()))), dtype)
    for name, column in columns.items():
        rows[name] = column
    return rows
