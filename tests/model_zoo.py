"""Small detectors with random weights, as ONNX files: one for each head family, the same file for the same seed.

    reference = tiny_yolo_anchor(tmp_path / "tiny.onnx", seed=1, classes=3, size=64)     # and tiny.toml beside it
    candidate = quantized_twin(reference, tmp_path / "tiny_int8.onnx")                   # Q/DQ, and its sidecar

Every function writes `path` and returns it. Input `images` [1, 3, H, W], RGB 0..1; strides 8, 16, 32 unless told otherwise.
Random weights give boxes on any picture that is not flat: some tens with a score above 0.25 on noise at 64 x 64.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
ANCHORS = {
    8: ((6.0, 8.0), (10.0, 14.0), (16.0, 12.0)),
    16: ((20.0, 28.0), (32.0, 24.0), (30.0, 44.0)),
    32: ((48.0, 56.0), (80.0, 60.0), (96.0, 120.0)),
}
BINS = 4
"""Bins of the tiny DFL heads (Ultralytics' have 16)."""

Size = int | tuple[int, int]


def tiny_yolo_anchor(
    path: Path,
    seed: int = 0,
    *,
    classes: int = 3,
    size: Size = 64,
    strides: Sequence[int] = (8, 16, 32),
    box: str = "exp",
    scale_xy: float = 1.0,
    layout: str = "nchw",
    dynamic: bool = False,
    sidecar: bool = True,
    metadata: dict[str, str] | None = None,
) -> Path:
    """Raw maps, one output a stride (`head8`, `head16`, `head32`): [1, 3*(5+C), H, W], or any other layout of the design."""
    net = _Network(seed, _pair(size))
    for stride, head in net.heads(strides, 3 * (5 + classes), _anchor_bias(classes)):
        rows, columns = net.size[0] // stride, net.size[1] // stride
        shape: list[int | str]
        if layout == "nchw":
            shape = [1, 3 * (5 + classes), rows, columns]
        elif layout == "nhwc":
            head, shape = net.op("Transpose", head, perm=[0, 2, 3, 1]), [1, rows, columns, 3 * (5 + classes)]
        else:
            split = net.op("Reshape", head, net.const([1, 3, 5 + classes, rows, columns]))
            perm = [0, 3, 4, 1, 2] if layout == "nhwac" else [0, 1, 3, 4, 2]
            head = net.op("Transpose", split, perm=perm)
            shape = (
                [1, rows, columns, 3, 5 + classes]
                if layout == "nhwac"
                else [1, 3, rows, columns, 5 + classes]
            )
        if dynamic:
            shape = [shape[0], shape[1], f"rows{stride}", f"columns{stride}"]
        net.output(f"head{stride}", head, shape)
    if sidecar:
        write_anchor_sidecar(
            path,
            strides,
            class_names(classes),
            box=box,
            scale_xy=scale_xy,
            layout=layout,
            size=_pair(size) if dynamic else None,
        )
    return net.save(path, metadata, dynamic=dynamic)


def tiny_yolo_flat(
    path: Path, seed: int = 0, *, classes: int = 3, size: Size = 64, metadata: dict[str, str] | None = None
) -> Path:
    """v5/v7 exported with their grid: `output0` [1, N, 5+C], centre and size in pixels, probabilities; N = 3 x the cells."""
    net = _Network(seed, _pair(size))
    parts = []
    for stride, head in net.heads((8, 16, 32), 3 * (5 + classes), _anchor_bias(classes)):
        rows, columns = net.size[0] // stride, net.size[1] // stride
        split = net.op("Reshape", head, net.const([1, 3, 5 + classes, rows, columns]))
        ordered = net.op("Sigmoid", net.op("Transpose", split, perm=[0, 1, 3, 4, 2]))
        grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), -1)[None, None]
        doubled = net.op("Mul", net.cut(ordered, 4, 0, 2), net.const(2.0))
        centre = net.op("Mul", net.op("Add", doubled, net.const(grid - 0.5)), net.const(float(stride)))
        twice = net.op("Mul", net.cut(ordered, 4, 2, 4), net.const(2.0))
        anchors = np.array(ANCHORS[stride], np.float32)[None, :, None, None, :]
        extent = net.op("Mul", net.op("Mul", twice, twice), net.const(anchors))
        whole = net.op("Concat", centre, extent, net.cut(ordered, 4, 4, 5 + classes), axis=4)
        parts.append(net.op("Reshape", whole, net.const([1, 3 * rows * columns, 5 + classes])))
    net.output("output0", net.op("Concat", *parts, axis=1), [1, 3 * net.cells, 5 + classes])
    return net.save(path, metadata)


