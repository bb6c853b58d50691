"""What holds models, source and player, and changes them in order; no Qt. Every method runs on one thread, the engine's.

Opening, switching and closing block, so they never happen on the GUI thread. What changed is told by `post`, which takes a
function that the GUI thread will call.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from trtviewer.compare.frame_comparison import FrameComparison
from trtviewer.compare.settings import CompareSettings
from trtviewer.compare.totals import TotalsResult, strides_of
from trtviewer.compare.true_objects import Labels
from trtviewer.errors import BadInput, TrtviewerError
from trtviewer.gui.engine.bookkeeper import Bookkeeper
from trtviewer.models.spec import ModelSpec
from trtviewer.pipeline.analysis import comparisons
from trtviewer.pipeline.bench import BenchResult, bench_pair
from trtviewer.pipeline.pair import Pair, make_pair, threads_of_each
from trtviewer.pipeline.playback import Playback, PlaybackUpdate
from trtviewer.pipeline.worker import RunnerThread, Worker
from trtviewer.sources.frame import Frame
from trtviewer.sources.source import FrameRange, Source

SIDES = ("reference", "candidate")
_log = logging.getLogger(__name__)


def open_any_source(address: str) -> Source:
    """Opens a source by its address; imported late, since PyAV and OpenCV take their time."""
    from trtviewer.sources.address import open_source

    return open_source(address)


class EngineRoom:
    """Owns the runners of both sides, the source, the player, the analysis and the benchmark.

    Args:
        books: gets every comparison; borrowed.
        publish: gets every update of the player, on its threads.
        publish_frame: gets every frame that it shows while no model is open, on its threads.
        failed: gets an error and the place that it concerns, from any thread.
        ended: called when the video has played to its end.
        analysed: (frames done, frames in all, whether it is over), from the analysis' thread.
    """

    def __init__(
        self,
        books: Bookkeeper,
        publish: Callable[[PlaybackUpdate], None],
        publish_frame: Callable[[Frame], None],
        failed: Callable[[Exception, str], None],
        ended: Callable[[], None],
        analysed: Callable[[int, int | None, bool], None],
    ) -> None:
        self._books = books
        self._publish = publish
        self._publish_frame = publish_frame
        self._failed = failed
        self._ended = ended
        self._analysed = analysed
        self._settings = CompareSettings()
        self._runners: dict[str, tuple[RunnerThread, ExitStack]] = {}
        self._source: Source | None = None
        self._pair: Pair | None = None
        self._analysis: Worker | None = None
        # The candidates whose whole analysis was asked for and is neither done nor called off.
        self._asked: set[str] = set()
        self._bench: Worker | None = None
        self.playback: Playback | None = None
        self.key = ""

    # Models -------------------------------------------------------------------------------------------------------

    def set_side(self, side: str, spec: ModelSpec | None) -> RunnerThread | None:
        """Opens a model on one side in place of the one there, and goes on with it on the frame that is shown.

        Raises: BadInput, MissingRuntime: it cannot be run; the one that was there goes on.
        """
        opened: tuple[RunnerThread, ExitStack] | None = None
        if spec is not None:
            from trtviewer.runners.choose import open_runner

            stack = ExitStack()
            runner = stack.enter_context(RunnerThread(open_runner(spec, threads=threads_of_each(2)), side))
            opened = (runner, stack)
        going = self.key in self._asked
        self._pause_analysis()
        old = self._runners.pop(side, None)
        if opened is not None:
            self._runners[side] = opened
        if side == "reference":
            self._books.forget_all()
        try:
            self._rebuild()
        finally:
            if old is not None:
                old[1].close()
        if going and self.key:
            self._asked.add(self.key)
        self.resume_analysis()
        return opened[0] if opened is not None else None

    def path_of(self, side: str) -> Path | None:
        """The model that runs on a side; None where none does."""
        return self._runners[side][0].spec.path if side in self._runners else None

    def _rebuild(self) -> None:
        """Lets the player go on with the models that are there now: both, else one alone, else the frames alone."""
        runners = {side: runner for side, (runner, _) in self._runners.items()}
        self._pair, self.key = None, ""
        if self._source is None:
            return
        if len(runners) == 2 and self._play_pair(runners["reference"], runners["candidate"]):
            return
        first = runners.get("reference") or runners.get("candidate")
        if first is None or not self._play_pair(first, first):
            self._play(None)

    def _play_pair(self, reference: RunnerThread, candidate: RunnerThread) -> bool:
        """Plays with these two; one and the same plays alone. False, and the reason is told, where they cannot."""
        both = candidate is not reference
        try:
            pair = make_pair(reference, candidate)
            if both:
                # Before the first frame comes, so that it is noted too.
                self.key = str(candidate.spec.path)
                self._books.use(self.key, reference.spec.classes, strides_of(reference.spec))
            self._play(pair)
        except TrtviewerError as error:
            self.key = ""
            self._failed(error, "candidate" if both else "frame")
            return False
        self._pair = pair
        return True

    def _play(self, pair: Pair | None) -> None:
        if self.playback is not None:
            self.playback.set_pair(pair)
            return
        assert self._source is not None
        playback = Playback(
            self._source,
            pair,
            self._settings,
            self._publish,
            lambda error: self._failed(error, "frame"),
            self._ended,
            self._publish_frame,
        )
        playback.start()
        self.playback = playback

    # Source -------------------------------------------------------------------------------------------------------

    def set_source(self, address: str, opened: Callable[[Source], None]) -> None:
        """Opens another source. Raises: BadInput and its kin; the one that was there goes on."""
        source = open_any_source(address)
        self.stop_analysis()
        self._close_playback()
        if self._source is not None:
            self._source.close()
        self._source = source
        self._books.forget_all()
        opened(source)
        self._rebuild()

    # Settings and the player --------------------------------------------------------------------------------------

    def set_settings(self, settings: CompareSettings) -> None:
        """From any thread: it only leaves a note."""
        self._settings = settings
        if (playback := self.playback) is not None:
            playback.set_settings(settings)

    def seek(self, frame_index: int) -> None:
        if self.playback is not None:
            self.playback.seek(frame_index)

    def step(self, frames: int) -> None:
        if self.playback is not None:
            self.playback.step(frames)

    def _close_playback(self) -> None:
        if self.playback is not None:
            playback, self.playback = self.playback, None
            playback.close()

    # Analysis -----------------------------------------------------------------------------------------------------

    def analyse_whole(self) -> None:
        """Analyses every frame that the books do not have yet; goes on with another candidate, once that is shown."""
        if self.key:
            self._asked.add(self.key)
        self.start_analysis()

    def start_analysis(self, first: int = 0) -> None:
        """Analyses what the books do not have yet, in the background: the frames from `first` on, then the others."""
        self._pause_analysis()
        if self._pair is None or self._source is None or not self.key or self._source.length is None:
            return
        pair, key, address, length = self._pair, self.key, self._source.address, self._source.length
        self._analysis = Worker(
            "analysis", lambda cancelled: self._analyse(pair, key, address, length, first, cancelled)
        ).start()

    def resume_analysis(self) -> None:
        """Goes on with what was asked for of the candidate that is there now."""
        if self.key in self._asked:
            self.start_analysis()

    def stop_analysis(self) -> None:
        self._asked.clear()
        self._pause_analysis()

    def _pause_analysis(self) -> None:
        if self._analysis is not None:
            self._analysis.cancel()
            self._analysis.join()
            self._analysis = None

    def _analyse(
        self, pair: Pair, key: str, address: str, length: int, first: int, cancelled: threading.Event
    ) -> None:
        missing = self._books.missing(key, [*range(first, length), *range(first)])
        done = length - len(missing)
        try:
            with open_any_source(address) as source:
                for start, count in _runs(missing):
                    frames = FrameRange(start, 1, count)
                    for comparison in comparisons(source, frames, pair, self._settings, cancelled.is_set):
                        if not self._books.add(key, comparison, cancelled.is_set):
                            break
                        done += 1
                        self._analysed(done, length, False)
                    if cancelled.is_set():
                        break
        except Exception as error:
            self._failed(error, "window")
        finally:
            if not cancelled.is_set():
                self._asked.discard(key)
            self._analysed(done, length, True)

    # Benchmark ----------------------------------------------------------------------------------------------------

    def start_bench(
        self,
        progress: Callable[[float], None],
        finished: Callable[[BenchResult | Exception], None],
    ) -> None:
        """Measures both models on a thread of its own; the player should be paused."""
        self.stop_bench()
        if len(self._runners) < 2:
            return
        specs = [self._runners[side][0].spec for side in SIDES]
        self._pause_analysis()

        def measure(cancelled: threading.Event) -> None:
            try:
                finished(bench_pair(specs[0], specs[1], progress, cancelled.is_set, seconds=3.0))
            except Exception as error:
                finished(error)

        self._bench = Worker("bench", measure).start()

    def stop_bench(self) -> None:
        if self._bench is not None:
            self._bench.cancel()
            self._bench.join()
            self._bench = None

    # The report ---------------------------------------------------------------------------------------------------

    def write_report(
        self,
        path: Path,
        totals: TotalsResult,
        settings: CompareSettings,
        speedup: float | None,
        labels: str | None,
        cancelled: Callable[[], bool],
    ) -> None:
        """Writes the figures as `compare --json` does, from any thread.

        Args:
            labels: a COCO file or a folder of YOLO labels; None for what the source itself knows.

        Raises: BadInput: nothing is compared, the labels do not fit, or it cannot be written; Cancelled.
        """
        from trtviewer.compare.truth_files import labels_of
        from trtviewer.report.compare_json import write_report

        pair, source = self._pair, self._source
        with ExitStack() as stack:
            truth = None
            if pair is not None and source is not None:
                own = stack.enter_context(open_any_source(source.address))
                truth = labels_of(labels, own, pair.reference.spec.classes)
                if truth is not None:
                    stack.enter_context(truth)
            report = self.report(totals, settings, speedup, truth, cancelled)
        write_report(path, report)

    def report(
        self,
        totals: TotalsResult,
        settings: CompareSettings,
        speedup: float | None = None,
        labels: Labels | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> dict[str, Any]:
        """The figures as `compare` has them, from any thread. Raises: BadInput: nothing is compared; Cancelled."""
        from trtviewer.gui.files.figures_report import figures_report
        from trtviewer.report.compare_json import ReportModel, ReportSource

        if self._pair is None or self._source is None or not self.key:
            raise BadInput("there are no figures yet", advice="open two models and a video first")
        return figures_report(
            self._books.frames(self.key),
            totals,
            settings,
            ReportModel(self._pair.reference.spec, self._pair.reference.info),
            ReportModel(self._pair.candidate.spec, self._pair.candidate.info),
            ReportSource(self._source.address, self._source.size, self._source.rate),
            self._pair.correspondence,
            speedup=speedup,
            labels=labels,
            cancelled=cancelled,
        )

    # The end ------------------------------------------------------------------------------------------------------

    def cancel_all(self) -> None:
        """From any thread: asks the long works to end, so that `close` need not wait for them."""
        self._asked.clear()
        for worker in (self._analysis, self._bench):
            if worker is not None:
                worker.cancel()

    def close(self) -> None:
        """Stops everything in order: who reads before what is read from."""
        self.stop_bench()
        self.stop_analysis()
        self._close_playback()
        for _, stack in self._runners.values():
            try:
                stack.close()
            except Exception:  # the window is going: what a runner says at its end is for the log only
                _log.exception("closing a model failed")
        self._runners.clear()
        if self._source is not None:
            self._source.close()
            self._source = None

    # What the player gives ----------------------------------------------------------------------------------------

    def note(self, comparison: FrameComparison) -> None:
        """From any thread: what is being watched also goes into the books, where they have time."""
        if self.key and str(comparison.candidate.spec.path) == self.key:
            self._books.offer(self.key, comparison)


def _runs(indices: list[int]) -> list[tuple[int, int]]:
    """Unbroken runs in the order of the indices, as (start, count)."""
    runs: list[tuple[int, int]] = []
    for index in indices:
        if runs and index == sum(runs[-1]):
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((index, 1))
    return runs


def is_model(path: Path) -> bool:
    """Whether a dropped path is meant as a model: one that loads, or one whose loader says how to export it."""
    from trtviewer.models.load import is_model as loads

    return loads(path) or path.suffix.lower() in _OTHER_MODELS


_OTHER_MODELS = frozenset((".pt", ".pth", ".weights", ".pb", ".uff", ".tflite"))
