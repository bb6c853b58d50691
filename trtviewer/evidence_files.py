"""An evidence bundle as files: one zip of pictures and recorded outputs, unpacked once and checked against its own hashes.

`e.zip` is then a source, `e.zip/reference` and `e.zip/candidate` are recorded models: see `report/bundle.py`, which writes it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
import time
import zipfile
import zlib
from pathlib import Path, PureWindowsPath
from typing import Any

from trtviewer.errors import BadInput
from trtviewer.places import cache_folder

SCHEMA = "trtviewer.bundle/1"
MANIFEST = "manifest.json"
SIDES = ("reference", "candidate")

_SUFFIX = ".zip"
_NAMES = re.compile(
    r"manifest\.json|report\.json|frames/[\w-]+\.png|(reference|candidate)/(outputs\.toml|[\w-]+\.npz)"
)
_MOST_BYTES = 16 << 30
_UNUSED_DAYS = 30


def is_evidence(path: Path) -> bool:
    """Whether a file is an evidence bundle, by its suffix and its manifest."""
    if path.suffix.lower() != _SUFFIX or not path.is_file():
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return MANIFEST in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def recorded_side(path: Path) -> Path:
    """The folder of recorded outputs that `e.zip/reference` or `e.zip/candidate` means; any other path as it is.

    Raises: BadInput: it is a bundle itself, or has no such side, or is damaged.
    """
    if is_evidence(path):
        raise BadInput(
            "is an evidence bundle of two models",
            subject=path,
            advice=f"give {path / SIDES[0]} or {path / SIDES[1]}",
        )
    if path.exists() or not is_evidence(path.parent):
        return path
    if path.name not in SIDES:
        raise BadInput(f"has no '{path.name}'", subject=path.parent, advice=f"it has {' and '.join(SIDES)}")
    return unpacked(path.parent) / path.name


def manifest_of(folder: Path) -> dict[str, Any]:
    """The manifest of an unpacked bundle."""
    manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return manifest


def recorded_model(folder: Path) -> tuple[str, str]:
    """File name and precision of the model that an unpacked side is of; empty where the bundle does not say.

    Args: folder: what `recorded_side` gave of a bundle.
    """
    said = manifest_of(folder.parent).get(folder.name, {})
    # Whoever wrote it may have been on another system.
    return PureWindowsPath(str(said.get("path", ""))).name, str(said.get("precision", ""))


def recorded_emulated(folder: Path) -> bool:
    """Whether that model's quantized arithmetic was computed in float when its outputs were recorded."""
    return manifest_of(folder.parent).get(folder.name, {}).get("emulated") is True


def recorded_hash(folder: Path) -> str | None:
    """The SHA-256 of that model's file, where the bundle knows it."""
    digest = manifest_of(folder.parent).get(folder.name, {}).get("sha256")
    return None if digest is None else str(digest)


def unpacked(bundle: Path) -> Path:
    """The folder that a bundle is unpacked in, in this user's cache; the work is done once for each bundle.

    Raises: BadInput: it is damaged, no bundle, of a later version, holds what no bundle holds, or cannot be unpacked there.
    """
    try:
        with bundle.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        home = cache_folder() / "evidence"
        folder = home / digest
        if (folder / MANIFEST).is_file():
            os.utime(folder)
            return folder
        home.mkdir(parents=True, exist_ok=True)
        _forget_old(home)
        temporary = Path(tempfile.mkdtemp(dir=home, prefix=".unpacking-"))
        try:
            _unpack(bundle, temporary)
            if not folder.exists():
                temporary.replace(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise BadInput(
            f"cannot be unpacked: {error.strerror or error}",
            subject=bundle,
            advice=f"there must be room, and leave to write, in {cache_folder()}",
        ) from error
    return folder


def _unpack(bundle: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(bundle) as archive:
            entries = archive.infolist()
            manifest = archive.read(MANIFEST)
            strange = [entry.filename for entry in entries if not _NAMES.fullmatch(entry.filename)]
            if strange:
                raise BadInput(f"holds {strange[0]!r}, which no evidence bundle does", subject=bundle)
            if sum(entry.file_size for entry in entries) > _MOST_BYTES:
                raise BadInput("would unpack to more than 16 GB", subject=bundle)
            hashes = _hashes(manifest, bundle)
            names = {entry.filename for entry in entries} - {MANIFEST}
            if names != set(hashes):
                odd = sorted(names ^ set(hashes))[0]
                raise BadInput(f"is not whole: its manifest and its files disagree on {odd}", subject=bundle)
            for entry in entries:
                data = archive.read(entry)
                if entry.filename != MANIFEST and hashlib.sha256(data).hexdigest() != hashes[entry.filename]:
                    raise BadInput(f"is damaged: {entry.filename} is not what was written", subject=bundle)
                target = folder / entry.filename
                target.parent.mkdir(exist_ok=True)
                target.write_bytes(data)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, KeyError) as error:
        raise BadInput(
            "is no evidence bundle, or is damaged", subject=bundle, advice="write it again with --bundle"
        ) from error


def _hashes(manifest: bytes, bundle: Path) -> dict[str, str]:
    try:
        said = json.loads(manifest)
        schema, hashes = said["schema"], said["files"]
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput("has a manifest that cannot be read", subject=bundle) from error
    if schema != SCHEMA or not isinstance(hashes, dict):
        raise BadInput(
            f"is of the kind {schema!r}, and {SCHEMA!r} is read here",
            subject=bundle,
            advice="a later version of trtviewer wrote it",
        )
    return hashes


def _forget_old(home: Path) -> None:
    """Removes what nobody has opened for a month."""
    oldest = time.time() - _UNUSED_DAYS * 86_400
    for folder in home.iterdir():
        if folder.stat().st_mtime < oldest:
            shutil.rmtree(folder, ignore_errors=True)
