"""Joins the view model to the core: opens, plays, analyses and measures on threads of its own, and closes them all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from trtviewer.compare.frame_comparison import FrameComparison
from trtviewer.compare.kept import KeptFrame
from trtviewer.errors import Cancelled
from trtviewer.gui.border import Border, QueueBorder
from trtviewer.gui.engine.bookkeeper import Bookkeeper, BooksUpdate
from trtviewer.gui.engine.long_work import LongWork
from trtviewer.gui.engine.openings import Openings
from trtviewer.gui.engine.pace import Pace
from trtviewer.gui.engine.room import EngineRoom
from trtviewer.gui.engine.thumbnails import Thumbnails
from trtviewer.gui.engine.truth import TruthFinder
from trtviewer.gui.problems import problem_of
from trtviewer.gui.view_model import (
    FrameTimings,
    ModelEntry,
    Playing,
    Position,
    Requests,
    Selection,
    SideTimings,
    ViewModel,
)
from trtviewer.pipeline.playback import PlaybackUpdate
from trtviewer.sources.frame import Frame

__all__ = ["Engine", "problem_of"]

RATE_WINDOW_S = 1.0
FINDINGS_AFTER_MS = 500


class Engine(Openings, LongWork, QObject):
    """Lives in the GUI thread and never blocks it; what blocks goes to the engine's thread, in order.

    `opened` is emitted with ("model" | "source", address) when something could be opened: for the recent files.
    `ambiguous` is emitted with (path, readings) when a model's heads can be read in more than one way.
    """

    opened = Signal(object, object)
    ambiguous = Signal(object, object)

    def __init__(self, view_model: ViewModel, requests: Requests, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._model = view_model
        self._events = QueueBorder(self)
        self._events.arrived.connect(lambda event: event())
        self._frames = Border(self)
        self._frames.arrived.connect(self._take_frame)
        self._books_border = Border(self)
        self._books_border.arrived.connect(self._take_books)
        self._progress = Border(self)
        self._progress.arrived.connect(lambda event: event())
        self._bench_progress = Border(self)
        self._bench_progress.arrived.connect(lambda event: event())
        self._thumbnails: Thumbnails | None = None
        self._books = Bookkeeper(
            view_model.settings, self._books_border.publish, lambda error: self._fail(error, "window")
        )
        self._room = EngineRoom(
            self._books,
            self._publish,
            self._frames.publish,
            self._fail,
            lambda: self._events.publish(self._ended),
            self._analysed,
        )
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="engine")
        # Seeking must not wait for a model that is being opened.
        self._transport = ThreadPoolExecutor(max_workers=1, thread_name_prefix="transport")
        self._truth: TruthFinder | None = None
        self._truth_of: object = None
        self._labels: str | None = None
        self._truths = Border(self)
        self._truths.arrived.connect(self._take_truth)
        self._finder = ThreadPoolExecutor(max_workers=1, thread_name_prefix="findings")
        self._finding = 0
        self._rest = QTimer(self, interval=FINDINGS_AFTER_MS, singleShot=True)
        self._rest.timeout.connect(self._find)
        self._shown_at: list[float] = []
        self._dropped = 0
        self._wanted_seek: int | None = None
        self._seek_lock = threading.Lock()
        self._pace = Pace()
        self._last_books: BooksUpdate | None = None
        self._ready: dict[Path, ModelEntry] = {}
        self._closed = False
        view_model.settings_changed.connect(self._settings_changed)
        view_model.playing_changed.connect(self._playing_changed)
        view_model.comparison_changed.connect(self._ask_truth)
        view_model.display_changed.connect(self._ask_truth)
        requests.seek.connect(self.seek)
        requests.step.connect(self.step)
        requests.select.connect(self.select)
        requests.thumbnail.connect(self._request_thumbnail)
        requests.analyse.connect(self.analyse)
        requests.look_ahead.connect(self.look_ahead)
        requests.look_no_further.connect(lambda: self._do(self._room.stop_analysis))
        requests.measure_alone.connect(self.measure_alone)
        requests.show_candidate.connect(self.show_candidate)

    # Playing ------------------------------------------------------------------------------------------------------

    def toggle(self) -> None:
        playing = self._model.playing
        if self._model.source is not None:
            self._model.set_playing(replace(playing, playing=not playing.playing))

    def seek(self, frame_index: int) -> None:
        """Goes to a frame; of many asked for in a drag, the newest is enough."""
        with self._seek_lock:
            waiting = self._wanted_seek is not None
            self._wanted_seek = int(frame_index)
        if not waiting:
            self._transport.submit(self._guarded, self._seek, "frame", None)

    def step(self, frames: int) -> None:
        self._model.set_playing(replace(self._model.playing, playing=False))
        self._transport.submit(self._guarded, lambda: self._room.step(int(frames)), "frame", None)

    def select(self, selection: Selection | None) -> None:
        if selection is not None:
            self._model.set_playing(replace(self._model.playing, playing=False))
            if selection.frame_index != self._model.position.frame_index or self._model.comparison is None:
                self.seek(selection.frame_index)
        self._model.set_selection(selection)

    def kept_frames(self, path: Path) -> list[KeptFrame]:
        """The analysed frames of a candidate, by rising index; from any thread."""
        return list(self._books.frames(str(path)))

    # The end ------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Ends every thread, in order; nothing reaches the view model afterwards."""
        if self._closed:
            return
        self._closed = True
        self._room.cancel_all()
        self._truths.close()
        for border in (self._events, self._frames, self._books_border, self._progress, self._bench_progress):
            border.close()
        if self._thumbnails is not None:
            self._thumbnails.close()
        self._finding += 1
        self._finder.shutdown()
        self._close_truth()
        self._transport.shutdown()
        self._thread.submit(self._room.close)
        self._thread.shutdown()
        self._books.close()

    # On the engine's thread ---------------------------------------------------------------------------------------

    def _do(
        self,
        work: Callable[[], object],
        place: str = "window",
        retry: Callable[[], None] | None = None,
    ) -> None:
        if not self._closed:
            self._thread.submit(self._guarded, work, place, retry)

    def _guarded(self, work: Callable[[], object], place: str, retry: Callable[[], None] | None) -> None:
        try:
            work()
        except Exception as error:
            self._fail(error, place, retry)

    def _seek(self) -> None:
        with self._seek_lock:
            wanted, self._wanted_seek = self._wanted_seek, None
        if wanted is not None:
            self._room.seek(wanted)

    # From the core's threads --------------------------------------------------------------------------------------

    def _publish(self, update: PlaybackUpdate) -> None:
        self._room.note(update.comparison)
        self._frames.publish(update)

    def _fail(self, error: Exception, place: str, retry: Callable[[], None] | None = None) -> None:
        if isinstance(error, Cancelled):
            return
        problem = problem_of(error, place, retry)

        def tell() -> None:
            self._model.add_problem(problem)
            if place == "frame":
                # The player stops at a frame that cannot be read or compared.
                self._ended()

        self._events.publish(tell)

    # In the GUI thread --------------------------------------------------------------------------------------------

    def _take_frame(self, update: PlaybackUpdate | Frame) -> None:
        if isinstance(update, Frame):
            self._take_bare(update)
            return
        comparison = update.comparison
        models = self._model.models
        if update.new_frame:
            self._count(update)
        if comparison.reference.heads is comparison.candidate.heads:
            side = self._side_of(comparison)
            if side is None:
                return
            self._model.set_alone((side, comparison))
        else:
            # What was still under way when a model was changed belongs to nobody any more.
            if models.reference is None or models.candidate is None:
                return
            if comparison.candidate.spec.path != models.candidate.path:
                return
            self._model.set_comparison(comparison)
        self._model.set_position(_position_of(comparison.frame))
        self._model.clear_problems("frame")

    def _take_bare(self, frame: Frame) -> None:
        self._model.set_bare(frame)
        self._model.set_position(_position_of(frame))
        self._model.clear_problems("frame")

    def _side_of(self, comparison: FrameComparison) -> str | None:
        models = self._model.models
        for side in ("reference", "candidate"):
            entry = getattr(models, side)
            if entry is not None and entry.path == comparison.reference.spec.path:
                return side
        return None

    def _count(self, update: PlaybackUpdate) -> None:
        now = time.monotonic()
        self._shown_at = [at for at in self._shown_at if now - at < RATE_WINDOW_S] + [now]
        self._dropped += update.skipped
        times = update.times
        alone = update.comparison.reference.heads is update.comparison.candidate.heads
        self._model.set_timings(
            FrameTimings(
                update.comparison.frame.index,
                times.decode_ms,
                times.preprocess_ms,
                SideTimings(times.reference_ms, times.postprocess_ms / 2),
                None if alone else SideTimings(times.candidate_ms, times.postprocess_ms / 2),
                float(len(self._shown_at)),
                self._dropped,
            )
        )

    def _take_books(self, update: BooksUpdate) -> None:
        candidate = self._model.models.candidate
        if candidate is None or str(candidate.path) != update.key or self._model.source is None:
            return
        self._last_books = update
        self._model.set_video_errors(update.errors)
        self._model.set_matched_video(update.video)
        self._model.set_analysed(len(update.video.frame_index), self._model.source.length)
        self._finding += 1
        self._rest.start()

    def _ended(self) -> None:
        self._model.set_playing(replace(self._model.playing, playing=False))

    def _settings_changed(self, settings: object) -> None:
        self._room.set_settings(self._model.settings)
        self._books.set_settings(self._model.settings)

    def _playing_changed(self, playing: Playing) -> None:
        playback = self._room.playback
        if playback is None:
            return
        playback.clock.set_speed(playing.speed)
        playback.clock.set_loop(playing.loop)
        if playing.playing != playback.clock.playing:
            if playing.playing:
                playback.play()
            else:
                playback.clock.pause()


def _position_of(frame: Frame) -> Position:
    return Position(frame.index, frame.time_s, frame.name)
