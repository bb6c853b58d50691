"""What the engine does for long in the background: analysis, benchmark, findings, truth, the figures as a file."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from trtviewer.errors import Cancelled, TrtviewerError
from trtviewer.gui.border import Border, QueueBorder
from trtviewer.gui.engine.bookkeeper import BooksUpdate
from trtviewer.gui.engine.pace import Pace
from trtviewer.gui.engine.room import EngineRoom
from trtviewer.gui.engine.truth import TruthFinder
from trtviewer.gui.findings import findings_sentences
from trtviewer.gui.view_model import (
    BenchmarkResult,
    Findings,
    Problem,
    Progress,
    ShownTruth,
    TruthLayer,
    ViewModel,
)
from trtviewer.pipeline.bench import BenchResult


class LongWork:
    """A part of the engine, which has all of these attributes."""

    _model: ViewModel
    _room: EngineRoom
    _events: QueueBorder
    _progress: Border
    _bench_progress: Border
    _truths: Border
    _pace: Pace
    _last_books: BooksUpdate | None
    _finder: ThreadPoolExecutor
    _finding: int
    _truth: TruthFinder | None
    _truth_of: object
    _labels: str | None
    _closed: bool

    if TYPE_CHECKING:

        def _do(
            self,
            work: Callable[[], object],
            place: str = "window",
            retry: Callable[[], None] | None = None,
        ) -> None: ...
        def _guarded(
            self, work: Callable[[], object], place: str, retry: Callable[[], None] | None
        ) -> None: ...
        def _fail(self, error: Exception, place: str, retry: Callable[[], None] | None = None) -> None: ...

    def analyse(self) -> None:
        """Analyses what is left of the source, with every candidate that is shown until it is done or cancelled."""
        self._do(self._room.analyse_whole)

    def look_ahead(self) -> None:
        """Analyses from the frame that is shown to the end, then what lies before it, with this candidate only."""
        first = self._model.position.frame_index
        self._do(lambda: self._room.start_analysis(first))

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

        labels = self._labels
        self._model.set_status(f"Writing {path.name} …")

        def write() -> None:
            self._room.write_report(path, books.totals, settings, speedup, labels, lambda: self._closed)
            self._events.publish(lambda: self._model.set_status(f"Saved {path.name}."))

        # Truth and intervals take seconds for a long video: what is opened meanwhile need not wait for them.
        self._finder.submit(self._guarded, write, "window", None)

    @property
    def labels(self) -> str | None:
        """The file or folder of labels that was opened; None where only the source's own truth counts."""
        return self._labels

    def open_labels(self, path: Path) -> None:
        """Takes the truth from a file or folder of labels, and shows it."""
        self._labels = str(path)
        self._close_truth()
        self._model.clear_problems("labels")
        self._model.change_display(truth=TruthLayer.ALL)
        self._ask_truth()

    def _ask_truth(self, *_: object) -> None:
        """Asks what is really in the frame that is shown, while somebody wants to see it."""
        model, comparison = self._model, self._model.comparison
        if (
            model.display.truth is TruthLayer.OFF
            or comparison is None
            or model.source is None
            or self._closed
        ):
            self._model.set_truth(None)
            return
        wanted = (model.source.address, self._labels, comparison.reference.spec.classes)
        if self._truth is None or self._truth_of != wanted:
            self._close_truth()
            self._truth_of = wanted
            self._truth = TruthFinder(*wanted, self._truths.publish, self._truth_failed)
        self._truth.request(comparison)

    def _take_truth(self, told: object) -> None:
        if isinstance(told, ShownTruth):
            self._model.set_truth(told if self._model.display.truth is not TruthLayer.OFF else None)
        else:
            self._model.change_display(truth=TruthLayer.OFF)
            self._model.set_status("This source knows no truth of its own: open labels (File > Open labels).")

    def _truth_failed(self, error: TrtviewerError) -> None:
        self._fail(error, "labels")
        self._events.publish(lambda: self._model.change_display(truth=TruthLayer.OFF))

    def _close_truth(self) -> None:
        if self._truth is not None:
            self._truth.close()
            self._truth = None

    def _find(self) -> None:
        """Once the figures rest: how sure they are, what is too small to be found, which tracks are lost."""
        books, settings = self._last_books, self._model.settings
        busy = self._model.playing.playing or any(one.task == "analysis" for one in self._model.progress)
        if (
            books is None
            or books.totals.frames < 2
            or busy
            or books.video.settings != settings
            or self._closed
        ):
            return
        self._finding += 1
        number = self._finding

        def find() -> None:
            try:
                report = self._room.report(books.totals, settings, cancelled=lambda: self._finding != number)
            except Cancelled:
                return
            except Exception as error:
                self._fail(error, "window")
                return
            findings = Findings(settings, books.totals.frames, findings_sentences(report))
            self._events.publish(lambda: self._model.set_findings(findings))

        self._finder.submit(find)

    def _analysed(self, done: int, total: int | None, over: bool) -> None:
        share = done / total if total else 0.0
        left = self._pace.left_s(share)
        if over:
            self._pace = Pace()

        def tell() -> None:
            # How many are analysed is told by the books, with the figures of these very frames.
            if over:
                self._model.end_progress("analysis")
            else:
                name = self._model.source.name if self._model.source is not None else ""
                self._model.set_progress(
                    Progress("analysis", f"Analysing {name}", done, total, left, self.stop_analysis)
                )

        self._progress.publish(tell)

    def _bench_done(self, result: BenchResult | Exception) -> None:
        self._model.end_progress("bench")
        self._do(self._room.resume_analysis)
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
