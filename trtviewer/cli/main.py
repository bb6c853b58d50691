"""The command line: which command is meant, and what its end means to the shell."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NoReturn

from trtviewer import __version__, extra_site
from trtviewer.cli.apart import require_apart
from trtviewer.cli.native_chatter import native_chatter_to
from trtviewer.cli.options import allow_engines
from trtviewer.errors import BadUsage, Cancelled, TrtviewerError
from trtviewer.places import log_file

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Command:
    """One command: the module that has its `add_arguments(parser)` and `run(arguments) -> int`, and what it is for."""

    module: str
    help: str


COMMANDS = {
    "view": Command("trtviewer.cli.view", "open the window (also without a command)"),
    "demo": Command("trtviewer.cli.demo", "show the bundled demo; --headless writes a report and a picture"),
    "compare": Command("trtviewer.cli.compare", "compare two models over a source, by figures"),
    "quantize": Command("trtviewer.cli.quantize", "write the INT8 (Q/DQ) model of an FP32 one"),
    "build": Command("trtviewer.cli.build", "build a TensorRT engine of an ONNX model"),
    "layers": Command("trtviewer.cli.layers", "which layers of an INT8 model lose it"),
    "diff": Command("trtviewer.cli.diff", "compare two recordings of outputs, with no model"),
    "bench": Command("trtviewer.cli.bench", "measure two models, each alone, then both at once"),
    "info": Command("trtviewer.cli.info", "what was understood of a model, and from where"),
    "doctor": Command("trtviewer.cli.doctor", "what is installed, what can run here, what is missing"),
}

_HELP = """usage: trtviewer [COMMAND] [OPTIONS]

See what INT8 loses: a reference and a candidate detector side by side on the same frames.

{commands}

trtviewer COMMAND --help tells a command's options; trtviewer --version the version."""


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and shows the usage only when asked."""

    def error(self, message: str) -> NoReturn:
        raise BadUsage(message, advice=f"{self.prog} --help")


def main() -> int:
    """The program, as a shell starts it: one line on stderr for every error, and the exit status of the design."""
    log = log_file()
    with native_chatter_to(log):
        try:
            extra_site.join()
            return run(sys.argv[1:])
        except TrtviewerError as error:
            print(f"trtviewer: {error}", file=sys.stderr)
            return error.exit_status
        except KeyboardInterrupt:
            print("trtviewer: interrupted", file=sys.stderr)
            return Cancelled.exit_status
        except BrokenPipeError:
            # Whoever read our output has gone; so may we, and nobody is left to tell.
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123
            return 0
        except Exception as error:
            _log.exception("unexpected error")
            text = " ".join(str(error).split()) or type(error).__name__
            print(
                f"trtviewer: unexpected error: {text} (a bug; the whole of it is in {log})", file=sys.stderr
            )
            return TrtviewerError.exit_status


def run(argv: Sequence[str]) -> int:
    """Runs one command line in this process.

    Returns: 0, or 1 where a gate failed.
    Raises: TrtviewerError: what went wrong; its `exit_status` is the shell's.
    """
    name, rest = _command_of(argv)
    if name == "--help":
        print(_help_text())
        return 0
    if name == "--version":
        print(f"trtviewer {__version__}")
        return 0
    command = COMMANDS[name]
    module = importlib.import_module(command.module)
    parser = Parser(prog=f"trtviewer {name}", description=module.__doc__, allow_abbrev=False)
    module.add_arguments(parser)
    try:
        arguments = parser.parse_args(rest)
    except SystemExit:  # --help has printed what was asked for
        return 0
    require_apart(arguments)
    allow_engines(arguments)
    status: int = module.run(arguments)
    return status


def _command_of(argv: Sequence[str]) -> tuple[str, Sequence[str]]:
    if not argv:
        return "view", []
    first = argv[0]
    if first in ("-h", "--help", "help"):
        return "--help", []
    if first == "--version":
        return "--version", []
    if first in COMMANDS:
        return first, argv[1:]
    if first.startswith("-"):
        return "view", argv
    near = get_close_matches(first, COMMANDS, n=1)
    advice = f"did you mean {near[0]}?" if near else f"commands are {', '.join(COMMANDS)}"
    raise BadUsage(f"there is no command '{first}'", advice=advice)


def _help_text() -> str:
    commands = "\n".join(f"  {name:<10}{command.help}" for name, command in COMMANDS.items())
    return _HELP.format(commands=commands)
