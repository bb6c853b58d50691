"""A Q/DQ twin of a float model, made by onnxruntime.quantization alone: what a user would bring, and no code of ours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)


class _Tensors(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, name: str, tensors: Iterable[NDArray[Any]]) -> None:
        self._rest: Iterator[dict[str, NDArray[Any]]] = iter([{name: tensor} for tensor in tensors])

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        return next(self._rest, None)


def make_int8_twin(model: Path, out: Path, tensors: Iterable[NDArray[np.float32]]) -> Path:
    """Writes the INT8 twin of `model` in TensorRT's layout (symmetric, per channel, float bias, no Q after Conv)."""
    name = onnx.load(model, load_external_data=False).graph.input[0].name
    quantize_static(
        model,
        out,
        _Tensors(name, tensors),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
        op_types_to_quantize=["Conv"],
        calibrate_method=CalibrationMethod.MinMax,
        extra_options={
            "ActivationSymmetric": True,
            "WeightSymmetric": True,
            "QuantizeBias": False,
            "OpTypesToExcludeOutputQuantization": ["Conv"],
        },
    )
    return out
