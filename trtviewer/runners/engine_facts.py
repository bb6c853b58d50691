"""What is known of an engine: told by its runtime, or recorded beside it where it cannot be opened here."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trtviewer.errors import BadInput, MissingRuntime
from trtviewer.models.engine_file import ENGINE_SUFFIXES
from trtviewer.models.spec import ModelSpec
from trtviewer.models.trust import UntrustedPlan, require_trusted
from trtviewer.runners.trt_module import plugin_libraries
from trtviewer.runners.trt_plan import parse_layer, precision_of
from trtviewer.runners.trt_probe import PlanFacts, probe_once, tried


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """What is known of an engine.

    Attributes:
        facts: its arithmetic and layers; None where nobody has told them. Recorded ones name no runtime.
        trouble: why it was not opened; "" where it was.
        recorded: the file beside it that its layers are from; None where the runtime told them, or nobody did.
    """

    facts: PlanFacts | None
    trouble: str = ""
    recorded: Path | None = None

    def as_report(self) -> dict[str, Any]:
        """For the report of `info`: runtime, precision and layers, null where they are not known."""
        known = (
            {"runtime": None, "precision": None, "layers": None} if self.facts is None else asdict(self.facts)
        )
        return {
            **known,
            "runtime": known["runtime"] or None,
            "trouble": self.trouble or None,
            "recorded": None if self.recorded is None else str(self.recorded),
        }


def is_engine(path: Path) -> bool:
    return path.suffix.lower() in ENGINE_SUFFIXES


def record_path(engine: Path) -> Path:
    """Where the layers of an engine may be recorded: `yolo.engine.layers.json`, as `trtexec --exportLayerInfo` writes it."""
    return engine.with_name(engine.name + ".layers.json")


def engine_facts(spec: ModelSpec) -> EngineFacts | None:
    """Opens an engine in a process of its own, once; None for a model that is none.

    Raises: BadInput: it is no plan, is damaged, or does not fit its sidecar; or what is recorded beside it cannot be read.
    """
    if not is_engine(spec.path):
        return None
    try:
        require_trusted(spec.path)
        return EngineFacts(probe_once(spec, plugin_libraries()))
    except (MissingRuntime, UntrustedPlan) as error:
        # What its file and the record beside it say is known all the same.
        return _recorded(spec.path, str(error))


def known_facts(path: Path, trouble: str = "") -> EngineFacts:
    """As `engine_facts`, but opens nothing: what an earlier try in this process told, else what is recorded.

    Args: trouble: why it could not be opened, for whoever knows.
    Raises: BadInput: it, or what is recorded beside it, cannot be read.
    """
    facts = tried(path, plugin_libraries())
    return EngineFacts(facts) if facts is not None else _recorded(path, trouble)


def _recorded(engine: Path, trouble: str) -> EngineFacts:
    path = record_path(engine)
    if not path.is_file():
        return EngineFacts(None, trouble)
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"cannot be read: {error}", subject=path) from error
    found = said.get("Layers") if isinstance(said, dict) else None
    if not isinstance(found, list):
        raise BadInput(
            "has no list of Layers",
            subject=path,
            advice="write it with trtexec --exportLayerInfo, or take it away",
        )
    layers = tuple(parse_layer(one) for one in found)
    return EngineFacts(PlanFacts("", precision_of(layers), layers), trouble, path)
