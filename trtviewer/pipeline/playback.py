"""The live view: both models on the frame of now, at the video's own pace, always showing one whole comparison.

Without models the frames play alone, by the same clock.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from trtviewer.compare.error_meter import ErrorMeter
from trtviewer.compare.frame_comparison import FrameComparison, compare_frame
from trtviewer.compare.settings import CompareSettings
from trtviewer.pipeline.clock import PlaybackClock
from trtviewer.pipeline.feed import PairFeed, PairRun, Ticket
from trtviewer.pipeline.handover import Closed
from trtviewer.pipeline.pair import Pair, require_frames
from trtviewer.pipeline.worker import Worker
from trtviewer.sources.frame import Frame
from trtviewer.sources.source import Source


@dataclass(frozen=True, slots=True)
class StageTimes:
    """Milliseconds of one frame's way, stage by stage; the two inferences ran at the same time, and of a recording there is none."""

    decode_ms: float
    preprocess_ms: float
    reference_ms: float | None
    candidate_ms: float | None
    postprocess_ms: float


@dataclass(frozen=True, eq=False, slots=True)
class PlaybackUpdate:
    """What is to be shown now.

    Attributes:
        comparison: both sides of one frame.
        times: how long it took; of the frame's first comparison, also after a changed threshold.
        skipped: frames left out since the one shown before, to keep the video's time.
        new_frame: False when only a threshold changed.
    """

    comparison: FrameComparison
    times: StageTimes
    skipped: int
    new_frame: bool


class Playback:
    """Plays a source, through a pair of models where there is one; every method may be called from any thread and returns at once,
    but for `set_pair` and `close`, which wait for at most the inference that is under way.

    Borrows the source and the runners, and uses them until `close` has returned.

    Args:
        pair: both models; None to show the frames alone.
        publish: gets every update, on a thread of this object.
        failed: gets an error that stopped the frames; another seek or pair starts them again.
        ended: called when the video has played to its end.
        publish_frame: gets every frame that is shown without models, on a thread of this object.

    Raises:
        BadInput: a side is a recording of another number of frames than the source has.
    """

    def __init__(
        self,
        source: Source,
        pair: Pair | None,
        settings: CompareSettings,
        publish: Callable[[PlaybackUpdate], None],
        failed: Callable[[Exception], None],
        ended: Callable[[], None] = lambda: None,
        publish_frame: Callable[[Frame], None] = lambda frame: None,
    ) -> None:
        if pair is not None:
            require_frames(source, pair)
        self.clock = PlaybackClock(source.length, source.time_s, ended)
        self._source = source
        self._pair = pair
        self._publish = publish
        self._failed = failed
        self._publish_frame = publish_frame
        self._desk = _Desk(settings)
        self._collector: Worker | None = None
        self._comparer = Worker("compare", self._compare)
        self._guard = threading.Lock()
        self._closed = False

    def start(self, frame_index: int = 0) -> None:
        """Shows the first frame, paused."""
        self.clock.seek(frame_index)
        self._comparer.start()
        with self._guard:
            self._start_collector()

    def play(self) -> None:
        """Plays from where it stands; tries again, where an error had stopped it."""
        self.clock.play()
        self._revive()

    def seek(self, frame_index: int) -> None:
        """Shows exactly this frame; frames sought before it may come first, nothing else."""
        self.clock.seek(frame_index)
        self._revive()

    def _revive(self) -> None:
        with self._guard:
            if not self._closed and self._collector is not None and not self._collector.alive:
                self._collector.join()
                self.clock.resume()
                self._start_collector()

    def step(self, frames: int) -> None:
        """Pauses, and goes that many frames on or back."""
        self.clock.pause()
        self.seek(self.clock.position + frames)

    def set_settings(self, settings: CompareSettings) -> None:
        """Compares what is shown anew, with no inference."""
        self._desk.put_settings(settings)

    def set_pair(self, pair: Pair | None) -> None:
        """Goes on with other models, or none, on the frame that is shown. Waits for the inference under way.

        Raises: BadInput: a side is a recording of another number of frames; the old pair goes on.
        """
        if pair is not None:
            require_frames(self._source, pair)
        with self._guard:
            self._stop_collector()
            self._pair = pair
            self.clock.resume()
            self._desk.forget()
            self._start_collector()

    def close(self) -> None:
        """Stops and joins every thread of this object; nothing is published after it."""
        with self._guard:
            self._closed = True
            self.clock.close()
            self._stop_collector()
        self._desk.close()
        self._comparer.join()

    def _start_collector(self) -> None:
        pair = self._pair
        if pair is None:
            self._collector = Worker("frames", self._show_frames).start()
        else:
            self._collector = Worker("collect", lambda cancelled: self._collect(pair, cancelled)).start()

    def _stop_collector(self) -> None:
        if self._collector is not None:
            self.clock.suspend()
            self._collector.cancel()
            self._collector.join()
            self._collector = None

    def _collect(self, pair: Pair, cancelled: threading.Event) -> None:
        sides = pair.reference, pair.candidate
        feed = PairFeed(
            self._source, self.clock, *sides, pair.input_spec, depth=1, cancelled=cancelled.is_set
        )
        try:
            with feed:
                try:
                    while not cancelled.is_set():
                        self._desk.put_run(pair, feed.get())
                finally:
                    # The feed joins its decoder, which may be waiting for the clock.
                    self.clock.suspend()
        except Closed:
            return
        except Exception as error:
            self._failed(error)

    def _show_frames(self, cancelled: threading.Event) -> None:
        try:
            while not cancelled.is_set() and (ticket := self.clock.next()) is not None:
                self._publish_frame(self._source.read(ticket.frame_index))
        except Exception as error:
            self._failed(error)

    def _compare(self, cancelled: threading.Event) -> None:
        meter = ErrorMeter()
        shown: FrameComparison | None = None
        times = StageTimes(0.0, 0.0, 0.0, 0.0, 0.0)
        while True:
            try:
                work, settings = self._desk.wait()
                if work is not None and self._is_wanted(work.run.ticket):
                    skipped = _skipped(shown, work.run) if self.clock.playing else 0
                    shown, times = _compared(work, settings, meter)
                    self._publish(PlaybackUpdate(shown, times, skipped, new_frame=True))
                elif work is None and shown is not None and shown.settings != settings:
                    shown = shown.with_settings(settings, meter)
                    self._publish(PlaybackUpdate(shown, times, 0, new_frame=False))
            except Closed:
                return
            except Exception as error:
                # Heads that are not as their spec says fail on every frame: told once, and another pair goes on.
                self.clock.pause()
                self._failed(error)

    def _is_wanted(self, ticket: Ticket) -> bool:
        """What was due before a seek is not; what was sought is, or a hand that drags on would see nothing until it rests."""
        return ticket.sought or ticket.generation >= self.clock.generation


