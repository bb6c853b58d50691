"""Measures the bundled detector and its INT8 twins on streets that training never saw: through the program, on the CPU.

    .venv/bin/python resources/demo/train/evaluate.py

Scenes, preprocessing, runners, decoding and NMS are the program's own; average precision is pycocotools' (pip install
pycocotools). Prints the tables of resources/demo/README.md and writes resources/demo/metrics.json.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

DEMO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(DEMO.parents[1]))

from pycocotools.coco import COCO  # noqa: E402
from pycocotools.cocoeval import COCOeval  # noqa: E402

from trtviewer.compare.matching import match  # noqa: E402
from trtviewer.compare.settings import CompareSettings  # noqa: E402
from trtviewer.detect.boxes import SCORE_FLOOR, Detections  # noqa: E402
from trtviewer.detect.families import decode  # noqa: E402
from trtviewer.detect.nms import suppress  # noqa: E402
from trtviewer.models.load import load_spec  # noqa: E402
from trtviewer.preprocess import Preprocessor  # noqa: E402
from trtviewer.runners.choose import open_runner  # noqa: E402
from trtviewer.sources.address import open_source  # noqa: E402
from trtviewer.sources.source import Truth  # noqa: E402

MODELS = ("detector", "detector-int8-careless", "detector-int8-good")
CONDITIONS = ("day", "rain", "night")
FIRST_SEED = 950_000
"""Training used seeds from 1000 to 1699, and looked at 900000 to 900015 while it ran."""
SIZES = {
    "all": (0.0, 1e10),
    "small": (0.0, 64.0**2),
    "medium": (64.0**2, 160.0**2),
    "large": (160.0**2, 1e10),
}
"""Areas in pixels of the 1280x720 frame."""
_SPAN = 100_000
_CONFIDENCE = 0.25


@dataclass
class Counts:
    """What is counted at the program's default confidence, by condition and size."""

    reference: int = 0
    missed: int = 0
    extra: int = 0
    true: int = 0
    found: int = 0


