"""Answers what the Layers, Variants and Calibration docks ask for: one work at a time, on a thread of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject

from trtviewer.compare.settings import CompareSettings
from trtviewer.errors import BadInput, Cancelled, TrtviewerError
from trtviewer.gui.docks.newest import Newest
from trtviewer.gui.engine.engine import Engine
from trtviewer.gui.problems import finished
from trtviewer.gui.view_model import Requests, ViewModel
from trtviewer.gui.what_if.blame_room import BlameRoom, FewestFloat
from trtviewer.gui.what_if.recipe import Part, Recipe
from trtviewer.gui.what_if.room import WhatIfRoom, copy_model
from trtviewer.gui.what_if.state import (
    Apply,
    ApplyThresholds,
    CheckPreprocessing,
    Coach,
    CoachFinding,
    Export,
    FindFewest,
    FindLayers,
    FindThresholds,
    Inspect,
    Judge,
    LayersFinding,
    ObjectFinding,
    SaveThresholds,
    SaveVariants,
    Stop,
    Variant,
)
from trtviewer.gui.what_if.threshold_works import ThresholdWorks
from trtviewer.gui.what_if.variant_figures import Figures, figures_of
from trtviewer.models.spec import ModelSpec
from trtviewer.sources.source import spread

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False, slots=True)
class _FiguresRequest:
    variants: tuple[Variant, ...]
    settings: CompareSettings
    spec: ModelSpec


class WhatIf(ThresholdWorks):
    """Answers the docks' requests; lives in the GUI thread and never blocks it."""

    def __init__(
        self, view_model: ViewModel, requests: Requests, engine: Engine, parent: QObject | None = None
    ) -> None:
        super().__init__(view_model, parent)
        self._engine = engine
        self._room = WhatIfRoom()
        self._blame = BlameRoom(self._room)
        self._figures = Newest("variant figures", _figures, self)
        self._figures.answered.connect(self._take_figures)
        self._figures.failed.connect(lambda error: self._fail(error, "variants"))
        self._self_tested = False
        self._compared: tuple[Path | None, str] = (None, "")
        self._answers: dict[type, Callable[[Any], None]] = {
            FindLayers: self._find_layers,
            FindFewest: self._find_fewest,
            Apply: self._apply,
            Inspect: self._inspect,
            Coach: self._coach,
            CheckPreprocessing: self._check_preprocessing,
            FindThresholds: self._find_thresholds,
            ApplyThresholds: self._apply_thresholds,
            SaveThresholds: self._save_thresholds,
            Judge: self._judge,
            Export: self._export,
            SaveVariants: self._save_variants,
            Stop: lambda _: self.stop(),
        }
        requests.what_if.connect(self.answer)
        view_model.settings_changed.connect(self._ask_figures)
        view_model.models_changed.connect(self._inputs_changed)
        view_model.source_changed.connect(self._inputs_changed)
        view_model.settings_changed.connect(self._thresholds_outdated)
        view_model.models_changed.connect(self._thresholds_outdated)

    def answer(self, request: object) -> None:
        """Does what a dock asks for; `request` is one of the requests of `what_if_state.py`."""
        self._answers[type(request)](request)

    def close(self) -> None:
        """Ends the threads; nothing reaches the view model afterwards. Variants that were not exported are gone."""
        if not self._closed:
            self._figures.close()
            self._thread.submit(self._room.close)
        super().close()

    # The works ----------------------------------------------------------------------------------------------------

    def _find_layers(self, request: FindLayers) -> None:
        reference, candidate = self._specs()
        if reference is None or candidate is None:
            return
        settings = self._model.settings

        def work() -> None:
            result = self._blame.layers(
                reference, candidate, request.frames, settings, self._tell, self._cancelled.is_set
            )
            ends = self._blame.first_and_heads(reference)
            finding = LayersFinding(candidate.path, request.frames, result, ends)
            self._give(lambda: self._state.set_layers(finding))
            if not self._cancelled.is_set():
                self._judge_all(reference, [candidate], request.frames, settings)

        self._start("layers", f"Measuring the layers of {candidate.path.name}", work)

    def _find_fewest(self, request: FindFewest) -> None:
        reference, candidate = self._specs()
        found = self._state.layers
        if reference is None or candidate is None or found is None or found.candidate != candidate.path:
            self._model.set_status("Find the layers of this candidate first.")
            return
        settings = self._model.settings.plain

        def work() -> None:
            fewest = self._blame.fewest_float(
                reference,
                candidate,
                found.result,
                found.frames,
                settings,
                request.most_missed,
                self._tell,
                self._cancelled.is_set,
            )
            self._give(lambda: self._tick_fewest(fewest, request.most_missed))

        self._start("layers", "Searching the fewest layers in float", work)

    def _tick_fewest(self, fewest: FewestFloat, most_missed: float) -> None:
        goal = f"at most {100 * most_missed:g} % missed"
        if fewest.keep_float is None:
            self._model.set_status(f"No layers in float reach {goal} on these frames.")
            return
        self._state.set_ticks(fewest.keep_float)
        rate = "" if fewest.missed_rate is None else f", {100 * fewest.missed_rate:.1f} % missed"
        self._model.set_status(
            f"{goal[:1].upper()}{goal[1:]}: {len(fewest.keep_float)} layers in float, "
            f"{100 * fewest.int8_share:.0f} % of MACs stay in INT8{rate} ({fewest.trials} sets measured)."
        )

    def _apply(self, request: Apply) -> None:
        reference, _ = self._specs()
        if reference is None:
            return
        settings, extra = self._model.settings, self._state.extra
        others = [entry.spec for entry in self._model.models.candidates if entry.spec is not None]

        def work() -> None:
            from trtviewer.models.load import load_spec

            part = _spread_over(request.source, request.count)
            recipe = Recipe(request.method, request.percentile, (part, *extra), request.keep_float)
            made = self._room.make(reference, recipe, self._tell, self._cancelled.is_set)
            entry = Variant(made.path, made, macs_share=made.macs_share)
            self._give(lambda: self._state.put_variants(entry))
            self._give(lambda: self._engine.add_candidate(made.path))
            self._judge_all(reference, [load_spec(made.path), *others], request.judge, settings)

        self._start("layers", "Making a variant", work)

    def _inspect(self, request: Inspect) -> None:
        reference, candidate = self._specs()
        if reference is None or candidate is None:
            return

        def work() -> None:
            place = request.selection
            blame = self._blame.inspect(
                reference, candidate, request.frame, place.head, place.position, request.class_id, self._tell
            )
            found = ObjectFinding(place, candidate.path, request.class_id, request.class_name, blame)
            self._give(lambda: self._state.set_object(found))

        self._start("layers", f"Looking for what took the {request.class_name}", work)

    def _coach(self, request: Coach) -> None:
        reference, candidate = self._specs()
        if reference is None or candidate is None:
            return
        made = self._state.variant(candidate.path).made

        def work() -> None:
            report, causes, twin = self._blame.coach(
                reference, candidate, made, request.frames, self._tell, self._cancelled.is_set
            )
            found = CoachFinding(candidate.path, request.frames, report, causes, twin)
            self._give(lambda: self._state.set_coach(found))

        self._start("calibration", f"Holding the ranges of {candidate.path.name} against the frames", work)

    def _check_preprocessing(self, request: CheckPreprocessing) -> None:
        reference, candidate = self._specs()
        if reference is None:
            return
        settings = self._model.settings.plain

        def work() -> None:
            found = self._blame.check_preprocessing(
                reference, candidate, request.frames, settings, self._tell, self._cancelled.is_set
            )
            self._give(lambda: self._state.set_preprocessing(found))

        self._start("calibration", "Trying other preprocessings", work)

    def _judge(self, request: Judge) -> None:
        reference, _ = self._specs()
        if reference is None:
            return
        settings = self._model.settings
        specs = [entry.spec for entry in self._model.models.candidates if entry.spec is not None]
        self._start(
            "variants",
            "Judging the variants",
            lambda: self._judge_all(reference, specs, request.frames, settings),
        )

    def _export(self, request: Export) -> None:
        reference, _ = self._specs()
        variant = self._state.variant(request.path)
        entry = next((one for one in self._model.models.candidates if one.path == request.path), None)
        if reference is None or entry is None:
            return

        def work() -> None:
            if variant.made is not None and request.float_type != "float32":
                self._room.export(
                    reference,
                    variant.made,
                    request.out,
                    request.float_type,
                    self._tell,
                    self._cancelled.is_set,
                )
            elif entry.spec is not None:
                copy_model(entry.path, entry.spec, request.out)
            self._note_saved(request.path)
            self._give(lambda: self._offer(request.out))

        self._start("variants", f"Saving {request.out.name}", work)

    def _save_variants(self, request: SaveVariants) -> None:
        models = self._model.models
        specs = {one.path: one.spec for one in (models.reference, *models.candidates) if one is not None}

        def work() -> None:
            from trtviewer.models.load import load_spec

            for done, (path, out) in enumerate(request.files):
                self._tell(f"Saving {out.name}", done, len(request.files))
                copy_model(path, specs.get(path) or load_spec(path), out)
                self._note_saved(path)

        self._start("variants", "Saving variants", work)

    def _note_saved(self, path: Path) -> None:
        """On the thread; whatever has been opened meanwhile."""
        self._events.publish(lambda: self._state.put_variants(replace(self._state.variant(path), saved=True)))

    def _offer(self, out: Path) -> None:
        """Says what was saved, and lets it be opened where it lies now: there it outlives the window."""
        self._model.set_status(f"Saved {out.name} and its sidecar.")
        self._model.add_problem(
            finished(f"Saved {out.name} and its sidecar", "variants", lambda: self._engine.add_candidate(out))
        )

    def _judge_all(
        self, reference: ModelSpec, specs: Sequence[ModelSpec], frames: Part, settings: CompareSettings
    ) -> None:
        """Judges those that were not yet judged on these frames; what cannot be judged says why, and the rest goes on."""
        for spec in specs:
            known = self._state.variant(spec.path)
            if known.frames == frames and known.kept:
                continue
            share = known.macs_share
            try:
                if share is None:
                    share = self._room.macs_share(reference, spec)
                kept = self._room.judge(reference, spec, frames, settings, self._tell, self._cancelled.is_set)
            except Cancelled:
                raise
            except TrtviewerError as error:
                self._publish_variant(spec.path, note=str(error))
                continue
            figures = figures_of(kept, settings, reference)
            self._publish_variant(
                spec.path, frames=frames, kept=kept, figures=figures, macs_share=share, note=""
            )
        self._give(self._ask_figures)

    def _publish_variant(self, path: Path, **values: object) -> None:
        self._give(lambda: self._state.put_variants(replace(self._state.variant(path), **values)))

    # What depends on what is open ---------------------------------------------------------------------------------

    def _test_int8(self) -> None:
        """On this object's thread: once a window, and remembered by the machine."""
        from trtviewer.quantize.self_test import self_test

        try:
            sentence = self_test().sentence
        except Exception as error:  # that a test fails to run must not look like a failure of the models
            _log.warning("the INT8 self test could not be run", exc_info=error)
            return
        self._events.publish(lambda: self._state.set_self_test(sentence))

    def _inputs_changed(self, *_: object) -> None:
        emulated = any(entry.emulated for entry in self._model.models.candidates)
        if emulated and not self._self_tested and not self._closed:
            self._self_tested = True
            self._thread.submit(self._test_int8)
        models, source = self._model.models, self._model.source
        reference = models.reference.path if models.reference is not None else None
        compared = (reference, source.address if source is not None else "")
        if compared == self._compared:
            return
        if compared[0] != self._compared[0]:
            self._state.set_ticks(frozenset())
        self._compared = compared
        self._state.set_layers(None)
        self._state.set_object(None)
        self._state.set_refit(None)
        self._state.set_coach(None)
        self._state.set_preprocessing(None)
        self._state.forget_figures()
        self._forget_work()
        if not self._closed:
            self._thread.submit(self._blame.forget)
            self._thread.submit(self._room.forget)

    def _ask_figures(self, *_: object) -> None:
        reference, _ = self._specs()
        variants = tuple(one for one in self._state.variants.values() if one.kept)
        if variants and reference is not None and not self._closed:
            self._figures.ask(_FiguresRequest(variants, self._model.settings, reference))

    def _take_figures(self, figures: dict[tuple[Path, Part | None], Figures]) -> None:
        changed = []
        for variant in self._state.variants.values():
            found = figures.get((variant.path, variant.frames))
            if found is not None and found != variant.figures:
                changed.append(replace(variant, figures=found))
        if changed:
            self._state.put_variants(*changed)


def _figures(request: _FiguresRequest) -> dict[tuple[Path, Part | None], Figures]:
    return {
        (one.path, one.frames): figures_of(one.kept, request.settings, request.spec)
        for one in request.variants
    }


def _spread_over(address: str, count: int) -> Part:
    """So many frames, spread evenly over a source. Raises: BadInput: it has no end, or cannot be opened."""
    from trtviewer.sources.address import open_source

    with open_source(address) as source:
        if source.length is None:
            raise BadInput(
                "has no end that frames could be spread over",
                subject=address,
                advice="choose a video or a folder of pictures to calibrate on",
            )
        return Part(address, spread(source.length, count))
