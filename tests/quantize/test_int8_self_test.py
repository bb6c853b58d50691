"""The self test of INT8 kernels: run once, remembered, and believed only for this CPU and ONNX Runtime."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from trtviewer.quantize.self_test import EXACT, SelfTest, self_test


def test_that_the_programs_settings_are_exact_on_this_cpu(tmp_path: Path) -> None:
    result = self_test(tmp_path / "cache" / "test.json")
    assert result.passed
    assert result.guarded_result == EXACT
    assert result.cpu
    assert "x64quantprecision" in result.sentence


def test_that_the_result_is_remembered(tmp_path: Path) -> None:
    path = tmp_path / "test.json"
    first = self_test(path)
    forged = replace(first, default_result=1)
    path.write_text(json.dumps(asdict(forged)))
    assert self_test(path) == forged


@pytest.mark.parametrize("changed", [{"cpu": "another"}, {"onnxruntime": "0.1"}])
def test_that_another_cpu_or_version_is_tested_anew(tmp_path: Path, changed: dict[str, str]) -> None:
    path = tmp_path / "test.json"
    first = self_test(path)
    path.write_text(json.dumps(asdict(replace(first, default_result=1)) | changed))
    assert self_test(path) == first
    assert json.loads(path.read_text())["onnxruntime"] == first.onnxruntime


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"cpu": 1}'])
def test_that_a_damaged_cache_is_made_again(tmp_path: Path, content: str) -> None:
    path = tmp_path / "test.json"
    path.write_text(content)
    assert self_test(path).passed
    assert json.loads(path.read_text())["guarded_result"] == EXACT


def test_that_an_unwritable_cache_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert self_test(tmp_path / "file" / "test.json").passed


def test_that_saturation_is_told() -> None:
    exact = SelfTest("cpu", "1.0", EXACT, EXACT)
    assert not exact.saturates
    assert "exact" in exact.sentence
    saturating = replace(exact, default_result=1_048_544)
    assert saturating.saturates
    assert saturating.passed
    assert "saturates" in saturating.sentence
    broken = replace(saturating, guarded_result=1_048_544)
    assert not broken.passed
    assert "trust no figure" in broken.sentence
