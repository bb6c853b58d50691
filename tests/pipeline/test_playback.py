from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import cast

import numpy as np
import pytest

from tests.pipeline.conftest import Numbers, number_of
from trtviewer.compare.settings import CompareSettings
from trtviewer.errors import BadInput
from trtviewer.pipeline.pair import Pair, make_pair
from trtviewer.pipeline.playback import Playback, PlaybackUpdate
from trtviewer.pipeline.worker import RunnerThread

PATIENCE_S = 20


class Viewer:
    """Notes what a playback publishes, and waits for what a test expects."""

    def __init__(self) -> None:
        self.updates: list[PlaybackUpdate] = []
        self.errors: list[Exception] = []
        self.ends = 0
        self._changed = threading.Condition()

    def publish(self, update: PlaybackUpdate) -> None:
        with self._changed:
            self.updates.append(update)
            self._changed.notify_all()

    def failed(self, error: Exception) -> None:
        with self._changed:
            self.errors.append(error)
            self._changed.notify_all()

    def ended(self) -> None:
        with self._changed:
            self.ends += 1
            self._changed.notify_all()

    def wait_until(self, holds: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(holds, PATIENCE_S), [u.comparison.frame.index for u in self.updates]

    @property
    def shown(self) -> int:
        return self.updates[-1].comparison.frame.index if self.updates else -1


@pytest.fixture
def viewer() -> Viewer:
    return Viewer()


@pytest.fixture
def playback(pair: Pair, viewer: Viewer) -> Iterator[Playback]:
    playing = Playback(Numbers(), pair, CompareSettings(), viewer.publish, viewer.failed, viewer.ended)
    playing.start()
    yield playing
    playing.close()


def test_that_it_starts_paused_on_the_first_frame(playback: Playback, viewer: Viewer) -> None:
    viewer.wait_until(lambda: viewer.shown == 0)
    assert not playback.clock.playing


def test_that_a_seek_shows_exactly_that_frame(playback: Playback, viewer: Viewer) -> None:
    for index in (17, 3, 39, 0):
        playback.seek(index)
        viewer.wait_until(lambda index=index: viewer.shown == index)
        assert number_of(viewer.updates[-1].comparison.frame.picture) == index


def test_that_after_a_burst_of_seeks_the_last_one_is_shown_and_nothing_older_after_it(
    playback: Playback, viewer: Viewer
) -> None:
    for index in range(30):
        playback.seek(index)
    playback.seek(35)
    viewer.wait_until(lambda: viewer.shown == 35)
    playback.seek(36)
    viewer.wait_until(lambda: viewer.shown == 36)
    assert [u.comparison.frame.index for u in viewer.updates][-2:] == [35, 36]


def test_that_frames_are_shown_while_a_hand_drags_without_rest(playback: Playback, viewer: Viewer) -> None:
    viewer.wait_until(lambda: viewer.shown == 0)
    resting = threading.Event()

    def drag() -> None:
        index = 0
        while not resting.wait(0.001):
            index = index % 38 + 1
            playback.seek(index)

    hand = threading.Thread(target=drag)
    hand.start()
    try:
        viewer.wait_until(lambda: len(viewer.updates) > 10)
    finally:
        resting.set()
        hand.join()


def test_that_playing_reaches_the_end_in_order_and_says_so(playback: Playback, viewer: Viewer) -> None:
    playback.clock.play()
    viewer.wait_until(lambda: viewer.ends == 1 and viewer.shown == 39)
    indices = [u.comparison.frame.index for u in viewer.updates]
    assert indices == sorted(set(indices))
    assert not playback.clock.playing


def test_that_a_step_pauses_and_goes_one_frame(playback: Playback, viewer: Viewer) -> None:
    playback.seek(10)
    viewer.wait_until(lambda: viewer.shown == 10)
    playback.clock.play()
    playback.step(0)
    here = playback.clock.position
    playback.step(-1)
    viewer.wait_until(lambda: viewer.shown == max(0, here - 1))
    assert not playback.clock.playing


def test_that_a_threshold_changes_the_detections_with_no_inference(
    playback: Playback, viewer: Viewer
) -> None:
    viewer.wait_until(lambda: viewer.shown == 0)
    before = viewer.updates[-1]
    playback.set_settings(replace(CompareSettings(), confidence=0.9))
    viewer.wait_until(lambda: viewer.updates[-1].comparison.settings.confidence == 0.9)
    after = viewer.updates[-1]
    assert not after.new_frame
    assert after.comparison.reference.heads is before.comparison.reference.heads
    assert len(after.comparison.reference.detections) < len(before.comparison.reference.detections)
    assert (after.comparison.reference.detections.score > 0.9).all()


def test_that_another_pair_goes_on_from_the_same_frame(
    playback: Playback, pair: Pair, viewer: Viewer
) -> None:
    playback.seek(21)
    viewer.wait_until(lambda: viewer.shown == 21)
    assert viewer.updates[-1].comparison.candidate.spec is pair.candidate.spec
    seen = len(viewer.updates)
    playback.set_pair(make_pair(pair.candidate, pair.reference))
    viewer.wait_until(lambda: len(viewer.updates) > seen)
    comparison = viewer.updates[-1].comparison
    assert comparison.frame.index == 21
    assert comparison.candidate.spec is pair.reference.spec


def test_that_a_pair_changed_while_playing_goes_on_playing(
    playback: Playback, pair: Pair, viewer: Viewer
) -> None:
    playback.clock.play()
    viewer.wait_until(lambda: viewer.shown >= 3)
    playback.set_pair(make_pair(pair.candidate, pair.reference))
    viewer.wait_until(lambda: viewer.ends == 1 and viewer.shown == 39)


def test_that_a_damaged_frame_is_told_and_the_next_seek_goes_on(pair: Pair, viewer: Viewer) -> None:
    playback = Playback(Numbers(damaged=(7,)), pair, CompareSettings(), viewer.publish, viewer.failed)
    playback.start()
    try:
        playback.seek(7)
        viewer.wait_until(lambda: bool(viewer.errors))
        assert isinstance(viewer.errors[0], BadInput)
        playback.seek(8)
        viewer.wait_until(lambda: viewer.shown == 8)
    finally:
        playback.close()


class Misread:
    """A runner thread of which somebody understood the classes wrongly."""

    def __init__(self, real: RunnerThread) -> None:
        self._real = real
        self.spec = replace(real.spec, classes=("one", "too", "many", "names"))

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)


