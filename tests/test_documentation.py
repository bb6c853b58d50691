"""Every command line that the README prints runs as it is printed."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from trtviewer import optional
from trtviewer.cli.main import COMMANDS, run

ROOT = Path(__file__).resolve().parents[1]


def printed_commands() -> list[str]:
    """The indented lines of the README that call the program."""
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    return [
        line.strip() for line in lines if line.startswith("    ") and line.strip().startswith("trtviewer ")
    ]


@pytest.mark.slow
def test_that_the_commands_of_the_readme_run_as_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commands = printed_commands()
    assert len(commands) >= 6
    monkeypatch.chdir(tmp_path)
    (tmp_path / "resources").symlink_to(ROOT / "resources")
    for command in commands:
        words = shlex.split(command)[1:]
        if words[0] == "view":  # opens a window; tests/gui does so
            continue
        if words[0] == "build" and not optional.installed("tensorrt_rtx_bindings"):
            continue
        assert run(words) == 0, command
        assert capsys.readouterr().out


def test_that_the_readme_names_every_command() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert all(f"trtviewer {name}" in text or f"make {name}" in text for name in COMMANDS)


def test_that_every_file_that_the_readme_names_is_there() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    named = {
        word for word in text.replace("(", " ").replace(")", " ").replace("`", " ").split() if "/" in word
    }
    starts = ("resources/", "packaging/", "tests/", "trtviewer/")
    missing = [
        word for word in named if word.startswith(starts) and not (ROOT / word.rstrip(".,;:")).exists()
    ]
    assert not missing
