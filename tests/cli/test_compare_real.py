from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.int8_twin import make_int8_twin
from tests.oracles.independent_compare import Head, independent_compare
from trtviewer.cli.main import run
from trtviewer.models.load import load_spec
from trtviewer.preprocess import Preprocessor
from trtviewer.sources.address import open_source

HEADS = (
    Head("conv29", 32, ((81, 82), (135, 169), (344, 319)), 1.05),
    Head("conv36", 16, ((23, 27), (37, 58), (81, 82)), 1.05),
)
FRAMES = 100


@pytest.fixture(scope="session")
def twin(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The INT8 twin of the real model, calibrated on ten frames of the video."""
    folder = tmp_path_factory.mktemp("twin")
    model = real_data / "yolov4-tiny.onnx"
    spec = load_spec(model)
    assert spec.input is not None
    preprocessor = Preprocessor(spec.input)
    with open_source(str(real_data / "street.avi")) as source:
        tensors = [preprocessor.prepare(source.read(index).picture).tensor for index in range(0, 500, 50)]
    (folder / "coco.names").write_text((real_data / "coco.names").read_text())
    (folder / "twin.toml").write_text((real_data / "yolov4-tiny.toml").read_text())
    return make_int8_twin(model, folder / "twin.onnx", tensors)


@pytest.mark.real
@pytest.mark.slow
def test_that_compare_equals_an_independent_script_on_the_unoptimised_graph(
    real_data: Path, twin: Path, tmp_path: Path
) -> None:
    reference, video = real_data / "yolov4-tiny.onnx", real_data / "street.avi"
    command = f"compare --reference {reference} --candidate {twin} --source {video} --frames {FRAMES}"
    assert run([*command.split(), "--json", str(tmp_path / "r.json")]) == 0
    report = json.loads((tmp_path / "r.json").read_text())
    truth = independent_compare(reference, twin, video, HEADS, 80, FRAMES)

    for output in report["outputs"]:
        for name, value in truth.outputs[output["name"]].items():
            np.testing.assert_allclose(output[name], value, rtol=1e-4, err_msg=f"{output['name']} {name}")
    found = report["detections"]
    assert (found["reference"], found["candidate"], found["matched"]) == (
        truth.reference,
        truth.candidate,
        truth.matched,
    )
    assert {k: v for k, v in found["missed_reasons"].items() if v} == truth.missed_reasons
    assert {k: v for k, v in found["extra_reasons"].items() if v} == truth.extra_reasons
    assert {row["stride"]: row["missed"] for row in report["by_stride"] if row["missed"]} == (
        truth.missed_by_stride
    )
    assert {size: row["missed"] for size, row in report["by_size"].items() if row["missed"]} == (
        truth.missed_by_size
    )
    np.testing.assert_allclose(found["mean_iou"], truth.iou_sum / truth.matched, rtol=1e-4)
    np.testing.assert_allclose(found["mean_score_delta"], truth.score_delta_sum / truth.matched, rtol=1e-4)
