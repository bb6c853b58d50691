"""Objects followed through a video by the reference's detections, and what the candidate makes of each: lost, late, flickering.

Source: the IoU tracker with a constant velocity (Bochinski et al. 2017; Bewley et al. 2016, "SORT", whose Kalman filter and
Hungarian assignment are left out: only the reference is followed, at the full frame rate, and no library that does it comes
without scipy).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trtviewer.compare.matching import Matching
from trtviewer.compare.totals import class_name
from trtviewer.detect.boxes import Detections
from trtviewer.detect.iou import iou_matrix

SAME_IOU = 0.3
"""From this IoU with its predicted box on, a detection continues a track."""

MOST_ABSENT_S = 0.5
"""A track that the reference itself has not seen for so long has ended."""

LEAST_SEEN = 5
"""A track of fewer detections is not counted: it may be a false alarm."""

FLICKERS = 2
"""So many gaps, each between two sightings, make a track flicker."""

WORST = 20

_MEMORY = 0.7
"""How much of a track's old velocity stays at each sighting."""


@dataclass(frozen=True, slots=True)
class Track:
    """One object, as the reference saw it, and the candidate of it.

    Attributes:
        name: of its class.
        first_frame, last_frame: indices in the source.
        height: mean height in pixels.
        seen: frames in which the reference detects it; found: in how many of these the candidate does.
        gaps: runs of `seen` frames that the candidate misses between two that it finds.
        longest_gap: frames of the longest run that it misses, wherever it lies; longest_gap_s: its time.
        first_found_after: `seen` frames before the candidate's first detection; None where it never finds it.
        reference_gaps: how often the reference itself lost it for a while.
    """

    name: str
    first_frame: int
    last_frame: int
    height: float
    seen: int
    found: int
    gaps: int
    longest_gap: int
    longest_gap_s: float
    first_found_after: int | None
    reference_gaps: int


@dataclass(frozen=True, slots=True)
class TrackSummary:
    """Attributes:
    tracks: how many were followed for at least `LEAST_SEEN` detections.
    dropped: the candidate never finds them.
    flickering: it loses and finds them again at least `FLICKERS` times.
    late: it finds them, but not at first.
    reference_flickering: which the reference itself loses and finds again so often.
    mean_first_found_after: frames, over all that are found at all; None where there is none.
    longest_gap: frames; longest_gap_s: seconds.
    worst: at most `WORST`, by the number of frames that the candidate misses.
    """

    tracks: int
    dropped: int
    flickering: int
    late: int
    reference_flickering: int
    mean_first_found_after: float | None
    longest_gap: int
    longest_gap_s: float
    worst: tuple[Track, ...]


@dataclass(eq=False, slots=True)
class _Live:
    """A track that has not ended; `Track` says what its counts are."""

    class_id: int
    first_frame: int
    xyxy: NDArray[np.float64]
    velocity: NDArray[np.float64]
    time_s: float
    last_frame: int = 0
    heights: float = 0.0
    seen: int = 0
    found: int = 0
    gaps: int = 0
    gap: int = 0
    gap_from_s: float = 0.0
    longest_gap: int = 0
    longest_gap_s: float = 0.0
    first_found_after: int | None = None
    absent: bool = False
    reference_gaps: int = 0

    def predicted(self, time_s: float) -> NDArray[np.float64]:
        return self.xyxy + self.velocity * (time_s - self.time_s)

    def see(self, xyxy: NDArray[np.float64], time_s: float, frame: int, found: bool) -> None:
        """Continues it with a detection, which the candidate has too, or not."""
        elapsed = time_s - self.time_s
        if elapsed > 0:
            # The box may grow and shrink; only its centre is taken to move on.
            moved = np.tile((xyxy - self.xyxy).reshape(2, 2).mean(axis=0) / elapsed, 2)
            keep = _MEMORY if self.seen > 1 else 0.0
            self.velocity = keep * self.velocity + (1 - keep) * moved
        if found:
            self._found()
        else:
            self._missed(time_s)
        self.reference_gaps += self.absent
        self.absent = False
        self.seen += 1
        self.heights += float(xyxy[3] - xyxy[1])
        self.xyxy, self.time_s, self.last_frame = xyxy, time_s, frame

    def _found(self) -> None:
        if self.first_found_after is None:
            self.first_found_after = self.seen
        elif self.gap:
            self.gaps += 1
        self.gap = 0
        self.found += 1

    def _missed(self, time_s: float) -> None:
        if not self.gap:
            self.gap_from_s = self.time_s
        self.gap += 1
        if self.gap > self.longest_gap:
            self.longest_gap, self.longest_gap_s = self.gap, time_s - self.gap_from_s

    def track(self, names: Sequence[str]) -> Track:
        return Track(
            class_name(names, self.class_id),
            self.first_frame,
            self.last_frame,
            self.heights / self.seen,
            self.seen,
            self.found,
            self.gaps,
            self.longest_gap,
            self.longest_gap_s,
            self.first_found_after,
            self.reference_gaps,
        )


