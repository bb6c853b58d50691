"""Objects that move, cross, vanish and come back, and what is said when the candidate loses sight of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pytest

from tests.compare.made import boxes_of
from trtviewer.compare.matching import match
from trtviewer.compare.settings import CompareSettings
from trtviewer.compare.tracks import TrackSummary, TrackTotals
from trtviewer.detect.boxes import Detections

RATE = 30.0
SETTINGS = CompareSettings()
Box = tuple[float, float, float, float]


class Thing:
    """Something that moves evenly, of one class, seen by each side in the frames that it is told."""

    def __init__(
        self,
        start: tuple[float, float],
        speed: tuple[float, float],
        reference: Iterable[int],
        candidate: Iterable[int] | None = None,
        class_id: int = 0,
        size: float = 20,
    ) -> None:
        self.place, self.speed, self.class_id, self.size = np.array(start), np.array(speed), class_id, size
        self.reference = set(reference)
        self.candidate = self.reference if candidate is None else set(candidate)

    def box(self, frame: int) -> Box:
        x, y = self.place + self.speed * frame
        return (x, y, x + self.size, y + 2 * self.size)


def detections(things: list[Thing], frame: int, seen: Callable[[Thing], set[int]]) -> Detections:
    visible = [thing for thing in things if frame in seen(thing)]
    boxes = boxes_of(
        [thing.box(frame) for thing in visible],
        [0.9] * len(visible),
        [thing.class_id for thing in visible],
    )
    return Detections(boxes, np.arange(len(visible), dtype=np.int32))


def followed(*things: Thing, frames: int = 40, step: int = 1) -> TrackSummary:
    totals = TrackTotals(("person", "car"))
    for frame in range(0, frames, step):
        reference = detections(list(things), frame, lambda thing: thing.reference)
        candidate = detections(list(things), frame, lambda thing: thing.candidate)
        matching = match(reference, candidate, SETTINGS)
        totals.update(frame, frame / RATE, reference, matching)
    return totals.result()


def test_that_one_object_is_one_track_however_fast() -> None:
    summary = followed(Thing((0, 0), (9, 3), range(40)))
    assert (summary.tracks, summary.dropped, summary.flickering, summary.late) == (1, 0, 0, 0)
    assert summary.worst == ()
    assert summary.mean_first_found_after == 0


def test_that_objects_that_cross_keep_their_tracks() -> None:
    right = Thing((0, 0), (4, 0), range(40), candidate=())
    left = Thing((156, 6), (-4, 0), range(40))
    summary = followed(right, left)
    assert (summary.tracks, summary.dropped) == (2, 1)
    assert summary.worst[0].seen == 40


def test_that_classes_are_never_one_track() -> None:
    summary = followed(
        Thing((0, 0), (0, 0), range(20), class_id=0), Thing((0, 0), (0, 0), range(20, 40), class_id=1)
    )
    assert summary.tracks == 2


def test_that_a_track_that_the_candidate_never_finds_is_dropped() -> None:
    summary = followed(Thing((0, 0), (2, 0), range(10, 30), candidate=(), class_id=1))
    assert (summary.tracks, summary.dropped, summary.late) == (1, 1, 0)
    assert summary.mean_first_found_after is None
    (worst,) = summary.worst
    assert (worst.name, worst.first_frame, worst.last_frame) == ("car", 10, 29)
    assert (worst.seen, worst.found, worst.longest_gap, worst.first_found_after) == (20, 0, 20, None)
    assert worst.height == pytest.approx(40)
    assert worst.longest_gap_s == pytest.approx(19 / RATE)


def test_that_a_late_track_counts_the_frames_until_it_is_found() -> None:
    summary = followed(Thing((0, 0), (2, 0), range(40), candidate=range(12, 40)))
    assert (summary.dropped, summary.late, summary.flickering) == (0, 1, 0)
    assert summary.mean_first_found_after == 12
    assert summary.worst[0].gaps == 0
    assert summary.longest_gap == 12


def test_that_a_track_with_two_gaps_flickers() -> None:
    lost = {10, 11, 12, 20, 35}
    summary = followed(Thing((0, 0), (2, 0), range(40), candidate=set(range(40)) - lost))
    assert (summary.flickering, summary.late) == (1, 0)
    (worst,) = summary.worst
    assert (worst.gaps, worst.longest_gap, worst.found, worst.seen) == (3, 3, 35, 40)
    assert worst.longest_gap_s == pytest.approx(3 / RATE)


def test_that_one_gap_is_no_flicker_and_an_end_unseen_is_no_gap() -> None:
    summary = followed(Thing((0, 0), (2, 0), range(40), candidate=[*range(10), *range(15, 30)]))
    assert summary.flickering == 0
    assert (summary.worst[0].gaps, summary.worst[0].longest_gap) == (1, 10)


def test_that_the_reference_s_own_short_absence_breaks_no_track_and_is_told() -> None:
    seen = [*range(10), *range(14, 25), *range(28, 40)]
    summary = followed(Thing((0, 0), (5, 0), seen))
    assert (summary.tracks, summary.reference_flickering, summary.flickering) == (1, 1, 0)


def test_that_after_a_long_absence_it_is_another_track() -> None:
    summary = followed(Thing((0, 0), (0, 0), [*range(10), *range(30, 40)]))
    assert summary.tracks == 2


def test_that_a_track_of_a_few_detections_is_not_counted() -> None:
    assert followed(Thing((0, 0), (0, 0), range(4))).tracks == 0
    assert followed(Thing((0, 0), (0, 0), range(5))).tracks == 1


def test_that_every_third_frame_is_followed_too() -> None:
    summary = followed(Thing((0, 0), (2, 0), range(90)), frames=90, step=3)
    assert (summary.tracks, summary.worst) == (1, ())


def test_that_the_worst_are_the_most_missed_and_bounded() -> None:
    things = [
        Thing((60 * index, 0), (0, 0), range(40), candidate=range(index + 1, 40)) for index in range(30)
    ]
    summary = followed(*things)
    assert summary.tracks == 30
    assert [track.seen - track.found for track in summary.worst] == list(range(30, 10, -1))


def test_that_a_result_may_be_asked_for_in_the_middle() -> None:
    totals = TrackTotals(("person",))
    thing = Thing((0, 0), (2, 0), range(40), candidate=())
    for frame in range(40):
        reference = detections([thing], frame, lambda one: one.reference)
        totals.update(
            frame,
            frame / RATE,
            reference,
            match(reference, detections([thing], frame, lambda one: one.candidate), SETTINGS),
        )
        assert totals.result().tracks == (1 if frame >= 4 else 0)
    assert totals.result().worst[0].seen == 40
