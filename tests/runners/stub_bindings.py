"""Real binding wheels made importable with no TensorRT: their libraries become stubs that export the symbols asked for.

Calling into one traps; names and docstrings can be read. Wheels and stubs are kept in a cache between runs.
"""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

_OWN = re.compile(r"create|get|initLibNv|_ZN8nvinfer|_ZN12nvonnx|cuda")
_DATA = re.compile(r"_Z(?:TI|TV|TS)N(?:8nvinfer|12nvonnx)")


class IndexUnreachable(Exception):
    """The package index does not answer, or has no such wheel."""


def unpacked(package: str, version: str) -> Path:
    """The folder of an unpacked wheel with its stubs, ready for PYTHONPATH and, its `stubs`, for LD_LIBRARY_PATH.

    Raises: IndexUnreachable.
    """
    base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "trtviewer-tests" / "bindings"
    tag = f"{package}-{version or 'newest'}-cp{sys.version_info.major}{sys.version_info.minor}"
    folder = base / re.sub(r"[^\w.-]", "_", tag)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "stubs" / "done").exists():
            _download(folder, package, version)
            _make_stubs(folder)
            (folder / "stubs" / "done").touch()
    return folder


def environment(folder: Path) -> dict[str, str]:
    """Of a process that imports the wheel in that folder."""
    return {**os.environ, "PYTHONPATH": str(folder), "LD_LIBRARY_PATH": str(folder / "stubs")}


def _download(folder: Path, package: str, version: str) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    try:
        done = subprocess.run(
            [*command, "--retries", "1", "--timeout", "20", "-d", str(folder), f"{package}{version}"],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise IndexUnreachable(f"the package index did not answer within {error.timeout:.0f} s") from error
    wheels = list(folder.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        reason = (done.stderr.strip().splitlines() or ["no wheel"])[-1]
        raise IndexUnreachable(f"{package}{version} cannot be had: {reason}")
    with zipfile.ZipFile(wheels[0]) as wheel:
        wheel.extractall(folder)
    wheels[0].unlink()


def _make_stubs(folder: Path) -> None:
    library = next(folder.rglob("tensorrt*.so"))
    out = folder / "stubs"
    out.mkdir(exist_ok=True)
    headers = subprocess.run(["objdump", "-p", library], capture_output=True, text=True, check=True).stdout
    needed = [line.split()[-1] for line in headers.splitlines() if "NEEDED" in line]
    table = subprocess.run(
        ["nm", "-D", "--undefined-only", library], capture_output=True, text=True, check=True
    ).stdout
    symbols = {line.split()[-1].partition("@")[0] for line in table.splitlines()}
    lines = [f"void *{name}[64];" for name in sorted(symbols) if _DATA.match(name)]
    lines += [
        f"void {name}(void) {{ __builtin_trap(); }}"
        for name in sorted(symbols)
        if _OWN.match(name) and not _DATA.match(name)
    ]
    (out / "stub.c").write_text("\n".join(lines) + "\n")
    for name in needed:
        if re.search("nvinfer|nvonnxparser|tensorrt|cudart", name):
            compile_it = [
                "cc",
                "-w",
                "-shared",
                "-fPIC",
                f"-Wl,-soname,{name}",
                "-o",
                out / name,
                out / "stub.c",
            ]
            subprocess.run(compile_it, check=True)
