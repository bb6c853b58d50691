"""Labels of every kind, and one clear line for each way in which they can be wrong."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.sources.videos import write_video
from trtviewer.compare.true_objects import Labels, class_map
from trtviewer.compare.truth_files import open_labels, own_labels
from trtviewer.errors import BadInput
from trtviewer.opencv import cv2
from trtviewer.sources.address import open_source
from trtviewer.sources.source import Source

CLASSES = ("person", "car", "motorbike")
WIDTH, HEIGHT = 80, 60


@pytest.fixture
def pictures(tmp_path: Path) -> Source:
    """A folder of a.png, b.png and c.png."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in "abc":
        cv2.imwrite(str(folder / f"{name}.png"), np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    return open_source(str(folder))


def coco() -> dict[str, Any]:
    return {
        "images": [
            {"id": 7, "file_name": "b.png", "width": WIDTH, "height": HEIGHT},
            {"id": 3, "file_name": "val/a.png", "width": WIDTH, "height": HEIGHT},
            {"id": 9, "file_name": "c.jpg"},
        ],
        "categories": [{"id": 1, "name": "Motorcycle"}, {"id": 4, "name": "car"}, {"id": 5, "name": "boat"}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 4, "bbox": [10, 20, 30, 8], "area": 100.5, "iscrowd": 0},
            {"id": 2, "image_id": 7, "category_id": 1, "bbox": [0, 0, 5, 5], "iscrowd": 1},
            {"id": 3, "image_id": 3, "category_id": 5, "bbox": [0, 0, 5, 5]},
        ],
    }


def coco_labels(tmp_path: Path, source: Source, document: Any) -> Labels:
    file = tmp_path / "labels.json"
    file.write_text(json.dumps(document))
    return open_labels(str(file), source, CLASSES)


def test_that_coco_labels_are_found_by_the_picture_s_name(tmp_path: Path, pictures: Source) -> None:
    labels = coco_labels(tmp_path, pictures, coco())
    of_b = labels.objects(pictures.read(1))
    assert of_b.xyxy.tolist() == [[10, 20, 40, 28], [0, 0, 5, 5]]
    assert of_b.class_id.tolist() == [1, 2]
    assert of_b.area.tolist() == [100.5, 25]
    assert of_b.crowd.tolist() == of_b.ignore.tolist() == [False, True]
    assert len(labels.objects(pictures.read(0))) == 0
    assert labels.left_out == ("boat",)
    assert labels.classes == {1, 2}


def change(path: str, value: Any) -> Callable[[dict[str, Any]], Any]:
    """A copy of the labels in which the entry at `path` ("annotations.0.image_id") has another value."""

    def changed(document: dict[str, Any]) -> Any:
        result = copy.deepcopy(document)
        *way, last = path.split(".")
        place: Any = result
        for step in way:
            place = place[int(step)] if isinstance(place, list) else place[step]
        if value is None:
            del place[last]
        else:
            place[int(last) if isinstance(place, list) else last] = value
        return result

    return changed


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (change("annotations.0.image_id", 99), "annotation 0 is of image 99, which is not listed"),
        (change("annotations.2.category_id", 2), "annotation 2 is of category 2, which is not listed"),
        (change("annotations.1.bbox", [1, 2, 3]), "annotation 1 has the bbox"),
        (change("annotations.1.bbox", [1, 2, -3, 4]), "negative size"),
        (change("annotations.1.bbox", [1, 2, float("nan"), 4]), "annotation 1 has the bbox"),
        (change("annotations.0.bbox", None), "lacks bbox"),
        (change("images.0.file_name", "d.png"), "says nothing of 1 of the 3 pictures of the source: b"),
        (change("images.0.id", 3), "not unique"),
        (change("images.0.id", [3]), "not unique"),
        (change("annotations", []), "has no annotation"),
        (change("images", None), "has no list of images"),
        (change("annotations.0.image_id", [0]), "annotation 0 has the image_id [0]"),
        (change("annotations.0.area", -5), "annotation 0 has the area -5"),
        (change("images.1.file_name", "train/b.png"), "are both labels of the picture 'b'"),
        (change("images.1.file_name", "b.png"), "lists the image 'b.png' twice"),
        (change("images.0.file_name", ""), "says nothing of 1 of the 3 pictures of the source: b"),
        (change("categories", [{"id": 1, "name": "boat"}]), "none of the models' classes"),
        (lambda document: document["annotations"], "is a list, as detections are"),
        (lambda document: 5, "is not COCO labels"),
    ],
)
def test_that_bad_coco_labels_are_one_clear_line(
    tmp_path: Path, pictures: Source, make: Callable[[dict[str, Any]], Any], says: str
) -> None:
    with pytest.raises(BadInput, match=r"\w") as caught:
        coco_labels(tmp_path, pictures, make(coco()))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_that_labels_of_another_size_are_refused(tmp_path: Path, pictures: Source) -> None:
    labels = coco_labels(tmp_path, pictures, change("images.0.width", 640)(coco()))
    with pytest.raises(BadInput, match=r"'b.png' is 640x60 in it, but the frame is 80x60"):
        labels.objects(pictures.read(1))


def test_that_a_box_outside_its_picture_is_refused(tmp_path: Path, pictures: Source) -> None:
    labels = coco_labels(tmp_path, pictures, change("annotations.0.bbox", [500, 5, 10, 10])(coco()))
    with pytest.raises(BadInput, match=r"lies outside '.\.png': \[500, 5, 10, 10\]"):
        for index in range(3):
            labels.objects(pictures.read(index))


def yolo(tmp_path: Path, **files: str) -> Path:
    folder = tmp_path / "labels"
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.txt").write_text(text)
    return folder


