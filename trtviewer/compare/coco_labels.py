"""Labels in one COCO JSON file: its images, annotations and categories, checked whole before the first frame."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any, Self

import numpy as np

from trtviewer.compare.label_places import by_number, by_picture, listed, picture_names
from trtviewer.compare.true_objects import TrueObjects, class_map
from trtviewer.errors import BadInput
from trtviewer.sources.frame import Frame
from trtviewer.sources.source import Source

_FORMAT = "COCO labels have images, annotations and categories"

_Row = tuple[tuple[float, float, float, float], int, float, bool]
"""xyxy, class id, area, crowd. A key `ignore` is not looked at: COCO's own evaluation does not either."""


class CocoLabels:
    """The annotations of a COCO JSON, by frame.

    Pictures are found by `file_name` (folders and suffix aside); frames of a video by the number at the end of it.

    Args: path: the file. source: whose frames it labels. classes: the models' names.

    Raises: BadInput: see `open_labels`; it names the first entries that are wrong.
    """

    kind = "coco"

    def __init__(self, path: Path, source: Source, classes: Sequence[str]) -> None:
        self._path = path
        self.path = str(path)
        document = _document(path)
        images = {image["id"]: image for image in _entries(document, "images", ("id", "file_name"), path)}
        names = {
            entry["id"]: str(entry["name"])
            for entry in _entries(document, "categories", ("id", "name"), path)
        }
        self._ids = class_map(names, classes)
        self.classes = frozenset(self._ids.values())
        self.left_out = tuple(name for given, name in names.items() if given not in self._ids)
        if not self._ids:
            raise BadInput(
                f"its categories ({listed(self.left_out)}) are none of the models' classes ({listed(classes)})",
                subject=path,
                advice="give the categories the names that the models' class file has",
            )
        self._image_of = self._placed(images, source)
        self._rows = self._read(document, images, names)

    def objects(self, frame: Frame) -> TrueObjects:
        image = self._image_of.get(frame.index)
        if image is None:
            raise BadInput(f"says nothing of frame {frame.index}", subject=self._path)
        _check_size(image, frame, self._path)
        rows = self._rows.get(image["id"], [])
        height, width = frame.size
        for (x0, y0, x1, y1), *_ in rows:
            if x0 >= width or y0 >= height or x1 <= 0 or y1 <= 0:
                raise BadInput(
                    f"has a box that lies outside '{image['file_name']}': [{x0:g}, {y0:g}, {x1 - x0:g}, {y1 - y0:g}]",
                    subject=self._path,
                    advice="boxes are [x, y, width, height] in its pixels",
                )
        xyxy, class_id, area, crowd = zip(*rows, strict=True) if rows else ((), (), (), ())
        return TrueObjects(
            np.array(xyxy, np.float64).reshape(-1, 4),
            np.array(class_id, np.int32),
            np.array(area, np.float64),
            np.zeros(len(rows), np.bool_),
            np.array(crowd, np.bool_),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._rows = {}

    def _placed(self, images: dict[Any, dict[str, Any]], source: Source) -> dict[int, dict[str, Any]]:
        """Frame index to image."""
        by_stem: dict[str, dict[str, Any]] = {}
        for image in images.values():
            if by_stem.setdefault(_stem(image), image) is not image:
                raise BadInput(f"lists the image '{image['file_name']}' twice", subject=self._path)
        pictures = picture_names(source)
        if pictures is None:
            found = by_number(list(by_stem), source.length, self._path)
        else:
            found = by_picture(by_stem, pictures, self._path)
            lacking = [name for index, name in enumerate(pictures) if index not in found]
            if lacking:
                raise BadInput(
                    f"says nothing of {len(lacking)} of the {len(pictures)} pictures of the source: {listed(lacking)}",
                    subject=self._path,
                    advice="their file names must be among its images, and one without objects must be listed too",
                )
        return {index: by_stem[stem] for index, stem in found.items()}

    def _read(
        self, document: dict[str, Any], images: dict[Any, dict[str, Any]], names: dict[Any, str]
    ) -> dict[Any, list[_Row]]:
        rows: dict[Any, list[_Row]] = defaultdict(list)
        annotations = _entries(document, "annotations", ("image_id", "category_id", "bbox"), self._path)
        if not annotations:
            raise BadInput("has no annotation", subject=self._path, advice="is it the right file?")
        for number, entry in enumerate(annotations):
            for key in ("image_id", "category_id"):
                if isinstance(entry[key], list | dict):
                    raise self._wrong(number, f"has the {key} {entry[key]!r}")
            if entry["image_id"] not in images:
                raise self._wrong(number, f"is of image {entry['image_id']!r}, which is not listed")
            if entry["category_id"] not in names:
                raise self._wrong(number, f"is of category {entry['category_id']!r}, which is not listed")
            x, y, width, height = self._box(number, entry["bbox"])
            if entry["category_id"] in self._ids:
                rows[entry["image_id"]].append(
                    (
                        (x, y, x + width, y + height),
                        self._ids[entry["category_id"]],
                        self._area(number, entry.get("area"), width * height),
                        bool(entry.get("iscrowd", 0)),
                    )
                )
        return dict(rows)

    def _box(self, number: int, bbox: Any) -> tuple[float, float, float, float]:
        if not isinstance(bbox, list) or len(bbox) != 4 or not all(map(_finite, bbox)):
            raise self._wrong(number, f"has the bbox {bbox!r}, not [x, y, width, height]")
        x, y, width, height = map(float, bbox)
        if width < 0 or height < 0:
            raise self._wrong(number, f"has a bbox of negative size, {bbox!r}")
        return x, y, width, height

    def _area(self, number: int, area: Any, of_box: float) -> float:
        if area is None:
            return of_box
        if not _finite(area) or area < 0:
            raise self._wrong(number, f"has the area {area!r}")
        return float(area)

    def _wrong(self, number: int, what: str) -> BadInput:
        return BadInput(f"annotation {number} {what}", subject=self._path, advice=_FORMAT)


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror or error}", subject=path) from error
    except ValueError as error:
        raise BadInput("is not JSON", subject=path, advice=_FORMAT) from error
    if isinstance(document, list):
        raise BadInput("is a list, as detections are, not labels", subject=path, advice=_FORMAT)
    if not isinstance(document, dict):
        raise BadInput("is not COCO labels", subject=path, advice=_FORMAT)
    return document


