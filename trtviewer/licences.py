"""What others wrote and this program runs on, each with its licence: read from the packages' own metadata."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions
from pathlib import Path, PurePosixPath

_TEXT = re.compile(r"^(licen[cs]e|copying|notice|thirdpartynotices|authors)", re.IGNORECASE)
_NAME = re.compile(r"[^A-Za-z0-9._-]")
_EXTRA = re.compile(r"\bextra\s*==")
_STAND_INS = {"opencv-python": "opencv-python-headless"}
"""A package that is as good where the first is not installed."""

NOTES = {
    "av": (
        "Its wheel carries FFmpeg (LGPL 3) linked with the encoders x264 and x265 (GPL 2 or later). "
        "Recipes and exact versions: github.com/PyAV-Org/pyav-ffmpeg; x264: code.videolan.org/videolan/x264; "
        "x265: bitbucket.org/multicoreware/x265_git."
    ),
    "opencv-python": "Its wheel carries FFmpeg (LGPL 2.1). Recipes: github.com/opencv/opencv-python.",
    "opencv-python-headless": "Its wheel carries FFmpeg (LGPL 2.1). Recipes: github.com/opencv/opencv-python.",
    "pyinstaller": "Only its start program is in the package; an exception of its licence leaves the package's own terms free.",
    "pyside6-essentials": "Qt and its Python bindings, used under the LGPL 3. Sources: download.qt.io.",
    "shiboken6": "Part of Qt for Python, used under the LGPL 3. Sources: download.qt.io.",
}

PACKAGE_TERMS = """\
trtviewer's own code is under the MIT licence. This package of it contains more than that code.

PyAV, which reads and writes videos here, carries x264 and x265. They are under the GNU General Public License, version 2
or later, and are linked with FFmpeg, which is under the LGPL 3. The package as a whole may therefore be handed on only
under the terms of the GPL, version 3: with this file, and with the source code of what it contains or the means to get
it (each entry below names the place). trtviewer's own code stays under the MIT licence wherever it is taken from its
repository or its wheel: pip fetches PyAV from its own authors. To use an H.264 or H.265 encoder in a product may need a
patent licence besides.

Qt, PySide6 and FFmpeg are under the LGPL: they lie in the folder _internal as libraries of their own, and other builds
of them may be put in their place.
"""


@dataclass(frozen=True, slots=True)
class Package:
    """One package.

    Attributes:
        licence: its name, as the package states it; "not stated" where it does not.
        address: its home page; may be empty.
        note: what else its files carry; may be empty.
        texts: (file name, text) of the licences and notices that it brings.
    """

    name: str
    version: str
    licence: str
    address: str
    note: str
    texts: tuple[tuple[str, str], ...]


@cache
def packages() -> tuple[Package, ...]:
    """Those that this installation of the program needs, by name; in a packaged program, all that it carries."""
    frozen = getattr(sys, "_MEIPASS", None)
    return packages_in(Path(frozen)) if frozen is not None else _sorted(_needed())


def packages_in(folder: Path) -> tuple[Package, ...]:
    """Those whose metadata lies in a folder, by name."""
    return _sorted(distributions(path=[str(folder)]))


def package_of(name: str) -> Package:
    """One installed package. Raises: PackageNotFoundError."""
    return _package(distribution(name))


def _sorted(found: Iterable[Distribution]) -> tuple[Package, ...]:
    named = {_key(one.metadata["Name"]): one for one in found}
    return tuple(_package(named[name]) for name in sorted(named))


def _needed() -> Iterator[Distribution]:
    """Everything that the program's own requirements lead to, optional parts left out."""
    try:
        waiting = list(distribution("trtviewer").requires or ())
    except PackageNotFoundError:
        return  # run from a folder that was never installed: nothing is known
    seen: set[str] = set()
    while waiting:
        requirement = waiting.pop()
        name = _key(_NAME.split(requirement, maxsplit=1)[0])
        # What is meant for another system or Python is not installed here, and falls out below.
        if name in seen or _EXTRA.search(requirement):
            continue
        seen.add(name)
        for candidate in (name, _STAND_INS.get(name, name)):
            try:
                found = distribution(candidate)
            except PackageNotFoundError:
                continue
            waiting += found.requires or ()
            yield found
            break


def _package(found: Distribution) -> Package:
    data = found.metadata
    name = data["Name"]
    stated = _field(found, "License-Expression") or _classified(data.get_all("Classifier") or ())
    if not stated:
        stated = _field(found, "License").strip().split("\n")[0]
    return Package(
        name=name,
        version=found.version,
        licence=stated or "not stated",
        address=_field(found, "Home-page") or _address(data.get_all("Project-URL") or ()),
        note=NOTES.get(_key(name), ""),
        texts=tuple(_texts(found)),
    )


def _field(found: Distribution, name: str) -> str:
    return next(iter(found.metadata.get_all(name) or ()), "")


def _address(lines: Sequence[str]) -> str:
    addresses = {
        label.strip().lower(): value.strip() for label, _, value in (line.partition(",") for line in lines)
    }
    for label in ("homepage", "source", "source code", "repository", "github"):
        if label in addresses:
            return addresses[label]
    return next(iter(addresses.values()), "")


def _texts(found: Distribution) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for path in sorted(found.files or (), key=str):
        parts = PurePosixPath(str(path).replace("\\", "/")).parts
        near = len(parts) <= 2 or ".dist-info" in parts[0]
        if near and _TEXT.match(parts[-1]) and not parts[-1].endswith((".py", ".pyc")):
            try:
                text = Path(str(path.locate())).read_text("utf-8", errors="replace")
            except OSError:
                continue  # named in the metadata, but left out of this installation
            if text not in seen:
                seen.add(text)
                yield parts[-1], text


def _classified(classifiers: Sequence[str]) -> str:
    names = [line.split(" :: ")[-1] for line in classifiers if line.startswith("License :: ")]
    return ", ".join(name for name in names if name != "OSI Approved")


def _key(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
