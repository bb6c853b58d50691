"""Works of the docks about thresholds of a candidate's own: fitted, put in force, saved, and taken away when outdated."""

from __future__ import annotations

from dataclasses import fields

from trtviewer.compare.settings import CompareSettings, RefittedSettings
from trtviewer.detect.boxes import NO_STRIDE
from trtviewer.errors import BadInput
from trtviewer.gui.engine.engine import Engine
from trtviewer.gui.what_if.state import ApplyThresholds, FindThresholds, RefitFinding, SaveThresholds
from trtviewer.gui.what_if.workshop import Workshop

FEWEST_FRAMES = 8
"""Frames that thresholds may be fitted to; half of them judges."""


class ThresholdWorks(Workshop):
    """A part of `WhatIf`, which has an engine."""

    _engine: Engine

    def _find_thresholds(self, _: FindThresholds) -> None:
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
            # Evidence that was opened has them for its own candidate.
            of_evidence = candidate is not None and candidate.path.parent.suffix.lower() == ".zip"
            if self._model.settings.candidate_thresholds and not of_evidence:
                self._model.set_settings(self._model.settings.plain)
            return
        other = candidate is None or candidate.path != found.candidate
        if other or self._model.settings.confidence != found.settings.confidence:
            self._state.set_refit(None)
            if self._model.settings.candidate_thresholds:
                self._model.set_settings(self._model.settings.plain)


def refitted(settings: CompareSettings, found: RefitFinding) -> CompareSettings:
    """The same with the thresholds that were found in force for the candidate."""
    values = {item.name: getattr(settings, item.name) for item in fields(CompareSettings)}
    rows = tuple((row.class_id, row.stride or NO_STRIDE, row.confidence) for row in found.refit.table.rows)
    return RefittedSettings(**values, thresholds=rows)
