from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from trtviewer import __version__
from trtviewer.cli.main import COMMANDS, run
from trtviewer.errors import BadUsage


def program(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Runs the program as a shell does, with a home of its own."""
    environment = {**os.environ, "HOME": str(home), "XDG_STATE_HOME": str(home / "state")}
    return subprocess.run(
        [sys.executable, "-m", "trtviewer", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["comprae"], "there is no command 'comprae' (did you mean compare?)"),
        (["doctor", "--jsno", "x"], "unrecognized arguments: --jsno x (trtviewer doctor --help)"),
        (["info"], "the following arguments are required: MODEL (trtviewer info --help)"),
    ],
)
def test_that_bad_usage_is_one_line_and_status_2(arguments: list[str], says: str, tmp_path: Path) -> None:
    done = program(*arguments, home=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"trtviewer: {says}\n")


def test_that_every_command_shows_its_help_without_qt(capsys: pytest.CaptureFixture[str]) -> None:
    for name in COMMANDS:
        assert run([name, "--help"]) == 0
        assert f"usage: trtviewer {name}" in capsys.readouterr().out
    code = (
        "import sys; from trtviewer.cli.main import COMMANDS, run; [run([n, '--help']) for n in COMMANDS];"
        "sys.exit(any(m.split('.')[0] in ('PySide6', 'pyqtgraph', 'tensorrt', 'pycuda') for m in sys.modules))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, check=False).returncode == 0
    )


def test_that_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"  {name} " in text for name in COMMANDS)


def test_that_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"trtviewer {__version__}\n"


def test_that_options_without_a_command_are_those_of_view() -> None:
    with pytest.raises(BadUsage, match="trtviewer view --help"):
        run(["--no-such-option"])


def test_that_what_a_native_library_writes_goes_to_the_log_and_not_to_the_user(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from trtviewer.cli.native_chatter import native_chatter_to\n"
        f"with native_chatter_to(Path({str(tmp_path)!r}) / 'deep' / 'a.log'):\n"
        "    os.write(2, b'chatter\\n'); print('ours', file=sys.stderr)\n"
        "os.write(2, b'after\\n')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "ours\nafter\n"
    assert (tmp_path / "deep" / "a.log").read_text() == "chatter\n"


def test_that_a_log_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    done = program("--version", home=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