def tiny_yolo_dfl(
    path: Path,
    seed: int = 0,
    *,
    classes: int = 3,
    size: Size = 64,
    transposed: bool = False,
    metadata: dict[str, str] | None = None,
) -> Path:
    """v8 to v12: `output0` [1, 4+C, N] (or [1, N, 4+C]), centre and size in pixels, class probabilities; N = the cells."""
    net = _Network(seed, _pair(size))
    boxes, scores = _distribution_focal(net, classes)
    output, shape = net.op("Concat", boxes, scores, axis=1), [1, 4 + classes, net.cells]
    if transposed:
        output, shape = net.op("Transpose", output, perm=[0, 2, 1]), [1, net.cells, 4 + classes]
    net.output("output0", output, shape)
    return net.save(path, metadata)


def tiny_yolox(
    path: Path,
    seed: int = 0,
    *,
    classes: int = 80,
    size: Size = 64,
    decoded: bool = False,
    metadata: dict[str, str] | None = None,
) -> Path:
    """YOLOX: `output` [1, N, 5+C]; objectness and classes are probabilities, boxes are cell offsets and logarithms unless decoded."""
    net = _Network(seed, _pair(size))
    parts = []
    for stride, head in net.heads((8, 16, 32), 5 + classes, _anchor_bias(classes, anchors=1)):
        rows, columns = net.size[0] // stride, net.size[1] // stride
        places = net.op("Reshape", head, net.const([1, 5 + classes, rows * columns]))
        ordered = net.op("Transpose", places, perm=[0, 2, 1])
        centre, extent = net.cut(ordered, 2, 0, 2), net.cut(ordered, 2, 2, 4)
        if decoded:
            grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), -1).reshape(1, -1, 2)
            centre = net.op("Mul", net.op("Add", centre, net.const(grid)), net.const(float(stride)))
            extent = net.op("Mul", net.op("Exp", extent), net.const(float(stride)))
        scores = net.op("Sigmoid", net.cut(ordered, 2, 4, 5 + classes))
        parts.append(net.op("Concat", centre, extent, scores, axis=2))
    net.output("output", net.op("Concat", *parts, axis=1), [1, net.cells, 5 + classes])
    return net.save(path, metadata)


def tiny_end2end(
    path: Path,
    seed: int = 0,
    *,
    classes: int = 3,
    size: Size = 64,
    limit: int = 20,
    efficient_nms: bool = False,
    metadata: dict[str, str] | None = None,
) -> Path:
    """The best `limit` boxes: `output0` [1, N, 6] (x1, y1, x2, y2, score, class), or the four outputs of EfficientNMS."""
    net = _Network(seed, _pair(size))
    boxes, scores = _distribution_focal(net, classes)
    best = net.op("ReduceMax", scores, axes=[1], keepdims=0)
    kind = net.op("ArgMax", scores, axis=1, keepdims=0)
    score, place = net.op2("TopK", best, net.const(np.array([limit])), axis=1)
    centre, extent = net.cut(boxes, 1, 0, 2), net.op("Mul", net.cut(boxes, 1, 2, 4), net.const(0.5))
    corners = net.op("Concat", net.op("Sub", centre, extent), net.op("Add", centre, extent), axis=1)
    index = net.op("Squeeze", place, net.const(np.array([0])))
    chosen = net.op("Gather", net.op("Transpose", corners, perm=[0, 2, 1]), index, axis=1)
    chosen_kind = net.op("Gather", kind, index, axis=1)
    if efficient_nms:
        above = net.op("Cast", net.op("Greater", score, net.const(0.05)), to=TensorProto.INT32)
        count = net.op("ReduceSum", above, net.const(np.array([1])), keepdims=1)
        net.output("num_dets", count, [1, 1], TensorProto.INT32)
        net.output("det_boxes", chosen, [1, limit, 4])
        net.output("det_scores", score, [1, limit])
        whole = net.op("Cast", chosen_kind, to=TensorProto.INT32)
        net.output("det_classes", whole, [1, limit], TensorProto.INT32)
    else:
        axis = net.const(np.array([2]))
        real_kind = net.op("Cast", chosen_kind, to=TensorProto.FLOAT)
        columns = [net.op("Unsqueeze", value, axis) for value in (score, real_kind)]
        net.output("output0", net.op("Concat", chosen, *columns, axis=2), [1, limit, 6])
    return net.save(path, metadata)


