"""Heatmaps: one channel of the outputs as maps, scale by scale: reference, candidate, and their difference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QHideEvent, QShowEvent, QStandardItemModel
from PySide6.QtWidgets import (
    QComboBox,
    QCompleter,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from trtviewer.compare.frame_comparison import FrameComparison
from trtviewer.detect.families import cell_of
from trtviewer.detect.heat import HeatChannel, HeatKind, HeatRow, has_logits, heat_rows, read_cell
from trtviewer.detect.scale_map import Channel
from trtviewer.gui.docks.colour_maps import coloured, diverging, pixel, translucent, viridis
from trtviewer.gui.docks.figures import fixed, panel, short, tabular
from trtviewer.gui.docks.heat_painter import Cell, HeatPanel, HeatPicture, PaintedRow
from trtviewer.gui.docks.newest import Newest, Pace
from trtviewer.gui.theme import Theme
from trtviewer.gui.view_model import Display, Overlay, Problem, Requests, Selection, ViewModel

KINDS = (
    (
        HeatKind.SCORE,
        "Objectness × best class",
        "What detections are made from, before the threshold.",
    ),
    (HeatKind.OBJECTNESS, "Objectness", "Whether the cell holds any object at all."),
    (HeatKind.CLASS, "One class", "The score of one class: objectness × its probability."),
    (HeatKind.BOX, "Box channel", "Where the box lies and how large it is, as the network gives it."),
    (HeatKind.RAW, "Any raw channel", "One channel of the output, untouched."),
)

_NOTHING = "Nothing is compared yet: open a reference, a candidate and a video."
_NO_GRID = "These outputs have no grid of cells (boxes come after NMS), so there is no map to draw."
_AROUND = 2
"""Cells on each side of a clicked one that the panes show: what a 5 x 5 neighbourhood of cells sees."""


@dataclass(frozen=True, eq=False, slots=True)
class _Request:
    comparison: FrameComparison
    channel: HeatChannel
    theme: Theme
    overlay: _OverlayChoice | None
    opacity: float


@dataclass(frozen=True, slots=True)
class _OverlayChoice:
    """Which map lies over the picture: the scale's title, and whether it is the difference."""

    title: str
    difference: bool


