"""The workshop behind the Layers, Variants and Calibration docks: calibrates, quantizes anew, measures layers; no Qt.

Every method runs on one thread, the workshop's. What took long is kept: the network of a file, the ranges of every set of
frames, what the reference made of the frames that variants are judged on. So a changed tick costs the writing of a model only.
"""

from __future__ import annotations

import itertools
import math
import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from trtviewer import __version__, atomic
from trtviewer.errors import BadInput, Cancelled
from trtviewer.models.spec import ModelSpec

if TYPE_CHECKING:
    from trtviewer.blame.causes import Cause
    from trtviewer.blame.coach import CoachReport
    from trtviewer.blame.measurement import LayersResult
    from trtviewer.blame.one_object import ObjectBlame, ObjectInspector
    from trtviewer.blame.preprocessing_check import PreprocessingReport
    from trtviewer.blame.twin import Twin
    from trtviewer.compare.kept import KeptFrame
    from trtviewer.compare.settings import CompareSettings
    from trtviewer.preprocess import Prepared
    from trtviewer.quantize.graph import Network
    from trtviewer.quantize.ranges import Ranges
    from trtviewer.runners.runner import RunnerInfo, RunResult
    from trtviewer.sources.frame import Frame

Tell = Callable[[str, int, int], None]
"""Told what is being done, how many of how many pieces are done."""
Stopped = Callable[[], bool]
THREADS = 2


