"""What an engine tells of itself once its runtime has opened it: its arithmetic, and each layer's precision."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from rich.markup import escape
from rich.table import Table

from trtviewer.cli.progress import console
from trtviewer.errors import MissingRuntime
from trtviewer.models.engine_file import ENGINE_SUFFIXES
from trtviewer.models.spec import ModelSpec
from trtviewer.models.trust import UntrustedPlan, require_trusted
from trtviewer.runners.trt_module import plugin_libraries
from trtviewer.runners.trt_probe import PlanFacts, probe_once

_NOT_SAID = "not said"


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """What opening told, or why it was not opened: `trouble`."""

    facts: PlanFacts | None
    trouble: str = ""

    def as_report(self) -> dict[str, Any]:
        """For the report of `info`: runtime, precision and layers, null where it was not opened."""
        if self.facts is None:
            return {"runtime": None, "precision": None, "layers": None, "trouble": self.trouble}
        return {**asdict(self.facts), "trouble": None}


def engine_facts(spec: ModelSpec) -> EngineFacts | None:
    """Opens an engine in a process of its own; None for a model that is none.

    Raises: BadInput: it is no plan, is damaged, or does not fit its sidecar.
    """
    if spec.path.suffix.lower() not in ENGINE_SUFFIXES:
        return None
    try:
        require_trusted(spec.path)
        return EngineFacts(probe_once(spec, plugin_libraries()))
    except (MissingRuntime, UntrustedPlan) as error:
        # What its file says is known all the same.
        return EngineFacts(None, str(error))


def print_engine(engine: EngineFacts) -> None:
    """How many layers run in each precision, and every layer."""
    out = console()
    if engine.facts is None:
        out.print(f"not opened: {escape(engine.trouble)}")
        return
    facts = engine.facts
    counts = Counter(layer.precision or _NOT_SAID for layer in facts.layers)
    shown = ", ".join(f"{count} {precision}" for precision, count in counts.most_common())
    out.print(f"{facts.runtime}, {facts.precision}: {len(facts.layers)} layers, {shown}")
    table = Table(box=None, pad_edge=False)
    for heading in ("layer", "kind", "precision"):
        table.add_column(heading, overflow="fold")
    for layer in facts.layers:
        table.add_row(escape(layer.name), escape(layer.kind), layer.precision or _NOT_SAID)
    out.print(table)
