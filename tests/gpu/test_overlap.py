"""Upload, inference and download overlap by the order of the streams, whatever the host's speed: shown by the GPU's own event times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tests.gpu.timeline import Stills, Timeline, covered
from trtviewer.models.spec import ModelSpec
from trtviewer.pipeline.feed import Listed, PairFeed
from trtviewer.pipeline.worker import RunnerThread
from trtviewer.runners.cuda import Stream
from trtviewer.runners.gpu_runner import DeviceOutput, GpuRunner, Slot
from trtviewer.runners.runner import RunnerInfo

SPIN = b"""
.version 7.0
.target sm_70
.address_size 64
.visible .entry spin(.param .u64 nanoseconds)
{
    .reg .pred %again;
    .reg .u64 %wanted, %begun, %now;
    ld.param.u64 %wanted, [nanoseconds];
    mov.u64 %begun, %globaltimer;
turn:
    mov.u64 %now, %globaltimer;
    sub.u64 %now, %now, %begun;
    setp.lt.u64 %again, %now, %wanted;
    @%again bra turn;
    ret;
}
\0"""
COMPUTE_MS = 3


class SpinningRunner(GpuRunner):
    """A network that computes for three milliseconds on one core of the GPU, put there by one call: what the host costs does not show."""

    @property
    def info(self) -> RunnerInfo:
        return RunnerInfo("spinning", "fp32", emulated=False, on_gpu=True)

    def _prepare(self) -> None:
        return

    def _open(self, stream: Stream) -> Sequence[DeviceOutput]:
        self._module: Any = self.session.device.driver.module_from_buffer(SPIN)
        self._spin: Any = self._module.get_function("spin")
        return [DeviceOutput(head.output, head.output, head.shape, "float32") for head in self.spec.heads]

    def _enqueue(self, slot: Slot, input_address: int) -> None:
        self._spin(np.uint64(COMPUTE_MS * 10**6), block=(1, 1, 1), grid=(1, 1), stream=self.compute.native)

    def _close(self) -> None:
        self._spin = self._module = None


@pytest.fixture(scope="module")
def timeline(onnx_pair: tuple[ModelSpec, ModelSpec], pictures: list[np.ndarray]) -> Timeline:
    """Of 100 frames that went through the program's own feed."""
    count = 100
    runner = SpinningRunner(onnx_pair[0])
    with Timeline() as seen, RunnerThread(runner, "spinning") as side:
        feed = PairFeed(Stills(pictures, count), Listed(iter(range(count))), side, side, runner.spec.input)  # type: ignore[arg-type]
        seen.watch("spinning", runner, feed._inputs)  # type: ignore[arg-type]
        with feed:
            assert [run.ticket.frame_index for run in feed] == list(range(count))
    return seen


# On one stream both shares are below 0.01; what is missing to 1 is a host that was held up for longer than the frames under way last,
# and of the download, of which the first microseconds are the next frame's start.


def test_that_the_next_picture_is_uploaded_while_a_frame_is_computed(timeline: Timeline) -> None:
    assert covered(timeline.upload, timeline.compute["spinning"]) > 0.5


def test_that_outputs_travel_while_the_next_frame_is_computed(timeline: Timeline) -> None:
    assert covered(timeline.download["spinning"], timeline.compute["spinning"]) > 0.5
