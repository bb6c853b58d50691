"""The history of variants as Qt's table model: each with its key, how it was made, and what it does."""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtGui import QFont

from trtviewer.gui.docks.figures import DASH, MINUS, short
from trtviewer.gui.docks.layer_rows import percent
from trtviewer.gui.docks.table_model import Role, TableModel
from trtviewer.gui.view_model import Models
from trtviewer.gui.what_if.state import Variant


class Column(IntEnum):
    """The columns of the table, from the left."""

    KEY = 0
    NAME = 1
    FLOAT = 2
    MACS = 3
    MISSED = 4
    SMALL = 5
    EXTRA = 6
    MSE = 7


HEADINGS = {
    Column.KEY: ("Key", "The key that shows it on the same frame."),
    Column.NAME: ("Variant", "How it was made; a file that was opened has its name."),
    Column.FLOAT: ("Float", "Layers that were kept in float."),
    Column.MACS: ("INT8", "Share of the multiplications that run in INT8: what is left of the speed."),
    Column.MISSED: (
        "Missed",
        "Detections of the reference that it loses; in brackets against the first of the list.",
    ),
    Column.SMALL: ("Small missed", "The small ones of them (under 32² pixels of the frame)."),
    Column.EXTRA: ("Extra", "Detections that only it has."),
    Column.MSE: ("MSE", "Mean squared error over the outputs."),
}


class VariantModel(TableModel):
    """One row a candidate of the list, in its order."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(HEADINGS, {Column.NAME}, parent)
        self.variants: tuple[Variant, ...] = ()
        self.shown = -1

    def show(self, models: Models, known: dict[Path, Variant]) -> None:
        variants = tuple(known.get(entry.path, Variant(entry.path)) for entry in models.candidates)
        if len(variants) != len(self.variants):
            self.beginResetModel()
            self.variants, self.shown = variants, models.shown
            self.endResetModel()
        elif (variants, models.shown) != (self.variants, self.shown):
            self.variants, self.shown = variants, models.shown
            self.changed()

    def length(self) -> int:
        return len(self.variants)

    def cell(self, row: int, column: int, role: int) -> Any:
        column, variant = Column(column), self.variants[row]
        if role == Role.DisplayRole:
            return self._text(row, variant, column)
        if role == Role.ToolTipRole:
            return self._tip(variant, column)
        if role == Role.FontRole and row == self.shown:
            font = QFont()
            font.setBold(True)
            return font
        if role == Role.ForegroundRole and variant.figures is not None:
            if column is Column.MISSED and variant.figures.missed:
                return self._theme.color("missed")
            if column is Column.EXTRA and variant.figures.extra:
                return self._theme.color("extra")
        return None

    def _text(self, row: int, variant: Variant, column: Column) -> str:
        figures = variant.figures
        if column is Column.KEY:
            return str(row + 1) if row < 9 else ""
        if column is Column.NAME:
            return name_of(variant)
        if column is Column.FLOAT:
            return str(len(variant.made.recipe.keep_float)) if variant.made is not None else DASH
        if column is Column.MACS:
            return percent(variant.macs_share)
        if figures is None:
            return DASH
        if column is Column.MISSED:
            return f"{figures.missed} of {figures.reference}{self._change(row)}"
        if column is Column.SMALL:
            return f"{figures.small_missed} of {figures.small}"
        if column is Column.EXTRA:
            return str(figures.extra)
        return short(figures.mse)

    def _change(self, row: int) -> str:
        """How many fewer or more than the first of the list are missed, where both were judged on the same frames."""
        first, own = self.variants[0], self.variants[row]
        if row == 0 or first.figures is None or own.figures is None or first.frames != own.frames:
            return ""
        change = own.figures.missed - first.figures.missed
        sign = MINUS if change < 0 else "+" if change else "±"
        return f"  ({sign}{abs(change)})"

    def _tip(self, variant: Variant, column: Column) -> str:
        made = variant.made
        if variant.note:
            return variant.note
        if column is Column.FLOAT and made is not None and made.recipe.keep_float:
            return ", ".join(sorted(made.recipe.keep_float))
        if column is Column.NAME:
            return made.recipe.words if made is not None else str(variant.path)
        if variant.frames is not None:
            return f"On {len(variant.frames.frames)} frames of {variant.frames.name}."
        return HEADINGS[column][1]


def name_of(variant: Variant) -> str:
    """What a variant is called: how it was made, or the file."""
    if variant.made is None:
        return variant.path.name
    recipe = variant.made.recipe
    return f"{recipe.method_words}, {recipe.calibration_words}"
