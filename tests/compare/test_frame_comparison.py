"""One frame, both sides: what a setting changes, and what is kept."""

from __future__ import annotations

import threading
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from tests.compare.pairs import (
    anchor_comparison,
    anchor_spec,
    compared,
    dfl_spec,
    disturbed,
    random_heads,
    tensor_spec,
)
from trtviewer.compare.error_meter import ErrorMeter
from trtviewer.compare.frame_comparison import FrameComparison, paired_maps
from trtviewer.compare.kept import KeptFrame
from trtviewer.compare.matched_video import rematch
from trtviewer.compare.matching import Reason
from trtviewer.compare.settings import CompareSettings
from trtviewer.compare.tensor_error import OutputError
from trtviewer.compare.totals import Counts, Totals
from trtviewer.detect.families import canonical
from trtviewer.models.correspond import Correspondence, correspond
from trtviewer.models.spec import Family, HeadSpec, InputSpec, ModelSpec

CHANGES = (
    {"confidence": 0.4},
    {"nms_iou": 0.7},
    {"agnostic_nms": True},
    {"match_iou": 0.7},
    {"epsilon": 0.1},
    {"confidence": 0.05, "match_iou": 0.3, "epsilon": 0.02},
)


def assert_same_figures(first: FrameComparison, second: FrameComparison) -> None:
    assert first.settings == second.settings
    for side in ("reference", "candidate"):
        assert np.array_equal(getattr(first, side).detections.index, getattr(second, side).detections.index)
    assert np.array_equal(first.matching.pairs, second.matching.pairs)
    for name in ("index", "reason", "other", "other_score", "iou"):
        for kind in ("missed", "extra"):
            mine, other = (getattr(getattr(side.matching, kind), name) for side in (first, second))
            assert np.array_equal(mine, other, equal_nan=name in ("other_score", "iou"))
    assert [asdict(output.total) for output in first.errors.result()] == [
        asdict(output.total) for output in second.errors.result()
    ]


@pytest.mark.parametrize("change", CHANGES)
def test_that_a_changed_setting_gives_what_a_fresh_comparison_gives(change: dict[str, float]) -> None:
    start = anchor_comparison(1)
    settings = replace(start.settings, **change)  # type: ignore[arg-type]
    fresh = anchor_comparison(1, settings)
    moved = start.with_settings(settings)
    assert_same_figures(moved, fresh)
    assert_same_figures(moved.with_settings(start.settings), start)


def test_that_a_setting_touches_only_what_depends_on_it() -> None:
    start = anchor_comparison(1)
    match_only = start.with_settings(replace(start.settings, match_iou=0.7))
    assert match_only.reference is start.reference
    assert match_only.errors is start.errors
    epsilon_only = start.with_settings(replace(start.settings, epsilon=0.1))
    assert epsilon_only.matching is start.matching
    assert epsilon_only.candidate is start.candidate
    assert epsilon_only.errors.histogram is start.errors.histogram
    boxes = start.with_settings(replace(start.settings, confidence=0.6))
    assert boxes.reference.boxes is start.reference.boxes
    assert boxes.errors is start.errors
    assert start.with_settings(CompareSettings()) is start


def test_that_a_frame_has_something_to_compare() -> None:
    comparison = anchor_comparison(1)
    assert len(comparison.matching.pairs)
    assert comparison.missed
    assert comparison.extra


@pytest.mark.parametrize(
    ("reference", "candidate"),
    [
        (anchor_spec("a"), anchor_spec("b", layout="nhwc")),
        (anchor_spec("a", layout="nhwc"), anchor_spec("b", prefix="other_")),
        (dfl_spec("a"), dfl_spec("b", layout="npc")),
    ],
)
def test_that_layouts_and_names_of_outputs_do_not_matter(reference: ModelSpec, candidate: ModelSpec) -> None:
    same = reference
    heads = random_heads(same, 3)
    changed = disturbed(heads, 4)
    expected = compared(same, same, (heads, changed))
    converted = {}
    for mine, other in zip(same.heads, candidate.heads, strict=True):
        values = changed[mine.output]
        if mine.shape != other.shape:
            channels_first = canonical(same, mine.output, values)
            last = other.layout in ("nhwc", "npc")
            values = (np.moveaxis(channels_first, 0, -1) if last else channels_first)[None]
        converted[other.output] = np.ascontiguousarray(values)
    found = compared(same, candidate, (heads, converted))

    assert [output.name for output in found.errors.result()] == [head.output for head in same.heads]
    assert_same_figures(found, expected)
    mine, other = found.kept(), expected.kept()
    assert np.allclose(mine.candidate_cell_error, other.candidate_cell_error)


