"""Killed, interrupted, or closed in the middle: it ends, and with no CUDA error on the way out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from trtviewer.models.spec import ModelSpec

DOUBLE = Path(__file__).parent / "double"

RUNS = """
import sys, threading
from pathlib import Path
from trtviewer.models.load import load_spec
from trtviewer.pipeline.analysis import comparisons
from trtviewer.pipeline.pair import open_pair
from trtviewer.compare.settings import CompareSettings
from trtviewer.sources.source import FrameRange
from tests.gpu.video import LoopedVideo
a, b, video = map(Path, sys.argv[1:4])
with LoopedVideo(video, 10**6) as source, open_pair(load_spec(a), load_spec(b)) as pair:
    for number, _ in enumerate(comparisons(source, FrameRange(), pair, CompareSettings())):
        if number == 20:
            print("running", flush=True)
"""
BUILDS = """
import sys
from pathlib import Path
from trtviewer.build.engine import build_engine
from trtviewer.build.request import BuildRequest
from trtviewer.models.load import load_spec
spec = load_spec(Path(sys.argv[1]))
build_engine(spec, Path(sys.argv[2]), BuildRequest(spec.path), lambda progress: print("running", flush=True))
print("built")
"""
CAPTURES = """
import sys, onnx, tensorrt
from pathlib import Path
import numpy as np
from tests.model_zoo import class_names, tiny_yolo_anchor, write_anchor_sidecar
from trtviewer.models.load import load_spec
from trtviewer.models.trust import trust
from trtviewer.runners.trt import TrtRunner
folder = Path(sys.argv[1])
model = tiny_yolo_anchor(folder / "tiny.onnx")
plan = folder / "copy.engine"
plan.write_bytes(tensorrt.plan_of(onnx.load(model), kind="copy"))
write_anchor_sidecar(plan, (8, 16, 32), class_names(3), size=(64, 64))
trust(plan)
execute = tensorrt.IExecutionContext.execute_async_v3
calls = []
def throws(self, stream_handle):
    calls.append(1)
    if len(calls) == 3:  # two of the warm-up: this one is being recorded
        print("running", flush=True)
        raise ZeroDivisionError("thrown while a graph is recorded")
    return execute(self, stream_handle)
tensorrt.IExecutionContext.execute_async_v3 = throws
spec = load_spec(plan)
try:
    with TrtRunner(spec, probe=False) as runner:
        runner.run(np.zeros((1, 3, 64, 64), np.float32), 0)
except ZeroDivisionError as error:
    print(error)
with TrtRunner(spec, probe=False) as runner:
    runner.run(np.zeros((1, 3, 64, 64), np.float32), 0)
    print("runs again")
"""
COMPLAINTS = ("context stack", "cuda error", "could not be cleaned up", "terminate called", "core dumped")


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(DOUBLE), *sys.path])}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def end(running: subprocess.Popen[str]) -> tuple[str, str]:
    out, err = running.communicate(timeout=10)
    assert not [word for word in COMPLAINTS if word in err.lower()], err
    return out, err


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_that_a_run_that_is_stopped_in_the_middle_ends_at_once(
    how: signal.Signals, engine_pair: tuple[ModelSpec, ModelSpec], real_data: Path
) -> None:
    running = start(RUNS, *(spec.path for spec in engine_pair), real_data / "street.avi")
    assert running.stdout is not None
    assert running.stdout.readline() == "running\n"
    running.send_signal(how)
    _, err = end(running)
    assert running.returncode in (-how, 130 if how == signal.SIGINT else -how, 1), (running.returncode, err)
    if how == signal.SIGINT:
        assert err.rstrip().endswith("KeyboardInterrupt")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_that_a_build_that_is_stopped_in_the_middle_ends_at_once(
    how: signal.Signals, onnx_pair: tuple[ModelSpec, ModelSpec], tmp_path: Path
) -> None:
    running = start(BUILDS, onnx_pair[0].path, tmp_path / "out.engine")
    assert running.stdout is not None
    assert running.stdout.readline() == "running\n"
    running.send_signal(how)
    end(running)
    assert not (tmp_path / "out.engine").exists()


def test_that_an_error_in_the_middle_of_a_recording_leaves_the_gpu_usable(tmp_path: Path) -> None:
    running = start(CAPTURES, tmp_path)
    out, err = end(running)
    assert out.splitlines() == ["running", "thrown while a graph is recorded", "runs again"], (out, err)
    assert running.returncode == 0
