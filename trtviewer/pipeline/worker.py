"""One thread with one owner, who starts it, cancels it, waits for it, and gets its error."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from trtviewer.models.spec import ModelSpec
from trtviewer.runners.runner import InputTensor, Runner, RunnerInfo, RunResult


class Worker:
    """Runs `target(cancelled)` on a thread of its own; `target` looks at the event between pieces of work."""

    def __init__(self, name: str, target: Callable[[threading.Event], None]) -> None:
        self.cancelled = threading.Event()
        self._target = target
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name)

    def start(self) -> Self:
        self._thread.start()
        return self

    def cancel(self) -> None:
        """Asks it to stop; does not wait."""
        self.cancelled.set()

    def join(self) -> None:
        """Waits until it has ended. Raises: what ended it, once."""
        if self._thread.ident is not None:
            self._thread.join()
        error, self._error = self._error, None
        if error is not None:
            raise error

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._target(self.cancelled)
        except BaseException as error:  # re-raised where the owner joins
            self._error = error


class RunnerThread:
    """A runner that is opened, used and closed on one thread, as CUDA contexts want it.

    Requests are answered in the order in which they were made. Opened by `with`; leaving waits for what is under way.
    """

    def __init__(self, runner: Runner, name: str) -> None:
        self._runner = runner
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    @property
    def spec(self) -> ModelSpec:
        return self._runner.spec

    @property
    def info(self) -> RunnerInfo:
        return self._runner.info

    @property
    def frame_count(self) -> int | None:
        return self._runner.frame_count

    def __enter__(self) -> Self:
        try:
            self._executor.submit(self._runner.__enter__).result()
        except BaseException:
            self._executor.shutdown()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        closing = self._executor.submit(self._runner.__exit__, None, None, None)
        self._executor.shutdown()
        closing.result()

    def submit(self, tensor: InputTensor, frame_index: int) -> Future[RunResult]:
        """Asks for one run; `tensor` must stay as it is until the answer is there."""
        return self._executor.submit(self._runner.run, tensor, frame_index)
