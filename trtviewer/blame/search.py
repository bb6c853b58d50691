"""The smallest set of layers to keep in float that meets a goal on some frames; smallest in multiplications that INT8 loses.

Gains of layers do not add, and one layer in float can even make the result worse, so every set is measured. Two orders are
walked by bisection: by blame at the heads, and by blame for each multiplication; then, from the cheaper of the two sets
found, every layer that can go back to INT8 with the goal still met does so, the one with the most multiplications first, until
none can.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trtviewer.blame.at_heads import AtHeads
from trtviewer.blame.trial import Bench, Trial
from trtviewer.blame.twin import Twin
from trtviewer.compare.totals import TotalsResult

Met = Callable[[TotalsResult], bool]
"""Whether figures against the reference meet the goal."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found, so far.

    Attributes:
        best: the set that meets the goal with the most in INT8; None where none does (yet).
        reachable: whether the reference itself meets the goal; False means that no set can.
        trials: everything measured, in that order; the first has nothing in float.
        passes: forward passes of the network, the reference's included.
        exhaustive_passes: what trying every set would have taken.
    """

    best: Trial | None
    reachable: bool
    trials: tuple[Trial, ...]
    passes: int
    exhaustive_passes: int

    def pareto(self) -> tuple[Trial, ...]:
        """The trials that no other beats in both, the share in INT8 and (missed rate, then MSE); the most INT8 first."""
        front: list[Trial] = []
        for trial in sorted(self.trials, key=lambda trial: (-trial.int8_share, *_loss(trial))):
            if not front or _loss(trial) < _loss(front[-1]):
                front.append(trial)
        return tuple(front)


class Search:
    """One search; what it has found so far can be had at any time, also after an interruption.

    Args:
        bench: the frames.
        at_heads: by layer of the twin: the blame that ranks them.
        met: the goal.
    """

    def __init__(self, bench: Bench, at_heads: Sequence[AtHeads | None], met: Met) -> None:
        self._bench = bench
        self._met = met
        self._blame = {
            index: 0.0 if (found := at_heads[index]) is None else found.mean_mse for index in bench.twin.int8
        }
        self._trials: dict[frozenset[int], Trial] = {}
        self._reachable = True

    def run(self) -> None:
        """Searches to the end. Raises: Cancelled, as the bench."""
        if self._is_met(()):
            return
        layers = list(self._bench.twin.int8)
        self._reachable = self._is_met(layers)
        if not self._reachable:
            return
        self._bisect(sorted(layers, key=lambda index: -self._blame[index]))
        self._bisect(sorted(layers, key=lambda index: -self._blame_a_mac(index)))
        best = self._best()
        assert best is not None
        self._shrink(best.keep_float)

    def result(self) -> SearchResult:
        """What was found so far."""
        frames, layers = self._bench.frames, len(self._bench.twin.int8)
        return SearchResult(
            best=self._best(),
            reachable=self._reachable,
            trials=tuple(self._trials.values()),
            passes=self._bench.passes,
            exhaustive_passes=frames * 2**layers,
        )

    def _bisect(self, order: Sequence[int]) -> None:
        """Finds how many of the order's first layers must be float: one fewer fails, as measured."""
        failing, meeting = 0, len(order)
        while meeting - failing > 1:
            middle = (failing + meeting) // 2
            if self._is_met(order[:middle]):
                meeting = middle
            else:
                failing = middle

    def _shrink(self, keep_float: frozenset[int]) -> None:
        """Gives back to INT8 what can be; again while anything changes, for a layer may be spared once another one is."""
        kept, before = keep_float, frozenset[int]()
        while kept != before:
            before = kept
            for index in sorted(kept, key=lambda index: -self._bench.twin.layers[index].macs):
                if self._is_met(kept - {index}):
                    kept = kept - {index}

    def _is_met(self, keep_float: Sequence[int] | frozenset[int]) -> bool:
        key = frozenset(keep_float)
        if key not in self._trials:
            self._trials[key] = self._bench.try_float(key)
        return self._met(self._trials[key].result)

    def _best(self) -> Trial | None:
        meeting = [trial for trial in self._trials.values() if self._met(trial.result)]
        return min(
            meeting, key=lambda trial: (-trial.int8_share, len(trial.keep_float), trial.mse), default=None
        )

    def _blame_a_mac(self, index: int) -> float:
        return self._blame[index] / max(1, self._bench.twin.layers[index].macs)


def names_of(twin: Twin, trial: Trial) -> tuple[str, ...]:
    """The layers of a trial as `quantize --keep-float` takes them, in the graph's order."""
    return tuple(twin.layers[index].name for index in sorted(trial.keep_float))


def _loss(trial: Trial) -> tuple[float, float]:
    rate = trial.missed_rate
    return 0.0 if rate is None else rate, trial.mse
