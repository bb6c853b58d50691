"""A progress bar on a terminal, silence in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)


@contextmanager
def progress_bar(description: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Gives a callable that is told how many of `total` are done; `total` None where there is no end."""
    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield lambda done: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(description, total=total)
        yield lambda done: progress.update(task, completed=done)


@contextmanager
def build_bar() -> Iterator[Callable[[str, float], None]]:
    """As `progress_bar`, for work in named phases: the callable is told the phase and the share of all that is done, 0..1."""
    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield lambda phase, share: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("building", total=1.0)
        yield lambda phase, share: progress.update(task, description=phase, completed=share)


def console() -> Console:
    """Where tables are printed: the terminal at its width, a pipe at a width at which nothing is cut."""
    plain = Console()
    return plain if plain.is_terminal else Console(width=120, highlight=False)