def test_that_a_flat_head_gives_errors_for_each_of_its_strides() -> None:
    spec = dfl_spec("a")
    heads = random_heads(spec, 5)
    comparison = compared(spec, spec, (heads, disturbed(heads, 6)))
    output = comparison.errors.result()[0]
    assert [stride for stride, _ in output.scales] == [8, 16, 32]
    assert [error.count for _, error in output.scales] == [7 * 64, 7 * 16, 7 * 4]
    assert set(output.groups) == {"box", "class"}


def cell_error_by_loops(comparison: FrameComparison, stride: int, position: int) -> float:
    """Mean |d| over the 8 channels of an anchor's cell."""
    output = f"s{stride}"
    cells = 64 // stride
    anchor, place = divmod(position, cells * cells)
    row, column = divmod(place, cells)
    total = 0.0
    for channel in range(8):
        at = (0, anchor * 8 + channel, row, column)
        total += abs(
            float(comparison.candidate.heads[output][at]) - float(comparison.reference.heads[output][at])
        )
    return total / 8


def test_that_kept_boxes_carry_the_error_of_their_cell() -> None:
    comparison = anchor_comparison(2)
    kept = comparison.kept()
    for boxes, errors in (
        (kept.reference, kept.reference_cell_error),
        (kept.candidate, kept.candidate_cell_error),
    ):
        assert len(boxes) > 20
        for index in range(len(boxes)):
            exact = cell_error_by_loops(comparison, int(boxes.stride[index]), int(boxes.position[index]))
            assert errors[index] == pytest.approx(exact, rel=1e-5)
    mse = [output.total.mse for output in comparison.errors.result()]
    assert kept.error_mse.tolist() == pytest.approx(mse)
    assert comparison.mse == pytest.approx(np.mean([value for value in mse if value is not None]))


def test_that_nan_outputs_lose_their_boxes_and_are_counted_but_poison_nothing() -> None:
    spec = anchor_spec("a")
    heads = random_heads(spec, 7)
    broken = {name: values.copy() for name, values in heads.items()}
    broken["s16"][...] = np.nan
    broken["s8"][0, :8, 0, 0] = np.inf
    comparison = compared(spec, spec, (heads, broken))
    first, second = comparison.errors.result()
    assert first.total.nonfinite_candidate == 8
    assert first.total.mse == 0
    assert second.total.mse is None
    assert second.total.nonfinite_candidate == broken["s16"].size
    assert comparison.mse == 0
    assert 8 in comparison.candidate.boxes.stride
    assert 16 not in comparison.candidate.boxes.stride
    kept = KeptFrame.from_bytes(comparison.kept().to_bytes())
    of_broken = kept.reference.stride == 16
    assert of_broken.any()
    assert np.isnan(kept.reference_cell_error[of_broken]).all()


def test_that_unpaired_outputs_still_give_matched_detections() -> None:
    spec = anchor_spec("a")
    heads = random_heads(spec, 8)
    comparison = compared(spec, spec, (heads, heads), correspondence=Correspondence((), "raw against final"))
    assert comparison.errors.result() == ()
    assert comparison.mse is None
    assert comparison.missed == 0
    assert len(comparison.matching.pairs)
    kept = comparison.kept()
    assert np.isnan(kept.reference_cell_error).all()
    assert np.isnan(kept.error)
    moved = comparison.with_settings(CompareSettings(epsilon=0.1))
    assert moved.errors.epsilon == 0.1


def outputs_alone(reference: ModelSpec, candidate: ModelSpec, seed: int) -> tuple[OutputError, float]:
    """What `diff` does: the one output's error, and its MSE by numpy in float64."""
    heads = random_heads(reference, seed)
    changed = disturbed(heads, seed + 1)
    pairs = paired_maps(correspond(reference, candidate), (reference, heads), (candidate, changed))
    d = [changed[name].astype(np.float64) - heads[name] for name in heads]
    return ErrorMeter().measure(pairs, 0.5).result()[0], float((d[0] ** 2).mean())


