"""Builds the packaged program: a folder that runs with no Python installed, and an archive of it.

    python packaging/build.py [--no-archive]        make package

Gives dist/trtviewer/ and dist/trtviewer-VERSION-SYSTEM-MACHINE.tar.xz (.zip on Windows). Everything comes from
requirements.lock into an environment of its own, so that nothing of this machine's other packages slips in; what is in
resources/ now goes along.
"""

from __future__ import annotations

import argparse
import importlib.util
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
from pathlib import Path

PACKAGING = Path(__file__).resolve().parent
ROOT = PACKAGING.parent
WORK = ROOT / "build-output"
DIST = ROOT / "dist"
PYINSTALLER = "pyinstaller==6.22.3"
WINDOWS = sys.platform == "win32"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--no-archive", action="store_true", help="only the folder")
    arguments = parser.parse_args()
    python = environment()
    folder = frozen(python)
    if sys.platform == "linux":
        strip(folder)
        shutil.copytree(PACKAGING / "desktop", folder / "desktop", dirs_exist_ok=True)
    shutil.copy(PACKAGING / "README.txt", folder)
    shutil.copy(ROOT / "LICENSE", folder)
    subprocess.run([python, PACKAGING / "notices.py", folder], check=True)
    print(f"{folder.relative_to(ROOT)}: {size_of(folder) / 1e6:.0f} MB")
    if not arguments.no_archive:
        path = archive(folder)
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1e6:.0f} MB")
    return 0


def environment() -> Path:
    """The Python of an environment that holds the locked dependencies and PyInstaller, and nothing else."""
    folder = WORK / "venv"
    python = folder / ("Scripts/python.exe" if WINDOWS else "bin/python")
    lock, project = ROOT / "requirements.lock", ROOT / "pyproject.toml"
    # Headless: the same OpenCV without its own window code, which the program never calls.
    headless = re.compile(r"^opencv-python\b", re.MULTILINE)
    locked = headless.sub("opencv-python-headless", lock.read_text("utf-8"))
    needed = tomllib.loads(project.read_text("utf-8"))["project"]["dependencies"]
    needed = [headless.sub("opencv-python-headless", line) for line in needed]
    wanted = "\n".join([sys.version, PYINSTALLER, *needed, locked])
    stamp = folder / "installed"
    if python.is_file() and stamp.is_file() and stamp.read_text("utf-8") == wanted:
        return python
    print("installing the locked dependencies and PyInstaller into build-output/venv")
    venv.create(folder, clear=True, with_pip=True)
    constraints = WORK / "constraints.txt"
    constraints.write_text(locked, "utf-8")
    pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-c", constraints]
    subprocess.run([*pip, *needed, PYINSTALLER], check=True)
    stamp.write_text(wanted, "utf-8")
    return python


def frozen(python: Path) -> Path:
    """Runs PyInstaller. Returns: the program's folder."""
    options = ["--noconfirm", "--log-level", "ERROR", "--distpath", DIST, "--workpath", WORK / "work"]
    subprocess.run([python, "-m", "PyInstaller", *options, PACKAGING / "trtviewer.spec"], check=True)
    return DIST / "trtviewer"


def strip(folder: Path) -> None:
    """Takes the symbols for debuggers out of Python itself and of PyAV's modules: a tenth of the package.

    Not out of the wheels' hashed libraries, whose layout was changed by hand (auditwheel), nor of what has none.
    """
    tool = shutil.which("strip")
    if tool is None:
        return
    inside = folder / "_internal"
    files = [
        *inside.glob("libpython*"),
        *inside.glob("python3*/lib-dynload/*.so"),
        *inside.glob("av/**/*.so"),
    ]
    subprocess.run([tool, "--strip-unneeded", *files], check=True)


def size_of(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_symlink())


def archive(folder: Path) -> Path:
    """Packs the folder: as small as can be on Unix, as Windows opens it by itself there."""
    machine = platform.machine().lower().replace("amd64", "x86_64")
    system = {"win32": "windows", "darwin": "macos"}.get(sys.platform, sys.platform)
    name = f"trtviewer-{version()}-{system}-{machine}"
    if WINDOWS:
        return Path(shutil.make_archive(str(DIST / name), "zip", DIST, folder.name))
    path = DIST / f"{name}.tar.xz"
    path.unlink(missing_ok=True)
    xz = shutil.which("xz")
    if xz is None:
        with tarfile.open(path, "w:xz") as tar:
            tar.add(folder, folder.name)
        return path
    with path.open("wb") as output:
        process = subprocess.Popen([xz, "-9", "-T0"], stdin=subprocess.PIPE, stdout=output)
        assert process.stdin is not None
        with process.stdin, tarfile.open(fileobj=process.stdin, mode="w|") as tar:
            tar.add(folder, folder.name)
        if process.wait():
            raise SystemExit(f"xz ended with {process.returncode}")
    return path


def version() -> str:
    """The program's, from the one place where it stands."""
    spec = importlib.util.spec_from_file_location("version", ROOT / "trtviewer" / "__init__.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return str(module.__version__)


if __name__ == "__main__":
    sys.exit(main())
