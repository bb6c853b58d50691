"""Ultralytics' LetterBox and its way into the network, written out; and its scale_boxes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trtviewer.opencv import cv2


def letterbox(
    img: NDArray[np.uint8], new_shape: tuple[int, int], center: bool = True, pad: int = 114
) -> NDArray[np.uint8]:
    """ultralytics/data/augment.py: LetterBox.__call__ with auto=False, scale_fill=False, scaleup=True (8.3)."""
    shape = img.shape[:2]
    r = min(new_shape[0] / shape[0], new_shape[1] / shape[1])
    new_unpad = round(shape[1] * r), round(shape[0] * r)
    dw, dh = new_shape[1] - new_unpad[0], new_shape[0] - new_unpad[1]
    if center:
        dw /= 2
        dh /= 2
    if shape[::-1] != new_unpad:
        img = cv2.resize(img, new_unpad, interpolation=cv2.INTER_LINEAR)
    top, bottom = round(dh - 0.1) if center else 0, round(dh + 0.1)
    left, right = round(dw - 0.1) if center else 0, round(dw + 0.1)
    return cv2.copyMakeBorder(img, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(pad, pad, pad))


def to_network(img: NDArray[np.uint8]) -> NDArray[np.float32]:
    """ultralytics/engine/predictor.py: BGR to RGB, BHWC to BCHW, float, and the division by 255 in float32."""
    im = np.stack([img])[..., ::-1].transpose((0, 3, 1, 2))
    im = np.ascontiguousarray(im).astype(np.float32)
    im /= np.float32(255)
    return im


def scale_boxes(
    img1_shape: tuple[int, int], boxes: NDArray[np.float64], img0_shape: tuple[int, int], padding: bool = True
) -> NDArray[np.float64]:
    """ultralytics/utils/ops.py: scale_boxes, before it clips."""
    gain = min(img1_shape[0] / img0_shape[0], img1_shape[1] / img0_shape[1])
    boxes = boxes.copy()
    if padding:
        boxes[:, [0, 2]] -= round((img1_shape[1] - round(img0_shape[1] * gain)) / 2 - 0.1)
        boxes[:, [1, 3]] -= round((img1_shape[0] - round(img0_shape[0] * gain)) / 2 - 0.1)
    return boxes / gain
