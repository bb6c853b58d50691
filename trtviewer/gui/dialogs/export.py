"""Asks what of the video is to be exported: which frames, how large, and where to."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSpinBox, QWidget

from trtviewer.gui.dialogs.file_form import FileForm, beside_source
from trtviewer.gui.files.video import VideoRequest, frame_size, titles_of
from trtviewer.gui.view_model import ViewModel
from trtviewer.sources.source import FrameRange

_CAMERA_FRAMES = 250
"""How much of a source without an end is offered at first."""
_SIDES = (360, 480, 720, 1080)
"""Heights of each side's picture that are offered, below the source's own."""


class ExportDialog(FileForm):
    """The range that repeats is preselected where there is one, else the whole video. `request` is what was chosen."""

    def __init__(self, view_model: ViewModel, parent: QWidget | None = None) -> None:
        source = view_model.source
        assert source is not None
        path = beside_source(source.address, source.name, "comparison.mp4")
        super().__init__("export", "Export video", "Export", path, "MP4 (*.mp4)", (".mp4",), parent)
        self._view_model = view_model
        length = source.length
        first, last = view_model.playing.loop or (0, (length or _CAMERA_FRAMES) - 1)
        self.first = _number("export.first", first, length)
        self.last = _number("export.last", last, length)
        self.size_box = QComboBox()
        self.size_box.setObjectName("export.size")
        height, width = source.frame_size
        self.size_box.addItem(f"{width} × {height}, as the video", (height, width))
        for side in _SIDES:
            if side < height:
                self.size_box.addItem(
                    f"{round(width * side / height)} × {side}", (side, round(width * side / height))
                )
        frames = QHBoxLayout()
        frames.setSpacing(8)
        frames.addWidget(self.first)
        frames.addWidget(QLabel("to"))
        frames.addWidget(self.last)
        frames.addStretch(1)
        self.form.addRow("Frames", frames)
        self.form.addRow("Each picture", self.size_box)
        self.form.addRow("File", self.file_row)
        for box in (self.first, self.last):
            box.valueChanged.connect(lambda _: self.say())
        self.size_box.currentIndexChanged.connect(lambda _: self.say())
        self.say()

    def request(self) -> VideoRequest:
        """What was chosen, with the models and settings of now."""
        model = self._view_model
        reference, candidate = model.models.reference, model.models.candidate
        assert reference is not None
        assert candidate is not None
        assert reference.spec is not None
        assert candidate.spec is not None
        assert model.source is not None
        path = self.file
        assert path is not None, "the button is dead until a file is named"
        return VideoRequest(
            path=path,
            source=model.source.address,
            frames=FrameRange(self.first.value(), 1, self.last.value() - self.first.value() + 1),
            models=(reference.spec, candidate.spec),
            titles=titles_of((reference.name, candidate.name), (reference.precision, candidate.precision)),
            pane=self.size_box.currentData(),
            settings=model.settings,
            display=model.display,
            theme=model.theme,
            font=self.font(),
        )

    def trouble(self) -> str:
        return "" if self.first.value() <= self.last.value() else "The last frame lies before the first."

    def promise(self) -> str:
        count = self.last.value() - self.first.value() + 1
        height, width = frame_size(self.request())
        fps = self._view_model.source.fps if self._view_model.source is not None else None
        long = f", {count / fps:.1f} s" if fps else ""
        return (
            f"{count:,} frames{long}, {width} × {height}, H.264. Both models run on each frame; "
            "the boxes are those of the thresholds and filters of now."
        )


def _number(name: str, value: int, length: int | None) -> QSpinBox:
    box = QSpinBox()
    box.setObjectName(name)
    box.setRange(0, length - 1 if length is not None else 10_000_000)
    box.setValue(value)
    box.setMinimumWidth(88)
    box.setAlignment(Qt.AlignmentFlag.AlignRight)
    return box
