"""What an ONNX file says: inputs, outputs, metadata, precision; no session is made, and external weights are not loaded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import TensorProto, helper

from trtviewer.errors import BadInput
from trtviewer.models.input_facts import InputFacts, find_input
from trtviewer.models.model_file import UNKNOWN_DIM, Metadata, ModelFile, Tensor, parse_metadata
from trtviewer.models.sidecar import Sidecar
from trtviewer.models.spec import ModelSpec, Precision
from trtviewer.models.understand import with_input

QUANTIZED = (
    "QuantizeLinear",
    "DequantizeLinear",
    "DynamicQuantizeLinear",
    "QLinearConv",
    "QLinearMatMul",
    "ConvInteger",
    "MatMulInteger",
)
"""The operators of a network that is quantized already."""

_SHAPE_VALUES = 1024
"""Constants up to this many values may be shapes or indices; larger ones are weights, which shape inference does not read."""


def load_onnx(path: Path, sidecar: Sidecar) -> ModelSpec:
    """The spec of an ONNX model.

    Raises: BadInput: as `read_onnx` and `understand`.
    """
    model = _parse(path)
    file = _described(path, model)
    given = find_input(path, file.inputs, file.metadata, sidecar)
    outputs = file.outputs
    if any(UNKNOWN_DIM in output.shape or not output.shape for output in outputs):
        outputs = _inferred_outputs(path, model, given)
    return with_input(path, given, outputs, file.metadata, file.precision, sidecar)


def read_onnx(path: Path) -> ModelFile:
    """What the file declares, with open dimensions as they are: for whoever asks the user what the model is.

    Raises: BadInput: it is not there, is no ONNX model or is cut short, or its external data is missing or outside its folder.
    """
    return _described(path, _parse(path))


def _parse(path: Path) -> onnx.ModelProto:
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise BadInput("does not exist", subject=path) from error
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror or error}", subject=path) from error
    if not data:
        raise BadInput("is empty", subject=path, advice="export or copy it again")
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError as error:
        raise BadInput(
            "is not an ONNX model, or is cut short", subject=path, advice="export or copy it again"
        ) from error
    if not model.graph.node or not model.opset_import:
        # Some other files happen to parse, as a message that says nothing.
        raise BadInput("is not an ONNX model: it has no graph", subject=path, advice="export it again")
    named = (*model.graph.input, *model.graph.output, *model.graph.initializer)
    if not all(isinstance(item.name, str) for item in named):
        # Protobuf gives bytes where a text is none.
        raise BadInput("is damaged: names in it are no text", subject=path, advice="export or copy it again")
    _check_external_data(path, model)
    return model


def _described(path: Path, model: onnx.ModelProto) -> ModelFile:
    weights = {tensor.name for tensor in model.graph.initializer}
    return ModelFile(
        path=path,
        inputs=tuple(_tensor(value) for value in model.graph.input if value.name not in weights),
        outputs=tuple(_tensor(value) for value in model.graph.output),
        metadata=_metadata(model),
        precision=_precision(model),
    )


def _metadata(model: onnx.ModelProto) -> Metadata:
    return parse_metadata({item.key: item.value for item in model.metadata_props})


def _tensor(value: onnx.ValueInfoProto) -> Tensor:
    kind = value.type.tensor_type
    lengths = [
        length.dim_value if length.HasField("dim_value") and length.dim_value > 0 else UNKNOWN_DIM
        for length in kind.shape.dim
    ]
    return Tensor(value.name, tuple(lengths), _dtype(kind.elem_type))


def _dtype(element: int) -> str:
    # Sequences and maps have no element type, newer or damaged files one that is not known.
    known = element in TensorProto.DataType.values() and element != TensorProto.UNDEFINED
    return str(helper.tensor_dtype_to_np_dtype(element)) if known else "unknown"


def _precision(model: onnx.ModelProto) -> Precision:
    """Int8 for any quantized arithmetic, else the element type of most weights."""
    if any(node.op_type in QUANTIZED for node in model.graph.node):
        return Precision.INT8
    values = {TensorProto.FLOAT: 0, TensorProto.FLOAT16: 0}
    for tensor in model.graph.initializer:
        if tensor.data_type in values:
            length = 1
            for side in tensor.dims:
                length *= side
            values[tensor.data_type] += length
    if not any(values.values()):
        return Precision.UNKNOWN
    return Precision.FP16 if values[TensorProto.FLOAT16] > values[TensorProto.FLOAT] else Precision.FP32


def _inferred_outputs(path: Path, model: onnx.ModelProto, given: InputFacts) -> tuple[Tensor, ...]:
    """The outputs' shapes once the input's are fixed."""
    light = onnx.ModelProto()
    light.ir_version = model.ir_version
    light.opset_import.extend(model.opset_import)
    light.functions.extend(model.functions)
    graph = light.graph
    graph.name = model.graph.name or "graph"
    graph.node.extend(model.graph.node)
    weights = {tensor.name for tensor in model.graph.initializer}
    for value in model.graph.input:
        if value.name not in weights:
            element = value.type.tensor_type.elem_type
            graph.input.append(helper.make_tensor_value_info(value.name, element, given.shape))
    for tensor in model.graph.initializer:
        values = 1
        for side in tensor.dims:
            values *= side
        if values <= _SHAPE_VALUES and tensor.data_location != TensorProto.EXTERNAL:
            graph.initializer.append(tensor)
        else:
            graph.input.append(helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
    for value in model.graph.output:
        # With no shape: what is declared there belongs to open dimensions.
        element = value.type.tensor_type.elem_type
        graph.output.append(helper.make_tensor_value_info(value.name, element, None))
    try:
        inferred = onnx.shape_inference.infer_shapes(light, data_prop=True)
    except (onnx.shape_inference.InferenceError, RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise BadInput(
            f"does not fit an input of {given.size[0]} x {given.size[1]}: {reason}",
            subject=path,
            advice="give another size, or export it with a fixed one",
        ) from error
    return tuple(
        _declared_where_unknown(_tensor(found), _tensor(declared))
        for found, declared in zip(inferred.graph.output, model.graph.output, strict=True)
    )


def _declared_where_unknown(found: Tensor, declared: Tensor) -> Tensor:
    if len(found.shape) != len(declared.shape):
        return found if found.shape else declared
    both = zip(found.shape, declared.shape, strict=True)
    return Tensor(
        found.name, tuple(said if seen == UNKNOWN_DIM else seen for seen, said in both), declared.dtype
    )


def _check_external_data(path: Path, model: onnx.ModelProto) -> None:
    """Every external file must be there, whole, and in the model's own folder: a model from elsewhere must not read other files."""
    folder = path.parent
    for tensor in _external_tensors(model.graph):
        said = {item.key: item.value for item in tensor.external_data}
        location = said.get("location", "")
        inside = os.path.normpath(location)
        if not location or Path(inside).is_absolute() or Path(inside).parts[0] == os.pardir:
            raise BadInput(
                f'its weights are said to be in "{location}", outside of its folder, and are not read',
                subject=path,
                advice="put the file beside the model, and export again with a plain file name",
            )
        data = folder / inside
        if not data.is_file():
            raise BadInput(
                f'its external data "{location}" is missing',
                subject=path,
                advice=f"put it beside {path.name}",
            )
        try:
            end = int(said.get("offset", 0)) + int(said.get("length", 0))
        except ValueError:
            end = 0
        if data.stat().st_size < end:
            raise BadInput(
                f'its external data "{location}" is cut short: {data.stat().st_size} bytes, and {end} are needed',
                subject=path,
                advice="copy it again",
            )


def _external_tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    """The tensors of a graph, and of the graphs inside its nodes, whose values are in another file."""
    for tensor in graph.initializer:
        if tensor.data_location == TensorProto.EXTERNAL:
            yield tensor
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t") and attribute.t.data_location == TensorProto.EXTERNAL:
                yield attribute.t
            if attribute.HasField("g"):
                yield from _external_tensors(attribute.g)
            for inner in attribute.graphs:
                yield from _external_tensors(inner)
