"""Heads to detections: ours beside Ultralytics' `non_max_suppression`, taken in turns of ten in one run, one thread each; and a slider's move.

python -m tests.benchmarks.bench_detect

Ultralytics need not be there (ours is then timed alone, and that is said). To have it: a throwaway environment with
`pip install torch==2.13.0 torchvision numpy opencv-python-headless`, `pip install --no-deps ultralytics` and
`pip install pillow pyyaml requests matplotlib psutil polars ultralytics-thop`, and this program run in it with the checkout on PYTHONPATH.
"""

from __future__ import annotations

import importlib.util
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from trtviewer.compare.matching import match
from trtviewer.compare.settings import CompareSettings
from trtviewer.detect.boxes import CandidateBoxes
from trtviewer.detect.families import decode
from trtviewer.detect.iou import iou_matrix
from trtviewer.detect.nms import suppress
from trtviewer.models.spec import Family, HeadSpec, InputSpec, ModelSpec
from trtviewer.preprocess import Placement

PLACEMENT = Placement((640, 640), (640, 640), 1.0, 1.0, 0.0, 0.0)
SPEC = ModelSpec(
    Path("yolov8.onnx"),
    Family.YOLO_DFL,
    tuple(f"class {index}" for index in range(80)),
    InputSpec("images", (640, 640)),
    (HeadSpec("output0", (1, 84, 8400), "ncp"),),
)


def head(strong: int, weak: int, objects: int, seed: int = 0) -> np.ndarray:
    """[1, 84, 8400]: `strong` boxes above 0.25, `weak` ones above the floor, all on these objects; the rest below it."""
    random = np.random.default_rng(seed)
    array = random.uniform(0, 0.0099, (84, 8400)).astype(np.float32)
    array[:4] = random.uniform(16, 600, (4, 8400))
    chosen = random.permutation(8400)[: strong + weak]
    which = np.arange(strong + weak) % objects
    box = np.concatenate((random.uniform(60, 580, (2, objects)), random.uniform(20, 160, (2, objects))))
    array[:4, chosen] = box[:, which] + random.normal(0, 3, (4, strong + weak))
    score = np.append(random.uniform(0.26, 0.95, strong), random.uniform(0.011, 0.24, weak))
    array[4 + random.integers(0, 80, objects)[which], chosen] = score
    return array[None]


