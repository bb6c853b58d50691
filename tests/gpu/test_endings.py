"""Killed, interrupted, or closed in the middle: it ends, and with no CUDA error on the way out."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.gpu.endings import BUILD, CAPTURE, INFERENCE, THROWN_IN_A_CAPTURE, Ending, ended
from trtviewer.models.spec import ModelSpec

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGKILL]


def check(found: Ending, how: signal.Signals) -> None:
    assert found.out == "running\n", found
    assert not found.complaints, found
    assert found.status in ((-how, 1) if how == signal.SIGINT else (-how,)), found
    if how == signal.SIGINT:
        assert found.err.rstrip().endswith("KeyboardInterrupt")


@pytest.mark.parametrize("how", SIGNALS)
def test_that_a_run_that_is_stopped_in_the_middle_ends_at_once(
    how: signal.Signals, engine_pair: tuple[ModelSpec, ModelSpec], real_data: Path
) -> None:
    models = (spec.path for spec in engine_pair)
    check(ended(INFERENCE, *models, real_data / "street.avi", by=how), how)


@pytest.mark.parametrize("how", SIGNALS)
def test_that_a_build_that_is_stopped_in_the_middle_ends_at_once(
    how: signal.Signals, onnx_pair: tuple[ModelSpec, ModelSpec], tmp_path: Path
) -> None:
    check(ended(BUILD, onnx_pair[0].path, tmp_path / "out.engine", by=how), how)
    assert not (tmp_path / "out.engine").exists()


@pytest.mark.parametrize("how", SIGNALS)
def test_that_a_program_that_is_stopped_while_a_graph_is_recorded_ends_at_once(
    how: signal.Signals, tmp_path: Path
) -> None:
    check(ended(CAPTURE, tmp_path, by=how), how)


def test_that_an_error_in_the_middle_of_a_recording_leaves_the_gpu_usable(tmp_path: Path) -> None:
    found = ended(THROWN_IN_A_CAPTURE, tmp_path, wait_s=60)
    assert found.out.splitlines() == ["running", "thrown while a graph is recorded", "runs again"], found
    assert not found.complaints, found
    assert found.status == 0
