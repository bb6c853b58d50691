"""From the text of `--truth` to the labels of a source: COCO JSON, a folder of YOLO texts, or what the source knows itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from trtviewer.compare.coco_labels import CocoLabels
from trtviewer.compare.true_objects import Labels, TrueObjects, boxed_objects, class_map
from trtviewer.compare.yolo_labels import YoloLabels
from trtviewer.errors import BadInput
from trtviewer.sources.address import open_source
from trtviewer.sources.frame import Frame
from trtviewer.sources.source import Source

SCENE = "scene"
"""The text for a source's own truth."""

_GIVE = "give a COCO .json, a folder of YOLO .txt files, or 'scene' for a scene's own truth"


def open_labels(text: str, source: Source, classes: Sequence[str]) -> Labels:
    """Opens the truth of a source.

    Args:
        text: a COCO .json, a folder of YOLO label files, or "scene".
        classes: the models' names; labels are brought to their ids by name.

    Raises:
        BadInput: it cannot be read, has faults, is empty, knows none of the models' classes, or is of other pictures.
    """
    if not classes:
        raise BadInput("is no use here: the models give no boxes", subject=text)
    if text == SCENE:
        if not source.class_names:
            raise BadInput("knows no truth of its own", subject=source.address, advice=_GIVE)
        return SceneLabels(source, classes)
    path = Path(text).expanduser()
    if path.is_dir():
        return YoloLabels(path, source, classes)
    if not path.is_file():
        raise BadInput("is neither a file nor a folder", subject=text, advice=_GIVE)
    if path.suffix.lower() != ".json":
        raise BadInput("is not labels that are known", subject=text, advice=_GIVE)
    return CocoLabels(path, source, classes)


def labels_of(text: str | None, source: Source, classes: Sequence[str]) -> Labels | None:
    """The truth of a source: `open_labels` of the text, or `own_labels` where there is none. Raises: BadInput."""
    return own_labels(source, classes) if text is None else open_labels(text, source, classes)


def own_labels(source: Source, classes: Sequence[str]) -> Labels | None:
    """The truth that the source itself knows, unasked; None where it knows none, or none of the models' classes."""
    known = class_map(dict(enumerate(source.class_names)), classes)
    return SceneLabels(source, classes) if known else None


class SceneLabels:
    """A source's own truth, asked of a second opening of it: the first is read by another thread."""

    kind = SCENE

    def __init__(self, source: Source, classes: Sequence[str]) -> None:
        self.path = source.address
        self._ids = class_map(dict(enumerate(source.class_names)), classes)
        self.classes = frozenset(self._ids.values())
        self.left_out = tuple(name for index, name in enumerate(source.class_names) if index not in self._ids)
        if not self._ids:
            raise BadInput(
                f"its truth is of {', '.join(source.class_names)}, none of which the models know",
                subject=source.address,
            )
        self._source = open_source(source.address)

    def objects(self, frame: Frame) -> TrueObjects:
        truth = self._source.truth(frame.index)
        if truth is None:
            raise BadInput(f"knows no truth of frame {frame.index}", subject=self.path)
        known = np.isin(truth.class_id, list(self._ids))
        class_id = np.array([self._ids[int(given)] for given in truth.class_id[known]], np.int32)
        return boxed_objects(truth.xyxy[known].astype(np.float64), class_id, truth.ignore[known])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._source.close()