def main(turns: int = 200) -> None:
    if _ultralytics() is None:
        print("Ultralytics is not installed here: ours is timed alone")
    for strong, weak, objects in ((100, 0, 100), (100, 0, 25), (100, 300, 25), (1000, 2000, 250)):
        print(f"[1,84,8400], {strong} boxes above 0.25 and {weak} above 0.01 on {objects} objects:")
        _decode_and_suppress(head(strong, weak, objects), turns)
    _families(turns)
    for count in (100, 400, 1000, 5000):
        _slider(count, turns if count < 5000 else turns // 10)


def _decode_and_suppress(array: np.ndarray, turns: int) -> None:
    theirs_of = _ultralytics()
    ours: list[float] = []
    theirs: list[float] = []
    decoding: list[float] = []
    for _ in range(turns // 10):
        # Ten of each in turn: each is warm as in its own loop, and both see the same load of the machine.
        for _ in range(10):
            ours.append(
                _milliseconds(lambda: suppress(decode(SPEC, {"output0": array}, PLACEMENT), 0.25, 0.45))
            )
        for _ in range(10):
            decoding.append(_milliseconds(lambda: decode(SPEC, {"output0": array}, PLACEMENT)))
        for _ in range(10 if theirs_of is not None else 0):
            theirs.append(theirs_of(array)[1])
    found = suppress(decode(SPEC, {"output0": array}, PLACEMENT), 0.25, 0.45)
    line = (
        f"    decode and NMS {_middle(ours):.2f} ms (decode {_middle(decoding):.2f}), {len(found)} detections"
    )
    if theirs_of is None:
        print(line)
        return
    boxes = theirs_of(array)[0]
    alike = len(boxes) == len(found) and bool(
        (iou_matrix(found.xyxy, boxes[:, :4]).max(axis=1, initial=1) > 0.999).all()
    )
    print(
        f"{line}; Ultralytics' non_max_suppression {_middle(theirs):.2f} ms, {len(boxes)} detections "
        f"({'the same' if alike else 'OTHERS'}{', with torchvision' if 'torchvision' in sys.modules else ''}): "
        f"{_middle(theirs) / _middle(ours):.1f} times faster"
    )


def _ultralytics() -> Callable[[np.ndarray], tuple[np.ndarray, float]] | None:
    """Their function on a head: its [N, 6] and its milliseconds; None where the library is not there."""
    if importlib.util.find_spec("ultralytics") is None:
        return None
    os.environ.setdefault("YOLO_CONFIG_DIR", tempfile.gettempdir())
    import torch
    from ultralytics.utils.nms import non_max_suppression

    torch.set_num_threads(1)  # as ours

    def run(array: np.ndarray) -> tuple[np.ndarray, float]:
        prediction = torch.from_numpy(array)
        found: list[torch.Tensor] = []
        # The two limits of theirs that ours has not: 300 boxes, and 50 ms after which it gives up.
        spent = _milliseconds(
            lambda: found.extend(non_max_suppression(prediction, 0.25, 0.45, max_det=8400, max_time_img=60.0))
        )
        return found[0].numpy(), spent

    return run


def _families(turns: int) -> None:
    """Decoding alone, of whole heads with 100 boxes above the floor: the other families and layouts."""
    rows = np.ascontiguousarray(head(100, 0, 100)[0].T)
    with_objectness = np.insert(np.tile(rows, (3, 1)), 4, 0, axis=1)
    with_objectness[: len(rows), 4] = rows[:, 4:].max(axis=1)
    maps = [np.full((1, 255, 640 // stride, 640 // stride), -8, np.float32) for stride in (8, 16, 32)]
    maps[0][0, 4, 10:20, 10:20] = maps[0][0, 30, 10:20, 10:20] = 2
    anchors = ((10.0, 13.0), (16.0, 30.0), (33.0, 23.0))
    cases = {
        "yolo-dfl transposed": (Family.YOLO_DFL, "npc", [rows[None]]),
        "yolo-flat": (Family.YOLO_FLAT, "npc", [with_objectness[None]]),
        "yolox": (Family.YOLOX, "npc", [with_objectness[None, : len(rows)]]),
        "yolo-anchor": (Family.YOLO_ANCHOR, "nchw", maps),
        "yolo-anchor nhwc": (
            Family.YOLO_ANCHOR,
            "nhwc",
            [np.ascontiguousarray(array.transpose(0, 2, 3, 1)) for array in maps],
        ),
    }
    for name, (family, layout, arrays) in cases.items():
        heads = {f"output{index}": array for index, array in enumerate(arrays)}
        specs = tuple(
            HeadSpec(output, array.shape, layout, stride, anchors if len(arrays) > 1 else (), decoded=True)
            for (output, array), stride in zip(heads.items(), (8, 16, 32), strict=False)
        )
        spec = ModelSpec(SPEC.path, family, SPEC.classes, SPEC.input, specs)
        times = [
            _milliseconds(lambda spec=spec, heads=heads: decode(spec, heads, PLACEMENT)) for _ in range(turns)
        ]
        found = len(decode(spec, heads, PLACEMENT))
        print(
            f"{name} {[list(array.shape) for array in arrays]}, {found} boxes: decode {_middle(times):.2f} ms"
        )


def _slider(count: int, turns: int) -> None:
    """From kept candidate boxes of both sides to new detections, matched: what one move of the confidence costs."""
    strong = count // 4
    array = head(strong, count - strong, max(1, strong // 4), seed=1)
    reference = decode(SPEC, {"output0": array}, PLACEMENT)
    candidate = decode(SPEC, {"output0": array * np.float32(0.99)}, PLACEMENT)
    settings = CompareSettings(confidence=0.2)
    alone: list[float] = []
    both: list[float] = []
    for _ in range(turns):
        alone.append(_milliseconds(lambda: _move(reference, candidate, settings)))
        sides = _move(reference, candidate, settings)
        both.append(alone[-1] + _milliseconds(lambda sides=sides: match(*sides, settings)))
    found = _move(reference, candidate, settings)
    print(
        f"slider, {count} candidate boxes a side, {len(found[0])} detections: NMS of both sides {_middle(alone):.2f} ms, "
        f"with matching {_middle(both):.2f} ms"
    )


def _move(reference: CandidateBoxes, candidate: CandidateBoxes, settings: CompareSettings):
    return tuple(
        suppress(boxes, settings.confidence, settings.nms_iou, settings.agnostic_nms)
        for boxes in (reference, candidate)
    )


def _middle(times: list[float]) -> float:
    return statistics.median(times)


def _milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


if __name__ == "__main__":
    main()
