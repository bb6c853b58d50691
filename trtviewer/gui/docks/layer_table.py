"""The table of measured layers: the worst first or in the graph's order, and as wide as its columns need."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent

from trtviewer.gui.docks.layer_model import LayerModel
from trtviewer.gui.docks.layer_rows import Column
from trtviewer.gui.docks.tables import TickTable, prepared, set_widths

_ROOM_FROM = {Column.OP: 800, Column.RANGE: 740, Column.CUMULATIVE: 620, Column.MACS: 560, Column.NOISE: 500}
"""From these widths of the table on there is room for them beside the layers' names."""
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
_MARK = "▾ "


class LayerTable(TickTable):
    """Signals: graph_order(bool): whether the rows stand in the network's order now."""

    graph_order = Signal(bool)

    def __init__(self, ticked: Callable[[frozenset[str]], None]) -> None:
        super().__init__()
        self.layers = LayerModel(ticked, self)
        prepared(self, "layers.table", self.layers, Column.LAYER)
        self.setSortingEnabled(True)
        self.set_graph_order(graph=False)
        self.horizontalHeader().sortIndicatorChanged.connect(self._show_order)
        self._show_order()

    def set_graph_order(self, *, graph: bool) -> None:
        """In the order of the network, or the worst first."""
        if graph:
            self.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        else:
            self.sortByColumn(Column.HEADS, Qt.SortOrder.DescendingOrder)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for column, width in _ROOM_FROM.items():
            self.setColumnHidden(column, self.width() < width)

    def _show_order(self, *_: object) -> None:
        """The sorted column is as much wider as its mark needs."""
        sorted_by = self.layers.column
        set_widths(
            self,
            {
                column: _MARK + longest if column is sorted_by and column is not Column.HEADS else longest
                for column, longest in _WIDTHS.items()
            },
        )
        self.graph_order.emit(sorted_by is None)
