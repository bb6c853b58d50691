"""Asks which frames a report or evidence is to be of, and where to."""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox, QWidget

from trtviewer.gui.dialogs.file_form import FileForm, beside_source
from trtviewer.gui.view_model import ViewModel
from trtviewer.sources.source import FrameRange


class ReportDialog(FileForm):
    """The range that repeats is preselected where there is one, else the whole video. `file` and `frames` are what was chosen.

    Args:
        bundle: evidence is wanted, not the page.
    """

    def __init__(self, view_model: ViewModel, *, bundle: bool, parent: QWidget | None = None) -> None:
        source = view_model.source
        assert source is not None
        assert source.length is not None, "what a camera has shown cannot be read again"
        suffix = ".zip" if bundle else ".html"
        name, title, verb = (
            ("evidence", "Save evidence", "Save") if bundle else ("report", "Export report", "Export")
        )
        proposed = beside_source(source.address, source.name, f"{name}{suffix}")
        kinds = "Evidence (*.zip)" if bundle else "Pages (*.html)"
        super().__init__(name, title, verb, proposed, kinds, (suffix,), parent)
        self._bundle, self._length = bundle, source.length
        self.range = QComboBox()
        self.range.setObjectName(f"{name}.range")
        whole = "The whole video" if source.fps else "All pictures"
        count = "1 frame" if source.length == 1 else f"{source.length:,} frames"
        self.range.addItem(f"{whole} ({count})", FrameRange())
        if view_model.playing.loop is not None:
            first, last = view_model.playing.loop
            self.range.addItem(
                f"The loop: frames {first:,} to {last:,}", FrameRange(first, 1, last - first + 1)
            )
            self.range.setCurrentIndex(1)
        here = view_model.position.frame_index
        self.range.addItem(f"This frame: {here:,}", FrameRange(here, 1, 1))
        self.form.addRow("Frames", self.range)
        self.form.addRow("File", self.file_row)
        self.range.currentIndexChanged.connect(lambda _: self.say())
        self.say()

    @property
    def frames(self) -> FrameRange:
        """The frames that were chosen."""
        chosen: FrameRange = self.range.currentData()
        return chosen

    def promise(self) -> str:
        count = self.frames.size(self._length)
        frames = "it" if count == 1 else f"{count:,} frames"
        what = (
            "the worst frames, with both sides' outputs: opens again with no model"
            if self._bundle
            else "one page to mail, which opens with no network"
        )
        return f"Both models run on {frames}, at the thresholds of now. Writes {what}."
