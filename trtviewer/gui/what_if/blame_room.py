"""Which layers and ranges are to blame, found for the docks; no Qt. Every method runs on one thread, the workshop's."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trtviewer.errors import Cancelled
from trtviewer.gui.what_if.recipe import Made, Part
from trtviewer.gui.what_if.room import THREADS, Stopped, Tell, WhatIfRoom
from trtviewer.models.spec import ModelSpec

if TYPE_CHECKING:
    from trtviewer.blame.causes import Cause
    from trtviewer.blame.coach import CoachReport
    from trtviewer.blame.measurement import LayersResult
    from trtviewer.blame.one_object import ObjectBlame, ObjectInspector
    from trtviewer.blame.preprocessing_check import PreprocessingReport
    from trtviewer.blame.twin import Twin
    from trtviewer.compare.settings import CompareSettings
    from trtviewer.compare.totals import TotalsResult
    from trtviewer.sources.frame import Frame


@dataclass(frozen=True, slots=True)
class FewestFloat:
    """What a search found.

    Attributes:
        keep_float: the layers to keep in float; None where no set reaches the goal.
        int8_share: of the multiplications, what stays in INT8 then.
        missed_rate: what it misses then; None where the reference finds nothing.
        trials: how many sets were measured.
    """

    keep_float: frozenset[str] | None
    int8_share: float
    missed_rate: float | None
    trials: int


class BlameRoom:
    """Borrows networks, pairs and ranges from the room that makes variants; keeps the networks that look at one object."""

    def __init__(self, room: WhatIfRoom) -> None:
        self._room = room
        self._inspector: tuple[Twin, ObjectInspector] | None = None

    def layers(
        self,
        reference: ModelSpec,
        candidate: ModelSpec,
        frames: Part,
        settings: CompareSettings,
        tell: Tell,
        stopped: Stopped,
    ) -> LayersResult:
        """What each layer of the candidate costs, on these frames; where it is stopped, on those that were done.

        Raises:
            BadInput: the two are not one network, or a frame cannot be read.
            Cancelled: stopped before the first frame was done.
        """
        from trtviewer.blame.measurement import LayerMeasurement, measure
        from trtviewer.sources.address import open_source

        title, total = f"Measuring the layers of {candidate.path.name}", len(frames.frames)
        tell(title, 0, total)
        measurement = LayerMeasurement(self._room.twin(reference, candidate), settings, THREADS)
        with open_source(frames.source) as source:
            measure(measurement, source, frames.frames, lambda done: tell(title, done, total), stopped)
        result = measurement.result()
        if not result.frames:
            raise Cancelled("stopped before the first frame was done", subject=candidate.path)
        return result

    def fewest_float(
        self,
        reference: ModelSpec,
        candidate: ModelSpec,
        found: LayersResult,
        frames: Part,
        settings: CompareSettings,
        most_missed: float,
        tell: Tell,
        stopped: Stopped,
    ) -> FewestFloat:
        """The fewest multiplications taken out of INT8 with which the candidate misses at most that share on these frames.

        Args: found: the measured layers of this very candidate, whose blame leads the search.
        Raises: BadInput: a frame cannot be read. Cancelled: `stopped` said so.
        """
        from trtviewer.blame.search import Search, names_of
        from trtviewer.blame.trial import Bench
        from trtviewer.sources.address import open_source

        twin = self._room.twin(reference, candidate)
        title = f"Searching the fewest layers in float, {len(frames.frames)} frames a trial"

        def met(result: TotalsResult) -> bool:
            rate = result.detections.counts.missed_rate
            return rate is None or rate <= most_missed

        with open_source(frames.source) as source:
            bench = Bench(
                twin,
                (source.read(index) for index in frames.frames),
                settings,
                threads=THREADS,
                progress=lambda passes: tell(title, 0, 0),
                cancelled=stopped,
            )
        search = Search(bench, found.at_heads, met)
        search.run()
        result = search.result()
        if result.best is None:
            return FewestFloat(None, 0.0, None, len(result.trials))
        best = result.best
        return FewestFloat(
            frozenset(names_of(twin, best)), best.int8_share, best.missed_rate, len(result.trials)
        )

    def inspect(
        self,
        reference: ModelSpec,
        candidate: ModelSpec,
        frame: Frame,
        head: int,
        position: int,
        class_id: int,
        tell: Tell,
    ) -> ObjectBlame:
        """Why the candidate lost the reference's box at that place of a head.

        Raises: BadInput: the two are not one network, or its boxes have no cell.
        """
        from trtviewer.blame.one_object import ObjectInspector

        twin = self._room.twin(reference, candidate)
        if self._inspector is None or self._inspector[0] is not twin:
            self._inspector = None
            self._inspector = (twin, ObjectInspector(twin, THREADS))
        tell(f"Running each layer of {candidate.path.name} alone", 0, 0)
        return self._inspector[1].inspect(frame, head, position, class_id)

    def coach(
        self,
        reference: ModelSpec,
        candidate: ModelSpec,
        made: Made | None,
        frames: Part,
        tell: Tell,
        stopped: Stopped,
    ) -> tuple[CoachReport, tuple[Cause, ...], Twin]:
        """The candidate's ranges held against these frames; where it is stopped, those that were done.

        Args: made: how the candidate was made here: what its calibration saw is then known.
        Raises: BadInput: the two are not one network, or a frame cannot be read. Cancelled: stopped before the first frame.
        """
        from trtviewer.blame.causes import causes
        from trtviewer.blame.coach import RangeCoach
        from trtviewer.sources.address import open_source

        twin = self._room.twin(reference, candidate)
        seen = None
        if made is not None:
            seen = self._room.ranges(reference, made.recipe.calibration, tell, stopped)
        coach = RangeCoach(twin, seen, THREADS)
        title, total = f"Looking at {frames.name}", len(frames.frames)
        with open_source(frames.source) as source:
            for done, index in enumerate(frames.frames):
                tell(title, done, total)
                if stopped():
                    break
                coach.update(source.read(index))
        report = coach.result()
        if not report.frames:
            raise Cancelled("stopped before the first frame was done", subject=candidate.path)
        return report, causes(twin, report), twin

    def check_preprocessing(
        self,
        reference: ModelSpec,
        candidate: ModelSpec | None,
        frames: Part,
        settings: CompareSettings,
        tell: Tell,
        stopped: Stopped,
    ) -> PreprocessingReport:
        """Which preprocessing fits, by the models' own agreement. Raises: BadInput: they cannot be run."""
        from trtviewer.blame.preprocessing_check import check_preprocessing
        from trtviewer.runners.choose import open_runner
        from trtviewer.sources.address import open_source

        title = f"Trying preprocessings on {frames.name}"
        tell(title, 0, 0)
        with ExitStack() as stack:
            source = stack.enter_context(open_source(frames.source))
            runner = stack.enter_context(open_runner(reference, threads=THREADS))
            other = None
            if candidate is not None:
                other = stack.enter_context(open_runner(candidate, threads=THREADS))
            return check_preprocessing(
                [source.read(index) for index in frames.frames],
                settings,
                runner,
                other,
                progress=lambda runs: tell(title, 0, 0),
                cancelled=stopped,
            )

    def first_and_heads(self, reference: ModelSpec) -> frozenset[str]:
        """The layers that read the picture, and the last ones before the outputs."""
        from trtviewer.quantize.layout import first_layers, head_layers

        network = self._room.network(reference.path)
        return frozenset((*first_layers(network), *head_layers(network)))

    def forget(self) -> None:
        """Another reference or source: no network is needed any more."""
        self._inspector = None
