"""Networks that others trained: decoding and NMS of what they really say of a photograph."""

from __future__ import annotations

import importlib.util
import tomllib
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from tests.oracles import scalar_decoders, scalar_nms
from tests.oracles.scalar_decoders import Way, assert_equal_boxes
from trtviewer.detect.families import decode
from trtviewer.detect.nms import suppress
from trtviewer.models.spec import Family, HeadSpec, InputSpec, ModelSpec, Resize
from trtviewer.opencv import cv2
from trtviewer.preprocess import Placement, Preprocessor

pytestmark = pytest.mark.real

YOLOX_PACKAGE = "ddddocr"
"""MIT; its wheel carries a small YOLOX. `pip install --no-deps ddddocr==1.6.1` brings it, nothing of it is imported."""


def run(model: Path, tensor: np.ndarray) -> dict[str, np.ndarray]:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {session.get_inputs()[0].name: tensor}), strict=True))


def way_of(placement: Placement) -> Way:
    return Way(placement.scale_x, placement.scale_y, placement.offset_x, placement.offset_y)


def assert_equal_detections(boxes, confidence, nms_iou):
    found = suppress(boxes, confidence, nms_iou)
    expected = scalar_nms.suppress(boxes.xyxy, boxes.score, boxes.class_id, confidence, nms_iou)
    assert found.index.tolist() == expected
    return found


@pytest.mark.parametrize("name", ["bus.jpg", "zidane.jpg"])
def test_that_yolov4_tiny_decodes_as_one_value_at_a_time(real_data, name):
    sidecar = tomllib.loads((real_data / "yolov4-tiny.toml").read_text())
    classes = tuple((real_data / sidecar["classes"]).read_text().split("\n")[:80])
    picture = cv2.imread(str(real_data / "images" / name))
    prepared = Preprocessor(InputSpec("images", (416, 416))).prepare(picture)
    heads = run(real_data / "yolov4-tiny.onnx", prepared.tensor)
    specs, told = [], []
    for head in sidecar["head"]:
        array = heads[head["output"]]
        anchors = tuple(map(tuple, head["anchors"]))
        specs.append(
            HeadSpec(head["output"], array.shape, "nchw", head["stride"], anchors, "exp", head["scale_xy"])
        )
        told.append((array, "nchw", head["stride"], anchors, 80, "exp", head["scale_xy"]))
    spec = ModelSpec(
        real_data / "yolov4-tiny.onnx",
        Family.YOLO_ANCHOR,
        classes,
        InputSpec("images", (416, 416)),
        tuple(specs),
    )
    boxes = decode(spec, heads, prepared.placement)
    assert len(boxes) > 20
    assert_equal_boxes(boxes, scalar_decoders.yolo_anchor(told, way_of(prepared.placement)))
    detections = assert_equal_detections(boxes, 0.25, 0.45)
    seen = [classes[index] for index in detections.class_id]
    assert seen.count("person") >= 2
    assert ("bus" in seen) == (name == "bus.jpg")


def test_that_a_trained_yolox_decodes_as_one_value_at_a_time():
    found = importlib.util.find_spec(YOLOX_PACKAGE)
    if found is None:
        pytest.skip(f"pip install --no-deps {YOLOX_PACKAGE}==1.6.1 brings the network that this reads")
    model = Path((found.submodule_search_locations or [""])[0]) / "common_det.onnx"
    # What that network looks for: some large signs on a plain ground. It takes BGR 0..255, picture top left.
    picture = np.full((230, 350, 3), 225, np.uint8)
    for place, sign in (((30, 70), "A"), ((150, 120), "7"), ((260, 190), "K"), ((60, 200), "3")):
        cv2.putText(picture, sign, place, cv2.FONT_HERSHEY_DUPLEX, 2.0, (40, 60, 150), 5)
    spec_in = InputSpec("images", (416, 416), colour="bgr", pixel_scale=1.0, resize=Resize.LETTERBOX_TOPLEFT)
    prepared = Preprocessor(spec_in).prepare(picture)
    heads = run(model, prepared.tensor)
    ((name, array),) = heads.items()
    spec = ModelSpec(model, Family.YOLOX, ("sign",), spec_in, (HeadSpec(name, array.shape, "npc"),))
    boxes = decode(spec, heads, prepared.placement)
    expected = scalar_decoders.flat(
        array[0], way_of(prepared.placement), (416, 416), 1, objectness=True, anchors=1, undecoded=True
    )
    assert_equal_boxes(boxes, expected)
    detections = assert_equal_detections(boxes, 0.25, 0.45)
    # Each sign is in one box: the reading is right, not only equal to another reading of ours.
    for x, y in ((50, 50), (170, 100), (280, 170), (80, 180)):
        around = [
            box
            for box in detections.xyxy
            if box[0] < x < box[2] and box[1] < y < box[3] and box[2] - box[0] < 90
        ]
        assert len(around) == 1, (x, y, detections.xyxy)
