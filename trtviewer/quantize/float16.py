"""A network in FP16 between FP32 input and outputs, as a strongly typed TensorRT needs it around INT8."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import ModelProto
from onnxruntime.transformers.float16 import convert_float_to_float16

from trtviewer.errors import BadInput

OPSET = 19
"""The first in which Q and DQ take FP16 scales."""


def as_float16(model: ModelProto, path: Path) -> tuple[ModelProto, str]:
    """The model in FP16, and the name of its input once that is FP16, which is where its pair belongs.

    Input and outputs stay FP32, with a Cast beside each: runners and decoders need not care.

    Raises: BadInput: the model cannot be brought to opset 19.
    """
    given = _input_name(model)
    if _opset(model) < OPSET:
        try:
            model = onnx.version_converter.convert_version(model, OPSET)
        except Exception as error:  # the converter raises whatever its C++ throws
            raise BadInput(
                f"cannot be brought from opset {_opset(model)} to {OPSET}, which FP16 scales need: {error}",
                subject=path,
                advice="export it with opset 19",
            ) from error
    model = onnx.shape_inference.infer_shapes(convert_float_to_float16(model, keep_io_types=True))
    cast = next(
        (node for node in model.graph.node if node.op_type == "Cast" and node.input[0] == given), None
    )
    return model, given if cast is None else cast.output[0]


def _opset(model: ModelProto) -> int:
    return max(int(entry.version) for entry in model.opset_import if entry.domain in ("", "ai.onnx"))


def _input_name(model: ModelProto) -> str:
    weights = {tensor.name for tensor in model.graph.initializer}
    return next(str(given.name) for given in model.graph.input if given.name not in weights)
