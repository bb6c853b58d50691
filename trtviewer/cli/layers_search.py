"""`trtviewer layers --search GOAL`: the goal asked of a report, the search run, and what it found told."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from trtviewer.blame.measurement import LayersResult
from trtviewer.blame.search import Search, SearchResult, names_of
from trtviewer.blame.trial import Bench, Trial
from trtviewer.blame.twin import Twin
from trtviewer.cli.progress import console, progress_bar
from trtviewer.compare.settings import CompareSettings
from trtviewer.compare.totals import Totals, TotalsResult
from trtviewer.models.correspond import correspond
from trtviewer.report.compare_json import ReportModel, ReportSource, compare_report
from trtviewer.report.gates import Gate
from trtviewer.runners.runner import RunnerInfo
from trtviewer.sources.source import Source


class Goal:
    """A goal, asked of the report that `compare` would make of a trial.

    Raises: BadUsage: it names a figure that no report has.
    """

    def __init__(self, gate: Gate, twin: Twin, source: Source, settings: CompareSettings) -> None:
        self._gate = gate
        self._settings = settings
        self._reference, self._candidate = (
            ReportModel(spec, RunnerInfo("ONNX Runtime CPU", spec.precision.value, True))
            for spec in (twin.reference, twin.candidate)
        )
        self._source = ReportSource(source.address, source.size, source.rate)
        # Trials have the reference's outputs under its names.
        self._correspondence = correspond(twin.reference, twin.reference)
        gate.require_names(self._report(Totals(settings, twin.reference).result()))

    @property
    def text(self) -> str:
        return self._gate.text

    def met(self, result: TotalsResult) -> bool:
        """Whether the figures meet it; one that is not defined meets nothing."""
        return self._gate.met(self._report(result))

    def _report(self, result: TotalsResult) -> dict[str, Any]:
        return compare_report(
            result, self._settings, self._reference, self._candidate, self._source, self._correspondence
        )


def search(
    twin: Twin,
    source: Source,
    indices: Sequence[int],
    settings: CompareSettings,
    measured: LayersResult,
    goal: Goal,
) -> tuple[SearchResult | None, bool]:
    """Runs the search. Returns: what it found (None where not even the reference was run), and whether Ctrl-C ended it."""
    found: Search | None = None
    try:
        with progress_bar("searching (forward passes)", None) as show:
            frames = (source.read(index) for index in indices)
            bench = Bench(twin, frames, settings, progress=show)
            found = Search(bench, measured.at_heads, goal.met)
            found.run()
    except KeyboardInterrupt:
        return None if found is None else found.result(), True
    return found.result(), False


def search_report(twin: Twin, result: SearchResult, goal: Goal) -> dict[str, Any]:
    """The key `search` of the report."""
    front = set(result.pareto())
    return {
        "goal": goal.text,
        "reachable": result.reachable,
        "met": result.best is not None,
        "best": None if result.best is None else _trial(twin, result.best),
        "trials": [
            {**_trial(twin, trial), "met": goal.met(trial.result), "pareto": trial in front}
            for trial in result.trials
        ],
        "passes": result.passes,
        "exhaustive_passes": result.exhaustive_passes,
    }


def print_search(twin: Twin, result: SearchResult, goal: Goal) -> None:
    """The Pareto table, the set found as options for `quantize`, and what it took."""
    out = console()
    table = Table(
        title="what can be had (layers in float against what is lost)", title_justify="left", box=None
    )
    for heading in ("MACs in INT8", "missed rate", "missed", "extra", "MSE", "goal"):
        table.add_column(heading, justify="right")
    table.add_column("in float")
    for trial in result.pareto():
        counts = trial.result.detections.counts
        table.add_row(
            f"{100 * trial.int8_share:.1f} %",
            "" if trial.missed_rate is None else f"{100 * trial.missed_rate:.2f} %",
            str(counts.missed),
            str(counts.extra),
            f"{trial.mse:.3g}",
            "met" if goal.met(trial.result) else "",
            escape(_named(twin, trial)),
        )
    out.print(table)
    out.print(escape(_said(twin, result, goal)))
    out.print(
        f"{result.passes} forward passes; every set of {len(twin.int8)} layers would have taken "
        f"{result.exhaustive_passes:.3g}"
    )


def _said(twin: Twin, result: SearchResult, goal: Goal) -> str:
    if not result.reachable:
        return f"{goal.text}: cannot be met: the reference itself does not"
    if result.best is None:
        return f"{goal.text}: no set found that meets it"
    if not result.best.keep_float:
        return f"{goal.text}: met with every layer in INT8"
    if not result.best.int8_share:
        return f"{goal.text}: met only with every layer in float"
    options = " ".join(f"--keep-float {shlex.quote(name)}" for name in names_of(twin, result.best))
    return (
        f"{goal.text}: met with {100 * result.best.int8_share:.1f} % of the MACs in INT8: quantize {options}"
    )


def _named(twin: Twin, trial: Trial) -> str:
    names = names_of(twin, trial)
    if len(names) == len(twin.int8):
        return "all"
    shown = ", ".join(names[:6])
    return shown if len(names) <= 6 else f"{shown} and {len(names) - 6} more"


def _trial(twin: Twin, trial: Trial) -> dict[str, Any]:
    counts = trial.result.detections.counts
    return {
        "keep_float": list(names_of(twin, trial)),
        "int8_share": trial.int8_share,
        "missed": counts.missed,
        "extra": counts.extra,
        "missed_rate": trial.missed_rate,
        "mse": trial.mse,
    }
