"""How the next variant finds its ranges: method, percentile, and the frames that it is calibrated on."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDoubleSpinBox, QFileDialog, QPushButton, QWidget

from trtviewer.gui.docks.figures import tabular
from trtviewer.gui.docks.parts import button, choice, column, count_box, row
from trtviewer.gui.view_model import SourceEntry
from trtviewer.gui.what_if.recipe import short_name

CALIBRATION_FRAMES = 64
METHODS = (
    (
        "mse",
        "The range with the least squared error, clipping and rounding together: the best on what was measured.",
    ),
    ("percentile", "The range that so many per cent of the values stay within."),
    ("minmax", "The largest value seen: nothing is clipped, one outlier sets the step."),
    ("entropy", "TensorRT's old default: clips the long tails of LeakyReLU maps."),
)
VIDEO, FOLDER = "Video…", "Folder…"
_KEPT = Qt.ItemDataRole.UserRole + 1
"""Marks sources that the user chose here: they stay when another video is opened."""


class RecipeForm(QWidget):
    """The fields and the Apply button. Signals: changed(); apply_wanted()."""

    changed = Signal()
    apply_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._build_method()
        self._build_frames()
        self.apply = button(
            QPushButton(),
            "layers.apply",
            "Apply",
            "Quantizes the reference anew and shows the result on this very frame.",
            self.apply_wanted,
        )
        self.apply.setProperty("role", "primary")
        ranges = row((self._method, self._percentile, self._count), wide=self._method)
        self.setLayout(column((ranges, row((self._source, self.apply), wide=self._source))))
        self._show_percentile()

    def _build_method(self) -> None:
        self._method = choice("layers.method", "Calibration method", "How the range of a tensor is found.", 4)
        for method, tip in METHODS:
            self._method.addItem(method, method)
            self._method.setItemData(self._method.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self._method.view().setMinimumWidth(140)
        self._method.currentIndexChanged.connect(self._show_percentile)
        self._percentile = QDoubleSpinBox()
        self._percentile.setObjectName("layers.percentile")
        self._percentile.setAccessibleName("Percentile")
        self._percentile.setDecimals(3)
        self._percentile.setRange(90, 100)
        self._percentile.setSingleStep(0.01)
        self._percentile.setValue(99.99)
        self._percentile.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._percentile.setToolTip("So many per cent of the values stay within the range.")
        tabular(self._percentile)
        self._percentile.setFixedWidth(self._percentile.fontMetrics().horizontalAdvance("100.000") + 16)

    def _build_frames(self) -> None:
        self._count = count_box("layers.calibration_frames", "Calibration frames", 1000, CALIBRATION_FRAMES)
        self._count.setToolTip("So many frames are calibrated on, spread evenly over the source.")
        self._source = choice(
            "layers.calibration_source", "Calibration source", "Where the calibration frames are from.", 10
        )
        self._source.activated.connect(self._source_chosen)

    # ---- what is chosen

    @property
    def method(self) -> str:
        return str(self._method.currentData())

    @property
    def percentile(self) -> float:
        return self._percentile.value()

    @property
    def count(self) -> int:
        return self._count.value()

    @property
    def source(self) -> str:
        """The address; empty where there is none."""
        return self._source.currentData() or ""

    def calibrate_on(self, address: str) -> None:
        """Takes the calibration frames from that source."""
        place = self._source.findData(address)
        self._source.setCurrentIndex(place if place >= 0 else self._add(address))
        self.changed.emit()

    def offer(self, source: SourceEntry | None) -> None:
        """Puts the open source first; those that the user chose here stay."""
        chosen = self._source.currentData()
        others = [
            self._source.itemData(place)
            for place in range(self._source.count())
            if self._source.itemData(place, _KEPT)
        ]
        self._source.clear()
        if source is not None and source.length is not None:
            self._source.addItem(source.name, source.address)
        self._source.addItem(VIDEO, None)
        self._source.addItem(FOLDER, None)
        for address in others:
            self._add(address)
        kept = self._source.findData(chosen) if chosen in others else -1
        self._source.setCurrentIndex(max(0, kept))
        self.changed.emit()

    def _add(self, address: str) -> int:
        place = self._source.findText(VIDEO)
        self._source.insertItem(place, short_name(address), address)
        self._source.setItemData(place, True, _KEPT)
        return place

    def _show_percentile(self, *_: object) -> None:
        """Only one method has a percentile; the words beside the frames make room for it."""
        shown = self.method == "percentile"
        self._percentile.setVisible(shown)
        self._count.setSuffix("" if shown else " frames of")
        metrics = self._count.fontMetrics()
        self._count.setFixedWidth(metrics.horizontalAdvance("1000" if shown else "1000 frames of") + 18)
        self.changed.emit()

    def _source_chosen(self, place: int) -> None:
        if self._source.itemData(place):
            self.changed.emit()
            return
        if self._source.itemText(place) == FOLDER:
            address = QFileDialog.getExistingDirectory(self, "Calibrate on a folder of pictures")
        else:
            address, _ = QFileDialog.getOpenFileName(self, "Calibrate on a video or picture")
        if address:
            self.calibrate_on(address)
        else:
            self._source.setCurrentIndex(0)
            self.changed.emit()
