"""Variants: every candidate with how it was made and what it does on the same frames; one click or key shows it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QModelIndex
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QPushButton,
    QStackedWidget,
    QTableView,
    QToolButton,
    QWidget,
)

from trtviewer.compare.totals import class_name
from trtviewer.gui.docks.figures import panel
from trtviewer.gui.docks.frame_choice import FrameChoice
from trtviewer.gui.docks.parts import (
    button,
    empty_label,
    fade,
    lay_out,
    menu_button,
    row,
    sentence_label,
    toggle,
)
from trtviewer.gui.docks.readiness import Readiness
from trtviewer.gui.docks.tables import prepared, set_widths, sheet
from trtviewer.gui.docks.variant_model import Column, VariantModel, name_of
from trtviewer.gui.theme import Theme
from trtviewer.gui.view_model import Requests, ViewModel
from trtviewer.gui.what_if.state import (
    ApplyThresholds,
    Export,
    FindThresholds,
    Judge,
    RefitFinding,
    SaveThresholds,
)

FRAMES = 16
_WIDTHS = {
    Column.KEY: "Key ",
    Column.FLOAT: "Float ",
    Column.MACS: "100.0 %",
    Column.MISSED: "000 of 0000  (−000)",
    Column.SMALL: "Small missed ",
    Column.EXTRA: "Extra 0",
    Column.MSE: "0.000000",
}


def make(view_model: ViewModel, requests: Requests) -> VariantsDock:
    return VariantsDock(view_model, requests)


class VariantsDock(QWidget):
    """The table of candidates, and what can be done with the one that is shown."""

    def __init__(self, view_model: ViewModel, requests: Requests, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("variants")
        panel(self)
        self._view_model = view_model
        self._state = view_model.what_if
        self._requests = requests
        self._following = False
        self.model = VariantModel(self)
        self._build()
        self._state.variants_changed.connect(self._refresh)
        self._state.refit_changed.connect(self._say)
        self._state.running_changed.connect(self._say)
        view_model.settings_changed.connect(self._say)
        view_model.models_changed.connect(self._refresh)
        view_model.source_changed.connect(self._say)
        view_model.theme_changed.connect(self._theme_changed)
        self._theme_changed(view_model.theme)
        self._refresh()

    def close_dock(self) -> None:
        """It owns no thread: the window's workshop does the work."""

    # ---- making

    def _build(self) -> None:
        self.words = sentence_label("variants.words")
        self.frames = FrameChoice(self._view_model, "variants", FRAMES)
        self.judge = button(
            QPushButton(),
            "variants.judge",
            "Judge all",
            "Runs every candidate of the list on these frames, so that their figures can be compared.",
            self._judge,
        )
        head = row((self.words, self.frames, self.judge, self._build_save()), wide=self.words, spacing=8)
        self.view = prepared(QTableView(), "variants.table", self.model, Column.NAME)
        set_widths(self.view, _WIDTHS)
        self.view.selectionModel().currentRowChanged.connect(self._chosen)
        self.empty = empty_label("variants.empty")
        self.empty.setText(
            "Open a reference and a candidate: every variant of it will be listed here, with what it does."
        )
        self.pages = QStackedWidget()
        self.pages.addWidget(self.view)
        self.pages.addWidget(self.empty)
        lay_out(self, (head, self.pages, self._build_thresholds()), self.pages)

    def _build_save(self) -> QToolButton:
        self.save, menu = menu_button(
            "variants.save", "Save as…", "Writes the candidate that is shown, with its sidecar."
        )
        self.save_as = menu.addAction("As it is…")
        self.save_as.setObjectName("variants.save_as")
        self.save_as.triggered.connect(lambda: self._ask_save("float32"))
        self.save_float16 = menu.addAction("For TensorRT 11, FP16 where it is float…")
        self.save_float16.setObjectName("variants.save_float16")
        self.save_float16.triggered.connect(lambda: self._ask_save("float16"))
        return self.save

    def _build_thresholds(self) -> QHBoxLayout:
        self.fit = button(
            QPushButton(),
            "variants.fit",
            "Re-fit thresholds",
            "The free cure: a confidence of its own for each class and stride of the shown candidate, chosen on one half "
            "of its analysed frames and judged on the other.",
            lambda: self._requests.what_if.emit(FindThresholds()),
        )
        self.fit_words = sentence_label("variants.fit_words")
        self.in_force = toggle(
            "variants.in_force",
            "Use them",
            "Puts these thresholds in force in the whole window, until another candidate is shown.",
            lambda on: self._requests.what_if.emit(ApplyThresholds(on)),
        )
        self.save_table = button(
            QPushButton(),
            "variants.save_table",
            "Save table…",
            "Writes the thresholds as a CSV table.",
            self._ask_save_table,
        )
        parts = (self.fit, self.fit_words, self.in_force, self.save_table)
        return row(parts, wide=self.fit_words, spacing=8)

    # ---- what is shown

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._refresh()

    def _refresh(self, *_: object) -> None:
        if not self.isVisible() and self.model.variants:
            return
        self._following = True
        self.model.show(self._view_model.models, self._state.variants)
        shown = self._view_model.models.shown
        if 0 <= shown < len(self.model.variants):
            self.view.selectRow(shown)
        self._following = False
        self._say()

    def _say(self, *_: object) -> None:
        variants, running = self.model.variants, bool(self._state.running)
        ready, candidate = Readiness.of(self._view_model), self._view_model.models.candidate
        opened = candidate is not None and candidate.spec is not None
        found = self._state.refit
        self.pages.setCurrentWidget(self.view if variants else self.empty)
        self.judge.setEnabled(bool(variants) and ready.reference and ready.frames and not running)
        self.save.setEnabled(opened and not running)
        self.save_float16.setEnabled(
            candidate is not None and self._state.variant(candidate.path).made is not None
        )
        self.fit.setEnabled(ready.all and not running)
        in_force = bool(self._view_model.settings.candidate_thresholds)
        self.in_force.setVisible(in_force or found is not None)
        self.in_force.setEnabled(in_force or (found is not None and bool(found.refit.table.rows)))
        self.in_force.setChecked(in_force)
        self.save_table.setVisible(found is not None)
        self.fit_words.setText(refit_words(found) if found is not None else "")
        self.fit_words.setToolTip(self._refit_tip())
        self.words.setText(self._sentence())
        self.words.setToolTip(self.words.text())

    def _sentence(self) -> str:
        judged = [one for one in self.model.variants if one.figures is not None and one.frames is not None]
        if not judged:
            return "No variant was judged yet." if self.model.variants else ""
        if len({one.frames for one in judged}) > 1:
            return "Judged on different frames: judge all to compare them."
        best = min(judged, key=lambda one: (one.figures.missed, one.figures.extra, one.figures.mse or 0.0))
        frames = judged[0].frames
        if len(judged) == 1:
            return f"On {len(frames.frames)} frames of {frames.name}. Apply, in Layers, makes the next one."
        place = self.model.variants.index(best) + 1
        return f"On {len(frames.frames)} frames of {frames.name}, key {place} loses least: {name_of(best)}."

    def _theme_changed(self, theme: Theme) -> None:
        self.model.set_theme(theme)
        self.view.setStyleSheet(sheet(theme))
        fade(theme, self.empty)

    def _refit_tip(self) -> str:
        """The thresholds, line by line."""
        found, names = self._state.refit, self._view_model.models.class_names
        if found is None:
            return ""
        rows = [
            f"{class_name(names, row.class_id)}{'' if row.stride is None else f' at stride {row.stride}'}: {row.confidence:.3g}"
            for row in found.refit.table.rows
        ]
        return "\n".join([refit_words(found), *rows])

    # ---- what is asked for

    def _ask_save_table(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(
            self, "Save the thresholds as", "thresholds.csv", "CSV (*.csv)"
        )
        if chosen:
            self.save_table_to(Path(chosen))

    def save_table_to(self, out: Path) -> None:
        """Writes the thresholds that were found."""
        self._requests.what_if.emit(SaveThresholds(out if out.suffix else out.with_suffix(".csv")))

    def _chosen(self, current: QModelIndex, previous: QModelIndex) -> None:
        if not self._following and current.isValid():
            self._requests.show_candidate.emit(current.row())

    def _judge(self) -> None:
        part = self.frames.part()
        if part is not None:
            self._requests.what_if.emit(Judge(part))

    def _ask_save(self, float_type: str) -> None:
        candidate = self._view_model.models.candidate
        if candidate is None:
            return
        name = (
            candidate.path.name.replace(".onnx", "-fp16.onnx")
            if float_type == "float16"
            else candidate.path.name
        )
        chosen, _ = QFileDialog.getSaveFileName(self, "Save the variant as", name, "ONNX (*.onnx)")
        if chosen:
            self.save_to(Path(chosen), float_type)

    def save_to(self, out: Path, float_type: str = "float32") -> None:
        """Writes the candidate that is shown, with its sidecar."""
        candidate = self._view_model.models.candidate
        if candidate is not None:
            out = out if out.suffix else out.with_suffix(candidate.path.suffix)
            self._requests.what_if.emit(Export(candidate.path, out, float_type))


def refit_words(found: RefitFinding) -> str:
    """What the thresholds bring and cost, on the frames that they were not fitted to."""
    refit = found.refit
    missed, extra = refit.before.counts.missed, refit.before.counts.extra
    if not refit.table.rows:
        return (
            f"On {found.frames} frames no other threshold agrees better: {missed} missed, {extra} extra stay."
        )
    count = len(refit.table.rows)
    before, after = refit.before.counts, refit.after.counts
    better = (after.agreement_f1 or 0.0) > (before.agreement_f1 or 0.0)
    head = f"{count} threshold{'' if count == 1 else 's'}" + ("" if better else ", but no gain")
    return (
        f"{head}: missed {before.missed} \N{RIGHTWARDS ARROW} {after.missed}, extra {before.extra} \N{RIGHTWARDS ARROW} {after.extra}, "
        f"on {refit.before.frames} frames not fitted to."
    )
