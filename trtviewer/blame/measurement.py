"""Everything that is said of a candidate's layers, measured frame by frame: their errors, and what each costs at the heads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trtviewer.blame.at_heads import AtHeads, HeadsMeter
from trtviewer.blame.layer_error import LayerError, LayerMeter
from trtviewer.blame.twin import Twin
from trtviewer.compare.settings import CompareSettings
from trtviewer.errors import BadInput
from trtviewer.preprocess import Preprocessor, to_model_layout
from trtviewer.sources.frame import Frame
from trtviewer.sources.source import Source, spread

HEADS_FRAMES = 8
"""At most so many of the frames, spread over them, are run with one layer in INT8 after the other."""


@dataclass(frozen=True, slots=True)
class LayersResult:
    """The figures of all layers.

    Attributes:
        frames: how many the errors are of.
        heads_frames: how many of them `at_heads` is of.
        layers: in the graph's order.
        at_heads: of the same layers; None where a layer is float or goes with those that it feeds, or no frame was looked at.
    """

    frames: int
    heads_frames: int
    layers: tuple[LayerError, ...]
    at_heads: tuple[AtHeads | None, ...]

    def ranked(self) -> tuple[int, ...]:
        """Indices of the layers, the most to blame first: by the mean MSE at the heads; those without one last, as in the graph."""
        costs = [-1.0 if found is None else found.mean_mse for found in self.at_heads]
        return tuple(sorted(range(len(costs)), key=lambda index: (-costs[index], index)))


class LayerMeasurement:
    """Measures frame after frame; what was measured so far can be had at any time, also after an interruption.

    Args:
        settings: how detections are made and matched.
        threads: of the inference; None for all cores.

    Raises: BadInput: the networks cannot be run together, or nothing is known of their input.
    """

    def __init__(self, twin: Twin, settings: CompareSettings, threads: int | None = None) -> None:
        if twin.reference.input is None:
            raise BadInput("says nothing of its input", subject=twin.reference.path)
        self.twin = twin
        self._input = twin.reference.input
        self._preprocessor = Preprocessor(self._input)
        self._layers = LayerMeter(twin, threads)
        self._heads = HeadsMeter(twin, settings, threads)

    def update(self, frame: Frame, *, at_heads: bool) -> None:
        """Measures one frame; `at_heads`: also with one layer in INT8 after the other."""
        prepared = self._preprocessor.prepare(frame.picture)
        tensor = to_model_layout(prepared.tensor, self._input)
        if at_heads:
            self._heads.update(frame, prepared.placement, tensor)
        self._layers.update(tensor)

    def result(self) -> LayersResult:
        """The figures so far."""
        return LayersResult(
            self._layers.frames, self._heads.frames, self._layers.result(), self._heads.result()
        )


def measure(
    measurement: LayerMeasurement,
    source: Source,
    indices: Sequence[int],
    progress: Callable[[int], None] = lambda done: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> None:
    """Measures the frames of a source.

    Args:
        progress: told, after each frame, how many are done.
        cancelled: asked before each; the work simply ends.

    Raises: BadInput: a frame cannot be read.
    """
    for_heads = set(spread(len(indices), HEADS_FRAMES))
    for place, index in enumerate(indices):
        if cancelled():
            return
        measurement.update(source.read(index), at_heads=place in for_heads)
        progress(place + 1)
