"""The sidecar `<model>.toml`: what a model's file cannot say about itself, read strictly and written complete in itself."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from trtviewer.atomic import write_text
from trtviewer.errors import BadInput
from trtviewer.models.sidecar_keys import HEAD_KEYS, INPUT_KEYS, OUTPUT_KEYS, TOP_KEYS, check_table
from trtviewer.models.spec import Family, HeadSpec, InputSpec, ModelSpec, Resize

_RECORDING = "outputs.toml"


@dataclass(frozen=True, slots=True)
class SidecarInput:
    """The keys of `[input]`; None where the sidecar does not speak."""

    colour: str | None = None
    pixel_scale: float | None = None
    mean: tuple[float, float, float] | None = None
    std: tuple[float, float, float] | None = None
    resize: Resize | None = None
    pad: int | None = None
    layout: str | None = None
    size: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class SidecarHead:
    """The keys of one `[[head]]`; None where the sidecar does not speak. `decoded` is for yolox: boxes are pixels already."""

    output: str
    stride: int | None = None
    box: str | None = None
    scale_xy: float | None = None
    anchors: tuple[tuple[float, float], ...] | None = None
    layout: str | None = None
    decoded: bool | None = None


@dataclass(frozen=True, slots=True)
class RecordedOutput:
    """One `[[output]]` of a recording's `outputs.toml`: the arrays that its files hold."""

    name: str
    shape: tuple[int, ...]
    dtype: str = "float32"
    layout: str | None = None


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What a sidecar says; every part is optional.

    Attributes:
        path: the file, for messages; None where the values are from elsewhere (a dialog).
        outputs: only in the `outputs.toml` of recorded outputs.
    """

    path: Path | None = None
    family: Family | None = None
    classes: tuple[str, ...] | None = None
    input: SidecarInput = field(default_factory=SidecarInput)
    heads: tuple[SidecarHead, ...] = ()
    outputs: tuple[RecordedOutput, ...] = ()

    def head(self, output: str) -> SidecarHead | None:
        """What is said of that output, if anything."""
        return next((head for head in self.heads if head.output == output), None)

    def over(self, other: Sidecar) -> Sidecar:
        """Both together; where both speak, this one is heard. Heads and outputs are taken whole from whoever lists any."""
        own_input = {item.name: getattr(self.input, item.name) for item in fields(SidecarInput)}
        spoken = {name: value for name, value in own_input.items() if value is not None}
        return Sidecar(
            self.path or other.path,
            self.family or other.family,
            self.classes or other.classes,
            replace(other.input, **spoken),
            self.heads or other.heads,
            self.outputs or other.outputs,
        )


def sidecar_path(model_path: Path) -> Path:
    """Where the sidecar of a model is: `yolov4-tiny.onnx` has `yolov4-tiny.toml`, a folder of recorded outputs has `outputs.toml` in it."""
    return model_path / _RECORDING if model_path.is_dir() else model_path.with_suffix(".toml")


def read_sidecar(path: Path) -> Sidecar:
    """Reads a sidecar, or a recording's `outputs.toml`.

    Raises:
        BadInput: it cannot be read, is no TOML, or has faults; all of them are told at once, a misspelt key or value with the nearest right one.
    """
    document = _document(path)
    faults: list[str] = []
    top = check_table(document, TOP_KEYS, "", faults)
    table = check_table(_table(document, "input", faults), INPUT_KEYS, "input", faults)
    heads = [
        SidecarHead(**values) for values in _tables(document, "head", HEAD_KEYS, "output", faults) if values
    ]
    outputs = [
        RecordedOutput(**values)
        for values in _tables(document, "output", OUTPUT_KEYS, "name", faults)
        if "shape" in values
    ]
    if "output" in document and path.name != _RECORDING:
        faults.append(
            f"[[output]] belongs only in the {_RECORDING} of recorded outputs; a model has [[head]]"
        )
    classes = top.get("classes")
    if isinstance(classes, str):
        classes = _class_file(path.parent / classes, faults)
    if faults:
        raise BadInput("; ".join(faults), subject=path)
    return Sidecar(path, top.get("family"), classes, SidecarInput(**table), tuple(heads), tuple(outputs))


def write_sidecar(path: Path, spec: ModelSpec) -> None:
    """Writes the sidecar of `spec` to `path`, complete in itself: class names as a list, everything written out.

    One that is there already and says the same, word for word or with defaults left out, is left as it is.

    Raises:
        BadInput: there is one with other contents; or it cannot be written.
    """
    text = sidecar_text(spec)
    if path.exists():
        if _says_the_same(path, text, spec):
            return
        raise BadInput(
            "is there already, with other contents, and is not overwritten",
            subject=path,
            advice="remove it, or choose another name for the output",
        )
    write_text(path, text)


def sidecar_text(spec: ModelSpec) -> str:
    """The complete sidecar of `spec`; the same text for the same spec."""
    lines = [] if spec.family is Family.NONE else [f"family = {_toml(spec.family.value)}"]
    if spec.classes:
        lines += ["classes = [", *(f"    {_toml(name)}," for name in spec.classes), "]"]
    if spec.input is not None:
        lines += ["", "[input]", *_pairs(spec.input, (item.name for item in fields(SidecarInput)))]
    for head in spec.heads:
        lines += ["", "[[head]]", *_pairs(head, _head_keys(spec.family, head))]
    return "\n".join(lines).lstrip("\n") + "\n"


def _head_keys(family: Family, head: HeadSpec) -> list[str]:
    keys = ["output"]
    if head.stride is not None:
        keys.append("stride")
    if family is Family.YOLO_ANCHOR:
        keys += ["box", "scale_xy", "anchors"]
    if family is Family.YOLOX:
        keys.append("decoded")
    return [*keys, "layout"] if head.layout else keys


def _pairs(holder: InputSpec | HeadSpec, names: Iterable[str]) -> list[str]:
    return [f"{name} = {_toml(getattr(holder, name))}" for name in names]


def _toml(value: Any) -> str:
    if isinstance(value, str):
        return '"' + "".join(_ESCAPES.get(letter, letter) for letter in value) + '"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        # A whole number is written as one, which reads better among anchors; repr gives back the very same float.
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return str(value)


_ESCAPES = {chr(code): f"\\u{code:04x}" for code in (*range(0x20), 0x7F)} | {'"': '\\"', "\\": "\\\\"}


def _says_the_same(path: Path, text: str, spec: ModelSpec) -> bool:
    try:
        if path.read_bytes() == text.encode():
            return True
        there = read_sidecar(path)
    except (OSError, BadInput):
        return False
    family = None if spec.family is Family.NONE else spec.family
    if there.family != family or (there.classes or ()) != spec.classes or len(there.heads) != len(spec.heads):
        return False
    if spec.input is not None and not _agrees(there.input, spec.input, InputSpec("", (0, 0))):
        return False
    by_name = {head.output: head for head in there.heads}
    return all(
        head.output in by_name and _agrees(by_name[head.output], head, HeadSpec("", ()))
        for head in spec.heads
    )


def _agrees(
    said: SidecarInput | SidecarHead, meant: InputSpec | HeadSpec, default: InputSpec | HeadSpec
) -> bool:
    """Whether what is said, with defaults for what is not, is what is meant; layout, size and stride are seen from the model."""
    for item in fields(said):
        value = getattr(said, item.name)
        if value is None and item.name in ("layout", "size", "stride"):
            continue
        if (getattr(default, item.name) if value is None else value) != getattr(meant, item.name):
            return False
    return True


def _document(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadInput("does not exist", subject=path) from error
    except UnicodeDecodeError as error:
        raise BadInput("is not a text in UTF-8", subject=path) from error
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror or error}", subject=path) from error
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"is not TOML: {error}", subject=path) from error


def _table(document: dict[str, Any], name: str, faults: list[str]) -> dict[str, Any]:
    value = document.get(name, {})
    if isinstance(value, dict):
        return value
    faults.append(f"{name} must be a table, [{name}]")
    return {}


def _tables(
    document: dict[str, Any], name: str, keys: Any, identity: str, faults: list[str]
) -> list[dict[str, Any]]:
    value = document.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        faults.append(f"{name} must be a list of tables, [[{name}]]")
        return []
    checked = []
    seen: set[str] = set()
    for number, item in enumerate(value):
        values = check_table(item, keys, f"{name}[{number}]", faults)
        if identity not in item:
            faults.append(f"{name}[{number}] needs {identity}")
        elif identity in values and values[identity] in seen:
            faults.append(f'{name}[{number}]: {identity} "{values[identity]}" is there twice')
        if name == "output" and "shape" not in item:
            faults.append(f"{name}[{number}] needs shape")
        if identity in values:
            seen.add(values[identity])
            checked.append(values)
    return checked


def _class_file(path: Path, faults: list[str]) -> tuple[str, ...]:
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except FileNotFoundError:
        faults.append(f"classes: there is no file {path}")
        return ()
    except (OSError, UnicodeDecodeError) as error:
        faults.append(f"classes: {path} cannot be read: {error}")
        return ()
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        faults.append(f"classes: {path} names no class")
    if "" in lines:
        # Left out, it would move every later class by one.
        faults.append(f"classes: line {lines.index('') + 1} of {path} is empty")
    return tuple(lines)
