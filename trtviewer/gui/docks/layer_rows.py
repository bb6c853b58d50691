"""What the table of layers says: columns, words and orders over a measurement, no widget in it."""

from __future__ import annotations

import math
from enum import IntEnum

from trtviewer.blame.at_heads import AtHeads
from trtviewer.blame.layer_error import LayerError
from trtviewer.blame.measurement import LayersResult
from trtviewer.gui.docks.figures import DASH, fixed, short

BROKEN = 2.0
"""Measured own error over the expected one from which on it is more than rounding."""
TIMES = "\N{MULTIPLICATION SIGN}"


class Column(IntEnum):
    """The columns of the table, from the left."""

    KEEP = 0
    LAYER = 1
    OP = 2
    HEADS = 3
    MISSED = 4
    OWN = 5
    CUMULATIVE = 6
    CLIPPED = 7
    RANGE = 8
    NOISE = 9
    MACS = 10


HEADINGS = {
    Column.KEEP: ("Float", "Ticked layers stay in float in the next variant."),
    Column.LAYER: ("Layer", "Its node's name in the reference."),
    Column.OP: ("Op", "Its operator; what is float in this candidate says so."),
    Column.HEADS: (
        "MSE at heads",
        "The error at the outputs with only this layer in INT8: the one figure that finds the culprit.",
    ),
    Column.MISSED: (
        "Missed",
        "Detections lost with only this layer in INT8, on the frames looked at for that.",
    ),
    Column.OWN: ("Own dB", "Signal over error at its own output, its input taken from FP32. Less is worse."),
    Column.CUMULATIVE: (
        "Cum. dB",
        "Signal over error of the whole INT8 network up to here. Less is worse.",
    ),
    Column.CLIPPED: ("Clipped", "Share of its input values beyond the calibrated range, on these frames."),
    Column.RANGE: (
        "Range",
        "Range used: the largest of its input values over the end of the range. Little: steps are wasted. 100 %: look at Clipped.",
    ),
    Column.NOISE: (
        "Noise",
        "Its own error over what rounding to its steps must make (step²/12): about 1× is ordinary quantization noise, "
        "much more says that something is broken here: clipping, or a range that does not fit.",
    ),
    Column.MACS: ("MACs", "Its share of the network's multiplications: what keeping it in float costs."),
}
WORDS = frozenset({Column.KEEP, Column.LAYER, Column.OP})
"""Columns that hold words: left-aligned, sorted rising at first."""


