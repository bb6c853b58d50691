"""Evidence written, and opened again with no model: the same pixels, heads and figures; and every way it can be damaged."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.compare.pairs import anchor_comparison, compared, dfl_spec, disturbed, random_heads
from tests.model_zoo import quantized_twin, tiny_yolo_anchor
from trtviewer.cli.main import run
from trtviewer.compare.frame_comparison import FrameComparison
from trtviewer.compare.settings import CompareSettings, RefittedSettings
from trtviewer.detect.boxes import NO_STRIDE
from trtviewer.errors import BadInput, BadUsage, TrtviewerError
from trtviewer.evidence_files import MANIFEST
from trtviewer.models.load import load_spec
from trtviewer.opencv import cv2
from trtviewer.pipeline.pair import open_pair
from trtviewer.report.bundle import open_bundle, write_bundle
from trtviewer.report.comparison_run import ComparisonRun
from trtviewer.runners.choose import open_runner
from trtviewer.sources.address import open_source
from trtviewer.sources.source import FrameRange

SETTINGS = CompareSettings(confidence=0.3, match_iou=0.6)
VERSIONS = {"trtviewer": "0"}
HASHES = {"reference": "0" * 64, "candidate": None}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def evidence(path: Path, seeds: tuple[int, ...] = (7, 3, 12)) -> list[FrameComparison]:
    made = [anchor_comparison(seed, SETTINGS) for seed in seeds]
    write_bundle(path, made, {"frames": 40, "verdict": ["It is so."]}, VERSIONS, HASHES)
    return sorted(made, key=lambda comparison: comparison.frame.index)


def test_that_a_bundle_gives_back_pixels_heads_and_settings(tmp_path: Path) -> None:
    made = evidence(tmp_path / "e.zip")
    bundle = open_bundle(tmp_path / "e.zip")
    assert bundle.settings == SETTINGS
    assert bundle.frames == (3, 7, 12)
    assert bundle.report["verdict"] == ["It is so."]
    assert bundle.manifest["reference"]["precision"] == "fp32"
    assert bundle.manifest["candidate"]["emulated"] is True
    assert bundle.manifest["versions"] == VERSIONS
    with open_source(bundle.source) as source:
        assert source.length == 3
        for index, comparison in enumerate(made):
            frame = source.read(index)
            assert np.array_equal(frame.picture, comparison.frame.picture)
            assert frame.name == f"{comparison.frame.index:06d}.png"
    for path, side in ((bundle.reference, "reference"), (bundle.candidate, "candidate")):
        spec = load_spec(path)
        of_model = getattr(made[0], side).spec
        assert (spec.family, spec.classes, spec.input.size) == (
            of_model.family,
            of_model.classes,
            of_model.input.size,
        )
        assert [(head.output, head.shape, head.stride, head.anchors) for head in spec.heads] == [
            (head.output, head.shape, head.stride, head.anchors) for head in of_model.heads
        ]
        with open_runner(spec) as runner:
            for index, comparison in enumerate(made):
                heads = runner.run(np.zeros((1, 3, 64, 64), np.float32), index).heads
                for name, values in getattr(comparison, side).heads.items():
                    assert np.array_equal(heads[name], values)


def test_that_a_threshold_re_fit_is_in_force_again(tmp_path: Path) -> None:
    settings = RefittedSettings(0.3, thresholds=((0, 8, 0.12), (1, NO_STRIDE, 0.5)))
    write_bundle(tmp_path / "e.zip", [anchor_comparison(1, settings)], {"frames": 1}, VERSIONS, HASHES)
    assert open_bundle(tmp_path / "e.zip").settings == settings


def test_that_a_side_is_called_by_its_model_and_its_arithmetic(tmp_path: Path) -> None:
    made = evidence(tmp_path / "e.zip")
    for side in ("reference", "candidate"):
        spec, of_model = load_spec(tmp_path / "e.zip" / side), getattr(made[0], side)
        assert spec.name == of_model.spec.path.name
        assert spec.path == tmp_path / "e.zip" / side
        with open_runner(spec) as runner:
            assert runner.info.precision == of_model.info.precision
            assert runner.info.emulated is of_model.info.emulated
    again = tmp_path / "again.zip"
    page = tmp_path / "again.html"
    options = ("--json", str(tmp_path / "again.json"), "--bundle", str(again), "--html", str(page))
    command = ["compare", "--source", str(tmp_path / "e.zip"), *options]
    for side in ("reference", "candidate"):
        command += [f"--{side}", str(tmp_path / "e.zip" / side)]
    assert run(command) == 0
    report = json.loads((tmp_path / "again.json").read_text())
    assert report["verdict"][0].startswith("INT8 ")
    assert report["candidate"]["emulated"] is True
    assert "nothing is run: they have no latency" in page.read_text()
    assert "its speed stands for nothing" not in page.read_text()
    assert load_spec(again / "candidate").name == made[0].candidate.spec.path.name
    assert open_bundle(again).manifest["reference"]["sha256"] == HASHES["reference"]


def test_that_diff_takes_a_side_and_says_so_of_a_whole_bundle(tmp_path: Path) -> None:
    evidence(tmp_path / "e.zip")
    sides = [str(tmp_path / "e.zip" / side) for side in ("reference", "candidate")]
    assert run(["diff", *sides, "--json", str(tmp_path / "d.json")]) == 0
    difference = json.loads((tmp_path / "d.json").read_text())
    assert difference["frames"] == 3
    assert all(output["mse"] > 0 for output in difference["outputs"])
    with pytest.raises(BadInput) as caught:
        run(["diff", str(tmp_path / "e.zip"), str(tmp_path / "e.zip")])
    assert f"give {sides[0]} or {sides[1]}" in str(caught.value)


def test_that_other_families_come_back_too(tmp_path: Path) -> None:
    spec = dfl_spec("reference.onnx")
    heads = random_heads(spec, 1)
    comparison = compared(spec, dfl_spec("candidate.onnx"), (heads, disturbed(heads, 2)))
    write_bundle(tmp_path / "e.zip", [comparison], {}, VERSIONS, HASHES)
    again = load_spec(tmp_path / "e.zip" / "candidate")
    assert (again.family, again.heads[0].layout, again.heads[0].shape) == (
        spec.family,
        "ncp",
        spec.heads[0].shape,
    )


def test_that_the_same_evidence_is_the_same_file(tmp_path: Path) -> None:
    evidence(tmp_path / "a.zip")
    evidence(tmp_path / "b.zip", seeds=(3, 12, 7))
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    quantized_twin(tiny_yolo_anchor(folder / "a.onnx", seed=1), folder / "b.onnx")
    (folder / "pictures").mkdir()
    for index in range(12):
        noise = np.random.default_rng(index).integers(0, 256, (60, 80, 3), np.uint8)
        cv2.imwrite(str(folder / "pictures" / f"{index}.png"), noise)
    return folder


def compare(source: Path, reference: Path, candidate: Path, out: Path, *options: str) -> dict[str, Any]:
    command = ["compare", "--reference", str(reference), "--candidate", str(candidate)]
    assert run([*command, "--source", str(source), "--json", str(out), *options]) == 0
    report: dict[str, Any] = json.loads(out.read_text())
    return report


def test_that_comparing_a_bundle_gives_the_figures_of_its_frames(models: Path, tmp_path: Path) -> None:
    pair = models / "a.onnx", models / "b.onnx"
    evidence = tmp_path / "e.zip"
    compare(models / "pictures", *pair, tmp_path / "all.json", "--bundle", str(evidence))
    frames = open_bundle(evidence).frames
    assert len(frames) == 8
    again = compare(evidence, evidence / "reference", evidence / "candidate", tmp_path / "again.json")
    assert again["frames"] == 8
    worst = {
        frame["frame"]: frame for frame in json.loads((tmp_path / "all.json").read_text())["frames_worst"]
    }
    for frame in again["frames_worst"]:
        before = worst[frames[frame["frame"]]]
        assert (frame["missed"], frame["extra"]) == (before["missed"], before["extra"])
        assert frame["mse"] == pytest.approx(before["mse"], rel=1e-9)
    assert again["by_stride"][0]["stride"] == 8


def test_that_the_hash_is_of_the_model_that_ran_though_its_file_is_another_since(
    models: Path, tmp_path: Path
) -> None:
    model, bundle = tmp_path / "a.onnx", tmp_path / "e.zip"
    for suffix in (".onnx", ".toml"):
        shutil.copy(models / f"a{suffix}", model.with_suffix(suffix))
    ran = hashlib.sha256(model.read_bytes()).hexdigest()
    with (
        open_source(str(models / "pictures")) as source,
        open_pair(load_spec(model), load_spec(models / "b.onnx")) as pair,
    ):
        running = ComparisonRun(source, pair, SETTINGS, bundle=bundle)
        frames = list(running.frames(FrameRange()))
        shutil.copy(models / "b.onnx", model)
        running.write(running.report())
    assert frames
    assert open_bundle(bundle).manifest["reference"]["sha256"] == ran


def test_that_a_model_that_agrees_leaves_evidence_too(models: Path, tmp_path: Path) -> None:
    same = models / "a.onnx"
    compare(models / "pictures", same, same, tmp_path / "r.json", "--bundle", str(tmp_path / "e.zip"))
    assert len(open_bundle(tmp_path / "e.zip").frames) == 8


def test_that_its_sides_are_named_and_another_archive_is_no_evidence(tmp_path: Path) -> None:
    evidence(tmp_path / "e.zip")
    with pytest.raises(BadInput, match="is an evidence bundle of two models"):
        load_spec(tmp_path / "e.zip")
    with pytest.raises(BadInput, match="has no 'third'"):
        load_spec(tmp_path / "e.zip" / "third")
    with pytest.raises(BadInput, match="does not exist"):
        load_spec(tmp_path / "absent.zip" / "reference")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("a.txt", "hello")
    with pytest.raises(BadInput):
        open_source(str(tmp_path / "other.zip"))


def rewritten(path: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    """The same zip with other entries."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    change(entries)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)