@dataclass(frozen=True, slots=True)
class Part:
    """Some frames of one source."""

    source: str
    frames: tuple[int, ...]

    @property
    def name(self) -> str:
        return short_name(self.source)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a variant is made of the reference.

    Attributes:
        method, percentile: of finding ranges; the percentile counts for that method only.
        calibration: the frames that ranges are found on.
        keep_float: names of nodes that stay float.
    """

    method: str
    percentile: float
    calibration: tuple[Part, ...]
    keep_float: frozenset[str] = frozenset()

    @property
    def method_words(self) -> str:
        return f"percentile {self.percentile:g}" if self.method == "percentile" else self.method

    @property
    def calibration_words(self) -> str:
        return " and ".join(f"{len(part.frames)} frames of {part.name}" for part in self.calibration)

    @property
    def words(self) -> str:
        """All of it in one line, shortest first: "mse, 2 in float, 64 frames of street.avi"."""
        kept = f", {len(self.keep_float)} in float" if self.keep_float else ""
        return f"{self.method_words}{kept}, {self.calibration_words}"


@dataclass(frozen=True, slots=True)
class Made:
    """A variant that was written.

    Attributes:
        path: its file; it is gone when the workshop closes.
        macs_share: of the multiplications, those that run in INT8; None where that is not known.
    """

    path: Path
    recipe: Recipe
    macs_share: float | None


@dataclass(slots=True)
class _ReferenceRun:
    """What the reference made of one frame, with everything that the other side needs."""

    frame: Frame
    prepared: Prepared
    result: RunResult


@dataclass(slots=True)
class _Judged:
    """The frames that variants are judged on, and what the reference made of them."""

    key: tuple[object, ...]
    info: RunnerInfo
    runs: list[_ReferenceRun] = field(default_factory=list)


class WhatIfRoom:
    """Owns a temporary folder of variants, and what is remembered between one Apply and the next."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._numbers = itertools.count(1)
        self._network: tuple[object, Network] | None = None
        self._ranges: dict[tuple[object, ...], Ranges] = {}
        self._twin: tuple[object, Twin] | None = None
        self._judged: _Judged | None = None
        self._inspector: tuple[object, ObjectInspector] | None = None

    # Variants -----------------------------------------------------------------------------------------------------

    def has_ranges(self, reference: ModelSpec, part: Part) -> bool:
        """Whether these frames were looked at already: Apply then needs seconds only."""
        return (stamp(reference.path), part) in self._ranges

    def make(self, reference: ModelSpec, recipe: Recipe, tell: Tell, stopped: Stopped) -> Made:
        """Writes the variant that a recipe means, with its sidecar.

        Raises:
            BadInput: the reference cannot be quantized, or a source cannot be read.
            Cancelled: `stopped` said so; nothing was written.
        """
        from trtviewer.quantize.qdq import save_with_sidecar

        network = self.network(reference.path)
        model = self._quantized(reference, network, recipe, "float32", tell, stopped)
        tell("Writing the variant", 0, 0)
        path = self._next_path(recipe)
        save_with_sidecar(model, path, reference)
        return Made(path, recipe, macs_share_of(network, recipe.keep_float))

    def export(
        self, reference: ModelSpec, made: Made, out: Path, float_type: str, tell: Tell, stopped: Stopped
    ) -> None:
        """Writes a variant, with its sidecar, where the user wants it.

        Args: float_type: "float32", or "float16" for a strongly typed TensorRT.
        Raises: BadInput: it cannot be written there.
        """
        from trtviewer.quantize.qdq import save_with_sidecar

        model = self._quantized(
            reference, self.network(reference.path), made.recipe, float_type, tell, stopped
        )
        save_with_sidecar(model, out, reference)

    def network(self, path: Path) -> Network:
        """The reference as quantization sees it, read once. Raises: BadInput: it cannot be quantized."""
        from trtviewer.quantize.graph import load_network

        key = stamp(path)
        if self._network is None or self._network[0] != key:
            self._network = (key, load_network(path))
        return self._network[1]

    def ranges(self, reference: ModelSpec, parts: Sequence[Part], tell: Tell, stopped: Stopped) -> Ranges:
        """What the tensors were on all these frames; each part is looked at once. Raises: BadInput, Cancelled."""
        if not parts or not all(part.frames for part in parts):
            raise BadInput(
                "there is no frame to calibrate on", advice="choose a source and at least one frame"
            )
        together: Ranges | None = None
        for part in parts:
            found = self._ranges_of(reference, part, tell, stopped)
            together = found if together is None else together.merged(found)
        assert together is not None
        return together

    def _quantized(
        self,
        reference: ModelSpec,
        network: Network,
        recipe: Recipe,
        float_type: str,
        tell: Tell,
        stopped: Stopped,
    ) -> object:
        from trtviewer.quantize.layout import plan
        from trtviewer.quantize.methods import amax_by_tensor
        from trtviewer.quantize.qdq import make_qdq, shared_scales

        if all(node.name in recipe.keep_float for node in network.weighted()):
            raise BadInput(
                "leaves no layer in INT8",
                subject=reference.path,
                advice="take some ticks away: that variant would be the reference",
            )
        ranges = self.ranges(reference, recipe.calibration, tell, stopped)
        tell("Choosing ranges", 0, 0)
        groups = plan(network, recipe.keep_float).groups
        amax = amax_by_tensor(ranges, recipe.method, recipe.percentile, groups)
        if stopped():
            raise Cancelled("stopped", subject=reference.path)
        facts = {
            "method": recipe.method_words,
            "frames": str(ranges.frames),
            "source": ", ".join(part.source for part in recipe.calibration),
            "keep_float": ",".join(sorted(recipe.keep_float)),
            "version": __version__,
        }
        scales = shared_scales(network, amax, recipe.keep_float)
        made = make_qdq(network, scales, recipe.keep_float, float_type, facts=facts)  # type: ignore[arg-type]
        return made.model

    def _ranges_of(self, reference: ModelSpec, part: Part, tell: Tell, stopped: Stopped) -> Ranges:
        from trtviewer.quantize.ranges import calibration_tensors, collect_ranges, input_amax_of
        from trtviewer.sources.address import open_source

        key = (stamp(reference.path), part)
        if key not in self._ranges:
            if reference.input is None:
                raise BadInput("says nothing of its input", subject=reference.path)
            title, total = f"Calibrating on {part.name}", len(part.frames)
            tell(title, 0, total)
            with open_source(part.source) as source:
                self._ranges[key] = collect_ranges(
                    self.network(reference.path),
                    calibration_tensors(source, reference.input, part.frames),
                    input_amax=input_amax_of(reference.input),
                    frame_indices=part.frames,
                    threads=THREADS,
                    progress=lambda done: tell(title, done, total),
                    cancelled=stopped,
                )
        return self._ranges[key]

    def _next_path(self, recipe: Recipe) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="trtviewer-variants-"))
        kept = f"-float{len(recipe.keep_float)}" if recipe.keep_float else ""
        return self._folder / f"variant{next(self._numbers)}-{recipe.method}{kept}.onnx"

    # Layers -------------------------------------------------------------------------------------------------------

    def twin(self, reference: ModelSpec, candidate: ModelSpec) -> Twin:
        """The candidate laid on the reference, read once. Raises: BadInput: they are not the same network."""
        from trtviewer.blame.pairing import load_twin

        key = (stamp(reference.path), stamp(candidate.path))
        if self._twin is None or self._twin[0] != key:
            self._twin = (key, load_twin(reference, candidate))
        return self._twin[1]

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
        measurement = LayerMeasurement(self.twin(reference, candidate), settings, THREADS)
        with open_source(frames.source) as source:
            measure(measurement, source, frames.frames, lambda done: tell(title, done, total), stopped)
        result = measurement.result()
        if not result.frames:
            raise Cancelled("stopped before the first frame was done", subject=candidate.path)
        return result

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

        twin = self.twin(reference, candidate)
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

        twin = self.twin(reference, candidate)
        seen = None
        if made is not None:
            seen = self.ranges(reference, made.recipe.calibration, tell, stopped)
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

        network = self.network(reference.path)
        return frozenset((*first_layers(network), *head_layers(network)))

    def macs_share(self, reference: ModelSpec, candidate: ModelSpec) -> float | None:
        """Of the candidate's multiplications, those in INT8; None where its layers cannot be seen."""
        try:
            layers = self.twin(reference, candidate).layers
        except BadInput:
            return None
        total = sum(layer.macs for layer in layers)
        return sum(layer.macs for layer in layers if layer.is_int8) / total if total else None

    # Figures ------------------------------------------------------------------------------------------------------

    def judge(
        self,
        reference: ModelSpec,
        candidate: ModelSpec,
        frames: Part,
        settings: CompareSettings,
        tell: Tell,
        stopped: Stopped,
    ) -> tuple[KeptFrame, ...]:
        """What the candidate makes of these frames beside the reference, small enough to keep for every variant.

        Raises:
            BadInput: a model cannot be run, or the two do not correspond.
            Cancelled: `stopped` said so.
        """
        from trtviewer.compare.frame_comparison import compare_frame
        from trtviewer.models.correspond import correspond
        from trtviewer.runners.choose import open_runner

        correspondence = correspond(reference, candidate)
        judged = self._judged_on(reference, frames, tell, stopped)
        title, total = f"Judging {candidate.path.name}", len(judged.runs)
        kept = []
        with ExitStack() as stack:
            runner = stack.enter_context(open_runner(candidate, threads=THREADS))
            for done, run in enumerate(judged.runs):
                tell(title, done, total)
                if stopped():
                    raise Cancelled("stopped", subject=candidate.path)
                result = runner.run(run.prepared.tensor, run.frame.index)
                comparison = compare_frame(
                    run.frame,
                    run.prepared.placement,
                    settings,
                    correspondence,
                    (reference, judged.info, run.result),
                    (candidate, runner.info, result),
                )
                kept.append(comparison.kept())
        return tuple(kept)

    def _judged_on(self, reference: ModelSpec, frames: Part, tell: Tell, stopped: Stopped) -> _Judged:
        from trtviewer.preprocess import Preprocessor
        from trtviewer.runners.choose import open_runner
        from trtviewer.sources.address import open_source

        key = (stamp(reference.path), frames)
        if self._judged is not None and self._judged.key == key:
            return self._judged
        if reference.input is None:
            raise BadInput("is a recording: variants need a model that runs", subject=reference.path)
        title, total = f"Running the reference on {frames.name}", len(frames.frames)
        preprocessor = Preprocessor(reference.input)
        with open_source(frames.source) as source, open_runner(reference, threads=THREADS) as runner:
            judged = _Judged(key, runner.info)
            for done, index in enumerate(frames.frames):
                tell(title, done, total)
                if stopped():
                    raise Cancelled("stopped", subject=reference.path)
                frame = source.read(index)
                prepared = preprocessor.prepare(frame.picture)
                judged.runs.append(_ReferenceRun(frame, prepared, runner.run(prepared.tensor, index)))
        self._judged = judged
        return judged

    # The end ------------------------------------------------------------------------------------------------------

    def forget(self) -> None:
        """Another reference or source: what was kept of the frames' figures fits no more; ranges still do."""
        self._judged = None
        self._twin = None
        self._inspector = None

    def close(self) -> None:
        """Removes the variants that were not exported."""
        self.forget()
        self._ranges.clear()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def macs_share_of(network: Network, keep_float: frozenset[str]) -> float | None:
    """Of the network's multiplications, those that stay in INT8; None where its shapes are not known."""
    from trtviewer.blame.pairing import macs_of
    from trtviewer.quantize.graph import weights_of

    graph = network.model.graph
    shapes = {
        info.name: tuple(each.dim_value for each in info.type.tensor_type.shape.dim)
        for info in (*graph.value_info, *graph.input, *graph.output)
        if all(each.HasField("dim_value") for each in info.type.tensor_type.shape.dim)
    }
    macs = {node.name: macs_of(node, weights_of(network, node), shapes) for node in network.weighted()}
    total = sum(macs.values())
    return sum(count for name, count in macs.items() if name not in keep_float) / total if total else None