class LayerRows:
    """The rows of one measurement, in the graph's order."""

    def __init__(self, result: LayersResult) -> None:
        self.result = result
        self.names = tuple(error.layer.name for error in result.layers)
        self.rank = {index: place for place, index in enumerate(result.ranked())}
        self._macs = sum(error.layer.macs for error in result.layers)
        self.most = max((self.heads(row) or 0.0 for row in range(len(self.names))), default=0.0)

    def __len__(self) -> int:
        return len(self.names)

    def error(self, row: int) -> LayerError:
        return self.result.layers[row]

    def at_heads(self, row: int) -> AtHeads | None:
        return self.result.at_heads[row]

    def heads(self, row: int) -> float | None:
        """The mean MSE over the outputs with only that layer in INT8; None where it is float."""
        found = self.at_heads(row)
        return None if found is None else found.mean_mse

    def over_expected(self, row: int) -> float | None:
        """Its own error over what rounding alone makes."""
        error = self.error(row)
        if error.own.mse is None or not error.expected_mse:
            return None
        return error.own.mse / error.expected_mse

    def broken(self, row: int) -> bool:
        over = self.over_expected(row)
        return over is not None and over > BROKEN

    def macs_share(self, row: int) -> float | None:
        return self.error(row).layer.macs / self._macs if self._macs else None

    def worst(self, count: int) -> frozenset[str]:
        """The layers in INT8 that are most to blame."""
        ranked = [row for row in self.result.ranked() if self.heads(row) is not None]
        return frozenset(self.names[row] for row in ranked[:count])

    def in_float(self) -> frozenset[str]:
        """The layers that are float in this candidate."""
        return frozenset(error.layer.name for error in self.result.layers if not error.layer.is_int8)

    def int8_share(self, ticks: frozenset[str]) -> float | None:
        """Of the multiplications, what stays in INT8 with these layers in float; None where it is not known."""
        if not self._macs:
            return None
        return (
            sum(error.layer.macs for error in self.result.layers if error.layer.name not in ticks)
            / self._macs
        )

    def value(self, row: int, column: Column) -> float | str | None:
        """What the column is sorted by."""
        error, found = self.error(row), self.at_heads(row)
        if column is Column.LAYER:
            return error.layer.name
        if column is Column.OP:
            return error.layer.op
        values: dict[Column, float | None] = {
            Column.KEEP: None,
            Column.HEADS: self.heads(row),
            Column.MISSED: None if found is None else float(found.missed),
            Column.OWN: error.own.sqnr_db,
            Column.CUMULATIVE: error.cumulative.sqnr_db,
            Column.CLIPPED: error.clipped_share,
            Column.RANGE: error.range_used,
            Column.NOISE: self.over_expected(row),
            Column.MACS: self.macs_share(row),
        }
        return values[column]

    def text(self, row: int, column: Column) -> str:
        """What the cell says."""
        error, found = self.error(row), self.at_heads(row)
        if column is Column.LAYER:
            return error.layer.name
        if column is Column.OP:
            layer = error.layer
            return layer.op if layer.is_int8 else f"{layer.op}, {layer.precision}"
        if column is Column.HEADS:
            return short(self.heads(row))
        if column is Column.MISSED:
            return DASH if found is None else str(found.missed)
        if column in (Column.OWN, Column.CUMULATIVE):
            figures = error.own if column is Column.OWN else error.cumulative
            return fixed(figures.sqnr_db, 1)
        if column is Column.NOISE:
            return noise_words(self.over_expected(row))
        if column is Column.KEEP:
            return ""
        number = self.value(row, column)
        return percent(number if isinstance(number, float) else None)

    def tip(self, row: int, column: Column) -> str:
        """What stands behind the cell's figure, in words."""
        error, found = self.error(row), self.at_heads(row)
        if column is Column.HEADS and found is not None:
            return "\n".join(f"{name}: MSE {short(value)}" for name, value in found.mse.items())
        if column is Column.NOISE and error.expected_mse:
            words = f"own MSE {short(error.own.mse)}, expected of rounding alone {short(error.expected_mse)}"
            if self.broken(row):
                return f"More than rounding explains: {words}. Look at Clipped and Range."
            return f"Ordinary quantization noise: {words}."
        if column in (Column.CLIPPED, Column.RANGE):
            return "\n".join(f"{one.tensor}: up to {short(one.amax)}" for one in error.layer.ranges)
        if column is Column.LAYER:
            return f"{error.layer.name}, gives {error.layer.output}"
        return ""

    def order(self, column: Column | None, *, falling: bool, ticks: frozenset[str]) -> list[int]:
        """The rows by a column, what is undefined last; None: in the graph's order."""
        rows = list(range(len(self.names)))
        if column is None:
            return rows
        if column is Column.KEEP:
            return sorted(rows, key=lambda row: (self.names[row] not in ticks, self.rank[row]))
        if column in WORDS:
            return sorted(rows, key=lambda row: str(self.value(row, column)).lower(), reverse=falling)
        if column is Column.HEADS and falling:
            return sorted(rows, key=lambda row: self.rank[row])
        known = [row for row in rows if _number(self.value(row, column)) is not None]
        known.sort(key=lambda row: _number(self.value(row, column)) or 0.0, reverse=falling)
        return known + [row for row in rows if row not in set(known)]


def percent(value: float | None) -> str:
    """A share in per cent, as short as it can be read: "<0.01 %", "0.52 %", "5.2 %", "52 %"."""
    if value is None or math.isnan(value):
        return DASH
    if 0 < value < 1e-4:
        return "<0.01 %"
    if value == 0 or value >= 0.0995:
        return f"{100 * value:.0f} %"
    return f"{100 * value:.1f} %" if value >= 0.01 else f"{100 * value:.2f} %"


def noise_words(over: float | None) -> str:
    """A layer's own error over the expected one, as the cell says it."""
    if over is None:
        return DASH
    number = f"{over:.1f}{TIMES}" if over < 9.95 else f"{over:.0f}{TIMES}" if over < 999.5 else f">999{TIMES}"
    return f"broken {number}" if over > BROKEN else f"ordinary {number}"


def sentence(rows: LayerRows) -> str:
    """What the measurement comes to: who is to blame, and whether anything is broken."""
    ranked = [row for row in rows.result.ranked() if rows.heads(row)]
    if not ranked:
        return "No layer of this candidate runs in INT8."
    total = sum(rows.heads(row) or 0.0 for row in ranked)
    worst = ranked[0]
    part = (rows.heads(worst) or 0.0) / total
    words = f"{rows.names[worst]} brings {100 * part:.0f} % of the error"
    broken = [row for row in ranked if rows.broken(row)]
    if broken:
        names = ", ".join(rows.names[row] for row in broken[:2])
        more = f" and {len(broken) - 2} more" if len(broken) > 2 else ""
        return f"{words}. More than rounding explains: {names}{more}."
    return f"{words}. All is ordinary quantization noise."


def _number(value: float | str | None) -> float | None:
    return value if isinstance(value, float) and not math.isnan(value) else None