class TrackTotals:
    """Accumulates the matched frames of a video, in their order.

    Args: class_names: by class id.
    """

    def __init__(self, class_names: Sequence[str]) -> None:
        self._names = tuple(class_names)
        self._live: list[_Live] = []
        self._ended = _NOTHING
        self._delays = 0

    def update(self, frame_index: int, time_s: float, reference: Detections, matching: Matching) -> None:
        """Adds the next frame."""
        self._end_absent(time_s)
        xyxy = reference.xyxy.astype(np.float64)
        classes = reference.class_id
        found = np.zeros(len(reference), np.bool_)
        found[matching.pairs[:, 0]] = True
        free = np.ones(len(reference), np.bool_)
        seen = set()
        for row, column in self._continuations(xyxy, classes, time_s):
            self._live[row].see(xyxy[column], time_s, frame_index, bool(found[column]))
            free[column] = False
            seen.add(row)
        for row, live in enumerate(self._live):
            live.absent = row not in seen
        for column in np.flatnonzero(free).tolist():
            begun = _Live(int(classes[column]), frame_index, xyxy[column], np.zeros(4), time_s)
            begun.see(xyxy[column], time_s, frame_index, bool(found[column]))
            self._live.append(begun)

    def result(self) -> TrackSummary:
        """The figures so far; tracks that go on count as they are."""
        summary, delays = self._ended, self._delays
        for live in self._live:
            summary, delays = self._with(summary, delays, live)
        found = summary.tracks - summary.dropped
        return replace(summary, mean_first_found_after=delays / found if found else None)

    def _continuations(
        self, xyxy: NDArray[np.float64], classes: NDArray[np.int32], time_s: float
    ) -> list[tuple[int, int]]:
        """Track and detection, pairs by falling IoU."""
        if not self._live or not len(xyxy):
            return []
        expected = np.array([live.predicted(time_s) for live in self._live], np.float32)
        iou = iou_matrix(expected, xyxy.astype(np.float32))
        iou[np.array([live.class_id for live in self._live])[:, None] != classes] = 0
        rows, columns = np.nonzero(iou >= SAME_IOU)
        order = np.lexsort((columns, rows, -iou[rows, columns]))
        taken_rows: set[int] = set()
        taken_columns: set[int] = set()
        pairs = []
        for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
            if row not in taken_rows and column not in taken_columns:
                taken_rows.add(row)
                taken_columns.add(column)
                pairs.append((row, column))
        return pairs

    def _end_absent(self, time_s: float) -> None:
        for live in [live for live in self._live if time_s - live.time_s > MOST_ABSENT_S]:
            self._live.remove(live)
            self._ended, self._delays = self._with(self._ended, self._delays, live)

    def _with(self, summary: TrackSummary, delays: int, live: _Live) -> tuple[TrackSummary, int]:
        if live.seen < LEAST_SEEN:
            return summary, delays
        track = live.track(self._names)
        after = track.first_found_after
        worst = [*summary.worst, track] if track.seen > track.found else summary.worst
        longest = max((summary.longest_gap, summary.longest_gap_s), (track.longest_gap, track.longest_gap_s))
        return replace(
            summary,
            tracks=summary.tracks + 1,
            dropped=summary.dropped + (after is None),
            flickering=summary.flickering + (track.gaps >= FLICKERS),
            late=summary.late + bool(after),
            reference_flickering=summary.reference_flickering + (track.reference_gaps >= FLICKERS),
            longest_gap=longest[0],
            longest_gap_s=longest[1],
            worst=tuple(sorted(worst, key=lambda one: (one.found - one.seen, one.first_frame))[:WORST]),
        ), delays + (after or 0)


_NOTHING = TrackSummary(0, 0, 0, 0, 0, None, 0, 0.0, ())
