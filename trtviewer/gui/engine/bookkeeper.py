"""Keeps what was analysed of each candidate, and matches it again when a threshold moves; no Qt, one thread of its own."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from trtviewer.compare.frame_comparison import FrameComparison
from trtviewer.compare.kept import KeptFrame, KeptFrames
from trtviewer.compare.latency import LatencyTotals
from trtviewer.compare.matched_video import MatchedVideo, MatchedVideoBuilder
from trtviewer.compare.settings import CompareSettings
from trtviewer.compare.tensor_error import TensorErrors
from trtviewer.compare.totals import WORST, TotalsResult, WorstFrame
from trtviewer.pipeline.worker import Worker

ROOM = 4
"""Comparisons that may wait: each holds a picture and all heads."""
PUBLISH_EVERY_S = 0.2
REMATCH_LOOK_EVERY = 16


@dataclass(frozen=True, eq=False, slots=True)
class BooksUpdate:
    """A snapshot of one candidate's books.

    Attributes:
        key: whose.
        rematching: frames matched again so far, while the video is being matched at other settings; None otherwise.
    """

    key: str
    video: MatchedVideo
    errors: TensorErrors
    totals: TotalsResult
    rematching: int | None = None


class _Ledger:
    """What is kept of one candidate on one source against one reference."""

    def __init__(
        self, settings: CompareSettings, class_names: Sequence[str], strides: Sequence[int | None]
    ) -> None:
        self.class_names = class_names
        self.strides = strides
        self.kept = KeptFrames()
        self.errors = TensorErrors()
        self.builder = MatchedVideoBuilder(settings, class_names, strides)
        self.latencies = (LatencyTotals(), LatencyTotals())
        self.errors_copy: tuple[int, TensorErrors] = (0, TensorErrors())

    def add(self, comparison: FrameComparison) -> None:
        kept = comparison.kept()
        self.kept.append(kept)
        self.errors.update(comparison.errors)
        for latency, side in zip(self.latencies, (comparison.reference, comparison.candidate), strict=True):
            latency.update(side.latency_ms)
        if comparison.settings == self.builder.settings:
            self.builder.add_matched(
                kept, comparison.reference.detections, comparison.candidate.detections, comparison.matching
            )
        else:
            self.builder.add(kept)

    def update(self, key: str, rematching: int | None = None) -> BooksUpdate:
        """A snapshot: everything that the report of a fresh comparison would say."""
        video, errors = self.builder.snapshot(), self.errors_now()
        totals = TotalsResult(
            frames=video.totals.frames,
            detections=video.totals,
            outputs=errors.result(video.settings.epsilon),
            worst=worst_frames(video),
            reference_latency=self.latencies[0].result(),
            candidate_latency=self.latencies[1].result(),
        )
        return BooksUpdate(key, video, errors, totals, rematching)

    def errors_now(self) -> TensorErrors:
        """A copy, made once for each number of frames."""
        if self.errors_copy[0] != len(self.kept):
            copy = TensorErrors()
            copy.merge(self.errors)
            self.errors_copy = (len(self.kept), copy)
        return self.errors_copy[1]


class Bookkeeper:
    """Takes comparisons in, gives snapshots out; one ledger for each candidate, so that going back to one costs nothing.

    Args:
        publish: gets a `BooksUpdate`, on this object's thread, at most five times a second and after the last change.
        failed: gets what went wrong (no room on the disk); the books go on.
    """

    def __init__(
        self,
        settings: CompareSettings,
        publish: Callable[[BooksUpdate], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._publish = publish
        self._failed = failed
        self._condition = threading.Condition()
        self._settings = settings
        self._waiting: deque[tuple[str, FrameComparison]] = deque()
        self._ledgers: dict[str, _Ledger] = {}
        self._current = ""
        self._say = False
        self._closed = False
        self._worker = Worker("bookkeeper", self._run).start()

    def use(self, key: str, class_names: Sequence[str], strides: Sequence[int | None]) -> None:
        """Makes that candidate's ledger the one that is told of; a new one where there is none."""
        with self._condition:
            if key not in self._ledgers:
                self._ledgers[key] = _Ledger(self._settings, class_names, strides)
            self._current = key
            self._say = True
            self._condition.notify_all()

    def forget_all(self) -> None:
        """Another source or reference: nothing that was kept fits any more."""
        with self._condition:
            self._waiting.clear()
            old, self._ledgers = self._ledgers, {}
            self._current = ""
            self._condition.notify_all()
            for ledger in old.values():
                ledger.kept.close()

    def add(self, key: str, comparison: FrameComparison, cancelled: Callable[[], bool]) -> bool:
        """Gives one frame, and waits for room. Returns: False when it was cancelled before there was any."""
        with self._condition:
            while len(self._waiting) >= ROOM and not self._closed:
                if cancelled():
                    return False
                self._condition.wait(0.1)
            if self._closed or key not in self._ledgers:
                return False
            self._waiting.append((key, comparison))
            self._condition.notify_all()
            return True

    def offer(self, key: str, comparison: FrameComparison) -> None:
        """Gives one frame that may be lost where the books are busy: it is only being watched."""
        with self._condition:
            if len(self._waiting) < ROOM and key in self._ledgers and not self._closed:
                self._waiting.append((key, comparison))
                self._condition.notify_all()

    def missing(self, key: str, indices: Sequence[int]) -> list[int]:
        """Which of these frames are not in the books yet."""
        with self._condition:
            ledger = self._ledgers.get(key)
            return [index for index in indices if ledger is None or index not in ledger.kept]

    def frames(self, key: str) -> Iterator[KeptFrame]:
        """The kept frames of a candidate, by rising index."""
        with self._condition:
            ledger = self._ledgers.get(key)
        return iter(()) if ledger is None else iter(ledger.kept)

    def set_settings(self, settings: CompareSettings) -> None:
        with self._condition:
            self._settings = settings
            self._condition.notify_all()

    def close(self) -> None:
        """Stops the thread, waits for it, and lets everything go."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
        self._worker.join()
        self.forget_all()

    def _run(self, cancelled: threading.Event) -> None:
        said = 0.0
        while True:
            with self._condition:
                self._condition.wait_for(self._has_work, timeout=PUBLISH_EVERY_S if self._say else None)
                if self._closed:
                    return
                key, settings = self._current, self._settings
                ledger = self._ledgers.get(key)
                given = self._waiting.popleft() if self._waiting else None
                self._condition.notify_all()
            rematched = False
            try:
                if ledger is not None and ledger.builder.settings != settings:
                    rematched = self._rematch(key, ledger, settings)
                if given is not None:
                    self._note(*given)
            except Exception as error:
                if self._ledgers.get(key) is ledger:
                    self._failed(error)
                # Otherwise the ledger was closed under our hands, with its source: nobody waits for it any more.
                continue
            now = time.monotonic()
            if ledger is not None and (rematched or (self._say and now - said >= PUBLISH_EVERY_S)):
                self._say = False
                said = now
                self._publish(ledger.update(key))

    def _has_work(self) -> bool:
        ledger = self._ledgers.get(self._current)
        stale = ledger is not None and ledger.builder.settings != self._settings
        return self._closed or bool(self._waiting) or stale

    def _note(self, key: str, comparison: FrameComparison) -> None:
        with self._condition:
            ledger = self._ledgers.get(key)
        if ledger is not None and comparison.frame.index not in ledger.kept:
            ledger.add(comparison)
            self._say = self._say or key == self._current

    def _rematch(self, key: str, ledger: _Ledger, settings: CompareSettings) -> bool:
        """Matches all kept frames at other settings; gives up, False, as soon as there are still other ones."""
        builder = MatchedVideoBuilder(settings, ledger.class_names, ledger.strides)
        said = time.monotonic()
        for done, frame in enumerate(ledger.kept):
            if done % REMATCH_LOOK_EVERY == 0:
                with self._condition:
                    if self._closed or self._settings != settings or self._ledgers.get(key) is not ledger:
                        return False
                if time.monotonic() - said >= PUBLISH_EVERY_S:
                    said = time.monotonic()
                    self._publish(ledger.update(key, rematching=done))
            builder.add(frame)
        ledger.builder = builder
        return True


def worst_frames(video: MatchedVideo) -> tuple[WorstFrame, ...]:
    """The frames on which the two differ most: by missed + extra, then by error, then the earlier first."""
    error = np.where(np.isfinite(video.error), video.error, 0)
    order = np.lexsort((video.frame_index, -error, -(video.missed + video.extra)))[:WORST]
    return tuple(
        WorstFrame(
            int(video.frame_index[row]),
            int(video.missed[row]),
            int(video.extra[row]),
            float(video.error[row]) if np.isfinite(video.error[row]) else None,
        )
        for row in order.tolist()
    )
