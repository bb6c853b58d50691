"""The commands of the File menu that make a file in the background: report, evidence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog

from trtviewer.gui.export_report import ReportRequest, write_reports
from trtviewer.gui.file_work import FileWork, Tell
from trtviewer.gui.view_model import ViewModel

if TYPE_CHECKING:
    from trtviewer.gui.engine import Engine

WHOLE_RUNS = ("file.export_video", "file.export_report", "file.save_evidence")
"""The commands that run both models over the source once more."""


class FileMakers:
    """A part of the main window, which has all of these attributes."""

    view_model: ViewModel
    engine: Engine
    report_work: FileWork

    def export_report(self) -> None:
        """Asks where to, and writes the page in the background."""
        path, _ = QFileDialog.getSaveFileName(self, "Export report", "report.html", "Pages (*.html)")
        if path:
            self._write_report(_named(path, ".html"), bundle=False)

    def save_evidence(self) -> None:
        """Asks where to, and writes the evidence in the background."""
        path, _ = QFileDialog.getSaveFileName(self, "Save evidence", "evidence.zip", "Evidence (*.zip)")
        if path:
            self._write_report(_named(path, ".zip"), bundle=True)

    def can_run_whole(self) -> bool:
        """A camera's past cannot be read again, and a model that is still opening has no outputs to decode."""
        models, source = self.view_model.models, self.view_model.source
        ready = all(one is not None and one.spec for one in (models.reference, models.candidate))
        return ready and source is not None and source.length is not None

    def _write_report(self, path: Path, *, bundle: bool) -> None:
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
            self.engine.labels,
        )

        def work(tell: Tell, cancelled: Callable[[], bool]) -> str:
            count = write_reports(request, lambda done, total: tell("", done, total), cancelled)
            return f"Saved {path.name}, of {count:,} frames."

        self.report_work.start(f"Writing {path.name}", work)


def _named(text: str, suffix: str) -> Path:
    """The file that was chosen; one of another ending keeps it and gets the right one too."""
    path = Path(text)
    return path if path.suffix.lower() == suffix else path.with_name(path.name + suffix)
