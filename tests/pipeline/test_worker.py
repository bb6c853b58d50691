from __future__ import annotations

import threading
from concurrent.futures import wait
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pytest

from tests.build import networks
from trtviewer.errors import BadInput
from trtviewer.models.load import load_spec
from trtviewer.models.spec import ModelSpec
from trtviewer.pipeline.worker import RunnerThread, Worker
from trtviewer.runners.ort import OrtRunner
from trtviewer.runners.runner import InputTensor, RunnerInfo, RunResult, RunTimes


def test_that_joining_a_worker_raises_what_ended_it_once() -> None:
    def fail(cancelled: threading.Event) -> None:
        raise BadInput("is damaged", subject="frame 3")

    worker = Worker("failing", fail).start()
    with pytest.raises(BadInput, match="frame 3: is damaged"):
        worker.join()
    worker.join()
    assert not worker.alive


def test_that_a_cancelled_worker_is_told_and_joined() -> None:
    worker = Worker("waiting", lambda cancelled: cancelled.wait() and None).start()
    assert worker.alive
    worker.cancel()
    worker.join()
    assert not worker.alive


def test_that_a_worker_that_never_started_can_be_joined() -> None:
    Worker("idle", lambda cancelled: None).join()


class Recorder:
    """A runner that notes which thread did what, and fails where asked."""

    def __init__(self, *, fail_open: bool = False) -> None:
        self.threads: list[int] = []
        self.closed = False
        self._fail_open = fail_open

    @property
    def spec(self) -> ModelSpec:
        raise NotImplementedError

    @property
    def info(self) -> RunnerInfo:
        return RunnerInfo("recorder", "fp32", emulated=False)

    @property
    def frame_count(self) -> int | None:
        return None

    def __enter__(self) -> Self:
        self.threads.append(threading.get_ident())
        if self._fail_open:
            raise BadInput("cannot be opened", subject="m.onnx")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.threads.append(threading.get_ident())
        self.closed = True

    def run(self, tensor: InputTensor, frame_index: int) -> RunResult:
        self.threads.append(threading.get_ident())
        if frame_index < 0:
            raise BadInput("no such frame")
        return RunResult({"out": np.full(1, frame_index, np.float32)}, RunTimes(0, 0, 0))

    def stop(self) -> None:
        return


def test_that_a_runner_is_opened_used_and_closed_on_one_thread_in_order() -> None:
    recorder = Recorder()
    tensor = np.zeros((1, 3, 2, 2), np.float32)
    with RunnerThread(recorder, "reference") as runner:
        answers = [runner.submit(tensor, index) for index in range(20)]
        assert [int(answer.result().heads["out"][0]) for answer in answers] == list(range(20))
        with pytest.raises(BadInput, match="no such frame"):
            runner.submit(tensor, -1).result()
    assert recorder.closed
    assert len(set(recorder.threads)) == 1
    assert recorder.threads[0] != threading.get_ident()


def test_that_a_runner_that_cannot_be_opened_leaves_no_thread() -> None:
    with (
        pytest.raises(BadInput, match="cannot be opened"),
        RunnerThread(Recorder(fail_open=True), "reference"),
    ):
        pass


def test_that_abandoned_requests_are_stopped_or_never_begun(tmp_path: Path) -> None:
    spec = load_spec(networks.endless(tmp_path / "endless.onnx"))
    tensor = np.zeros((1, 3, 64, 64), np.float32)
    with RunnerThread(OrtRunner(spec, threads=1), "endless") as runner:
        answers = [runner.submit(tensor, index) for index in range(3)]
        while not answers[0].running():
            assert not answers[0].done()
        runner.abandon(answers[:2])
        assert isinstance(answers[0].exception(), BadInput), "it was under way"
        assert answers[1].cancelled(), "it had not begun"
        while not answers[2].running():
            assert not answers[2].done(), "nobody has given it up"
        runner.abandon(answers)
        wait(answers)
