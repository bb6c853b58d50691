"""A range as MP4: decoded again by PyAV, looked at pixel by pixel; the dialog and its job as a user meets them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QPushButton, QSpinBox
from pytestqt.qtbot import QtBot

from tests.gui.conftest import FRAMES, SIZE, Inputs, number_in
from trtviewer.compare.settings import CompareSettings
from trtviewer.errors import BadInput, Cancelled
from trtviewer.gui.dialogs.export import ExportDialog
from trtviewer.gui.files.makers import video_work
from trtviewer.gui.files.video import FOOT, GAP, HEAD, VideoRequest, write_video
from trtviewer.gui.files.work import FileWork
from trtviewer.gui.theme import BOX_STYLES, DARK
from trtviewer.gui.view_model import (
    Display,
    ModelEntry,
    Models,
    ModelState,
    Playing,
    Progress,
    SourceEntry,
    ViewModel,
)
from trtviewer.models.load import load_spec
from trtviewer.sources.source import FrameRange


@pytest.fixture
def request_(inputs: Inputs, tmp_path: Path, qapp: object) -> VideoRequest:
    return VideoRequest(
        path=tmp_path / "out.mp4",
        source=str(inputs.video),
        frames=FrameRange(4, 1, 8),
        models=(load_spec(inputs.reference), load_spec(inputs.candidate)),
        titles=("tiny.onnx   FP32", "tiny_int8.onnx   INT8"),
        pane=SIZE,
        settings=CompareSettings(),
        display=Display(boxes=False),
        theme=DARK,
        font=QFont(),
    )


@pytest.fixture
def ready(inputs: Inputs, qapp: object) -> ViewModel:
    """A view model with two ready models and the video."""
    model = ViewModel()
    reference, candidate = (
        ModelEntry(path, ModelState.READY, load_spec(path)) for path in (inputs.reference, inputs.candidate)
    )
    model.set_models(Models(reference, (candidate,), 0))
    model.set_source(SourceEntry(str(inputs.video), inputs.video.name, FRAMES, 25.0, SIZE))
    return model


def decoded(path: Path) -> tuple[list[np.ndarray], list[float], str]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        return (
            [frame.to_ndarray(format="rgb24") for frame in frames],
            [float(frame.pts * frame.time_base) for frame in frames],
            stream.codec_context.name,
        )


def sides(frame: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    height, width = SIZE
    return (
        frame[HEAD : HEAD + height, :width],
        frame[HEAD : HEAD + height, width + GAP : 2 * width + GAP],
    )


def test_that_every_frame_of_the_range_is_there_on_both_sides_at_its_own_time(request_: VideoRequest) -> None:
    told: list[tuple[int, int | None]] = []
    assert write_video(request_, lambda done, total: told.append((done, total))) == 8
    frames, times, codec = decoded(request_.path)
    assert codec == "h264"
    assert [number_in(side) for frame in frames for side in sides(frame)] == [
        index for index in range(4, 12) for _ in range(2)
    ]
    assert times == pytest.approx([index / 25 for index in range(8)], abs=1e-4)
    assert told == [(done, 8) for done in range(1, 9)]
    assert frames[0].shape[0] % 2 == frames[0].shape[1] % 2 == 0
    assert not list(request_.path.parent.glob(".*"))


def test_that_boxes_are_painted_in_the_colours_of_the_panes(request_: VideoRequest) -> None:
    write_video(replace(request_, display=Display(labels=False), frames=FrameRange(0, 1, 3), pane=(432, 576)))
    frames, _, _ = decoded(request_.path)
    bare = replace(
        request_, path=request_.path.with_name("bare.mp4"), frames=FrameRange(0, 1, 3), pane=(432, 576)
    )
    write_video(bare)
    plain, _, _ = decoded(bare.path)
    found = 0
    for kind in ("matched", "missed"):
        colour = BOX_STYLES[kind].color
        wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
        for with_boxes, without in zip(frames, plain, strict=True):
            near = [
                (np.abs(frame[HEAD:-HEAD].astype(int) - wanted).max(axis=-1) < 60).sum()
                for frame in (with_boxes, without)
            ]
            found += int(near[0] > near[1] + 20)
    assert found


def test_that_the_words_of_a_large_video_are_as_large_in_proportion(request_: VideoRequest) -> None:
    heights = []
    for name, pane in (("half.mp4", (540, 720)), ("full.mp4", (1080, 1440))):
        large = replace(request_, path=request_.path.with_name(name), frames=FrameRange(5, 1, 1), pane=pane)
        write_video(large)
        (frame,), _, _ = decoded(large.path)
        ratio = pane[0] // 540
        assert frame.shape[:2] == (pane[0] + (HEAD + FOOT) * ratio, 2 * pane[1] + GAP * ratio)
        head = frame[: HEAD * ratio, : pane[1] // 2].max(axis=-1).astype(int)
        written = np.flatnonzero((head > head.min() + 80).any(axis=1))
        heights.append(int(written[-1] - written[0]))
        assert number_in(frame[HEAD * ratio : HEAD * ratio + pane[0], : pane[1]]) == 5
    assert heights[1] == pytest.approx(2 * heights[0], abs=3)


def test_that_a_cancelled_export_leaves_nothing(request_: VideoRequest) -> None:
    done: list[int] = []
    with pytest.raises(Cancelled):
        write_video(request_, lambda count, total: done.append(count), lambda: len(done) >= 2)
    assert list(request_.path.parent.iterdir()) == []


def test_that_an_old_video_stays_where_a_new_one_fails(request_: VideoRequest) -> None:
    request_.path.write_bytes(b"old")
    with pytest.raises(BadInput, match="no frame in this range"):
        write_video(replace(request_, frames=FrameRange(FRAMES, 1, 5)))
    assert request_.path.read_bytes() == b"old"
    with pytest.raises(BadInput, match="cannot be written"):
        write_video(replace(request_, path=request_.path.parent / "not there" / "out.mp4"))


def test_that_the_dialog_offers_the_loop_and_says_what_will_be_written(
    qtbot: QtBot, ready: ViewModel, tmp_path: Path
) -> None:
    ready.set_playing(Playing(loop=(3, 9)))
    dialog = ExportDialog(ready)
    qtbot.addWidget(dialog)
    dialog.show()
    first, last = (dialog.findChild(QSpinBox, f"export.{name}") for name in ("first", "last"))
    assert (first.value(), last.value()) == (3, 9)
    assert "7 frames" in dialog.findChild(QLabel, "export.words").text()
    field = dialog.findChild(QLineEdit, "export.path")
    field.clear()
    assert not dialog.findChild(QPushButton, "export.go").isEnabled()
    for folder in ("/", "~", str(tmp_path)):
        field.setText(folder)
        assert not dialog.findChild(QPushButton, "export.go").isEnabled()
    field.clear()
    qtbot.keyClicks(field, str(tmp_path / "mine"))
    chosen = dialog.request()
    assert chosen.path == tmp_path / "mine.mp4"
    assert list(chosen.frames.indices(FRAMES)) == list(range(3, 10))
    last.setValue(2)
    assert "before the first" in dialog.findChild(QLabel, "export.words").text()
    assert not dialog.findChild(QPushButton, "export.go").isEnabled()
    assert dialog.findChild(QComboBox, "export.size").currentData() == SIZE


def test_that_an_export_shows_progress_and_says_where_it_saved(
    qtbot: QtBot, ready: ViewModel, request_: VideoRequest
) -> None:
    seen: list[Progress] = []
    ready.progress_changed.connect(lambda progress: seen.extend(progress))
    export = FileWork("export", ready)
    with qtbot.waitSignal(export.finished, timeout=20_000):
        export.start("Exporting out.mp4", video_work(request_))
        assert export.running
    assert not export.running
    assert seen[0].title == "Exporting out.mp4"
    assert ready.progress == ()
    assert ready.status == "Saved out.mp4, 8 frames."
    assert len(decoded(request_.path)[0]) == 8


def test_that_cancel_ends_an_export_and_leaves_nothing(
    qtbot: QtBot, ready: ViewModel, request_: VideoRequest
) -> None:
    export = FileWork("export", ready)
    cancel: Callable[[], None] | None = None
    with qtbot.waitSignal(export.finished, timeout=20_000):
        export.start("Exporting", video_work(replace(request_, frames=FrameRange())))
        cancel = ready.progress[0].cancel
        assert cancel is not None
        cancel()
    assert "cancelled" in ready.status
    assert not request_.path.exists()


def test_that_a_failed_export_is_a_banner_with_advice(
    qtbot: QtBot, ready: ViewModel, request_: VideoRequest
) -> None:
    export = FileWork("export", ready)
    with qtbot.waitSignal(export.finished, timeout=20_000):
        export.start(
            "Exporting", video_work(replace(request_, path=request_.path.parent / "not there" / "a.mp4"))
        )
    (problem,) = ready.problems
    assert "cannot be written" in problem.what
    assert problem.advice
    assert problem.retry is not None


def test_that_closing_in_the_middle_waits_and_leaves_nothing(
    ready: ViewModel, request_: VideoRequest
) -> None:
    export = FileWork("export", ready)
    export.start("Exporting", video_work(replace(request_, frames=FrameRange())))
    export.close()
    assert not export.running
    assert not request_.path.exists()


def test_that_the_dialog_is_gone_through_by_keys(qtbot: QtBot, ready: ViewModel) -> None:
    dialog = ExportDialog(ready)
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitExposed(dialog)
    dialog.first.setFocus()
    qtbot.keyClick(dialog.first, Qt.Key.Key_Up)
    assert dialog.first.value() == 1
    with qtbot.waitSignal(dialog.rejected, timeout=2000):
        qtbot.keyClick(dialog, Qt.Key.Key_Escape)
