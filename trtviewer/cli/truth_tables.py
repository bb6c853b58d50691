"""What the truth says, on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from trtviewer.report.sentences import truth_lines

UNDEFINED = "–"

_ROWS = (
    ("AP50", "ap50"),
    ("AP75", "ap75"),
    ("AP50-95", "ap50_95"),
    ("AP50-95 small", "ap50_95_small"),
    ("AP50-95 medium", "ap50_95_medium"),
    ("AP50-95 large", "ap50_95_large"),
    ("precision", "precision"),
    ("recall", "recall"),
)
_CLASSES = 10


def print_truth(out: Console, report: Mapping[str, Any]) -> None:
    """Prints the report's `truth`: AP of both sides, then what the differences are."""
    truth = report["truth"]
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("against truth")
    for heading in ("reference", "candidate", "difference"):
        table.add_column(heading, justify="right")
    for name, key in _ROWS:
        values = [truth[side][key] for side in ("reference", "candidate")]
        table.add_row(name, *map(_share, values), _difference(truth["difference"][key]))
    classes = sorted(truth["by_class"], key=lambda row: -row["objects"])
    for row in classes[:_CLASSES] if len(classes) > 1 else []:
        values = [row[side]["ap50"] for side in ("reference", "candidate")]
        change = None if None in values else values[1] - values[0]
        table.add_row(f"AP50 {escape(row['name'])}", *map(_share, values), _difference(change), style="dim")
    out.print(table)
    for line in truth_lines(report):
        out.print(line, markup=False, soft_wrap=True)


def _share(value: float | None) -> str:
    return UNDEFINED if value is None else f"{value:.4f}"


def _difference(value: float | None) -> str:
    return UNDEFINED if value is None else f"{value:+.4f}"
