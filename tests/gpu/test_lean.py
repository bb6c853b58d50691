"""The real lean runtime of TensorRT, and the program's own loading code, on files that are no plan for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.model_zoo import class_names, write_anchor_sidecar
from trtviewer import optional

LEAN = Path(__file__).parent / "lean"
CODE = """
import sys
from pathlib import Path
from trtviewer.errors import TrtviewerError
from trtviewer.models.load import load_spec
from trtviewer.models.trust import trust
from trtviewer.runners.trt import TrtRunner
for probe in (True, False):
    for path in map(Path, sys.argv[1:]):
        trust(path)
        try:
            with TrtRunner(load_spec(path), probe=probe):
                print("opened", path.name)
        except TrtviewerError as error:
            print(error.exit_status, type(error).__name__, error)
print("alive")
"""


def contents() -> dict[str, bytes]:
    random = np.random.default_rng(0).bytes(20_000)
    rtx = b"vtrt\0\0\0\0\2\0\0\0\0\0\0\0" + (20_000).to_bytes(8, "little") + b"\1\7\1t" + random
    return {
        "random": random,
        "text": b"this is no plan, but a letter to whoever reads plans\n" * 100,
        "zeros": bytes(10_000),
        "short": b"ftrt",
        "magic_then_random": b"ftrt\0\0\0\0" + random,
        "foreign_rtx": rtx,
        "foreign_as_ftrt": b"f" + rtx[1:],
    }


@pytest.mark.skipif(
    not optional.installed("tensorrt_lean_bindings"), reason="needs the wheels of tensorrt_lean"
)
def test_that_garbage_truncated_and_foreign_plans_get_their_line_and_the_program_lives(
    tmp_path: Path,
) -> None:
    paths = []
    for name, data in contents().items():
        paths.append(tmp_path / f"{name}.engine")
        paths[-1].write_bytes(data)
        write_anchor_sidecar(paths[-1], (8, 16, 32), class_names(3), size=(64, 64))
    # Only this process has the lean runtime under TensorRT's name.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(LEAN), *sys.path])}
    done = subprocess.run(
        [sys.executable, "-c", CODE, *map(str, paths)],
        capture_output=True, text=True, timeout=200, check=False, env=environment,
    )  # fmt: skip
    print(done.stdout, done.stderr)
    lines = done.stdout.splitlines()
    assert lines[-1:] == ["alive"], done
    assert len(lines) == 2 * len(paths) + 1
    told = {path.stem: [line for line in lines if f"/{path.name}: " in line] for path in paths}
    for name, (tried, loaded) in told.items():
        assert tried == loaded, "tried elsewhere and loaded here, it is told alike"
        assert tried.startswith(("2 BadInput", "3 MissingRuntime")), name
    for name in ("random", "text", "zeros"):
        assert "is not a TensorRT plan, or of a version that TensorRT 11.4.0 does not know" in told[name][0]
    assert "tensorrt_rtx" in told["foreign_rtx"][0]
