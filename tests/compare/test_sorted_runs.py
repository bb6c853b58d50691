"""Rows that went to a file come back as those in memory do, and AP of them is the very same; the file is gone at the end."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from tests.compare.test_average_precision import CLASSES, assert_equal, random_frame
from trtviewer.compare import average_precision
from trtviewer.compare.average_precision import PrecisionTotals, precision_curve
from trtviewer.compare.precision_influence import leave_one_out
from trtviewer.compare.sorted_runs import SortedRuns, structured
from trtviewer.compare.true_objects import TrueObjects
from trtviewer.errors import BadInput

ROW = np.dtype([("score", "<f4"), ("number", "<i4")])


@pytest.mark.parametrize("memory_bytes", [0, 900, 1 << 20])
def test_that_merged_runs_fall_by_score_and_keep_the_order_of_equal_ones(memory_bytes: int) -> None:
    rng = np.random.default_rng(1)
    runs = SortedRuns(ROW, memory_bytes)
    score = (rng.integers(0, 40, 30_000) / 40).astype(np.float32)
    number = np.arange(30_000)
    bounds = []
    for part in np.array_split(number, [5, 5, 9_000, 11_000, 29_999]):
        order = part[np.argsort(-score[part], kind="stable")]
        runs.append(structured(ROW, score=score[order], number=order))
        bounds.append((0, len(part)))
    merged = list(runs.merged(bounds, "score"))
    assert len(merged) > 1
    expected = np.argsort(-score, kind="stable")
    assert np.concatenate(merged)["number"].tolist() == expected.tolist()


def totals_of(frames: int, memory_bytes: int) -> PrecisionTotals:
    rng = np.random.default_rng(5)
    totals = PrecisionTotals(CLASSES, memory_bytes)
    for index in range(frames):
        one = random_frame(rng, coarse=index % 2 == 0)
        truth = TrueObjects(one.true_xyxy, one.true_class, one.true_area, one.ignore, one.crowd)
        totals.update(one.xyxy, one.score, one.class_id, truth)
    return totals


def test_that_ap_from_a_file_is_that_from_memory_and_of_pycocotools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(average_precision, "_RUN", 300)
    spilled = totals_of(120, 0)
    monkeypatch.undo()
    kept = totals_of(120, 1 << 30)
    assert repr(spilled.result()) == repr(kept.result())
    np.testing.assert_array_equal(precision_curve(spilled), precision_curve(kept))
    block = np.arange(120) // 12
    objects = kept.objects_by_block(block, 10)
    np.testing.assert_array_equal(spilled.objects_by_block(block, 10), objects)
    np.testing.assert_allclose(
        leave_one_out(spilled, objects, block), leave_one_out(kept, objects, block), rtol=0, atol=1e-12
    )
    rng = np.random.default_rng(5)
    assert_equal(spilled.result(), [random_frame(rng, coarse=index % 2 == 0) for index in range(120)])


def test_that_past_the_bound_memory_does_not_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(average_precision, "_RUN", 1_000)
    frame = random_frame(np.random.default_rng(2), coarse=False, boxes=40)
    truth = TrueObjects(frame.true_xyxy, frame.true_class, frame.true_area, frame.ignore, frame.crowd)
    totals = PrecisionTotals(CLASSES, 20_000)

    def show(frames: int) -> None:
        for _ in range(frames):
            totals.update(frame.xyxy, frame.score, frame.class_id, truth)

    show(60)
    tracemalloc.start()
    try:
        show(50)
        before, _ = tracemalloc.get_traced_memory()
        show(500)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 150_000  # 20,000 detections would be 520 kB


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
def test_that_the_file_is_closed_with_what_it_belongs_to() -> None:
    def open_files() -> int:
        links = Path("/proc/self/fd").iterdir()
        return sum("(deleted)" in str(link.readlink()) for link in links if link.is_symlink())

    gc.collect()
    before = open_files()
    totals = totals_of(3, 0)
    totals.result()
    assert open_files() > before
    del totals
    gc.collect()
    assert open_files() == before


def test_that_an_interrupted_program_leaves_no_file(tmp_path: Path) -> None:
    code = (
        "import os, signal, numpy as np\n"
        "from trtviewer.compare.sorted_runs import SortedRuns\n"
        "runs = SortedRuns([('score', '<f4')], 0)\n"
        "runs.append(np.ones(99, [('score', '<f4')]))\n"
        "os.kill(os.getpid(), signal.SIGINT)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        check=False,
    )
    assert done.returncode != 0
    assert b"KeyboardInterrupt" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_that_no_room_for_the_file_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(BadInput, match="cannot hold what is found against the truth"):
        SortedRuns(ROW, 0).append(np.zeros(3, ROW))
