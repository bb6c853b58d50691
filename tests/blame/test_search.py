"""The search for layers to keep in float, against models that are written so and compared as any others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from tests import model_zoo
from tests.blame import small
from trtviewer.blame.measurement import LayerMeasurement, LayersResult, measure
from trtviewer.blame.pairing import load_twin
from trtviewer.blame.search import Search, SearchResult, names_of
from trtviewer.blame.trial import Bench, Trial
from trtviewer.blame.twin import Twin
from trtviewer.compare.settings import CompareSettings
from trtviewer.compare.totals import Totals, TotalsResult
from trtviewer.errors import BadInput, Cancelled
from trtviewer.models.load import load_spec
from trtviewer.pipeline.analysis import comparisons
from trtviewer.pipeline.pair import open_pair
from trtviewer.sources.address import open_source
from trtviewer.sources.frame import Frame
from trtviewer.sources.source import FrameRange

SETTINGS = CompareSettings(confidence=0.05)
FRAMES = 3


class Case:
    """A tiny detector, its twin, its frames and its blame; made once, changed by nobody."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.model = model_zoo.tiny_yolo_anchor(folder / "tiny.onnx", seed=1)
        self.twin = load_twin(
            load_spec(self.model), load_spec(small.ours_of(self.model, folder / "int8.onnx"))
        )
        self.address = str(small.noise_pictures(folder / "frames", FRAMES))
        self.blame = self._blame()

    def _blame(self) -> LayersResult:
        measurement = LayerMeasurement(self.twin, SETTINGS, threads=1)
        with open_source(self.address) as source:
            measure(measurement, source, range(FRAMES))
        return measurement.result()

    def frames(self) -> Iterator[Frame]:
        with open_source(self.address) as source:
            yield from (source.read(index) for index in range(FRAMES))

    def search(self, met: Callable[[TotalsResult], bool]) -> SearchResult:
        search = Search(Bench(self.twin, self.frames(), SETTINGS, threads=1), self.blame.at_heads, met)
        search.run()
        return search.result()


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return Case(tmp_path_factory.mktemp("search"))


def mse(result: TotalsResult) -> float:
    return float(np.mean([output.total.mse for output in result.outputs]))


def compared(case: Case, twin: Twin, trial: Trial, out: Path) -> TotalsResult:
    """The same layers in float, written as a model of its own and compared as `compare` does."""
    written = load_spec(small.ours_of(case.model, out, names_of(twin, trial)))
    totals = Totals(SETTINGS, twin.reference)
    with open_source(case.address) as source, open_pair(twin.reference, written) as pair:
        for comparison in comparisons(source, FrameRange(), pair, SETTINGS):
            totals.update(comparison)
    return totals.result()


def test_that_every_trial_is_what_the_written_model_gives(case: Case, tmp_path: Path) -> None:
    whole = mse(Bench(case.twin, case.frames(), SETTINGS, threads=1).try_float(()).result)
    found = case.search(lambda result: mse(result) < whole / 3)
    some = [trial for trial in found.trials if len(trial.keep_float) < len(case.twin.int8)]
    assert len(some) > 3
    for index, trial in enumerate(some[:5]):
        expected = compared(case, case.twin, trial, tmp_path / f"{index}.onnx")
        assert trial.mse == pytest.approx(mse(expected), rel=1e-3)
        assert trial.result.detections.counts == expected.detections.counts


@pytest.mark.parametrize("factor", [0.8, 0.5, 0.2, 0.05])
def test_that_the_set_meets_the_goal_and_no_layer_of_it_can_be_spared(case: Case, factor: float) -> None:
    bench = Bench(case.twin, case.frames(), SETTINGS, threads=1)
    limit = factor * mse(bench.try_float(()).result)
    found = case.search(lambda result: mse(result) < limit)
    assert found.reachable
    assert found.best is not None
    assert mse(found.best.result) < limit
    for layer in found.best.keep_float:
        assert mse(bench.try_float(found.best.keep_float - {layer}).result) >= limit


def test_that_it_comes_close_to_the_best_of_all_small_sets(case: Case) -> None:
    bench = Bench(case.twin, case.frames(), SETTINGS, threads=1)
    limit = 0.6 * mse(bench.try_float(()).result)
    found = case.search(lambda result: mse(result) < limit)
    assert found.best is not None
    shares = [
        bench.int8_share(kept)
        for size in (1, 2)
        for kept in combinations(case.twin.int8, size)
        if mse(bench.try_float(kept).result) < limit
    ]
    assert found.best.int8_share >= max(shares, default=0.0) - 0.15
    assert found.passes < found.exhaustive_passes / 20


def test_that_no_pass_is_run_twice_and_none_for_the_reference_as_its_own_candidate(case: Case) -> None:
    found = case.search(lambda result: mse(result) < 1e-6)
    sets = [trial.keep_float for trial in found.trials]
    assert len(sets) == len(set(sets))
    run = [kept for kept in sets if len(kept) < len(case.twin.int8)]
    assert found.passes == FRAMES * (1 + len(run))
    assert found.exhaustive_passes == FRAMES * 2 ** len(case.twin.int8)


def test_that_a_goal_that_int8_meets_takes_one_trial(case: Case) -> None:
    found = case.search(lambda result: True)
    assert [trial.keep_float for trial in found.trials] == [frozenset()]
    assert found.best is found.trials[0]
    assert found.best.int8_share == 1
    assert found.passes == 2 * FRAMES


def test_that_a_goal_that_float_misses_is_said_to_be_out_of_reach(case: Case) -> None:
    found = case.search(lambda result: False)
    assert not found.reachable
    assert found.best is None
    assert len(found.trials) == 2


def test_that_of_two_trials_on_the_front_the_one_with_less_in_int8_loses_less(case: Case) -> None:
    found = case.search(lambda result: mse(result) < 1e-5)
    front = found.pareto()
    assert front[0].int8_share == 1
    assert front[-1].int8_share == front[-1].mse == 0
    losses = [(trial.missed_rate, trial.mse) for trial in front]
    assert losses == sorted(losses, reverse=True)
    shares = [trial.int8_share for trial in front]
    assert shares == sorted(shares, reverse=True)
    assert len(front) > 2


def test_that_a_cancelled_search_keeps_its_trials(case: Case) -> None:
    bench: Bench | None = None
    bench = Bench(
        case.twin,
        case.frames(),
        SETTINGS,
        threads=1,
        cancelled=lambda: bench is not None and bench.passes > 4 * FRAMES,
    )
    search = Search(bench, case.blame.at_heads, lambda result: mse(result) < 1e-6)
    with pytest.raises(Cancelled):
        search.run()
    found = search.result()
    assert len(found.trials) == 4  # nothing in float, everything (for which nothing is run), and two more
    assert found.best is not None


def test_that_no_frame_is_bad_input(case: Case) -> None:
    with pytest.raises(BadInput, match="no frame"):
        Bench(case.twin, iter(()), SETTINGS, threads=1)
