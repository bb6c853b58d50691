"""Runtimes of the user's, found in a folder that was named, and never at the price of the program's own modules."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

import pytest

from trtviewer import extra_site

HERE = f"cp{sys.version_info.major}{sys.version_info.minor}"


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty home, no variable that names a Python, and a module path that is put back."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in (extra_site.VARIABLE, "VIRTUAL_ENV", "CONDA_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))


def install(folder: Path, module: str, tag: str | None = None, *, value: int = 1) -> Path:
    """A package as pip leaves it; its wheel's tag, where there is one."""
    (folder / module).mkdir(parents=True)
    (folder / module / "__init__.py").write_text(f"VALUE = {value}\n", "utf-8")
    if tag is not None:
        info = folder / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "WHEEL").write_text(f"Wheel-Version: 1.0\nTag: {tag}\n", "utf-8")
    return folder


def test_that_nothing_is_looked_into_where_nothing_is_named() -> None:
    assert extra_site.look() == ()


def test_that_a_folder_named_in_the_variable_is_joined_and_its_runtime_imports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = install(tmp_path / "site ä", "tensorrt_lean", f"{HERE}-none-any")
    monkeypatch.setenv(extra_site.VARIABLE, str(folder))
    (site,) = extra_site.join()
    assert (site.folder, site.runtimes, site.refused) == (folder, ("tensorrt_lean",), "")
    assert importlib.import_module("tensorrt_lean").VALUE == 1
    sys.modules.pop("tensorrt_lean")


def test_that_the_programs_own_modules_win_over_those_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = install(tmp_path / "site", "pycuda")
    install(folder, "colorsys", value=13)
    monkeypatch.setenv(extra_site.VARIABLE, str(folder))
    extra_site.join()
    sys.modules.pop("colorsys", None)
    assert not hasattr(importlib.import_module("colorsys"), "VALUE")


def test_that_a_virtual_environment_may_be_named_by_its_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = (
        tmp_path
        / "venv"
        / "lib"
        / f"python{sys.version_info.major}.{sys.version_info.minor}"
        / "site-packages"
    )
    install(inner, "pycuda")
    monkeypatch.setenv(extra_site.VARIABLE, str(tmp_path / "venv"))
    assert [site.folder for site in extra_site.look()] == [inner]


def test_that_several_folders_are_looked_into_in_order_and_each_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = (install(tmp_path / name, "pycuda") for name in ("one", "two"))
    monkeypatch.setenv(extra_site.VARIABLE, os.pathsep.join(map(str, (two, one, two))))
    assert [site.folder for site in extra_site.look()] == [two, one]


@pytest.mark.parametrize(
    ("tag", "fits"),
    [
        ("cp39-none-manylinux_2_28_x86_64", False),
        ("cp313-cp313t-manylinux_2_28_x86_64", False),
        (f"{HERE}-{HERE}t-linux_x86_64", False),
        ("cp39-abi3-manylinux_2_28_x86_64", True),
        ("py3-none-any", True),
        (f"{HERE}-{HERE}-linux_x86_64", True),
    ],
)
def test_that_a_runtime_of_another_python_is_refused_before_it_can_crash(
    tag: str, fits: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = install(tmp_path / "site", "tensorrt", tag)
    monkeypatch.setenv(extra_site.VARIABLE, str(folder))
    (site,) = extra_site.join()
    assert site.used is fits
    assert (str(folder) in sys.path) is fits
    of_python = tag.split("-")[1].removeprefix("none") or tag.split("-")[0]
    assert fits or f"is for Python 3.{of_python.removeprefix('cp3')}, this" in site.refused


def test_that_a_folder_that_is_not_there_is_said_and_not_joined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(extra_site.VARIABLE, str(tmp_path / "nowhere"))
    (site,) = extra_site.join()
    assert site.refused == "there is no such folder"
    assert str(site.folder) not in sys.path


def test_that_the_users_list_is_kept_and_read_with_its_comments(tmp_path: Path) -> None:
    folder = install(tmp_path / "mine", "pycuda")
    extra_site.list_file().parent.mkdir(parents=True)
    extra_site.list_file().write_text("# TensorRT of the lab\n\n", "utf-8")
    assert extra_site.add_to_list(folder).used
    extra_site.add_to_list(folder)
    assert extra_site.list_file().read_text("utf-8").count(str(folder)) == 1
    assert [(site.folder, site.origin) for site in extra_site.look()] == [(folder, "runtimes.txt")]


def test_that_a_packaged_program_looks_into_the_active_environment_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = (
        tmp_path
        / "venv"
        / "lib"
        / f"python{sys.version_info.major}.{sys.version_info.minor}"
        / "site-packages"
    )
    install(inner, "tensorrt", f"{HERE}-none-any")
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "venv"))
    assert extra_site.look() == ()
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert (inner, "VIRTUAL_ENV") in [(site.folder, site.origin) for site in extra_site.look() if site.used]
