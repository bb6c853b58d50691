"""What ships with the program keeps its limits: sizes, work, heads, and the figures that its README promises."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import pytest

from trtviewer.models.load import load_spec
from trtviewer.models.spec import Family
from trtviewer.resources import resource

MODELS = ("detector", "detector-int8-careless", "detector-int8-good")


def test_that_all_resources_together_stay_under_20_mb() -> None:
    files = [path for path in resource().rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert sum(path.stat().st_size for path in files) < 20e6


@pytest.mark.parametrize("name", MODELS)
def test_that_a_bundled_model_is_small_and_says_what_it_is(name: str) -> None:
    path = resource("demo", f"{name}.onnx")
    assert path.stat().st_size <= 6e6
    spec = load_spec(path)
    assert spec.family is Family.YOLO_ANCHOR
    assert spec.classes == ("car", "truck", "person", "cyclist")
    assert [(head.output, head.stride, len(head.anchors)) for head in spec.heads] == [
        ("large", 32, 3), ("medium", 16, 3), ("small", 8, 3)
    ]  # fmt: skip
    assert spec.input is not None and spec.input.size == (416, 416)


def test_that_the_detector_is_opset_17_and_at_most_1_2_gflop() -> None:
    model = onnx.shape_inference.infer_shapes(onnx.load(resource("demo", "detector.onnx")))
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 17)]
    weights = {constant.name: list(constant.dims) for constant in model.graph.initializer}
    places = {
        value.name: [d.dim_value for d in value.type.tensor_type.shape.dim]
        for value in (*model.graph.value_info, *model.graph.output)
    }
    work = 0
    for node in model.graph.node:
        assert node.op_type in {"Conv", "LeakyRelu", "Resize", "Concat"}
        if node.op_type == "Conv":
            work += 2 * int(np.prod(weights[node.input[1]])) * int(np.prod(places[node.output[0]][2:]))
    assert 0.5e9 < work <= 1.2e9


@pytest.fixture(scope="module")
def metrics() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = json.loads(resource("demo", "metrics.json").read_text(encoding="utf-8"))
    return loaded


def test_that_the_measured_precision_is_what_was_asked_for(metrics: Mapping[str, Any]) -> None:
    assert metrics["first_seed"] > 901_000 and metrics["frames"] >= 400
    reached = metrics["ap50"]["detector"]
    assert reached["all"]["all"] >= 0.90 and reached["all"]["small"] >= 0.75
    for condition in ("day", "rain", "night"):
        assert reached[condition]["small"] >= 0.65


def test_that_the_careless_twin_loses_small_objects_at_night_and_the_good_one_does_not(
    metrics: Mapping[str, Any],
) -> None:
    careless = metrics["at_confidence_0.25"]["detector-int8-careless"]["night"]["small"]
    good = metrics["at_confidence_0.25"]["detector-int8-good"]["night"]["small"]
    assert careless["missed_rate"] >= 0.10
    assert good["missed_rate"] <= 0.03
    assert careless["reference"] == good["reference"] > 1000
