"""What is known of an engine, as `info` prints it: its arithmetic, and each layer's precision."""

from __future__ import annotations

from collections import Counter

from rich.markup import escape
from rich.table import Table

from trtviewer.cli.progress import console
from trtviewer.runners.engine_facts import EngineFacts

_NOT_SAID = "not said"


def print_engine(engine: EngineFacts) -> None:
    """How many layers run in each precision, and every layer."""
    out = console()
    if engine.trouble:
        out.print(f"not opened: {escape(engine.trouble)}")
    facts = engine.facts
    if facts is None:
        return
    told_by = f"recorded in {engine.recorded.name}" if engine.recorded is not None else facts.runtime
    counts = Counter(layer.precision or _NOT_SAID for layer in facts.layers)
    shown = ", ".join(f"{count} {precision}" for precision, count in counts.most_common())
    out.print(f"{escape(told_by)}, {facts.precision}: {len(facts.layers)} layers, {shown}")
    table = Table(box=None, pad_edge=False)
    for heading in ("layer", "kind", "precision"):
        table.add_column(heading, overflow="fold")
    for layer in facts.layers:
        table.add_row(escape(layer.name), escape(layer.kind), layer.precision or _NOT_SAID)
    out.print(table)