def test_that_outputs_with_no_family_are_compared_as_tensors() -> None:
    output, mse = outputs_alone(tensor_spec("a", (1, 6, 4, 4)), tensor_spec("b", (1, 6, 4, 4)), 1)
    assert output.total.mse == pytest.approx(mse, rel=1e-6)
    assert set(output.groups) == {"other"}


def test_that_a_recording_that_knows_no_grid_pairs_with_a_model_that_does() -> None:
    known = dfl_spec("a")
    unknown = replace(tensor_spec("b", known.heads[0].shape), heads=(replace(known.heads[0], layout="nchw"),))
    output, mse = outputs_alone(known, unknown, 5)
    assert output.total.mse == pytest.approx(mse, rel=1e-6)
    assert set(output.groups) == {"box", "class"}


@pytest.mark.parametrize("change", CHANGES)
def test_that_matching_kept_frames_again_equals_a_fresh_comparison(change: dict[str, float]) -> None:
    settings = replace(CompareSettings(), **change)  # type: ignore[arg-type]
    kept = [anchor_comparison(seed).kept() for seed in range(5)]
    video = rematch(kept, settings, ("person", "car", "dog"), strides=(8, 16))
    fresh = Totals(settings, anchor_spec("reference.onnx"))
    for seed in range(5):
        fresh.update(anchor_comparison(seed, settings))
    assert video.totals == fresh.result().detections


def test_that_totals_merge_in_any_order() -> None:
    spec = anchor_spec("reference.onnx")
    comparisons = [anchor_comparison(seed) for seed in range(25)]

    def totals(chosen: list[FrameComparison]) -> Totals:
        made = Totals(CompareSettings(), spec)
        for comparison in chosen:
            made.update(comparison)
        return made

    whole = totals(comparisons).result()
    merged = totals(comparisons[10:][::-1])
    merged.merge(totals(comparisons[:10]))
    result = merged.result()
    assert result.frames == whole.frames == 25
    assert result.worst == whole.worst
    assert len(result.worst) == 20
    assert result.reference_latency.p95 == whole.reference_latency.p95
    assert result.detections.counts == whole.detections.counts
    for mine, other in zip(result.outputs, whole.outputs, strict=True):
        assert asdict(mine.total) == pytest.approx(asdict(other.total), rel=1e-12)
    worst = sorted(comparisons, key=lambda c: (-(c.missed + c.extra), -(c.mse or 0.0)))[:20]
    assert [frame.frame for frame in whole.worst] == [comparison.frame.index for comparison in worst]


def test_that_totals_refuse_a_frame_of_other_settings() -> None:
    with pytest.raises(ValueError, match=r"confidence=0\.5"):
        Totals(CompareSettings(), anchor_spec("a")).update(
            anchor_comparison(0, CompareSettings(confidence=0.5))
        )


def test_that_threads_measure_at_the_same_time_without_disturbing_each_other() -> None:
    alone = {seed: anchor_comparison(seed).errors.sums for seed in range(4)}
    wrong: list[int] = []

    def work(seed: int) -> None:
        for _ in range(20):
            if not np.array_equal(anchor_comparison(seed).errors.sums, alone[seed]):
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_that_models_with_their_own_nms_have_one_row_of_no_stride() -> None:
    head = HeadSpec("output0", (1, 20, 6), "")
    spec = ModelSpec(Path("a"), Family.END2END, ("person", "car"), InputSpec("images", (64, 64)), (head,))
    rng = np.random.default_rng(1)
    rows = np.zeros((1, 20, 6), np.float32)
    corner = rng.uniform(0, 40, (12, 2))
    rows[0, :12, :4] = np.concatenate((corner, corner + 12), axis=1)
    rows[0, :12, 4] = -np.sort(-rng.uniform(0.3, 0.9, 12))
    fewer = rows.copy()
    fewer[0, 9:12, 4] = 0.2
    comparison = compared(spec, spec, ({"output0": rows}, {"output0": fewer}))
    assert comparison.matching.missed.reason.tolist() == [Reason.BELOW_CONFIDENCE] * 3
    totals = Totals(CompareSettings(), spec)
    totals.update(comparison)
    assert totals.result().detections.by_stride == ((None, Counts(9, 3, 0)),)
    assert totals.result().detections.below_by_at_most == pytest.approx(0.05)
    kept = comparison.kept()
    # The rows differ in their score alone, one of six values.
    assert kept.reference_cell_error[9:12].tolist() == pytest.approx(
        [(score - 0.2) / 6 for score in rows[0, 9:12, 4].tolist()], rel=1e-5
    )
