from __future__ import annotations

import threading

import pytest

from trtviewer.pipeline.clock import PlaybackClock
from trtviewer.pipeline.feed import Ticket


class Time:
    """A clock that goes only when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Watched:
    """A playback clock of a 10 frames/s video, its time, and how often it said that it had ended."""

    def __init__(self, length: int = 50) -> None:
        self.time = Time()
        self.ends = 0
        self.clock = PlaybackClock(length, lambda index: index / 10, self._end, self.time)

    def _end(self) -> None:
        self.ends += 1
        self.clock.close()

    def indices(self, count: int) -> list[int]:
        return [self.index() for _ in range(count)]

    def index(self) -> int:
        ticket = self.clock.next()
        assert ticket is not None
        return ticket.frame_index


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_that_a_seek_is_answered_exactly_and_begins_a_generation(watched: Watched) -> None:
    first = watched.clock.seek(7)
    assert watched.clock.next() == Ticket(7, first, sought=True)
    assert watched.clock.seek(3) == first + 1
    assert watched.clock.next() == Ticket(3, first + 1, sought=True)


@pytest.mark.parametrize(("asked", "given"), [(-4, 0), (49, 49), (10_000, 49)])
def test_that_a_seek_stays_within_the_video(watched: Watched, asked: int, given: int) -> None:
    watched.clock.seek(asked)
    assert watched.index() == given


def test_that_playing_in_time_shows_every_frame(watched: Watched) -> None:
    watched.clock.seek(0)
    assert watched.index() == 0
    watched.clock.play()
    for expected in range(1, 20):
        watched.time.now += 0.1 + 1e-9
        assert watched.index() == expected


def test_that_a_slow_reader_skips_to_the_frame_of_now(watched: Watched) -> None:
    watched.clock.seek(0)
    watched.index()
    watched.clock.play()
    watched.time.now += 0.55
    assert watched.index() == 5
    watched.time.now += 0.3
    assert watched.index() == 8


def test_that_double_speed_shows_every_second_frame_to_a_reader_at_the_videos_rate(watched: Watched) -> None:
    watched.clock.seek(0)
    watched.index()
    watched.clock.set_speed(2)
    watched.clock.play()
    shown = []
    for _ in range(5):
        watched.time.now += 0.1 + 1e-9
        shown.append(watched.index())
    assert shown == [2, 4, 6, 8, 10]


def test_that_far_behind_it_waits_for_the_frames_instead_of_leaving_out_ever_more(watched: Watched) -> None:
    watched.clock.seek(0)
    watched.index()
    watched.clock.play()
    watched.time.now += 30
    assert watched.index() == 1


def test_that_playing_ends_at_the_last_frame_and_says_so(watched: Watched) -> None:
    watched.clock.seek(48)
    watched.index()
    watched.clock.play()
    watched.time.now += 0.15
    assert watched.index() == 49
    watched.time.now += 0.15
    assert watched.clock.next() is None
    assert watched.ends == 1
    assert not watched.clock.playing


def test_that_play_at_the_end_starts_again(watched: Watched) -> None:
    watched.clock.seek(49)
    watched.index()
    watched.clock.play()
    assert watched.index() == 0


def test_that_a_loop_goes_back_to_its_first_frame(watched: Watched) -> None:
    watched.clock.set_loop((4, 6))
    watched.clock.seek(4)
    watched.clock.play()
    shown = []
    for _ in range(7):
        shown.append(watched.index())
        watched.time.now += 0.1 + 1e-9
    assert shown == [4, 5, 6, 4, 5, 6, 4]


def test_that_suspending_lets_a_waiting_reader_go_and_resuming_asks_for_the_same_frame_again() -> None:
    watched = Watched()
    watched.clock.seek(5)
    before = watched.clock.next()
    answers: list[Ticket | None] = []
    reader = threading.Thread(target=lambda: answers.append(watched.clock.next()))
    reader.start()
    watched.clock.suspend()
    reader.join(5)
    assert answers == [None]
    watched.clock.resume()
    after = watched.clock.next()
    assert before is not None
    assert after == Ticket(5, before.generation + 1, sought=True)