def _entries(document: dict[str, Any], name: str, keys: tuple[str, ...], path: Path) -> list[dict[str, Any]]:
    entries = document.get(name)
    if not isinstance(entries, list):
        raise BadInput(f"has no list of {name}", subject=path, advice=_FORMAT)
    for number, entry in enumerate(entries):
        lacking = [key for key in keys if not isinstance(entry, dict) or key not in entry]
        if lacking:
            raise BadInput(f"{name}[{number}] lacks {', '.join(lacking)}", subject=path, advice=_FORMAT)
    ids = [entry["id"] for entry in entries if "id" in keys]
    if any(isinstance(given, list | dict) for given in ids) or len(set(ids)) != len(ids):
        raise BadInput(f"{name} have ids that are not unique", subject=path, advice=_FORMAT)
    return entries


def _stem(image: dict[str, Any]) -> str:
    path = PurePosixPath(str(image["file_name"]).replace("\\", "/"))
    return str(path.parent / path.stem)


def _check_size(image: dict[str, Any], frame: Frame, path: Path) -> None:
    said = (image.get("height", frame.size[0]), image.get("width", frame.size[1]))
    if said != frame.size:
        raise BadInput(
            f"'{image['file_name']}' is {said[1]!r}x{said[0]!r} in it, but the frame is {frame.size[1]}x{frame.size[0]}",
            subject=path,
            advice="boxes are in pixels: give the pictures that were labelled",
        )


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