@dataclass(frozen=True, eq=False, slots=True)
class _Work:
    pair: Pair
    run: PairRun


class _Desk:
    """What lies before the comparing thread: the newest run, and the settings of now."""

    def __init__(self, settings: CompareSettings) -> None:
        self._condition = threading.Condition()
        self._work: _Work | None = None
        self._settings = settings
        self._settings_changed = False
        self._closed = False

    def put_run(self, pair: Pair, run: PairRun) -> None:
        with self._condition:
            self._work = _Work(pair, run)
            self._condition.notify()

    def put_settings(self, settings: CompareSettings) -> None:
        with self._condition:
            self._settings_changed = self._settings_changed or settings != self._settings
            self._settings = settings
            self._condition.notify()

    def forget(self) -> None:
        """Drops a run of models that are no longer shown."""
        with self._condition:
            self._work = None

    def close(self) -> None:
        with self._condition:
            self._closed = True
            self._condition.notify()

    def wait(self) -> tuple[_Work | None, CompareSettings]:
        """Waits for a run or for other settings. Raises: Closed."""
        with self._condition:
            self._condition.wait_for(lambda: self._work is not None or self._settings_changed or self._closed)
            if self._closed:
                raise Closed
            work, self._work = self._work, None
            self._settings_changed = False
            return work, self._settings


def _compared(
    work: _Work, settings: CompareSettings, meter: ErrorMeter
) -> tuple[FrameComparison, StageTimes]:
    pair, run = work.pair, work.run
    begin = time.perf_counter()
    comparison = compare_frame(
        run.frame,
        run.placement,
        settings,
        pair.correspondence,
        (pair.reference.spec, pair.reference.info, run.reference),
        (pair.candidate.spec, pair.candidate.info, run.candidate),
        meter,
    )
    postprocess_ms = 1e3 * (time.perf_counter() - begin)
    times = StageTimes(
        run.decode_ms,
        run.preprocess_ms,
        run.reference.latency_ms,
        run.candidate.latency_ms,
        postprocess_ms,
    )
    return comparison, times


def _skipped(shown: FrameComparison | None, run: PairRun) -> int:
    if shown is None:
        return 0
    return max(0, run.frame.index - shown.frame.index - 1)
