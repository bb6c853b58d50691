"""What the engine does about models and sources: opens them, puts them in their places, closes them, off the GUI thread."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Signal

from trtviewer.gui.border import QueueBorder
from trtviewer.gui.engine.bookkeeper import BooksUpdate
from trtviewer.gui.engine.room import EngineRoom, is_model, open_any_source
from trtviewer.gui.engine.thumbnails import Thumbnails
from trtviewer.gui.view_model import (
    ModelEntry,
    ModelState,
    Playing,
    Position,
    Problem,
    Progress,
    SourceEntry,
    Thumbnail,
    TruthLayer,
    ViewModel,
)
from trtviewer.models.spec import ModelSpec, Precision
from trtviewer.models.trust import UntrustedPlan, remember
from trtviewer.runners.runner import RunnerInfo
from trtviewer.sources.source import Source


class Openings:
    """A part of the engine, which has all of these attributes."""

    opened: Signal
    ambiguous: Signal
    _model: ViewModel
    _room: EngineRoom
    _events: QueueBorder
    _ready: dict[Path, ModelEntry]
    _last_books: BooksUpdate | None
    _labels: str | None
    _thumbnails: Thumbnails | None

    if TYPE_CHECKING:

        def seek(self, frame_index: int) -> None: ...
        def _do(
            self,
            work: Callable[[], object],
            place: str = "window",
            retry: Callable[[], None] | None = None,
        ) -> None: ...
        def _fail(self, error: Exception, place: str, retry: Callable[[], None] | None = None) -> None: ...
        def _playing_changed(self, playing: Playing) -> None: ...

    def open_paths(self, paths: Sequence[str | Path], side: str | None = None) -> None:
        """Opens whatever was dropped: models, videos, pictures, folders, several at once; an evidence bundle whole.

        Args:
            side: "reference" or "candidate" where the user dropped on that pane; else the models' precision decides.
        """
        for bundle in (Path(path) for path in paths if Path(path).suffix.lower() == ".zip"):
            self._do(lambda bundle=bundle: self._open_evidence(bundle), "source")
        paths = [path for path in paths if Path(path).suffix.lower() != ".zip"]
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
        for place in ("source", "frame", "window"):
            self._model.clear_problems(place)
        self._model.set_progress(Progress("source", f"Opening {_short(address)}"))
        self._do(lambda: self._open_source(address), place="source", retry=lambda: self.open_source(address))

    def _open_evidence(self, path: Path) -> None:
        """Both sides, the frames and the thresholds of an evidence bundle."""
        from trtviewer.report.bundle import open_bundle

        bundle = open_bundle(path)

        def open_all() -> None:
            self.open_reference(bundle.reference)
            self.add_candidate(bundle.candidate)
            self.open_source(bundle.source)
            # Last: thresholds of a candidate's own go when another one is shown.
            self._model.set_settings(bundle.settings)

        self._events.publish(open_all)

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
            # The new player knows neither speed nor whether it is to play.
            self._events.publish(lambda: self._playing_changed(self._model.playing))
        finally:
            self._events.publish(lambda: self._model.end_progress("source"))

    def _tell_source(self, source: Source) -> None:
        entry = SourceEntry(source.address, _short(source.address), source.length, source.rate, source.size)

        def tell() -> None:
            self._last_books = None
            self._model.set_comparison(None)
            self._model.set_alone(None)
            self._model.set_bare(None)
            self._model.set_matched_video(None)
            self._model.set_video_errors(None)
            self._model.set_selection(None)
            self._model.set_analysed(0, source.length)
            # A camera shows what is there now; a video waits on its first frame.
            self._model.set_playing(Playing(source.length is None, self._model.playing.speed))
            self._model.set_position(Position())
            self._labels = None
            self._model.change_display(truth=TruthLayer.OFF)
            self._model.set_source(entry)
            self._new_thumbnails(entry.address)
            if source.remark:
                self._model.set_status(f"{entry.name}: {source.remark}.")
            self.opened.emit("source", entry.address)

        self._events.publish(tell)

    def _model_ready(self, side: str, path: Path, spec: ModelSpec, info: RunnerInfo | None) -> None:
        self._ready[path] = ModelEntry(path, ModelState.READY, spec, info)
        self._set_entry(side, path, ModelState.READY, spec=spec, info=info)
        self._model.set_benchmark(None)
        if side == "reference":
            self._model.set_matched_video(None)
            self._model.set_video_errors(None)
        self._playing_changed(self._model.playing)
        if (
            self._model.what_if.variant(path).made is None
        ):  # a variant that was made here goes with the window
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
