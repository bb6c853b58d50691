"""Candidate boxes of each side to its detections: one confidence for all, or, for the candidate, one by class and stride."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trtviewer.compare.settings import ClassThreshold, CompareSettings
from trtviewer.detect.boxes import CandidateBoxes, Detections
from trtviewer.detect.nms import suppress


def reference_detections(boxes: CandidateBoxes, settings: CompareSettings) -> Detections:
    """What the reference finds at these settings."""
    return suppress(boxes, settings.confidence, settings.nms_iou, settings.agnostic_nms)


def candidate_detections(boxes: CandidateBoxes, settings: CompareSettings) -> Detections:
    """What the candidate finds at these settings, each class and stride above its own confidence."""
    if not settings.candidate_thresholds:
        return reference_detections(boxes, settings)
    above = np.flatnonzero(boxes.score > candidate_confidence(boxes, settings)).astype(np.int32)
    chosen = CandidateBoxes(
        xyxy=boxes.xyxy[above],
        score=boxes.score[above],
        class_id=boxes.class_id[above],
        stride=boxes.stride[above],
        head=boxes.head[above],
        position=boxes.position[above],
        final=boxes.final,
    )
    left = suppress(chosen, 0.0, settings.nms_iou, settings.agnostic_nms)
    return Detections(boxes, above[left.index])


def candidate_confidence(boxes: CandidateBoxes, settings: CompareSettings) -> NDArray[np.float32]:
    """[N] the threshold of each of the candidate's boxes."""
    return thresholds_of(boxes.class_id, boxes.stride, settings.confidence, settings.candidate_thresholds)


def thresholds_of(
    class_id: NDArray[np.int32],
    stride: NDArray[np.int32],
    confidence: float,
    thresholds: tuple[ClassThreshold, ...],
) -> NDArray[np.float32]:
    """[N] the threshold of boxes of these classes [N] and strides [N]; `confidence` where none is named."""
    result = np.full(len(class_id), confidence, np.float32)
    for own_class, own_stride, value in thresholds:
        result[(class_id == own_class) & (stride == own_stride)] = value
    return result
