"""An ONNX network as quantization sees it: checked, every node named, its weights at hand, batch norm folded."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath, PureWindowsPath

import numpy as np
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, external_data_helper, numpy_helper
from onnxruntime.quantization.shape_inference import quant_pre_process

from trtviewer.errors import BadInput
from trtviewer.models.onnx_file import QUANTIZED

WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "MatMul")
"""Operators that TensorRT runs in INT8 when their data and their constant weights are quantized."""
OLDEST_OPSET = 13
"""The first in which QuantizeLinear knows channels."""
PREPROCESS_MARKS = ("onnx.quant.pre_process", "onnx.infer")
"""What onnxruntime.quantization leaves in the metadata for itself."""

_LARGEST = 2_000_000_000


@dataclass(frozen=True, eq=False, slots=True)
class Network:
    """A model that can be quantized. Its `model` is never changed: whoever changes it copies it first.

    Attributes:
        path: the file that it was read from.
        model: every node has a name; shapes and types are inferred; external data is loaded.
        input: the name of its one input that is not a weight.
        opset: of the standard domain.
        nodes: in the graph's order, which is one of execution.
        producer, consumers: of each tensor, by name.
        initializers: constant tensors, by name.
        types: ONNX element type of each tensor that is known.
    """

    path: Path
    model: ModelProto
    input: str
    opset: int
    nodes: tuple[NodeProto, ...]
    producer: dict[str, NodeProto]
    consumers: dict[str, list[NodeProto]]
    initializers: dict[str, TensorProto]
    types: dict[str, int]

    @property
    def outputs(self) -> tuple[str, ...]:
        return tuple(output.name for output in self.model.graph.output)

    def weighted(self) -> Iterator[NodeProto]:
        """The nodes that INT8 can take: a weighted operator with constant float weights."""
        return (node for node in self.nodes if self.is_weighted(node))

    def is_weighted(self, node: NodeProto) -> bool:
        if node.op_type not in WEIGHTED or node.domain not in ("", "ai.onnx"):
            return False
        weights = self.initializers.get(node.input[1])
        return (
            weights is not None
            and weights.data_type == TensorProto.FLOAT
            and self.is_float_activation(node.input[0])
        )

    def is_float_activation(self, tensor: str) -> bool:
        """Whether the tensor changes with the frame and is float32."""
        return (
            bool(tensor)
            and tensor not in self.initializers
            and self.types.get(tensor, TensorProto.FLOAT) == TensorProto.FLOAT
        )


def load_network(path: Path) -> Network:
    """Reads the model at `path`, which must be one that can be quantized.

    Raises:
        BadInput: not an ONNX model, external data missing or outside its folder, quantized already, FP16, no Conv,
            opset below 13, or a batch that is not fixed to 1.
    """
    model = load_model(path)
    _check(model, path)
    model = _folded(with_constants_as_initializers(model))
    name_nodes(model)
    model = onnx.shape_inference.infer_shapes(model)
    return _network(model, path)


def load_model(path: Path) -> ModelProto:
    """The model with all of its weights. Raises: BadInput: it cannot be read, or is larger than 2 GB."""
    try:
        model = onnx.load(str(path), load_external_data=False)
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror or error}", subject=path) from error
    except DecodeError as error:
        raise BadInput(
            "is not a whole ONNX model", subject=path, advice="export it again, or copy it again"
        ) from error
    if not model.graph.node:
        raise BadInput("is not an ONNX model: it has no node", subject=path)
    _load_external_data(model, path)
    if model.ByteSize() > _LARGEST:
        raise BadInput("is larger than 2 GB, which one ONNX file cannot hold", subject=path)
    return model


def _load_external_data(model: ModelProto, path: Path) -> None:
    for tensor in model.graph.initializer:
        if not external_data_helper.uses_external_data(tensor):
            continue
        location = next((entry.value for entry in tensor.external_data if entry.key == "location"), "")
        # Both conventions are looked at everywhere: a model made on Windows may be opened on Linux.
        paths = (PurePath(location), PureWindowsPath(location))
        if not location or any(p.is_absolute() or p.drive or ".." in p.parts for p in paths):
            raise BadInput(
                f"its weights '{tensor.name}' are in '{location}', outside the model's folder",
                subject=path,
                advice="put the data file beside the model and save it with that relative name",
            )
        if not (path.parent / location).is_file():
            raise BadInput(
                f"its weights are in '{location}', which is not beside it",
                subject=path,
                advice="copy that file to the model's folder",
            )
    try:
        external_data_helper.load_external_data_for_model(model, str(path.parent))
    except (OSError, ValueError, onnx.checker.ValidationError) as error:
        raise BadInput(f"its external data cannot be read: {error}", subject=path) from error


def _check(model: ModelProto, path: Path) -> None:
    operators = {node.op_type for node in model.graph.node}
    quantized = sorted(operators.intersection(QUANTIZED))
    if quantized:
        raise BadInput(
            f"is quantized already: it has {quantized[0]}", subject=path, advice="give its FP32 original"
        )
    if not operators.intersection(("Conv", "ConvTranspose")):
        raise BadInput("has no Conv: it is no detector that INT8 could run", subject=path)
    opset = opset_of(model)
    if opset < OLDEST_OPSET:
        raise BadInput(
            f"is of opset {opset}, and INT8 by channel needs {OLDEST_OPSET}",
            subject=path,
            advice="export it again with opset 17",
        )
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [given for given in model.graph.input if given.name not in weights]
    if len(inputs) != 1:
        names = ", ".join(given.name for given in inputs)
        raise BadInput(f"has {len(inputs)} inputs ({names}), not one picture", subject=path)
    batch = inputs[0].type.tensor_type.shape.dim[:1]
    if not batch or batch[0].dim_value != 1:
        shown = batch[0].dim_param or batch[0].dim_value or "?" if batch else "?"
        raise BadInput(
            f"its batch is {shown}, not 1", subject=path, advice="export it with a fixed batch of 1"
        )
    floats = {tensor.data_type for tensor in model.graph.initializer if len(tensor.dims) >= 2}
    if TensorProto.FLOAT16 in floats and TensorProto.FLOAT not in floats:
        raise BadInput("is FP16", subject=path, advice="quantize its FP32 original with --float-type float16")


def opset_of(model: ModelProto) -> int:
    """The version of the standard operators that the model was written for."""
    return max((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=1)


def with_constants_as_initializers(model: ModelProto) -> ModelProto:
    """Weights that an exporter wrote as Constant nodes become initializers, where a quantizer looks for them."""
    kept = []
    for node in model.graph.node:
        value = next((entry.t for entry in node.attribute if entry.name == "value"), None)
        if node.op_type == "Constant" and value is not None:
            tensor = model.graph.initializer.add()
            tensor.CopyFrom(value)
            tensor.name = node.output[0]
        else:
            kept.append(node)
    if len(kept) < len(model.graph.node):
        del model.graph.node[:]
        model.graph.node.extend(kept)
    return model


def _folded(model: ModelProto) -> ModelProto:
    """Batch norm after a Conv becomes part of its weights: quantized apart, no runtime could fuse the two.

    Only networks that have one are touched, so that all others keep their graph to the letter.
    """
    if not any(node.op_type == "BatchNormalization" for node in model.graph.node):
        return model
    domains = {entry.domain for entry in model.opset_import}
    with tempfile.TemporaryDirectory(prefix="trtviewer-") as folder:
        folded = Path(folder) / "folded.onnx"
        quant_pre_process(model, folded, skip_symbolic_shape=True)
        result = onnx.load(str(folded))
    # ONNX Runtime declares all domains that it knows; parsers elsewhere stumble over those.
    declared = [entry for entry in result.opset_import if entry.domain in domains]
    del result.opset_import[:]
    result.opset_import.extend(declared)
    return result


def name_nodes(model: ModelProto) -> None:
    """Gives every node a name of its own, changing as few as can be."""
    taken = {node.name for node in model.graph.node}
    seen: set[str] = set()
    for index, node in enumerate(model.graph.node):
        if node.name and node.name not in seen:
            seen.add(node.name)
            continue
        name = f"{node.op_type}_{index}"
        while name in taken:
            name += "_"
        node.name = name
        taken.add(name)
        seen.add(name)


def _network(model: ModelProto, path: Path) -> Network:
    graph = model.graph
    producer = {output: node for node in graph.node for output in node.output if output}
    consumers: dict[str, list[NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            consumers.setdefault(name, []).append(node)
    initializers = {tensor.name: tensor for tensor in graph.initializer}
    infos = (*graph.value_info, *graph.input, *graph.output)
    types = {info.name: info.type.tensor_type.elem_type for info in infos}
    given = next(entry.name for entry in graph.input if entry.name not in initializers)
    return Network(
        path=path,
        model=model,
        input=given,
        opset=opset_of(model),
        nodes=tuple(graph.node),
        producer=producer,
        consumers=consumers,
        initializers=initializers,
        types=types,
    )


def weights_of(network: Network, node: NodeProto) -> NDArray[np.float32]:
    """The constant weights of a weighted node."""
    return np.asarray(numpy_helper.to_array(network.initializers[node.input[1]]), np.float32)
