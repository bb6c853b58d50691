"""Calibration: one pass of the FP32 network over frames, counting every tensor that INT8 would quantize.

Memory is the activations of one frame and 256 kB a tensor, whatever the number of frames; all methods of `methods.py`
are computed from the same counts afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper

from trtviewer.errors import BadInput, Cancelled
from trtviewer.models.spec import InputSpec
from trtviewer.preprocess import Preprocessor, to_model_layout
from trtviewer.quantize.graph import Network, load_network
from trtviewer.quantize.histogram import Histogram, HistogramAccumulator, NotFinite
from trtviewer.quantize.layout import picture_tensors, plan
from trtviewer.runners.ort import cpu_session_options
from trtviewer.sources.source import Source

Progress = Callable[[int], None]
"""Told how many frames are done."""


@dataclass(frozen=True, eq=False, slots=True)
class Ranges:
    """What the tensors of a network were on the calibration frames.

    Attributes:
        histograms: by tensor, for every tensor of the layout with nothing kept in float.
        frames: how many frames were counted.
        known: ranges that need no calibration: of the picture, where every value that a pixel can become is known beforehand.
    """

    histograms: Mapping[str, Histogram]
    frames: int
    known: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    def merged(self, other: Ranges) -> Ranges:
        """As if the frames of both had been counted in one pass."""
        if self.histograms.keys() != other.histograms.keys():
            raise ValueError("ranges of two networks cannot be merged")
        together = {}
        for name, histogram in self.histograms.items():
            accumulator = HistogramAccumulator.of(histogram)
            accumulator.merge(HistogramAccumulator.of(other.histograms[name]))
            together[name] = accumulator.result()
        return Ranges(MappingProxyType(together), self.frames + other.frames, self.known)


def collect_ranges(
    model: Path | Network,
    tensors: Iterable[NDArray[np.float32]],
    *,
    input_amax: float | None = None,
    frame_indices: Sequence[int] | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Ranges:
    """Runs the FP32 network over all tensors and counts what passes through it.

    Args:
        model: the network, or its file.
        tensors: inputs in the model's own layout, as `calibration_tensors` makes them; read one at a time.
        input_amax: the largest absolute value that a pixel can become, as `input_amax_of` gives it; None to calibrate the picture, too.
        frame_indices: numbers for messages; 0, 1, 2, ... by default.
        threads: of the inference; None for all cores.
        progress: called after each frame.
        cancelled: asked before each frame.

    Raises:
        BadInput: the model cannot be quantized or run, a tensor is NaN or infinite on a frame, or there is no frame.
        Cancelled: `cancelled` said so.
    """
    network = model if isinstance(model, Network) else load_network(model)
    names = plan(network).tensors
    accumulators = {name: HistogramAccumulator() for name in names}
    exposed = [name for name in names if name != network.input]
    session = _session(with_outputs(network, exposed), network.path, threads)
    done = 0
    for tensor in tensors:
        if cancelled is not None and cancelled():
            raise Cancelled("calibration cancelled", subject=network.path)
        frame = done if frame_indices is None else frame_indices[done]
        values = _run(session, exposed, network, tensor)
        for name in names:
            try:
                accumulators[name].update(tensor if name == network.input else values[name])
            except NotFinite as error:
                raise BadInput(
                    f"tensor '{name}' is NaN or infinite on frame {frame}",
                    subject=network.path,
                    advice="check the model's weights and the sidecar's pixel scale, mean and std",
                ) from error
        values.clear()  # or they would stay while the next frame's are made
        done += 1
        if progress is not None:
            progress(done)
    if not done:
        raise BadInput("there is no frame to calibrate on", subject=network.path, advice="give --source")
    results = {name: accumulator.result() for name, accumulator in accumulators.items()}
    pictures = set() if input_amax is None else picture_tensors(network).intersection(names)
    known = {name: input_amax for name in pictures if input_amax is not None}
    return Ranges(MappingProxyType(results), done, MappingProxyType(known))


def calibration_tensors(
    source: Source, spec: InputSpec, indices: Iterable[int]
) -> Iterator[NDArray[np.float32]]:
    """The frames of a source as inputs of the model, made by the viewer's own preprocessing, one at a time."""
    preprocessor = Preprocessor(spec)
    for index in indices:
        prepared = preprocessor.prepare(source.read(index).picture)
        yield to_model_layout(prepared.tensor, spec)


def input_amax_of(spec: InputSpec) -> float:
    """The largest absolute value that any pixel 0..255 becomes: 1 for pictures scaled to 0..1, whatever was seen."""
    pixels = np.array([0.0, 255.0]) * spec.pixel_scale
    extremes = [(pixels - mean) / std for mean, std in zip(spec.mean, spec.std, strict=True)]
    return float(np.abs(extremes).max())


def with_outputs(network: Network, tensors: Collection[str]) -> ModelProto:
    """A copy of the network that also gives the named tensors."""
    copy = ModelProto()
    copy.CopyFrom(network.model)
    known = {info.name: info for info in copy.graph.value_info}
    present = set(network.outputs)
    for name in tensors:
        if name in present:
            continue
        info = known.get(name) or helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
        copy.graph.output.append(info)
    return copy


def _session(model: ModelProto, path: Path, threads: int | None) -> ort.InferenceSession:
    options = cpu_session_options(quantized=False, threads=threads)
    try:
        return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors have no base class of their own
        raise BadInput(f"cannot be run by ONNX Runtime: {_first_line(error)}", subject=path) from error


def _run(
    session: ort.InferenceSession, exposed: Sequence[str], network: Network, tensor: NDArray[np.float32]
) -> dict[str, NDArray[np.float32]]:
    if not exposed:  # to ONNX Runtime, no names are all of them
        return {}
    try:
        outputs = session.run(exposed, {network.input: tensor})
    except Exception as error:  # as above
        raise BadInput(
            f"failed while calibrating: {_first_line(error)}",
            subject=network.path,
            advice="trtviewer info shows which input was understood",
        ) from error
    return dict(zip(exposed, outputs, strict=True))


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
