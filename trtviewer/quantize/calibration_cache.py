"""TensorRT's calibration caches: the text file that a calibrator of TensorRT 4 to 10 leaves, read and written.

    TRT-8601-EntropyCalibration2
    images: 3c010a14

The number is the float32 scale (range / 127) by its bits, big-endian, in hexadecimal.
Source: NVIDIA/TensorRT, samples/sampleINT8 (README).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from trtviewer import atomic
from trtviewer.errors import BadInput
from trtviewer.quantize.graph import Network
from trtviewer.quantize.layout import plan
from trtviewer.quantize.methods import Method

_HEADER = re.compile(r"TRT-\d+-\w+")
_LINE = re.compile(r"(?P<tensor>.+): *(?P<bits>[0-9A-Fa-f]{1,8})")
_ALGORITHMS = {Method.MINMAX: "MinMaxCalibration"}
_VERSION = "TRT-8601"
"""TensorRT asks that version and algorithm be its own, or calibrates again: whoever feeds an older one edits the first line."""


@dataclass(frozen=True, slots=True)
class CalibrationTable:
    """What a cache says.

    Attributes:
        header: its first line, "TRT-8601-EntropyCalibration2".
        scales: by tensor, above 0 and to the bit.
        dead: tensors whose scale is 0: nothing but zeros came by, and no pair can be made of that.
    """

    header: str
    scales: Mapping[str, np.float32]
    dead: tuple[str, ...] = ()


def read_table(path: Path) -> CalibrationTable:
    """Reads a calibration cache.

    Raises: BadInput: it cannot be read, is not one, or a line of it is not a tensor and its scale; the line is named.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror or error}", subject=path) from error
    except UnicodeDecodeError as error:
        raise BadInput("is not a calibration table: it is not text", subject=path) from error
    if not lines or not _HEADER.fullmatch(lines[0].strip()):
        raise BadInput(
            "is not a TensorRT calibration table",
            subject=path,
            advice="its first line would be like TRT-8601-EntropyCalibration2",
        )
    scales: dict[str, np.float32] = {}
    dead = []
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        # Names may hold ": " themselves ("(Unnamed Layer* 3) [Convolution]_output: 3c01" has none, others do): the last one counts.
        matched = _LINE.fullmatch(line.strip())
        scale = np.uint32(int(matched["bits"], 16)).view(np.float32) if matched else np.float32(np.nan)
        if matched is None or not np.isfinite(scale) or scale < 0:
            raise BadInput(
                f"line {number} is not a tensor and its scale: '{line.strip()[:60]}'",
                subject=path,
                advice="copy the file again; each line is NAME: eight hexadecimal digits",
            )
        if scale == 0:
            dead.append(matched["tensor"])
        else:
            scales[matched["tensor"]] = scale
    if not scales:
        raise BadInput("has no scale in it", subject=path)
    return CalibrationTable(lines[0].strip(), scales, tuple(dead))


def write_table(path: Path, scales: Mapping[str, np.float32], method: Method) -> None:
    """Writes a cache with these scales, whole or not at all. Raises: BadInput: `path` cannot be written."""
    header = f"{_VERSION}-{_ALGORITHMS.get(method, 'EntropyCalibration2')}"
    lines = [header, *(f"{tensor}: {bits_of(scale)}" for tensor, scale in scales.items())]
    atomic.write_text(path, "\n".join(lines) + "\n")


def bits_of(scale: np.float32) -> str:
    """A scale as the cache writes it: 0.0078759 is 3c010a14."""
    return f"{int(np.float32(scale).view(np.uint32)):08x}"


def scales_for(
    network: Network, table: CalibrationTable, path: Path, keep_float: Collection[str] = ()
) -> dict[str, np.float32]:
    """The table's scales of the tensors that INT8 needs; those that it lacks are left out.

    Raises: BadInput: it has none of them: it was made of another model, or with other names, and which match best is told.
    """
    needed = plan(network, keep_float).tensors
    found = {name: table.scales[name] for name in needed if name in table.scales}
    if not found:
        pairs = [(name, near[0]) for name in needed if (near := get_close_matches(name, table.scales, n=1))]
        shown = "; ".join(f"its '{theirs}' is most like the model's '{ours}'" for ours, theirs in pairs[:2])
        example = next(iter(table.scales))
        raise BadInput(
            f"has none of the {len(needed)} tensors that {network.path.name} quantizes",
            subject=path,
            advice=shown
            or f"its names are like '{example}', the model's like '{needed[-1]}': it is of another model",
        )
    return found
