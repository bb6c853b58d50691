"""Says how a model is to be read where its file does not: family, classes, anchors, input; seen at once on the frame."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from trtviewer.errors import TrtviewerError
from trtviewer.gui.border import Border, QueueBorder
from trtviewer.gui.dialogs.preview import Outputs, Preview, Reading, Trial
from trtviewer.gui.dialogs.reading_form import NotANumberList, ReadingForm
from trtviewer.gui.panes.frame_pane import FramePane
from trtviewer.gui.panes.labels import LabelFont
from trtviewer.gui.panes.layer import Sheet
from trtviewer.gui.panes.render import Rendered, RenderRequest, RenderThread, Shown
from trtviewer.gui.panes.viewport import Viewport
from trtviewer.gui.view_model import Display, ViewModel
from trtviewer.models.sidecar import sidecar_path, write_sidecar

TRY_AFTER_MS = 250


class ModelReading(QDialog):
    """Not modal: the window goes on. Saves a sidecar beside the model and emits `saved` with the model's path.

    Args:
        readings_found: the readings that the loader found, as phrases; the first is preselected.
    """

    saved = Signal(object)

    def __init__(
        self,
        path: Path,
        view_model: ViewModel,
        readings_found: tuple[str, ...],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("model_reading")
        self.setWindowTitle(f"How is {path.name} read?")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(980, 600)
        self._path = path
        self._model = view_model
        self._trial = Trial()
        self._asked = False
        self._stopped = False
        self._trials = Border(self)
        self._trials.arrived.connect(self._take_trial)
        self._rendered = Border(self)
        self._errors = QueueBorder(self)
        self._errors.arrived.connect(lambda error: self.said.setText(str(error)))
        self._label_font = LabelFont.of(self.font())
        self._viewport = Viewport(self)
        self.pane = FramePane(self._viewport, self)
        self.pane.theme = view_model.theme
        self.pane.sides = ("reference",)
        self.pane.setObjectName("model_reading.pane")
        self._rendered.arrived.connect(self.pane.set_rendered)
        self._viewport.changed.connect(self._render_again)
        self.pane.resized.connect(self._render_again)
        self._render = RenderThread(self._rendered.publish, self._errors.publish)
        view_model.source_changed.connect(self._source_changed)
        self._try_timer = QTimer(self, interval=TRY_AFTER_MS, singleShot=True)
        self._try_timer.timeout.connect(self._try)
        self._make(readings_found)
        self._source_changed()
        self._outputs = Border(self)
        self._outputs.arrived.connect(self._take_outputs)
        self._preview = Preview(path, self._outputs.publish, self._trials.publish)

    # Making -------------------------------------------------------------------------------------------------------

    def _make(self, readings_found: tuple[str, ...]) -> None:
        self.form = ReadingForm(self._path.parent, readings_found, self)
        self.form.changed.connect(self._try_timer.start)
        self.said = QLabel(f"Reading {self._path.name} …", self)
        self.said.setObjectName("reading.said")
        self.said.setWordWrap(True)
        self.said.setMinimumHeight(3 * self.said.fontMetrics().lineSpacing())
        self.said.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.form.failed.connect(self.said.setText)
        buttons = QDialogButtonBox(self)
        self.save = buttons.addButton("Save and open", QDialogButtonBox.ButtonRole.AcceptRole)
        self.save.setObjectName("reading.save")
        self.save.setProperty("role", "primary")
        self.save.setEnabled(False)
        self.save.setToolTip(f"Writes {sidecar_path(self._path).name} beside the model and opens it.")
        cancel = buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        cancel.setObjectName("reading.cancel")
        buttons.accepted.connect(self._save)
        buttons.rejected.connect(self.close)
        left = QVBoxLayout()
        left.setSpacing(12)
        left.addWidget(self.form)
        left.addStretch(1)
        left.addWidget(self.said)
        left.addWidget(buttons)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 16, 16, 16)
        row.setSpacing(16)
        row.addLayout(left, 2)
        row.addWidget(self.pane, 3)

    # Trying -------------------------------------------------------------------------------------------------------

    def _take_outputs(self, outputs: Outputs) -> None:
        self.form.set_outputs(outputs)
        self._try()

    def _source_changed(self, *_: object) -> None:
        """Tries on the frame that the window shows; on none while no source is open."""
        there = self._model.source is not None
        self.pane.notice = "" if there else "Open a video to see what this reading finds"
        self.pane.update()
        self._try()

    def _try(self) -> None:
        if not self.form.isEnabled():
            return  # its header is still being read
        try:
            sidecar = self.form.sidecar()
        except NotANumberList as error:
            self._asked = False
            self._show_trial(Trial(error=str(error)))
            return
        self._asked = True
        self.said.setText("Trying …")
        source = self._model.source
        place = None if source is None else (source.address, self._model.position.frame_index)
        self._preview.request(Reading(sidecar, place, self._model.settings))

    def _take_trial(self, trial: Trial) -> None:
        # What is still under way when the form holds no numbers any more is of an older form.
        if self._asked:
            self._show_trial(trial)

    def _show_trial(self, trial: Trial) -> None:
        self._trial = trial
        self.save.setEnabled(trial.spec is not None and not trial.error)
        if trial.error:
            self.said.setText(trial.error)
        elif trial.side is None:
            self.said.setText("It can be read so.")
        else:
            count = len(trial.side.detections)
            self.said.setText(
                f"{count} object{'' if count == 1 else 's'} above {self._model.settings.confidence:g} in frame "
                f"{trial.frame.index}: does that look right?"
            )
        self._render_again()

    def _render_again(self, *_: object) -> None:
        trial = self._trial
        if trial.frame is None or trial.side is None or self.pane.width() < 2:
            return
        self._render.request(
            RenderRequest(
                Shown(trial.frame, None, ("reference", trial.side)),
                Display(),
                ("reference",),
                self._viewport.view,
                Sheet((self.pane.width(), self.pane.height()), self.devicePixelRatioF(), self._label_font),
                fine=True,
            )
        )

    def _save(self) -> None:
        if self._trial.spec is None:
            return
        try:
            write_sidecar(sidecar_path(self._path), self._trial.spec)
        except TrtviewerError as error:
            self.said.setText(str(error))
            return
        self.saved.emit(self._path)
        self.close()

    def done(self, result: int) -> None:
        self.stop()
        super().done(result)

    def stop(self) -> None:
        """Ends its threads; may be called twice."""
        if self._stopped:
            return
        self._stopped = True
        self._try_timer.stop()
        for border in (self._outputs, self._trials, self._rendered, self._errors):
            border.close()
        self._model.source_changed.disconnect(self._source_changed)
        self._preview.close()
        self._render.close()

    @property
    def rendered(self) -> Rendered | None:
        return self.pane.rendered
