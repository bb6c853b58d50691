"""What a build timed is kept for the next one; where it cannot be, the engine is made all the same. On the stand-in for TensorRT."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gpu.conftest import DOUBLE
from tests.model_zoo import tiny_yolo_anchor
from trtviewer.build.builder import Outcome, build_plan
from trtviewer.build.request import BuildRequest
from trtviewer.isolated import run_isolated


def built(folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Outcome:
    monkeypatch.syspath_prepend(DOUBLE)  # the process of the build takes it over
    request = BuildRequest(tiny_yolo_anchor(folder / "tiny.onnx"), shapes={})
    return run_isolated(build_plan, (request, folder / "plan", cache))


def test_that_a_build_keeps_what_it_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "timing" / "tensorrt.cache"
    assert built(tmp_path, cache, monkeypatch).warnings == ()
    assert [path.name for path in cache.parent.iterdir()] == [cache.name]
    assert cache.read_bytes()


def test_that_timings_that_cannot_be_kept_cost_no_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    outcome = built(tmp_path, tmp_path / "file" / "tensorrt.cache", monkeypatch)
    assert outcome.built
    assert (tmp_path / "plan").stat().st_size
    assert [warning for warning in outcome.warnings if "timings cannot be kept" in warning]
