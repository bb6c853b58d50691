"""Blame for one object, against models that are quantized in one layer alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests import model_zoo
from tests.blame import small
from trtviewer.blame.one_object import ObjectInspector
from trtviewer.blame.pairing import load_twin
from trtviewer.blame.receptive_field import Region
from trtviewer.compare.settings import CompareSettings
from trtviewer.detect.families import cell_channels
from trtviewer.errors import BadInput
from trtviewer.models.load import load_spec
from trtviewer.pipeline.analysis import comparisons
from trtviewer.pipeline.pair import open_pair
from trtviewer.sources.address import open_source
from trtviewer.sources.source import FrameRange


@pytest.mark.parametrize("family", ["anchor", "dfl"])
def test_that_a_layers_shift_is_that_of_the_model_quantized_in_it_alone(family: str, tmp_path: Path) -> None:
    make = {"anchor": model_zoo.tiny_yolo_anchor, "dfl": model_zoo.tiny_yolo_dfl}[family]
    model = make(tmp_path / "tiny.onnx")
    reference = load_spec(model)
    twin = load_twin(reference, load_spec(small.ours_of(model, tmp_path / "int8.onnx")))
    inspector = ObjectInspector(twin, threads=1)
    folder = small.noise_pictures(tmp_path / "frames", 1)
    with open_source(str(folder)) as source:
        with open_pair(reference, twin.candidate) as pair:
            (whole,) = comparisons(source, FrameRange(), pair, CompareSettings())
        boxes = whole.reference.boxes
        head, position, class_id = (int(column[0]) for column in (boxes.head, boxes.position, boxes.class_id))
        found = inspector.inspect(whole.frame, head, position, class_id)

        def at_cell(heads: object) -> np.ndarray:
            return cell_channels(reference, heads, head, np.array([position]))[0]  # type: ignore[arg-type]

        truth = at_cell(whole.reference.heads)
        np.testing.assert_allclose(found.reference, truth, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(found.candidate, at_cell(whole.candidate.heads), rtol=1e-4, atol=1e-4)
        groups = [channel.group for channel in found.channels]
        assert len(groups) == len(truth)
        score = [groups.index("class") + class_id]
        score += [groups.index("objectness")] if "objectness" in groups else []
        shifts = [each.score_shift for each in found.layers if each.score_shift is not None]
        assert shifts == sorted(shifts)
        for each in (found.layers[0], found.layers[len(shifts) // 2]):
            others = [layer.name for layer in twin.layers if layer.name != each.layer.name]
            alone = load_spec(small.ours_of(model, tmp_path / f"{found.layers.index(each)}.onnx", others))
            with open_pair(reference, alone) as pair:
                (one,) = comparisons(source, FrameRange(), pair, CompareSettings())
            expected = float((at_cell(one.candidate.heads) - truth)[score].sum())
            assert each.score_shift == pytest.approx(expected, rel=1e-2, abs=1e-4)


def test_that_errors_are_of_the_part_that_the_cell_sees(tmp_path: Path) -> None:
    model = model_zoo.tiny_yolo_anchor(tmp_path / "tiny.onnx")
    twin = load_twin(load_spec(model), load_spec(small.ours_of(model, tmp_path / "int8.onnx")))
    inspector = ObjectInspector(twin, threads=1)
    with open_source(str(small.noise_pictures(tmp_path / "frames", 1))) as source:
        found = inspector.inspect(source.read(0), 0, 0, 0)
    last = next(each for each in found.layers if each.region == Region(0, 1, 0, 1))
    assert last.own.mse is not None and last.cumulative.mse is not None
    # Of the head itself the cell sees just itself: the error there is that of all of its anchors' values.
    assert last.cumulative.mse >= np.mean((found.candidate - found.reference) ** 2) / 100


def test_that_boxes_after_nms_have_no_cell(tmp_path: Path) -> None:
    model = model_zoo.tiny_end2end(tmp_path / "tiny.onnx")
    twin = load_twin(load_spec(model), load_spec(small.ours_of(model, tmp_path / "int8.onnx")))
    with pytest.raises(BadInput, match="no cells"):
        ObjectInspector(twin)
