"""The stand-in for TensorRT promises nothing that the real one does not have."""

from __future__ import annotations

import importlib.util
import inspect
from pathlib import Path
from types import ModuleType

import pytest

from tests.runners import stub_bindings
from tests.runners.test_trt_api import check
from tests.runners.trt_uses import Use, Uses, uses_of_the_program

DOUBLE = Path(__file__).parent.parent / "gpu" / "double" / "tensorrt" / "__init__.py"


@pytest.fixture(scope="module")
def double() -> ModuleType:
    spec = importlib.util.spec_from_file_location("double", DOUBLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def classes(double: ModuleType) -> dict[str, type]:
    ours = {"DoubleError"}
    return {
        name: item
        for name, item in vars(double).items()
        if isinstance(item, type) and item.__module__ == "double" and name[0] != "_" and name not in ours
    }


def test_that_every_call_of_the_double_is_one_of_tensorrt_11(double: ModuleType) -> None:
    uses = set()
    for name, item in classes(double).items():
        for method, function in inspect.getmembers(item, inspect.isfunction):
            if method[0] != "_":
                count = len(inspect.signature(function).parameters) - 1
                uses.add(Use(f"{name}.{method}", "call", count))
        members = getattr(item, "__members__", {})
        if name != "DataType":
            uses |= {Use(f"{name}.{member}", "name") for member in members}
    assert len(uses) > 30
    try:
        folder = stub_bindings.unpacked("tensorrt_cu13_bindings", "")
    except stub_bindings.IndexUnreachable as reason:
        pytest.skip(str(reason))
    # ILogger.log is pure virtual in C++, and PREFER_JIT_PYTHON_PLUGINS a bit of 11 alone.
    found = check("tensorrt_bindings", stub_bindings.environment(folder), Uses(uses))
    assert found["faults"] == []


def test_that_the_double_has_every_call_of_the_program(double: ModuleType) -> None:
    asked_for = uses_of_the_program().asked_for
    known, source = classes(double), DOUBLE.read_text()
    for use in uses_of_the_program().uses:
        holder, _, name = use.name.partition(".")
        if use.where != "tensorrt" or use.name in asked_for or holder in ("ParserError", "ITensor"):
            continue
        if not name:
            assert hasattr(double, holder), use
        elif name not in ("get_error", "phase_start", "phase_finish", "step_complete"):
            assert hasattr(known[holder], name) or f"self.{name}" in source, use
