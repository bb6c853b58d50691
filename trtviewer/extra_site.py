"""Runtimes that this program does not carry (TensorRT, pycuda), found in a Python that the user installed them into.

A packaged program has a Python of its own, which pip cannot install into. So the folders in which a Python of the same
version keeps its packages are looked through, and those that hold a runtime are put behind the program's own modules,
of which they can replace none. `doctor` and the window's page of runtimes show every folder and what was found there.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from trtviewer.places import config_folder

VARIABLE = "TRTVIEWER_SITE"
RUNTIMES = (
    "tensorrt",
    "tensorrt_bindings",
    "tensorrt_lean",
    "tensorrt_rtx",
    "tensorrt_rtx_bindings",
    "pycuda",
    "cuda",
)
"""The modules that make a folder worth using."""
_DISTRIBUTIONS = ("tensorrt", "pycuda", "cuda_")
_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
_FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


@dataclass(frozen=True, slots=True)
class Site:
    """One folder that was looked into.

    Attributes:
        origin: why it was: the variable, the file or the program that names it.
        runtimes: those found, by module name.
        refused: why it is not used although it was named or holds something; empty where it is used or merely empty.
    """

    folder: Path
    origin: str
    runtimes: tuple[str, ...]
    refused: str = ""

    @property
    def used(self) -> bool:
        return bool(self.runtimes) and not self.refused


def list_file() -> Path:
    """The user's own list: one folder a line, `#` begins a comment."""
    return config_folder() / "runtimes.txt"


def is_packaged() -> bool:
    """Whether this is the program with its own Python, and not one installed into the user's."""
    return bool(getattr(sys, "frozen", False))


def look() -> tuple[Site, ...]:
    """Every folder that exists or was named, in order, each once."""
    sites: list[Site] = []
    for folder, origin, named in _places():
        if any(site.folder == folder for site in sites) or not (named or folder.is_dir()):
            continue
        sites.append(_site(folder, origin))
    return tuple(sites)


def join() -> tuple[Site, ...]:
    """Makes the runtimes of all usable folders importable; once, before the first is needed."""
    sites = look()
    for site in sites:
        if site.used and str(site.folder) not in sys.path:
            sys.path.append(str(site.folder))
    return sites


def add_to_list(folder: Path) -> Site:
    """Writes a folder to the user's list, so that the next start looks into it. Raises: OSError."""
    path = list_file()
    if folder not in _listed():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{folder}\n")
    return _site(folder, path.name)


def _places() -> list[tuple[Path, str, bool]]:
    """(folder, origin, whether the user named it)."""
    given = [Path(part) for part in os.environ.get(VARIABLE, "").split(os.pathsep) if part.strip()]
    places = [(_packages_of(folder), VARIABLE, True) for folder in given]
    places += [(_packages_of(folder), list_file().name, True) for folder in _listed()]
    if not is_packaged():
        return places  # a Python that the user chose: pip installs into it
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        if prefix := os.environ.get(variable):
            places.append((_packages_of(Path(prefix)), variable, False))
    if sys.platform == "win32":
        roaming = Path(os.environ.get("APPDATA", Path.home() / "AppData" / "Roaming"))
        tag = _VERSION.replace(".", "")
        places.append((roaming / "Python" / f"Python{tag}" / "site-packages", "pip install --user", False))
    else:
        local = Path.home() / ".local" / "lib" / f"python{_VERSION}" / "site-packages"
        places.append((local, "pip install --user", False))
        for root in ("/usr/local/lib", "/usr/lib"):
            for name in ("site-packages", "dist-packages"):
                places.append((Path(root) / f"python{_VERSION}" / name, "the system's Python", False))
        # Debian's packages lie here, for the distribution's own Python whatever its version.
        if Path("/usr/bin/python3").resolve().name == f"python{_VERSION}":
            places.append((Path("/usr/lib/python3/dist-packages"), "the system's Python", False))
    return places


def _listed() -> list[Path]:
    try:
        lines = list_file().read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []  # no list, which is the rule; look() has nothing to say about it
    return [Path(text) for line in lines if (text := line.partition("#")[0].strip())]


def _packages_of(folder: Path) -> Path:
    """The packages' folder of a virtual environment, where one was named; else the folder itself."""
    folder = folder.expanduser().absolute()
    for inner in (Path("lib") / f"python{_VERSION}" / "site-packages", Path("Lib") / "site-packages"):
        if (folder / inner).is_dir():
            return folder / inner
    others = sorted(folder.glob("lib/python3.*/site-packages"))
    return others[0] if others else folder


def _site(folder: Path, origin: str) -> Site:
    if not folder.is_dir():
        return Site(folder, origin, (), "there is no such folder")
    try:
        entries = {entry.name for entry in os.scandir(folder)}
    except OSError as error:
        return Site(folder, origin, (), f"cannot be read: {error.strerror}")
    return Site(folder, origin, tuple(name for name in RUNTIMES if name in entries), _misfit(folder, entries))


def _misfit(folder: Path, entries: set[str]) -> str:
    """Why the binaries there cannot be loaded into this Python: a module of another version may crash it unseen."""
    for entry in sorted(entries):
        if not entry.endswith(".dist-info") or not entry.startswith(_DISTRIBUTIONS):
            continue
        try:
            text = (folder / entry / "WHEEL").read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            continue  # not written by pip: nothing is known of it
        pythons = {
            (tag.split("-")[0], tag.split("-")[1])
            for line in text.splitlines()
            if line.startswith("Tag: ") and (tag := line[5:].strip()).count("-") == 2
        }
        if pythons and not any(_fits(python, abi) for python, abi in pythons):
            python, abi = sorted(pythons)[0]
            made_for = (abi if abi.startswith(python) else python).removeprefix("cp3")
            return f"its {entry.split('-')[0]} is for Python 3.{made_for}, this program has Python {_VERSION}"
    return ""


def _fits(python: str, abi: str) -> bool:
    if not python.startswith("cp"):
        return True  # py3: no binary of Python's in it
    if abi == "abi3":
        return python[3:].isdigit() and int(python[3:]) <= sys.version_info.minor
    here = f"cp{_VERSION.replace('.', '')}"
    return python == here and abi in ("none", f"{here}t" if _FREE_THREADED else here)
