"""Errors of outputs: against exact sums, with inf and NaN, in any order of merging."""

from __future__ import annotations

import itertools
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from tests.compare.made import channels, maps_of
from tests.oracles.comparison_loops import figures
from trtviewer.compare import error_meter
from trtviewer.compare.error_meter import ErrorMeter
from trtviewer.compare.tensor_error import ErrorHistogram, FrameErrors, TensorError, TensorErrors
from trtviewer.detect.scale_map import Channel, ScaleMap
from trtviewer.errors import ShapeMismatch

HEAD = channels("bbbbocc", anchors=3)


def assert_equal(
    error: TensorError, reference: NDArray[np.float32], candidate: NDArray[np.float32], epsilon: float
) -> None:
    exact = figures(reference.ravel().tolist(), candidate.ravel().tolist(), epsilon)
    for name, value in exact._asdict().items():
        ours = getattr(error, name)
        if value is None or ours is None:
            assert ours is value, name
        else:
            # A difference is rounded to float32 before it is squared: one part in 2^24 of the greater value.
            assert ours == pytest.approx(value, rel=1e-6, abs=1e-12), name


def measured(
    reference: NDArray[np.float32], candidate: NDArray[np.float32], epsilon: float = 0.5
) -> FrameErrors:
    names = channels("c" * len(reference))
    return ErrorMeter().measure([(maps_of(reference, names), maps_of(candidate, names))], epsilon)


