"""An export that runs in the background: one thread, its progress with a cancel, and its end in the window's own places."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from trtviewer.errors import Cancelled
from trtviewer.gui.border import Border, QueueBorder
from trtviewer.gui.engine_room import Pace
from trtviewer.gui.export_video import VideoRequest, write_video
from trtviewer.gui.problems import problem_of
from trtviewer.gui.view_model import Progress, ViewModel
from trtviewer.pipeline.worker import Worker

TASK = "export"


@dataclass(frozen=True, slots=True)
class _Done:
    count: int


class VideoExport(QObject):
    """Writes one video at a time.

    Signals:
        finished(): the export has ended, well or not; its thread is joined.
    """

    finished = Signal()

    def __init__(self, view_model: ViewModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view_model = view_model
        self._worker: Worker | None = None
        self._request: VideoRequest | None = None
        self._steps = Border(self)
        self._steps.arrived.connect(self._show_progress)
        self._ends = QueueBorder(self)
        self._ends.arrived.connect(self._end)
        self._pace = Pace()

    @property
    def running(self) -> bool:
        return self._worker is not None

    def start(self, request: VideoRequest) -> None:
        """Begins; a second one while one is running is refused with a sentence."""
        if self.running:
            self._view_model.set_status("One video is being exported already; wait for it, or cancel it.")
            return
        self._view_model.clear_problems(TASK)
        self._request, self._pace = request, Pace()
        self._show_progress((0, None))

        def work(cancelled: threading.Event) -> None:
            try:
                count = write_video(
                    request, lambda done, total: self._steps.publish((done, total)), cancelled.is_set
                )
            except Exception as error:
                self._ends.publish(error)
            else:
                self._ends.publish(_Done(count))

        self._worker = Worker("export video", work).start()

    def cancel(self) -> None:
        """Stops after the frame under way; nothing is left behind."""
        if self._worker is not None:
            self._worker.cancel()

    def close(self) -> None:
        """Cancels what runs and waits for it; may be called twice."""
        self.cancel()
        self._steps.close()
        self._ends.close()
        if self._worker is not None:
            self._worker.join()
            self._worker = None

    def _show_progress(self, step: tuple[int, int | None]) -> None:
        if not self.running and step[0]:
            return
        done, total = step
        name = self._request.path.name if self._request is not None else ""
        self._view_model.set_progress(
            Progress(
                TASK,
                f"Exporting {name}",
                done,
                total,
                self._pace.left_s(done / total) if total else None,
                self.cancel,
            )
        )

    def _end(self, result: object) -> None:
        assert self._worker is not None
        assert self._request is not None
        self._worker.join()
        self._worker = None
        self._view_model.end_progress(TASK)
        request = self._request
        if isinstance(result, _Done):
            self._view_model.set_status(f"Saved {request.path.name}, {result.count:,} frames.")
        elif isinstance(result, Cancelled):
            self._view_model.set_status("The export was cancelled; nothing was written.")
        elif isinstance(result, Exception):
            self._view_model.add_problem(problem_of(result, "window", lambda: self.start(request)))
        self.finished.emit()
