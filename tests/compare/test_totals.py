"""Counts, latencies and matched videos: against plain loops, in any order, at any settings."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.compare.made import boxes_of, jittered, kept_frame, random_boxes, table
from tests.oracles import comparison_loops, scalar_nms
from trtviewer.compare import latency
from trtviewer.compare.kept import KeptFrame
from trtviewer.compare.latency import LatencyTotals
from trtviewer.compare.matched_video import EXTRA, MISSED, MatchedVideoBuilder, rematch
from trtviewer.compare.matching import Reason, match
from trtviewer.compare.settings import CompareSettings
from trtviewer.compare.totals import SIZES, Counts, DetectionTotals, size_of
from trtviewer.detect.boxes import CandidateBoxes, Detections
from trtviewer.errors import Cancelled

NAMES = ("person", "car", "dog")


def frames(count: int, seed: int = 0) -> list[KeptFrame]:
    made = []
    for index in range(count):
        rng = np.random.default_rng((seed, index))
        boxes = random_boxes(rng, int(rng.integers(0, 25)))
        made.append(kept_frame(index, boxes, jittered(rng, boxes)))
    return made


def detected(boxes: CandidateBoxes, at: CompareSettings) -> Detections:
    kept = scalar_nms.suppress(boxes.xyxy, boxes.score, boxes.class_id, np.float32(at.confidence), at.nms_iou)
    return Detections(boxes, np.array(kept, np.int32))


@pytest.mark.parametrize(
    "at", [CompareSettings(), CompareSettings(confidence=0.4, nms_iou=0.6, match_iou=0.35)]
)
def test_that_a_matched_video_counts_what_plain_loops_count(at: CompareSettings) -> None:
    kept = frames(30)
    video = rematch(kept, at, NAMES)

    counts: Counter[tuple[str, ...]] = Counter()
    reasons: Counter[tuple[str, str]] = Counter()
    ious, deltas, gaps, rows = [], [], [], []
    for frame in kept:
        reference, candidate = (table(detected(boxes, at)) for boxes in (frame.reference, frame.candidate))
        pairs, missed, extra = comparison_loops.match(reference, candidate, at.match_iou, at.confidence)
        of_kind = (
            [("matched", frame.reference, reference, i) for i, _ in pairs]
            + [("missed", frame.reference, reference, loss.index) for loss in missed]
            + [("extra", frame.candidate, candidate, loss.index) for loss in extra]
        )
        for kind, boxes, boxes_table, index in of_kind:
            size = comparison_loops.size(boxes_table[index].xyxy)
            counts[(kind,)] += 1
            counts[kind, "size", size] += 1
            counts[kind, "class", NAMES[boxes_table[index].class_id]] += 1
            counts[kind, "stride", str(boxes.stride[index])] += 1
        for kind, losses in (("missed", missed), ("extra", extra)):
            reasons.update((kind, loss.reason) for loss in losses)
            rows += [(frame.frame_index, kind, loss.reason, loss.index) for loss in losses]
        ious += [comparison_loops.iou(reference[i].xyxy, candidate[j].xyxy) for i, j in pairs]
        deltas += [candidate[j].score - reference[i].score for i, j in pairs]
        gaps += [
            at.confidence - candidate[loss.other].score
            for loss in missed
            if loss.reason == "below_confidence"
        ]

    def expected(*where: str) -> Counts:
        return Counts(*(counts[(kind, *where)] for kind in ("matched", "missed", "extra")))

    totals = video.totals
    assert totals.frames == 30
    assert totals.counts == expected()
    assert {size: totals.by_size[size] for size in SIZES} == {size: expected("size", size) for size in SIZES}
    assert list(totals.by_class) == [expected("class", name) for name in NAMES]
    assert totals.by_stride == tuple((stride, expected("stride", str(stride))) for stride in (8, 16, 32))
    for reason in Reason:
        assert totals.missed_reasons[reason.key] == reasons["missed", reason.key]
        assert totals.extra_reasons[reason.key] == reasons["extra", reason.key]
    assert totals.mean_iou == pytest.approx(np.mean(ious), rel=1e-6)
    assert totals.mean_score_delta == pytest.approx(np.mean(deltas), rel=1e-6)
    assert totals.below_by_at_most == pytest.approx(max(gaps), rel=1e-6)

    found = video.disagreements
    assert [
        (frame, ("missed", "extra")[kind], Reason(reason).key, position)
        for frame, kind, reason, position in zip(
            found.frame_index.tolist(),
            found.kind.tolist(),
            found.reason.tolist(),
            found.position.tolist(),
            strict=True,
        )
    ] == rows
    assert video.missed.sum() == totals.counts.missed
    assert video.extra.sum() == totals.counts.extra


def test_that_every_column_of_a_disagreement_is_of_its_own_box() -> None:
    kept = frames(12)
    found = rematch(kept, CompareSettings(), NAMES).disagreements
    assert {MISSED, EXTRA} == set(found.kind.tolist())
    for row in range(len(found)):
        frame = kept[found.frame_index[row]]
        missed = found.kind[row] == MISSED
        boxes = frame.reference if missed else frame.candidate
        cell_error = frame.reference_cell_error if missed else frame.candidate_cell_error
        place = found.position[row]  # made boxes are numbered by it
        assert found.xyxy[row].tolist() == boxes.xyxy[place].tolist()
        assert found.score[row] == boxes.score[place]
        assert found.class_id[row] == boxes.class_id[place]
        assert found.stride[row] == boxes.stride[place]
        assert found.cell_error[row] == cell_error[place]
        assert SIZES[found.size[row]] == comparison_loops.size(boxes.xyxy[place].astype(float))
        assert np.isnan(found.other_score[row]) == (found.reason[row] == Reason.GONE)


def test_that_a_snapshot_stays_as_it_is_while_frames_are_added() -> None:
    kept = frames(300)
    builder = MatchedVideoBuilder(CompareSettings(), NAMES)
    for frame in kept[:10]:
        builder.add(frame)
    early = builder.snapshot()
    rows, missed = early.disagreements.xyxy.copy(), early.missed.copy()
    for frame in kept[10:]:
        builder.add(frame)
    assert np.array_equal(early.disagreements.xyxy, rows)
    assert np.array_equal(early.missed, missed)
    assert early.totals == rematch(kept[:10], CompareSettings(), NAMES).totals
    assert not early.missed.flags.writeable
    assert not builder.snapshot().disagreements.score.flags.writeable
    assert len(builder.snapshot().frame_index) == 300


def test_that_a_matched_video_has_the_mean_error_of_each_frame() -> None:
    video = rematch(frames(3), CompareSettings(), NAMES)
    assert video.error.tolist() == pytest.approx([0.125, 0.375, 0.625])
    assert video.frame_index.tolist() == [0, 1, 2]
    assert video.time_s.tolist() == pytest.approx([0, 1 / 30, 2 / 30])


def test_that_matching_again_can_be_cancelled_and_tells_its_progress() -> None:
    done: list[int] = []
    with pytest.raises(Cancelled):
        rematch(frames(10), CompareSettings(), NAMES, lambda: len(done) == 4, done.append)
    assert done == [1, 2, 3, 4]


def totals_of(kept: list[KeptFrame], at: CompareSettings) -> DetectionTotals:
    totals = DetectionTotals(NAMES, at.confidence)
    for frame in kept:
        sides = [detected(boxes, at) for boxes in (frame.reference, frame.candidate)]
        totals.update(*sides, match(*sides, at))
    return totals


def test_that_detection_totals_merge_in_any_order() -> None:
    at = CompareSettings()
    kept = [frames(4, seed)[0] for seed in range(4)]
    whole = totals_of(kept, at).result()
    for order in itertools.permutations(kept):
        merged = totals_of([*order[:1]], at)
        merged.merge(totals_of([*order[1:]], at))
        result = merged.result()
        for name in (
            "frames",
            "counts",
            "missed_reasons",
            "extra_reasons",
            "by_stride",
            "by_size",
            "by_class",
        ):
            assert getattr(result, name) == getattr(whole, name), name
        assert result.below_by_at_most == whole.below_by_at_most
        assert result.mean_iou == pytest.approx(whole.mean_iou, rel=1e-12)
        assert result.mean_score_delta == pytest.approx(whole.mean_score_delta, rel=1e-12)


def test_that_totals_of_another_confidence_are_not_merged() -> None:
    with pytest.raises(ValueError, match="another confidence"):
        DetectionTotals(NAMES, 0.25).merge(DetectionTotals(NAMES, 0.3))


def test_that_nothing_seen_is_none_where_undefined_and_has_every_row() -> None:
    result = DetectionTotals(NAMES, 0.25, (8, 16)).result()
    assert result.counts == Counts(0, 0, 0)
    assert result.counts.missed_rate is None
    assert result.counts.agreement_f1 is None
    assert (result.mean_iou, result.mean_score_delta, result.below_by_at_most) == (None, None, None)
    assert result.by_stride == ((8, Counts(0, 0, 0)), (16, Counts(0, 0, 0)))
    assert list(result.by_size) == list(SIZES)
    assert result.class_names == NAMES


def test_that_classes_without_a_name_and_boxes_without_a_stride_are_counted() -> None:
    boxes = boxes_of([[0, 0, 10, 10]], [0.9], [5], [0])
    reference, candidate = Detections(boxes, np.array([0])), Detections(boxes, np.array([], np.int32))
    totals = DetectionTotals(NAMES, 0.25)
    totals.update(reference, candidate, match(reference, candidate, CompareSettings()))
    merged = DetectionTotals(NAMES, 0.25)
    merged.merge(totals)
    for result in (totals.result(), merged.result()):
        assert result.by_stride == ((None, Counts(0, 1, 0)),)
        assert result.by_class[5] == Counts(0, 1, 0)
        assert result.class_names[5] == "class 5"


@pytest.mark.parametrize(
    ("side", "size"), [(31.9, "small"), (32, "medium"), (95.9, "medium"), (96, "large"), (0, "small")]
)
def test_that_sizes_are_coco_s(side: float, size: str) -> None:
    assert SIZES[size_of(np.array([[5, 5, 5 + side, 5 + side]], np.float32))[0]] == size


@given(st.lists(st.floats(0.01, 1e5), min_size=1, max_size=60))
@settings(max_examples=50, deadline=None)
def test_that_few_latencies_have_exact_percentiles(values: list[float]) -> None:
    totals = LatencyTotals()
    for value in values:
        totals.update(value)
    found = totals.result()
    assert [found.p50, found.p95, found.p99] == pytest.approx(list(np.percentile(values, [50, 95, 99])))
    assert found.mean == pytest.approx(np.mean(values))
    assert found.fps == pytest.approx(1000 / np.mean(values))


@pytest.mark.parametrize("seed", range(3))
def test_that_many_latencies_have_percentiles_within_half_a_percent(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.lognormal(seed * 2, 0.8, latency.EXACT + 4000)
    halves = [LatencyTotals(), LatencyTotals()]
    for value in values:
        halves[int(rng.random() < 0.1)].update(float(value))
    halves[0].merge(halves[1])
    found = halves[0].result()
    assert found.count == len(values)
    assert [found.p50, found.p95, found.p99] == pytest.approx(
        list(np.percentile(values, [50, 95, 99])), rel=5e-3
    )


def test_that_latencies_merge_to_the_same_in_either_order() -> None:
    first, second, third, fourth = (LatencyTotals() for _ in range(4))
    for count, totals in ((600, (first, third)), (700, (second, fourth))):
        for place in range(count):
            for each in totals:
                each.update(1 + place % 17)
    first.merge(second)
    fourth.merge(third)
    assert first.result() == fourth.result()


def test_that_no_latency_is_none() -> None:
    found = LatencyTotals().result()
    assert (found.mean, found.p50, found.fps) == (None, None, None)
