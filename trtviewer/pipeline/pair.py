"""Two models that correspond, opened and ready to run on the same frames."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from trtviewer.errors import BadInput
from trtviewer.models.correspond import Correspondence, correspond
from trtviewer.models.spec import InputSpec, ModelSpec
from trtviewer.pipeline.worker import RunnerThread
from trtviewer.runners.choose import open_runner
from trtviewer.sources.source import Source


@dataclass(frozen=True, slots=True)
class Pair:
    """Both sides, open, and how their outputs pair. One and the same side twice: a model alone."""

    reference: RunnerThread
    candidate: RunnerThread
    correspondence: Correspondence

    @property
    def input_spec(self) -> InputSpec | None:
        """How a frame becomes the one input tensor; None where neither side reads one."""
        return self.reference.spec.input or self.candidate.spec.input


def make_pair(reference: RunnerThread, candidate: RunnerThread) -> Pair:
    """Raises: BadInput: the two do not correspond; it says how they differ."""
    return Pair(reference, candidate, correspond(reference.spec, candidate.spec))


@contextmanager
def open_pair(reference: ModelSpec, candidate: ModelSpec) -> Iterator[Pair]:
    """Opens both models, each with its half of the machine's cores, and closes them again.

    Raises:
        BadInput: one cannot be opened, or the two do not correspond.
        MissingRuntime: what one of them needs is not here.
    """
    correspondence = correspond(reference, candidate)
    threads = threads_of_each(2)
    with ExitStack() as stack:
        sides = [
            stack.enter_context(RunnerThread(open_runner(spec, threads=threads), name))
            for spec, name in ((reference, "reference"), (candidate, "candidate"))
        ]
        yield Pair(sides[0], sides[1], correspondence)


def require_frames(source: Source, pair: Pair) -> None:
    """Raises: BadInput: a side is a recording, and of another number of frames than the source: the two do not belong together."""
    for side in (pair.reference, pair.candidate):
        if side.frame_count is not None and side.frame_count != source.length:
            raise BadInput(
                f"has {side.frame_count} recorded frames, but {source.address} has {source.length}",
                subject=side.spec.path,
                advice="give the source that the outputs were recorded from",
            )


def threads_of_each(sessions: int) -> int:
    """How many threads each of several models running at once may use, so that they do not fight for the cores."""
    return max(1, (os.cpu_count() or 1) // sessions)
