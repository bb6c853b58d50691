"""ONNX files that only declare shapes: enough to be understood, and quick to make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Shape = Sequence[int | str]
PICTURE: Mapping[str, Shape] = {"images": [1, 3, 416, 416]}
CELLS = 13 * 13 + 26 * 26 + 52 * 52
"""Cells of strides 8, 16, 32 at 416 x 416."""


def declared(
    path: Path,
    outputs: Mapping[str, Shape],
    inputs: Mapping[str, Shape] = PICTURE,
    *,
    metadata: Mapping[str, str] | None = None,
    input_type: int = TensorProto.FLOAT,
    weights: np.dtype | type = np.float32,
) -> Path:
    """A model whose outputs are constants of the shapes that it declares."""
    nodes, constants = [], [numpy_helper.from_array(np.zeros(3, weights), "weights")]
    for name, shape in outputs.items():
        lengths = [length if isinstance(length, int) else 1 for length in shape]
        constants.append(numpy_helper.from_array(np.array(lengths, np.int64), f"{name}_shape"))
        nodes.append(helper.make_node("ConstantOfShape", [f"{name}_shape"], [name]))
    graph = helper.make_graph(
        nodes,
        "declared",
        [helper.make_tensor_value_info(name, input_type, list(shape)) for name, shape in inputs.items()],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))
            for name, shape in outputs.items()
        ],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    if metadata:
        helper.set_model_props(model, dict(metadata))
    onnx.save(model, path)
    return path


def with_external_data(source: Path, path: Path, location: str = "weights.bin") -> Path:
    """The model at `source` with every weight in another file."""
    model = onnx.load(source)
    onnx.save_model(
        model,
        path,
        save_as_external_data=True,
        all_tensors_to_one_file=True,
        location=location,
        size_threshold=0,
    )
    return path
