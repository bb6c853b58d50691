"""Head families decoded one value at a time in float64, with nothing of the program: what the vectorised decoders must equal."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

FLOOR = 0.01


@dataclass(frozen=True)
class Box:
    """One decoded box, in pixels of the source."""

    xyxy: tuple[float, float, float, float]
    score: float
    class_id: int
    stride: int
    head: int
    position: int


@dataclass(frozen=True)
class Way:
    """From input pixels back to the source's: (value - offset) / scale."""

    scale_x: float = 1.0
    scale_y: float = 1.0
    offset_x: float = 0.0
    offset_y: float = 0.0

    def back(self, x, y, width, height):
        return (
            (x - width / 2 - self.offset_x) / self.scale_x,
            (y - height / 2 - self.offset_y) / self.scale_y,
            (x + width / 2 - self.offset_x) / self.scale_x,
            (y + height / 2 - self.offset_y) / self.scale_y,
        )


def sigmoid(x):
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def best_of(values):
    best = 0
    for index in range(len(values)):
        if values[index] > values[best]:
            best = index
    return best


def ordered(boxes):
    return sorted(boxes, key=lambda box: (-box.score, box.position, box.head))


def yolo_anchor(heads, way, floor=FLOOR):
    """heads: (array, layout, stride, anchors, classes, box kind, scale_xy) for each output, in order."""
    boxes = []
    for head, (array, layout, stride, anchors, classes, kind, scale_xy) in enumerate(heads):
        width = 5 + classes
        if layout == "nchw":
            rows, columns = array.shape[2:]
        elif layout == "nahwc":
            rows, columns = array.shape[2:4]
        else:
            rows, columns = array.shape[1:3]

        def value(anchor, row, column, channel, array=array, layout=layout, width=width):
            if layout == "nchw":
                return float(array[0, anchor * width + channel, row, column])
            if layout == "nhwc":
                return float(array[0, row, column, anchor * width + channel])
            if layout == "nhwac":
                return float(array[0, row, column, anchor, channel])
            return float(array[0, anchor, row, column, channel])

        for anchor, (anchor_width, anchor_height) in enumerate(anchors):
            for row in range(rows):
                for column in range(columns):
                    objectness = sigmoid(value(anchor, row, column, 4))
                    if objectness <= floor:
                        continue
                    logits = [value(anchor, row, column, 5 + index) for index in range(classes)]
                    class_id = best_of(logits)
                    score = objectness * sigmoid(logits[class_id])
                    if score <= floor:
                        continue
                    tx, ty, tw, th = (value(anchor, row, column, channel) for channel in range(4))
                    if kind == "exp":
                        x = (sigmoid(tx) * scale_xy - (scale_xy - 1) / 2 + column) * stride
                        y = (sigmoid(ty) * scale_xy - (scale_xy - 1) / 2 + row) * stride
                        box_width, box_height = math.exp(tw) * anchor_width, math.exp(th) * anchor_height
                    else:
                        x = (2 * sigmoid(tx) - 0.5 + column) * stride
                        y = (2 * sigmoid(ty) - 0.5 + row) * stride
                        box_width = (2 * sigmoid(tw)) ** 2 * anchor_width
                        box_height = (2 * sigmoid(th)) ** 2 * anchor_height
                    position = (anchor * rows + row) * columns + column
                    boxes.append(
                        Box(way.back(x, y, box_width, box_height), score, class_id, stride, head, position)
                    )
    return ordered(boxes)


def places(input_size, strides, anchors):
    """Stride, row and column of every position of a flat head, in order."""
    found = []
    for stride in strides:
        for _ in range(anchors):
            for row in range(input_size[0] // stride):
                for column in range(input_size[1] // stride):
                    found.append((stride, row, column))
    return found


def flat(
    rows, way, input_size, classes, *, objectness, anchors, undecoded=False, strides=(8, 16, 32), floor=FLOOR
):
    """rows [N, 4(+1)+C]: x, y, width, height, perhaps objectness, class probabilities."""
    boxes = []
    first = 5 if objectness else 4
    for position, (stride, row, column) in enumerate(places(input_size, strides, anchors)):
        values = [float(value) for value in rows[position]]
        probabilities = values[first : first + classes]
        class_id = best_of(probabilities)
        score = probabilities[class_id] * (values[4] if objectness else 1)
        if score <= floor:
            continue
        x, y, width, height = values[:4]
        if undecoded:
            x, y = (x + column) * stride, (y + row) * stride
            width, height = math.exp(width) * stride, math.exp(height) * stride
        boxes.append(Box(way.back(x, y, width, height), score, class_id, stride, 0, position))
    return ordered(boxes)


def assert_equal_boxes(found, expected, *, pixels=1e-3, score=1e-6):
    """The program's candidate boxes are the oracle's: the same set, and each value near."""
    got = {
        (int(head), int(place)): index
        for index, (head, place) in enumerate(zip(found.head, found.position, strict=True))
    }
    want = {(box.head, box.position): box for box in expected}
    # A score that lies on the floor to the last bit of float32 may fall on either side.
    assert {
        key for key in got.keys() ^ want.keys() if key in got or abs(want[key].score - FLOOR) > 1e-7
    } == set()
    for key, index in got.items():
        box = want[key]
        # An exact pixel in a box of 1e6 pixels is beyond float32.
        near = [max(pixels, 1e-6 * abs(value)) for value in box.xyxy]
        assert np.all(np.abs(found.xyxy[index] - np.array(box.xyxy)) <= near), (
            key,
            found.xyxy[index],
            box.xyxy,
        )
        assert abs(found.score[index] - box.score) <= score * box.score
        assert (found.class_id[index], found.stride[index]) == (box.class_id, box.stride)
