"""An engine's layers as they really run, with INT8, FP16 and FP32 told apart; read on a thread of its own."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, QSignalBlocker, QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHeaderView, QStackedWidget, QTableView, QWidget

from trtviewer.gui.docks.engine_rows import (
    HEADINGS,
    UNSAID,
    Column,
    EngineReading,
    EngineRequest,
    counts,
    precision_words,
    read_engine,
    sentence,
    text,
    tip,
    unknown_words,
)
from trtviewer.gui.docks.newest import Newest
from trtviewer.gui.docks.parts import choice, column, empty_label, fade
from trtviewer.gui.docks.table_model import Role, TableModel
from trtviewer.gui.docks.tables import prepared, set_widths, sheet
from trtviewer.gui.theme import Theme
from trtviewer.gui.view_model import ModelEntry, ModelState
from trtviewer.runners.trt_plan import EngineLayer

_WIDTHS = {
    Column.KIND: "CaskConvolution 0",
    Column.RUNS_IN: "▪ not said ",
    Column.READS: "INT8, FP32",
    Column.WRITES: "INT8, FP32",
    Column.TACTIC: "sm80_xmma_fprop_implicit",
}
_WITH_KIND, _WITH_TACTIC = 760, 1000
"""From these widths of the table on there is room for them; a layer's tip has both."""
_CHIP = 9
_STRENGTHS = {"INT8": "accent", "FP8": "accent", "FP16": "control", "BF16": "control", UNSAID: "surface"}
"""How strong the mark before a precision is: what is narrow stands out."""


class EngineModel(TableModel):
    """The layers in the engine's order, those of one precision or all."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(HEADINGS, set(Column), parent)
        self.layers: tuple[EngineLayer, ...] = ()

    def show(self, layers: tuple[EngineLayer, ...]) -> None:
        self.beginResetModel()
        self.layers = layers
        self.endResetModel()

    def length(self) -> int:
        return len(self.layers)

    def cell(self, row: int, column: int, role: int) -> Any:
        layer, column = self.layers[row], Column(column)
        if role == Role.DisplayRole:
            return text(layer, column)
        if role == Role.ToolTipRole:
            return tip(layer, column)
        if role == Role.DecorationRole and column is Column.RUNS_IN:
            return self._theme.color(_STRENGTHS.get(precision_words(layer), "line"))
        if role == Role.ForegroundRole and layer.precision != "int8":
            return self._theme.color("faint")
        return None


class EnginePage(QWidget):
    """What is known of the engine that `show_engine` names; it opens none.

    Signals: changed(): the words, or what can be chosen, have changed.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._entry: ModelEntry | None = None
        self._asked: EngineRequest | None = None
        self._trouble = ""
        self.reading: EngineReading | None = None
        self._newest = Newest("engine layers", read_engine, self)
        self._newest.answered.connect(self._show)
        self._newest.failed.connect(self._fail)
        self.model = EngineModel(self)
        self.view = prepared(QTableView(), "layers.engine_table", self.model, Column.LAYER)
        self.view.horizontalHeader().setSectionResizeMode(Column.HOLDS, QHeaderView.ResizeMode.Stretch)
        self.view.setIconSize(QSize(_CHIP, _CHIP))
        set_widths(self.view, _WIDTHS)
        self.empty = empty_label("layers.engine_empty")
        self.stack = QStackedWidget()
        self.stack.addWidget(self.view)
        self.stack.addWidget(self.empty)
        self.precision = choice(
            "layers.precision", "Layers of one precision", "Shows only the layers that run in it.", 9
        )
        self.precision.currentIndexChanged.connect(self._filter)
        self.setLayout(column((self.stack,), tall=self.stack))

    def stop(self) -> None:
        """Ends its thread."""
        self._newest.close()

    def show_engine(self, entry: ModelEntry | None) -> None:
        """Shows another engine, or the same in another state."""
        self._entry = entry
        if entry is None or entry.state is ModelState.OPENING:
            self._asked = None
            self._take(None)
            return
        request = EngineRequest(entry.path, entry.message, entry.info)
        if request != self._asked:
            self._asked = request
            self._take(None)
            self._newest.ask(request)

    def words(self) -> str:
        """What the layers come to."""
        return sentence(self.reading) if self.reading is not None and self.reading.layers else ""

    def set_theme(self, theme: Theme) -> None:
        self.model.set_theme(theme)
        self.view.setStyleSheet(sheet(theme))
        fade(theme, self.empty)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.view.setColumnHidden(Column.KIND, self.width() < _WITH_KIND)
        self.view.setColumnHidden(Column.TACTIC, self.width() < _WITH_TACTIC)

    def _show(self, reading: EngineReading) -> None:
        if self._asked is not None and reading.path == self._asked.path:
            self._take(reading)

    def _fail(self, error: Exception) -> None:
        self._take(None, str(error))

    def _take(self, reading: EngineReading | None, trouble: str = "") -> None:
        self.reading, self._trouble = reading, trouble
        self._offer()
        self._filter()
        self.stack.setCurrentWidget(self.view if self.model.layers else self.empty)
        self.view.setColumnHidden(Column.HOLDS, not any(one.onnx for one in self.model.layers))
        self.empty.setText(self._empty_words())
        self.changed.emit()

    def _offer(self) -> None:
        layers = () if self.reading is None else self.reading.layers
        with QSignalBlocker(self.precision):
            self.precision.clear()
            self.precision.addItem(f"All {len(layers)}", None)
            for precision, count in counts(layers).items():
                self.precision.addItem(f"{precision}  {count}", precision)

    def _filter(self, *_: object) -> None:
        wanted = self.precision.currentData()
        layers = () if self.reading is None else self.reading.layers
        self.model.show(tuple(one for one in layers if wanted is None or precision_words(one) == wanted))

    def _empty_words(self) -> str:
        if self._trouble:
            return self._trouble
        if self.reading is not None:
            return unknown_words(self.reading)
        return "" if self._entry is None else f"Opening {self._entry.name} …"
