"""What is known of a model before it runs: its input, its heads, its classes, and where each of these is from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType


class Family(StrEnum):
    """How the outputs are to be decoded; `NONE` where only tensors are compared (recorded outputs, `diff`)."""

    YOLO_ANCHOR = "yolo-anchor"
    YOLO_FLAT = "yolo-flat"
    YOLO_DFL = "yolo-dfl"
    YOLOX = "yolox"
    END2END = "end2end"
    NONE = "none"


class Resize(StrEnum):
    """How a frame is brought to the model's input size."""

    LETTERBOX = "letterbox"
    LETTERBOX_TOPLEFT = "letterbox-topleft"
    STRETCH = "stretch"


class Precision(StrEnum):
    """The arithmetic that a model was made for; `INT8` for any Q/DQ."""

    FP32 = "fp32"
    TF32 = "tf32"
    FP16 = "fp16"
    INT8 = "int8"
    UNKNOWN = "unknown"


class Origin(StrEnum):
    """Where a value of a `ModelSpec` is from. A sidecar wins over metadata where both speak."""

    SIDECAR = "sidecar"
    METADATA = "metadata"
    MODEL = "model"
    SHAPES = "shapes"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class InputSpec:
    """The model's one input, and how a frame becomes it.

    Attributes:
        name: the input tensor's name.
        size: height and width, fixed (by the model, or by the sidecar where the model's own are dynamic).
        dtype: numpy's name of the model's own element type: "float32", "float16" or "uint8".
        layout: "nchw" or "nhwc", of the model's own input.
        colour: "rgb" or "bgr".
        pixel_scale, mean, std: (pixel * pixel_scale - mean) / std; mean and std by channel, in the order of `colour`.
        resize, pad: how the frame is fitted, and the grey of the bars, 0..255.
    """

    name: str
    size: tuple[int, int]
    dtype: str = "float32"
    layout: str = "nchw"
    colour: str = "rgb"
    pixel_scale: float = 1 / 255
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    resize: Resize = Resize.LETTERBOX
    pad: int = 114


@dataclass(frozen=True, slots=True)
class HeadSpec:
    """One raw output.

    Attributes:
        output: the tensor's name.
        shape: its shape with batch, as the model declares it once the input size is fixed.
        layout: the order of its axes. yolo-anchor: "nchw" [1, A*(5+C), H, W], "nhwc" [1, H, W, A*(5+C)], "nhwac"
            [1, H, W, A, 5+C], "nahwc" [1, A, H, W, 5+C]. yolo-dfl: "ncp" [1, 4+C, N] or "npc" [1, N, 4+C].
            yolo-flat and yolox: "npc" [1, N, 5+C]. end2end: "" (told apart by shapes). Recorded outputs with no
            family: "nchw" or "nhwc".
        stride: pixels between cells; None where the head holds several strides, or none.
        anchors: [A] of width, height in input pixels; empty where the family has none.
        box: yolo-anchor only: "exp" (v3, v4) or "square" (v5, v7).
        scale_xy: yolo-anchor with "exp" only: v4's scale_x_y.
        decoded: yolox only: whether boxes are pixels already, rather than cell offsets and logarithms.
    """

    output: str
    shape: tuple[int, ...]
    layout: str = "nchw"
    stride: int | None = None
    anchors: tuple[tuple[float, float], ...] = ()
    box: str = "exp"
    scale_xy: float = 1.0
    decoded: bool = False


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Everything that decoding and comparing need to know of one model.

    Attributes:
        path: the model's file, or the folder of recorded outputs, as it was given.
        family: how its outputs are decoded.
        classes: names by class id; as many as the heads have.
        input: its input; None for recorded outputs that say nothing of pictures.
        heads: its outputs, in the model's order.
        precision: what its file says of its arithmetic.
        origins: dotted name of a value ("input.colour", "head.conv36.stride", "family") to where it is from.
        title: what it is called where its path does not say so: the model whose outputs an evidence bundle holds.
    """

    path: Path
    family: Family
    classes: tuple[str, ...]
    input: InputSpec | None
    heads: tuple[HeadSpec, ...]
    precision: Precision = Precision.UNKNOWN
    origins: Mapping[str, Origin] = field(default_factory=lambda: MappingProxyType({}))
    title: str = ""

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self.title or self.path.name

    def head(self, output: str) -> HeadSpec:
        """The head of that name. Raises: KeyError."""
        for head in self.heads:
            if head.output == output:
                return head
        raise KeyError(output)
