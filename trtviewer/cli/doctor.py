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

from trtviewer import __version__, extra_site, optional
from trtviewer.atomic import require_writable, write_text
from trtviewer.cli.progress import console
from trtviewer.errors import BadInput, BadUsage, TrtviewerError
from trtviewer.places import log_file
from trtviewer.runners.choose import cuda_is_here
from trtviewer.runners.nvidia import driver
from trtviewer.runners.ort_cuda import cuda_available
from trtviewer.runners.trt_module import TENSORRT, TENSORRT_RTX, load_tensorrt, title

SCHEMA = "trtviewer.doctor/1"
SELF_TEST_FILE = "trtviewer-self-test.zip"

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
    "cuda-bindings",
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
    parser.add_argument(
        "--self-test",
        type=Path,
        nargs="?",
        const=Path(SELF_TEST_FILE),
        metavar="FILE",
        help=f"build, run and compare with what is here, and pack what came of it ({SELF_TEST_FILE})",
    )


def run(arguments: argparse.Namespace) -> int:
    if arguments.json is not None:
        require_writable(arguments.json)
    if arguments.self_test is not None:
        _require_zip(arguments.self_test)
    diagnosis = diagnose()
    if arguments.json is not None:
        write_text(arguments.json, json.dumps({"schema": SCHEMA, **asdict(diagnosis)}, indent=2) + "\n")
    _print(diagnosis)
    if arguments.self_test is not None:
        _test_itself(arguments.self_test, diagnosis)
    return 0


def _require_zip(path: Path) -> None:
    """Looks before any work whether the result may go there: a model that somebody takes for the option's input may not.

    Raises: BadUsage, BadInput.
    """
    if path.suffix.lower() != ".zip":
        raise BadUsage(
            "what --self-test writes is a .zip", subject=path, advice=f"call it {path.with_suffix('.zip')}"
        )
    require_writable(path)


def _test_itself(out: Path, diagnosis: Diagnosis) -> None:
    """Raises: BadInput: a step failed; the zip is written all the same."""
    from trtviewer.cli.self_test import FAILED, PASSED, self_test

    test = self_test(out, asdict(diagnosis))
    table = Table(title="self test", title_justify="left", box=None, pad_edge=False)
    for heading in ("outcome", "step", "what came of it"):
        table.add_column(heading, overflow="fold")
    colours = {PASSED: "green", FAILED: "red"}
    for step in test.steps:
        colour = colours.get(step.outcome, "dim")
        table.add_row(f"[{colour}]{step.outcome}[/]", escape(step.name), escape(step.detail))
    console().print(table)
    console().print(f"written: {escape(str(out))}")
    if test.failed is not None:
        raise BadInput(
            f"the self test failed at '{test.failed.name}': {test.failed.detail}",
            advice=f"attach {out} to an issue",
        )


def diagnose() -> Diagnosis:
    """Looks at this machine; imports nothing that is not there anyway."""
    from trtviewer.quantize.self_test import cpu_model

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
        cpu=cpu_model(),
        cores=os.cpu_count() or 1,
        gpus=gpus,
        packages=packages,
        clashes=clashes,
        abilities=tuple(_abilities(packages)),
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


def _abilities(packages: dict[str, str]) -> list[Ability]:
    import onnxruntime as ort

    from trtviewer.quantize.self_test import self_test

    int8 = self_test()
    return [
        Ability("videos", bool(packages["av"]), "any codec of FFmpeg, through PyAV"),
        Ability("window", bool(packages["PySide6-Essentials"]) and _has_display(), _display()),
        Ability("ONNX on the CPU", True, f"ONNX Runtime {ort.__version__}"),
        Ability("INT8 on the CPU, emulated", int8.passed, int8.sentence),
        Ability("ONNX on the GPU", *_onnx_on_the_gpu()),
        *_engines(),
    ]


def _onnx_on_the_gpu() -> tuple[bool, str]:
    if cuda_is_here():
        return (
            True,
            f"ONNX Runtime with CUDA on {driver().gpus[0].name}, compute capability {driver().gpus[0].capability}",
        )
    if not driver().gpus:
        return False, f"needs an NVIDIA GPU: {driver().trouble}"
    if not cuda_available():
        return (
            False,
            f"needs onnxruntime-gpu in place of onnxruntime ({optional.how_to_get_onnxruntime_gpu()})",
        )
    return False, f"needs pycuda and NVRTC's bindings ({optional.how_to_install('cuda')})"


def _engines() -> list[Ability]:
    """What each of TensorRT's runtimes can do here: build, and run."""
    gpu = driver().gpus
    found = []
    for module, name, extra in (
        (TENSORRT, "TensorRT", "tensorrt"),
        (TENSORRT_RTX, "TensorRT for RTX", "rtx"),
    ):
        try:
            version = title(load_tensorrt(module))
        except TrtviewerError as error:
            missing = optional.how_to_install(extra) if "not installed" in error.what else str(error)
            found.append(Ability(f"build for {name}", False, missing))
            continue
        builds = bool(gpu) or module == TENSORRT_RTX
        found.append(
            Ability(f"build for {name}", builds, version if builds else f"{version}: {driver().trouble}")
        )
        runs = bool(gpu) and optional.installed("pycuda.driver")
        missing = driver().trouble or f"needs pycuda ({optional.how_to_install('cuda')})"
        found.append(Ability(f"run engines of {name}", runs, version if runs else missing))
    return found


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
