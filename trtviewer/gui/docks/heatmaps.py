"""Heatmaps: one channel of the outputs as maps, scale by scale: reference, candidate, and their difference."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from trtviewer.compare.frame_comparison import FrameComparison
from trtviewer.detect.families import cell_of
from trtviewer.detect.heat import HeatChannel
from trtviewer.gui.docks.figures import panel
from trtviewer.gui.docks.heat_chooser import HeatChooser
from trtviewer.gui.docks.heat_overlay import HeatOverlay, OverlayChoice
from trtviewer.gui.docks.heat_painter import HeatPanel
from trtviewer.gui.docks.heat_picture import Cell, HeatAnswer, HeatPicture, HeatRequest, picture_of
from trtviewer.gui.docks.heat_readout import HeatReadout
from trtviewer.gui.docks.newest import Newest, Pace
from trtviewer.gui.problems import problem_of
from trtviewer.gui.theme import Theme
from trtviewer.gui.view_model import Display, Requests, Selection, ViewModel

_NOTHING = "Nothing is compared yet: open a reference, a candidate and a video."
_NO_GRID = "These outputs have no grid of cells (boxes come after NMS), so there is no map to draw."
_AROUND = 2
"""Cells on each side of a clicked one that the panes show: what a 5 x 5 neighbourhood of cells sees."""


def make(view_model: ViewModel, requests: Requests) -> HeatmapsDock:
    return HeatmapsDock(view_model, requests)


class HeatmapsDock(QWidget):
    """The maps, and beside them what is shown, what lies over the picture, and what stands under the cursor."""

    def __init__(self, view_model: ViewModel, requests: Requests, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("heatmaps")
        panel(self)
        self._view_model = view_model
        self._requests = requests
        self._shown: HeatAnswer | None = None
        self._overlay_soon = False
        self._heads: tuple[Mapping[str, NDArray[np.float32]], ...] = ()
        self._laid = HeatOverlay(view_model, self)
        self._newest = Newest("heatmaps", picture_of, self)
        self._newest.answered.connect(self._show)
        self._newest.failed.connect(self._failed)
        self._pace = Pace(self)
        self._pace.due.connect(self._ask)
        self._build()
        view_model.comparison_changed.connect(self._comparison_changed)
        view_model.theme_changed.connect(self._theme_changed)
        view_model.display_changed.connect(self._display_changed)
        view_model.selection_changed.connect(self._selection_changed)
        view_model.pointed_changed.connect(self.maps.set_point)
        self._theme_changed(view_model.theme)
        self._display_changed(view_model.display)
        self.maps.show_picture(None, _NOTHING)

    def close_dock(self) -> None:
        """Stops the dock's thread."""
        self._pace.stop()
        self._newest.close()
        self._laid.close()

    def toggle_overlay(self) -> None:
        """Lays the map of the smallest objects over the picture, or takes away what lies there."""
        if self.overlay.currentIndex() > 0:
            self.overlay.setCurrentIndex(0)
        elif self.overlay.count() > 1:
            self.overlay.setCurrentIndex(1)
        else:
            # Which scales there are is known with the first answer.
            self._overlay_soon = True
            self._ask()

    # ---- making

    def _build(self) -> None:
        self.chooser = HeatChooser()
        self.chooser.changed.connect(self._channel_changed)
        self.scale = QComboBox()
        self.scale.setObjectName("heatmaps.scale")
        self.scale.setAccessibleName("Scales")
        self.scale.setToolTip("All scales, or one of them larger (a click on its title does the same).")
        self.scale.addItem("all", None)
        self.scale.currentIndexChanged.connect(self._pace.want)
        self.overlay = QComboBox()
        self.overlay.setObjectName("heatmaps.overlay")
        self.overlay.setAccessibleName("Map over the picture")
        self.overlay.setToolTip(
            "Lays a map over the picture: each side's own over its pane, or the difference over both."
        )
        self.overlay.addItem("nothing", None)
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setObjectName("heatmaps.opacity")
        self.opacity.setAccessibleName("Opacity of the map over the picture")
        self.opacity.setToolTip("How much of the picture the map covers.")
        self.opacity.setRange(5, 100)
        self.overlay.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.overlay.setMinimumContentsLength(8)
        self.overlay.view().setMinimumWidth(220)
        self.readout = HeatReadout()
        self.maps = HeatPanel()

        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(4)
        form.addRow("Show", self.chooser)
        form.addRow("Scales", self.scale)
        over = QHBoxLayout()
        over.setSpacing(8)
        over.addWidget(self.overlay, 3)
        over.addWidget(self.opacity, 1)
        form.addRow("On picture", over)
        side = QWidget()
        side.setFixedWidth(284)
        column = QVBoxLayout(side)
        column.setContentsMargins(8, 8, 4, 4)
        column.setSpacing(8)
        column.addLayout(form)
        column.addWidget(self.readout, 1)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(side)
        whole.addWidget(self.maps, 1)

        self.overlay.currentIndexChanged.connect(self._overlay_changed)
        self.opacity.valueChanged.connect(self._opacity_changed)
        self.maps.pointed.connect(self._point_changed)
        self.maps.chosen.connect(self._choose)
        self.maps.titled.connect(self._title_clicked)

    # ---- what is shown

    @property
    def channel(self) -> HeatChannel:
        """What is chosen."""
        return self.chooser.channel

    @property
    def answer_picture(self) -> HeatPicture | None:
        """The maps that are painted, for whoever wants their numbers."""
        return None if self._shown is None else self._shown.picture

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._pace.want()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._view_model.set_pointed(None)

    def _wanted(self) -> bool:
        return self.isVisible() or self._overlay_soon

    def _comparison_changed(self, comparison: FrameComparison | None) -> None:
        if comparison is None:
            self._shown, self._heads = None, ()
            self.maps.show_picture(None, _NOTHING)
            self._read_out()
        elif self._wanted():
            heads = (comparison.reference.heads, comparison.candidate.heads)
            # Only a threshold moved: the heads, and so the maps, are the same.
            if self._heads and all(new is old for new, old in zip(heads, self._heads, strict=True)):
                return
            self._pace.want()

    def _ask(self) -> None:
        comparison = self._view_model.comparison
        if comparison is None or not self._wanted():
            return
        self._heads = (comparison.reference.heads, comparison.candidate.heads)
        self._newest.ask(
            HeatRequest(comparison, self.channel, self._view_model.theme, self.scale.currentData())
        )

    def _show(self, answer: HeatAnswer) -> None:
        if self._view_model.comparison is None:
            return
        self._shown = answer
        self._offer(answer)
        grids = [row for row in answer.picture.rows if row.row.stride is not None or row.row.grid[0] > 1]
        self.maps.show_picture(answer.picture if grids else None, _NO_GRID)
        self._mark_selection(self._view_model.selection)
        if self._overlay_soon:
            self._overlay_soon = False
            self.overlay.setCurrentIndex(min(1, self.overlay.count() - 1))

    def _failed(self, error: Exception) -> None:
        self._view_model.add_problem(problem_of(error, "heatmaps"))

    # ---- choosing

    def _channel_changed(self) -> None:
        self._pace.want()
        self._laid.choose(self.overlay.currentData(), self.channel)

    def _offer(self, answer: HeatAnswer) -> None:
        """Offers what these models have: their channels, their scales."""
        self.chooser.offer(answer.channels)
        scales = dict(answer.scales)
        if [self.scale.itemData(index) for index in range(1, self.scale.count())] != list(scales):
            self._offer_scales(scales)
        known = [self.overlay.itemData(index) for index in range(1, self.overlay.count())]
        offered = [OverlayChoice(stride, difference) for stride in scales for difference in (False, True)]
        if known != offered:
            chosen = self.overlay.currentData()
            with QSignalBlocker(self.overlay):
                while self.overlay.count() > 1:
                    self.overlay.removeItem(1)
                for choice in offered:
                    what = "difference" if choice.difference else "each side's own"
                    self.overlay.addItem(f"{scales[choice.stride]}, {what}", choice)
                self.overlay.setCurrentIndex(
                    max(0, self.overlay.findData(chosen)) if chosen is not None else 0
                )

    def _offer_scales(self, scales: dict[int, str]) -> None:
        chosen = self.scale.currentData()
        with QSignalBlocker(self.scale):
            while self.scale.count() > 1:
                self.scale.removeItem(1)
            for stride, title in scales.items():
                self.scale.addItem(title, stride)
            self.scale.setCurrentIndex(max(0, self.scale.findData(chosen)) if chosen is not None else 0)
        if chosen is not None and chosen not in scales:
            self._pace.want()

    def _title_clicked(self, row_index: int) -> None:
        """One scale alone and large, or all of them again."""
        if self._shown is not None:
            stride = self._shown.picture.rows[row_index].row.stride
            alone = self.scale.currentData() is not None or stride is None
            self.scale.setCurrentIndex(0 if alone else self.scale.findData(stride))

    def _overlay_changed(self) -> None:
        self._laid.choose(self.overlay.currentData(), self.channel)

    def _opacity_changed(self, value: int) -> None:
        self._view_model.change_display(overlay_opacity=value / 100)

    def _display_changed(self, display: Display) -> None:
        with QSignalBlocker(self.opacity):
            self.opacity.setValue(round(display.overlay_opacity * 100))

    def _theme_changed(self, theme: Theme) -> None:
        self.maps.set_theme(theme)
        self._read_out()
        self._ask()

    # ---- the cursor

    def _read_out(self) -> None:
        """What stands under the cursor; where there is none, what was chosen."""
        cell = self.maps.cursor_cell or self.maps.marked_cell
        self.readout.read(self._shown, cell, self._view_model.theme)

    def _point_changed(self, cell: Cell | None) -> None:
        self._read_out()
        square = None if cell is None or self._shown is None else self._shown.picture.xyxy(cell)
        middle = None if square is None else ((square[0] + square[2]) / 2, (square[1] + square[3]) / 2)
        self._view_model.set_pointed(middle)

    def _choose(self, cell: Cell) -> None:
        if self._shown is None:
            return
        picture = self._shown.picture
        square = picture.xyxy(cell, _AROUND)
        if square is None:
            return
        row = picture.rows[cell.row_index].row
        self._requests.select.emit(
            Selection(
                picture.frame_index,
                square,
                f"{row.title}, row {cell.row}, column {cell.column}",
                cell=(row.stride, cell.row, cell.column) if row.stride is not None else None,
            )
        )

    def _selection_changed(self, selection: Selection | None) -> None:
        if selection is None:
            self.maps.let_go()
        self._mark_selection(selection)

    def _mark_selection(self, selection: Selection | None) -> None:
        cell = None
        if selection is not None and self._shown is not None:
            picture = self._shown.picture
            if selection.frame_index == picture.frame_index:
                cell = self._selected_cell(selection, picture)
        self.maps.mark(cell)
        self._read_out()

    def _selected_cell(self, selection: Selection, picture: HeatPicture) -> Cell | None:
        if selection.cell is not None:
            stride, row, column = selection.cell
            strides = [painted.row.stride for painted in picture.rows]
            return picture.inside(Cell(strides.index(stride), row, column)) if stride in strides else None
        comparison = self._shown.request.comparison if self._shown is not None else None
        if comparison is None or selection.head < 0 or selection.position < 0:
            return None
        spec = comparison.reference.spec
        if selection.head >= len(spec.heads):
            return None
        found = cell_of(spec, selection.head, selection.position)
        for index, painted in enumerate(picture.rows):
            if painted.row.reference_place == found.scale_map:
                return picture.inside(Cell(index, found.row, found.column))
        return None
