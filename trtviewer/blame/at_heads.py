"""The whole network with only one layer in INT8, for every layer: what each alone costs at the heads. This ranks the layers.

All of these networks share one graph with the reference: of each, only what comes after its layer is there once more, so that a
frame takes about half as many layers as running all of them would.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from trtviewer.blame.judge import Judge
from trtviewer.blame.mixed_graph import MixedGraph, open_mixed
from trtviewer.blame.twin import Twin
from trtviewer.compare.settings import CompareSettings
from trtviewer.compare.totals import Totals
from trtviewer.preprocess import Placement
from trtviewer.sources.frame import Frame

_Heads = dict[str, NDArray[np.float32]]

_NODES = 1_000
"""About so many nodes go into one session: a larger network is looked at in several, so that none takes long to be interrupted."""


@dataclass(frozen=True, slots=True)
class AtHeads:
    """The whole network with only one layer in INT8, over some frames.

    Attributes:
        mse: by output of the reference; None where undefined.
        missed: detections of the reference that it loses.
    """

    mse: Mapping[str, float | None]
    missed: int

    @property
    def mean_mse(self) -> float:
        """Over the outputs: the figure by which layers are ranked."""
        known = [value for value in self.mse.values() if value is not None]
        return sum(known) / len(known) if known else 0.0


class HeadsMeter:
    """Accumulates, frame by frame, for every layer in INT8. One thread uses it.

    Raises: BadInput: the networks cannot be run.
    """

    def __init__(self, twin: Twin, settings: CompareSettings, threads: int | None = None) -> None:
        self._twin = twin
        self._judge = Judge(twin.reference, settings)
        self._sessions = _sessions(twin, threads)
        self._totals: dict[int, Totals] = {layer: self._judge.totals() for layer in twin.int8}
        self._frames = 0

    @property
    def frames(self) -> int:
        """How many frames were measured."""
        return self._frames

    def update(self, frame: Frame, placement: Placement, tensor: NDArray[np.generic]) -> None:
        """Measures one frame. What it adds is added whole or, where it is interrupted, not at all.

        Args:
            placement, tensor: as preprocessing made them, the tensor in the models' own type and layout.
        """
        added = {}
        for session in self._sessions:
            reference, changed = session.run(self._twin.input, tensor)
            kept = self._judge.keep(frame, placement, reference)
            for layer, heads in changed.items():
                totals = self._judge.totals()
                totals.update(self._judge.compare(kept, heads))
                added[layer] = totals
        for layer, totals in added.items():
            totals.merge(self._totals[layer])
        self._totals, self._frames = added, self._frames + 1

    def heads(self, tensor: NDArray[np.generic]) -> tuple[_Heads, dict[int, _Heads]]:
        """The heads of one frame: the reference's, and by layer those of the network with only that layer in INT8."""
        alone: dict[int, _Heads] = {}
        reference: _Heads = {}
        for session in self._sessions:
            reference, changed = session.run(self._twin.input, tensor)
            alone.update(changed)
        return reference, alone

    def result(self) -> tuple[AtHeads | None, ...]:
        """The figures so far by layer; None for what is float anyway, or goes with other layers."""
        results: list[AtHeads | None] = [None] * len(self._twin.layers)
        if self._frames:
            for layer, totals in self._totals.items():
                found = totals.result()
                mse = {output.name: output.total.mse for output in found.outputs}
                results[layer] = AtHeads(MappingProxyType(mse), found.detections.counts.missed)
        return tuple(results)


class _Session:
    """The reference, and the networks of some layers."""

    def __init__(
        self, session: ort.InferenceSession, twin: Twin, places: Mapping[int, Mapping[str, str]]
    ) -> None:
        self._session = session
        self._places = places
        self._outputs = tuple(twin.outputs)
        given = [name for place in places.values() for name in place.values()]
        self._names = list(dict.fromkeys([*self._outputs, *given]))

    def run(self, given: str, tensor: NDArray[np.generic]) -> tuple[_Heads, dict[int, _Heads]]:
        """The heads of the reference, and of the network with only that layer in INT8."""
        values = dict(zip(self._names, self._session.run(self._names, {given: tensor}), strict=True))
        reference = {output: values[output] for output in self._outputs}
        changed = {
            layer: {output: values[place[output]] for output in self._outputs}
            for layer, place in self._places.items()
        }
        return reference, changed


def _sessions(twin: Twin, threads: int | None) -> list[_Session]:
    sessions = []
    waiting: Sequence[int] = twin.int8
    while waiting:
        graph = MixedGraph(twin)
        graph.add_float()
        for name in twin.outputs:
            graph.give(name)
        places: dict[int, dict[str, str]] = {}
        for layer in waiting:
            if places and graph.size > _NODES:
                break
            called = graph.add_mixed(f"only{layer}/", {layer}, others_of_candidate=False)
            places[layer] = {name: graph.add_output(name, called, {layer}) for name in twin.outputs}
        sessions.append(_Session(open_mixed(graph, twin.candidate.path, threads), twin, places))
        waiting = waiting[len(places) :]
    return sessions
