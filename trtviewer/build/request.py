"""What is to be built, how far a build is, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType


class Runtime(StrEnum):
    """For which runtime an engine is built."""

    TENSORRT = "tensorrt"
    TENSORRT_RTX = "tensorrt-rtx"


@dataclass(frozen=True, slots=True)
class LegacyInt8:
    """INT8 as TensorRT 10 and older made it: ranges from a calibration table, and layers forced to float.

    Attributes:
        scales: network tensor to its scale (range / 127), as a calibration table has them.
        keep_float: names of ONNX nodes whose layers stay in float32.
    """

    scales: Mapping[str, float]
    keep_float: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """One build.

    Attributes:
        model: the ONNX file.
        runtime: for which runtime.
        shapes: input name to the fixed shape that an open one gets; inputs of a fixed shape need none.
        plugins: libraries with plugins, loaded before the model is read; TensorRT only.
        tf32: whether float32 products may be rounded to 10 bits of mantissa; off, since an FP32 engine is a reference.
        compute_capabilities: for TensorRT for RTX, "8.6" and so on; empty for all that it builds for by itself.
        legacy_int8: for TensorRT 10 only; None for a strongly typed engine, whose precisions are those of the graph.
    """

    model: Path
    runtime: Runtime = Runtime.TENSORRT
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: MappingProxyType({}))
    plugins: tuple[Path, ...] = ()
    tf32: bool = False
    compute_capabilities: tuple[str, ...] = ()
    legacy_int8: LegacyInt8 | None = None


@dataclass(frozen=True, slots=True)
class BuildProgress:
    """How far a build is: what it is at, in the builder's own words, and the share that is done, 0..1; it never falls."""

    phase: str
    share: float


@dataclass(frozen=True, slots=True)
class BuiltEngine:
    """What was built.

    Attributes:
        path: the engine; its sidecar and its SHA-256 are beside it.
        builder: "TensorRT 10.13.3" or "TensorRT for RTX 1.7.1".
        layers: layers of the network as it was read.
        size: bytes of the engine.
        seconds: how long reading and building took.
        warnings: what the builder warned of, each once.
    """

    path: Path
    builder: str
    layers: int
    size: int
    seconds: float
    warnings: tuple[str, ...] = ()