def noisy(rng: np.random.Generator, *shape: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    reference = rng.normal(-2, 3, shape).astype(np.float32)
    return reference, (reference + rng.normal(0, 0.4, shape)).astype(np.float32)


@pytest.mark.parametrize("seed", range(4))
def test_that_every_head_group_and_scale_equals_exact_sums(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pairs, arrays_of = [], {}
    for output, stride, side in (("a", 8, 13), ("a", 16, 7), ("b", 32, 5)):
        reference, candidate = noisy(rng, len(HEAD), side, side)
        if seed % 2:
            reference[rng.random(reference.shape) < 0.01] = np.nan
            candidate[rng.random(reference.shape) < 0.01] = np.inf
        pairs.append((maps_of(reference, HEAD, output, stride), maps_of(candidate, HEAD, output, stride)))
        arrays_of[output, stride] = (reference, candidate)

    results = {output.name: output for output in ErrorMeter().measure(pairs, 0.3).result()}

    def joined(output: str, group: str | None = None) -> list[NDArray[np.float32]]:
        rows = [channel.index for channel in HEAD if group in (None, channel.group)]
        own = [sides for (name, _), sides in arrays_of.items() if name == output]
        return [np.concatenate([sides[which][rows].ravel() for sides in own]) for which in (0, 1)]

    for name, output in results.items():
        assert_equal(output.total, *joined(name), 0.3)
        assert list(output.groups) == ["box", "objectness", "class"]
        for group, error in output.groups.items():
            assert_equal(error, *joined(name, group), 0.3)
        assert [stride for stride, _ in output.scales] == [s for n, s in arrays_of if n == name]
        for stride, error in output.scales:
            assert_equal(error, *arrays_of[name, stride], 0.3)


@given(
    arrays(np.float32, (2, 40), elements=st.floats(width=32, allow_nan=True, allow_infinity=True)),
    st.sampled_from([0.0, 0.3, 1e-30, 1e30, float("inf")]),
)
@settings(max_examples=200, deadline=None)
def test_that_any_float32_gives_exact_figures_or_none(values: NDArray[np.float32], epsilon: float) -> None:
    reference, candidate = values.reshape(2, 4, 2, 5)
    error = measured(reference, candidate, epsilon).result()[0].total
    exact = figures(reference.ravel().tolist(), candidate.ravel().tolist(), epsilon)
    for name, value in exact._asdict().items():
        ours = getattr(error, name)
        if name in ("cosine", "sqnr_db") and (ours is None or value is None):
            continue  # squares below 1e-308 vanish in either
        if name == "over_epsilon" and value is not None:
            # d is rounded to float32, so one at the very limit may fall on either side of it.
            assert abs(ours - value) * error.count <= sum(
                abs(abs(float(c) - float(r)) - epsilon) <= 1e-6 * epsilon
                for r, c in zip(reference.ravel(), candidate.ravel(), strict=True)
                if np.isfinite(r) and np.isfinite(c)
            )
        elif value is None:
            assert ours is None
        else:
            assert ours == pytest.approx(value, rel=2e-6, abs={"cosine": 1e-6, "sqnr_db": 1e-5}.get(name, 0))


@pytest.mark.parametrize("layout", ["channels last", "part of a row", "no grid", "one cell"])
def test_that_strided_views_are_measured_like_copies(layout: str) -> None:
    rng = np.random.default_rng(5)
    made = []
    for side in noisy(rng, 60, 7):
        made.append(
            {
                "channels last": side.reshape(6, 10, 7).transpose(2, 0, 1),
                "part of a row": np.ascontiguousarray(side.T)[:, 10:40].reshape(7, 5, 6),
                "no grid": side.T.reshape(7, 1, 60),
                "one cell": side[:1].T.reshape(7, 1, 1),
            }[layout]
        )
    reference, candidate = made
    assert_equal(measured(reference, candidate).result()[0].total, reference, candidate, 0.5)


def test_that_rows_longer_than_a_block_are_measured_whole() -> None:
    rng = np.random.default_rng(6)
    reference, candidate = noisy(rng, 2, 1, error_meter.BLOCK + 1234)
    error = measured(reference, candidate).result()[0].total
    assert error.count == reference.size
    d = candidate.astype(np.float64) - reference
    assert error.mse == pytest.approx((d * d).mean(), rel=1e-6)
    assert error.over_epsilon == (np.abs(d) > 0.5).mean()


def test_that_sums_in_float32_stay_within_a_millionth_on_long_rows() -> None:
    rng = np.random.default_rng(7)
    reference, candidate = noisy(rng, 3, 80, 80)
    reference += 100
    candidate += 100
    errors = measured(reference, candidate).result()[0].total
    r, c = reference.astype(np.float64), candidate.astype(np.float64)
    assert errors.cosine == pytest.approx((r * c).sum() / np.sqrt((r * r).sum() * (c * c).sum()), rel=1e-7)
    assert errors.sqnr_db == pytest.approx(10 * np.log10((r * r).sum() / ((r - c) ** 2).sum()), rel=1e-6)


def test_that_equal_outputs_have_no_error_and_no_sqnr() -> None:
    reference, _ = noisy(np.random.default_rng(1), 2, 3, 3)
    error = measured(reference, reference.copy()).result()[0].total
    assert (error.mse, error.mae, error.max_abs, error.over_epsilon) == (0, 0, 0, 0)
    assert error.cosine == pytest.approx(1)
    assert error.sqnr_db is None


def test_that_an_output_of_zeros_has_no_cosine() -> None:
    reference, _ = noisy(np.random.default_rng(1), 2, 3, 3)
    error = measured(reference, np.zeros_like(reference)).result()[0].total
    assert error.cosine is None
    assert error.sqnr_db == pytest.approx(0)


def test_that_nothing_finite_is_none_everywhere_and_counted() -> None:
    bad = np.full((2, 3, 3), np.nan, np.float32)
    error = measured(np.ones_like(bad), bad).result()[0].total
    assert asdict(error) == {
        **dict.fromkeys(("mse", "mae", "max_abs", "over_epsilon", "cosine", "sqnr_db")),
        "nonfinite_reference": 0,
        "nonfinite_candidate": 18,
        "count": 0,
        "over_is_exact": True,
    }


def test_that_two_shapes_are_refused_with_both_named() -> None:
    with pytest.raises(ShapeMismatch, match=r"\[2, 3, 3\].*\[2, 3, 4\]"):
        measured(np.zeros((2, 3, 3), np.float32), np.zeros((2, 3, 4), np.float32))


def test_that_merging_in_any_order_equals_one_pass() -> None:
    rng = np.random.default_rng(8)
    meter = ErrorMeter()
    names = channels("bboc")
    frames = []
    for index in range(4):
        reference, candidate = noisy(rng, 4, 6, 6)
        if index == 2:
            candidate[0, 0, 0] = np.nan
        output = "a" if index != 3 else "b"  # a head that other frames have not
        frames.append(
            meter.measure([(maps_of(reference, names, output), maps_of(candidate, names, output))], 0.5)
        )
    whole = TensorErrors()
    for frame in frames:
        whole.update(frame)
    expected = {output.name: output for output in whole.result()}
    for order in itertools.permutations(range(4)):
        parts = [TensorErrors() for _ in range(2)]
        for place, index in enumerate(order):
            parts[place % 2].update(frames[index])
        parts[0].merge(parts[1])
        for output in parts[0].result():
            assert asdict(output.total) == pytest.approx(asdict(expected[output.name].total), rel=1e-12)
        for name in ("a", "b"):
            assert (parts[0].histogram_of(name).counts == whole.histogram_of(name).counts).all()


def test_that_accumulated_errors_equal_those_of_all_values_at_once() -> None:
    rng = np.random.default_rng(9)
    sides = [noisy(rng, 3, 5, 5) for _ in range(7)]
    total = TensorErrors()
    for reference, candidate in sides:
        total.update(measured(reference, candidate))
    together = [np.stack([side[which] for side in sides]) for which in (0, 1)]
    assert_equal(total.result()[0].total, *together, 0.5)


def bins_by_loops(d: NDArray[np.float32]) -> dict[int, int]:
    """Bins of d from its exponent and mantissa, by `math.frexp`."""
    counts: dict[int, int] = {}
    for value in d.tolist():
        mantissa, exponent = np.frexp(abs(value))
        if abs(value) < 2.0**-126:
            place = int(abs(value) / 2.0**-149) >> 20
        else:
            place = (int(exponent) + 126) * 8 + int((mantissa * 2 - 1) * 8)
        place += 2048 * (np.signbit(value))
        counts[int(place)] = counts.get(int(place), 0) + 1
    return counts


@given(arrays(np.float32, 30, elements=st.floats(width=32, allow_nan=False, allow_infinity=False)))
@settings(max_examples=100, deadline=None)
def test_that_the_histogram_counts_each_difference_in_its_bin(d: NDArray[np.float32]) -> None:
    frame = measured(np.zeros((1, 5, 6), np.float32), d.reshape(1, 5, 6))
    histogram = frame.histogram_of()
    # -0 - 0 is -0 or 0 by the way it is subtracted; both are no difference.
    assert histogram.total == 30
    expected = bins_by_loops(d[d != 0])
    found = {
        place: int(histogram.counts[place])
        for place in np.flatnonzero(histogram.counts)
        if place not in (0, 2048)
    }
    assert found == {place: count for place, count in expected.items() if place not in (0, 2048)}


def test_that_edges_are_symmetric_and_hold_the_counts_between_them() -> None:
    d = np.array([[[-3.0, -1.0, 0.0, 0.5, 1.0, 1.05]]], np.float32)
    edges, counts = measured(np.zeros_like(d), d).histogram_of().signed()
    assert (edges == -edges[::-1]).all()
    assert (np.diff(edges) > 0).all()
    assert len(edges) == len(counts) + 1
    for value in (-3.0, 0.5, 1.0):
        nearer = np.flatnonzero((np.abs(edges[:-1]) <= abs(value)) | (np.abs(edges[1:]) <= abs(value)))
        assert len(nearer)
    one = int(np.searchsorted(edges, 1.0, side="right")) - 1
    assert edges[one] == 1.0
    assert counts[one] == 2
    assert counts.sum() == 6


@pytest.mark.parametrize("epsilon", [0.0, 0.05, 0.3, 0.5, 1.0, 2.7])
def test_that_the_share_over_epsilon_is_read_from_the_histogram(epsilon: float) -> None:
    rng = np.random.default_rng(10)
    d = rng.normal(0, 0.5, (10, 100, 100)).astype(np.float32)
    histogram = measured(np.zeros_like(d), d).histogram_of()
    assert histogram.share_over(epsilon) == pytest.approx(float((np.abs(d) > epsilon).mean()), abs=2e-3)


def test_that_an_empty_histogram_has_no_share() -> None:
    assert ErrorHistogram(np.zeros(4096, np.int64)).share_over(0.5) is None


def test_that_no_difference_is_over_epsilon_zero_where_all_are_zero() -> None:
    zeros = np.zeros((2, 4, 4), np.float32)
    assert measured(zeros, zeros).histogram_of().share_over(0.0) == 0.0


def test_that_another_epsilon_recounts_only_the_share() -> None:
    rng = np.random.default_rng(11)
    reference, candidate = noisy(rng, len(HEAD), 9, 9)
    candidate[3, 2, 1] = np.inf
    pairs: list[tuple[ScaleMap, ScaleMap]] = [(maps_of(reference, HEAD), maps_of(candidate, HEAD))]
    meter = ErrorMeter()
    first = meter.measure(pairs, 0.5)
    again = meter.count_over(pairs, first, 0.1)
    fresh = meter.measure(pairs, 0.1)
    assert again.epsilon == 0.1
    assert (again.counts == fresh.counts).all()
    assert again.sums is first.sums


def test_that_accumulated_shares_at_another_epsilon_are_marked() -> None:
    rng = np.random.default_rng(12)
    total, reference_candidate = TensorErrors(), [noisy(rng, 3, 40, 40) for _ in range(3)]
    for reference, candidate in reference_candidate:
        total.update(measured(reference, candidate, 0.5))
    exact = np.mean([np.abs(c - r) > 0.2 for r, c in reference_candidate])
    assert total.result()[0].total.over_is_exact
    at_other = total.result(0.2)[0].total
    assert not at_other.over_is_exact
    assert at_other.over_epsilon == pytest.approx(exact, abs=5e-3)
    total.update(measured(*reference_candidate[0], 0.2))
    with pytest.raises(ValueError, match="several epsilons"):
        total.result()
    assert not total.result(0.5)[0].total.over_is_exact


def test_that_a_meter_tells_maps_of_other_channels_apart() -> None:
    reference, candidate = noisy(np.random.default_rng(13), 4, 3, 3)
    meter = ErrorMeter()

    def groups(names: tuple[Channel, ...]) -> list[str]:
        frame = meter.measure([(maps_of(reference, names), maps_of(candidate, names))], 0.5)
        return list(frame.result()[0].groups)

    assert groups(channels("bboc")) == ["box", "objectness", "class"]
    assert groups(channels("xxxx")) == ["other"]
