"""From frame numbers to both models' heads: decode, preprocess and two runners, each on its own thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from trtviewer.models.spec import InputSpec
from trtviewer.pipeline.handover import Channel, Closed
from trtviewer.pipeline.input_maker import input_maker
from trtviewer.pipeline.worker import RunnerThread, Worker
from trtviewer.preprocess import Placement
from trtviewer.runners.runner import RunResult
from trtviewer.sources.frame import Frame
from trtviewer.sources.source import Source

_POLL_S = 0.1
"""How soon a cancel is seen in the middle of a long run."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A request for one frame.

    Attributes:
        generation: tells answers to an older question from newer ones.
        sought: the user asked for just this frame, rather than for whatever is due.
    """

    frame_index: int
    generation: int = 0
    sought: bool = False


class Schedule(Protocol):
    """Says which frame is wanted next."""

    def next(self) -> Ticket | None:
        """Waits until a frame is wanted; None at the end."""


class Listed:
    """A schedule that asks for the given frames, one after the other."""

    def __init__(self, indices: Iterator[int]) -> None:
        self._indices = indices

    def next(self) -> Ticket | None:
        index = next(self._indices, None)
        return None if index is None else Ticket(index)


@dataclass(frozen=True, eq=False, slots=True)
class PairRun:
    """What both models made of one frame, and how long its way took until there."""

    ticket: Ticket
    frame: Frame
    placement: Placement
    reference: RunResult
    candidate: RunResult
    decode_ms: float
    preprocess_ms: float


@dataclass(frozen=True, eq=False, slots=True)
class _Decoded:
    ticket: Ticket
    frame: Frame
    decode_ms: float


@dataclass(frozen=True, eq=False, slots=True)
class _Submitted:
    decoded: _Decoded
    slot: int
    placement: Placement
    preprocess_ms: float
    reference: Future[RunResult]
    candidate: Future[RunResult]


class PairFeed:
    """Runs both models on the scheduled frames and gives what they made, in order, none lost.

    Borrows the source and the runners; leaving the `with` block stops and joins its own threads, whatever they do.
    An error of any stage comes out of `get`, after everything that was done before it.

    Args:
        source: where frames come from; used by this feed's thread alone while it runs.
        schedule: which frames. Whoever leaves early sees to it that a waiting `next` returns.
        reference, candidate: the two models; one and the same to run a model alone.
        input_spec: how frames become the tensor; None where neither model reads one.
        depth: how many frames may wait at each handover.
        cancelled: looked at while a run is waited for; the feed then ends.
    """

    def __init__(
        self,
        source: Source,
        schedule: Schedule,
        reference: RunnerThread,
        candidate: RunnerThread,
        input_spec: InputSpec | None,
        depth: int = 2,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        self._source = source
        self._schedule = schedule
        self._reference = reference
        self._candidate = candidate
        self._cancelled = cancelled
        self._decoded: Channel[_Decoded] = Channel(depth)
        self._submitted: Channel[_Submitted] = Channel(depth)
        # One tensor is being filled, `depth` wait, and one is with the consumer.
        slots = depth + 2
        self._inputs = input_maker(input_spec, slots, reference, candidate)
        self._free: Channel[int] = Channel(slots)
        for slot in range(slots):
            self._free.put(slot)
        self._asked: list[Future[RunResult]] = []
        self._decoder = Worker("decode", self._decode)
        self._preparer = Worker("preprocess", self._prepare)

    def __enter__(self) -> Self:
        self._inputs.__enter__()
        self._decoder.start()
        self._preparer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._decoder.cancel()
        self._preparer.cancel()
        for channel in (self._decoded, self._submitted, self._free):
            channel.abort()
        try:
            for worker in (self._decoder, self._preparer):
                try:
                    worker.join()
                except BaseException:
                    # What went wrong was for `get` to tell; whoever leaves now has another error, or wants no more.
                    if kind is None:
                        raise
        finally:
            # Runs that are under way read the inputs.
            for side in (self._reference, self._candidate):
                side.abandon(self._asked)
            wait([answer for answer in self._asked if not answer.cancelled()])
            self._inputs.__exit__(kind, error, trace)

    def get(self) -> PairRun:
        """The next frame's run. Raises: Closed, at the end of the schedule, or cancelled; whatever ended a stage."""
        try:
            submitted = self._submitted.get()
        except Closed:
            self._decoder.join()
            self._preparer.join()
            raise
        answers = submitted.reference, submitted.candidate
        while wait(answers, timeout=_POLL_S).not_done:
            if self._cancelled():
                raise Closed
        reference, candidate = (answer.result() for answer in answers)
        self._free.put(submitted.slot)
        decoded = submitted.decoded
        return PairRun(
            decoded.ticket,
            decoded.frame,
            submitted.placement,
            reference,
            candidate,
            decoded.decode_ms,
            submitted.preprocess_ms,
        )

    def __iter__(self) -> Iterator[PairRun]:
        while True:
            try:
                run = self.get()
            except Closed:
                return
            yield run

    def _decode(self, cancelled: threading.Event) -> None:
        try:
            while not cancelled.is_set() and (ticket := self._schedule.next()) is not None:
                begin = time.perf_counter()
                frame = self._source.read(ticket.frame_index)
                self._decoded.put(_Decoded(ticket, frame, _ms_since(begin)))
        except Closed:
            return
        finally:
            self._decoded.finish()

    def _prepare(self, cancelled: threading.Event) -> None:
        try:
            while not cancelled.is_set():
                self._submitted.put(self._submit(self._decoded.get()))
        except Closed:
            return
        finally:
            self._submitted.finish()

    def _submit(self, decoded: _Decoded) -> _Submitted:
        slot = self._free.get()
        begin = time.perf_counter()
        tensor, placement = self._inputs.prepare(decoded.frame.picture, slot)
        preprocess_ms = _ms_since(begin)
        index = decoded.ticket.frame_index
        reference = self._reference.submit(tensor, index)
        alone = self._candidate is self._reference
        candidate = reference if alone else self._candidate.submit(tensor, index)
        self._asked = [answer for answer in self._asked if not answer.done()] + [reference, candidate]
        return _Submitted(decoded, slot, placement, preprocess_ms, reference, candidate)


def _ms_since(begin: float) -> float:
    return 1e3 * (time.perf_counter() - begin)
