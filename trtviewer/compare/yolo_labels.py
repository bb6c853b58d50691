"""Labels in a folder of YOLO texts: one file a picture, one line an object, class and box in shares of the picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from trtviewer.compare.label_places import by_number, by_picture, listed, picture_names
from trtviewer.compare.true_objects import TrueObjects, boxed_objects, class_map
from trtviewer.errors import BadInput
from trtviewer.sources.frame import Frame
from trtviewer.sources.images import natural_key
from trtviewer.sources.source import Source

_NAMES = "classes.txt"
_FORMAT = "a line is: class x_centre y_centre width height, the last four from 0 to 1"

# A box that touches the border is often written a rounding beyond it.
_ROUNDING = 1e-3


class YoloLabels:
    """The label files of a folder (or of its `labels` folder), by frame.

    A picture without a file has no object, as YOLO's own training takes it. Class ids are the models', or, where the
    folder has a `classes.txt`, those of its lines.

    Args: folder: see above. source: whose frames it labels. classes: the models' names.

    Raises: BadInput: see `open_labels`; it names file and line.
    """

    kind = "yolo"

    def __init__(self, folder: Path, source: Source, classes: Sequence[str]) -> None:
        self.path = str(folder)
        self._folder = _with_texts(folder)
        self._ids, self.left_out = _class_ids(self._folder, classes)
        self.classes = frozenset(self._ids.values())
        files = sorted(_texts(self._folder), key=lambda file: natural_key(file.name))
        by_stem = {file.stem: file for file in files}
        pictures = picture_names(source)
        if pictures is None:
            found = by_number(list(by_stem), source.length, folder)
        else:
            found = by_picture(by_stem, pictures, folder)
        if not found:
            raise BadInput(
                f"labels none of the frames of {source.address}: its files are {listed(list(by_stem))}",
                subject=folder,
                advice="a label file has its picture's name, with .txt",
            )
        # All are read at once: a fault in the last must not come up after an hour.
        self._lines = {index: self._read(by_stem[stem]) for index, stem in found.items()}
        if not any(len(class_id) for class_id, _ in self._lines.values()):
            raise BadInput("labels no object in any frame", subject=folder, advice="is it the right folder?")

    def objects(self, frame: Frame) -> TrueObjects:
        nothing = np.zeros(0, np.int32), np.zeros((0, 4))
        class_id, shares = self._lines.get(frame.index, nothing)
        height, width = frame.size
        return boxed_objects(shares * (width, height, width, height), class_id)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines = {}

    def _read(self, file: Path) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """Class ids and xyxy in shares of the picture."""
        try:
            lines = file.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"cannot be read: {error}", subject=file) from error
        class_ids, boxes = [], []
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            given, box = self._parsed(file, number, line.split())
            if given in self._ids:
                class_ids.append(self._ids[given])
                boxes.append(box)
        return np.array(class_ids, np.int32), np.array(boxes, np.float64).reshape(-1, 4)

    def _parsed(
        self, file: Path, number: int, words: list[str]
    ) -> tuple[int, tuple[float, float, float, float]]:
        def wrong(what: str) -> BadInput:
            return BadInput(f"line {number} {what}", subject=file, advice=_FORMAT)

        try:
            values = [float(word) for word in words]
        except ValueError as error:
            raise wrong("is not numbers") from error
        if len(values) == 6:
            raise wrong("has 6 values, as predictions with a confidence have")
        if len(values) != 5 and (len(values) < 7 or len(values) % 2 == 0):
            raise wrong(f"has {len(values)} values")
        shares = np.array(values[1:])
        if not np.isfinite(shares).all() or shares.min() < -_ROUNDING or shares.max() > 1 + _ROUNDING:
            raise wrong("has a value outside 0 to 1: pixels, perhaps")
        if not values[0].is_integer() or not 0 <= values[0] < len(self._ids) + len(self.left_out):
            raise wrong(
                f"is of class {values[0]:g}, and there are 0 to {len(self._ids) + len(self.left_out) - 1}"
            )
        given = int(values[0])
        if len(values) > 5:  # an outline: its box
            points = shares.reshape(-1, 2)
            (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
            return given, (float(x0), float(y0), float(x1), float(y1))
        x, y, width, height = values[1:]
        return given, (x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def _with_texts(folder: Path) -> Path:
    for place in (folder, folder / "labels"):
        if place.is_dir() and any(_texts(place)):
            return place
    raise BadInput("holds no label files (.txt)", subject=folder, advice="one a picture, of the same name")


def _texts(folder: Path) -> list[Path]:
    try:
        return [
            path for path in folder.iterdir() if path.suffix.lower() == ".txt" and path.name.lower() != _NAMES
        ]
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror or error}", subject=folder) from error


def _class_ids(folder: Path, classes: Sequence[str]) -> tuple[dict[int, int], tuple[str, ...]]:
    """From the folder's class ids to the models', and the names that the models do not know."""
    file = folder / _NAMES
    if not file.is_file():
        return {index: index for index in range(len(classes))}, ()
    try:
        names = file.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"cannot be read: {error}", subject=file) from error
    named = {index: name.strip() for index, name in enumerate(names) if name.strip()}
    ids = class_map(named, classes)
    left_out = tuple(name for given, name in named.items() if given not in ids)
    if not ids:
        raise BadInput(
            f"its classes ({listed(left_out)}) are none of the models' ({listed(classes)})", subject=file
        )
    return ids, left_out
