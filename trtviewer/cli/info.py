"""What was understood of a model, each value with its origin: sidecar, metadata, model, shapes or default."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from trtviewer import __version__
from trtviewer.atomic import require_writable, write_text
from trtviewer.cli.engine_table import print_engine
from trtviewer.cli.options import add_engine_options
from trtviewer.cli.progress import console
from trtviewer.models.load import load_spec
from trtviewer.models.spec import Family, HeadSpec, ModelSpec, Resize
from trtviewer.runners.engine_facts import engine_facts

SCHEMA = "trtviewer.info/1"

_INPUT = ("name", "size", "dtype", "layout", "colour", "pixel_scale", "mean", "std", "resize", "pad")
_SHOWN_CLASSES = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="MODEL", help="a model, or a folder of recorded outputs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all of it as JSON")
    add_engine_options(parser)


def run(arguments: argparse.Namespace) -> int:
    if arguments.json is not None:
        require_writable(arguments.json)
    spec = load_spec(arguments.model)
    engine = engine_facts(spec)
    if arguments.json is not None:
        report = as_report(spec) | ({} if engine is None else {"engine": engine.as_report()})
        write_text(arguments.json, json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    _print(spec)
    if engine is not None:
        print_engine(engine)
    return 0


def as_report(spec: ModelSpec) -> dict[str, Any]:
    """Everything by the schema `trtviewer.info/1`; `origins` by dotted name."""
    given = spec.input
    return {
        "schema": SCHEMA,
        "version": __version__,
        "path": str(spec.path),
        "family": spec.family.value,
        "precision": spec.precision.value,
        "classes": list(spec.classes),
        "input": None if given is None else {name: _plain(getattr(given, name)) for name in _INPUT},
        "heads": [
            {"output": head.output, "shape": list(head.shape)}
            | {name: _plain(getattr(head, name)) for name in _head_values(spec.family, head)}
            for head in spec.heads
        ],
        "origins": {name: origin.value for name, origin in spec.origins.items()},
    }


def _head_values(family: Family, head: HeadSpec) -> tuple[str, ...]:
    """What can be said of a head of that family, besides its name and shape."""
    return {
        Family.YOLO_ANCHOR: ("layout", "stride", "anchors", "box", "scale_xy"),
        Family.YOLOX: ("layout", "decoded"),
        Family.END2END: (),
        Family.NONE: ("layout", "stride") if head.stride is not None else ("layout",),
    }.get(family, ("layout",))


def _plain(value: Any) -> Any:
    if isinstance(value, Resize):
        return value.value
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _print(spec: ModelSpec) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("what", "value", "from"):
        table.add_column(heading, overflow="fold")
    for name, value in _rows(spec):
        origin = spec.origins.get(name)
        table.add_row(escape(name), escape(value), "" if origin is None else origin.value)
    out = console()
    out.print(escape(str(spec.path)))
    out.print(table)


def _rows(spec: ModelSpec) -> list[tuple[str, str]]:
    """Name and value, as a reader wants them; the names are those of `origins`."""
    rows = [
        (
            "family",
            spec.family.value if spec.family is not Family.NONE else "none: only tensors are compared",
        ),
        ("precision", spec.precision.value),
    ]
    if spec.classes:
        rows.append(("classes", _classes(spec.classes)))
    if spec.input is not None:
        rows += [
            (f"input.{name}", _text(name, getattr(spec.input, name)))
            for name in _INPUT
            if name != "name" or spec.input.name
        ]
    for head in spec.heads:
        for name in ("shape", *_head_values(spec.family, head)):
            rows.append((f"head.{head.output}.{name}", _text(name, getattr(head, name))))
    return rows


def _classes(names: tuple[str, ...]) -> str:
    more = ", ..." if len(names) > _SHOWN_CLASSES else ""
    return f"{len(names)}: {', '.join(names[:_SHOWN_CLASSES])}{more}"


def _text(name: str, value: Any) -> str:
    if name == "size":
        return "{} x {} (height x width)".format(*value)
    if name == "shape":
        return "[" + ", ".join("?" if length < 0 else str(length) for length in value) + "]"
    if name == "anchors":
        return ", ".join(f"{width:g}x{height:g}" for width, height in value)
    if isinstance(value, tuple):
        return ", ".join(f"{item:g}" for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return "1/255" if value == 1 / 255 else f"{value:.9g}"
    return str(value)
