"""The commands of the File menu that make a file in the background: video, report, evidence, engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction

from trtviewer.build.request import BuildProgress, BuildRequest, Runtime
from trtviewer.gui.builders import TITLES, builders, built_words, cannot_run, missing, phase_words
from trtviewer.gui.files.report import ReportRequest, write_reports
from trtviewer.gui.files.work import FileWork, Tell, Work
from trtviewer.gui.problems import finished
from trtviewer.gui.view_model import Problem, ViewModel
from trtviewer.gui.what_if.unsaved import Unsaved
from trtviewer.models.spec import ModelSpec
from trtviewer.sources.source import FrameRange

if TYPE_CHECKING:
    from trtviewer.gui.dialogs.build_engine import EngineRequest
    from trtviewer.gui.engine.engine import Engine
    from trtviewer.gui.files.video import VideoRequest

WHOLE_RUNS = ("file.export_video", "file.export_report", "file.save_evidence")
"""The commands that run both models over the source once more."""


class FileMakers:
    """A part of the main window, which has all of these attributes."""

    view_model: ViewModel
    engine: Engine
    video_work: FileWork
    report_work: FileWork
    build_work: FileWork
    actions_by_id: dict[str, QAction]
    unsaved: Unsaved

    def close_candidate(self) -> None:
        """Takes the shown candidate out of the list; one that was made here and not saved only once the user has said so."""
        candidate, close = self.view_model.models.candidate, self.engine.close_candidate
        if candidate is not None and not self.unsaved.hold([candidate.path], close):
            close()

    def _let_go(self) -> bool:
        """Whether the window may close now; else it asks, and closes after the answer."""
        return not self.unsaved.hold(self.view_model.what_if.variants, self.close)

    def export_video(self) -> None:
        """Asks what of the video to write, and writes it in the background."""
        from trtviewer.gui.dialogs.export import ExportDialog

        dialog = ExportDialog(self.view_model, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self._write_video(dialog.request()))
        dialog.open()

    def _write_video(self, request: VideoRequest) -> None:
        self.video_work.start(f"Exporting {request.path.name}", video_work(request))

    def export_report(self) -> None:
        """Asks of which frames and where to, and writes the page in the background."""
        self._ask_report(bundle=False)

    def save_evidence(self) -> None:
        """Asks of which frames and where to, and writes the evidence in the background."""
        self._ask_report(bundle=True)

    def can_run_whole(self) -> bool:
        """A camera's past cannot be read again, and a model that is still opening has no outputs to decode."""
        models, source = self.view_model.models, self.view_model.source
        ready = all(one is not None and one.spec for one in (models.reference, models.candidate))
        return ready and source is not None and source.length is not None

    def _ask_report(self, *, bundle: bool) -> None:
        from trtviewer.gui.dialogs.report import ReportDialog

        dialog = ReportDialog(self.view_model, bundle=bundle, parent=self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self._write_report(dialog.file, dialog.frames, bundle=bundle))
        dialog.open()

    def _write_report(self, path: Path, frames: FrameRange, *, bundle: bool) -> None:
        model = self.view_model
        reference, candidate, source = model.models.reference, model.models.candidate, model.source
        if reference is None or candidate is None or source is None:
            return  # closed while the dialog was open
        if reference.spec is None or candidate.spec is None:
            return
        request = ReportRequest(
            None if bundle else path,
            path if bundle else None,
            source.address,
            (reference.spec, candidate.spec),
            model.settings,
            frames,
            self.engine.labels,
        )

        def work(tell: Tell, cancelled: Callable[[], bool]) -> str:
            count = write_reports(request, lambda done, total: tell("", done, total), cancelled)
            return f"Saved {path.name}, of {count:,} frame{'s' if count != 1 else ''}."

        self.report_work.start(f"Writing {path.name}", work)

    def build_engine(self) -> None:
        """Asks of which model and where to, and builds it in the background."""
        from trtviewer.gui.dialogs.build_engine import BuildEngineDialog

        models, runtimes = self._onnx_models(), builders()
        if not models or not runtimes:
            return
        dialog = BuildEngineDialog(models, runtimes, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self._build(dialog.request()))
        dialog.open()

    def show_can_build(self, *_: object) -> None:
        """Lets the command be given where a builder and an ONNX model are there; else its tip says what is missing."""
        action = self.actions_by_id["file.build_engine"]
        if not builders():
            reason = missing()
        elif not self._onnx_models():
            reason = "Open an ONNX model first: engines are built of those"
        else:
            reason = ""
        action.setEnabled(not reason)
        action.setToolTip(reason or action.data())

    def _onnx_models(self) -> list[ModelSpec]:
        models = self.view_model.models
        specs = [one.spec for one in (models.reference, models.candidate) if one is not None and one.spec]
        return [spec for spec in specs if spec.path.suffix.lower() == ".onnx"]

    def _build(self, request: EngineRequest) -> None:
        if request.runtime is Runtime.TENSORRT:
            # It chooses kernels by their time: what plays beside it would be measured too.
            self.view_model.set_playing(replace(self.view_model.playing, playing=False))

        def work(tell: Tell, cancelled: Callable[[], bool]) -> Problem:
            from trtviewer.build.engine import build_engine

            def told(progress: BuildProgress) -> None:
                tell(phase_words(progress.phase), round(100 * progress.share), 100)

            asked = BuildRequest(request.spec.path, request.runtime)
            words = built_words(build_engine(request.spec, request.path, asked, told, cancelled))
            if trouble := cannot_run():
                return finished(words, "build", None, trouble)
            return finished(words, "build", lambda: self.engine.add_candidate(request.path))

        self.build_work.start(f"Building {request.path.name} with {TITLES[request.runtime]}", work)


def video_work(request: VideoRequest) -> Work:
    """Writes the video, for a `FileWork`."""

    def work(tell: Tell, cancelled: Callable[[], bool]) -> str:
        from trtviewer.gui.files.video import write_video

        count = write_video(request, lambda done, total: tell("", done, total), cancelled)
        return f"Saved {request.path.name}, {count:,} frames."

    return work