def test_that_heads_that_cannot_be_read_are_told_and_another_pair_goes_on(
    playback: Playback, pair: Pair, viewer: Viewer
) -> None:
    viewer.wait_until(lambda: viewer.shown == 0)
    misread = cast(RunnerThread, Misread(pair.candidate))
    playback.set_pair(Pair(pair.reference, misread, pair.correspondence))
    viewer.wait_until(lambda: len(viewer.errors) == 1)
    playback.set_pair(pair)
    playback.seek(5)
    viewer.wait_until(lambda: viewer.shown == 5)


@pytest.mark.parametrize("moment", ["at once", "while playing", "while seeking"])
def test_that_closing_never_hangs_and_nothing_is_published_after_it(
    pair: Pair, viewer: Viewer, moment: str
) -> None:
    playback = Playback(Numbers(None), pair, CompareSettings(), viewer.publish, viewer.failed)
    playback.start()
    if moment == "while playing":
        playback.clock.play()
        viewer.wait_until(lambda: viewer.shown >= 2)
    elif moment == "while seeking":
        for index in np.random.default_rng(0).integers(0, 1000, 20):
            playback.seek(int(index))
    playback.close()
    count = len(viewer.updates)
    assert not [thread for thread in threading.enumerate() if thread.name in ("collect", "compare", "decode")]
    assert len(viewer.updates) == count
    assert not viewer.errors