def stamp(path: Path) -> tuple[str, int, int]:
    """What tells a file from the one that was there before under the same name."""
    try:
        found = path.stat()
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror or error}", subject=path) from error
    return str(path), found.st_mtime_ns, found.st_size


def copy_model(path: Path, original: ModelSpec, out: Path) -> None:
    """Copies a model that was opened from a file, with a sidecar that is complete in itself. Raises: BadInput."""
    from trtviewer.models.sidecar import sidecar_path, write_sidecar

    with atomic.whole_file(out) as temporary:
        shutil.copyfile(path, temporary)
        write_sidecar(sidecar_path(out), replace(original, path=out))


def short_name(address: str) -> str:
    """A source's address, short enough for a sentence."""
    if address.startswith(("scene:", "camera:")):
        return address.partition("?")[0]
    return Path(address).name or address


@dataclass(frozen=True, slots=True)
class Figures:
    """What a variant does on the frames that it is judged on, at one setting of the thresholds; None where undefined."""

    frames: int
    reference: int
    missed: int
    extra: int
    small_missed: int
    small: int
    mse: float | None


def figures_of(kept: Sequence[KeptFrame], settings: CompareSettings, spec: ModelSpec) -> Figures:
    """The figures of kept frames at any settings; no model runs."""
    from trtviewer.compare.matched_video import rematch
    from trtviewer.compare.totals import strides_of

    totals = rematch(kept, settings, spec.classes, strides=strides_of(spec)).totals
    errors = [frame.error for frame in kept if math.isfinite(frame.error)]
    small = totals.by_size["small"]
    return Figures(
        len(kept),
        totals.counts.reference,
        totals.counts.missed,
        totals.counts.extra,
        small.missed,
        small.reference,
        sum(errors) / len(errors) if errors else None,
    )
