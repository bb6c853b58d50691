"""Disagreements: every missed and extra detection of the analysed video as a table, with the reasons' shares above it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt
from PySide6.QtGui import QGuiApplication, QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from trtviewer.compare.matched_video import DisagreementTable, MatchedVideo
from trtviewer.compare.settings import CompareSettings
from trtviewer.gui.docks.disagreement_filters import DisagreementFilters
from trtviewer.gui.docks.disagreement_model import DisagreementModel
from trtviewer.gui.docks.disagreement_rows import csv_of
from trtviewer.gui.docks.disagreement_view import DisagreementView
from trtviewer.gui.docks.figures import panel, tabular
from trtviewer.gui.docks.newest import Newest, Pace
from trtviewer.gui.docks.reason_bar import ReasonBar, Segment
from trtviewer.gui.panes.choosing import selection_of_row
from trtviewer.gui.problems import problem_of
from trtviewer.gui.theme import Theme
from trtviewer.gui.view_model import Requests, Selection, ViewModel


@dataclass(frozen=True, eq=False, slots=True)
class _CopyRequest:
    table: DisagreementTable
    rows: NDArray[np.intp]
    class_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Copied:
    count: int
    text: str


def make(view_model: ViewModel, requests: Requests) -> DisagreementsDock:
    return DisagreementsDock(view_model, requests)


REFRESH_MS = 250
"""How often rows are taken over while frames are analysed: a table is read, and painting it takes longer than anything else."""


class DisagreementsDock(QWidget):
    """The bar of reasons, the filters, the table, and what it says of itself."""

    def __init__(self, view_model: ViewModel, requests: Requests, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("disagreements")
        panel(self)
        self._view_model = view_model
        self._requests = requests
        self._shown: MatchedVideo | None = None
        self._class_names: tuple[str, ...] = ()
        self._following = False
        self._moved = False
        self._copier = Newest("copy disagreements", _copy, self)
        self._copier.answered.connect(self._copied)
        self._copier.failed.connect(self._copy_failed)
        self._pace = Pace(self, interval_ms=REFRESH_MS)
        self._pace.due.connect(self._refresh)
        self.model = DisagreementModel(self)
        self._build()
        view_model.matched_video_changed.connect(self._pace.want)
        view_model.models_changed.connect(self._pace.want)
        view_model.source_changed.connect(self._pace.want)
        view_model.settings_changed.connect(self._say_settings)
        view_model.display_changed.connect(self._filter_changed)
        view_model.selection_changed.connect(self._follow)
        view_model.theme_changed.connect(self._theme_changed)
        self._theme_changed(view_model.theme)
        self._refresh()

    def close_dock(self) -> None:
        """Stops the dock's thread."""
        self._pace.stop()
        self._copier.close()

    # ---- making

    def _build(self) -> None:
        self.bar = ReasonBar()
        self.bar.toggled.connect(self._toggle)
        self.filters = DisagreementFilters()
        self.filters.changed.connect(self._filter_changed)
        self.copy = QPushButton("Copy")
        self.copy.setObjectName("disagreements.copy")
        self.copy.setToolTip("Copies the selected rows, or all that are shown, as CSV (Ctrl+C).")
        self.count = QLabel()
        self.count.setObjectName("disagreements.count")
        self.count.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        tabular(self.count)
        self.notice = QLabel()
        self.notice.setObjectName("disagreements.notice")
        self.notice.setVisible(False)

        self.view = DisagreementView(self.model)
        self.view.selectionModel().currentRowChanged.connect(self._current_changed)
        self.view.press_began.connect(self._press_began)
        self.view.clicked.connect(self._clicked)
        self.view.activated.connect(self._choose)

        self.empty = QLabel()
        self.empty.setObjectName("disagreements.empty")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        self.analyse = QPushButton("Analyse the whole video")
        self.analyse.setObjectName("disagreements.analyse")
        self.analyse.clicked.connect(self._requests.analyse)
        nothing = QWidget()
        column = QVBoxLayout(nothing)
        column.addStretch(1)
        column.addWidget(self.empty)
        column.addWidget(self.analyse, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.view)
        self.stack.addWidget(nothing)

        line = QHBoxLayout()
        line.setSpacing(4)
        line.addWidget(self.filters, 1)
        line.addWidget(self.count)
        line.addWidget(self.copy)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(8, 6, 8, 0)
        whole.setSpacing(4)
        whole.addWidget(self.bar)
        whole.addLayout(line)
        whole.addWidget(self.notice)
        whole.addWidget(self.stack, 1)
        self.copy.clicked.connect(self.copy_csv)
        self.view.copy_wanted.connect(self.copy_csv)

    # ---- what is shown

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._refresh()

    def _refresh(self) -> None:
        """Takes over the newest snapshot; the chosen row and the scroll stay where they are."""
        if not self.isVisible() and self._shown is not None:
            return
        video, names = self._view_model.matched_video, self._view_model.models.class_names
        if video is self._shown and names == self._class_names and video is not None:
            return
        old, chosen = self._shown, self._table_row()
        self._shown, self._class_names = video, names
        scroll = self.view.verticalScrollBar().value()
        # What was chosen elsewhere may have been too new for the table.
        selection = self._view_model.selection
        kept = None if selection is None else (selection.frame_index, selection.xyxy)
        if old is not None and chosen >= 0:
            table = old.disagreements
            kept = (
                int(table.frame_index[chosen]),
                tuple(table.xyxy[chosen].tolist()),
                int(table.kind[chosen]),
            )
        self._following = True
        if video is None:
            self.model.show(None, names)
        else:
            self.filters.offer_classes(video.disagreements, names)
            self.model.show(video.disagreements, names)
        if kept is not None:
            self._put_cursor(self.model.find(*kept), scroll=False)
        self._following = False
        self.view.verticalScrollBar().setValue(scroll)
        totals = None if video is None else video.totals
        self.bar.show_counts(
            {} if totals is None else totals.missed_reasons, {} if totals is None else totals.extra_reasons
        )
        self._say_counts()
        self._say_settings(self._view_model.settings)

    def _say_counts(self) -> None:
        video = self._shown
        total = 0 if video is None else len(video.disagreements)
        shown = len(self.model.rows)
        self.count.setText(f"{total:,}" if shown == total else f"{shown:,} of {total:,}")
        self.copy.setEnabled(shown > 0)
        self.bar.setVisible(total > 0)
        frames = 0 if video is None else len(video.frame_index)
        can = self._can_be_analysed()
        self.analyse.setVisible(frames == 0 and can)
        if shown:
            self.stack.setCurrentIndex(0)
            return
        if video is None or frames == 0:
            needs = "" if can else " It takes a reference, a candidate and a video."
            text = (
                f"Nothing has been analysed yet. Every missed and extra detection will be listed here.{needs}"
            )
        elif total:
            text = f"None of the {total:,} disagreements passes the filters."
        else:
            noun = "frame" if frames == 1 else "frames"
            text = f"The two models agree on every detection of the {frames:,} {noun} analysed so far."
        self.empty.setText(text)
        self.stack.setCurrentIndex(1)

    def _can_be_analysed(self) -> bool:
        models, source = self._view_model.models, self._view_model.source
        both = models.reference is not None and models.candidate is not None
        return both and source is not None and source.length is not None

    def _say_settings(self, settings: CompareSettings) -> None:
        """Says which settings the table belongs to, while they are not those of the sliders."""
        video = self._shown
        old = video is not None and _matching_of(video.settings) != _matching_of(settings)
        if old and video is not None:
            self.notice.setText(
                f"Still matched at {_words(video.settings)}: matching anew at {_words(settings)} …"
            )
        self.notice.setVisible(old)

    def _theme_changed(self, theme: Theme) -> None:
        self.bar.set_theme(theme)
        self.model.set_theme(theme)
        self.notice.setStyleSheet(f"color: {theme.warning};")
        self.count.setStyleSheet(f"color: {theme.faint};")
        self.empty.setStyleSheet(f"color: {theme.faint};")

    # ---- filters

    def _toggle(self, segment: Segment) -> None:
        self.filters.toggle(segment.kind, int(segment.reason))

    def _filter_changed(self) -> None:
        chosen = self.filters.chosen(self._view_model.display)
        self.bar.set_chosen(chosen.kind, chosen.reason)
        row = self._table_row()
        self._following = True
        self.model.set_filter(chosen)
        self._put_cursor(row, scroll=True)
        self._following = False
        self._say_counts()

    # ---- the chosen row

    def _table_row(self) -> int:
        """The table's row that the cursor stands on; -1 where on none."""
        index = self.view.currentIndex()
        return int(self.model.rows[index.row()]) if index.isValid() else -1

    def _put_cursor(self, table_row: int, *, scroll: bool) -> None:
        """Moves the cursor without going anywhere: what is shown follows something else."""
        row = self.model.row_of(table_row) if table_row >= 0 else -1
        following, self._following = self._following, True
        selection = self.view.selectionModel()
        if row < 0:
            selection.clear()
        else:
            index = self.model.index(row, 0)
            selection.setCurrentIndex(
                index,
                QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows,
            )
            if scroll:
                self.view.scrollTo(index)
        self._following = following

    def _current_changed(self, current: QModelIndex, previous: QModelIndex) -> None:
        if not self._following and current.isValid():
            self._moved = True
            self._choose(current)

    def _press_began(self) -> None:
        self._moved = False

    def _clicked(self, index: QModelIndex) -> None:
        """A click on the row that is chosen already goes there again."""
        if not self._moved:
            self._choose(index)

    def _choose(self, index: QModelIndex) -> None:
        table = self.model.table
        if table is None or not index.isValid():
            return
        row = int(self.model.rows[index.row()])
        self._requests.select.emit(
            selection_of_row(table, row, self._class_names, self._view_model.comparison)
        )

    def _follow(self, selection: Selection | None) -> None:
        """Something was chosen elsewhere: the table's cursor goes to its row."""
        if not self.isVisible():
            return
        if selection is None:
            self._put_cursor(-1, scroll=False)
        else:
            self._put_cursor(self.model.find(selection.frame_index, selection.xyxy), scroll=True)

    # ---- copying

    def copy_csv(self) -> None:
        """Copies the selected rows where there are several, else all that are shown."""
        if self.model.table is None or not len(self.model.rows):
            return
        selected = sorted(index.row() for index in self.view.selectionModel().selectedRows())
        rows = self.model.rows[selected] if len(selected) > 1 else self.model.rows
        self._copier.ask(_CopyRequest(self.model.table, rows, self._class_names))

    def _copied(self, copied: _Copied) -> None:
        QGuiApplication.clipboard().setText(copied.text)
        self._view_model.set_status(f"{copied.count:,} disagreements copied as CSV")

    def _copy_failed(self, error: Exception) -> None:
        self._view_model.add_problem(problem_of(error, "disagreements"))


def _copy(request: _CopyRequest) -> _Copied:
    return _Copied(len(request.rows), csv_of(request.table, request.rows, request.class_names))


def _matching_of(settings: CompareSettings) -> tuple[float, float, bool, float]:
    """The settings that detections are matched by; epsilon is not one of them."""
    return settings.confidence, settings.nms_iou, settings.agnostic_nms, settings.match_iou


def _words(settings: CompareSettings) -> str:
    return (
        f"confidence {settings.confidence:.2f}, NMS IoU {settings.nms_iou:.2f}, "
        f"match IoU {settings.match_iou:.2f}"
    )
