"""95 % intervals hold the truth in 93 to 97 % of simulated sources, of pictures and of video; and what else they promise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from trtviewer.compare.average_precision import PrecisionTotals
from trtviewer.compare.intervals import (
    MOST_ENTRIES,
    Blocks,
    CountSeries,
    Interval,
    blocks_of,
    difference_interval,
    ratio_interval,
)
from trtviewer.compare.precision_resample import MOST_POINTS, ResampledPrecision
from trtviewer.compare.true_objects import boxed_objects

Counts = tuple[NDArray[np.float64], NDArray[np.float64]]


def pictures(rng: np.random.Generator, count: int) -> Counts:
    """Missed and reference by picture: hard and easy pictures, each with some objects. A fifth is missed."""
    reference = rng.poisson(4, count)
    return rng.binomial(reference, rng.beta(1, 4, count)).astype(float), reference.astype(float)


def video(rng: np.random.Generator, count: int, life: float = 20, per_frame: float = 5) -> Counts:
    """The same of a video: objects stay for a while, and one that is missed is missed in the next frame too."""
    tracks = rng.poisson(per_frame / life * (count + 6 * life))
    missed, reference = np.zeros(count), np.zeros(count)
    begin = rng.integers(-6 * int(life), count, tracks)
    end = np.minimum(begin + rng.geometric(1 / life, tracks), count)
    for first, last, hardness in zip(np.maximum(begin, 0), end, rng.beta(1, 4, tracks), strict=True):
        length = last - first
        if length > 0:
            anew = rng.random(length) < 0.2
            anew[0] = True
            draw = np.maximum.accumulate(np.where(anew, np.arange(length), 0))
            reference[first:last] += 1
            missed[first:last] += (rng.random(length) < hardness)[draw]
    return missed, reference


@pytest.mark.parametrize(
    ("make", "alike"),
    [
        (lambda rng: pictures(rng, 60), False),
        (lambda rng: pictures(rng, 200), True),  # a video whose frames are unlike costs nothing
        (lambda rng: video(rng, 800), True),
    ],
    ids=["60 pictures", "200 unlike frames", "800 frames"],
)
def test_that_an_interval_of_a_share_holds_it_in_95_of_100_sources(
    make: Callable[[np.random.Generator], Counts], alike: bool
) -> None:
    rng = np.random.default_rng(5)
    held = []
    for seed in range(400):
        missed, reference = make(rng)
        interval = ratio_interval(missed, reference, len(missed), alike, seed)
        assert interval is not None
        held.append(interval.low <= 0.2 <= interval.high)
    assert 0.93 <= np.mean(held) <= 0.97


def test_that_frames_taken_for_pictures_would_be_too_sure_of_a_video() -> None:
    rng = np.random.default_rng(6)
    held = []
    for seed in range(100):
        missed, reference = video(rng, 800)
        interval = ratio_interval(missed, reference, 800, False, seed)
        assert interval is not None
        held.append(interval.low <= 0.2 <= interval.high)
    assert np.mean(held) < 0.75


PLACES = np.stack(np.meshgrid(np.arange(6), np.arange(6)), axis=-1).reshape(-1, 2) * 50.0


def labelled_pictures(rng: np.random.Generator, count: int) -> tuple[PrecisionTotals, PrecisionTotals]:
    """Two sides on the same objects: the candidate scores some lower, most of all in hard pictures; both see ghosts."""
    sides = PrecisionTotals(2), PrecisionTotals(2)
    for _ in range(count):
        objects = int(rng.integers(1, 7))
        corner = PLACES[rng.permutation(len(PLACES))[: objects + 4]]
        xyxy = np.concatenate((corner, corner + 40), axis=1)
        class_id = rng.integers(0, 2, objects + 4).astype(np.int32)
        truth = boxed_objects(xyxy[:objects], class_id[:objects])
        hardness = rng.exponential(0.7)
        logit = 1.5 - hardness + rng.normal(0, 1, objects + 4)
        logit[objects:] -= 2.5
        for side, loss in zip(sides, (0.0, 1.0), strict=True):
            own = logit + rng.normal(0, 0.5, len(logit)) - loss * hardness * rng.exponential(1, len(logit))
            score = (1 / (1 + np.exp(-own))).astype(np.float32)
            order = np.argsort(-score, kind="stable")
            order = order[score[order] > 0.05]
            side.update(xyxy[order], score[order], class_id[order], truth)
    return sides


def ap_interval(sides: tuple[PrecisionTotals, PrecisionTotals], frames: int, seed: int) -> Interval:
    reference, candidate = (side.result() for side in sides)
    assert reference.ap50 is not None
    assert candidate.ap50 is not None
    blocks = blocks_of(np.zeros(frames), False, 64)

    def of_blocks(cut: Blocks) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
        ours, theirs = (ResampledPrecision(side, cut.of_entries(frames), len(cut)) for side in sides)
        return lambda weights: (theirs(weights) - ours(weights))[:, 0]

    interval = difference_interval(candidate.ap50 - reference.ap50, blocks, of_blocks, frames, 100, seed)
    assert interval is not None
    return interval


def test_that_an_interval_of_an_ap_difference_holds_it_in_95_of_100_sources() -> None:
    rng = np.random.default_rng(8)
    large = [side.result().ap50 or 0.0 for side in labelled_pictures(rng, 8_000)]
    held = []
    for seed in range(200):
        interval = ap_interval(labelled_pictures(rng, 60), 60, seed)
        held.append(interval.low <= large[1] - large[0] <= interval.high)
    assert 0.93 <= np.mean(held) <= 0.97


def test_that_resampling_every_frame_once_gives_the_very_ap() -> None:
    rng = np.random.default_rng(9)
    reference, _ = labelled_pictures(rng, 30)
    whole = reference.result()
    once = ResampledPrecision(reference, np.arange(30) // 3, 10)(np.ones((1, 10)))
    np.testing.assert_allclose(once[0], [whole.ap50, whole.ap50_95], rtol=0, atol=1e-12)


def test_that_looking_at_some_of_many_detections_gives_nearly_the_ap() -> None:
    reference, candidate = labelled_pictures(np.random.default_rng(10), 700)
    for side in (reference, candidate):
        whole = side.result()
        assert len(side.verdicts()) > 4 * MOST_POINTS
        once = ResampledPrecision(side, np.arange(700) // 20, 35)(np.ones((1, 35)))
        np.testing.assert_allclose(once[0], [whole.ap50, whole.ap50_95], rtol=0, atol=2e-3)


def test_that_resampling_is_computing_ap_of_the_frames_drawn() -> None:
    frames = [labelled_pictures(np.random.default_rng(seed), 1)[0] for seed in range(9)]
    whole, drawn = PrecisionTotals(2), PrecisionTotals(2)
    for frame in frames:
        whole.merge(frame)
    weights = np.random.default_rng(1).multinomial(9, np.full(9, 1 / 9), 1)
    for index in np.repeat(np.arange(9), weights[0]):
        drawn.merge(frames[index])
    resampled = ResampledPrecision(whole, np.arange(9), 9)(weights.astype(float))[0]
    expected = drawn.result()
    np.testing.assert_allclose(resampled, [expected.ap50, expected.ap50_95], rtol=0, atol=1e-9)


def test_that_the_sign_of_a_difference_is_settled_only_outside_the_noise() -> None:
    assert Interval(-0.02, -0.03, -0.01, 100).frames_to_settle == 0
    noise = Interval(-0.01, -0.03, 0.01, 100)
    assert not noise.is_settled
    assert noise.frames_to_settle == 300
    assert Interval(0.0, -0.03, 0.03, 100).frames_to_settle is None
    assert Interval(1e-9, -0.03, 0.03, 100).frames_to_settle is None


def test_that_the_frames_it_takes_to_settle_are_about_enough() -> None:
    rng = np.random.default_rng(2)
    first = ratio_interval(*pictures(rng, 100), 100, False)
    assert first is not None
    more = first.frames_to_narrow(0.015)
    assert more is not None
    second = ratio_interval(*pictures(rng, 100 + more), 100 + more, False)
    assert second is not None
    assert second.half_width == pytest.approx(0.015, rel=0.15)
    assert second.frames_to_narrow(0.03) == 0


def test_that_no_miss_in_n_pictures_is_the_rule_of_three() -> None:
    interval = ratio_interval(np.zeros(300), np.full(300, 2.0), 300, False)
    assert interval is not None
    assert (interval.value, interval.low) == (0, 0)
    assert interval.high == pytest.approx(3 / 300, rel=0.01)
    mirrored = ratio_interval(np.full(300, 2.0), np.full(300, 2.0), 300, False)
    assert mirrored is not None
    assert (mirrored.low, mirrored.high) == (pytest.approx(1 - interval.high), 1)


def test_that_too_little_has_no_interval() -> None:
    assert ratio_interval(np.zeros(9), np.zeros(9), 9, False) is None
    assert ratio_interval(np.array([1.0, 0, 1]), np.ones(3), 3, False) is None
    assert ratio_interval(np.zeros(0), np.zeros(0), 0, True) is None


def test_that_a_long_series_stays_bounded_and_keeps_its_sums() -> None:
    series = CountSeries(2)
    frames = 2 * MOST_ENTRIES + 5
    for index in range(frames):
        series.update(index, 1)
    assert series.unit == 4
    assert len(series.rows) <= MOST_ENTRIES
    assert series.frames == frames
    assert series.rows.sum(axis=0).tolist() == [frames * (frames - 1) / 2, frames]
    assert series.rows[1].tolist() == [4 + 5 + 6 + 7, 4]
    assert series.rows[-1].tolist() == [frames - 1, 1]


def test_that_blocks_grow_until_they_are_unlike_or_too_few() -> None:
    rng = np.random.default_rng(4)
    assert blocks_of(rng.normal(size=250), True).length <= 2
    drift = np.cumsum(rng.normal(size=600))
    drifting = blocks_of(drift - drift.mean(), True)
    assert (drifting.length, len(drifting), drifting.still_alike) == (48, 12, True)
    slow = np.convolve(rng.normal(size=4000), np.ones(20), "valid")
    grown = blocks_of(slow - slow.mean(), True)
    assert grown.length >= 32
    assert not grown.still_alike
    assert blocks_of(drift, False).length == 3
