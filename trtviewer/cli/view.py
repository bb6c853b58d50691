"""Open the window."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from trtviewer.cli.options import add_engine_options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """All are optional: what is missing can be dropped on the window."""
    parser.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="FILE",
        help="models, videos, pictures, as if dropped on the window: INT8 becomes the candidate",
    )
    parser.add_argument("--reference", type=Path, metavar="M", help="usually the FP32 model")
    parser.add_argument(
        "--candidate",
        type=Path,
        action="append",
        default=[],
        metavar="M",
        help="usually the INT8 model; may be given several times, keys 1 to 9 change between them",
    )
    parser.add_argument(
        "--source", metavar="S", help="a video, an image, a folder of images, camera:N, or scene:NAME"
    )
    parser.add_argument("--session", type=Path, metavar="FILE", help="a session saved by the window")
    add_engine_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Returns when the window is closed. Raises: MissingRuntime: Qt is not here or would crash."""
    return open_window(
        arguments.reference, arguments.candidate, arguments.source, arguments.session, arguments.files
    )


def open_window(
    reference: Path | None,
    candidates: Sequence[Path],
    source: str | None,
    session: Path | None = None,
    files: Sequence[Path] = (),
) -> int:
    """Opens the window, the first candidate shown, and returns when it is closed.

    Args:
        files: anything else to open, sorted as a drop on the window is.
    """
    from trtviewer.gui.app import view

    status: int = view(reference, candidates, source, session, files)
    return status


def open_demo() -> int:
    """Opens the window on the bundled demo, playing, and returns when it is closed."""
    from trtviewer.gui.app import view

    status: int = view(demo=True)
    return status


def save_picture(
    reference: Path, candidates: Sequence[Path], source: str, frame_index: int, path: Path
) -> None:
    """Writes a PNG of the window on one frame; needs no display. Raises: BadInput, MissingRuntime."""
    from trtviewer.gui.app import picture

    picture(reference, candidates, source, frame_index, path)
