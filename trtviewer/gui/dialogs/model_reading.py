"""Says how a model is to be read where its file does not: family, classes, anchors, input; seen at once on the frame."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from trtviewer.errors import TrtviewerError
from trtviewer.gui.border import Border, QueueBorder
from trtviewer.gui.dialogs.preview import Preview, Trial
from trtviewer.gui.panes.frame_pane import FramePane
from trtviewer.gui.panes.labels import LabelFont
from trtviewer.gui.panes.layer import Sheet
from trtviewer.gui.panes.render import Rendered, RenderRequest, RenderThread, Shown
from trtviewer.gui.panes.viewport import Viewport
from trtviewer.gui.view_model import Display, ViewModel
from trtviewer.models.anchor_sets import fitting_sets
from trtviewer.models.coco import COCO_NAMES
from trtviewer.models.model_file import Tensor
from trtviewer.models.raw_maps import readings
from trtviewer.models.sidecar import Sidecar, SidecarHead, SidecarInput, sidecar_path, write_sidecar
from trtviewer.models.spec import Family, Resize

TRY_AFTER_MS = 250
FAMILIES = {
    Family.YOLO_ANCHOR: "YOLOv3, v4, v5, v7: raw maps with anchors",
    Family.YOLO_FLAT: "YOLOv5, v7: exported with their grid",
    Family.YOLO_DFL: "YOLOv8 to v12",
    Family.YOLOX: "YOLOX",
    Family.END2END: "End to end: boxes after NMS",
}
SCALES = (("0 to 1", 1 / 255), ("0 to 255", 1.0))
RESIZES = {
    Resize.LETTERBOX: "Letterbox",
    Resize.LETTERBOX_TOPLEFT: "Letterbox, upper left (YOLOX)",
    Resize.STRETCH: "Stretch",
}


class NotANumberList(ValueError):
    """What was typed is no list of numbers."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the file says of its outputs, for suggesting anchors; empty where it cannot say."""

    tensors: tuple[Tensor, ...] = ()
    size: tuple[int, int] = (0, 0)


