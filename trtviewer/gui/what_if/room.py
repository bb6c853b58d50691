"""Makes variants of the reference and judges them: calibrates, quantizes anew, compares on kept frames; no Qt.

Every method runs on one thread, the workshop's. What took long is kept: the network of a file, the ranges of every set of
frames, what the reference made of the frames that variants are judged on. So a changed tick costs the writing of a model only.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from trtviewer import __version__, atomic
from trtviewer.errors import BadInput, Cancelled
from trtviewer.gui.what_if.recipe import Made, Part, Recipe, stamp
from trtviewer.gui.what_if.variant_figures import macs_share_of
from trtviewer.models.spec import ModelSpec

if TYPE_CHECKING:
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

    # Variants -----------------------------------------------------------------------------------------------------

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
        from trtviewer.compare.error_meter import ErrorMeter
        from trtviewer.compare.frame_comparison import compare_frame
        from trtviewer.models.correspond import correspond
        from trtviewer.runners.choose import open_runner

        correspondence = correspond(reference, candidate)
        judged = self._judged_on(reference, frames, tell, stopped)
        title, total = f"Judging {candidate.path.name}", len(judged.runs)
        kept, meter = [], ErrorMeter()
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
                    meter,
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
                result = runner.run(prepared.tensor, index)
                judged.runs.append(_ReferenceRun(frame.without_picture(), prepared, result))
        self._judged = judged
        return judged

    # The end ------------------------------------------------------------------------------------------------------

    def forget(self) -> None:
        """Another reference or source: what was kept of the frames' figures fits no more; ranges still do."""
        self._judged = None
        self._twin = None

    def close(self) -> None:
        """Removes the variants that were not exported."""
        self.forget()
        self._ranges.clear()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def copy_model(path: Path, original: ModelSpec, out: Path) -> None:
    """Copies a model that was opened from a file, with a sidecar that is complete in itself. Raises: BadInput."""
    from trtviewer.models.sidecar import sidecar_path, write_sidecar

    with atomic.whole_file(out) as temporary:
        shutil.copyfile(path, temporary)
        write_sidecar(sidecar_path(out), replace(original, path=out))
