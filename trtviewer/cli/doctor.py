"""What is installed, what can run here, what is missing and how to get it."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import cast

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from trtviewer import __version__, extra_site
from trtviewer.atomic import write_text
from trtviewer.cli.progress import console
from trtviewer.places import log_file

SCHEMA = "trtviewer.doctor/1"

_PACKAGES = (
    "numpy",
    "opencv-python",
    "opencv-python-headless",
    "av",
    "onnx",
    "onnxruntime",
    "onnxruntime-gpu",
    "PySide6-Essentials",
    "pyqtgraph",
    "tensorrt",
    "tensorrt-rtx-cu13-bindings",
    "tensorrt-rtx-cu13-libs",
    "pycuda",
)
_CLASHES = (("opencv-python", "opencv-python-headless"), ("onnxruntime", "onnxruntime-gpu"))
"""Packages that write the same folder: with both, one is broken."""


@dataclass(frozen=True, slots=True)
class Ability:
    """One thing that the program can do on this machine, or why it cannot."""

    what: str
    works: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All that doctor found."""

    program: str
    python: str
    system: str
    cpu: str
    cores: int
    gpus: tuple[str, ...]
    packages: dict[str, str]
    clashes: tuple[str, ...]
    abilities: tuple[Ability, ...]
    folders: tuple[dict[str, object], ...]
    log: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all of it as JSON")


def run(arguments: argparse.Namespace) -> int:
    diagnosis = diagnose()
    if arguments.json is not None:
        write_text(arguments.json, json.dumps({"schema": SCHEMA, **asdict(diagnosis)}, indent=2) + "\n")
    _print(diagnosis)
    return 0


def diagnose() -> Diagnosis:
    """Looks at this machine; imports nothing that is not there anyway."""
    packages = {name: _version(name) for name in _PACKAGES}
    gpus = _gpus()
    clashes = tuple(
        f"{one} and {other} are both installed and overwrite each other: uninstall both, then install one"
        for one, other in _CLASHES
        if packages[one] and packages[other]
    )
    return Diagnosis(
        program=__version__,
        python=platform.python_version(),
        system=platform.platform(),
        cpu=_cpu_name(),
        cores=os.cpu_count() or 1,
        gpus=gpus,
        packages=packages,
        clashes=clashes,
        abilities=tuple(_abilities(packages, gpus)),
        folders=tuple(
            {
                "folder": str(site.folder),
                "origin": site.origin,
                "runtimes": site.runtimes,
                "refused": site.refused,
            }
            for site in extra_site.look()
        ),
        log=str(log_file()),
    )


def _abilities(packages: dict[str, str], gpus: tuple[str, ...]) -> list[Ability]:
    import onnxruntime as ort

    cuda = "CUDAExecutionProvider" in ort.get_available_providers()
    return [
        Ability("videos", bool(packages["av"]), "any codec of FFmpeg, through PyAV"),
        Ability("window", bool(packages["PySide6-Essentials"]) and _has_display(), _display()),
        Ability("ONNX on the CPU", True, f"ONNX Runtime {ort.__version__}"),
        Ability(
            "ONNX on the GPU",
            cuda and bool(gpus),
            "ONNX Runtime with CUDA"
            if cuda and gpus
            else "needs an NVIDIA GPU and onnxruntime-gpu in place of onnxruntime (pip install 'trtviewer[cuda]')",
        ),
    ]


def _has_display() -> bool:
    names = ("DISPLAY", "WAYLAND_DISPLAY")
    return platform.system() != "Linux" or any(os.environ.get(name) for name in names)


def _display() -> str:
    if _has_display():
        return "a display is there"
    return "no display here (DISPLAY and WAYLAND_DISPLAY are empty); every other command works"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _cpu_name() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _gpus() -> tuple[str, ...]:
    """Name, memory and driver of each NVIDIA GPU, as the driver's own tool tells them; empty where there is none."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ()
    query = [tool, "--query-gpu=name,memory.total,driver_version,compute_cap", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True)
    except (subprocess.SubprocessError, OSError):
        return ()
    return tuple(line.strip() for line in answer.stdout.splitlines() if line.strip())


def _print(diagnosis: Diagnosis) -> None:
    out = console()
    out.print(f"trtviewer {diagnosis.program}, Python {diagnosis.python}, {diagnosis.system}")
    out.print(f"{diagnosis.cpu}, {diagnosis.cores} cores")
    out.print("GPU: " + ("; ".join(diagnosis.gpus) or "none that the NVIDIA driver shows"))
    abilities = Table(box=None, pad_edge=False)
    for heading in ("", "what", "how"):
        abilities.add_column(heading)
    for ability in diagnosis.abilities:
        mark = "[green]yes[/]" if ability.works else "[red]no[/]"
        abilities.add_row(mark, ability.what, escape(ability.detail))
    out.print(abilities)
    packages = Table(box=None, pad_edge=False)
    packages.add_column("package")
    packages.add_column("version")
    for name, found in diagnosis.packages.items():
        packages.add_row(name, found or "[dim]not installed[/]")
    out.print(packages)
    _print_folders(out, diagnosis)
    for clash in diagnosis.clashes:
        out.print(f"[red]{clash}[/]")
    out.print(f"log: {diagnosis.log}")


def _print_folders(out: Console, diagnosis: Diagnosis) -> None:
    """Where TensorRT, pycuda and CUDA were looked for beside this program's own Python."""
    for site in diagnosis.folders:
        found = ", ".join(str(name) for name in cast("tuple[str, ...]", site["runtimes"])) or "no runtime"
        refused = f"; not used: {site['refused']}" if site["refused"] else ""
        out.print(escape(f"{site['folder']} ({site['origin']}): {found}{refused}"))
    if extra_site.is_packaged():
        out.print(
            f"TensorRT and pycuda are looked for in a Python {'.'.join(diagnosis.python.split('.')[:2])}: name its folder in "
            f"{extra_site.VARIABLE}, or on a line of {escape(str(extra_site.list_file()))}"
        )
