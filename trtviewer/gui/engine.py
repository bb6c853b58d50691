"""Joins the view model to the core: opens, plays, analyses and measures on threads of its own, and closes them all."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from trtviewer.compare.frame_comparison import FrameComparison
from trtviewer.errors import Cancelled, TrtviewerError
from trtviewer.gui.bookkeeper import Bookkeeper, BooksUpdate
from trtviewer.gui.border import Border, QueueBorder
from trtviewer.gui.engine_room import EngineRoom, Pace, is_model, open_any_source
from trtviewer.gui.thumbnails import Thumbnails
from trtviewer.gui.view_model import (
    BenchmarkResult,
    FrameTimings,
    ModelEntry,
    ModelState,
    Playing,
    Position,
    Problem,
    Progress,
    Requests,
    Selection,
    SideTimings,
    SourceEntry,
    Thumbnail,
    ViewModel,
)
from trtviewer.models.spec import ModelSpec, Precision
from trtviewer.models.trust import UntrustedPlan, remember
from trtviewer.pipeline.bench import BenchResult
from trtviewer.pipeline.playback import PlaybackUpdate
from trtviewer.runners.runner import RunnerInfo
from trtviewer.sources.source import Source

_log = logging.getLogger(__name__)
RATE_WINDOW_S = 1.0


class Engine(QObject):
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
            self._fail,
            lambda: self._events.publish(self._ended),
            self._analysed,
        )
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="engine")
        # Seeking must not wait for a model that is being opened.
        self._transport = ThreadPoolExecutor(max_workers=1, thread_name_prefix="transport")
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
        requests.seek.connect(self.seek)
        requests.step.connect(self.step)
        requests.select.connect(self.select)
        requests.thumbnail.connect(self._request_thumbnail)
        requests.analyse.connect(self.analyse)
        requests.measure_alone.connect(self.measure_alone)
        requests.show_candidate.connect(self.show_candidate)

    # Opening ------------------------------------------------------------------------------------------------------

    def open_paths(self, paths: Sequence[str | Path], side: str | None = None) -> None:
        """Opens whatever was dropped: models, videos, pictures, folders, several at once.

        Args:
            side: "reference" or "candidate" where the user dropped on that pane; else the models' precision decides.
        """
        models = [Path(path) for path in paths if is_model(Path(path))]
        sources = [str(path) for path in paths if not is_model(Path(path))]
        if models:
            self._do(lambda: self._sort_models(models, side))
        if sources:
            self.open_source(sources[0])
            if len(sources) > 1:
                self._model.set_status(f"Opened {Path(sources[0]).name}; one source at a time.")

    def open_reference(self, path: Path) -> None:
        self._model.clear_problems("reference")
        self._model.set_models(replace(self._model.models, reference=ModelEntry(path)))
        self._do(lambda: self._open_model("reference", path), place="reference")

    def add_candidate(self, path: Path, *, show: bool = True) -> None:
        """Puts a candidate into the list, once; shows it."""
        self._model.clear_problems("candidate")
        models = self._model.models
        places = [index for index, entry in enumerate(models.candidates) if entry.path == path]
        if places:
            # Opened again: the file may have been made anew.
            index = places[0]
            kept = list(models.candidates)
            kept[index] = ModelEntry(path)
            models = replace(models, candidates=tuple(kept))
        else:
            index = len(models.candidates)
            models = replace(models, candidates=(*models.candidates, ModelEntry(path)))
        if show or models.shown < 0:
            self._model.set_models(replace(models, shown=index))
            self._do(lambda: self._open_model("candidate", path), place="candidate")
        else:
            self._model.set_models(models)
            self._do(lambda: self._look_at(path), place="candidate")

    def show_candidate(self, index: int) -> None:
        """Puts another of the open candidates into the pane, on the same frame."""
        models = self._model.models
        if not 0 <= index < len(models.candidates) or index == models.shown:
            return
        self._model.clear_problems("candidate")
        self._model.set_models(replace(models, shown=index))
        path = models.candidates[index].path
        self._do(lambda: self._open_model("candidate", path), place="candidate")

    def close_candidate(self) -> None:
        """Takes the shown candidate out of the list; the one before it is shown."""
        models = self._model.models
        if models.candidate is None:
            return
        self._model.clear_problems("candidate")
        kept = tuple(entry for index, entry in enumerate(models.candidates) if index != models.shown)
        self._model.set_models(replace(models, candidates=kept, shown=-1))
        if kept:
            self.show_candidate(max(0, models.shown - 1))
        else:
            self._last_books = None
            self._model.set_matched_video(None)
            self._model.set_video_errors(None)
            self._do(lambda: self._room.set_side("candidate", None))

    def swap_sides(self) -> None:
        """The candidate becomes the reference, and the other way round."""
        models = self._model.models
        if models.reference is None or models.candidate is None:
            return
        candidates = list(models.candidates)
        candidates[models.shown] = ModelEntry(models.reference.path)
        self._model.set_models(replace(models, candidates=tuple(candidates)))
        self.open_reference(models.candidate.path)
        path = models.reference.path
        self._do(lambda: self._open_model("candidate", path), place="candidate")

    def open_source(self, address: str) -> None:
        self._model.clear_problems("source")
        self._model.clear_problems("window")
        self._model.set_progress(Progress("source", f"Opening {_short(address)}"))
        self._do(lambda: self._open_source(address), place="source", retry=lambda: self.open_source(address))

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
            self._transport.submit(self._guarded, self._seek, "source", None)

    def step(self, frames: int) -> None:
        self._model.set_playing(replace(self._model.playing, playing=False))
        self._transport.submit(self._guarded, lambda: self._room.step(int(frames)), "source", None)

    def select(self, selection: Selection | None) -> None:
        if selection is not None:
            self._model.set_playing(replace(self._model.playing, playing=False))
            if selection.frame_index != self._model.position.frame_index or self._model.comparison is None:
                self.seek(selection.frame_index)
        self._model.set_selection(selection)

    # Long work ----------------------------------------------------------------------------------------------------

    def analyse(self) -> None:
        source = self._model.source
        if source is None or source.length is None or self._model.models.candidate is None:
            return
        self._pace = Pace()
        self._do(self._room.start_analysis)

    def stop_analysis(self) -> None:
        self._room.cancel_all()

    def measure_alone(self) -> None:
        models = self._model.models
        if models.reference is None or models.candidate is None:
            return
        self._model.set_playing(replace(self._model.playing, playing=False))
        pace = Pace()

        def tell(share: float) -> None:
            left = pace.left_s(share)
            self._bench_progress.publish(
                lambda: self._model.set_progress(
                    Progress(
                        "bench",
                        "Measuring each model alone",
                        round(100 * share),
                        100,
                        left,
                        self._room.cancel_all,
                    )
                )
            )

        self._do(
            lambda: self._room.start_bench(
                tell, lambda result: self._events.publish(lambda: self._bench_done(result))
            )
        )

    def save_figures(self, path: Path) -> None:
        """Writes the figures of what is analysed, at the settings of now, as `compare --json` does."""
        books, settings = self._last_books, self._model.settings
        if books is None or books.totals.frames == 0:
            self._model.add_problem(
                Problem("There are no figures yet", "", "analyse the video first (Compare > Analyse)")
            )
            return
        if books.video.settings != settings:
            self._model.add_problem(
                Problem(
                    "The video is still being matched at the new thresholds", "", "save again in a moment"
                )
            )
            return
        benchmark = self._model.benchmark
        speedup = benchmark.speedup if benchmark is not None else None

        def write() -> None:
            self._room.write_report(path, books.totals, settings, speedup)
            self._events.publish(lambda: self._model.set_status(f"Saved {path.name}."))

        self._do(write)

    # The end ------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Ends every thread, in order; nothing reaches the view model afterwards."""
        if self._closed:
            return
        self._closed = True
        self._room.cancel_all()
        for border in (self._events, self._frames, self._books_border, self._progress, self._bench_progress):
            border.close()
        if self._thumbnails is not None:
            self._thumbnails.close()
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

    def _sort_models(self, paths: Sequence[Path], side: str | None) -> None:
        """Decides which model is which: Q/DQ or INT8 is the candidate; a lone FP32 is the reference while there is none."""
        precisions = {path: _precision_of(path) for path in paths}

        def decide() -> None:
            left = list(paths)
            if side == "reference" or (side is None and self._model.models.reference is None):
                plain = [path for path in left if precisions[path] is not Precision.INT8]
                chosen = plain[0] if plain else (left[0] if side == "reference" else None)
                if chosen is not None:
                    left.remove(chosen)
                    self.open_reference(chosen)
            for path in left:
                self.add_candidate(path, show=path is left[0])

        self._events.publish(decide)

    def _open_model(self, side: str, path: Path) -> None:
        try:
            spec = _load(path)
            runner = self._room.set_side(side, spec)
        except Exception as error:
            text, running = str(error), self._room.path_of(side)
            readings = getattr(error, "readings", None)
            self._events.publish(lambda: self._model_failed(side, path, text, running))
            if readings:
                self._events.publish(lambda: self.ambiguous.emit(path, tuple(readings)))
            if isinstance(error, UntrustedPlan):
                self._ask_trust(error, side, path)
            else:
                self._fail(error, side, lambda: self._retry_model(side, path))
            return
        info = runner.info if runner is not None else None
        self._events.publish(lambda: self._model_ready(side, path, spec, info))

    def _ask_trust(self, error: UntrustedPlan, side: str, path: Path) -> None:
        """A plan is code: it is run only once the user has said so, of this very file."""
        problem = Problem(
            "was not built here, and an engine is code",
            path.name,
            "Open it only if you know whose it is",
            side,
            str(error),
            choice=("Trust and open", lambda: self._do(lambda: self._trust(error.digest, side, path), side)),
        )
        self._events.publish(lambda: self._model.add_problem(problem))

    def _trust(self, digest: str, side: str, path: Path) -> None:
        remember(digest, path)
        self._events.publish(lambda: self._retry_model(side, path))

    def _look_at(self, path: Path) -> None:
        """Reads what a candidate is, without running it: it waits in the list."""
        spec = _load(path)
        self._events.publish(
            lambda: self._set_entry("candidate", path, ModelState.READY, spec=spec, only_listed=True)
        )

    def _open_source(self, address: str) -> None:
        try:
            self._room.set_source(address, self._tell_source)
        finally:
            self._events.publish(lambda: self._model.end_progress("source"))

    def _tell_source(self, source: Source) -> None:
        entry = SourceEntry(source.address, _short(source.address), source.length, source.rate, source.size)

        def tell() -> None:
            self._last_books = None
            self._model.set_comparison(None)
            self._model.set_alone(None)
            self._model.set_matched_video(None)
            self._model.set_video_errors(None)
            self._model.set_selection(None)
            self._model.set_analysed(0, source.length)
            self._model.set_playing(Playing(speed=self._model.playing.speed))
            self._model.set_position(Position())
            self._model.set_source(entry)
            self._new_thumbnails(entry.address)
            self.opened.emit("source", entry.address)

        self._events.publish(tell)

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
        self._events.publish(lambda: self._model.add_problem(problem))

    def _analysed(self, done: int, total: int | None, over: bool) -> None:
        share = done / total if total else 0.0
        left = self._pace.left_s(share)

        def tell() -> None:
            self._model.set_analysed(done, total)
            if over:
                self._model.end_progress("analysis")
            else:
                name = self._model.source.name if self._model.source is not None else ""
                self._model.set_progress(
                    Progress("analysis", f"Analysing {name}", done, total, left, self.stop_analysis)
                )

        self._progress.publish(tell)

    # In the GUI thread --------------------------------------------------------------------------------------------

    def _take_frame(self, update: PlaybackUpdate) -> None:
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
        self._model.set_position(Position(comparison.frame.index, comparison.frame.time_s))
        self._model.clear_problems("source")

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
                now,
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
                playback.clock.play()
            else:
                playback.clock.pause()

    def _model_ready(self, side: str, path: Path, spec: ModelSpec, info: RunnerInfo | None) -> None:
        self._ready[path] = ModelEntry(path, ModelState.READY, spec, info)
        self._set_entry(side, path, ModelState.READY, spec=spec, info=info)
        self._model.set_benchmark(None)
        if side == "reference":
            self._model.set_matched_video(None)
            self._model.set_video_errors(None)
        self._playing_changed(self._model.playing)
        self.opened.emit("model", str(path))

    def _model_failed(self, side: str, path: Path, message: str, running: Path | None) -> None:
        """What was running goes on, and is shown again; only where nothing was does the failed one keep its place."""
        self._set_entry(side, path, ModelState.FAILED, message=message)
        models = self._model.models
        if side == "reference":
            if running is not None and running != path and running in self._ready:
                self._model.set_models(replace(models, reference=self._ready[running]))
                self.seek(self._model.position.frame_index)
            return
        shown = models.candidate
        if shown is None or shown.path != path:
            return
        kept = tuple(entry for entry in models.candidates if entry.path != path)
        places = [index for index, entry in enumerate(kept) if entry.path == running]
        if places:
            self._model.set_models(replace(models, candidates=kept, shown=places[0]))
            # Frames of what went on were not shown meanwhile, under the name of the one that failed.
            self.seek(self._model.position.frame_index)

    def _set_entry(
        self,
        side: str,
        path: Path,
        state: ModelState,
        *,
        spec: ModelSpec | None = None,
        info: RunnerInfo | None = None,
        message: str = "",
        only_listed: bool = False,
    ) -> None:
        """Updates the entry of that path, if it is still there: the user may have closed it meanwhile."""
        models = self._model.models
        made = ModelEntry(path, state, spec, info, message)
        if side == "reference":
            if models.reference is not None and models.reference.path == path:
                self._model.set_models(replace(models, reference=made))
            return
        if only_listed and any(entry.path == path and entry.info is not None for entry in models.candidates):
            return
        entries = tuple(made if entry.path == path else entry for entry in models.candidates)
        self._model.set_models(replace(models, candidates=entries))

    def _retry_model(self, side: str, path: Path) -> None:
        if side == "reference":
            self.open_reference(path)
        else:
            self.add_candidate(path)

    def _bench_done(self, result: BenchResult | Exception) -> None:
        self._model.end_progress("bench")
        if isinstance(result, Exception):
            self._fail(result, "speed", self.measure_alone)
            return
        self._model.set_benchmark(
            BenchmarkResult(
                result.reference.alone.median_ms,
                result.candidate.alone.median_ms,
                result.speedup,
                result.reference.info.emulated or result.candidate.info.emulated,
                {"result": result},
            )
        )

    def _new_thumbnails(self, address: str) -> None:
        if self._thumbnails is not None:
            old = self._thumbnails
            self._do(old.close)
        self._thumbnails = None
        if not address.startswith("camera:"):
            self._thumbnails = Thumbnails(lambda: open_any_source(address), self._thumbnail_made)

    def _request_thumbnail(self, frame_index: int) -> None:
        if self._thumbnails is not None:
            self._thumbnails.request(int(frame_index))

    def _thumbnail_made(self, index: int, pixels: NDArray[np.uint8]) -> None:
        self._events.publish(lambda: self._model.set_thumbnail(Thumbnail(index, pixels)))


def problem_of(error: BaseException, place: str, retry: Callable[[], None] | None = None) -> Problem:
    """An error as the window shows it; what is no `TrtviewerError` is a bug, and is logged whole."""
    details = "".join(traceback.format_exception(error))
    if isinstance(error, TrtviewerError):
        return Problem(
            error.what, Path(error.subject).name or error.subject, error.advice, place, details, retry
        )
    _log.error("unexpected error", exc_info=error)
    text = " ".join(str(error).split()) or type(error).__name__
    return Problem(
        f"unexpected error: {text}", "", "this is a bug; Details has the whole of it", place, details, retry
    )


def _load(path: Path) -> ModelSpec:
    from trtviewer.models.load import load_spec

    return load_spec(path)


def _precision_of(path: Path) -> Precision:
    with contextlib.suppress(Exception):  # what is wrong with it is told when it is opened
        return _load(path).precision
    return Precision.UNKNOWN


def _short(address: str) -> str:
    if address.startswith(("scene:", "camera:")):
        return address.partition("?")[0]
    return Path(address).name or address