def in_manifest(key: str, value: Any) -> Callable[[dict[str, bytes]], None]:
    def change(entries: dict[str, bytes]) -> None:
        entries[MANIFEST] = json.dumps(json.loads(entries[MANIFEST]) | {key: value}).encode()

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            lambda entries: entries.update({"frames/000003.png": b"other"}),
            "frames/000003.png is not what was",
        ),
        (lambda entries: entries.pop("reference/000007.npz"), "disagree on reference/000007.npz"),
        (lambda entries: entries.update({"frames/000099.png": b""}), "disagree on frames/000099.png"),
        (lambda entries: entries.update({"../../evil.sh": b"rm"}), "holds '../../evil.sh'"),
        (lambda entries: entries.update({"/etc/passwd": b"x"}), "holds '/etc/passwd'"),
        (lambda entries: entries.update({MANIFEST: b"{"}), "has a manifest that cannot be read"),
        (in_manifest("schema", "trtviewer.bundle/9"), "is of the kind 'trtviewer.bundle/9'"),
        (in_manifest("settings", {"confidence": 7}), "confidence is 7"),
        (in_manifest("settings", {"speed": 7}), "has a manifest or report that cannot be read"),
        (
            in_manifest("settings", {"candidate_thresholds": [[0, 8]]}),
            "has a manifest or report that cannot be read",
        ),
    ],
)
def test_that_a_damaged_or_foreign_bundle_is_one_clear_line(
    tmp_path: Path, own_cache: Path, change: Callable[[dict[str, bytes]], None], says: str
) -> None:
    evidence(tmp_path / "e.zip")
    rewritten(tmp_path / "e.zip", change)
    with pytest.raises(TrtviewerError) as caught:
        open_bundle(tmp_path / "e.zip")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list(own_cache.rglob("*evil*"))
    assert not list(own_cache.rglob(".unpacking-*"))


