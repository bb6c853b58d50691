from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from tests.build import networks
from tests.pipeline.conftest import Numbers, number_of
from trtviewer.compare.settings import CompareSettings
from trtviewer.errors import BadInput
from trtviewer.models.load import load_spec
from trtviewer.models.spec import ModelSpec
from trtviewer.pipeline.analysis import comparisons
from trtviewer.pipeline.feed import Listed, PairFeed
from trtviewer.pipeline.pair import Pair, open_pair
from trtviewer.preprocess import Preprocessor
from trtviewer.runners.choose import open_runner
from trtviewer.sources.source import FrameRange


def test_that_no_frame_is_lost_and_the_order_is_kept(pair: Pair) -> None:
    frames = FrameRange(start=3, every=4, count=9)
    shown = [c.frame.index for c in comparisons(Numbers(), frames, pair, CompareSettings())]
    assert shown == list(range(3, 39, 4))


def test_that_both_sides_are_of_the_frame_that_is_shown(
    pair: Pair, specs: tuple[ModelSpec, ModelSpec]
) -> None:
    source = Numbers(12)
    assert pair.input_spec is not None
    preprocessor = Preprocessor(pair.input_spec)
    with open_runner(specs[0]) as reference, open_runner(specs[1]) as candidate:
        for comparison in comparisons(source, FrameRange(), pair, CompareSettings()):
            assert number_of(comparison.frame.picture) == comparison.frame.index
            tensor = preprocessor.prepare(comparison.frame.picture).tensor
            for side, runner in ((comparison.reference, reference), (comparison.candidate, candidate)):
                alone = runner.run(tensor, comparison.frame.index).heads
                for name, head in alone.items():
                    np.testing.assert_allclose(side.heads[name], head, rtol=1e-5, atol=1e-5)


def test_that_a_damaged_frame_is_told_after_all_that_came_before_it(pair: Pair) -> None:
    shown = []
    with pytest.raises(BadInput, match="frame 7 is damaged"):
        for comparison in comparisons(Numbers(damaged=(7,)), FrameRange(), pair, CompareSettings()):
            shown.append(comparison.frame.index)
    assert shown == list(range(7))


def test_that_leaving_in_the_middle_stops_every_thread(pair: Pair) -> None:
    before = threading.active_count()
    running = comparisons(Numbers(None), FrameRange(), pair, CompareSettings())
    for _ in range(3):
        next(running)
    running.close()
    assert threading.active_count() == before


def test_that_a_cancelled_analysis_simply_ends(pair: Pair) -> None:
    cancelled = threading.Event()
    shown = []
    for comparison in comparisons(Numbers(None), FrameRange(), pair, CompareSettings(), cancelled.is_set):
        shown.append(comparison.frame.index)
        if len(shown) == 5:
            cancelled.set()
    assert shown == [0, 1, 2, 3, 4]


def test_that_a_cancel_ends_a_run_that_would_never_end(tmp_path: Path) -> None:
    spec = load_spec(networks.endless(tmp_path / "endless.onnx"))
    with open_pair(spec, spec) as pair:
        assert list(comparisons(Numbers(), FrameRange(), pair, CompareSettings(), lambda: True)) == []


def test_that_a_model_alone_runs_once_a_frame(pair: Pair) -> None:
    source = Numbers(5)
    schedule = Listed(iter(range(5)))
    with PairFeed(source, schedule, pair.reference, pair.reference, pair.input_spec) as feed:
        runs = list(feed)
    assert len(runs) == 5
    assert all(run.reference is run.candidate for run in runs)
