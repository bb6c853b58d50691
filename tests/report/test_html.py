"""The page: whole, self-contained, escaped, small, and of the worst frames only; looked at in a browser where there is one."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.compare.pairs import CLASSES, INFOS, anchor_comparison, anchor_spec
from trtviewer.compare.findings import Findings
from trtviewer.compare.frame_comparison import FrameComparison
from trtviewer.compare.settings import CompareSettings, RefittedSettings
from trtviewer.compare.true_objects import TrueObjects, boxed_objects
from trtviewer.detect.boxes import NO_STRIDE
from trtviewer.errors import BadInput
from trtviewer.models.correspond import correspond
from trtviewer.models.spec import ModelSpec
from trtviewer.opencv import cv2
from trtviewer.report.compare_json import ReportModel, ReportSource
from trtviewer.report.findings_report import findings_report
from trtviewer.report.html import html_report, write_html
from trtviewer.report.page_evidence import PageEvidence, evidence_of
from trtviewer.report.worst_frames import MOST_FRAMES, WorstFrames
from trtviewer.report.worst_pictures import WorstPicture, diverging, picture_of, sequential
from trtviewer.sources.frame import Frame

REFERENCE, CANDIDATE = anchor_spec("reference.onnx"), anchor_spec("candidate.onnx")
HOSTILE = """"><script>document.title='owned'</script><img src=x onerror="document.title='owned'">'&"""


class MadeLabels:
    """Every frame has one true person where nothing is and one where the reference looks."""

    path, kind, left_out, classes = "labels", "coco", ("boat",), frozenset(range(len(CLASSES)))

    def objects(self, frame: Frame) -> TrueObjects:
        return boxed_objects(np.array([[2.0, 2, 30, 40], [60, 60, 100, 110]]), np.array([0, 1], np.int32))


def page_of(
    frames: int, *, truth: bool = False, name: str = "street.avi", **others: Any
) -> tuple[str, dict[str, Any], PageEvidence]:
    reference: ModelSpec = others.get("reference", REFERENCE)
    settings: CompareSettings = others.get("settings", CompareSettings())
    findings = Findings(settings, reference, True, MadeLabels() if truth else None)  # type: ignore[arg-type]
    pictures = WorstFrames[WorstPicture](True)
    for seed in range(frames):
        comparison = comparison_of(seed, settings=settings)
        truth_of_frame = findings.update(comparison)
        pictures.update(comparison, lambda: picture_of(comparison, truth_of_frame))  # noqa: B023
    report = findings_report(
        findings,
        ReportModel(reference, INFOS[0]),
        ReportModel(CANDIDATE, INFOS[1]),
        ReportSource(name, (120, 128), 30.0),
        correspond(REFERENCE, CANDIDATE),
    )
    evidence = evidence_of(
        findings,
        pictures.kept,
        ["s8", "s16"],
        ["trtviewer", "compare", "--source", name],
        {"numpy": "2"},
        {},
    )
    return html_report(report, evidence), report, evidence


def comparison_of(
    seed: int, apart_s: float = 2.0, settings: CompareSettings | None = None
) -> FrameComparison:
    comparison = anchor_comparison(seed, settings)
    picture = np.random.default_rng(seed).integers(0, 256, (120, 128, 3), np.uint8)
    return replace(comparison, frame=Frame(picture, seed, seed * apart_s))


