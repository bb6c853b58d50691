"""AP by pycocotools itself, on the same detections and objects."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


@dataclass
class Labelled:
    """One frame: detections (xyxy, score, class) and objects (xyxy, class, area, crowd, ignore)."""

    xyxy: NDArray[np.float64]
    score: NDArray[np.float32]
    class_id: NDArray[np.int32]
    true_xyxy: NDArray[np.float64]
    true_class: NDArray[np.int32]
    true_area: NDArray[np.float64]
    crowd: NDArray[np.bool_]
    ignore: NDArray[np.bool_]


class _Evaluation(COCOeval):
    """Keeps `ignore` of objects that are no crowd, which COCOeval overwrites."""

    def _prepare(self) -> None:
        super()._prepare()
        for of_image in self._gts.values():
            for annotation in of_image:
                annotation["ignore"] = annotation["is_ignored"]


@dataclass
class Evaluated:
    """`stats` as pycocotools sums it up; `precision` [thresholds, recalls, classes, areas]."""

    stats: NDArray[np.float64]
    precision: NDArray[np.float64]

    def of_class(self, class_id: int) -> NDArray[np.float64]:
        """AP at each threshold; -1 where the class has no object."""
        return self.precision[:, :, class_id, 0].mean(axis=1)


def coco_evaluation(frames: Sequence[Labelled], classes: int) -> Evaluated:
    annotations, detections = [], []
    for image, frame in enumerate(frames, 1):
        for index in range(len(frame.true_class)):
            x0, y0, x1, y1 = frame.true_xyxy[index]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image,
                    "category_id": int(frame.true_class[index]) + 1,
                    "bbox": [x0, y0, x1 - x0, y1 - y0],
                    "area": frame.true_area[index],
                    "iscrowd": int(frame.crowd[index]),
                    "is_ignored": int(frame.crowd[index] or frame.ignore[index]),
                }
            )
        for index in range(len(frame.score)):
            x0, y0, x1, y1 = frame.xyxy[index]
            detections.append(
                {
                    "image_id": image,
                    "category_id": int(frame.class_id[index]) + 1,
                    "bbox": [x0, y0, x1 - x0, y1 - y0],
                    "score": float(frame.score[index]),
                }
            )
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {
            "info": {},
            "images": [{"id": image} for image in range(1, len(frames) + 1)],
            "annotations": annotations,
            "categories": [{"id": index + 1, "name": str(index)} for index in range(classes)],
        }
        truth.createIndex()
        if not detections:
            raise ValueError("pycocotools cannot read an empty list of detections")
        evaluation = _Evaluation(truth, truth.loadRes(detections), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return Evaluated(evaluation.stats, evaluation.eval["precision"][..., -1])
