"""What is really in the frame that is shown: asked of the labels on a thread of its own; no Qt."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from trtviewer.compare.frame_comparison import FrameComparison
from trtviewer.compare.true_objects import Labels
from trtviewer.compare.truth_files import labels_of
from trtviewer.compare.truth_totals import frame_truth
from trtviewer.errors import TrtviewerError
from trtviewer.gui.engine.room import open_any_source
from trtviewer.gui.state import ShownTruth
from trtviewer.pipeline.handover import Closed, Latest
from trtviewer.pipeline.worker import Worker

NO_TRUTH = "none"
"""Published where the source knows no truth."""


class TruthFinder:
    """Answers the newest comparison only.

    Args:
        address: the source's.
        labels: a COCO file or a folder of YOLO labels; None for what the source itself knows.
        classes: the models' names.
        publish: gets what the truth says of a frame; `NO_TRUTH` where the source knows none.
        failed: gets why the labels cannot be used; nothing is published after it.
    """

    def __init__(
        self,
        address: str,
        labels: str | None,
        classes: Sequence[str],
        publish: Callable[[ShownTruth | str], None],
        failed: Callable[[TrtviewerError], None],
    ) -> None:
        self._address = address
        self._labels = labels
        self._classes = classes
        self._publish = publish
        self._failed = failed
        self._wanted: Latest[FrameComparison] = Latest()
        self._worker = Worker("truth", self._run).start()

    def request(self, comparison: FrameComparison) -> None:
        self._wanted.put(comparison)

    def close(self) -> None:
        self._worker.cancel()
        self._wanted.close()
        self._worker.join()

    def _run(self, cancelled: threading.Event) -> None:
        try:
            labels = self._open()
            if labels is None:
                self._publish(NO_TRUTH)
                return
            with labels:
                while not cancelled.is_set():
                    comparison = self._wanted.wait()
                    truth = frame_truth(comparison, labels.objects(comparison.frame), labels.classes)
                    self._publish(ShownTruth(comparison.frame.index, comparison.settings, truth))
        except Closed:
            return
        except TrtviewerError as error:
            self._failed(error)

    def _open(self) -> Labels | None:
        with open_any_source(self._address) as source:
            return labels_of(self._labels, source, self._classes)
