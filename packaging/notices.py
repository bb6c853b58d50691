"""Collects the licences of everything in a built package into one file of it: notices.py FOLDER

Run by the Python of the build's environment: the packages' licences come from their metadata, those of the build
machine's own libraries from Debian's copyright files.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

PACKAGING = Path(__file__).resolve().parent
sys.path.insert(0, str(PACKAGING.parent))

from trtviewer.licences import PACKAGE_TERMS, Package, package_of, packages_in  # noqa: E402

NAME = "THIRD-PARTY-LICENCES.txt"
RULE = "=" * 100


def main() -> int:
    folder = Path(sys.argv[1])
    inside = folder / "_internal"
    parts = [f"What this package of trtviewer contains, and on what terms\n{RULE}\n\n{PACKAGE_TERMS}"]
    carried = [python(), package_of("pyinstaller"), *packages_in(inside)]
    parts.append("\n".join(_line(one) for one in carried))
    parts += [_chapter(one) for one in carried]
    parts += [_debian(package) for package in sorted(_debian_packages(inside))]
    for name in ("GPL-3.0", "LGPL-3.0"):
        parts.append(_titled(name, (PACKAGING / "licences" / f"{name}.txt").read_text("utf-8")))
    (folder / NAME).write_text("\n\n".join(parts) + "\n", "utf-8")
    return 0


def python() -> Package:
    text = Path(sysconfig.get_path("stdlib"), "LICENSE.txt")
    texts = ((text.name, text.read_text("utf-8")),) if text.is_file() else ()
    version = sys.version.split()[0]
    return Package("Python", version, "PSF-2.0", "https://www.python.org", "", texts)


def _line(one: Package) -> str:
    return f"{one.name:<28}{one.version:<14}{one.licence[:56]}"


def _chapter(one: Package) -> str:
    head = "\n".join(text for text in (one.address, one.note) if text)
    texts = [f"--- {name} ---\n\n{text.strip()}" for name, text in one.texts]
    return _titled(f"{one.name} {one.version}: {one.licence}", "\n\n".join([head, *texts]))


def _titled(title: str, text: str) -> str:
    return f"{RULE}\n{title}\n{RULE}\n\n{text.strip()}"


def _debian_packages(inside: Path) -> set[str]:
    """Debian's packages that the build machine's own libraries came from; empty on other systems."""
    packages = set()
    for path in inside.glob("lib*.so*"):
        if path.is_symlink() or path.name.startswith("libpython"):
            continue
        file = os.path.realpath(f"/usr/lib/{sysconfig.get_config_var('MULTIARCH')}/{path.name}")
        for named in (file, file.removeprefix("/usr")):  # before and after Debian merged the two
            try:
                found = subprocess.run(["dpkg", "-S", named], capture_output=True, text=True, check=False)
            except OSError:
                return set()
            if found.returncode == 0:
                packages.add(found.stdout.split(":")[0])
                break
    return packages


def _debian(package: str) -> str:
    text = Path("/usr/share/doc", package, "copyright")
    return _titled(f"{package} (Debian)", text.read_text("utf-8", errors="replace"))


if __name__ == "__main__":
    sys.exit(main())
