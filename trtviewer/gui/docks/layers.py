"""Layers: which of them lose it, the worst first; ticked ones stay in float in the next variant, made by Apply."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from trtviewer.gui.docks.bar_delegate import BarDelegate
from trtviewer.gui.docks.figures import panel, tabular
from trtviewer.gui.docks.frame_choice import FrameChoice
from trtviewer.gui.docks.layer_model import LayerModel
from trtviewer.gui.docks.layer_rows import Column, LayerRows, percent, sentence
from trtviewer.gui.docks.object_model import ObjectModel
from trtviewer.gui.docks.object_rows import Column as ObjectColumn
from trtviewer.gui.docks.object_rows import ObjectRows, inspect_request
from trtviewer.gui.docks.object_rows import sentence as object_sentence
from trtviewer.gui.docks.object_rows import tip as object_tip
from trtviewer.gui.docks.recipe_form import RecipeForm
from trtviewer.gui.docks.tables import TickTable, prepared, set_widths, sheet
from trtviewer.gui.theme import Theme
from trtviewer.gui.view_model import Requests, ViewModel
from trtviewer.gui.what_if_state import (
    TASK,
    Apply,
    FindFewest,
    FindLayers,
    Inspect,
    LayersFinding,
    ObjectFinding,
)

FRAMES = 16
SIDE_WIDTH = 228
WITH_OPERATORS = 800
"""From this width of the table on there is room for the operators."""
WORST = 5
MOST_MISSED = 0.02
"""The goal of the search: what may still be missed, as a share of what the reference finds."""
_WIDTHS = {
    Column.KEEP: "Float",
    Column.OP: "Concat, fp32",
    Column.HEADS: "MSE at heads 000",
    Column.MISSED: "Missed",
    Column.OWN: "Own dB",
    Column.CUMULATIVE: "Cum. dB",
    Column.CLIPPED: "<0.01 %",
    Column.RANGE: "100 % ",
    Column.NOISE: "broken >999×",
    Column.MACS: "00.0 %",
}
"""The longest text that a column has room for; the layer's name takes what is left."""
MARK = "▾ "
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
        self.model = LayerModel(self._state.set_ticks, self)
        self.object_model = ObjectModel(self._state.set_ticks, self)
        self._build()
        self._state.object_changed.connect(self._object_found)
        view_model.selection_changed.connect(self._selection_changed)
        view_model.comparison_changed.connect(self._comparison_changed)
        self._state.layers_changed.connect(self._refresh)
        self._state.ticks_changed.connect(self._ticks_changed)
        self._state.extra_changed.connect(self._say)
        self._state.running_changed.connect(self._say)
        view_model.models_changed.connect(self._say)
        view_model.source_changed.connect(self._inputs_changed)
        view_model.theme_changed.connect(self._theme_changed)
        self._theme_changed(view_model.theme)
        self._inputs_changed()
        self._refresh()

    def close_dock(self) -> None:
        """It owns no thread: the window's workshop does the work."""

    # ---- making

    def _build(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        self.words = QLabel()
        self.words.setObjectName("layers.words")
        self.words.setWordWrap(True)
        self.words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        head.addWidget(self.words, 1)
        self.object = QToolButton()
        self.object.setObjectName("layers.object")
        self.object.setText("Chosen object")
        self.object.setCheckable(True)
        self.object.clicked.connect(self._flip_object)
        head.addWidget(self.object)
        head.addWidget(self._build_order())
        left = QVBoxLayout()
        left.setContentsMargins(0, 0, 0, 0)
        left.setSpacing(2)
        left.addLayout(head)
        left.addWidget(self._build_table(), 1)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(8, 4, 8, 4)
        whole.setSpacing(12)
        whole.addLayout(left, 1)
        whole.addWidget(self._build_side())
        self.setMinimumWidth(560)

    def _build_order(self) -> QToolButton:
        self.graph_order = QToolButton()
        self.graph_order.setObjectName("layers.graph_order")
        self.graph_order.setText("Graph order")
        self.graph_order.setCheckable(True)
        self.graph_order.setToolTip("In the order of the network; else the worst first.")
        self.graph_order.clicked.connect(self._flip_order)
        return self.graph_order

    def _build_side(self) -> QWidget:
        """What to measure, and what to make next, one under the other."""
        side = QWidget()
        side.setObjectName("layers.side")
        side.setFixedWidth(SIDE_WIDTH)
        self.find = QPushButton("Find the layers to blame")
        self.find.setObjectName("layers.find")
        self.find.clicked.connect(self._find)
        self.frames = FrameChoice(self._view_model, "layers", FRAMES)
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.find)
        column.addWidget(self.frames)
        column.addSpacing(2)
        column.addLayout(self._build_ticks())
        self.recipe = RecipeForm(side)
        self.recipe.changed.connect(self._say)
        self.recipe.apply_wanted.connect(self._apply)
        column.addWidget(self.recipe)
        column.addStretch(1)
        return side

    def _build_table(self) -> QStackedWidget:
        self.view = prepared(TickTable(), "layers.table", self.model, Column.LAYER)
        self.view.setSortingEnabled(True)
        self.bar = BarDelegate(self)
        self.view.setItemDelegateForColumn(Column.HEADS, self.bar)
        self.view.sortByColumn(Column.HEADS, Qt.SortOrder.DescendingOrder)
        self.view.horizontalHeader().sortIndicatorChanged.connect(self._show_order)
        self.object_view = prepared(TickTable(), "layers.object_table", self.object_model, ObjectColumn.LAYER)
        self.object_view.setItemDelegateForColumn(ObjectColumn.SCORE, self.bar)
        set_widths(self.object_view, _OBJECT_WIDTHS)
        for view in (self.view, self.object_view):
            view.doubleClicked.connect(self._double_clicked)
        self.empty = QLabel()
        self.empty.setObjectName("layers.empty")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.view)
        self.stack.addWidget(self.empty)
        self.stack.addWidget(self.object_view)
        return self.stack

    def _build_ticks(self) -> QHBoxLayout:
        self.kept = QLabel()
        self.kept.setObjectName("layers.kept")
        self.kept.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        tabular(self.kept)
        self.tick = QToolButton()
        self.tick.setObjectName("layers.tick")
        self.tick.setText("Tick ▾")
        self.tick.setToolTip("Ticks layers to keep in float.")
        self.tick.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.tick)
        for name, words in (
            ("worst", f"The {WORST} worst"),
            ("first_heads", "First layers and heads"),
            ("broken", "Those that rounding does not explain"),
            ("shown", "As in this candidate"),
            ("none", "None"),
        ):
            action = menu.addAction(words)
            action.setObjectName(f"layers.tick.{name}")
            action.triggered.connect(lambda _=False, name=name: self._tick(name))
        menu.addSeparator()
        fewest = menu.addAction(f"The fewest that leave {100 * MOST_MISSED:g} % missed (search)")
        fewest.setObjectName("layers.tick.fewest")
        fewest.triggered.connect(lambda: self._requests.what_if.emit(FindFewest(MOST_MISSED)))
        self.tick.setMenu(menu)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.tick)
        row.addWidget(self.kept, 1)
        return row

    # ---- what is shown

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.view.setColumnHidden(Column.OP, self.view.width() < WITH_OPERATORS)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._refresh()

    def _refresh(self, *_: object) -> None:
        if not self.isVisible() and self._shown is not None:
            return
        finding = self._state.layers
        if finding is not self._shown:
            self._shown = finding
            self.model.show(None if finding is None else LayerRows(finding.result))
        for model in (self.model, self.object_model):
            model.set_ticks(self._state.ticks)
        self._say()
        if self.object.isChecked():
            self._inspect()

    def _ticks_changed(self, ticks: frozenset[str]) -> None:
        for model in (self.model, self.object_model):
            model.set_ticks(ticks)
        self._say()

    def _show_order(self, *_: object) -> None:
        """The sorted column is as much wider as its mark needs."""
        self.graph_order.setChecked(self.model.column is None)
        sorted_by = self.model.column
        set_widths(
            self.view,
            {
                column: MARK + longest if column is sorted_by and column is not Column.HEADS else longest
                for column, longest in _WIDTHS.items()
            },
        )

    def _flip_order(self, graph: bool) -> None:
        if graph:
            self.view.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        else:
            self.view.sortByColumn(Column.HEADS, Qt.SortOrder.DescendingOrder)

    def _say(self, *_: object) -> None:
        """Everything in words, and what can be pressed."""
        model, running = self._view_model, self._state.running
        reference, candidate = model.models.reference, model.models.candidate
        ready = reference is not None and reference.spec is not None
        both = ready and candidate is not None and candidate.spec is not None
        frames = model.source is not None and model.source.length is not None
        rows, finding = self.model.rows, self._shown
        self.find.setText("Stop" if running else "Find the layers to blame")
        self.find.setEnabled((both and frames) or bool(running))
        self.find.setToolTip(
            f"Stops: {running}."
            if running
            else "Runs the network with one layer in INT8 after the other, and measures each layer's own error."
        )
        self.recipe.apply.setEnabled(ready and frames and bool(self.recipe.source) and not running)
        chosen = self.object.isChecked() and self._state.object is not None
        self.stack.setCurrentIndex(2 if chosen else 0 if rows is not None else 1)
        self.graph_order.setVisible(rows is not None and not chosen)
        self.object.setEnabled(both and (self.object.isChecked() or self._request() is not None))
        self.object.setToolTip(
            "Which layers took the object that is chosen (in the table of disagreements or on the picture)."
        )
        self._show_order()
        self.tick.setEnabled(rows is not None)
        self.kept.setText(self._kept_words())
        self.kept.setToolTip(", ".join(sorted(self._state.ticks)))
        if not both:
            self.empty.setText(
                "Open a reference, an INT8 candidate made of it, and a video to see which layers lose it."
            )
        elif not frames:
            self.empty.setText("Open a video or a folder of pictures: layers are measured on frames.")
        elif running:
            self.empty.setText(f"{running} …")
        else:
            self.empty.setText(
                "Each layer is run in INT8 alone, on a few frames: the one whose error reaches the heads is to blame.\n"
                "It takes some seconds."
            )
        self._say_finding(rows, finding, candidate.path if candidate is not None else None)

    def _say_finding(self, rows: LayerRows | None, finding: LayersFinding | None, shown: Path | None) -> None:
        found = self._state.object
        if self.object.isChecked() and found is not None:
            self.words.setText(object_sentence(found))
            self.words.setToolTip(object_tip(found))
            return
        stale = finding is not None and shown is not None and finding.candidate != shown
        if rows is None or finding is None:
            self.words.setText("")
        elif stale:
            self.words.setText(f"These are the layers of {finding.candidate.name}, not of what is shown.")
        else:
            self.words.setText(sentence(rows))
            part = f"{finding.result.frames} frames of {finding.frames.name}"
            self.words.setToolTip(f"{self.words.text()}\n{finding.candidate.name}, on {part}.")
        self.words.setProperty("role", "warning" if stale else "")
        self.words.style().polish(self.words)

    def _kept_words(self) -> str:
        ticks, rows, extra = self._state.ticks, self.model.rows, self._state.extra
        added = sum(len(part.frames) for part in extra)
        more = f", {added} frames added" if added else ""
        if not ticks:
            return f"All layers in INT8{more}"
        left = None if rows is None else rows.int8_share(ticks)
        macs = "" if left is None else f", {percent(left)} MACs INT8"
        return f"{len(ticks)} float{macs}{more}"

    def _inputs_changed(self, *_: object) -> None:
        self.recipe.offer(self._view_model.source)

    def _theme_changed(self, theme: Theme) -> None:
        self.bar.theme = theme
        for view in (self.view, self.object_view):
            view.setStyleSheet(sheet(theme))
        self.model.set_theme(theme)
        self.empty.setStyleSheet(f"color: {theme.faint};")
        self.kept.setStyleSheet(f"color: {theme.faint};")

    # ---- what is asked for

    def _find(self) -> None:
        if self._state.running:
            for work in self._view_model.progress:
                if work.task == TASK and work.cancel is not None:
                    work.cancel()
            return
        part = self.frames.part()
        if part is not None:
            self._requests.what_if.emit(FindLayers(part))

    def _apply(self) -> None:
        part = self.frames.part()
        if part is not None:
            form = self.recipe
            self._requests.what_if.emit(
                Apply(form.method, form.percentile, form.source, form.count, self._state.ticks, part)
            )

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
        candidate = self._view_model.models.candidate
        if request is None or candidate is None or self._state.running:
            return
        if found is None or found.selection != request.selection or found.candidate != candidate.path:
            self._requests.what_if.emit(request)

    def _object_found(self, found: ObjectFinding | None) -> None:
        self.object_model.show(None if found is None else ObjectRows(found))
        if found is None:
            self.object.setChecked(False)
        self._say()

    def _selection_changed(self, *_: object) -> None:
        if self.isVisible():
            self._comparison_changed()

    def _comparison_changed(self, *_: object) -> None:
        """The frame of the chosen object may only now be there."""
        if (
            self.isVisible()
            and self._view_model.selection is not None
            and not self._view_model.playing.playing
        ):
            if self.object.isChecked():
                self._inspect()
            self._say()

    # ---- ticks

    def _double_clicked(self, index: QModelIndex) -> None:
        if index.column() != Column.KEEP:
            name = index.siblingAtColumn(Column.LAYER).data()
            self._state.set_ticks(self._state.ticks ^ {name})

    def _tick(self, which: str) -> None:
        """Ticks the layers that an entry of the menu means."""
        rows, finding = self.model.rows, self._shown
        if rows is not None and finding is not None:
            self._state.set_ticks(
                {
                    "worst": rows.worst(WORST),
                    "first_heads": finding.first_and_heads,
                    "broken": frozenset(rows.names[row] for row in range(len(rows)) if rows.broken(row)),
                    "shown": rows.in_float(),
                    "none": frozenset(),
                }[which]
            )
