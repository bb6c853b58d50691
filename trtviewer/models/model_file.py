"""What a model's file says by itself: its inputs, its outputs, its metadata."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trtviewer.models.spec import Precision

UNKNOWN_DIM = -1


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or an output. `shape` has -1 where a length is not known; `dtype` is numpy's name."""

    name: str
    shape: tuple[int, ...]
    dtype: str = "float32"

    def __str__(self) -> str:
        lengths = ", ".join("?" if length == UNKNOWN_DIM else str(length) for length in self.shape)
        return f"{self.name} [{lengths}]"


@dataclass(frozen=True, slots=True)
class Metadata:
    """What an exporter (Ultralytics) wrote into the file.

    Attributes:
        names: the classes; None where it does not say.
        size: height and width that it was exported for; None where it does not say.
        task: "detect", "segment"...; empty where it does not say.
        end2end: the network chooses its boxes itself.
        precision: what an engine was built for.
    """

    names: tuple[str, ...] | None = None
    size: tuple[int, int] | None = None
    task: str = ""
    end2end: bool = False
    precision: Precision = Precision.UNKNOWN


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model's file as it was read; its weights are not kept."""

    path: Path
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    metadata: Metadata
    precision: Precision


def parse_metadata(values: Mapping[str, Any]) -> Metadata:
    """Reads Ultralytics' metadata; what is not in its form counts as not said (other exporters use the same keys for other things).

    Args:
        values: an ONNX's properties, all texts with Python literals; or an engine's JSON, where class ids are texts.
    """
    read = {key: _literal(value) for key, value in values.items()}
    built_with = read.get("args")
    return Metadata(
        names=_names(read.get("names")),
        size=_size(read.get("imgsz")),
        task=str(read.get("task") or ""),
        end2end=read.get("end2end") is True,
        precision=_precision(built_with if isinstance(built_with, dict) else {}),
    )


def _literal(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return value


def _names(value: Any) -> tuple[str, ...] | None:
    if isinstance(value, dict):
        by_id = {str(key): name for key, name in value.items()}
        value = [by_id.get(str(index)) for index in range(len(by_id))]
    if isinstance(value, list | tuple) and value and all(isinstance(name, str) and name for name in value):
        return tuple(value)
    return None


def _size(value: Any) -> tuple[int, int] | None:
    sides = [value, value] if isinstance(value, int) else value
    if isinstance(sides, list | tuple) and len(sides) == 2 and all(isinstance(side, int) for side in sides):
        return (int(sides[0]), int(sides[1])) if min(sides) > 0 else None
    return None


def _precision(arguments: Mapping[str, Any]) -> Precision:
    if arguments.get("int8") is True:
        return Precision.INT8
    return Precision.FP16 if arguments.get("half") is True else Precision.UNKNOWN
