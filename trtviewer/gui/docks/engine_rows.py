"""What the table of an engine's layers says: which really run in INT8; no widget in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from trtviewer.errors import BadInput
from trtviewer.gui.docks.figures import DASH
from trtviewer.models.load import load_spec
from trtviewer.models.spec import Family, ModelSpec
from trtviewer.runners.engine_facts import EngineFacts, known_facts, record_path
from trtviewer.runners.trt_plan import EngineLayer

UNSAID = "not said"
_MANY = 3
"""Outputs that a sentence names."""


class Column(IntEnum):
    """The columns of the table, from the left."""

    LAYER = 0
    HOLDS = 1
    KIND = 2
    RUNS_IN = 3
    READS = 4
    WRITES = 5
    TACTIC = 6


HEADINGS = {
    Column.LAYER: (
        "Layer of the engine",
        "Its name; what the builder fused carries the names of all its parts.",
    ),
    Column.HOLDS: ("Holds", "The nodes of the ONNX model that run in it, where the engine says so."),
    Column.KIND: ("Kind", "TensorRT's own word for it."),
    Column.RUNS_IN: ("Runs in", "Its arithmetic: the narrowest type that it reads."),
    Column.READS: ("Reads", "The types of its inputs."),
    Column.WRITES: ("Writes", "The types of its outputs."),
    Column.TACTIC: ("Tactic", "The kernel that the builder chose."),
}


@dataclass(frozen=True, slots=True)
class EngineReading:
    """What is known of one engine.

    Attributes:
        facts: told by its runtime when it was opened, or recorded beside it.
        spec: what its sidecar and metadata say; None where they say too little.
    """

    path: Path
    facts: EngineFacts
    spec: ModelSpec | None

    @property
    def layers(self) -> tuple[EngineLayer, ...]:
        return () if self.facts.facts is None else self.facts.facts.layers


@dataclass(frozen=True, slots=True)
class EngineRequest:
    """Which engine; `trouble` says why it could not be opened, `opened` tells one state of the file from the next."""

    path: Path
    trouble: str = ""
    opened: object = None


def read_engine(request: EngineRequest) -> EngineReading:
    """Opens nothing, but reads files: not for the GUI thread. Raises: BadInput: the engine or its record cannot be read."""
    facts = known_facts(request.path, request.trouble)
    try:
        spec = load_spec(request.path)
    except BadInput:
        spec = None  # what is wrong with it is told where it is opened
    return EngineReading(request.path, facts, spec)


def precision_words(layer: EngineLayer) -> str:
    """What a layer runs in, as the window writes precisions."""
    return layer.precision.upper() or UNSAID


def counts(layers: tuple[EngineLayer, ...]) -> dict[str, int]:
    """How many layers run in what, the most first."""
    return dict(Counter(precision_words(layer) for layer in layers).most_common())


def text(layer: EngineLayer, column: Column) -> str:
    """What the cell says."""
    return {
        Column.LAYER: layer.name,
        Column.HOLDS: ", ".join(layer.onnx) or DASH,
        Column.KIND: layer.kind or DASH,
        Column.RUNS_IN: precision_words(layer),
        Column.READS: _types(layer.inputs),
        Column.WRITES: _types(layer.outputs),
        Column.TACTIC: layer.tactic or DASH,
    }[column]


def tip(layer: EngineLayer, column: Column) -> str:
    """The whole of what a cell may have cut short."""
    if column is Column.HOLDS and layer.onnx:
        return "\n".join(layer.onnx)
    if column is Column.LAYER:
        return "\n".join(part for part in (layer.name, layer.kind, layer.tactic) if part)
    return layer.tactic if column is Column.TACTIC and layer.tactic else HEADINGS[column][1]


def sentence(reading: EngineReading) -> str:
    """Which layers really run in INT8, and who says so."""
    layers, name = reading.layers, reading.path.name
    found = counts(layers)
    unsaid = found.pop(UNSAID, 0)
    if not found:
        return (
            f"{name} tells the names of its {len(layers)} layers and no more: it was built without detailed profiling "
            "verbosity. Build it with trtviewer build, or trtexec --profilingVerbosity=detailed."
        )
    int8 = found.pop("INT8", 0)
    rest = ", ".join(f"{count} in {precision}" for precision, count in found.items())
    more = f", {unsaid} do not say" if unsaid else ""
    head = f"{int8 or 'None'} of the {len(layers)} layers of {name} {'runs' if int8 < 2 else 'run'} in INT8"
    return f"{head}{f', {rest}' if rest else ''}{more} ({_told_by(reading.facts)})."


def unknown_words(reading: EngineReading) -> str:
    """Where nobody has told the layers: why, what is known beside the engine, and what would tell them."""
    name = reading.path.name
    why = reading.facts.trouble.removeprefix(f"{reading.path}: ")
    lines = [f"Not opened: {name} {why}." if why else f"The layers of {name} are known once it has run."]
    spec = reading.spec
    if spec is not None and spec.input is not None and spec.family is not Family.NONE:
        height, width = spec.input.size
        outputs = ", ".join(head.output for head in spec.heads[:_MANY])
        more = f" and {len(spec.heads) - _MANY} more" if len(spec.heads) > _MANY else ""
        lines.append(
            f"Beside it is said: {spec.family}, {width} × {height}, {len(spec.classes)} classes, outputs {outputs}{more}."
        )
    lines.append(
        f"Where it opens, trtexec --loadEngine={name} --exportLayerInfo={record_path(reading.path).name} records its layers: "
        "with that file beside it they are shown here."
    )
    return "\n".join(lines)


def _told_by(facts: EngineFacts) -> str:
    if facts.recorded is not None:
        return f"recorded in {facts.recorded.name}"
    return facts.facts.runtime if facts.facts is not None else ""


def _types(types: tuple[str, ...]) -> str:
    return ", ".join(dict.fromkeys(one.upper() for one in types if one)) or DASH
