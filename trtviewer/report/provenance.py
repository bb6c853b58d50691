"""What made a report, so that it can be made again: versions, machine, and the models' SHA-256."""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from trtviewer import __version__
from trtviewer.errors import BadInput
from trtviewer.evidence_files import recorded_hash, recorded_side

_PACKAGES = (
    "numpy",
    "opencv-python",
    "opencv-python-headless",
    "av",
    "onnx",
    "onnxruntime",
    "onnxruntime-gpu",
    "tensorrt",
)


def versions() -> dict[str, str]:
    """Name to version of the program, of Python, of the machine, and of the packages that figures depend on."""
    found = {
        "trtviewer": __version__,
        "Python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue  # not every machine has all of them
    return found


def sha256(path: Path) -> str | None:
    """Of a model's file; None of a folder. Raises: BadInput: it cannot be read any more."""
    folder = recorded_side(path)
    if folder.is_dir():
        return None if folder == path else recorded_hash(folder)
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror or error}", subject=path) from error
