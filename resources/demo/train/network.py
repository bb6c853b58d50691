"""The demo's detector: a YOLOv3-style network of three scales, in PyTorch for training and node by node in ONNX.

One table describes it, so that what is trained is what is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

SIZE = 416
CLASSES = ("car", "truck", "person", "cyclist")
STRIDES = {"large": 32, "medium": 16, "small": 8}
SCALE_XY = 1.05
SLOPE = 0.1
FIELDS = 5 + len(CLASSES)

# name: what it is, from which, channels, kernel, stride. "conv" is Conv, BatchNorm and LeakyReLU; "head" a bare Conv.
LAYERS: tuple[tuple[Any, ...], ...] = (
    ("stem", "conv", "images", 16, 3, 2),
    ("down4", "conv", "stem", 32, 3, 2),
    ("s4_squeeze", "conv", "down4", 16, 1, 1),
    ("s4_expand", "conv", "s4_squeeze", 32, 3, 1),
    ("down8", "conv", "s4_expand", 64, 3, 2),
    ("s8a_squeeze", "conv", "down8", 32, 1, 1),
    ("s8a_expand", "conv", "s8a_squeeze", 64, 3, 1),
    ("s8b_squeeze", "conv", "s8a_expand", 32, 1, 1),
    ("s8b_expand", "conv", "s8b_squeeze", 64, 3, 1),
    ("down16", "conv", "s8b_expand", 128, 3, 2),
    ("s16a_squeeze", "conv", "down16", 64, 1, 1),
    ("s16a_expand", "conv", "s16a_squeeze", 128, 3, 1),
    ("down32", "conv", "s16a_expand", 192, 3, 2),
    ("s32_squeeze", "conv", "down32", 96, 1, 1),
    ("s32_expand", "conv", "s32_squeeze", 192, 3, 1),
    ("large", "head", "s32_expand"),
    ("lateral16", "conv", "s32_expand", 64, 1, 1),
    ("up16", "up", "lateral16"),
    ("join16", "concat", ("up16", "s16a_expand")),
    ("n16_squeeze", "conv", "join16", 64, 1, 1),
    ("n16_expand", "conv", "n16_squeeze", 88, 3, 1),
    ("medium", "head", "n16_expand"),
    ("lateral8", "conv", "n16_squeeze", 32, 1, 1),
    ("up8", "up", "lateral8"),
    ("join8", "concat", ("up8", "s8b_expand")),
    ("n8_squeeze", "conv", "join8", 48, 1, 1),
    ("n8_expand", "conv", "n8_squeeze", 64, 3, 1),
    ("small", "head", "n8_expand"),
)
OUTPUTS = ("large", "medium", "small")


def shapes() -> dict[str, tuple[int, int]]:
    """Channels and side of every layer's output."""
    found = {"images": (3, SIZE)}
    for name, kind, source, *numbers in LAYERS:
        if kind == "concat":
            found[name] = (sum(found[part][0] for part in source), found[source[0]][1])
        elif kind == "up":
            found[name] = (found[source][0], found[source][1] * 2)
        elif kind == "head":
            found[name] = (3 * FIELDS, found[source][1])
        else:
            found[name] = (numbers[0], found[source][1] // numbers[2])
    return found


def gflop() -> float:
    """Work of one picture, two operations a multiply-add."""
    known, total = shapes(), 0
    for name, kind, source, *numbers in LAYERS:
        if kind in ("conv", "head"):
            kernel = numbers[1] if kind == "conv" else 1
            channels, side = known[name]
            total += 2 * kernel * kernel * known[source][0] * channels * side * side
    return total / 1e9


def torch_network() -> Any:
    """The network for training; forward gives the three raw heads in the order of `OUTPUTS`."""
    import torch
    from torch import nn

    class Detector(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            known = shapes()
            self.convs, self.norms = nn.ModuleDict(), nn.ModuleDict()
            for name, kind, source, *numbers in LAYERS:
                if kind == "conv":
                    channels, kernel, stride = numbers
                    self.convs[name] = nn.Conv2d(
                        known[source][0], channels, kernel, stride, kernel // 2, bias=False
                    )
                    self.norms[name] = nn.BatchNorm2d(channels, eps=1e-3, momentum=0.03)
                    nn.init.kaiming_normal_(self.convs[name].weight, SLOPE, "fan_out")
                elif kind == "head":
                    head = nn.Conv2d(known[source][0], 3 * FIELDS, 1)
                    nn.init.normal_(head.weight, std=0.01)
                    nn.init.zeros_(head.bias)
                    with torch.no_grad():
                        head.bias.view(3, FIELDS)[:, 4] = -5.0
                    self.convs[name] = head

        def forward(self, images: Any) -> tuple[Any, ...]:
            made = {"images": images}
            for name, kind, source, *_ in LAYERS:
                if kind == "conv":
                    made[name] = nn.functional.leaky_relu(
                        self.norms[name](self.convs[name](made[source])), SLOPE
                    )
                elif kind == "head":
                    made[name] = self.convs[name](made[source])
                elif kind == "up":
                    made[name] = nn.functional.interpolate(made[source], scale_factor=2, mode="nearest")
                else:
                    made[name] = torch.cat([made[part] for part in source], 1)
            return tuple(made[name] for name in OUTPUTS)

    return Detector()


def folded(
    state: Mapping[str, NDArray[np.float32]],
) -> dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Weight and bias of every convolution, the batch norm folded in (computed in float64)."""
    result = {}
    for name, kind, *_ in LAYERS:
        if kind == "head":
            result[name] = (state[f"convs.{name}.weight"], state[f"convs.{name}.bias"])
        elif kind == "conv":
            weight = state[f"convs.{name}.weight"].astype(np.float64)
            norm = {
                key: state[f"norms.{name}.{key}"].astype(np.float64)
                for key in ("weight", "bias", "running_mean", "running_var")
            }
            factor = norm["weight"] / np.sqrt(norm["running_var"] + 1e-3)
            result[name] = (
                (weight * factor[:, None, None, None]).astype(np.float32),
                (norm["bias"] - norm["running_mean"] * factor).astype(np.float32),
            )
    return result


def write_onnx(path: Path, state: Mapping[str, NDArray[np.float32]]) -> None:
    """The network as ONNX, opset 17, batch 1."""
    known, weights = shapes(), folded(state)
    nodes, constants = [], [numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "twice")]
    for name, kind, source, *numbers in LAYERS:
        if kind in ("conv", "head"):
            kernel, stride = (numbers[1], numbers[2]) if kind == "conv" else (1, 1)
            for array, role in zip(weights[name], ("weight", "bias"), strict=True):
                constants.append(numpy_helper.from_array(np.ascontiguousarray(array), f"{name}.{role}"))
            output = name if kind == "head" else f"{name}.linear"
            nodes.append(
                helper.make_node(
                    "Conv", [source, f"{name}.weight", f"{name}.bias"], [output], name=f"{name}/conv",
                    kernel_shape=[kernel, kernel], strides=[stride, stride], pads=[kernel // 2] * 4,
                )
            )  # fmt: skip
            if kind == "conv":
                nodes.append(
                    helper.make_node("LeakyRelu", [output], [name], name=f"{name}/leaky", alpha=SLOPE)
                )
        elif kind == "up":
            nodes.append(
                helper.make_node(
                    "Resize", [source, "", "twice"], [name], name=name,
                    mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor",
                )
            )  # fmt: skip
        else:
            nodes.append(helper.make_node("Concat", list(source), [name], name=name, axis=1))

    def value(name: str) -> onnx.ValueInfoProto:
        channels, side = known[name]
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, side, side])

    graph = helper.make_graph(
        nodes, "trtviewer-demo-detector", [value("images")], [value(name) for name in OUTPUTS], constants
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="trtviewer"
    )
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())


def write_sidecar(path: Path, anchors: Sequence[Sequence[float]]) -> None:
    """The sidecar: what the ONNX file cannot say about itself. Nine anchors, the smallest first."""
    lines = [
        'family = "yolo-anchor"',
        f"classes = [{', '.join(f'{chr(34)}{name}{chr(34)}' for name in CLASSES)}]",
        "",
        "[input]",
        'colour = "rgb"',
        "pixel_scale = 0.00392156862745098",
        'resize = "letterbox"',
        "pad = 114",
    ]
    for output in OUTPUTS:
        start = {"small": 0, "medium": 3, "large": 6}[output]
        sizes = ", ".join(f"[{w:g}, {h:g}]" for w, h in anchors[start : start + 3])
        lines += [
            "", "[[head]]", f'output = "{output}"', f"stride = {STRIDES[output]}", 'box = "exp"',
            f"scale_xy = {SCALE_XY}", f"anchors = [{sizes}]",
        ]  # fmt: skip
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
