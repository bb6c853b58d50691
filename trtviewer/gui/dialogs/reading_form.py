"""The form of how a model is read: family, classes, anchors, input; what it says is a sidecar."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QWidget,
)

from trtviewer.gui.dialogs.preview import Outputs
from trtviewer.models.anchor_sets import fitting_sets
from trtviewer.models.coco import COCO_NAMES
from trtviewer.models.raw_maps import readings
from trtviewer.models.sidecar import Sidecar, SidecarHead, SidecarInput
from trtviewer.models.spec import Family, Resize

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


class ReadingForm(QWidget):
    """Dead until it is told what outputs the model has.

    Args:
        folder: where class files are looked for first.
        readings_found: the readings that the loader found, as phrases; the first is preselected.

    Signals:
        changed(): it says something else.
        failed(str): a file of class names cannot be read, and why.
    """

    changed = Signal()
    failed = Signal(str)

    def __init__(self, folder: Path, readings_found: tuple[str, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("reading.form")
        self._folder = folder
        self._outputs = Outputs()
        self._make(readings_found)
        self._family_changed()
        self.setEnabled(False)

    def set_outputs(self, outputs: Outputs) -> None:
        """Proposes the anchors that fit the model's outputs."""
        self._outputs = outputs
        strides = {
            reading.stride
            for tensor in self._outputs.tensors
            for reading in readings(tensor, self._outputs.size)[:1]
            if reading.stride
        }
        sets = [(item.name, item) for item in fitting_sets(frozenset(strides))] if strides else []
        for place, (name, item) in enumerate(sets):
            self.anchor_set.insertItem(place, name, item)
        self.anchor_set.setCurrentIndex(0)
        self._anchor_set_changed()
        self.setEnabled(True)

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
        self.anchor_set = self._combo("anchor_set", [("Own, typed below", None)])
        self.anchors = QPlainTextEdit(self)
        self.anchors.setObjectName("reading.anchors")
        self.anchors.setToolTip(
            "One output a line: name, stride, then width and height of each anchor in input pixels."
        )
        self.anchors.setFixedHeight(84)
        self.anchors.textChanged.connect(self._changed)
        self.box = self._combo("box", [("exp (v3, v4)", "exp"), ("square (v5, v7)", "square")])
        self.colour = self._combo("colour", [("RGB", "rgb"), ("BGR", "bgr")])
        self.scale = self._combo("scale", [(words, value) for words, value in SCALES])
        self.resize_by = self._combo("resize", [(words, value) for value, words in RESIZES.items()])
        self.pad = QSpinBox(self)
        self.pad.setObjectName("reading.pad")
        self.pad.setRange(0, 255)
        self.pad.setValue(114)
        self.pad.valueChanged.connect(self._changed)
        self.mean, self.std = QLineEdit("0 0 0", self), QLineEdit("1 1 1", self)
        for name, field in (("mean", self.mean), ("std", self.std)):
            field.setObjectName(f"reading.{name}")
            field.textChanged.connect(self._changed)
        self.form = QFormLayout(self)
        self.form.setContentsMargins(0, 0, 0, 0)
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
        self.family.currentIndexChanged.connect(self._family_changed)
        self.anchor_set.currentIndexChanged.connect(self._anchor_set_changed)

    def _combo(self, name: str, entries: list[tuple[str, object]]) -> QComboBox:
        box = QComboBox(self)
        box.setObjectName(f"reading.{name}")
        for words, value in entries:
            box.addItem(words, value)
        box.currentIndexChanged.connect(self._changed)
        return box

    def _changed(self, *_: object) -> None:
        self.changed.emit()

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
            self, "Class names", str(self._folder), "Names (*.names *.txt);;All files (*)"
        )
        if path:
            self.set_classes_file(Path(path))

    def set_classes_file(self, path: Path) -> None:
        """Takes the class names from a file, one a line."""
        try:
            names = tuple(line.strip() for line in path.read_text("utf-8").splitlines() if line.strip())
        except (OSError, UnicodeDecodeError) as error:
            self.failed.emit(f"{path.name} cannot be read: {error}")
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