def test_that_a_bundle_cut_short_is_said(tmp_path: Path) -> None:
    evidence(tmp_path / "e.zip")
    data = (tmp_path / "e.zip").read_bytes()
    (tmp_path / "e.zip").write_bytes(data[: len(data) // 2])
    with pytest.raises(BadInput, match="is no evidence bundle, or is damaged"):
        open_bundle(tmp_path / "e.zip")


def test_that_a_cache_that_cannot_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evidence(tmp_path / "e.zip")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(BadInput, match="cannot be unpacked"):
        open_bundle(tmp_path / "e.zip")


def test_that_a_bundle_is_unpacked_once_and_forgotten_after_a_month(tmp_path: Path, own_cache: Path) -> None:
    evidence(tmp_path / "a.zip")
    evidence(tmp_path / "b.zip", seeds=(1,))
    open_bundle(tmp_path / "a.zip")
    (folder,) = (own_cache / "trtviewer" / "evidence").iterdir()
    marked = folder / "frames" / "000003.png"
    os.utime(marked, (1, 1))
    open_bundle(tmp_path / "a.zip")
    assert marked.stat().st_mtime == 1
    os.utime(folder, (1, 1))
    open_bundle(tmp_path / "b.zip")
    assert not folder.exists()


def test_that_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be written"):
        evidence(tmp_path / "no folder" / "e.zip")
    with pytest.raises(BadUsage, match=r"call it .*e\.zip"):
        evidence(tmp_path / "e.tar")
    with pytest.raises(BadInput, match="no frame"):
        write_bundle(tmp_path / "e.zip", [], {}, VERSIONS, HASHES)
    assert list(tmp_path.iterdir()) == []
