"""Every name of TensorRT that the program uses is there, with the signature it is called by, from 10.0.1 to the newest.

The list is derived from the program's source (`python tests/runners/trt_uses.py` prints it), and held against real binding wheels of the
package index, imported with stub libraries; nothing of TensorRT runs.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.runners import stub_bindings
from tests.runners.trt_bindings_check import signatures
from tests.runners.trt_uses import Uses, uses_of_the_program

WHEELS = (
    ("tensorrt_cu12_bindings", "==10.0.1"),
    ("tensorrt_cu12_bindings", "==10.3.0"),
    ("tensorrt_cu12_bindings", "==10.9.0.34"),
    ("tensorrt_cu12_bindings", "==10.13.3.9"),
    ("tensorrt_cu12_bindings", "<11"),
    ("tensorrt_cu12_bindings", "==11.0.0.114"),
    ("tensorrt_cu13_bindings", ""),
)


@pytest.fixture(scope="module")
def uses() -> Uses:
    return uses_of_the_program()


def test_that_the_list_has_what_the_runner_and_the_builder_cannot_do_without(uses: Uses) -> None:
    calls = {use.name: use.positional for use in uses.uses if use.kind == "call"}
    assert calls["IExecutionContext.execute_async_v3"] == 1
    assert calls["IExecutionContext.set_tensor_address"] == 2
    assert calls["Runtime.deserialize_cuda_engine"] == 1
    assert calls["Builder.build_serialized_network"] == 2
    assert calls["IOptimizationProfile.set_shape"] == 4
    assert "ILogger.log" in {use.name for use in uses.uses if use.kind == "override"}
    assert "IBuilderConfig.progress_monitor" in {use.name for use in uses.uses if use.kind == "set"}
    assert len(uses.uses) > 80


def test_that_nothing_is_used_that_11_has_removed_but_in_the_legacy_module(uses: Uses) -> None:
    gone = {"FP16", "set_dynamic_range", "precision", "set_output_type", "num_bindings", "execute_async_v2"}
    for use in uses.uses:
        if use.name.rpartition(".")[2] in gone:
            assert use.where == "legacy", use


def test_that_signatures_are_read_from_docstrings() -> None:
    text = """f(*args, **kwargs)
    Overloaded function.

    1. f(self: a.B, name: str, shape: tuple[int, ...] = (1, 2)) -> bool
    2. f(self: a.B, stream_handle: typing.SupportsInt) -> None
    """
    assert signatures(text, "f") == [[("name", False), ("shape", True)], [("stream_handle", False)]]
    assert signatures("g(self: a.B, flags: int = <Flag.X: 1>) -> c.D\n", "g") == [[("flags", True)]]


def check(module: str, environment: dict[str, str] | None, uses: Uses) -> dict[str, object]:
    said = {"uses": [asdict(use) for use in sorted(uses.uses)], "asked_for": sorted(uses.asked_for)}
    script = Path(__file__).with_name("trt_bindings_check.py")
    done = subprocess.run(
        [sys.executable, str(script), module],
        input=json.dumps(said),
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize(("package", "version"), WHEELS)
def test_that_tensorrt_has_all_of_it(package: str, version: str, uses: Uses) -> None:
    if not all(shutil.which(tool) for tool in ("cc", "nm", "objdump")):
        pytest.skip("needs cc, nm and objdump for the stub libraries")
    try:
        folder = stub_bindings.unpacked(package, version)
    except stub_bindings.IndexUnreachable as reason:
        pytest.skip(str(reason))
    found = check("tensorrt_bindings", stub_bindings.environment(folder), uses)
    assert found["faults"] == [], found["version"]
    assert isinstance(found["checked"], int)
    assert found["checked"] > 60


def test_that_tensorrt_for_rtx_has_all_of_it(uses: Uses) -> None:
    pytest.importorskip("tensorrt_rtx_bindings")
    found = check("tensorrt_rtx_bindings", None, uses)
    assert found["faults"] == [], found["version"]


def test_that_the_check_finds_what_is_not_there(uses: Uses) -> None:
    pytest.importorskip("tensorrt_rtx_bindings")
    from tests.runners.trt_uses import Use

    wrong = Uses(
        {Use("IExecutionContext.execute_async_v2", "call", 2), Use("Builder.create_network", "call", 3)}
    )
    found = check("tensorrt_rtx_bindings", None, wrong)
    assert isinstance(found["faults"], list)
    assert len(found["faults"]) == 2