@dataclass
class Results:
    """Everything seen of one model."""

    boxes: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, dict[str, Counts]] = field(
        default_factory=lambda: {c: {s: Counts() for s in SIZES} for c in (*CONDITIONS, "all")}
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--streets", type=int, default=24)
    parser.add_argument("--each", type=int, default=6, help="frames of each street in each condition")
    parser.add_argument("--nms", type=float, default=CompareSettings().nms_iou)
    parser.add_argument("--models", nargs="*", default=list(MODELS))
    parser.add_argument("--out", type=Path, default=DEMO / "metrics.json")
    options = parser.parse_args()
    names = [name for name in options.models if (DEMO / f"{name}.onnx").exists()]
    results = {name: Results() for name in names}
    truths = run(names, options.streets, options.each, options.nms, results)
    metrics = {
        "frames": len(truths),
        "streets": options.streets,
        "first_seed": FIRST_SEED,
        "nms_iou": options.nms,
        "ap50": {name: precision(truths, results[name].boxes) for name in names},
        "at_confidence_0.25": {name: losses(results[name]) for name in names},
    }
    options.out.write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    show(metrics, names)


def run(
    names: Sequence[str], streets: int, each: int, nms: float, results: dict[str, Results]
) -> list[tuple[str, Truth]]:
    """Runs every model on every frame; returns condition and truth of each frame."""
    truths: list[tuple[str, Truth]] = []
    specs = [load_spec(DEMO / f"{name}.onnx") for name in names]
    settings = CompareSettings(confidence=_CONFIDENCE, nms_iou=nms)
    with ExitStack() as stack:
        runners = [stack.enter_context(open_runner(spec, device="cpu", threads=2)) for spec in specs]
        assert specs[0].input is not None
        preprocessor = Preprocessor(specs[0].input)
        for number in range(streets):
            seed = FIRST_SEED + number
            indices = sorted(np.random.default_rng(seed).integers(0, _SPAN, each).tolist())
            for condition in CONDITIONS:
                with open_source(f"scene:street?condition={condition}&seed={seed}&frames={_SPAN}") as scene:
                    for index in indices:
                        truth = scene.truth(index)
                        assert truth is not None
                        prepared = preprocessor.prepare(scene.read(index).picture)
                        sure = []
                        for name, spec, runner in zip(names, specs, runners, strict=True):
                            boxes = decode(
                                spec, runner.run(prepared.tensor, len(truths)).heads, prepared.placement
                            )
                            add_boxes(
                                results[name], suppress(boxes, SCORE_FLOOR, settings.nms_iou), len(truths)
                            )
                            sure.append(suppress(boxes, settings.confidence, settings.nms_iou))
                        for name, detections in zip(names, sure, strict=True):
                            count(results[name], condition, sure[0], detections, truth, settings)
                        truths.append((condition, truth))
            print(f"street {number + 1} of {streets}", file=sys.stderr, flush=True)
    return truths


def clipped(xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
    """Boxes cut at the frame's edge, as the truth's are."""
    return np.clip(xyxy, 0, np.array([1280, 720, 1280, 720], np.float32))


def area(xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of boxes [N, 4]."""
    return (xyxy[:, 2] - xyxy[:, 0]) * (xyxy[:, 3] - xyxy[:, 1])


def add_boxes(results: Results, detections: Detections, frame: int) -> None:
    """Keeps one frame's boxes as pycocotools reads them."""
    for box, score, kind in zip(clipped(detections.xyxy), detections.score, detections.class_id, strict=True):
        x0, y0, x1, y1 = (float(value) for value in box)
        results.boxes.append(
            {
                "image_id": frame,
                "category_id": int(kind) + 1,
                "bbox": [x0, y0, x1 - x0, y1 - y0],
                "score": float(score),
            }
        )


def count(
    results: Results,
    condition: str,
    reference: Detections,
    own: Detections,
    truth: Truth,
    settings: CompareSettings,
) -> None:
    """Adds what is missed and extra against the reference, and what is found of the truth."""
    matching = match(reference, own, settings)
    counted = ~truth.ignore
    hit = np.zeros(len(truth.class_id), bool)
    boxes, kinds = clipped(own.xyxy), own.class_id
    for place in np.argsort(-own.score, kind="stable"):
        x0, y0, x1, y1 = boxes[place]
        inner = np.clip(
            np.minimum(truth.xyxy[:, 2], x1) - np.maximum(truth.xyxy[:, 0], x0), 0, None
        ) * np.clip(np.minimum(truth.xyxy[:, 3], y1) - np.maximum(truth.xyxy[:, 1], y0), 0, None)
        iou = inner / (area(truth.xyxy) + (x1 - x0) * (y1 - y0) - inner)
        iou[(truth.class_id != kinds[place]) | hit] = 0
        if len(iou) and iou.max() >= 0.5:
            hit[int(iou.argmax())] = True
    of_reference, of_own, of_truth = area(clipped(reference.xyxy)), area(clipped(own.xyxy)), area(truth.xyxy)
    for size, (low, high) in SIZES.items():
        for key in (condition, "all"):
            cell = results.counts[key][size]
            cell.reference += int(((of_reference >= low) & (of_reference < high)).sum())
            lost, new = of_reference[matching.missed.index], of_own[matching.extra.index]
            cell.missed += int(((lost >= low) & (lost < high)).sum())
            cell.extra += int(((new >= low) & (new < high)).sum())
            right_size = counted & (of_truth >= low) & (of_truth < high)
            cell.true += int(right_size.sum())
            cell.found += int((right_size & hit).sum())


def precision(
    truths: Sequence[tuple[str, Truth]], boxes: Sequence[dict[str, Any]]
) -> dict[str, dict[str, float]]:
    """AP50 by condition and size, by pycocotools; what is to be ignored is a crowd to it."""
    annotations: list[dict[str, Any]] = []
    for frame, (_, truth) in enumerate(truths):
        for box, kind, ignored in zip(truth.xyxy, truth.class_id, truth.ignore, strict=True):
            x0, y0, x1, y1 = (float(value) for value in box)
            annotations.append(
                {
                    "id": len(annotations) + 1, "image_id": frame, "category_id": int(kind) + 1, "iscrowd": int(ignored),
                    "bbox": [x0, y0, x1 - x0, y1 - y0], "area": (x1 - x0) * (y1 - y0),
                }
            )  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()):
        known = COCO()
        known.dataset = {
            "info": {},
            "images": [{"id": frame, "width": 1280, "height": 720} for frame in range(len(truths))],
            "categories": [{"id": number + 1, "name": str(number)} for number in range(4)],
            "annotations": annotations,
        }
        known.createIndex()
        found = known.loadRes(list(boxes))
        result = {}
        for condition in ("all", *CONDITIONS):
            judge = COCOeval(known, found, "bbox")
            judge.params.iouThrs = np.array([0.5])
            judge.params.areaRng = [list(limits) for limits in SIZES.values()]
            judge.params.areaRngLbl = list(SIZES)
            judge.params.imgIds = [n for n, (name, _) in enumerate(truths) if condition in ("all", name)]
            judge.evaluate()
            judge.accumulate()
            values = judge.eval["precision"][0, :, :, :, -1]
            result[condition] = {
                size: round(float(part[part > -1].mean()), 4) if (part > -1).any() else float("nan")
                for size, part in zip(SIZES, np.moveaxis(values, 2, 0), strict=True)
            }
            if condition == "all":
                for number, name in enumerate(("car", "truck", "person", "cyclist")):
                    part = values[:, number, 0]
                    result[condition][name] = round(float(part[part > -1].mean()), 4)
    return result


def losses(results: Results) -> dict[str, dict[str, dict[str, float | int]]]:
    """The counts as plain values with their rates."""
    return {
        condition: {
            size: {
                "reference": c.reference, "missed": c.missed, "missed_rate": round(c.missed / max(1, c.reference), 4),
                "extra": c.extra, "true": c.true, "recall": round(c.found / max(1, c.true), 4),
            }
            for size, c in sizes.items()
        }
        for condition, sizes in results.counts.items()
    }  # fmt: skip


def show(metrics: dict[str, Any], names: Sequence[str]) -> None:
    """The tables, in Markdown."""
    print(
        f"{metrics['frames']} frames of {metrics['streets']} streets (seeds from {metrics['first_seed']})\n"
    )
    print(
        "AP50 (pycocotools)\n\n| model | condition | all | small | medium | large |\n| --- | --- | --- | --- | --- | --- |"
    )
    for name in names:
        for condition in ("all", *CONDITIONS):
            row = metrics["ap50"][name][condition]
            print(f"| {name} | {condition} | " + " | ".join(f"{row[size]:.3f}" for size in SIZES) + " |")
    print(
        "\nRecall of the truth at confidence 0.25\n\n| model | condition | all | small | medium | large |\n| --- | --- | --- | --- | --- | --- |"
    )
    for name in names:
        for condition in ("all", *CONDITIONS):
            row = metrics["at_confidence_0.25"][name][condition]
            print(
                f"| {name} | {condition} | "
                + " | ".join(f"{row[size]['recall']:.3f}" for size in SIZES)
                + " |"
            )
    print(
        "\nMissed of what FP32 finds, at confidence 0.25\n\n| model | condition | all | small | medium | large | extra |\n| --- | --- | --- | --- | --- | --- | --- |"
    )
    for name in names[1:]:
        for condition in ("all", *CONDITIONS):
            row = metrics["at_confidence_0.25"][name][condition]
            cells = [
                f"{row[s]['missed']} of {row[s]['reference']} ({100 * row[s]['missed_rate']:.1f} %)"
                for s in SIZES
            ]
            print(f"| {name} | {condition} | " + " | ".join(cells) + f" | {row['all']['extra']} |")


if __name__ == "__main__":
    main()
