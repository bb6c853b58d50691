"""An engine that nobody can open here, with its layers recorded beside it as `trtexec --exportLayerInfo` of TensorRT 10 does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.model_zoo import class_names, write_anchor_sidecar

INT8 = "Thirty-two wide channel vectorized row major Int8 format"
FP16 = "Channel major FP16 format where channel % 8 == 0"
FP32 = "Row major linear FP32"


def layer(
    name: str, kind: str, reads: str, writes: str, tactic: str = "", onnx: tuple[str, ...] = ()
) -> dict[str, Any]:
    """One layer as the inspector tells it."""
    return {
        "Name": name,
        "LayerType": kind,
        "Inputs": [{"Name": "in", "Dimensions": [1, 8, 64, 64], "Format/Datatype": reads}],
        "Outputs": [{"Name": "out", "Dimensions": [1, 8, 64, 64], "Format/Datatype": writes}],
        "TacticName": tactic,
        "Metadata": "\x1e".join(f"[ONNX Layer: {node}]" for node in onnx),
    }


LAYERS = (
    layer("Reformatting CopyNode for Input Tensor 0", "Reformat", FP32, INT8),
    layer(
        "Conv_0 + Relu_1", "CaskConvolution", INT8, INT8, "sm80_xmma_fprop_i8i8_i8i32", ("Conv_0", "Relu_1")
    ),
    layer("Conv_2", "CaskConvolution", INT8, FP16, "sm80_xmma_fprop_i8f16", ("Conv_2",)),
    layer("Resize_3", "Resize", FP16, FP16, onnx=("Resize_3",)),
    layer("Conv_4", "CaskConvolution", FP32, FP32, "sm80_xmma_fprop_tf32f32", ("Conv_4",)),
)


def write_engine(
    path: Path, size: tuple[int, int] = (64, 64), layers: tuple[Any, ...] | None = LAYERS
) -> Path:
    """The engine and its sidecar; `layers` None records nothing."""
    path.write_bytes(b"ftrt" + bytes(5000))
    write_anchor_sidecar(path, (8, 16, 32), class_names(3), size=size)
    if layers is not None:
        said = {"Layers": list(layers), "Bindings": ["images", "head8", "head16", "head32"]}
        path.with_name(path.name + ".layers.json").write_text(json.dumps(said))
    return path
