"""Asks what of the video is to be exported: which frames, how large, and where to."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from trtviewer.gui.dialogs.file_name import file_of
from trtviewer.gui.export_video import VideoRequest, frame_size, titles_of
from trtviewer.gui.view_model import ViewModel
from trtviewer.sources.source import FrameRange

_CAMERA_FRAMES = 250
"""How much of a source without an end is offered at first."""
_SIDES = (360, 480, 720, 1080)
"""Heights of each side's picture that are offered, below the source's own."""


class ExportDialog(QDialog):
    """The range that repeats is preselected where there is one, else the whole video. `request` is what was chosen."""

    def __init__(self, view_model: ViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("export")
        self.setWindowTitle("Export video")
        self._view_model = view_model
        source = view_model.source
        assert source is not None
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
        self.path = QLineEdit(str(_default_path(source.address, source.name)))
        self.path.setObjectName("export.path")
        self.path.setMinimumWidth(320)
        browse = QPushButton("Browse…")
        browse.setObjectName("export.browse")
        browse.clicked.connect(self._browse)
        self.words = QLabel()
        self.words.setObjectName("export.words")
        self.words.setProperty("role", "faint")
        self.words.setWordWrap(True)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.buttons.button(QDialogButtonBox.StandardButton.Cancel).setIcon(QIcon())
        self.go = self.buttons.addButton("Export", QDialogButtonBox.ButtonRole.AcceptRole)
        self.go.setObjectName("export.go")
        self.go.setProperty("role", "primary")
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)

        frames = QHBoxLayout()
        frames.setSpacing(8)
        frames.addWidget(self.first)
        frames.addWidget(QLabel("to"))
        frames.addWidget(self.last)
        frames.addStretch(1)
        file = QHBoxLayout()
        file.setSpacing(8)
        file.addWidget(self.path, 1)
        file.addWidget(browse)
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.addRow("Frames", frames)
        form.addRow("Each picture", self.size_box)
        form.addRow("File", file)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(20, 16, 20, 16)
        whole.setSpacing(12)
        whole.addLayout(form)
        whole.addWidget(self.words)
        whole.addWidget(self.buttons)
        for box in (self.first, self.last):
            box.valueChanged.connect(self._say)
        self.size_box.currentIndexChanged.connect(self._say)
        self.path.textChanged.connect(self._say)
        self._say()

    def request(self) -> VideoRequest:
        """What was chosen, with the models and settings of now."""
        model = self._view_model
        reference, candidate = model.models.reference, model.models.candidate
        assert reference is not None
        assert candidate is not None
        assert reference.spec is not None
        assert candidate.spec is not None
        assert model.source is not None
        path = file_of(self.path.text(), ".mp4")
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

    def _say(self) -> None:
        count = self.last.value() - self.first.value() + 1
        named = file_of(self.path.text(), ".mp4") is not None
        self.go.setEnabled(count > 0 and named)
        if count < 1:
            self.words.setText("The last frame lies before the first.")
        elif not named:
            self.words.setText("Name the file.")
        else:
            height, width = frame_size(self.request())
            fps = self._view_model.source.fps if self._view_model.source is not None else None
            long = f", {count / fps:.1f} s" if fps else ""
            self.words.setText(
                f"{count:,} frames{long}, {width} × {height}, H.264. Both models run on each frame; "
                "the boxes are those of the thresholds and filters of now."
            )

    def _browse(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Export video", self.path.text(), "MP4 (*.mp4)")
        if path:
            self.path.setText(path)


def _number(name: str, value: int, length: int | None) -> QSpinBox:
    box = QSpinBox()
    box.setObjectName(name)
    box.setRange(0, length - 1 if length is not None else 10_000_000)
    box.setValue(value)
    box.setMinimumWidth(88)
    box.setAlignment(Qt.AlignmentFlag.AlignRight)
    return box


def _default_path(address: str, name: str) -> Path:
    """Beside the source where it is a file, else in the home folder."""
    source = Path(address)
    stem = Path(name).stem or "comparison"
    folder = source.parent if source.is_file() else Path.home()
    return folder / f"{stem}-comparison.mp4"