@dataclass(frozen=True, eq=False, slots=True)
class _Answer:
    request: _Request
    picture: HeatPicture
    channels: tuple[Channel, ...]
    overlay: Overlay | None


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
        self._shown: _Answer | None = None
        self._overlay_soon = False
        self._heads: tuple[Mapping[str, NDArray[np.float32]], ...] = ()
        self._newest = Newest("heatmaps", _work, self)
        self._newest.answered.connect(self._show)
        self._newest.failed.connect(self._failed)
        self._pace = Pace(self)
        self._pace.due.connect(self._ask)
        self._build()
        view_model.comparison_changed.connect(self._comparison_changed)
        view_model.theme_changed.connect(self._theme_changed)
        view_model.display_changed.connect(self._display_changed)
        view_model.selection_changed.connect(self._mark_selection)
        view_model.pointed_changed.connect(self.maps.set_point)
        self._theme_changed(view_model.theme)
        self._display_changed(view_model.display)
        self.maps.show_picture(None, _NOTHING)

    def close_dock(self) -> None:
        """Stops the dock's thread."""
        self._pace.stop()
        self._newest.close()

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
        self.kind = QComboBox()
        self.kind.setObjectName("heatmaps.kind")
        self.kind.setAccessibleName("Channel")
        for kind, text, tip in KINDS:
            self.kind.addItem(text, kind)
            self.kind.setItemData(self.kind.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.which = QComboBox()
        self.which.setObjectName("heatmaps.which")
        self.which.setAccessibleName("Which class or channel")
        self.which.setEditable(True)
        self.which.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        completer = QCompleter(self.which.model(), self.which)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.which.setCompleter(completer)
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
        for box in (self.kind, self.which, self.overlay):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(14)
        self.readout = QLabel()
        self.readout.setObjectName("heatmaps.readout")
        self.readout.setTextFormat(Qt.TextFormat.RichText)
        self.readout.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.readout.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        self.readout.setWordWrap(True)
        tabular(self.readout)
        self.maps = HeatPanel()

        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(4)
        form.addRow("Show", self.kind)
        form.addRow("", self.which)
        form.addRow("On picture", self.overlay)
        form.addRow("Opacity", self.opacity)
        self._form = form
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

        self.kind.currentIndexChanged.connect(self._kind_changed)
        self.which.currentIndexChanged.connect(self._pace.want)
        self.overlay.currentIndexChanged.connect(self._overlay_changed)
        self.opacity.valueChanged.connect(self._opacity_changed)
        self.maps.pointed.connect(self._point_changed)
        self.maps.chosen.connect(self._choose)
        self._fill_which()

    # ---- what is shown

    @property
    def channel(self) -> HeatChannel:
        """What is chosen."""
        chosen = self.which.currentData() if self.which.isVisibleTo(self) else None
        if isinstance(chosen, HeatChannel):
            return chosen
        return HeatChannel(HeatKind(self.kind.currentData()))

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
        return self.isVisible() or self._overlay_soon or self.overlay.currentData() is not None

    def _comparison_changed(self, comparison: FrameComparison | None) -> None:
        if comparison is None:
            self._shown, self._heads = None, ()
            self.maps.show_picture(None, _NOTHING)
            self._read(None)
            self._view_model.set_overlay(None)
        elif self._wanted():
            heads = (comparison.reference.heads, comparison.candidate.heads)
            # Only a threshold moved: the heads, and so the maps, are the same.
            if self._heads and all(new is old for new, old in zip(heads, self._heads, strict=True)):
                return
            # A map over the picture must keep up with the video, or the picture would flicker.
            if self.overlay.currentData() is not None:
                self._ask()
            else:
                self._pace.want()

    def _ask(self) -> None:
        comparison = self._view_model.comparison
        if comparison is None or not self._wanted():
            return
        self._heads = (comparison.reference.heads, comparison.candidate.heads)
        self._newest.ask(
            _Request(
                comparison,
                self.channel,
                self._view_model.theme,
                self.overlay.currentData(),
                self._view_model.display.overlay_opacity,
            )
        )

    def _show(self, answer: _Answer) -> None:
        if self._view_model.comparison is None:
            return
        self._shown = answer
        self._offer(answer)
        grids = [row for row in answer.picture.rows if row.row.stride is not None or row.row.grid[0] > 1]
        self.maps.show_picture(answer.picture if grids else None, _NO_GRID)
        self._mark_selection(self._view_model.selection)
        if self._overlay_soon and self.overlay.count() > 1:
            self._overlay_soon = False
            self.overlay.setCurrentIndex(1)
        elif answer.request.overlay == self.overlay.currentData():
            self._view_model.set_overlay(answer.overlay)

    def _failed(self, error: Exception) -> None:
        self._view_model.add_problem(
            Problem("The heatmaps could not be computed", place="heatmaps", details=repr(error))
        )

    # ---- choosing

    def _kind_changed(self) -> None:
        self._fill_which()
        self._pace.want()

    def _offer(self, answer: _Answer) -> None:
        """Offers what these models have: their channels, their scales."""
        groups = {channel.group for channel in answer.channels}
        model = self.kind.model()
        assert isinstance(model, QStandardItemModel)
        for index, (kind, _, tip) in enumerate(KINDS):
            needed = {HeatKind.OBJECTNESS: "objectness", HeatKind.CLASS: "class", HeatKind.BOX: "box"}.get(
                kind
            )
            there = needed is None or needed in groups
            if kind is HeatKind.SCORE:
                there = bool(groups & {"objectness", "class"})
            model.item(index).setEnabled(there)
            model.item(index).setToolTip(tip if there else "This model has no such channel.")
        self._fill_which()
        titles = [row.row.title for row in answer.picture.rows]
        known = [self.overlay.itemData(index) for index in range(1, self.overlay.count())]
        offered = [_OverlayChoice(title, difference) for title in titles for difference in (False, True)]
        if known != offered:
            chosen = self.overlay.currentData()
            with QSignalBlocker(self.overlay):
                while self.overlay.count() > 1:
                    self.overlay.removeItem(1)
                for choice in offered:
                    what = "difference" if choice.difference else "each side's own"
                    self.overlay.addItem(f"{choice.title}, {what}", choice)
                self.overlay.setCurrentIndex(
                    max(0, self.overlay.findData(chosen)) if chosen is not None else 0
                )
        enabled = self.kind.currentData()
        if not model.item(self.kind.currentIndex()).isEnabled():
            fallback = next(i for i in range(len(KINDS)) if model.item(i).isEnabled())
            if KINDS[fallback][0] is not enabled:
                self.kind.setCurrentIndex(fallback)

    def _fill_which(self) -> None:
        """Fills the second list by the first: classes, box channels, or all channels."""
        channels = () if self._shown is None else self._shown.channels
        kind = HeatKind(self.kind.currentData())
        offered: list[tuple[str, HeatChannel]] = []
        anchors = len({channel.anchor for channel in channels})
        if kind is HeatKind.CLASS:
            names = [channel.name for channel in channels if channel.group == "class" and channel.anchor == 0]
            offered = [(name, HeatChannel(kind, class_id=place)) for place, name in enumerate(names)]
        elif kind is HeatKind.BOX:
            offered = [
                (_with_anchor(one, anchors), HeatChannel(kind, anchor=one.anchor, name=one.name))
                for one in channels
                if one.group == "box"
            ]
        elif kind is HeatKind.RAW:
            offered = [
                (f"{one.index}  {_with_anchor(one, anchors)}", HeatChannel(kind, index=one.index))
                for one in channels
            ]
        self._form.setRowVisible(1, bool(offered))
        known = [
            (self.which.itemText(index), self.which.itemData(index)) for index in range(self.which.count())
        ]
        if known == offered:
            return
        chosen = self.which.currentData()
        with QSignalBlocker(self.which):
            self.which.clear()
            for text, one in offered:
                self.which.addItem(text, one)
            place = next((i for i, (_, one) in enumerate(offered) if one == chosen), 0)
            self.which.setCurrentIndex(place if offered else -1)

    def _overlay_changed(self) -> None:
        if self.overlay.currentData() is None:
            self._view_model.set_overlay(None)
        else:
            self._ask()

    def _opacity_changed(self, value: int) -> None:
        self._view_model.change_display(overlay_opacity=value / 100)

    def _display_changed(self, display: Display) -> None:
        with QSignalBlocker(self.opacity):
            self.opacity.setValue(round(display.overlay_opacity * 100))
        request = None if self._shown is None else self._shown.request
        if self.overlay.currentData() is not None and (
            request is None or request.opacity != display.overlay_opacity
        ):
            self._ask()

    def _theme_changed(self, theme: Theme) -> None:
        self.maps.set_theme(theme)
        self._read(self.maps.cursor_cell)
        self._ask()

    # ---- the cursor

    def _point_changed(self, cell: Cell | None) -> None:
        self._read(cell)
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
        title = picture.rows[cell.row_index].row.title
        self._requests.select.emit(
            Selection(picture.frame_index, square, f"{title}, row {cell.row}, column {cell.column}")
        )

    def _mark_selection(self, selection: Selection | None) -> None:
        cell = None
        if selection is not None and self._shown is not None:
            picture = self._shown.picture
            if selection.frame_index == picture.frame_index:
                cell = self._selected_cell(selection, picture)
        self.maps.mark(cell)
        self._read(self.maps.cursor_cell or cell)

    def _selected_cell(self, selection: Selection, picture: HeatPicture) -> Cell | None:
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

    def _read(self, cell: Cell | None) -> None:
        """Reads both sides' values out, as a small table whose lines keep their places."""
        picture = None if self._shown is None else self._shown.picture
        theme = self._view_model.theme
        if picture is None or cell is None or cell.row_index >= len(picture.rows):
            hint = "" if picture is None else "Move over a map to read both values; click to go there."
            self.readout.setText(f"<span style='color:{theme.faint}'>{hint}</span>")
            return
        row = picture.rows[cell.row_index].row
        self.readout.setText(self._table(picture, row, cell, theme))

    def _table(self, picture: HeatPicture, row: HeatRow, cell: Cell, theme: Theme) -> str:
        place = (cell.row, cell.column)
        values = [
            None if values is None or not _within(values, place) else float(values[place])
            for values in (row.reference, row.candidate, row.difference)
        ]
        lines: list[tuple[str, tuple[str, ...]]] = [("", ("reference", "candidate", "difference"))]
        name = "score" if picture.channel.kind is HeatKind.SCORE else str(picture.channel.kind)
        number = (lambda v: fixed(v, 3)) if picture.channel.is_probability else short
        signed = "" if values[2] is None or values[2] <= 0 else "+"
        lines.append((name, (number(values[0]), number(values[1]), signed + number(values[2]))))
        assert self._shown is not None
        logits = has_logits(self._shown.request.comparison.reference.spec)
        reading = read_cell(row, place, logits=logits) if picture.channel.is_probability else None
        if reading is not None and logits:
            lines.append(("logits", ()))
        for label, own, other in reading.channels if reading is not None else ():
            change = other - own
            lines.append(
                (
                    _shortened(label),
                    (fixed(own, 2), fixed(other, 2), ("+" if change > 0 else "") + fixed(change, 2)),
                )
            )
        head = f"<b>{row.title}</b>, row {cell.row}, column {cell.column}"
        body = "".join(
            f"<tr><td style='color:{theme.faint}'>{label}</td>"
            + "".join(
                f"<td align='right' style='padding-left:6px;color:{theme.faint if not label else theme.text}'>"
                f"{value}</td>"
                for value in cells
            )
            + "</tr>"
            for label, cells in lines
        )
        return f"{head}<table cellspacing='0' style='margin-top:2px'>{body}</table>"


def _work(request: _Request) -> _Answer:
    comparison, theme = request.comparison, request.theme
    reference, candidate = comparison.reference, comparison.candidate
    rows = heat_rows(
        (reference.spec, reference.heads),
        (candidate.spec, candidate.heads),
        comparison.correspondence.pairs,
        request.channel,
    )
    undefined = pixel(theme.color("warning"))
    painted = tuple(
        PaintedRow(
            row,
            (
                None if row.reference is None else coloured(row.reference, row.levels, viridis(), undefined),
                None if row.candidate is None else coloured(row.candidate, row.levels, viridis(), undefined),
                None
                if row.difference is None
                else coloured(row.difference, (-row.reach, row.reach), diverging(theme), undefined),
            ),
        )
        for row in rows
    )
    height, width = comparison.frame.size
    picture = HeatPicture(
        comparison.frame.index, (height, width), comparison.placement, request.channel, painted
    )
    maps = [row.reference_map or row.candidate_map for row in rows]
    channels = max((one.channels for one in maps if one is not None), key=len, default=())
    return _Answer(request, picture, channels, _overlay(request, rows, picture))


def _overlay(request: _Request, rows: tuple[HeatRow, ...], picture: HeatPicture) -> Overlay | None:
    choice = request.overlay
    place = next((i for i, row in enumerate(rows) if choice is not None and row.title == choice.title), None)
    if choice is None or place is None or rows[place].stride is None:
        return None
    row, stride = rows[place], rows[place].stride
    assert stride is not None
    cells_down, cells_across = row.grid
    square = np.array([[0, 0, cells_across * stride, cells_down * stride]], np.float32)
    left, top, right, bottom = (float(value) for value in picture.placement.to_source(square)[0])
    name = "diverging" if choice.difference else "viridis"
    fades = choice.difference or request.channel.is_probability
    table = translucent(name, request.opacity, request.theme, fades=fades)
    levels = (-row.reach, row.reach) if choice.difference else row.levels

    def laid(values: NDArray[np.float32] | None) -> NDArray[np.uint32] | None:
        return None if values is None else coloured(values, levels, table, 0)

    own = (row.difference, row.difference) if choice.difference else (row.reference, row.candidate)
    return Overlay(
        picture.frame_index,
        laid(own[0]),
        laid(own[1]),
        (left, top, right, bottom),
        f"{row.title}: {'difference of ' if choice.difference else ''}{_words(request.channel)}",
    )


def _words(channel: HeatChannel) -> str:
    if channel.kind is HeatKind.BOX:
        return f"box {channel.name}"
    return f"channel {channel.index}" if channel.kind is HeatKind.RAW else str(channel.kind)


def _with_anchor(channel: Channel, anchors: int) -> str:
    return f"{channel.name} · anchor {channel.anchor + 1}" if anchors > 1 else channel.name


def _shortened(name: str) -> str:
    return name if len(name) <= 11 else name[:10] + "…"


def _within(values: NDArray[np.float32], place: tuple[int, int]) -> bool:
    return place[0] < values.shape[0] and place[1] < values.shape[1]
