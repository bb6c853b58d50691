"""A pair of models with random heads, decoded and compared for real; only the inference is left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trtviewer.compare.error_meter import ErrorMeter
from trtviewer.compare.frame_comparison import FrameComparison, compare_frame
from trtviewer.compare.settings import CompareSettings
from trtviewer.models.correspond import Correspondence, correspond
from trtviewer.models.spec import Family, HeadSpec, InputSpec, ModelSpec, Precision
from trtviewer.preprocess import Placement
from trtviewer.runners.runner import RunnerInfo, RunResult, RunTimes
from trtviewer.sources.frame import Frame

CLASSES = ("person", "car", "dog")
SIZE = 64
PLACEMENT = Placement((120, 128), (SIZE, SIZE), 0.5, 0.5, 0.0, 2.0)
INFOS = (
    RunnerInfo("ONNX Runtime CPU", "fp32", emulated=False),
    RunnerInfo("ONNX Runtime CPU", "int8", emulated=True),
)

Heads = dict[str, NDArray[np.float32]]


def anchor_spec(name: str, layout: str = "nchw", prefix: str = "") -> ModelSpec:
    anchors = ((6.0, 8.0), (20.0, 16.0), (40.0, 48.0))
    channels = 3 * (5 + len(CLASSES))
    heads = []
    for stride in (8, 16):
        cells = SIZE // stride
        shape = (1, channels, cells, cells) if layout == "nchw" else (1, cells, cells, channels)
        heads.append(HeadSpec(f"{prefix}s{stride}", shape, layout, stride, anchors))
    return ModelSpec(Path(name), Family.YOLO_ANCHOR, CLASSES, InputSpec("images", (SIZE, SIZE)), tuple(heads))


def dfl_spec(name: str, layout: str = "ncp") -> ModelSpec:
    cells = sum((SIZE // stride) ** 2 for stride in (8, 16, 32))
    width = 4 + len(CLASSES)
    shape = (1, width, cells) if layout == "ncp" else (1, cells, width)
    head = HeadSpec("output0", shape, layout)
    return ModelSpec(Path(name), Family.YOLO_DFL, CLASSES, InputSpec("images", (SIZE, SIZE)), (head,))


def tensor_spec(name: str, shape: tuple[int, ...]) -> ModelSpec:
    return ModelSpec(Path(name), Family.NONE, (), None, (HeadSpec("a", shape),), Precision.UNKNOWN)


def random_heads(spec: ModelSpec, seed: int) -> Heads:
    rng = np.random.default_rng(seed)
    if spec.family == Family.YOLO_DFL:
        cells = max(spec.heads[0].shape)
        box = rng.uniform(4, 60, (4, cells))
        values = np.concatenate((box, rng.beta(0.4, 4, (len(CLASSES), cells)))).astype(np.float32)[None]
        return {
            "output0": values
            if spec.heads[0].layout == "ncp"
            else np.ascontiguousarray(values.swapaxes(1, 2))
        }
    return {head.output: rng.normal(-0.8, 1.5, head.shape).astype(np.float32) for head in spec.heads}


def disturbed(heads: Heads, seed: int, by: float = 0.3) -> Heads:
    rng = np.random.default_rng(seed)
    return {
        name: (values + rng.normal(0, by, values.shape) * np.minimum(1, np.abs(values))).astype(np.float32)
        for name, values in heads.items()
    }


def compared(
    reference: ModelSpec,
    candidate: ModelSpec,
    heads: tuple[Heads, Heads],
    settings: CompareSettings | None = None,
    index: int = 0,
    correspondence: Correspondence | None = None,
) -> FrameComparison:
    frame = Frame(np.zeros((120, 128, 3), np.uint8), index, index / 30)
    times = (RunTimes(0.0, 10.0 + index, 0.0), RunTimes(1.0, 4.0 + index, 1.0))
    sides = [
        (spec, info, RunResult(made, time))
        for spec, info, made, time in zip((reference, candidate), INFOS, heads, times, strict=True)
    ]
    return compare_frame(
        frame,
        PLACEMENT,
        settings or CompareSettings(),
        correspondence or correspond(reference, candidate),
        sides[0],
        sides[1],
        ErrorMeter(),
    )


def anchor_comparison(
    seed: int = 0, settings: CompareSettings | None = None, by: float = 0.3
) -> FrameComparison:
    spec = anchor_spec("reference.onnx")
    heads = random_heads(spec, seed)
    return compared(
        spec, anchor_spec("candidate.onnx"), (heads, disturbed(heads, seed + 1000, by)), settings, index=seed
    )
