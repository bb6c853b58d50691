"""The candidate with some layers in float, tried on frames that are kept: what it loses then, and how much still runs in INT8."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trtviewer.blame.judge import Judge, KeptReference
from trtviewer.blame.mixed_graph import MixedGraph, open_mixed, reference_alone, variant
from trtviewer.blame.twin import Twin
from trtviewer.compare.settings import CompareSettings
from trtviewer.compare.totals import TotalsResult
from trtviewer.errors import BadInput, Cancelled
from trtviewer.preprocess import Preprocessor, to_model_layout
from trtviewer.sources.frame import Frame


@dataclass(frozen=True, eq=False, slots=True)
class Trial:
    """One set of layers kept in float, measured.

    Attributes:
        keep_float: indices into `Twin.layers`.
        int8_share: MACs that run in INT8 over all MACs, 0..1.
        result: against the reference, on all frames.
    """

    keep_float: frozenset[int]
    int8_share: float
    result: TotalsResult

    @property
    def missed_rate(self) -> float | None:
        """missed / reference; None where the reference finds nothing."""
        return self.result.detections.counts.missed_rate

    @property
    def mse(self) -> float:
        """The mean over the outputs of their MSE."""
        known = [output.total.mse for output in self.result.outputs if output.total.mse is not None]
        return sum(known) / len(known) if known else 0.0


class Bench:
    """Frames with what the reference makes of them, on which sets of layers are tried. The reference runs once a frame.

    Args:
        frames: kept as input tensors and heads of the reference; their pictures are let go.
        threads: of the inference; None for all cores.
        progress: told how many forward passes were made.
        cancelled: asked before each.

    Raises:
        BadInput: the networks cannot be run, or there is no frame.
        Cancelled: `cancelled` said so.
    """

    def __init__(
        self,
        twin: Twin,
        frames: Iterable[Frame],
        settings: CompareSettings,
        *,
        threads: int | None = None,
        progress: Callable[[int], None] = lambda passes: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        if twin.reference.input is None:
            raise BadInput("says nothing of its input", subject=twin.reference.path)
        self.twin = twin
        self.passes = 0
        self._threads, self._progress, self._cancelled = threads, progress, cancelled
        self._judge = Judge(twin.reference, settings)
        self._macs = sum(layer.macs for layer in twin.layers)
        self._frames: list[tuple[NDArray[np.generic], KeptReference]] = []
        preprocessor = Preprocessor(twin.reference.input)
        run = self._runner(reference_alone(twin), tuple(twin.outputs))
        for frame in frames:
            prepared = preprocessor.prepare(frame.picture)
            tensor = to_model_layout(prepared.tensor, twin.reference.input)
            self._frames.append((tensor, self._judge.keep(frame, prepared.placement, run(tensor))))
        if not self._frames:
            raise BadInput("there is no frame to try layers on", subject=twin.candidate.path)

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return len(self._frames)

    def try_float(self, keep_float: Collection[int]) -> Trial:
        """Runs the candidate with these layers in float on every frame. Where that is all of them it is the reference, and nothing is run."""
        twin = self.twin
        kept = frozenset(keep_float)
        totals = self._judge.totals()
        if kept.issuperset(twin.int8):
            for _, reference in self._frames:
                totals.update(self._judge.compare(reference, reference.result.heads))
        else:
            graph, names = variant(twin, kept)
            run = self._runner(graph, names)
            for tensor, reference in self._frames:
                totals.update(self._judge.compare(reference, run(tensor)))
        return Trial(kept, self.int8_share(kept), totals.result())

    def int8_share(self, keep_float: Collection[int]) -> float:
        """MACs that run in INT8 with these layers in float, over all; 0 where nothing is known of MACs."""
        layers = self.twin.layers
        in_int8 = sum(layers[index].macs for index in self.twin.int8 if index not in keep_float)
        return in_int8 / self._macs if self._macs else 0.0

    def _runner(
        self, graph: MixedGraph, names: tuple[str, ...]
    ) -> Callable[[NDArray[np.generic]], dict[str, NDArray[np.float32]]]:
        session = open_mixed(graph, self.twin.candidate.path, self._threads)

        def run(tensor: NDArray[np.generic]) -> dict[str, NDArray[np.float32]]:
            if self._cancelled():
                raise Cancelled("cancelled", subject=self.twin.candidate.path)
            outputs = session.run(names, {self.twin.input: tensor})
            self.passes += 1
            self._progress(self.passes)
            return dict(zip(self.twin.outputs, outputs, strict=True))

        return run
