"""Labels avoid each other and small objects."""

from __future__ import annotations

import itertools

import numpy as np
from PySide6.QtGui import QFont

from trtviewer.gui.panes.labels import LabelFont, PlacedLabel, place
from trtviewer.gui.panes.marks import Mark
from trtviewer.gui.panes.viewport import Mapping

FONT = LabelFont(QFont(), 14.0, {}, 7.0)
WHERE = Mapping(1.0, 0.0, 0.0)


def box_of(label: PlacedLabel) -> tuple[float, float, float, float]:
    x, y = label.frame[0] + label.offset[0], label.frame[1] + label.offset[1]
    return x, y, x + FONT.width(label.text), y + FONT.height


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def test_that_matched_labels_cover_neither_each_other_nor_small_objects() -> None:
    rng = np.random.default_rng(3)
    marks = []
    for index in range(80):
        x, y = rng.uniform(0, 560), rng.uniform(0, 360)
        width, height = rng.uniform(15, 80, 2)
        marks.append(
            Mark(("pair", index), "matched", (x, y, x + width, y + height), f"person 0.{index:02d}", "")
        )
    labels = place(marks, WHERE, (640, 420), FONT)
    assert 10 < len(labels) < 80, "some find a place, some do not"
    boxes = [box_of(label) for label in labels]
    for one, other in itertools.combinations(boxes, 2):
        assert not overlap(one, other)
    small = [
        mark.xyxy for mark in marks if min(mark.xyxy[2] - mark.xyxy[0], mark.xyxy[3] - mark.xyxy[1]) < 40
    ]
    own = {label.frame: box for label, box in zip(labels, boxes, strict=True)}
    for corner, label in own.items():
        for xyxy in small:
            assert xyxy[:2] == corner or not overlap(label, xyxy)


def test_that_a_missed_object_always_has_a_label() -> None:
    crowd = [
        Mark(("missed", index), "missed", (10, 10, 20, 20), f"person 0.{index}", "") for index in range(9)
    ]
    assert len(place(crowd, WHERE, (100, 60), FONT)) == 9


def test_that_a_box_at_the_upper_edge_has_its_label_below() -> None:
    (label,) = place([Mark(("pair", 0), "matched", (10, 2, 90, 60), "car 0.9", "")], WHERE, (200, 200), FONT)
    assert box_of(label)[1] >= 60
