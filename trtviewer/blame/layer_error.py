"""Own and cumulative error of every layer, over frames, in constant memory: one graph in which both networks run side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trtviewer.blame.expected import expected_mse
from trtviewer.blame.mixed_graph import MixedGraph, open_mixed
from trtviewer.blame.twin import Layer, Twin

_ROW = 4_096
"""Values that are summed in float32, before the sums go on in float64."""
_BLOCK = 1 << 16
"""Values looked at together: few enough for a core's own cache."""
_TINY = 1e-25
"""A float32 sum of squares below this has lost digits to underflow and is made again in float64."""

_COUNT, _RR, _OWN, _CUMULATIVE = 0, 1, slice(2, 4), slice(4, 6)
_SUMS = 6
"""Of a layer: count, r^2, then d^2 and c^2 of the own error and of the cumulative one."""


@dataclass(frozen=True, slots=True)
class ErrorFigures:
    """How far a tensor is from the reference's, over all frames; None where that is not defined.

    Attributes:
        mse: mean d^2.
        sqnr_db: 10 log10(sum r^2 / sum d^2).
        cosine: of the angle between the two.
    """

    mse: float | None
    sqnr_db: float | None
    cosine: float | None


@dataclass(frozen=True, slots=True)
class LayerError:
    """One layer, over all frames that were measured.

    Attributes:
        layer: which.
        own: at its own output, with its input taken from the reference.
        cumulative: at its output in the whole candidate.
        clipped_share: of the values of its quantized activations (the reference's, on these frames) those beyond the
            calibrated range; None where it has none.
        range_used: the largest of them over the end of the range, at most 1; of several inputs the one that uses most.
        expected_mse: what `own.mse` would be if every rounding were off by an even share of its step (`expected.py`); None
            where that cannot be said.
    """

    layer: Layer
    own: ErrorFigures
    cumulative: ErrorFigures
    clipped_share: float | None
    range_used: float | None
    expected_mse: float | None


@dataclass(frozen=True, eq=False, slots=True)
class LayerOutputs:
    """What one layer gives on one frame: in the reference, with only the layer itself in INT8, in the whole candidate."""

    reference: NDArray[np.float32]
    own: NDArray[np.float32]
    cumulative: NDArray[np.float32]


