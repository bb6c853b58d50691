"""A file that ships with the program, found in a checkout, in an installed wheel, or in a frozen program."""

from __future__ import annotations

import sys
from pathlib import Path


def resource(*parts: str) -> Path:
    """The path of a shipped file or folder, `resource("demo", "detector.onnx")`; it may not exist.

    A wheel carries the checkout's `resources/` inside the package, a frozen program in its bundle.
    """
    return _root().joinpath(*parts)


def readme() -> Path:
    """The README: above `resources/` in a checkout, in it where the program is installed or frozen."""
    inside = resource("README.md")
    return inside if inside.is_file() else _root().parent / "README.md"


def _root() -> Path:
    package = Path(__file__).resolve().parent
    frozen = getattr(sys, "_MEIPASS", None)
    if frozen is not None:
        return Path(frozen) / "resources"
    installed = package / "_resources"
    return installed if installed.is_dir() else package.parent / "resources"