def quantized_twin(
    path: Path, out: Path, seed: int = 0, *, frames: int = 4, per_channel: bool = True
) -> Path:
    """A Q/DQ INT8 twin of `path` by onnxruntime.quantization, calibrated on noise; the sidecar is copied with it."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    model = onnx.load(path)
    given = model.graph.input[0]
    shape = [dim.dim_value for dim in given.type.tensor_type.shape.dim]
    pictures = np.random.default_rng(seed)

    class Noise(CalibrationDataReader):
        def __init__(self) -> None:
            self.left = frames

        def get_next(self) -> dict[str, NDArray[np.float32]] | None:  # type: ignore[override]
            self.left -= 1
            return None if self.left < 0 else {given.name: pictures.random(shape, np.float32)}

    options = {"ActivationSymmetric": True, "WeightSymmetric": True}
    quantize_static(
        model,
        str(out),
        Noise(),
        quant_format=QuantFormat.QDQ,
        per_channel=per_channel,
        activation_type=QuantType.QInt8,
        weight_type=QuantType.QInt8,
        op_types_to_quantize=["Conv"],
        extra_options=options,
    )
    if path.with_suffix(".toml").exists():
        out.with_suffix(".toml").write_text(path.with_suffix(".toml").read_text())
    return out


def ultralytics_metadata(
    names: Sequence[str], size: Size = 64, task: str = "detect", **more: object
) -> dict[str, str]:
    """What Ultralytics' exporter writes into an ONNX's metadata."""
    values: dict[str, object] = {
        "description": "Ultralytics YOLOv8n model trained on coco.yaml",
        "author": "Ultralytics",
        "version": "8.3.0",
        "stride": 32,
        "task": task,
        "batch": 1,
        "imgsz": list(_pair(size)),
        "names": dict(enumerate(names)),
        **more,
    }
    return {key: str(value) for key, value in values.items()}


def class_names(count: int) -> list[str]:
    """The names that the zoo's sidecars give: `kind0`, `kind1`..."""
    return [f"kind{index}" for index in range(count)]


def write_anchor_sidecar(
    model: Path,
    strides: Sequence[int],
    names: Sequence[str],
    *,
    box: str = "exp",
    scale_xy: float = 1.0,
    layout: str = "nchw",
    size: tuple[int, int] | None = None,
) -> Path:
    """The sidecar of `tiny_yolo_anchor`, beside `model`."""
    lines = [
        'family = "yolo-anchor"',
        f"classes = {list(names)}".replace("'", '"'),
        "[input]",
        'colour = "rgb"',
    ]
    if size is not None:
        lines.append(f"size = [{size[0]}, {size[1]}]")
    for stride in strides:
        anchors = [list(pair) for pair in ANCHORS[stride]]
        lines += [
            "[[head]]",
            f'output = "head{stride}"',
            f"stride = {stride}",
            f'box = "{box}"',
            f'layout = "{layout}"',
        ]
        lines += [f"scale_xy = {scale_xy}", f"anchors = {anchors}"]
    path = model.with_suffix(".toml")
    path.write_text("\n".join(lines) + "\n")
    return path


def _pair(size: Size) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else size


def _anchor_bias(classes: int, anchors: int = 3) -> NDArray[np.float32]:
    """Objectness a little below even, classes likewise: of many cells some pass, most do not."""
    one = np.zeros(5 + classes, np.float32)
    one[4], one[5:] = -1.0, -0.5
    return np.tile(one, anchors)


def _distribution_focal(net: _Network, classes: int) -> tuple[str, str]:
    """Boxes [1, 4, N] (centre and size, pixels) and scores [1, C, N] of all strides together."""
    bias = np.concatenate([np.zeros(4 * BINS), np.full(classes, -1.5)]).astype(np.float32)
    boxes, scores = [], []
    for stride, head in net.heads((8, 16, 32), 4 * BINS + classes, bias):
        rows, columns = net.size[0] // stride, net.size[1] // stride
        places = net.op("Reshape", head, net.const([1, 4 * BINS + classes, rows * columns]))
        bins = net.op("Reshape", net.cut(places, 1, 0, 4 * BINS), net.const([1, 4, BINS, rows * columns]))
        weights = np.arange(BINS, dtype=np.float32)[None, None, :, None]
        weighted = net.op("Mul", net.op("Softmax", bins, axis=2), net.const(weights))
        distance = net.op("ReduceSum", weighted, net.const(np.array([2])), keepdims=0)
        near, far = net.cut(distance, 1, 0, 2), net.cut(distance, 1, 2, 4)
        grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), 0).reshape(1, 2, -1) + 0.5
        middle = net.op("Add", net.const(grid), net.op("Mul", net.op("Sub", far, near), net.const(0.5)))
        both = net.op("Concat", middle, net.op("Add", near, far), axis=1)
        boxes.append(net.op("Mul", both, net.const(float(stride))))
        scores.append(net.op("Sigmoid", net.cut(places, 1, 4 * BINS, 4 * BINS + classes)))
    return net.op("Concat", *boxes, axis=2), net.op("Concat", *scores, axis=2)


