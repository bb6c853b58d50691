"""The ranges that a candidate was calibrated to, held against the frames now playing: what they exceed, and which would help most.

The reference's activations are looked at, frame by frame: per tensor and channel the largest value, and how much the candidate's
range clips. What grows with the frames is one number for each of them and each tensor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trtviewer.blame.mixed_graph import MixedGraph, open_mixed
from trtviewer.blame.twin import Range, Twin
from trtviewer.errors import BadInput
from trtviewer.preprocess import Preprocessor, to_model_layout
from trtviewer.quantize.ranges import Ranges
from trtviewer.sources.frame import Frame

SEEN_MARGIN = 1.05
"""A frame exceeds what the calibration saw when its largest value is above that by a twentieth."""
CLIPPED = 1e-3
"""Where it is not known what the calibration saw: a frame exceeds a range that clips more of its values than this."""
SUGGESTED = 12
"""So many frames at most are suggested for the calibration set."""


@dataclass(frozen=True, eq=False, slots=True)
class TensorRange:
    """One quantized tensor on the frames that were looked at.

    Attributes:
        tensor: its name; `layers` read it in INT8.
        limit: the end of the candidate's range.
        seen: the largest value on the calibration frames; None where that is not known.
        here: the largest value on these frames.
        clipped_share: of all values here those beyond the range.
        exceeding: indices of the frames that exceed what the candidate was calibrated to.
        channel_amax: [C] the largest value of each channel here; of the whole where there are no channels.
    """

    tensor: str
    layers: tuple[str, ...]
    limit: float
    seen: float | None
    here: float
    clipped_share: float
    exceeding: tuple[int, ...]
    channel_amax: NDArray[np.float32]


@dataclass(frozen=True, eq=False, slots=True)
class CoachReport:
    """What the coach says of some frames.

    Attributes:
        frames: how many were looked at.
        tensors: every quantized one, in the graph's order.
        suggested: at most `SUGGESTED` frames, the one that widens the ranges most first; only such as widen one at all.
        maps: the largest value by channel of further tensors: what goes into Concats.
    """

    frames: int
    tensors: tuple[TensorRange, ...]
    suggested: tuple[int, ...]
    maps: Mapping[str, NDArray[np.float32]]

    def words(self) -> str:
        """The report in a sentence or two."""
        exceeded = [tensor for tensor in self.tensors if tensor.exceeding]
        if not self.frames:
            return "no frame was looked at"
        if not exceeded:
            return f"all {self.frames} frames stay within the calibrated ranges"
        frames = {frame for tensor in exceeded for frame in tensor.exceeding}
        worst = max(exceeded, key=lambda tensor: tensor.here / _limit(tensor))
        noun = "frame exceeds" if len(frames) == 1 else "frames exceed"
        said = (
            f"{len(frames)} of {self.frames} {noun} the range of {len(exceeded)} of {len(self.tensors)} tensors, "
            f"most of all {worst.tensor} ({worst.here / _limit(worst):.2g} times"
        )
        said += ")" if worst.seen is not None else f", {100 * worst.clipped_share:.2g} % clipped)"
        if self.suggested:
            which = ", ".join(str(frame) for frame in self.suggested)
            said += f"; added to the calibration set, these would widen it most: {which}"
        return said


class RangeCoach:
    """Looks at frame after frame of the reference. One thread uses it.

    Args:
        calibration: what the candidate was calibrated on, where that is at hand; without it the candidate's ranges alone tell.
        threads: of the inference; None for all cores.

    Raises: BadInput: the reference cannot be run.
    """

    def __init__(self, twin: Twin, calibration: Ranges | None = None, threads: int | None = None) -> None:
        if twin.reference.input is None:
            raise BadInput("says nothing of its input", subject=twin.reference.path)
        self._twin = twin
        self._input = twin.reference.input
        self._preprocessor = Preprocessor(self._input)
        self._ranges = _by_tensor(twin)
        self._seen = {} if calibration is None else dict(calibration.histograms)
        self._names = list(dict.fromkeys([*self._ranges, *_joined(twin)]))
        graph = MixedGraph(twin)
        graph.add_float()
        for name in self._names:
            if name != twin.input:
                graph.give(name)
        self._outputs = [name for name in self._names if name != twin.input]
        self._session = open_mixed(graph, twin.reference.path, threads)
        self._channels: dict[str, NDArray[np.float32]] = {}
        self._clipped = np.zeros((len(self._ranges), 2))
        self._frames: list[int] = []
        self._amax: list[NDArray[np.float32]] = []
        self._shares: list[NDArray[np.float64]] = []

    def update(self, frame: Frame) -> None:
        """Looks at one frame. What it adds is added whole or, where it is interrupted, not at all."""
        values = self._run(frame)
        channels = {name: _channel_amax(values[name]) for name in self._names}
        counts = np.array([_clipped(values[name], pair) for name, pair in self._ranges.items()])
        counts = counts.reshape(-1, 2)
        amax = np.array([channels[name].max() for name in self._ranges], np.float32)
        merged = {
            name: np.maximum(found, self._channels.get(name, found)) for name, found in channels.items()
        }
        self._channels, self._clipped = merged, self._clipped + counts
        self._frames = [*self._frames, frame.index]
        self._amax = [*self._amax, amax]
        self._shares = [*self._shares, counts[:, 0] / np.maximum(counts[:, 1], 1)]

    def result(self) -> CoachReport:
        """What is to be said so far."""
        if not self._frames:
            return CoachReport(0, (), (), {})
        amax, shares = np.array(self._amax), np.array(self._shares)
        limits, exceeds = self._exceeding(amax, shares)
        frames = np.array(self._frames)
        tensors = []
        for column, (name, pair) in enumerate(self._ranges.items()):
            clipped, total = self._clipped[column]
            seen = self._seen.get(name)
            tensors.append(
                TensorRange(
                    tensor=name,
                    layers=tuple(layer.name for layer in self._twin.layers if pair in layer.ranges),
                    limit=pair.amax,
                    seen=None if seen is None else seen.amax,
                    here=float(amax[:, column].max()),
                    clipped_share=float(clipped / total) if total else 0.0,
                    exceeding=tuple(frames[exceeds[:, column]].tolist()),
                    channel_amax=self._channels[name],
                )
            )
        suggested = _widest(np.where(exceeds, amax, 0), limits)
        return CoachReport(
            len(frames), tuple(tensors), tuple(frames[suggested].tolist()), dict(self._channels)
        )

    def clip_map(self, frame: Frame, tensor: str) -> NDArray[np.float32]:
        """Where in the picture a tensor's values are clipped: [H, W] share of channels beyond the range, in the tensor's own cells.

        Raises: KeyError: it is not quantized; ValueError: it is no map.
        """
        pair = self._ranges[tensor]
        values = self._run(frame)[tensor]
        if values.ndim != 4:
            raise ValueError(f"{tensor} is {list(values.shape)}, no map")
        beyond = (values[0] > pair.high + pair.scale / 2) | (values[0] < pair.low - pair.scale / 2)
        shares: NDArray[np.float32] = beyond.mean(axis=0, dtype=np.float32)
        return shares

    def _run(self, frame: Frame) -> dict[str, NDArray[np.float32]]:
        tensor = to_model_layout(self._preprocessor.prepare(frame.picture).tensor, self._input)
        outputs = self._session.run(self._outputs, {self._twin.input: tensor})
        return {self._twin.input: tensor, **dict(zip(self._outputs, outputs, strict=True))}

    def _exceeding(
        self, amax: NDArray[np.float32], shares: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """[tensors] what a frame must exceed to widen the range, and [frames, tensors] whether it does."""
        limits, exceeds = [], []
        for column, (name, pair) in enumerate(self._ranges.items()):
            seen = self._seen.get(name)
            limits.append(pair.amax if seen is None else seen.amax)
            by_seen = None if seen is None else amax[:, column] > seen.amax * SEEN_MARGIN
            exceeds.append(shares[:, column] > CLIPPED if by_seen is None else by_seen)
        return np.array(limits), np.array(exceeds).T


def _by_tensor(twin: Twin) -> dict[str, Range]:
    """The range of each quantized tensor; of several (a tensor quantized for each reader) the narrowest."""
    ranges: dict[str, Range] = {}
    for layer in twin.layers:
        for pair in layer.ranges:
            known = ranges.get(pair.tensor)
            if known is None or pair.amax < known.amax:
                ranges[pair.tensor] = pair
    return ranges


def _joined(twin: Twin) -> list[str]:
    return [
        name
        for step in twin.steps
        if step.node.op_type == "Concat" and len(twin.shapes.get(step.node.output[0], ())) == 4
        for name in step.node.input
        if name and name not in twin.weights
    ]


def _channel_amax(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """[C], or [1] for what has no channels."""
    flat = values.reshape(values.shape[1] if values.ndim >= 3 else 1, -1)
    amax: NDArray[np.float32] = np.maximum(flat.max(axis=1), -flat.min(axis=1)).astype(np.float32)
    return amax


def _clipped(values: NDArray[np.float32], pair: Range) -> tuple[int, int]:
    high, low = pair.high + pair.scale / 2, pair.low - pair.scale / 2
    return int(np.count_nonzero(values > high)) + int(np.count_nonzero(values < low)), values.size


def _widest(amax: NDArray[np.float32], limits: NDArray[np.float64]) -> list[int]:
    """Rows that together widen the ranges most, in doublings added up over the tensors; each one beside those before it."""
    reached = np.maximum(limits, np.finfo(np.float32).tiny)
    chosen: list[int] = []
    while len(chosen) < min(SUGGESTED, len(amax)):
        gains = np.log2(np.maximum(amax / reached, 1)).sum(axis=1)
        best = int(gains.argmax())
        if gains[best] <= 0:
            break
        chosen.append(best)
        reached = np.maximum(reached, amax[best])
    return chosen


def _limit(tensor: TensorRange) -> float:
    return max(tensor.limit if tensor.seen is None else tensor.seen, float(np.finfo(np.float32).tiny))
