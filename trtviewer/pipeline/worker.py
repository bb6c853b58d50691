"""One thread with one owner, who starts it, cancels it, waits for it, and gets its error."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from trtviewer.models.spec import ModelSpec
from trtviewer.runners.gpu_runner import IN_FLIGHT, GpuRunner, PendingRun
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
        finally:
            # What it ran usually holds this worker: let go, so that buffers are freed now and not by a later collection.
            del self._target


class RunnerThread:
    """A runner that is opened, used and closed on one thread, as CUDA contexts want it.

    Requests are answered in the order in which they were made. Opened by `with`; leaving waits for what is under way.
    On a GPU a second thread waits for the outputs and takes them over, so that the first has the next request on its way
    as soon as it comes: copies and inference overlap however fast the host is.
    """

    def __init__(self, runner: Runner, name: str) -> None:
        self._runner = runner
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._outputs = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"{name}'s outputs")
        self._free = threading.Semaphore(IN_FLIGHT)
        self._lock = threading.Lock()
        self._running: Future[RunResult] | None = None

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
        closing = self._executor.submit(self._close)
        self._executor.shutdown()
        closing.result()

    def submit(self, tensor: InputTensor, frame_index: int) -> Future[RunResult]:
        """Asks for one run; `tensor` must stay as it is until the answer is there."""
        answer: Future[RunResult] = Future()
        if isinstance(self._runner, GpuRunner):
            self._executor.submit(self._begin, self._runner, tensor, frame_index, answer)
        else:
            self._executor.submit(self._run, tensor, frame_index, answer)
        return answer

    def abandon(self, answers: Collection[Future[RunResult]]) -> None:
        """Ends soon what nobody waits for any more: of these requests the one under way is stopped, and none is begun; does not wait."""
        for answer in answers:
            answer.cancel()
        with self._lock:
            if self._running in answers:
                self._runner.stop()

    def _run(self, tensor: InputTensor, frame_index: int, answer: Future[RunResult]) -> None:
        with self._lock:
            self._running = answer
        if not answer.set_running_or_notify_cancel():
            return
        try:
            answer.set_result(self._runner.run(tensor, frame_index))
        except BaseException as error:  # re-raised where the answer is read
            answer.set_exception(error)

    def _begin(
        self, runner: GpuRunner, tensor: InputTensor, frame_index: int, answer: Future[RunResult]
    ) -> None:
        self._free.acquire()
        if not answer.set_running_or_notify_cancel():
            self._free.release()
            return
        try:
            pending = runner.begin(tensor, frame_index)
        except BaseException as error:  # re-raised where the answer is read
            self._free.release()
            answer.set_exception(error)
        else:
            self._outputs.submit(self._finish, runner, pending, answer)

    def _finish(self, runner: GpuRunner, pending: PendingRun, answer: Future[RunResult]) -> None:
        try:
            answer.set_result(runner.finish(pending))
        except BaseException as error:  # re-raised where the answer is read
            answer.set_exception(error)
        finally:
            self._free.release()

    def _close(self) -> None:
        self._outputs.shutdown()
        self._runner.__exit__(None, None, None)
