"""What ticks layers at once, and what is ticked, in words."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from trtviewer.gui.docks.figures import tabular
from trtviewer.gui.docks.layer_rows import LayerRows, percent
from trtviewer.gui.docks.parts import fade, menu_button, row, sentence_label
from trtviewer.gui.theme import Theme
from trtviewer.gui.view_model import Requests
from trtviewer.gui.what_if.state import FindFewest, WhatIfState

WORST = 5
MOST_MISSED = 0.02
"""The goal of the search: what may still be missed, as a share of what the reference finds."""
_ENTRIES = (
    ("worst", f"The {WORST} worst"),
    ("first_heads", "First layers and heads"),
    ("broken", "Those that rounding does not explain"),
    ("shown", "As in this candidate"),
    ("none", "None"),
)


class LayerTicks(QWidget):
    """A menu of whole sets of ticks, with their number and what they leave in INT8 beside it."""

    def __init__(self, state: WhatIfState, requests: Requests) -> None:
        super().__init__()
        self._state = state
        self._rows: LayerRows | None = None
        self.tick, menu = menu_button("layers.tick", "Tick", "Ticks layers to keep in float.")
        for name, words in _ENTRIES:
            action = menu.addAction(words)
            action.setObjectName(f"layers.tick.{name}")
            action.triggered.connect(lambda _=False, name=name: self._tick(name))
        menu.addSeparator()
        fewest = menu.addAction(f"The fewest that leave {100 * MOST_MISSED:g} % missed (search)")
        fewest.setObjectName("layers.tick.fewest")
        fewest.triggered.connect(lambda: requests.what_if.emit(FindFewest(MOST_MISSED)))
        self.words = sentence_label("layers.kept")
        tabular(self.words)
        self.setLayout(row((self.tick, self.words), wide=self.words))

    def show_rows(self, rows: LayerRows | None) -> None:
        """Says what is ticked of these layers."""
        self._rows = rows
        self.tick.setEnabled(rows is not None)
        self.words.setText(self._words())
        self.words.setToolTip(", ".join(sorted(self._state.ticks)))

    def set_theme(self, theme: Theme) -> None:
        fade(theme, self.words)

    def _words(self) -> str:
        ticks, rows = self._state.ticks, self._rows
        added = sum(len(part.frames) for part in self._state.extra)
        more = f", {added} frames added" if added else ""
        if not ticks:
            return f"All layers in INT8{more}"
        left = None if rows is None else rows.int8_share(ticks)
        macs = "" if left is None else f", {percent(left)} MACs INT8"
        return f"{len(ticks)} float{macs}{more}"

    def _tick(self, which: str) -> None:
        """Ticks the layers that an entry of the menu means."""
        rows, finding = self._rows, self._state.layers
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