class Outline(HTMLParser):
    """Collects the tags, and checks that each is closed in its order."""

    EMPTY = frozenset({"meta", "img", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [
            value or "" for key, value in attrs if key in ("href", "src", "xlink:href", "action")
        ]
        assert not [key for key, _ in attrs if key.startswith("on")]
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def outline_of(page: str) -> Outline:
    outline = Outline()
    outline.feed(page)
    outline.close()
    assert outline.open == []
    return outline


@pytest.mark.parametrize(("frames", "truth"), [(12, True), (12, False), (1, True), (0, False)])
def test_that_the_page_is_whole_and_asks_nothing_of_the_network(frames: int, truth: bool) -> None:
    page, _, _ = page_of(frames, truth=truth)
    outline = outline_of(page)
    assert not {"script", "link", "iframe", "a", "base", "form"} & set(outline.tags)
    assert all(address.startswith(("data:image/", "#")) for address in outline.addresses)
    assert "http:" not in page
    assert "https:" not in page
    assert "url(" not in page
    assert "@import" not in page


def test_that_the_page_says_what_the_report_says() -> None:
    page, report, _ = page_of(12, truth=True)
    said = " ".join(outline_of(page).words)
    assert "Does INT8 find what FP32 finds?" in said
    for sentence in report["verdict"]:
        assert sentence in said
    detections, truth = report["detections"], report["truth"]
    assert f"{detections['missed']:,} of {detections['reference']:,}" in said
    assert f"{truth['reference']['ap50']:.3f}" in said
    assert "stride 16" in said
    assert "trtviewer compare --source street.avi" in said
    for name in CLASSES:
        assert name in said


def test_that_names_are_escaped_wherever_they_are_from() -> None:
    classes = (HOSTILE, "car", "dog")
    page, _, _ = page_of(8, truth=True, name=HOSTILE, reference=replace(REFERENCE, classes=classes))
    outline = outline_of(page)
    assert "script" not in outline.tags
    assert HOSTILE in " ".join(outline.words)


def test_that_only_the_worst_frames_are_kept_and_in_order() -> None:
    pictures = WorstFrames[WorstPicture](True)
    counts = {}
    for seed in range(3 * MOST_FRAMES):
        comparison = comparison_of(seed)
        counts[seed] = comparison.missed + comparison.extra
        pictures.update(comparison, lambda: picture_of(comparison))  # noqa: B023
        assert len(pictures.kept) <= MOST_FRAMES
    shown = [picture.missed + picture.extra for picture in pictures.kept]
    assert shown == sorted(counts.values(), reverse=True)[:MOST_FRAMES]


def test_that_neighbours_in_a_video_are_shown_once() -> None:
    pictures = WorstFrames[WorstPicture](True)
    for seed in range(12):
        comparison = comparison_of(seed, apart_s=0.04)
        pictures.update(comparison, lambda: picture_of(comparison))  # noqa: B023
    (only,) = pictures.kept
    worst = max(range(12), key=lambda seed: comparison_of(seed).missed + comparison_of(seed).extra)
    assert only.missed + only.extra == comparison_of(worst).missed + comparison_of(worst).extra
    unlike = WorstFrames[WorstPicture](False)
    for seed in range(4):
        comparison = comparison_of(seed, apart_s=0.04)
        unlike.update(comparison, lambda: picture_of(comparison))  # noqa: B023
    assert len(unlike.kept) == 4


def test_that_a_frame_s_picture_and_boxes_are_those_of_the_comparison() -> None:
    comparison = comparison_of(3)
    pictures = WorstFrames[WorstPicture](True)
    pictures.update(comparison, lambda: picture_of(comparison))
    (picture,) = pictures.kept
    decoded = cv2.imdecode(np.frombuffer(picture.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert decoded.shape == comparison.frame.picture.shape
    kinds = [box.kind for box in picture.reference]
    assert kinds.count("missed") == kinds.count("extra-ghost") + comparison.missed - comparison.extra
    assert kinds.count("matched") == len(comparison.matching.pairs)
    for box in (*picture.reference, *picture.candidate):
        x0, y0, x1, y1 = box.xyxy
        assert 0 <= x0 <= x1 <= 128
        assert 0 <= y0 <= y1 <= 120


def test_that_a_large_picture_is_made_small_and_each_is_in_the_page_once() -> None:
    comparison = comparison_of(1)
    large = np.random.default_rng(0).integers(0, 256, (1200, 1280, 3), np.uint8)
    pictures = WorstFrames[WorstPicture](True)
    pictures.update(comparison, lambda: picture_of(replace(comparison, frame=Frame(large, 1, 0.0))))
    jpeg = pictures.kept[0].jpeg
    assert cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).shape == (900, 960, 3)
    _, report, evidence = page_of(2)
    page = html_report(report, replace(evidence, pictures=pictures.kept))
    assert page.count(base64.b64encode(jpeg).decode()) == 1


def test_that_the_page_stays_under_five_megabytes_however_large_the_pictures() -> None:
    _, report, evidence = page_of(2)
    picture = evidence.pictures[0]
    huge = tuple(replace(picture, frame=index, jpeg=bytes(600_000)) for index in range(MOST_FRAMES))
    assert len(html_report(report, replace(evidence, pictures=huge))) < 5_000_000


def test_that_a_page_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    _, report, evidence = page_of(1)
    with pytest.raises(BadInput, match="cannot be written"):
        write_html(tmp_path / "no folder" / "r.html", report, evidence)
    assert list(tmp_path.iterdir()) == []


def test_that_maps_go_from_dark_to_bright_and_from_vermilion_to_blue() -> None:
    low, high = sequential(np.array([[0.0, 1.0]]))[0]
    assert int(low.sum()) < 200 < 400 < int(high.sum())
    less, none, more = diverging(np.array([[-1.0, 0.0, 1.0]]))[0].astype(int)
    assert less[2] > less[0]
    assert more[0] > more[2]
    assert np.ptp(none) <= 2


@pytest.mark.skipif(shutil.which("chromium") is None, reason="there is no Chromium on this machine")
def test_that_a_browser_runs_nothing_of_a_hostile_name(tmp_path: Path) -> None:
    classes = (HOSTILE, "car", "dog")
    page, _, _ = page_of(8, truth=True, name=HOSTILE, reference=replace(REFERENCE, classes=classes))
    (tmp_path / "r.html").write_text(page, encoding="utf-8")
    command = [
        "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-quic",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", (tmp_path / "r.html").as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    title = re.search(r"<title>(.*?)</title>", done.stdout, re.DOTALL)
    assert title is not None, done.stderr
    assert title[1].startswith("Does INT8 find what FP32 finds?")
    assert "<script" not in done.stdout


def test_that_a_threshold_re_fit_is_told_to_whoever_repeats_it() -> None:
    settings = RefittedSettings(thresholds=((1, 8, 0.125), (2, NO_STRIDE, 0.4)))
    page, _, _ = page_of(2, settings=settings)
    assert "class 1, stride 8: 0.125; class 2: 0.4" in page
    assert "of the candidate" not in page_of(2)[0]