class ModelReading(QDialog):
    """Not modal: the window goes on. Saves a sidecar beside the model and emits `saved` with the model's path.

    Args:
        candidates: the readings that the loader found, as phrases; the first is preselected.
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
        self._outputs = _outputs_of(path)
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
        self._preview: Preview | None = None
        view_model.source_changed.connect(self._source_changed)
        self._try_timer = QTimer(self, interval=TRY_AFTER_MS, singleShot=True)
        self._try_timer.timeout.connect(self._try)
        self._classes: tuple[str, ...] | None = None
        self._make(readings_found)
        self._family_changed()
        self._source_changed()

    # Making -------------------------------------------------------------------------------------------------------

    def _make(self, readings_found: tuple[str, ...]) -> None:
        self.family = self._combo("family", [(words, family) for family, words in FAMILIES.items()])
        for family in FAMILIES:
            if readings_found and readings_found[0].startswith(str(family)):
                self.family.setCurrentIndex(self.family.findData(family))
        self.classes = self._combo(
            "classes", [("As the model has them, numbered", None), ("COCO's 80", COCO_NAMES)]
        )
        from_file = QPushButton("From file…", self)
        from_file.setObjectName("reading.classes_file")
        from_file.clicked.connect(self._ask_classes)
        classes_row = QHBoxLayout()
        classes_row.addWidget(self.classes, 1)
        classes_row.addWidget(from_file)
        strides = {
            reading.stride
            for tensor in self._outputs.tensors
            for reading in readings(tensor, self._outputs.size)[:1]
            if reading.stride
        }
        sets = [(item.name, item) for item in fitting_sets(frozenset(strides))] if strides else []
        self.anchor_set = self._combo("anchor_set", [*sets, ("Own, typed below", None)])
        self.anchors = QPlainTextEdit(self)
        self.anchors.setObjectName("reading.anchors")
        self.anchors.setToolTip(
            "One output a line: name, stride, then width and height of each anchor in input pixels."
        )
        self.anchors.setFixedHeight(84)
        self.anchors.textChanged.connect(self._soon)
        self.box = self._combo("box", [("exp (v3, v4)", "exp"), ("square (v5, v7)", "square")])
        self.colour = self._combo("colour", [("RGB", "rgb"), ("BGR", "bgr")])
        self.scale = self._combo("scale", [(words, value) for words, value in SCALES])
        self.resize_by = self._combo("resize", [(words, value) for value, words in RESIZES.items()])
        self.pad = QSpinBox(self)
        self.pad.setObjectName("reading.pad")
        self.pad.setRange(0, 255)
        self.pad.setValue(114)
        self.pad.valueChanged.connect(self._soon)
        self.mean, self.std = QLineEdit("0 0 0", self), QLineEdit("1 1 1", self)
        for name, field in (("mean", self.mean), ("std", self.std)):
            field.setObjectName(f"reading.{name}")
            field.textChanged.connect(self._soon)
        self.form = QFormLayout()
        self.form.setHorizontalSpacing(12)
        self.form.setVerticalSpacing(8)
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for title, field in (
            ("Family", self.family),
            ("Classes", classes_row),
            ("Anchors", self.anchor_set),
            ("", self.anchors),
            ("Box", self.box),
            ("Colour", self.colour),
            ("Values", self.scale),
            ("Mean", self.mean),
            ("Deviation", self.std),
            ("Resize", self.resize_by),
            ("Grey of bars", self.pad),
        ):
            self.form.addRow(title, field)
        self.said = QLabel(self)
        self.said.setObjectName("reading.said")
        self.said.setWordWrap(True)
        self.said.setMinimumHeight(3 * self.said.fontMetrics().lineSpacing())
        self.said.setAlignment(Qt.AlignmentFlag.AlignTop)
        buttons = QDialogButtonBox(self)
        self.save = buttons.addButton("Save and open", QDialogButtonBox.ButtonRole.AcceptRole)
        self.save.setObjectName("reading.save")
        self.save.setProperty("role", "primary")
        self.save.setToolTip(f"Writes {sidecar_path(self._path).name} beside the model and opens it.")
        cancel = buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        cancel.setObjectName("reading.cancel")
        buttons.accepted.connect(self._save)
        buttons.rejected.connect(self.close)
        left = QVBoxLayout()
        left.setSpacing(12)
        left.addLayout(self.form)
        left.addStretch(1)
        left.addWidget(self.said)
        left.addWidget(buttons)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 16, 16, 16)
        row.setSpacing(16)
        row.addLayout(left, 2)
        row.addWidget(self.pane, 3)
        self.family.currentIndexChanged.connect(self._family_changed)
        self.anchor_set.currentIndexChanged.connect(self._anchor_set_changed)
        self._anchor_set_changed()

    def _combo(self, name: str, entries: list[tuple[str, object]]) -> QComboBox:
        box = QComboBox(self)
        box.setObjectName(f"reading.{name}")
        for words, value in entries:
            box.addItem(words, value)
        box.currentIndexChanged.connect(self._soon)
        return box

    def _soon(self, *_: object) -> None:
        self._try_timer.start()

    # Following the form -------------------------------------------------------------------------------------------

    @property
    def _family(self) -> Family:
        # Qt gives back a plain text where a StrEnum was put in.
        return Family(self.family.currentData())

    def _family_changed(self) -> None:
        anchored = self._family is Family.YOLO_ANCHOR
        for field in (self.anchor_set, self.anchors, self.box):
            self.form.setRowVisible(field, anchored)
        if self._family is Family.YOLOX:
            self.colour.setCurrentIndex(1)
            self.scale.setCurrentIndex(1)
            self.resize_by.setCurrentIndex(1)

    def _anchor_set_changed(self) -> None:
        chosen = self.anchor_set.currentData()
        if chosen is None:
            return
        lines = []
        for tensor in self._outputs.tensors:
            for reading in readings(tensor, self._outputs.size)[:1]:
                if reading.stride in chosen.anchors:
                    numbers = "  ".join(
                        f"{width:g} {height:g}" for width, height in chosen.anchors[reading.stride]
                    )
                    lines.append(f"{tensor.name} {reading.stride}  {numbers}")
        self.anchors.setPlainText("\n".join(lines))
        self.box.setCurrentIndex(self.box.findData(chosen.box))

    def _ask_classes(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, "Class names", str(self._path.parent), "Names (*.names *.txt);;All files (*)"
        )
        if path:
            self.set_classes_file(Path(path))

    def set_classes_file(self, path: Path) -> None:
        """Takes the class names from a file, one a line."""
        try:
            names = tuple(line.strip() for line in path.read_text("utf-8").splitlines() if line.strip())
        except (OSError, UnicodeDecodeError) as error:
            self.said.setText(f"{path.name} cannot be read: {error}")
            return
        self.classes.addItem(f"{path.name} ({len(names)})", names)
        self.classes.setCurrentIndex(self.classes.count() - 1)

    def sidecar(self) -> Sidecar:
        """What the form says. Raises: NotANumberList: a field does not hold numbers."""
        family = self._family
        scale_xy = getattr(self.anchor_set.currentData(), "scale_xy", {})
        heads = []
        if family is Family.YOLO_ANCHOR:
            for line in self.anchors.toPlainText().splitlines():
                words = line.split()
                if not words:
                    continue
                numbers = _numbers(" ".join(words[1:]), f"anchors of {words[0]}")
                if len(numbers) < 3 or len(numbers) % 2 == 0:
                    raise NotANumberList(f"anchors of {words[0]}: a stride, then pairs of width and height")
                stride = int(numbers[0])
                pairs = tuple(zip(numbers[1::2], numbers[2::2], strict=True))
                heads.append(
                    SidecarHead(words[0], stride, self.box.currentData(), scale_xy.get(stride, 1.0), pairs)
                )
        return Sidecar(
            family=family,
            classes=self.classes.currentData(),
            input=SidecarInput(
                colour=self.colour.currentData(),
                pixel_scale=self.scale.currentData(),
                mean=_three(self.mean.text(), "mean"),
                std=_three(self.std.text(), "deviation"),
                resize=Resize(self.resize_by.currentData()),
                pad=self.pad.value(),
            ),
            heads=tuple(heads),
        )

    # Trying -------------------------------------------------------------------------------------------------------

    def _source_changed(self, *_: object) -> None:
        """Tries on the frame that the window shows; on none while no source is open."""
        source = self._model.source
        if self._preview is not None:
            self._preview.close()
        self._preview = Preview(
            self._path,
            source.address if source is not None else None,
            self._model.position.frame_index,
            self._model.settings,
            self._trials.publish,
        )
        self.pane.notice = "" if source is not None else "Open a video to see what this reading finds"
        self.pane.update()
        self._try()

    def _try(self) -> None:
        try:
            sidecar = self.sidecar()
        except NotANumberList as error:
            self._asked = False
            self._show_trial(Trial(error=str(error)))
            return
        self._asked = True
        self.said.setText("Trying …")
        if self._preview is not None:
            self._preview.request(sidecar)

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

    def closeEvent(self, event: QCloseEvent) -> None:
        self.stop()
        super().closeEvent(event)

    def reject(self) -> None:
        self.close()

    def stop(self) -> None:
        """Ends its threads; may be called twice."""
        if self._stopped:
            return
        self._stopped = True
        self._try_timer.stop()
        for border in (self._trials, self._rendered, self._errors):
            border.close()
        self._model.source_changed.disconnect(self._source_changed)
        if self._preview is not None:
            self._preview.close()
            self._preview = None
        self._render.close()

    @property
    def rendered(self) -> Rendered | None:
        return self.pane.rendered


def _outputs_of(path: Path) -> Outputs:
    """The file's outputs; a few milliseconds for a header, at most a second for a large file."""
    from trtviewer.models.input_facts import find_input
    from trtviewer.models.onnx_file import read_onnx

    if path.suffix.lower() != ".onnx":
        return Outputs()
    try:
        file = read_onnx(path)
        facts = find_input(path, file.inputs, file.metadata, Sidecar())
    except TrtviewerError:
        # What is wrong is told by the first trial, in the dialog.
        return Outputs()
    return Outputs(file.outputs, facts.size)


def _numbers(text: str, name: str) -> list[float]:
    try:
        return [float(word) for word in text.replace(",", " ").split()]
    except ValueError as error:
        raise NotANumberList(f"{name}: not numbers") from error


def _three(text: str, name: str) -> tuple[float, float, float]:
    numbers = _numbers(text, name)
    if len(numbers) == 1:
        numbers *= 3
    if len(numbers) != 3:
        raise NotANumberList(f"{name}: three numbers, one a channel")
    return numbers[0], numbers[1], numbers[2]
