"""Checks uses of TensorRT's API against the bindings that can be imported here: `python trt_bindings_check.py MODULE < uses.json`.

Runs with stub libraries, so nothing is called: names are looked up, and signatures read from pybind's docstrings. Prints one line for each fault.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
from typing import Any


def faults(module: Any, uses: list[dict[str, Any]], asked_for: set[str]) -> list[str]:
    """What of `uses` this module does not have, or has with another signature."""
    found = []
    for use in uses:
        holder, _, name = use["name"].rpartition(".")
        owner = _look_up(module, holder)
        item = None if owner is None else getattr(owner, name, None)
        if item is None:
            if not (asked_for & {use["name"], holder}):
                found.append(f"{use['name']} is not there ({use['source']})")
            continue
        wrong = _wrong(use, owner, item)
        if wrong:
            found.append(f"{use['name']} {wrong} ({use['source']})")
    return found


def _look_up(module: Any, dotted: str) -> Any:
    item = module
    for name in filter(None, dotted.split(".")):
        item = getattr(item, name, None)
    return item


def _wrong(use: dict[str, Any], owner: Any, item: Any) -> str:
    if use["kind"] == "set" and isinstance(item, property) and item.fset is None:
        return "cannot be set"
    if use["kind"] == "set" and not isinstance(item, (property, type)):
        return "is no property"
    if use["kind"] == "call":
        text = item.__init__.__doc__ if isinstance(item, type) else item.__doc__
        overloads = signatures(text or "", "__init__" if isinstance(item, type) else item.__name__)
        if not overloads:
            return "tells no signature"
        if not any(_fits(overload, use) for overload in overloads):
            return f"takes {overloads}, and is called with {use['positional']} {use['keywords']}"
    return ""


def signatures(text: str, name: str) -> list[list[tuple[str, bool]]]:
    """Each overload's parameters without self: name, and whether it has a default."""
    found = []
    for line in text.splitlines():
        matched = re.match(rf"\s*(?:\d+\. )?{re.escape(name)}\((.*)\)(?: -> .*)?$", line)
        if matched and "*args" not in matched[1]:
            parameters = [_parameter(part) for part in _split(matched[1]) if part]
            found.append([parameter for parameter in parameters if parameter[0] != "self"])
    return found


def _parameter(text: str) -> tuple[str, bool]:
    name = re.match(r"\s*\*{0,2}(\w+)", text)
    return (name[1] if name else text, "=" in re.sub(r"<[^>]*>", "", text))


def _split(text: str) -> list[str]:
    """Splits at commas that are in no bracket."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "[(<{") - (letter in "])>}")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _fits(overload: list[tuple[str, bool]], use: dict[str, Any]) -> bool:
    names = [name for name, _ in overload]
    left = overload[use["positional"] :]
    needed = {name for name, default in left if not default}
    given = set(use["keywords"])
    return use["positional"] <= len(names) and needed <= given <= {name for name, _ in left}


if __name__ == "__main__":
    said = json.load(sys.stdin)
    loaded = importlib.import_module(sys.argv[1])
    wanted = [
        use
        for use in said["uses"]
        if use["where"] == "tensorrt"
        or (use["where"] == "legacy" and hasattr(loaded.BuilderFlag, "INT8"))
        or (use["where"] == "tensorrt_rtx" and hasattr(loaded, "ComputeCapability"))
    ]
    print(json.dumps({
        "version": loaded.__version__,
        "checked": len(wanted),
        "faults": faults(loaded, wanted, set(said["asked_for"])),
    }))  # fmt: skip
