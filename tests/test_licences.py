"""Every package that the program runs on is named with its licence; none that it does not need."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

from trtviewer.licences import packages, packages_in

PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def test_that_every_requirement_is_listed_with_its_version_and_licence() -> None:
    listed = {package.name.lower(): package for package in packages()}
    lines = tomllib.loads(PROJECT.read_text("utf-8"))["project"]["dependencies"]
    for line in lines:
        name = re.split(r"[^A-Za-z0-9._-]", line)[0]
        package = listed[name.lower().replace("-", "_")] if name.startswith("PySide") else listed[name]
        assert package.version == version(name)
        assert package.licence != "not stated"


def test_that_what_a_requirement_needs_is_listed_and_tools_for_tests_are_not() -> None:
    names = {package.name.lower() for package in packages()}
    assert {"shiboken6", "protobuf", "markdown-it-py"} <= names
    assert not {"pytest", "ruff", "mypy", "trtviewer"} & names


def test_that_the_gpl_in_pyavs_wheel_is_told() -> None:
    (package,) = [one for one in packages() if one.name == "av"]
    assert "x264" in package.note and "GPL" in package.note
    assert any("Redistribution" in text for _, text in package.texts)


def test_that_a_packages_folder_is_read_by_itself(tmp_path: Path) -> None:
    info = tmp_path / "thing-2.5.dist-info"
    (info / "licenses").mkdir(parents=True)
    (info / "METADATA").write_text(
        "Metadata-Version: 2.4\nName: thing\nVersion: 2.5\nLicense-Expression: Zlib\n"
        "Project-URL: Tracker, https://t\nProject-URL: Homepage, https://thing\n",
        "utf-8",
    )
    (info / "licenses" / "LICENSE").write_text("do as you like", "utf-8")
    (info / "RECORD").write_text(
        "thing-2.5.dist-info/METADATA,,\nthing-2.5.dist-info/licenses/LICENSE,,\nthing/LICENSE,,\n", "utf-8"
    )
    (package,) = packages_in(tmp_path)
    assert (package.name, package.version, package.licence, package.address) == (
        "thing",
        "2.5",
        "Zlib",
        "https://thing",
    )
    assert package.texts == (("LICENSE", "do as you like"),)
