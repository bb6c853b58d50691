"""Calibration: what the frames now playing do to the candidate's ranges, in words, with the frames that would help most."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHeaderView,
    QLabel,
    QPushButton,
    QStackedWidget,
    QTableView,
    QWidget,
)

from trtviewer.gui.docks.clip_map import ClipMapper, ClipRequest
from trtviewer.gui.docks.coach_rows import (
    CAUSE_HEADINGS,
    TENSOR_HEADINGS,
    cause_rows,
    sentence,
    tensor_rows,
)
from trtviewer.gui.docks.figures import panel, tabular
from trtviewer.gui.docks.frame_choice import FrameChoice
from trtviewer.gui.docks.newest import Newest, Pace
from trtviewer.gui.docks.parts import Part as Parts
from trtviewer.gui.docks.parts import (
    button,
    empty_label,
    fade,
    lay_out_beside,
    row,
    sentence_label,
    toggle,
    warn,
)
from trtviewer.gui.docks.readiness import Readiness
from trtviewer.gui.docks.row_model import RowModel
from trtviewer.gui.docks.tables import prepared, sheet
from trtviewer.gui.docks.work_button import WorkButton
from trtviewer.gui.theme import Theme
from trtviewer.gui.view_model import Overlay, Problem, Requests, ViewModel
from trtviewer.gui.what_if.recipe import Part
from trtviewer.gui.what_if.state import CheckPreprocessing, Coach, CoachFinding

FRAMES = 16
PREPROCESSING_FRAMES = 4
_CAUSES, _TENSORS, _EMPTY = range(3)


def make(view_model: ViewModel, requests: Requests) -> CalibrationDock:
    return CalibrationDock(view_model, requests)


class CalibrationDock(QWidget):
    """The coach's sentence, its evidence as a table, and what to do about it."""

    def __init__(self, view_model: ViewModel, requests: Requests, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("calibration")
        panel(self)
        self._view_model = view_model
        self._state = view_model.what_if
        self._requests = requests
        self._overlay: Overlay | None = None
        self.causes = RowModel(CAUSE_HEADINGS, len(CAUSE_HEADINGS), self)
        self.tensors = RowModel(TENSOR_HEADINGS, 1, self)
        self._mapper = Newest("clip map", ClipMapper(), self)
        self._mapper.answered.connect(self._lay_over)
        self._mapper.failed.connect(self._map_failed)
        self._pace = Pace(self)
        self._pace.due.connect(self._ask_map)
        self._build()
        self._state.coach_changed.connect(self._show_coach)
        for signal in (
            self._state.preprocessing_changed,
            self._state.extra_changed,
            self._state.running_changed,
            view_model.models_changed,
            view_model.source_changed,
        ):
            signal.connect(self._say)
        view_model.comparison_changed.connect(self._pace.want)
        view_model.theme_changed.connect(self._theme_changed)
        self._theme_changed(view_model.theme)
        self._show_coach(self._state.coach)

    def close_dock(self) -> None:
        """Stops the dock's thread."""
        self._pace.stop()
        self._mapper.close()

    # ---- making

    def _build(self) -> None:
        self.words = sentence_label("calibration.words", wrap=True)
        self.fit = sentence_label("calibration.preprocessing_words", wrap=True)
        self.paint = toggle(
            "calibration.paint",
            "Paint clipping",
            "Lays over the candidate's picture where the chosen tensor is clipped, while it plays.",
            self._paint_changed,
        )
        self.which = toggle(
            "calibration.tensors",
            "Ranges",
            "The range of every quantized tensor; else the causes that the structure shows.",
            self._say,
        )
        head = row((self.words, self.paint, self.which), wide=self.words)
        pages = self._build_pages()
        lay_out_beside(self, (head, self.fit, pages), pages, self._build_side())

    def _build_pages(self) -> QStackedWidget:
        self.cause_view = prepared(QTableView(), "calibration.causes", self.causes, 3)
        self.tensor_view = prepared(QTableView(), "calibration.ranges", self.tensors, 0)
        for view in (self.cause_view, self.tensor_view):
            view.doubleClicked.connect(self._tick)
        digit = self.fontMetrics().horizontalAdvance("0")
        self.cause_view.setColumnWidth(0, 20 * digit)
        self.cause_view.setColumnWidth(1, 14 * digit)
        # Evidence and cure are sentences: they are read, not scanned.
        self.cause_view.setWordWrap(True)
        self.cause_view.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.cause_view.horizontalHeader().setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        for place in range(1, len(TENSOR_HEADINGS)):
            self.tensor_view.setColumnWidth(place, 9 * digit + 8)
        self.tensor_view.selectionModel().currentRowChanged.connect(lambda *_: self._pace.want())
        self.empty = empty_label("calibration.empty")
        self.pages = QStackedWidget()
        for widget in (self.cause_view, self.tensor_view, self.empty):
            self.pages.addWidget(widget)
        return self.pages

    def _build_side(self) -> tuple[Parts, ...]:
        self.look = WorkButton(
            "calibration.look",
            "Look at the ranges",
            "Holds the candidate's ranges against what the reference has on these frames.",
            self._state,
            self._requests,
        )
        self.look.wanted.connect(self._look)
        self.frames = FrameChoice(self._view_model, "calibration", FRAMES)
        self.go = QComboBox()
        self.go.setObjectName("calibration.go")
        self.go.setAccessibleName("Go to a frame that would help")
        self.go.setToolTip(
            "The frames that would widen the ranges most, the best first; choosing one goes there."
        )
        self.go.activated.connect(self._go)
        self.add = button(
            QPushButton(),
            "calibration.add",
            "Add",
            "Adds these frames to the calibration set of the next variant (Apply, in Layers).",
            self._add,
        )
        self.added = QLabel()
        self.added.setObjectName("calibration.added")
        tabular(self.added)
        self.clear = button(
            QPushButton(),
            "calibration.clear",
            "Clear",
            "Takes the added frames out of the calibration set.",
            lambda: self._state.set_extra(()),
        )
        self.check = button(
            QPushButton(),
            "calibration.check",
            "Check the preprocessing",
            "Tries the usual mistakes (0..1 or 0..255, RGB or BGR, letterbox or stretch, mean and std) on a few frames: "
            "fed as it was trained, a model finds the same in a picture and in its mirror image.",
            self._check,
        )
        suggested = row((self.go, self.add), wide=self.go)
        extra = row((self.added, self.clear), wide=self.added)
        return self.look, self.frames, suggested, extra, self.check

    # ---- what is shown

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._say()
        self._pace.want()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._take_away()

    def _show_coach(self, found: CoachFinding | None) -> None:
        self.causes.show([] if found is None else cause_rows(found))
        self.tensors.show([] if found is None else tensor_rows(found))
        if found is None:
            self.paint.setChecked(False)
            self._take_away()
        else:
            self.which.setChecked(not found.causes)
            if self.tensors.rows:
                self.tensor_view.selectRow(0)
        self.go.clear()
        for index in () if found is None else found.report.suggested:
            self.go.addItem(f"frame {index}", index)
        self._say()

    def _say(self, *_: object) -> None:
        state, ready = self._state, Readiness.of(self._view_model)
        found, running = state.coach, state.running
        self.look.show_state(ready=ready.all)
        self.check.setEnabled(ready.reference and ready.frames and not running)
        self.which.setVisible(found is not None)
        self.paint.setVisible(found is not None)
        self.go.setVisible(self.go.count() > 0)
        self.add.setVisible(self.go.count() > 0)
        count = self.go.count()
        self.add.setText(f"Add {count}" if count > 1 else "Add")
        self.add.setEnabled(found is not None and self._suggested(found) not in state.extra)
        added = sum(len(part.frames) for part in state.extra)
        self.added.setText(f"{added} frames added")
        self.added.setVisible(added > 0)
        self.clear.setVisible(added > 0)
        self.words.setText("" if found is None else self._sentence(found))
        self.words.setVisible(found is not None)
        report = state.preprocessing
        self.fit.setVisible(report is not None)
        self.fit.setText("" if report is None else _capital(report.words()))
        if report is not None:
            warn(self.fit, bad=report.likely is not None)
            self.fit.setToolTip(
                "\n".join(
                    f"{one.change or 'as it is set now'}: agrees with itself by {one.self_agreement:.2f} a frame, "
                    f"{one.found:.1f} objects"
                    for one in report.tried
                )
            )
        self._say_table(found, ready=ready.all, running=running)

    def _say_table(self, found: CoachFinding | None, *, ready: bool, running: str) -> None:
        if found is not None and (self.which.isChecked() or self.causes.rows):
            self.pages.setCurrentIndex(_TENSORS if self.which.isChecked() else _CAUSES)
            return
        self.pages.setCurrentIndex(_EMPTY)
        if found is not None:
            self.empty.setText(
                "The structure shows no cause: no unlike Concat, outlier or dead channel, no saturated start."
            )
        elif running:
            self.empty.setText(f"{running} …")
        elif not ready:
            self.empty.setText(
                "Open a reference, an INT8 candidate made of it, and a video to hold its ranges against."
            )
        else:
            self.empty.setText(
                "Does the calibration fit these frames? The coach says which ranges are exceeded, and why."
            )

    def _sentence(self, found: CoachFinding) -> str:
        candidate = self._view_model.models.candidate
        if candidate is not None and candidate.path != found.candidate:
            return f"Of {found.candidate.name}, not of what is shown: {sentence(found)}"
        return sentence(found)

    def _theme_changed(self, theme: Theme) -> None:
        for model in (self.causes, self.tensors):
            model.set_theme(theme)
        for view in (self.cause_view, self.tensor_view):
            view.setStyleSheet(sheet(theme))
        fade(theme, self.empty, self.added)

    # ---- what is asked for

    def _look(self) -> None:
        part = self.frames.part()
        if part is not None:
            self._requests.what_if.emit(Coach(part))

    def _check(self) -> None:
        part = self.frames.part()
        if part is not None:
            step = max(1, len(part.frames) // PREPROCESSING_FRAMES)
            few = Part(part.source, part.frames[::step][:PREPROCESSING_FRAMES])
            self._requests.what_if.emit(CheckPreprocessing(few))

    def _go(self, place: int) -> None:
        self._requests.seek.emit(self.go.itemData(place))

    @staticmethod
    def _suggested(found: CoachFinding) -> Part:
        return Part(found.frames.source, tuple(sorted(found.report.suggested)))

    def _add(self) -> None:
        found = self._state.coach
        if found is not None:
            self._state.set_extra((*self._state.extra, self._suggested(found)))
            self._view_model.set_status("Added; Apply, in Layers, calibrates with them.")

    def _tick(self, index: QModelIndex) -> None:
        """A double click ticks the layers of the row, for the next variant."""
        model = index.model()
        if isinstance(model, RowModel) and model.rows[index.row()].layers:
            layers = frozenset(model.rows[index.row()].layers)
            self._state.set_ticks(self._state.ticks | layers)
            self._view_model.set_status(f"Ticked in Layers: {', '.join(sorted(layers))}.")

    # ---- where it clips

    def _paint_changed(self, on: bool) -> None:
        if on:
            self.which.setChecked(True)
            self._say()
            self._pace.want()
        else:
            self._take_away()

    def _take_away(self) -> None:
        if self._overlay is not None and self._view_model.overlay is self._overlay:
            self._view_model.set_overlay(None)
        self._overlay = None

    def _ask_map(self) -> None:
        found, comparison = self._state.coach, self._view_model.comparison
        row = self.tensor_view.currentIndex().row()
        if not self.isVisible() or not self.paint.isChecked() or found is None or comparison is None:
            return
        if not 0 <= row < len(self.tensors.rows):
            return
        colour = self._view_model.theme.color("missed")
        self._mapper.ask(
            ClipRequest(
                found.twin,
                comparison.frame,
                comparison.placement,
                self.tensors.rows[row].tensor,
                (colour.red(), colour.green(), colour.blue()),
                self._view_model.display.overlay_opacity,
            )
        )

    def _lay_over(self, overlay: Overlay) -> None:
        if self.isVisible() and self.paint.isChecked():
            self._overlay = overlay
            self._view_model.set_overlay(overlay)

    def _map_failed(self, error: Exception) -> None:
        self.paint.setChecked(False)
        self._take_away()
        what = str(error) if isinstance(error, ValueError) else "the clipping could not be painted"
        self._view_model.add_problem(Problem(what, place="calibration", details=repr(error)))


def _capital(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."
