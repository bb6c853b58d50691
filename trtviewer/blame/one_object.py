"""Blame for one object: the cell that should have fired, what it says in both models, and the layers that changed its mind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trtviewer.blame.at_heads import HeadsMeter
from trtviewer.blame.layer_error import ErrorFigures, LayerMeter, LayerOutputs, figures_of
from trtviewer.blame.mixed_graph import open_mixed, variant
from trtviewer.blame.receptive_field import Region, receptive_fields
from trtviewer.blame.twin import Layer, Twin
from trtviewer.compare.settings import CompareSettings
from trtviewer.detect.families import Cell, cell_channels, cell_of, channels_of, scale_maps
from trtviewer.detect.scale_map import Channel
from trtviewer.errors import BadInput
from trtviewer.models.spec import Family
from trtviewer.preprocess import Preprocessor, to_model_layout
from trtviewer.sources.frame import Frame


@dataclass(frozen=True, slots=True)
class LayerAtCell:
    """What one layer does to one cell.

    Attributes:
        layer: which.
        region: what the cell sees of the layer's output; None where that is all of it.
        score_shift: change of the score's logits (objectness and the object's class, added up) with only this layer in INT8:
            below 0 where it takes the object away; None where the layer goes with others.
        box_shift: the largest change of the four box values, likewise.
        own, cumulative: the layer's errors inside that region.
    """

    layer: Layer
    region: Region | None
    score_shift: float | None
    box_shift: float | None
    own: ErrorFigures
    cumulative: ErrorFigures


@dataclass(frozen=True, eq=False, slots=True)
class ObjectBlame:
    """One object, and why the candidate lost it.

    Attributes:
        output: the head.
        cell: where in it the reference's box was made: map, anchor, row, column.
        channels: what the values of that cell are.
        reference, candidate: [channels] float32, the values themselves (logits, where the head holds logits).
        layers: that the cell can see, by rising `score_shift`: the most to blame first; those that go with others last.
    """

    output: str
    cell: Cell
    channels: tuple[Channel, ...]
    reference: NDArray[np.float32]
    candidate: NDArray[np.float32]
    layers: tuple[LayerAtCell, ...]


class ObjectInspector:
    """Looks at objects one after the other; holds the networks that it needs for that.

    Args:
        threads: of the inference; None for all cores.

    Raises: BadInput: the networks cannot be run together, or their boxes are made after NMS and have no cell.
    """

    def __init__(self, twin: Twin, threads: int | None = None) -> None:
        spec = twin.reference
        if spec.family in (Family.END2END, Family.NONE) or spec.input is None:
            raise BadInput("has no cells that its boxes are made in", subject=spec.path)
        self._twin = twin
        self._input = spec.input
        self._preprocessor = Preprocessor(spec.input)
        self._layers = LayerMeter(twin, threads)
        self._heads = HeadsMeter(twin, CompareSettings(), threads)
        graph, self._names = variant(twin, ())
        self._candidate = open_mixed(graph, twin.candidate.path, threads)

    def inspect(self, frame: Frame, head: int, position: int, class_id: int) -> ObjectBlame:
        """Why a box of the reference is not there in the candidate.

        Args:
            head, position, class_id: of the reference's box, as in `CandidateBoxes`.

        Raises: IndexError: the head has no such position.
        """
        spec = self._twin.reference
        cell = cell_of(spec, head, position)
        tensor = to_model_layout(self._preprocessor.prepare(frame.picture).tensor, self._input)
        reference, alone = self._heads.heads(tensor)
        outputs = self._candidate.run(self._names, {self._twin.input: tensor})
        candidate = dict(zip(self._twin.outputs, outputs, strict=True))
        at = np.array([position], np.int32)

        def values(heads: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
            (found,) = cell_channels(spec, heads, head, at)
            own: NDArray[np.float32] = np.array(found, np.float32)
            return own

        output = spec.heads[head].output
        channels = tuple(channel for channel in channels_of(spec, output) if channel.anchor == 0)
        truth = values(reference)
        grid = scale_maps(spec, reference)[cell.scale_map].values.shape[1:]
        fields = receptive_fields(self._twin, output, (grid[0], grid[1]), cell.row, cell.column)
        measured = self._layers.outputs(tensor)
        layers = []
        for index, layer in enumerate(self._twin.layers):
            if layer.output in fields and layer.precision != "fp32":
                region = fields[layer.output]
                own, cumulative = _errors(measured[index], region)
                shift = values(alone[index]) - truth if index in alone else None
                score = None if shift is None else _score_shift(shift, channels, class_id)
                box = None if shift is None else _box_shift(shift, channels)
                layers.append(LayerAtCell(layer, region, score, box, own, cumulative))
        layers.sort(key=lambda found: np.inf if found.score_shift is None else found.score_shift)
        return ObjectBlame(output, cell, channels, truth, values(candidate), tuple(layers))


def _score_shift(shift: NDArray[np.float32], channels: tuple[Channel, ...], class_id: int) -> float:
    classes = [place for place, channel in enumerate(channels) if channel.group == "class"]
    places = [place for place, channel in enumerate(channels) if channel.group == "objectness"]
    return float(shift[[*places, classes[class_id]]].sum(dtype=np.float64))


def _box_shift(shift: NDArray[np.float32], channels: tuple[Channel, ...]) -> float:
    places = [place for place, channel in enumerate(channels) if channel.group == "box"]
    return float(np.abs(shift[places]).max())


def _errors(outputs: LayerOutputs, region: Region | None) -> tuple[ErrorFigures, ErrorFigures]:
    parts = [outputs.reference, outputs.own, outputs.cumulative]
    if region is not None:
        parts = [part[:, :, region.rows, region.columns] for part in parts]
    reference, own, cumulative = (part.astype(np.float64) for part in parts)
    return figures_of(reference, own), figures_of(reference, cumulative)
