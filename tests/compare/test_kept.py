"""Kept frames: nothing is lost on the way to bytes and to the disk."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from tests.compare.made import jittered, kept_frame, random_boxes
from trtviewer.compare.kept import KeptFrame, KeptFrames
from trtviewer.detect.boxes import CandidateBoxes
from trtviewer.errors import BadInput


def some_frame(index: int, count: int = 5) -> KeptFrame:
    rng = np.random.default_rng(index)
    boxes = random_boxes(rng, count)
    return kept_frame(index, boxes, jittered(rng, boxes))


def assert_same(first: KeptFrame, second: KeptFrame) -> None:
    assert (first.frame_index, first.time_s, first.frame_size) == (
        second.frame_index,
        second.time_s,
        second.frame_size,
    )
    for mine, other in ((first.reference, second.reference), (first.candidate, second.candidate)):
        assert mine.final == other.final
        for name in ("xyxy", "score", "class_id", "stride", "head", "position"):
            assert np.array_equal(getattr(mine, name), getattr(other, name)), name
    for name in ("error_mse", "reference_cell_error", "candidate_cell_error"):
        assert np.array_equal(getattr(first, name), getattr(second, name), equal_nan=True), name


@pytest.mark.parametrize("count", [0, 1, 40])
def test_that_bytes_give_back_the_same_frame(count: int) -> None:
    frame = some_frame(3, count)
    assert_same(KeptFrame.from_bytes(frame.to_bytes()), frame)


def test_that_bytes_keep_that_a_model_has_done_its_own_nms() -> None:
    boxes = random_boxes(np.random.default_rng(1), 3)
    final = CandidateBoxes(
        boxes.xyxy, boxes.score, boxes.class_id, boxes.stride, boxes.head, boxes.position, final=True
    )
    again = KeptFrame.from_bytes(kept_frame(0, boxes, final).to_bytes())
    assert (again.reference.final, again.candidate.final) == (False, True)


def test_that_a_frame_of_75_boxes_takes_about_3_kb() -> None:
    assert (
        len(kept_frame(0, *[random_boxes(np.random.default_rng(1), n) for n in (40, 35)]).to_bytes()) < 3_200
    )


def test_that_frames_come_back_by_index_and_in_order_from_memory_and_disk() -> None:
    with KeptFrames(spill_after=3) as kept:
        for index in (7, 2, 9, 4, 0, 5):
            kept.append(some_frame(index))
        assert len(kept) == 6
        assert [frame.frame_index for frame in kept] == [0, 2, 4, 5, 7, 9]
        for index in (7, 2, 9, 4, 0, 5):
            found = kept.get(index)
            assert found is not None
            assert_same(found, some_frame(index))
        assert kept.get(1) is None
        assert 5 in kept
        assert 1 not in kept


@pytest.mark.parametrize("index", [0, 5])
def test_that_a_frame_analysed_again_replaces_the_old_one(index: int) -> None:
    with KeptFrames(spill_after=3) as kept:
        for place in range(6):
            kept.append(some_frame(place))
        kept.append(some_frame(index, count=9))
        assert len(kept) == 6
        found = kept.get(index)
        assert found is not None
        assert len(found.reference) == 9


def test_that_closed_frames_are_refused_and_closing_twice_is_fine() -> None:
    kept = KeptFrames(spill_after=1)
    kept.append(some_frame(0))
    kept.append(some_frame(1))
    kept.close()
    kept.close()
    assert len(kept) == 0
    with pytest.raises(ValueError, match="closed"):
        kept.append(some_frame(2))


def test_that_no_room_for_the_file_is_bad_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "not there"))
    with KeptFrames(spill_after=0) as kept, pytest.raises(BadInput, match="cannot hold the analysed frames"):
        kept.append(some_frame(0))


def test_that_one_thread_may_read_while_another_adds() -> None:
    with KeptFrames(spill_after=20) as kept:
        writer = threading.Thread(target=lambda: [kept.append(some_frame(index)) for index in range(60)])
        writer.start()
        while writer.is_alive():
            found = [frame.frame_index for frame in kept]
            assert found == list(range(len(found)))
        writer.join()
        assert [frame.frame_index for frame in kept] == list(range(60))