class LayerMeter:
    """Accumulates errors frame by frame. One thread uses it.

    A frame is one run of a graph that holds the reference, the candidate, and each layer of the candidate once more with
    its input taken from the reference; the buffers that its tensors are written to are the same for every frame.

    Args:
        threads: of the inference; None for all cores.

    Raises:
        BadInput: the two cannot be run together.
    """

    def __init__(self, twin: Twin, threads: int | None = None) -> None:
        self._twin = twin
        graph = MixedGraph(twin)
        graph.add_float()
        called = graph.add_mixed("int8/", twin.int8, others_of_candidate=True)
        self._places = [
            _Places.of(graph, twin, index, layer, called) for index, layer in enumerate(twin.layers)
        ]
        self._ranges = sorted(
            {tensor.tensor for layer in twin.layers for tensor in layer.ranges} - {twin.input}
        )
        names = {name for places in self._places for name in places.names}
        self._names = sorted(names | set(self._ranges))
        for name in self._names:
            graph.give(name)
        self._session = open_mixed(graph, twin.candidate.path, threads)
        self._buffers: dict[str, NDArray[np.float32]] = {}
        self._frames = 0
        self._sums = np.zeros((len(twin.layers), _SUMS))
        # Of each distinct pair: values, those clipped, sum of squares; and the largest value.
        pairs = dict.fromkeys(pair for layer in twin.layers for pair in layer.ranges)
        self._pairs = {pair: index for index, pair in enumerate(pairs)}
        self._pair_sums = np.zeros((len(pairs), 3))
        self._pair_most = np.zeros(len(pairs))
        self._scratch = np.empty(_BLOCK, np.float32)

    @property
    def frames(self) -> int:
        """How many frames were measured."""
        return self._frames

    def update(self, tensor: NDArray[np.generic]) -> None:
        """Measures one frame, given as the models' input. What it adds is added whole or, where it is interrupted, not at all."""
        values = self._run(tensor)
        values[self._twin.input] = np.asarray(tensor, np.float32)
        sums = np.zeros_like(self._sums)
        with np.errstate(all="ignore"):  # inf and NaN are looked for
            for row, places in zip(sums, self._places, strict=True):
                self._compare(row, places, values)
            pair_sums, most = self._look_at_pairs(values)
        self._sums, self._pair_sums, self._pair_most, self._frames = (
            self._sums + sums,
            self._pair_sums + pair_sums,
            np.maximum(self._pair_most, most),
            self._frames + 1,
        )

    def result(self) -> tuple[LayerError, ...]:
        """The figures so far, in the graph's order."""
        return tuple(self._result(index, layer) for index, layer in enumerate(self._twin.layers))

    def outputs(self, tensor: NDArray[np.generic]) -> tuple[LayerOutputs, ...]:
        """What every layer gives on one frame; good until the next frame is run."""
        values = self._run(tensor)
        return tuple(LayerOutputs(*(values[name] for name in places.names)) for places in self._places)

    def _run(self, tensor: NDArray[np.generic]) -> dict[str, NDArray[np.float32]]:
        if not self._buffers:
            outputs = self._session.run(self._names, {self._twin.input: tensor})
            self._buffers = dict(zip(self._names, outputs, strict=True))
            return dict(self._buffers)
        binding = self._session.io_binding()
        binding.bind_cpu_input(self._twin.input, np.ascontiguousarray(tensor))
        for name, buffer in self._buffers.items():
            binding.bind_output(name, "cpu", 0, np.float32, buffer.shape, buffer.ctypes.data)
        self._session.run_with_iobinding(binding)
        return dict(self._buffers)

    def _compare(
        self, row: NDArray[np.float64], places: _Places, values: dict[str, NDArray[np.float32]]
    ) -> None:
        reference = values[places.reference].reshape(-1)
        own, cumulative = (values[name].reshape(-1) for name in (places.own, places.cumulative))
        row[_COUNT] = reference.size
        for start in range(0, reference.size, _BLOCK):
            block = slice(start, start + _BLOCK)
            r = reference[block]
            row[_RR] += _dot(r, r)
            if places.own != places.cumulative and places.own != places.reference:
                row[_OWN] += self._errors(r, own[block])
            row[_CUMULATIVE] += self._errors(r, cumulative[block])
        if places.own == places.cumulative:
            row[_OWN] = row[_CUMULATIVE]
        elif places.own == places.reference:
            row[_OWN] = 0.0, row[_RR]

    def _errors(self, r: NDArray[np.float32], c: NDArray[np.float32]) -> tuple[float, float]:
        d = np.subtract(c, r, out=self._scratch[: r.size])
        sums = _dot(d, d), _dot(c, c)
        if not np.isfinite(sums).all() or min(sums) < _TINY:
            wide = c.astype(np.float64)
            wide_d = wide - r
            return float(wide_d @ wide_d), float(wide @ wide)
        return sums

    def _look_at_pairs(
        self, values: dict[str, NDArray[np.float32]]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        sums = np.zeros_like(self._pair_sums)
        most = np.zeros_like(self._pair_most)
        for pair, index in self._pairs.items():
            tensor = values[pair.tensor].reshape(-1)
            for start in range(0, tensor.size, _BLOCK):
                x = tensor[start : start + _BLOCK]
                low, high = float(x.min()), float(x.max())
                clipped = 0
                # What rounds to the last step is not clipped.
                if high > pair.high + pair.scale / 2:
                    clipped += int(np.count_nonzero(x > pair.high + pair.scale / 2))
                if low < pair.low - pair.scale / 2:
                    clipped += int(np.count_nonzero(x < pair.low - pair.scale / 2))
                sums[index] += x.size, clipped, _dot(x, x)
                most[index] = max(
                    most[index], high / pair.high if pair.high else 0.0, low / pair.low if pair.low else 0.0
                )
        return sums, most

    def _result(self, index: int, layer: Layer) -> LayerError:
        row = self._sums[index]
        rows = [self._pairs[pair] for pair in layer.ranges]
        counted = bool(self._frames and rows)
        values, clipped, squares = self._pair_sums[rows].T if rows else np.zeros((3, 0))
        return LayerError(
            layer=layer,
            own=_figures(row, row[_OWN]),
            cumulative=_figures(row, row[_CUMULATIVE]),
            clipped_share=float(clipped.sum() / values.sum()) if counted else None,
            range_used=min(1.0, float(self._pair_most[rows].max())) if counted else None,
            expected_mse=expected_mse(layer, self._twin.shapes, list(squares / values))
            if self._frames
            else None,
        )


@dataclass(frozen=True, slots=True)
class _Places:
    """What the tensors of a layer are called in the graph; where two are the same values they have one name."""

    reference: str
    own: str
    cumulative: str

    @property
    def names(self) -> tuple[str, str, str]:
        return self.reference, self.own, self.cumulative

    @classmethod
    def of(cls, graph: MixedGraph, twin: Twin, index: int, layer: Layer, called: dict[str, str]) -> _Places:
        step = next(step for step in twin.steps if step.layer == index)
        cumulative = called.get(layer.output, layer.output)
        if layer.precision == "fp32":
            own = layer.output
        elif all(feed.constant or called.get(feed.root, feed.root) == feed.root for feed in step.feeds):
            own = cumulative
        else:
            own = graph.add_alone(step, f"own{index}/")
        return cls(layer.output, own, cumulative)


def _dot(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """sum a b: in float32 along rows, and in float64 from there on."""
    whole = a.size // _ROW * _ROW
    total = float(np.dot(a[whole:], b[whole:]))
    if whole:
        rows = np.vecdot(a[:whole].reshape(-1, _ROW), b[:whole].reshape(-1, _ROW))
        total += float(rows.sum(dtype=np.float64))
    return total


def figures_of(reference: NDArray[np.float64], other: NDArray[np.float64]) -> ErrorFigures:
    """The error of one tensor, all in float64."""
    d = other - reference
    sums = np.array([reference.size, np.vdot(reference, reference)])
    return _figures(sums, (float(np.vdot(d, d)), float(np.vdot(other, other))))


def _figures(row: NDArray[np.float64], errors: Sequence[float] | NDArray[np.float64]) -> ErrorFigures:
    count, rr = float(row[_COUNT]), float(row[_RR])
    dd, cc = (float(value) for value in errors)
    if not count or not all(map(math.isfinite, (rr, dd, cc))):
        return ErrorFigures(None, None, None)
    length = math.sqrt(rr) * math.sqrt(cc)
    # (r^2 + c^2 - d^2) / 2 is r c; near 1, where it matters, the errors of float32 sums cancel in this form.
    cosine = (rr + cc - dd) / (2 * length) if length else 0.0
    return ErrorFigures(
        mse=dd / count,
        sqnr_db=10 * math.log10(rr / dd) if rr and dd else None,
        cosine=min(1.0, max(-1.0, cosine)) if length else None,
    )