def test_that_yolo_labels_are_in_shares_of_the_picture(tmp_path: Path, pictures: Source) -> None:
    folder = yolo(tmp_path, a="1 0.5 0.5 0.25 0.5\n\n0 0.1 0.1 0.2 0.2\n", b="")
    labels = open_labels(str(folder), pictures, CLASSES)
    of_a = labels.objects(pictures.read(0))
    np.testing.assert_allclose(of_a.xyxy, [[30, 15, 50, 45], [0, 0, 16, 12]])
    assert of_a.class_id.tolist() == [1, 0]
    assert of_a.area.tolist() == pytest.approx([600, 192])
    assert len(labels.objects(pictures.read(1))) == len(labels.objects(pictures.read(2))) == 0


def test_that_an_outline_counts_by_its_box_and_classes_txt_by_its_names(
    tmp_path: Path, pictures: Source
) -> None:
    folder = yolo(tmp_path, a="0 0.1 0.2 0.5 0.2 0.3 0.9\n1 0.5 0.5 0.1 0.1\n", classes="motorcycle\nboat\n")
    labels = open_labels(str(folder), pictures, CLASSES)
    of_a = labels.objects(pictures.read(0))
    np.testing.assert_allclose(of_a.xyxy, [[8, 12, 40, 54]])
    assert of_a.class_id.tolist() == [2]
    assert labels.left_out == ("boat",)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("3 0.5 0.5 0.1 0.1", "line 1 is of class 3, and there are 0 to 2"),
        ("0.5 0.5 0.5 0.1 0.1", "is of class 0.5"),
        ("nan 0.5 0.5 0.1 0.1", "is of class nan"),
        ("inf 0.5 0.5 0.1 0.1", "is of class inf"),
        ("0 40 30 10 10", "outside 0 to 1: pixels, perhaps"),
        ("0 0.5 0.5 0.1", "has 4 values"),
        ("0 0.5 0.5 0.1 0.1 0.9", "as predictions with a confidence have"),
        ("person 0.5 0.5 0.1 0.1", "is not numbers"),
        ("0 nan 0.5 0.1 0.1", "outside 0 to 1"),
        ("", "labels no object"),
    ],
)
def test_that_bad_yolo_labels_are_one_clear_line(
    tmp_path: Path, pictures: Source, line: str, says: str
) -> None:
    with pytest.raises(BadInput, match=r"\w") as caught:
        open_labels(str(yolo(tmp_path, b=line)), pictures, CLASSES)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_that_labels_of_other_pictures_are_refused(tmp_path: Path, pictures: Source) -> None:
    with pytest.raises(BadInput, match="labels none of the frames"):
        open_labels(str(yolo(tmp_path, x="0 0.5 0.5 0.1 0.1")), pictures, CLASSES)


@pytest.mark.parametrize(
    ("numbers", "frames"), [((0, 2), (0, 2)), ((1, 3, 4), (0, 2, 3)), ((0, 1, 2, 3), (0, 1, 2, 3))]
)
def test_that_a_video_s_labels_go_by_their_numbers(
    tmp_path: Path, numbers: tuple[int, ...], frames: tuple[int, ...]
) -> None:
    write_video(tmp_path / "v.avi", 4)
    folder = yolo(tmp_path, **{f"v_{number}": "0 0.5 0.5 0.1 0.1" for number in numbers})
    with open_source(str(tmp_path / "v.avi")) as video:
        labels = open_labels(str(folder), video, CLASSES)
        assert tuple(index for index in range(4) if len(labels.objects(video.read(index)))) == frames


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (("v_2",), "cannot be told"),
        (("v_0", "v_9"), "labels frame 9, and the video has 4"),
        (("v_0", "v_4"), "labels frames 0 to 4"),
        (("v_1", "w_1"), "are of the same frame"),
        (("first",), "ends with no number"),
    ],
)
def test_that_a_video_s_labels_that_fit_no_frame_are_refused(
    tmp_path: Path, names: tuple[str, ...], says: str
) -> None:
    write_video(tmp_path / "v.avi", 4)
    folder = yolo(tmp_path, **dict.fromkeys(names, "0 0.5 0.5 0.1 0.1"))
    with open_source(str(tmp_path / "v.avi")) as video, pytest.raises(BadInput, match=says):
        open_labels(str(folder), video, CLASSES)


def test_that_a_scene_knows_its_own_truth() -> None:
    with open_source("scene:street?frames=3&size=320x180") as scene:
        with open_labels("scene", scene, ("boat", "person", "car")) as labels:
            objects = labels.objects(scene.read(2))
        truth = scene.truth(2)
        assert truth is not None
        assert labels.left_out == ("truck", "cyclist")
        assert len(objects) == np.count_nonzero(np.isin(truth.class_id, (0, 2))) > 0
        assert set(objects.class_id.tolist()) <= {1, 2}
        assert own_labels(scene, ("boat",)) is None
        with pytest.raises(BadInput, match="none of which the models know"):
            open_labels("scene", scene, ("boat",))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("scene", "knows no truth of its own"),
        ("absent.json", "is neither a file nor a folder"),
        ("pictures/a.png", "is not labels that are known"),
        ("pictures", "holds no label files"),
    ],
)
def test_that_what_is_no_labels_is_said(
    tmp_path: Path, pictures: Source, monkeypatch: pytest.MonkeyPatch, text: str, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert own_labels(pictures, CLASSES) is None
    with pytest.raises(BadInput, match=says):
        open_labels(text, pictures, CLASSES)


def test_that_names_are_one_whatever_their_spelling() -> None:
    assert class_map({1: "TV", 2: "dining_table", 3: "Sofa"}, ("couch", "diningtable", "tvmonitor")) == {
        1: 2,
        2: 1,
        3: 0,
    }
