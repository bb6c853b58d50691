"""Layers: which of them lose it, the worst first; ticked ones stay in float in the next variant; an engine's, as they run."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QModelIndex, QSignalBlocker
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QStackedWidget, QWidget

from trtviewer.gui.docks.bar_delegate import BarDelegate
from trtviewer.gui.docks.engine_page import EnginePage
from trtviewer.gui.docks.figures import panel
from trtviewer.gui.docks.frame_choice import FrameChoice
from trtviewer.gui.docks.layer_rows import Column, LayerRows, sentence
from trtviewer.gui.docks.layer_table import LayerTable
from trtviewer.gui.docks.layer_ticks import LayerTicks
from trtviewer.gui.docks.object_model import ObjectModel
from trtviewer.gui.docks.object_rows import Column as ObjectColumn
from trtviewer.gui.docks.object_rows import ObjectRows, inspect_request
from trtviewer.gui.docks.object_rows import sentence as object_sentence
from trtviewer.gui.docks.object_rows import tip as object_tip
from trtviewer.gui.docks.parts import (
    choice,
    empty_label,
    fade,
    lay_out_beside,
    row,
    sentence_label,
    toggle,
    warn,
)
from trtviewer.gui.docks.readiness import Readiness
from trtviewer.gui.docks.recipe_form import RecipeForm
from trtviewer.gui.docks.tables import TickTable, prepared, set_widths, sheet
from trtviewer.gui.docks.work_button import WorkButton
from trtviewer.gui.theme import Theme
from trtviewer.gui.view_model import ModelEntry, Requests, ViewModel
from trtviewer.gui.what_if.state import Apply, FindLayers, Inspect, LayersFinding, ObjectFinding
from trtviewer.runners.engine_facts import is_engine

FRAMES = 16
_OBJECT_WIDTHS = {
    ObjectColumn.KEEP: "Float",
    ObjectColumn.SCORE: "Score logits, and a bar −0.000",
    ObjectColumn.BOX: "0.000e-00",
    ObjectColumn.OWN: "Own dB 0",
    ObjectColumn.CUMULATIVE: "Cum. dB 0",
    ObjectColumn.REGION: "000×000",
}


def make(view_model: ViewModel, requests: Requests) -> LayersDock:
    return LayersDock(view_model, requests)


class LayersDock(QWidget):
    """What to measure, the table, and what to make of the reference next."""

    def __init__(self, view_model: ViewModel, requests: Requests, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("layers")
        panel(self)
        self._view_model = view_model
        self._state = view_model.what_if
        self._requests = requests
        self._shown: LayersFinding | None = None
        self._build()
        self._state.object_changed.connect(self._object_found)
        view_model.selection_changed.connect(self._comparison_changed)
        view_model.comparison_changed.connect(self._comparison_changed)
        self._state.layers_changed.connect(self._refresh)
        self._state.ticks_changed.connect(self._ticks_changed)
        self._state.extra_changed.connect(self._say)
        self._state.running_changed.connect(self._say)
        view_model.models_changed.connect(self._models_changed)
        view_model.source_changed.connect(self._inputs_changed)
        view_model.theme_changed.connect(self._theme_changed)
        self._theme_changed(view_model.theme)
        self._inputs_changed()
        self._refresh()

    def close_dock(self) -> None:
        """Stops the thread that reads engines; the rest is the work of the window's workshop."""
        self.engine.stop()

    # ---- making

    def _build(self) -> None:
        self.words = sentence_label("layers.words", wrap=True)
        self.what = choice("layers.what", "Which layers", "The layers to blame, or those of an engine.", 12)
        self.what.currentIndexChanged.connect(self._what_changed)
        self.what.hide()
        self.object = toggle(
            "layers.object",
            "Chosen object",
            "Which layers took the object that is chosen (in the table of disagreements or on the picture).",
            self._flip_object,
        )
        self.graph_order = toggle(
            "layers.graph_order",
            "Graph order",
            "In the order of the network; else the worst first.",
            lambda graph: self.table.set_graph_order(graph=graph),
        )
        self.engine = EnginePage()
        self.engine.changed.connect(self._say)
        head = (self.words, self.what, self.engine.precision, self.object, self.graph_order)
        self.find = WorkButton(
            "layers.find",
            "Find the layers to blame",
            "Runs the network with one layer in INT8 after the other, and measures each layer's own error.",
            self._state,
            self._requests,
        )
        self.find.wanted.connect(self._find)
        self.frames = FrameChoice(self._view_model, "layers", FRAMES)
        self.ticks = LayerTicks(self._state, self._requests)
        self.recipe = RecipeForm()
        self.recipe.changed.connect(self._say)
        self.recipe.apply_wanted.connect(self._apply)
        pages = self._build_pages()
        self.side = lay_out_beside(
            self,
            (row(head, wide=self.words, spacing=8), pages),
            pages,
            (self.find, self.frames, self.ticks, self.recipe),
        )

    def _build_pages(self) -> QStackedWidget:
        self.table = LayerTable(self._state.set_ticks)
        self.table.graph_order.connect(self.graph_order.setChecked)
        self.objects = ObjectModel(self._state.set_ticks, self)
        self.object_view = prepared(TickTable(), "layers.object_table", self.objects, ObjectColumn.LAYER)
        set_widths(self.object_view, _OBJECT_WIDTHS)
        self.bar = BarDelegate(self)
        self.table.setItemDelegateForColumn(Column.HEADS, self.bar)
        self.object_view.setItemDelegateForColumn(ObjectColumn.SCORE, self.bar)
        for view in (self.table, self.object_view):
            view.doubleClicked.connect(self._double_clicked)
        self.empty = empty_label("layers.empty")
        self.pages = QStackedWidget()
        for page in (self.table, self.empty, self.object_view, self.engine):
            self.pages.addWidget(page)
        return self.pages

    # ---- what is shown

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._models_changed()
        self._refresh()

    def _refresh(self, *_: object) -> None:
        if not self.isVisible() and self._shown is not None:
            return
        finding = self._state.layers
        if finding is not self._shown:
            self._shown = finding
            self.table.layers.show(None if finding is None else LayerRows(finding.result))
        self._ticks_changed(self._state.ticks)
        if self.object.isChecked():
            self._inspect()

    def _ticks_changed(self, ticks: frozenset[str]) -> None:
        for model in (self.table.layers, self.objects):
            model.set_ticks(ticks)
        self._say()

    def _say(self, *_: object) -> None:
        """Everything in words, and what can be pressed."""
        ready, running = Readiness.of(self._view_model), self._state.running
        self.find.show_state(ready=ready.all)
        self.recipe.apply.setEnabled(
            ready.reference and ready.frames and bool(self.recipe.source) and not running
        )
        self.ticks.show_rows(self.table.layers.rows)
        self.object.setEnabled(ready.both and (self.object.isChecked() or self._request() is not None))
        page = self._page()
        # What an engine's layers are says nothing of their blame: there is nothing to be done beside them.
        self.side.setVisible(page is not self.engine)
        self.object.setVisible(page is not self.engine)
        self.pages.setCurrentWidget(page)
        self.graph_order.setVisible(page is self.table)
        self.engine.precision.setVisible(page is self.engine and bool(self.engine.model.layers))
        self.empty.setText(self._empty_words(ready, running))
        self._say_finding(page)

    def _page(self) -> QWidget:
        if self.object.isChecked() and self._state.object is not None:
            return self.object_view
        if self.what.currentData() is not None:
            return self.engine
        return self.table if self.table.layers.rows is not None else self.empty

    def _empty_words(self, ready: Readiness, running: str) -> str:
        if not ready.both:
            return "Open a reference, an INT8 candidate made of it, and a video to see which layers lose it."
        if not ready.frames:
            return "Open a video or a folder of pictures: layers are measured on frames."
        if running:
            return f"{running} …"
        return (
            "Each layer is run in INT8 alone, on a few frames: the one whose error reaches the heads is to blame.\n"
            "It takes some seconds."
        )

    def _say_finding(self, page: QWidget) -> None:
        found, rows, finding = self._state.object, self.table.layers.rows, self._shown
        stale = page is self.table and finding is not None and finding.candidate != self._candidate()
        words = tip = ""
        if page is self.object_view and found is not None:
            words, tip = object_sentence(found), object_tip(found)
        elif page is self.engine:
            words = tip = self.engine.words()
        elif stale and finding is not None:
            words = f"These are the layers of {finding.candidate.name}, not of what is shown."
        elif rows is not None and finding is not None:
            words = sentence(rows)
            part = f"{finding.result.frames} frames of {finding.frames.name}"
            tip = f"{words}\n{finding.candidate.name}, on {part}."
        self.words.setText(words)
        self.words.setToolTip(tip)
        warn(self.words, bad=stale)

    def _candidate(self) -> Path | None:
        candidate = self._view_model.models.candidate
        return None if candidate is None else candidate.path

    def _inputs_changed(self, *_: object) -> None:
        self.recipe.offer(self._view_model.source)

    def _theme_changed(self, theme: Theme) -> None:
        self.bar.theme = theme
        for view in (self.table, self.object_view):
            view.setStyleSheet(sheet(theme))
        self.table.layers.set_theme(theme)
        self.ticks.set_theme(theme)
        self.engine.set_theme(theme)
        fade(theme, self.empty)

    # ---- an engine's layers

    def _models_changed(self, *_: object) -> None:
        """Offers the layers of what is an engine; of one that has come, at once: nothing else is known of its layers."""
        engines = self._engines()
        known = [self.what.itemData(place) for place in range(1, self.what.count())]
        if known != [(side, entry.path) for side, entry in engines.items()]:
            with QSignalBlocker(self.what):
                self.what.clear()
                self.what.addItem("Layers to blame", None)
                for side, entry in engines.items():
                    self.what.addItem(f"Engine: {side}", (side, entry.path))
                self.what.setCurrentIndex(1 if engines else 0)
            self.what.setVisible(bool(engines))
        self._what_changed()

    def _engines(self) -> dict[str, ModelEntry]:
        """The engines that are shown, the candidate first."""
        models = self._view_model.models
        sides = {"candidate": models.candidate, "reference": models.reference}
        return {side: entry for side, entry in sides.items() if entry is not None and is_engine(entry.path)}

    def _what_changed(self, *_: object) -> None:
        chosen = self.what.currentData()
        if self.isVisible():
            self.engine.show_engine(None if chosen is None else self._engines()[chosen[0]])
        self._say()

    # ---- what is asked for

    def _find(self) -> None:
        part = self.frames.part()
        if part is not None:
            self.what.setCurrentIndex(0)
            self._requests.what_if.emit(FindLayers(part))

    def _apply(self) -> None:
        part = self.frames.part()
        if part is not None:
            form = self.recipe
            self._requests.what_if.emit(
                Apply(form.method, form.percentile, form.source, form.count, self._state.ticks, part)
            )

    def _double_clicked(self, index: QModelIndex) -> None:
        if index.column() != Column.KEEP:
            name = index.siblingAtColumn(Column.LAYER).data()
            self._state.set_ticks(self._state.ticks ^ {name})

    # ---- the chosen object

    def _request(self) -> Inspect | None:
        return inspect_request(self._view_model, self._view_model.selection)

    def _flip_object(self, on: bool) -> None:
        if on:
            self._inspect()
        self._say()

    def _inspect(self) -> None:
        """Asks for the object that is chosen, unless that is what is shown."""
        request, found = self._request(), self._state.object
        if request is None or self._candidate() is None or self._state.running:
            return
        if found is None or found.selection != request.selection or found.candidate != self._candidate():
            self._requests.what_if.emit(request)

    def _object_found(self, found: ObjectFinding | None) -> None:
        self.objects.show(None if found is None else ObjectRows(found))
        if found is None:
            self.object.setChecked(False)
        self._say()

    def _comparison_changed(self, *_: object) -> None:
        """Another object is chosen, or its frame is only now there."""
        chosen = self._view_model.selection is not None and not self._view_model.playing.playing
        if self.isVisible() and chosen:
            if self.object.isChecked():
                self._inspect()
            self._say()
