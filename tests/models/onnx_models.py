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


def open_sized_dfl(path: Path, classes: int = 3) -> Path:
    """A yolo-dfl of open height and width that makes its grid in the graph (Shape, Range, Expand), as dynamic exports do."""
    constants = [
        numpy_helper.from_array(np.array(value, np.int64), name)
        for name, value in {
            "zero": 0,
            "one": 1,
            "two": 2,
            "three": 3,
            "flat": [-1],
            "first": [0],
            "axis": [1],
            "four": [4],
            "end": [4 + classes],
            "places": [1, 4 + classes, -1],
        }.items()
    ]
    nodes, boxes, scores = [], [], []

    def op(kind: str, *inputs: str, **attributes: object) -> str:
        nodes.append(helper.make_node(kind, list(inputs), [f"v{len(nodes)}"], **attributes))
        return nodes[-1].output[0]

    for stride in (8, 16, 32):
        weights = np.zeros((4 + classes, 3, stride, stride), np.float32)
        constants.append(numpy_helper.from_array(weights, f"weights{stride}"))
        cells = op("Conv", "images", f"weights{stride}", kernel_shape=[stride] * 2, strides=[stride] * 2)
        shape = op("Shape", cells)
        rows, columns = op("Gather", shape, "two"), op("Gather", shape, "three")
        count = op("Cast", op("Range", "zero", rows, "one"), to=TensorProto.FLOAT)
        both = op("Concat", op("Unsqueeze", rows, "first"), op("Unsqueeze", columns, "first"), axis=0)
        grid = op("Reshape", op("Expand", op("Unsqueeze", count, "axis"), both), "flat")
        places = op("Reshape", cells, "places")
        boxes.append(op("Mul", op("Slice", places, "first", "four", "axis"), grid))
        scores.append(op("Sigmoid", op("Slice", places, "four", "end", "axis")))
    halves = [op("Concat", *boxes, axis=2), op("Concat", *scores, axis=2)]
    nodes.append(helper.make_node("Concat", halves, ["output0"], axis=1))
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, "height", "width"])
    output = helper.make_tensor_value_info("output0", TensorProto.FLOAT, ["batch", 4 + classes, "anchors"])
    graph = helper.make_graph(nodes, "open", [images], [output], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, path)
    return path
