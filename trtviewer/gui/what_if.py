"""Answers what the Layers, Variants and Calibration docks ask for: one work at a time, on a thread of its own."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

from PySide6.QtCore import QObject

from trtviewer.compare.settings import CompareSettings, RefittedSettings
from trtviewer.detect.boxes import NO_STRIDE
from trtviewer.errors import BadInput, Cancelled, TrtviewerError
from trtviewer.gui.blame_room import BlameRoom, FewestFloat
from trtviewer.gui.docks.newest import Newest
from trtviewer.gui.engine import Engine
from trtviewer.gui.recipe import Part, Recipe
from trtviewer.gui.variant_figures import Figures, figures_of
from trtviewer.gui.view_model import Requests, ViewModel
from trtviewer.gui.what_if_state import (
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
    RefitFinding,
    SaveThresholds,
    Variant,
)
from trtviewer.gui.whatif_room import WhatIfRoom, copy_model
from trtviewer.gui.workshop import Workshop
from trtviewer.models.spec import ModelSpec
from trtviewer.sources.source import spread

FEWEST_FRAMES = 8
"""Frames that thresholds may be fitted to; half of them judges."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False, slots=True)
class _FiguresRequest:
    variants: tuple[Variant, ...]
    settings: CompareSettings
    spec: ModelSpec


class WhatIf(Workshop):
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
        requests.what_if.connect(self.answer)
        view_model.settings_changed.connect(self._ask_figures)
        view_model.models_changed.connect(self._inputs_changed)
        view_model.source_changed.connect(self._inputs_changed)
        view_model.settings_changed.connect(self._thresholds_outdated)
        view_model.models_changed.connect(self._thresholds_outdated)

    def answer(self, request: object) -> None:
        """Does what a dock asks for; `request` is one of the requests of `what_if_state.py`."""
        if isinstance(request, FindLayers):
            self._find_layers(request)
        elif isinstance(request, FindFewest):
            self._find_fewest(request)
        elif isinstance(request, Apply):
            self._apply(request)
        elif isinstance(request, Inspect):
            self._inspect(request)
        elif isinstance(request, Coach):
            self._coach(request)
        elif isinstance(request, CheckPreprocessing):
            self._check_preprocessing(request)
        elif isinstance(request, FindThresholds):
            self._find_thresholds()
        elif isinstance(request, ApplyThresholds):
            self._apply_thresholds(request)
        elif isinstance(request, SaveThresholds):
            self._save_thresholds(request)
        elif isinstance(request, Judge):
            self._judge(request)
        elif isinstance(request, Export):
            self._export(request)

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

    def _find_thresholds(self) -> None:
        reference, candidate = self._specs()
        if reference is None or candidate is None:
            return
        settings = self._model.settings.plain
        judged = self._state.variant(candidate.path).kept

        def work() -> None:
            from trtviewer.blame.refit import refit

            analysed = self._engine.kept_frames(candidate.path)
            frames = analysed if len(analysed) >= len(judged) else list(judged)
            if len(frames) < FEWEST_FRAMES:
                raise BadInput(
                    f"{len(frames)} analysed frames are too few to fit thresholds to",
                    advice="analyse the video (Ctrl+Return), or judge the variants on more frames",
                )
            found = RefitFinding(
                candidate.path, settings, len(frames), refit(frames, settings, reference.classes)
            )
            self._give(lambda: self._state.set_refit(found))

        self._start("variants", f"Fitting the thresholds of {candidate.path.name}", work)

    def _apply_thresholds(self, request: ApplyThresholds) -> None:
        found, settings = self._state.refit, self._model.settings.plain
        if request.on and found is not None:
            settings = refitted(settings, found)
        self._model.set_settings(settings)

    def _save_thresholds(self, request: SaveThresholds) -> None:
        found, names = self._state.refit, self._model.models.class_names
        if found is None:
            return

        def work() -> None:
            found.refit.table.write(request.out, names)
            self._give(lambda: self._model.set_status(f"Saved {request.out.name}."))

        self._start("variants", f"Saving {request.out.name}", work)

    def _thresholds_outdated(self, *_: object) -> None:
        """Thresholds hold for one candidate and one confidence: with another of either they are taken away."""
        found, candidate = self._state.refit, self._model.models.candidate
        if found is None:
            return
        other = candidate is None or candidate.path != found.candidate
        if other or self._model.settings.confidence != found.settings.confidence:
            self._state.set_refit(None)
            if self._model.settings.candidate_thresholds:
                self._model.set_settings(self._model.settings.plain)

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
        made = self._state.variant(request.path).made
        entry = next((one for one in self._model.models.candidates if one.path == request.path), None)
        if reference is None or entry is None:
            return

        def work() -> None:
            if made is not None:
                self._room.export(
                    reference, made, request.out, request.float_type, self._tell, self._cancelled.is_set
                )
            elif entry.spec is not None:
                copy_model(entry.path, entry.spec, request.out)
            self._give(lambda: self._model.set_status(f"Saved {request.out.name} and its sidecar."))

        self._start("variants", f"Saving {request.out.name}", work)

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

    def _specs(self) -> tuple[ModelSpec | None, ModelSpec | None]:
        models = self._model.models
        return tuple(
            entry.spec if entry is not None else None for entry in (models.reference, models.candidate)
        )  # type: ignore[return-value]

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


def refitted(settings: CompareSettings, found: RefitFinding) -> CompareSettings:
    """The same with the thresholds that were found in force for the candidate."""
    values = {item.name: getattr(settings, item.name) for item in fields(CompareSettings)}
    rows = tuple((row.class_id, row.stride or NO_STRIDE, row.confidence) for row in found.refit.table.rows)
    return RefittedSettings(**values, thresholds=rows)
