"""YOLOv3 at 416 x 416 with random weights: the size of a full network (66 GFLOP a frame), for its speed alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def write_yolov3(path: Path) -> Path:
    """Darknet-53 and three heads; `path` and its sidecar."""
    net = _Net()
    at = net.conv("images", 3, 32, 3)
    kept = []
    for channels, blocks in ((64, 1), (128, 2), (256, 8), (512, 8), (1024, 4)):
        at = net.conv(at, channels // 2, channels, 3, 2)
        for _ in range(blocks):
            inner = net.conv(net.conv(at, channels, channels // 2, 1), channels // 2, channels, 3)
            at = net.op("Add", [at, inner])
        kept.append((at, channels))
    given = 1024
    for number, (stride, channels) in enumerate(((32, 512), (16, 256), (8, 128))):
        if number:
            skip, width = kept[-1 - number]
            up = net.conv(at, channels * 2, channels, 1)
            scales = net.constant(np.array([1, 1, 2, 2], np.float32))
            up = net.op("Resize", [up, "", scales], mode="nearest")
            at, given = net.op("Concat", [up, skip], axis=1), channels + width
        for turn in range(5):
            at = net.conv(at, given, channels if turn % 2 == 0 else channels * 2, 1 if turn % 2 == 0 else 3)
            given = channels if turn % 2 == 0 else channels * 2
        head = net.conv(net.conv(at, channels, channels * 2, 3), channels * 2, 255, 1, last=f"head{stride}")
        side = 416 // stride
        net.outputs.append(helper.make_tensor_value_info(head, TensorProto.FLOAT, [1, 255, side, side]))
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, 416, 416])
    graph = helper.make_graph(net.nodes, "yolov3", [images], net.outputs, net.weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    heads = "".join(
        f'[[head]]\noutput = "head{stride}"\nstride = {stride}\nanchors = [[10, 13], [30, 61], [156, 198]]\n'
        for stride in (32, 16, 8)
    )
    path.with_suffix(".toml").write_text('family = "yolo-anchor"\n' + heads)
    return path


class _Net:
    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []
        self._random = np.random.default_rng(0)

    def constant(self, value: np.ndarray) -> str:
        self.weights.append(numpy_helper.from_array(value, f"w{len(self.weights)}"))
        return self.weights[-1].name

    def op(self, kind: str, inputs: list[str], out: str = "", **attributes: object) -> str:
        out = out or f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [out], f"{kind}{len(self.nodes)}", **attributes))
        return out

    def conv(self, at: str, before: int, after: int, size: int, stride: int = 1, last: str = "") -> str:
        shape = (after, before, size, size)
        weights = self._random.standard_normal(shape, np.float32) * np.float32(
            (1 / (before * size * size)) ** 0.5
        )
        pads, strides = [size // 2] * 4, [stride, stride]
        bias = np.zeros(after, np.float32)
        if last:
            # It sees no object anywhere: ten thousand boxes a frame are no network's.
            bias.reshape(3, -1)[:, 4] = -12
        names = [at, self.constant(weights), self.constant(bias)]
        made = self.op("Conv", names, last, pads=pads, strides=strides, kernel_shape=[size, size])
        return made if last else self.op("LeakyRelu", [made], alpha=0.1)