class _Network:
    """A graph being built: convolutions down to stride 32, and back up with upsample and concat, as YOLOv3 does."""

    def __init__(self, seed: int, size: tuple[int, int]) -> None:
        if size[0] % 32 or size[1] % 32:
            raise ValueError(f"the size must be a multiple of 32, not {size}")
        self.size = size
        self.cells = sum((size[0] // stride) * (size[1] // stride) for stride in (8, 16, 32))
        self._random = np.random.default_rng(seed)
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []

    def op(self, kind: str, *inputs: str, **attributes: object) -> str:
        output = f"{kind.lower()}_{len(self._nodes)}"
        name = f"/{output}/{kind}"
        self._nodes.append(helper.make_node(kind, list(inputs), [output], name=name, **attributes))
        return output

    def op2(self, kind: str, *inputs: str, **attributes: object) -> tuple[str, str]:
        first = self.op(kind, *inputs, **attributes)
        self._nodes[-1].output.append(f"{first}_second")
        return first, f"{first}_second"

    def const(self, value: object) -> str:
        array = np.asarray(value)
        whole = array.dtype.kind == "i" and array.ndim <= 1
        name = f"constant_{len(self._weights)}"
        self._weights.append(numpy_helper.from_array(array.astype(np.int64 if whole else np.float32), name))
        return name

    def cut(self, value: str, axis: int, start: int, stop: int) -> str:
        ends = [self.const(np.array([number])) for number in (start, stop, axis)]
        return self.op("Slice", value, *ends)

    def conv(self, value: str, channels_in: int, channels_out: int, kernel: int, step: int = 1) -> str:
        shape = (channels_out, channels_in, kernel, kernel)
        weights = self._random.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape)
        bias = self._random.normal(0, 0.1, channels_out)
        pads = [kernel // 2] * 4
        return self.op(
            "Conv",
            value,
            self.const(weights),
            self.const(bias),
            kernel_shape=[kernel] * 2,
            strides=[step] * 2,
            pads=pads,
        )

    def layer(self, value: str, channels_in: int, channels_out: int, kernel: int = 3, step: int = 1) -> str:
        return self.op("LeakyRelu", self.conv(value, channels_in, channels_out, kernel, step), alpha=0.1)

    def heads(
        self, strides: Sequence[int], channels: int, bias: NDArray[np.float32]
    ) -> list[tuple[int, str]]:
        """One raw map [1, channels, H/stride, W/stride] a stride, in the order of `strides`."""
        centred = self.op("Sub", self.op("Mul", "images", self.const(4.0)), self.const(2.0))
        x = self.layer(self.layer(centred, 3, 8, step=2), 8, 12, step=2)
        levels = {}
        channels_in = 12
        for stride in (8, 16, 32):
            x = self.layer(x, channels_in, 16, step=2)
            levels[stride], channels_in = x, 16
        up = levels[32]
        maps = {}
        for stride in (32, 16, 8):
            if stride != 32:
                scales = self.const(np.array([1, 1, 2, 2], np.float32))
                narrowed = self.layer(up, 16, 8, kernel=1)
                larger = self.op(
                    "Resize",
                    narrowed,
                    "",
                    scales,
                    mode="nearest",
                    coordinate_transformation_mode="asymmetric",
                    nearest_mode="floor",
                )
                up = self.layer(self.op("Concat", larger, levels[stride], axis=1), 24, 16)
            if stride in strides:
                shape = (channels, 16, 1, 1)
                weights = self._random.normal(0, 1 / np.sqrt(16), shape)
                maps[stride] = self.op("Conv", up, self.const(weights), self.const(bias), kernel_shape=[1, 1])
        return [(stride, maps[stride]) for stride in strides]

    def output(
        self, name: str, value: str, shape: Sequence[int | str], kind: int = TensorProto.FLOAT
    ) -> None:
        self._nodes.append(helper.make_node("Identity", [value], [name], name=f"/{name}/Identity"))
        self._outputs.append(helper.make_tensor_value_info(name, kind, list(shape)))

    def save(self, path: Path, metadata: dict[str, str] | None, *, dynamic: bool = False) -> Path:
        shape = [1, 3, "height", "width"] if dynamic else [1, 3, *self.size]
        given = helper.make_tensor_value_info("images", TensorProto.FLOAT, shape)
        graph = helper.make_graph(self._nodes, "tiny", [given], self._outputs, self._weights)
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="model_zoo"
        )
        model.ir_version = 8
        if metadata:
            helper.set_model_props(model, metadata)
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, path)
        return path
