"""What stands under the heatmaps' cursor: both sides' values, and the logits behind them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from trtviewer.detect.heat import HeatKind, has_logits, read_cell
from trtviewer.gui.docks.figures import fixed, short, tabular
from trtviewer.gui.docks.heat_picture import Cell, HeatAnswer
from trtviewer.gui.theme import Theme


class HeatReadout(QLabel):
    """A small table whose lines keep their places."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("heatmaps.readout")
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        self.setWordWrap(True)
        tabular(self)

    def read(self, answer: HeatAnswer | None, cell: Cell | None, theme: Theme) -> None:
        """Reads a cell out; without one it says how to get one."""
        if answer is None or cell is None or cell.row_index >= len(answer.picture.rows):
            hint = "" if answer is None else "Move over a map to read both values; click to go there."
            self.setText(f"<span style='color:{theme.faint}'>{hint}</span>")
        else:
            self.setText(_table(answer, cell, theme))


def _table(answer: HeatAnswer, cell: Cell, theme: Theme) -> str:
    row = answer.picture.rows[cell.row_index].row
    head = f"<b>{row.title}</b>, row {cell.row}, column {cell.column}"
    body = "".join(
        f"<tr><td style='color:{theme.faint}'>{label}</td>"
        + "".join(
            f"<td align='right' style='padding-left:6px;color:{theme.text if label else theme.faint}'>{value}</td>"
            for value in cells
        )
        + "</tr>"
        for label, cells in _lines(answer, cell)
    )
    return f"{head}<table cellspacing='0' style='margin-top:2px'>{body}</table>"


def _lines(answer: HeatAnswer, cell: Cell) -> list[tuple[str, tuple[str, ...]]]:
    """Label, and the values of reference, candidate and difference."""
    row, channel = answer.picture.rows[cell.row_index].row, answer.picture.channel
    place = (cell.row, cell.column)
    own, other, change = (
        None if values is None or not _within(values, place) else float(values[place])
        for values in (row.reference, row.candidate, row.difference)
    )
    name = "score" if channel.kind is HeatKind.SCORE else str(channel.kind)
    lines: list[tuple[str, tuple[str, ...]]] = [("", ("reference", "candidate", "difference"))]
    if not channel.is_probability:
        plus = "+" if change is not None and change > 0 else ""
        return [*lines, (name, (short(own), short(other), plus + short(change)))]
    lines.append((name, (fixed(own, 3), fixed(other, 3), fixed(change, 3, sign=True))))
    logits = has_logits(answer.request.comparison.reference.spec)
    reading = read_cell(row, place, logits=logits)
    if reading is not None:
        lines += [("logits", ())] if logits else []
        lines += [
            (_shortened(label), (fixed(first, 2), fixed(second, 2), fixed(second - first, 2, sign=True)))
            for label, first, second in reading.channels
        ]
    return lines


def _shortened(name: str) -> str:
    return name if len(name) <= 11 else name[:10] + "…"


def _within(values: NDArray[np.float32], place: tuple[int, int]) -> bool:
    return place[0] < values.shape[0] and place[1] < values.shape[1]
