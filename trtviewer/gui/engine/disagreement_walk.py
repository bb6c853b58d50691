"""From one disagreement to the next: both panes go to the object; where none is known ahead, the video is analysed until one is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QObject, QTimer

from trtviewer.compare.matched_video import DisagreementTable
from trtviewer.compare.totals import SIZES
from trtviewer.gui.panes.choosing import selection_of_row
from trtviewer.gui.state import Display, Selection
from trtviewer.gui.view_model import Requests, ViewModel

SETTLE_MS = 500
"""After an analysis the figures of its last frames are still on their way for so long."""


class DisagreementWalk(QObject):
    """Remembers where it went last, and whether it still looks for the next one."""

    def __init__(self, view_model: ViewModel, requests: Requests, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._model = view_model
        self._requests = requests
        self._last: Selection | None = None
        self._looking_from: int | None = None
        self._analysing = self._began = False
        self._settled = QTimer(self, interval=SETTLE_MS, singleShot=True)
        self._settled.timeout.connect(self._give_up)
        view_model.matched_video_changed.connect(self._more_is_known)
        view_model.analysed_changed.connect(self._all_is_known)
        view_model.progress_changed.connect(self._analysis_moved)

    def go(self, *, forwards: bool) -> None:
        """Goes to the next or previous missed or extra object that passes the filters."""
        self._looking_from = None
        self._settled.stop()
        if self._went(forwards=forwards):
            return
        done, total = self._model.analysed
        if forwards and total is not None and done < total and self._model.comparison is not None:
            self._model.set_playing(replace(self._model.playing, playing=False))
            self._looking_from = self._model.position.frame_index
            self._began = not self._is_analysing()
            self._model.set_status("Looking for the next disagreement …")
            self._requests.look_ahead.emit()
            return
        self._model.set_status(f"No disagreement {'after' if forwards else 'before'} this one.")

    def _went(self, *, forwards: bool) -> bool:
        video, model = self._model.matched_video, self._model
        if video is None:
            return False
        row = neighbour(
            video.disagreements, model.display, model.position.frame_index, self._here(), forwards=forwards
        )
        if row is None:
            return False
        model.set_playing(replace(model.playing, playing=False))
        self._last = selection_of_row(video.disagreements, row, model.models.class_names, model.comparison)
        self._requests.select.emit(self._last)
        return True

    def _here(self) -> Selection | None:
        """The object that the walk stands on: the chosen one, or where it went last, if that is on this frame."""
        for one in (self._model.selection, self._last):
            if one is not None and one.frame_index == self._model.position.frame_index:
                return one
        return None

    def _more_is_known(self, video: object) -> None:
        if self._looking_from is None:
            return
        if self._model.playing.playing or self._model.position.frame_index != self._looking_from:
            self._looking_from = None  # the user went elsewhere
        elif self._went(forwards=True):
            self._looking_from = None
            if self._began:
                # It is in the way of what is looked at now.
                self._requests.look_no_further.emit()

    def _all_is_known(self, analysed: tuple[int, int | None]) -> None:
        if self._looking_from is not None and analysed[0] == analysed[1]:
            self._give_up()

    def _analysis_moved(self, progress: object) -> None:
        """An analysis that the user ended ends the search."""
        running = self._is_analysing()
        if self._analysing and not running and self._looking_from is not None:
            self._settled.start()
        self._analysing = running

    def _give_up(self) -> None:
        if self._looking_from is not None:
            self._looking_from = None
            done, total = self._model.analysed
            rest = "" if done == total else ": the video is not analysed to its end"
            self._model.set_status(f"No disagreement after this one{rest}.")

    def _is_analysing(self) -> bool:
        return any(one.task == "analysis" for one in self._model.progress)


def neighbour(
    table: DisagreementTable, display: Display, frame_index: int, here: Selection | None, *, forwards: bool
) -> int | None:
    """The row to go to; within a frame what is missed comes first, and the larger before the smaller.

    Args:
        frame_index: the frame that is shown.
        here: the object to go on from; None: begin with the frame's first, or go back to the frame before.
    """
    shown = np.ones(len(table), np.bool_)
    if display.classes is not None:
        shown &= np.isin(table.class_id, list(display.classes))
    shown &= np.isin(table.size, [index for index, size in enumerate(SIZES) if size in display.sizes])
    own = _ordered(table, np.flatnonzero(shown & (table.frame_index == frame_index)))
    place = next((k for k, row in enumerate(own) if here is not None and _is(table, row, here)), None)
    if place is not None and 0 <= place + (1 if forwards else -1) < len(own):
        return own[place + (1 if forwards else -1)]
    if place is None and forwards and own:
        return own[0]
    beyond = shown & ((table.frame_index > frame_index) if forwards else (table.frame_index < frame_index))
    frames = table.frame_index[beyond]
    if not len(frames):
        return None
    nearest = frames.min() if forwards else frames.max()
    return _ordered(table, np.flatnonzero(shown & (table.frame_index == nearest)))[0 if forwards else -1]


def _ordered(table: DisagreementTable, rows: np.ndarray) -> list[int]:
    size = table.xyxy[rows, 2:] - table.xyxy[rows, :2]
    order: list[int] = rows[np.lexsort((-size.prod(axis=1), table.kind[rows]))].tolist()
    return order


def _is(table: DisagreementTable, row: int, selection: Selection) -> bool:
    return bool(np.allclose(table.xyxy[row], selection.xyxy, atol=1e-3))
