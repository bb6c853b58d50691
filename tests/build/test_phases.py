"""Nested phases become one share."""

from __future__ import annotations

import pytest

from trtviewer.build.phases import Phases


def test_that_a_phase_within_counts_as_part_of_the_step_around_it() -> None:
    phases = Phases()
    phases.start("all", None, 4)
    assert phases.step("all", 0).share == pytest.approx(1 / 4)
    phases.start("inner", "all", 2)
    assert phases.step("inner", 0).share == pytest.approx(1 / 4 + 1 / 8)
    phases.start("innermost", "inner", 2)
    assert phases.step("innermost", 0).share == pytest.approx(1 / 4 + 1 / 8 + 1 / 16)
    phases.finish("innermost")
    assert phases.finish("inner").share == pytest.approx(2 / 4)
    assert phases.step("all", 1).share == pytest.approx(2 / 4)
    assert phases.finish("all").share == 1


def test_that_skipped_steps_and_repeated_phases_never_take_the_share_back() -> None:
    phases = Phases()
    phases.start("all", None, 2)
    shares = []
    for _ in range(3):
        phases.start("again", "all", 10)
        shares.append(phases.step("again", 7).share)
        shares.append(phases.finish("again").share)
    assert shares == sorted(shares)
    assert shares[-1] <= 1 / 2


def test_that_phases_that_were_never_opened_or_have_no_steps_do_no_harm() -> None:
    phases = Phases()
    assert phases.step("unknown", 3).share == 0
    assert phases.finish("unknown").share == 0
    phases.start("empty", None, 0)
    assert phases.step("empty", 0).share == 0
    assert phases.finish("empty").share == 1
