"""One network exported in two ways gives the same boxes: what the graph decodes itself checks what is decoded here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort

from tests import model_zoo
from trtviewer.detect.boxes import CandidateBoxes
from trtviewer.detect.families import decode
from trtviewer.models.spec import Family, HeadSpec, InputSpec, ModelSpec
from trtviewer.preprocess import Preprocessor

SIZE = (64, 96)
CLASSES = ("car", "person", "sign")


def boxes_of(path: Path, family: Family, *heads: HeadSpec) -> CandidateBoxes:
    """What the network makes of noise; the heads' shapes are those that it gives."""
    spec_in = InputSpec("images", SIZE)
    picture = np.random.default_rng(7).integers(0, 256, (90, 100, 3), dtype=np.uint8)
    prepared = Preprocessor(spec_in).prepare(picture)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [head.output for head in heads]
    arrays = session.run(names, {"images": prepared.tensor})
    given = {name: np.asarray(array, np.float32) for name, array in zip(names, arrays, strict=True)}
    shaped = tuple(
        HeadSpec(
            head.output,
            given[head.output].shape,
            head.layout,
            head.stride,
            head.anchors,
            head.box,
            decoded=head.decoded,
        )
        for head in heads
    )
    return decode(ModelSpec(path, family, CLASSES, spec_in, shaped), given, prepared.placement)


def assert_same(one: CandidateBoxes, other: CandidateBoxes) -> None:
    """Equal within the float32 arithmetic of the graph, each in the order of its own scores."""
    assert len(one) > 10
    assert len(other) == len(one)
    for boxes in (one, other):
        assert (np.diff(boxes.score) <= 0).all()
    order, others = (np.lexsort((b.xyxy[:, 0].round(2), b.score.round(4), b.class_id)) for b in (one, other))
    np.testing.assert_allclose(one.score[order], other.score[others], atol=1e-4)
    np.testing.assert_array_equal(one.class_id[order], other.class_id[others])
    np.testing.assert_allclose(one.xyxy[order], other.xyxy[others], rtol=1e-4, atol=1e-3)


def test_that_raw_maps_give_the_boxes_of_the_same_network_exported_with_its_grid(tmp_path):
    raw = model_zoo.tiny_yolo_anchor(tmp_path / "raw.onnx", seed=4, classes=3, size=SIZE, box="square")
    flat = model_zoo.tiny_yolo_flat(tmp_path / "flat.onnx", seed=4, classes=3, size=SIZE)
    heads = [
        HeadSpec(f"head{stride}", (), "nchw", stride, model_zoo.ANCHORS[stride], "square")
        for stride in (8, 16, 32)
    ]
    one = boxes_of(raw, Family.YOLO_ANCHOR, *heads)
    other = boxes_of(flat, Family.YOLO_FLAT, HeadSpec("output0", (), "npc"))
    assert_same(one, other)
    # And each comes from the same place: the flat positions are those of the three heads, one after the other.
    starts = np.array([0, 3 * 8 * 12, 3 * 8 * 12 + 3 * 4 * 6])
    assert sorted(starts[one.head] + one.position) == sorted(other.position)
    assert sorted(one.stride) == sorted(other.stride)


def test_that_undecoded_yolox_gives_the_boxes_of_the_decoded_export(tmp_path):
    raw = model_zoo.tiny_yolox(tmp_path / "raw.onnx", seed=2, classes=3, size=SIZE)
    done = model_zoo.tiny_yolox(tmp_path / "done.onnx", seed=2, classes=3, size=SIZE, decoded=True)
    one = boxes_of(raw, Family.YOLOX, HeadSpec("output", (), "npc"))
    other = boxes_of(done, Family.YOLOX, HeadSpec("output", (), "npc", decoded=True))
    assert_same(one, other)
    assert sorted(zip(one.position, one.stride, strict=True)) == sorted(
        zip(other.position, other.stride, strict=True)
    )


def test_that_both_layouts_of_yolo_dfl_give_the_same_boxes(tmp_path):
    one = model_zoo.tiny_yolo_dfl(tmp_path / "one.onnx", seed=3, classes=3, size=SIZE)
    other = model_zoo.tiny_yolo_dfl(tmp_path / "other.onnx", seed=3, classes=3, size=SIZE, transposed=True)
    assert_same(
        boxes_of(one, Family.YOLO_DFL, HeadSpec("output0", (), "ncp")),
        boxes_of(other, Family.YOLO_DFL, HeadSpec("output0", (), "npc")),
    )


def test_that_end_to_end_rows_are_the_best_of_the_same_network_without(tmp_path):
    raw = model_zoo.tiny_yolo_dfl(tmp_path / "raw.onnx", seed=3, classes=3, size=SIZE)
    every = boxes_of(raw, Family.YOLO_DFL, HeadSpec("output0", (), "ncp"))
    for name, four in (("rows.onnx", False), ("four.onnx", True)):
        path = model_zoo.tiny_end2end(
            tmp_path / name, seed=3, classes=3, size=SIZE, limit=15, efficient_nms=four
        )
        outputs = ("num_dets", "det_boxes", "det_scores", "det_classes") if four else ("output0",)
        best = boxes_of(path, Family.END2END, *(HeadSpec(output, (), "") for output in outputs))
        assert best.final
        assert 5 < len(best) <= 15
        np.testing.assert_allclose(best.score, every.score[: len(best)], rtol=1e-6)
        np.testing.assert_array_equal(best.class_id, every.class_id[: len(best)])
        np.testing.assert_allclose(best.xyxy, every.xyxy[: len(best)], rtol=1e-4, atol=1e-3)
