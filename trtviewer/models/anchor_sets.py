"""The anchors that well-known YOLO networks come with; shapes cannot tell which of them a model has, so they are only suggested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Anchors = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class AnchorSet:
    """One reading of raw maps.

    Attributes:
        name: the networks that have it.
        box: "exp" or "square".
        anchors: stride to [3] of width, height in pixels of the input.
        scale_xy: stride to v4's scale_x_y; 1 where absent.
    """

    name: str
    box: str
    anchors: Mapping[int, Anchors]
    scale_xy: Mapping[int, float]


_V3 = {
    8: ((10.0, 13.0), (16.0, 30.0), (33.0, 23.0)),
    16: ((30.0, 61.0), (62.0, 45.0), (59.0, 119.0)),
    32: ((116.0, 90.0), (156.0, 198.0), (373.0, 326.0)),
}
_V4 = {
    8: ((12.0, 16.0), (19.0, 36.0), (40.0, 28.0)),
    16: ((36.0, 75.0), (76.0, 55.0), (72.0, 146.0)),
    32: ((142.0, 110.0), (192.0, 243.0), (459.0, 401.0)),
}
_TINY_LARGE = ((81.0, 82.0), (135.0, 169.0), (344.0, 319.0))

# Sources: cfg/ of AlexeyAB/darknet (v3, v4), models/ of ultralytics/yolov5 and cfg/deploy of WongKinYiu/yolov7.
ANCHOR_SETS: tuple[AnchorSet, ...] = (
    AnchorSet("YOLOv3", "exp", _V3, {}),
    AnchorSet("YOLOv4", "exp", _V4, {8: 1.2, 16: 1.1, 32: 1.05}),
    AnchorSet("YOLOv5 or YOLOv7-tiny", "square", _V3, {}),
    AnchorSet("YOLOv7", "square", _V4, {}),
    AnchorSet("YOLOv3-tiny", "exp", {16: ((10.0, 14.0), (23.0, 27.0), (37.0, 58.0)), 32: _TINY_LARGE}, {}),
    AnchorSet(
        "YOLOv4-tiny",
        "exp",
        {16: ((23.0, 27.0), (37.0, 58.0), (81.0, 82.0)), 32: _TINY_LARGE},
        {16: 1.05, 32: 1.05},
    ),
)


def fitting_sets(strides: frozenset[int]) -> tuple[AnchorSet, ...]:
    """The sets for a network whose raw maps have exactly these strides."""
    return tuple(item for item in ANCHOR_SETS if strides == frozenset(item.anchors))
