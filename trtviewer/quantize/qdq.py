"""The FP32 network with Q/DQ pairs, as TensorRT's explicit quantization wants them.

onnxruntime.quantization writes the pairs; which tensors get one, and their scales, are `layout.py`'s and the caller's. Symmetric
int8 with zero point 0; weights by output channel, stored as int8; biases float.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import onnx
from onnx import ModelProto
from onnxruntime.quantization import QDQQuantizer, QuantType, TensorData
from onnxruntime.quantization.calibrate import CalibrationMethod, TensorsData
from onnxruntime.quantization.quant_utils import (
    add_dequant_output_suffix,
    add_infer_metadata,
    add_pre_process_metadata,
)

from trtviewer import atomic
from trtviewer.errors import BadInput
from trtviewer.models.sidecar import sidecar_path, write_sidecar
from trtviewer.models.spec import ModelSpec, Precision
from trtviewer.quantize.float16 import as_float16
from trtviewer.quantize.graph import PREPROCESS_MARKS, WEIGHTED, Network
from trtviewer.quantize.layout import Layout, plan
from trtviewer.quantize.methods import LEVELS

FloatType = Literal["float32", "float16"]

METADATA_PREFIX = "trtviewer.calibration."


@dataclass(frozen=True, eq=False, slots=True)
class Quantized:
    """A Q/DQ model and what became of the network in it.

    Attributes:
        model: whole, with its weights.
        layout: the layers that run in INT8 and the tensors that have a pair.
        scales: of each such tensor, as written for float32.
        missing: tensors that the full layout would have quantized, and for which no scale was given.
        float_layers: layers that stay float for want of a scale; those that the caller kept are not among them.
    """

    model: ModelProto
    layout: Layout
    scales: Mapping[str, np.float32]
    missing: tuple[str, ...] = ()
    float_layers: tuple[str, ...] = ()


def shared_scales(
    network: Network, amax: Mapping[str, float], keep_float: Collection[str] = ()
) -> dict[str, np.float32]:
    """The scale of each tensor of the layout, one for all that share.

    Raises: BadInput: a tensor has no range: it was calibrated on another network.
    """
    layout = plan(network, keep_float)
    unknown = [name for name in layout.tensors if name not in amax]
    if unknown:
        raise BadInput(
            f"there is no range for its tensor '{unknown[0]}'",
            subject=network.path,
            advice="calibrate on this very model",
        )
    return {name: scale_of(value) for name, value in layout.shared(amax).items()}


def scale_of(amax: float) -> np.float32:
    """The step of a symmetric int8 range. A tensor that was always 0 gets 1/127: a scale must be above 0."""
    scale = np.float32(amax / LEVELS)
    return scale if scale > np.finfo(np.float32).tiny else np.float32(1 / LEVELS)


def make_qdq(
    network: Network,
    scales: Mapping[str, np.float32],
    keep_float: Collection[str] = (),
    float_type: FloatType = "float32",
    *,
    facts: Mapping[str, str] | None = None,
) -> Quantized:
    """The Q/DQ model in memory, with exactly the scales that are given.

    A layer whose data has no scale stays float; so does any other tensor that lacks one.
    """
    kept = set(keep_float)
    full = plan(network, kept)
    missing = tuple(name for name in full.tensors if name not in scales)
    starved = {node.name for node in network.weighted() if node.name not in kept and node.input[0] in missing}
    layout = _without(plan(network, kept | starved), missing)
    model = ModelProto()
    model.CopyFrom(network.model)
    names = {name: name for name in layout.tensors}
    names |= _part_outputs(model, layout)
    _part_weights(model, layout)
    if float_type == "float16":
        model, cast_input = as_float16(model, network.path)
        names[network.input] = cast_input
    quantizer = _quantizer(model, layout, {names[name]: scales[name] for name in layout.tensors}, float_type)
    for name in layout.tensors:
        quantizer.quantize_activation_tensor(names[name])
    quantizer.quantize_model()
    quantizer.model.topological_sort()
    result: ModelProto = quantizer.model.model
    _read_unquantized(result, layout, kept.union(map(_way_out, network.outputs)), names)
    _set_metadata(result, facts or {})
    return Quantized(
        model=result,
        layout=layout,
        scales={name: scales[name] for name in layout.tensors},
        missing=missing,
        float_layers=tuple(node.name for node in network.nodes if node.name in starved),
    )


def save_with_sidecar(model: ModelProto, out: Path, original: ModelSpec) -> None:
    """Writes the model and a sidecar that is complete in itself; where one of the two cannot be written, no model is.

    Raises: BadInput: a file cannot be written, or there is a sidecar of other contents.
    """
    with atomic.whole_file(out) as temporary:
        temporary.write_bytes(model.SerializeToString())
        write_sidecar(sidecar_path(out), replace(original, path=out, precision=Precision.INT8))


def _without(layout: Layout, missing: Collection[str]) -> Layout:
    tensors = tuple(name for name in layout.tensors if name not in missing)
    return Layout(
        layers=layout.layers, tensors=tensors, groups={name: layout.groups[name] for name in tensors}
    )


def _part_outputs(model: ModelProto, layout: Layout) -> dict[str, str]:
    """An output that is also a layer's data leaves the network as it is; its pair belongs to a tensor of its own, behind it.

    Returns: the new names of such tensors.
    """
    names = {
        output.name: f"{output.name}_inside" for output in model.graph.output if output.name in layout.tensors
    }
    for node in model.graph.node:
        for field in (node.input, node.output):
            for index, name in enumerate(field):
                field[index] = names.get(name, name)
    for output in model.graph.output:
        if output.name in names:
            inside = model.graph.value_info.add()
            inside.CopyFrom(output)
            inside.name = names[output.name]
            node = onnx.helper.make_node("Identity", [inside.name], [output.name], _way_out(output.name))
            model.graph.node.append(node)
    return names


def _way_out(output: str) -> str:
    return f"{output}_way_out"


def _part_weights(model: ModelProto, layout: Layout) -> None:
    """Weights that a layer in INT8 shares with one in float are copied for the latter, or it would get them rounded."""
    weighted = [node for node in model.graph.node if node.op_type in WEIGHTED]
    rounded = {node.input[1] for node in weighted if node.name in layout.layers}
    initializers = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in weighted:
        if node.name not in layout.layers and node.input[1] in rounded:
            copy = model.graph.initializer.add()
            copy.CopyFrom(initializers[node.input[1]])
            copy.name = f"{node.input[1]}_of_{node.name}"
            node.input[1] = copy.name


def _quantizer(
    model: ModelProto, layout: Layout, scales: Mapping[str, np.float32], float_type: FloatType
) -> QDQQuantizer:
    # Both marks keep onnxruntime from inferring shapes again by way of the disk, and from a warning about it.
    add_infer_metadata(model)
    add_pre_process_metadata(model)
    dtype = np.dtype(float_type)
    least = np.finfo(
        dtype
    ).smallest_subnormal  # a step of float32 may be 0 in float16, and nothing can be divided by that
    ranges = {
        name: TensorData(lowest=np.float32(-LEVELS * scale), highest=np.float32(LEVELS * scale))
        for name, scale in scales.items()
    }
    overrides = {
        name: [{"scale": np.array(max(scale, least), dtype), "zero_point": np.array(0, np.int8)}]
        for name, scale in scales.items()
    }
    return QDQQuantizer(
        model,
        True,  # weights by channel
        False,  # all 8 bits of them
        QuantType.QInt8,
        QuantType.QInt8,
        TensorsData(CalibrationMethod.MinMax, ranges),
        # An empty list would mean all nodes.
        list(layout.layers) or [""],
        [],
        list(WEIGHTED),
        {
            "ActivationSymmetric": True,
            "WeightSymmetric": True,
            "QuantizeBias": False,
            "QDQDisableWeightAdjustForInt32Bias": True,
            "OpTypesToExcludeOutputQuantization": list(WEIGHTED),
            "QDQOpTypePerChannelSupportToAxis": {"Conv": 0, "ConvTranspose": 1},
            "TensorQuantOverrides": overrides,
        },
    )


def _read_unquantized(
    model: ModelProto, layout: Layout, kept: Collection[str], names: Mapping[str, str]
) -> None:
    """Nodes that stay float read what was there before the pair, which onnxruntime gives to all who read the tensor."""
    originals = {add_dequant_output_suffix(names[name]): names[name] for name in layout.tensors}
    made = {output for node in model.graph.node for output in node.output}
    made.update(given.name for given in model.graph.input)
    for node in model.graph.node:
        is_float_layer = node.op_type in WEIGHTED and node.name not in layout.layers
        if is_float_layer or node.name in kept:
            for index, name in enumerate(node.input):
                if originals.get(name) in made:
                    node.input[index] = originals[name]


def _set_metadata(model: ModelProto, facts: Mapping[str, str]) -> None:
    kept = {entry.key: entry.value for entry in model.metadata_props if entry.key not in PREPROCESS_MARKS}
    kept.update({METADATA_PREFIX + key: value for key, value in facts.items()})
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, kept)
