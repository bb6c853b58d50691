"""Programs that are stopped in the middle of what they do on the GPU, and how long they take to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

DOUBLE = Path(__file__).parent / "double"
ENDS_WITHIN_S = 2
"""What the program promises; it takes a tenth of that. These tests run on machines with a GPU alone, never on a slow one of a CI."""
COMPLAINTS = ("context stack", "cuda error", "could not be cleaned up", "terminate called", "core dumped")

INFERENCE = """
import sys
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
"""Of: two models, a video."""
BUILD = """
import sys, time
from pathlib import Path
from trtviewer.build.engine import build_engine
from trtviewer.build.request import BuildRequest
from trtviewer.models.load import load_spec
def told(progress):
    if progress.share > 0.1:
        print("running", flush=True)
        time.sleep(600)
if __name__ == "__main__":
    spec = load_spec(Path(sys.argv[1]))
    build_engine(spec, Path(sys.argv[2]), BuildRequest(spec.path), told)
"""
"""Of: an ONNX model, an engine to write."""
RECORDED = """
import sys, time, onnx, tensorrt
from pathlib import Path
import numpy as np
from tests.model_zoo import class_names, tiny_yolo_anchor, write_anchor_sidecar
from trtviewer.models.load import load_spec
from trtviewer.models.trust import trust
from trtviewer.runners.gpu_runner import IN_FLIGHT
from trtviewer.runners.trt import TrtRunner
folder = Path(sys.argv[1])
model = tiny_yolo_anchor(folder / "tiny.onnx")
plan = folder / "copy.engine"
plan.write_bytes(tensorrt.plan_of(onnx.load(model), kind="copy"))
write_anchor_sidecar(plan, (8, 16, 32), class_names(3), size=(64, 64))
trust(plan)
execute = tensorrt.IExecutionContext.execute_async_v3
calls = []
def counted(self, stream_handle):
    calls.append(1)
    done = execute(self, stream_handle)
    if len(calls) == IN_FLIGHT + 1:  # each slot once in the warm-up: this one is being recorded
        print("running", flush=True)
        happen()
    return done
tensorrt.IExecutionContext.execute_async_v3 = counted
spec = load_spec(plan)
def run():
    with TrtRunner(spec, probe=False) as runner:
        runner.run(np.zeros((1, 3, 64, 64), np.float32), 0)
"""
CAPTURE = (
    RECORDED
    + """
def happen():
    time.sleep(600)
run()
"""
)
"""Of: a folder."""
THROWN_IN_A_CAPTURE = (
    RECORDED
    + """
def happen():
    raise ZeroDivisionError("thrown while a graph is recorded")
try:
    run()
except ZeroDivisionError as error:
    print(error)
run()
print("runs again")
"""
)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a program ended: its status, what it wrote, and the seconds from the signal to its end."""

    status: int
    out: str
    err: str
    seconds: float

    @property
    def complaints(self) -> list[str]:
        """What a CUDA that was not left in order says."""
        return [word for word in COMPLAINTS if word in self.err.lower()]


def ended(
    code: str, *arguments: object, by: signal.Signals | None = None, wait_s: float = ENDS_WITHIN_S
) -> Ending:
    """Starts a program, sends it the signal once it says that it is running, and waits for its end and that of all that it started.

    Raises: subprocess.TimeoutExpired: it has not ended after `wait_s`.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(DOUBLE), *sys.path])}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as running:
        assert running.stdout is not None
        first = running.stdout.readline()
        begin = time.perf_counter()
        if by is not None and first:
            running.send_signal(by)
        try:
            out, err = running.communicate(timeout=wait_s)
        except subprocess.TimeoutExpired:
            running.kill()
            raise
        return Ending(running.returncode, first + out, err, time.perf_counter() - begin)
