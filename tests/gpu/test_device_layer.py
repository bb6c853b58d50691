"""Streams, buffers, errors and the way out."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from trtviewer.runners.cuda import Device, DeviceSession, OutOfDeviceMemory


def free_memory() -> int:
    device = Device.get()
    with device.current():
        return device.memory()[0]


def test_that_what_goes_up_comes_down_as_it_was() -> None:
    random = np.random.default_rng(0).random(100_000).astype(np.float32)
    with DeviceSession("test") as session, session.device.current():
        stream, buffer = session.stream(), session.buffer(random.nbytes)
        up, down = session.pinned(random.shape, np.float32), session.pinned(random.shape, np.float32)
        np.copyto(up.array, random)
        down.array[:] = np.nan
        session.upload(up.array, buffer.address, stream)
        session.download(buffer.address, down.array, stream)
        stream.synchronize()
        assert buffer.address % 256 == 0
        np.testing.assert_array_equal(down.array, random)


def test_that_a_session_gives_all_memory_back() -> None:
    free_memory()
    before = free_memory()
    for _ in range(5):
        with DeviceSession("test") as session, session.device.current():
            session.buffer(256 * 2**20)
            session.pinned((1000, 1000), np.float32)
            session.event().record(session.stream())
    assert free_memory() == before


def test_that_full_memory_is_told_with_the_figures_and_nothing_is_left() -> None:
    before = free_memory()
    with (
        pytest.raises(
            OutOfDeviceMemory, match=r"model\.engine: .*full for \d+ MiB: \d+ of \d+ MiB are free"
        ) as caught,
        DeviceSession("model.engine") as session,
        session.device.current(),
    ):
        session.buffer(2**20)
        session.buffer(10**15)
    assert caught.value.exit_status == 3
    assert free_memory() == before


ENDS = {
    "a session is left open": """
session = DeviceSession("x").__enter__()
with session.device.current():
    session.stream(); session.buffer(1000); session.pinned((10,), "f4")
""",
    "another thread closes it": """
import threading
session = DeviceSession("x").__enter__()
with session.device.current():
    session.stream(); session.buffer(1000); session.pinned((10,), "f4"); session.event()
thread = threading.Thread(target=session.__exit__, args=(None, None, None)); thread.start(); thread.join()
""",
    "an error leaves the block": """
try:
    with DeviceSession("x") as session, session.device.current():
        session.buffer(1000); raise ZeroDivisionError
except ZeroDivisionError: pass
""",
}


@pytest.mark.parametrize("how", ENDS)
def test_that_no_way_out_aborts_or_complains(how: str) -> None:
    code = "from trtviewer.runners.cuda import DeviceSession" + ENDS[how] + "print('end')\n"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "end\n", "")


STICKY = """
import numpy as np
from trtviewer.errors import TrtviewerError
from trtviewer.runners.cuda import DeviceSession
try:
    with DeviceSession("bad.engine") as session, session.device.current():
        device, stream = session.device, session.stream()
        from trtviewer.runners import gpu_input
        module = device.driver.module_from_buffer(gpu_input.compiled_kernels(*device.gpu.compute_capability))
        kernel = module.get_function("letterbox_float32")
        with device.errors("bad.engine"):
            kernel(np.uint64(16), np.uint64(16), np.uint64(16), *(np.int32(8) for _ in range(10)),
                   block=(32, 8, 1), grid=(1, 1), stream=stream.native)
            stream.synchronize()
except TrtviewerError as error:
    print(type(error).__name__, error.exit_status, error)
"""


def test_that_a_failed_gpu_is_told_as_such_and_the_process_ends_by_itself() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STICKY], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.startswith("DeviceLost 3 bad.engine: the GPU failed and answers no more"), done
    assert done.returncode == 0, done
    assert "context stack" not in done.stderr
