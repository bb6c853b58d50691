"""The preprocessing check, on the demo's detector fed rightly and wrongly."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trtviewer.blame.preprocessing_check import IMAGENET, check_preprocessing, variants
from trtviewer.compare.settings import CompareSettings
from trtviewer.errors import BadInput
from trtviewer.models.load import load_spec
from trtviewer.models.spec import InputSpec, ModelSpec, Resize
from trtviewer.resources import resource
from trtviewer.runners.choose import open_runner
from trtviewer.sources.address import open_source
from trtviewer.sources.frame import Frame


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    with open_source("scene:street") as source:
        return [source.read(index) for index in (0, 150)]


@pytest.fixture(scope="module")
def detector() -> ModelSpec:
    return load_spec(resource("demo/detector.onnx"))


def report_with(detector: ModelSpec, frames: list[Frame], **wrong: object):  # type: ignore[no-untyped-def]
    assert detector.input is not None
    spec = replace(detector, input=replace(detector.input, **wrong))
    with open_runner(spec, threads=1) as runner:
        return check_preprocessing(frames, CompareSettings(), runner)


def test_that_the_right_preprocessing_is_left_alone(detector: ModelSpec, frames: list[Frame]) -> None:
    report = report_with(detector, frames)
    assert report.likely is None
    assert report.words().startswith("the preprocessing fits")
    now = report.tried[0]
    assert now.change == ""
    assert now.confirmed > now.doubtful
    assert now.agreement is None


@pytest.mark.parametrize(
    ("wrong", "change"),
    [
        ({"colour": "bgr"}, "RGB order"),
        ({"pixel_scale": 1.0}, "values 0..1"),
        ({"mean": IMAGENET[0], "std": IMAGENET[1]}, "values 0..1"),
    ],
    ids=["bgr", "0..255", "imagenet"],
)
def test_that_a_wrong_one_is_told_with_the_right_one(
    detector: ModelSpec, frames: list[Frame], wrong: dict[str, object], change: str
) -> None:
    report = report_with(detector, frames, **wrong)
    assert report.likely is not None
    assert report.likely.change == change
    assert f"with {change} the model agrees with itself" in report.words()


def test_that_a_candidates_agreement_is_beside_it(detector: ModelSpec, frames: list[Frame]) -> None:
    good = load_spec(resource("demo/detector-int8-good.onnx"))
    with open_runner(detector, threads=1) as reference, open_runner(good, threads=1) as candidate:
        report = check_preprocessing(frames[:1], CompareSettings(), reference, candidate)
    assert report.tried[0].agreement is not None
    assert report.tried[0].agreement > 0.7


def test_that_every_variant_changes_something_and_comes_once() -> None:
    for spec in (
        InputSpec("images", (64, 64)),
        InputSpec("images", (64, 64), colour="bgr", pixel_scale=1.0, resize=Resize.STRETCH),
        InputSpec("images", (64, 64), mean=IMAGENET[0], std=IMAGENET[1], resize=Resize.LETTERBOX_TOPLEFT),
    ):
        found = variants(spec)
        assert found[0] == ("", spec)
        inputs = [each for _, each in found]
        assert len(set(inputs)) == len(inputs)
        assert all(change for change, _ in found[1:])


def test_that_cancelling_reports_what_was_tried_whole(detector: ModelSpec, frames: list[Frame]) -> None:
    runs: list[int] = []
    with open_runner(detector, threads=1) as runner:
        report = check_preprocessing(
            frames, CompareSettings(), runner, progress=runs.append, cancelled=lambda: len(runs) >= 3
        )
    assert [tried.change for tried in report.tried] == ["", "BGR order"][: len(report.tried)]
    assert len(report.tried) == 1


def test_that_no_frame_is_bad_input(detector: ModelSpec) -> None:
    with open_runner(detector, threads=1) as runner, pytest.raises(BadInput, match="no frame"):
        check_preprocessing([], CompareSettings(), runner)
