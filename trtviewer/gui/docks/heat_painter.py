"""The heatmaps themselves: one widget that paints every scale's three maps, their colour bars and the cursor."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QLineF, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from trtviewer.gui.docks.colour_maps import ColourTable, diverging, viridis
from trtviewer.gui.docks.figures import short
from trtviewer.gui.docks.heat_layout import above, lay_out
from trtviewer.gui.docks.heat_picture import Cell, HeatPicture, PaintedRow
from trtviewer.gui.theme import DARK, Theme

COLUMNS = ("reference", "candidate", "difference")

_STEPS = {
    Qt.Key.Key_Left: (0, 0, -1),
    Qt.Key.Key_Right: (0, 0, 1),
    Qt.Key.Key_Up: (0, -1, 0),
    Qt.Key.Key_Down: (0, 1, 0),
    Qt.Key.Key_PageUp: (-1, 0, 0),
    Qt.Key.Key_PageDown: (1, 0, 0),
}
"""Key to a step of the cursor: scales, rows, columns."""
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class HeatPanel(QWidget):
    """Shows a `HeatPicture`; the mouse and the arrow keys move a cursor over its cells.

    Signals:
        pointed(Cell | None): the cursor stands on another cell, or on none.
        chosen(Cell): a cell was clicked, or Enter pressed on it.
        titled(int): the title of a scale was clicked; its place among the rows.
    """

    pointed = Signal(object)
    chosen = Signal(object)
    titled = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("heatmaps.maps")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("Heatmaps")
        self._picture: HeatPicture | None = None
        self._theme: Theme = DARK
        self._message = ""
        self._cursor: Cell | None = None
        self._marked: Cell | None = None
        self._point: tuple[float, float] | None = None
        self._tiled_for: object = None
        self._tiled: list[list[QRectF]] = []

    def sizeHint(self) -> QSize:
        return QSize(640, 160)

    def minimumSizeHint(self) -> QSize:
        return QSize(240, 96)

    @property
    def cursor_cell(self) -> Cell | None:
        """Where the mouse or the arrow keys stand."""
        return self._cursor

    @property
    def marked_cell(self) -> Cell | None:
        """Where the standing mark of the selection is."""
        return self._marked

    @property
    def message(self) -> str:
        """The sentence that is shown where there are no maps."""
        return "" if self._picture is not None and self._picture.rows else self._message

    def show_picture(self, picture: HeatPicture | None, message: str = "") -> None:
        """Shows another frame's maps, or a sentence where there are none."""
        self._picture = picture
        self._message = message
        if self._cursor is not None and (picture is None or not self._fits(picture, self._cursor)):
            self._move(None)
        self._marked = None
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def mark(self, cell: Cell | None) -> None:
        """Puts the standing mark of the selection on a cell."""
        if cell != self._marked:
            self._marked = cell
            self.update()

    def let_go(self) -> None:
        """Takes the cursor away, until the mouse or a key puts it somewhere."""
        self._move(None)

    def set_point(self, point: tuple[float, float] | None) -> None:
        """Where the mouse stands over a pane, pixels of the source frame: shown on every scale."""
        if point != self._point:
            self._point = point
            self.update()

    def tile(self, row_index: int, column: int) -> QRectF:
        """Where a map is painted, in pixels of the widget; empty where there is none."""
        tiles = self._tiles()
        return tiles[row_index][column] if row_index < len(tiles) else QRectF()

    def place_of(self, cell: Cell, column: int) -> QRectF:
        """Where a cell is painted on the map of `column` (0 reference, 1 candidate, 2 difference)."""
        if self._picture is None:
            return QRectF()
        tile, crop = self.tile(cell.row_index, column), self._picture.crop(cell.row_index)
        across, down = tile.width() / crop.width(), tile.height() / crop.height()
        return QRectF(
            tile.left() + (cell.column - crop.left()) * across,
            tile.top() + (cell.row - crop.top()) * down,
            across,
            down,
        ).intersected(tile)

    # ---- the mouse and the keys

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._move(self._cell_under(event.position()))
        on_title = self._title_under(event.position()) is not None
        self.setCursor(Qt.CursorShape.PointingHandCursor if on_title else Qt.CursorShape.ArrowCursor)

    def leaveEvent(self, event: QEvent) -> None:
        self._move(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell, title = self._cell_under(event.position()), self._title_under(event.position())
        if title is not None and event.button() == Qt.MouseButton.LeftButton:
            self.titled.emit(title)
        if event.button() == Qt.MouseButton.LeftButton and cell is not None:
            self._move(cell)
            self.chosen.emit(cell)

    def event(self, event: QEvent) -> bool:
        # The window has shortcuts on the same keys: while the maps have the focus, the keys move their cursor.
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
            and (event.key() in _STEPS or event.key() in _ENTER or self._lets_go(event))
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if self._picture is None or not self._picture.rows:
            super().keyPressEvent(event)
        elif key in _STEPS:
            self._step(*_STEPS[Qt.Key(key)])
        elif key in _ENTER and self._cursor is not None:
            self.chosen.emit(self._cursor)
        elif self._lets_go(event):
            self.let_go()
        else:
            super().keyPressEvent(event)

    def _lets_go(self, event: QKeyEvent) -> bool:
        """Escape takes a cursor away that stands alone; with a chosen cell the window lets go of both."""
        return event.key() == Qt.Key.Key_Escape and self._cursor is not None and self._marked is None

    def _step(self, scales: int, down: int, right: int) -> None:
        picture = self._picture
        assert picture is not None
        start = self._cursor or self._marked
        if start is None:
            rows, columns = picture.rows[0].row.grid
            self._move(Cell(0, rows // 2, columns // 2))
        elif scales:
            index = min(max(0, start.row_index + scales), len(picture.rows) - 1)
            old, new = picture.rows[start.row_index].row.grid, picture.rows[index].row.grid
            self._move(Cell(index, start.row * new[0] // old[0], start.column * new[1] // old[1]))
        else:
            rows, columns = picture.rows[start.row_index].row.grid
            row, column = start.row + down, start.column + right
            self._move(Cell(start.row_index, min(max(0, row), rows - 1), min(max(0, column), columns - 1)))

    def _move(self, cell: Cell | None) -> None:
        if cell != self._cursor:
            self._cursor = cell
            self.pointed.emit(cell)
            self.update()

    def _cell_under(self, place: QPointF) -> Cell | None:
        if self._picture is None:
            return None
        for row_index, tiles in enumerate(self._tiles()):
            for tile in tiles:
                if tile.contains(place):
                    crop = self._picture.crop(row_index)
                    x = crop.left() + (place.x() - tile.left()) / tile.width() * crop.width()
                    y = crop.top() + (place.y() - tile.top()) / tile.height() * crop.height()
                    return self._picture.inside(Cell(row_index, math.floor(y), math.floor(x)))
        return None

    def _title_under(self, place: QPointF) -> int | None:
        """The scale whose title is there."""
        for row_index in range(len(self._tiles())):
            if self.title_place(row_index).contains(place):
                return row_index
        return None

    def title_place(self, row_index: int) -> QRectF:
        """Where a scale's title is painted."""
        first, last = self.tile(row_index, 0), self.tile(row_index, 2)
        line = self.fontMetrics().height()
        return QRectF(first.left(), first.top() - above(line), last.right() - first.left(), line)

    @staticmethod
    def _fits(picture: HeatPicture, cell: Cell) -> bool:
        return cell.row_index < len(picture.rows) and picture.inside(cell) is not None

    def _tiles(self) -> list[list[QRectF]]:
        """Where each scale's three maps lie; kept, since every title, cursor and map asks for it."""
        key = (self._picture, self.size(), self.fontMetrics().height())
        if key != self._tiled_for:
            self._tiled_for, self._tiled = key, self._lay_tiles()
        return self._tiled

    def _lay_tiles(self) -> list[list[QRectF]]:
        if self._picture is None or not self._picture.rows:
            return []
        crops = [self._picture.crop(index) for index in range(len(self._picture.rows))]
        return lay_out(crops, self.width(), self.height(), self.fontMetrics().height())

    # ---- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), self._theme.color("surface"))
            if self._picture is None or not self._picture.rows:
                painter.setPen(self._theme.color("faint"))
                painter.drawText(
                    self.rect().adjusted(16, 0, -16, 0),
                    Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap,
                    self._message,
                )
                return
            for index, tiles in enumerate(self._tiles()):
                self._paint_block(painter, self._picture, index, tiles)
            self._paint_cells(painter, self._picture)
            if self.hasFocus():
                painter.setPen(QPen(self._theme.color("accent"), 1))
                painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def _paint_block(self, painter: QPainter, picture: HeatPicture, index: int, tiles: list[QRectF]) -> None:
        painted = picture.rows[index]
        row, line = painted.row, self.fontMetrics().height()
        title = self.title_place(index)
        rows, columns = row.grid
        facts = f"stride {row.stride} · " if row.stride is not None else ""
        self._two_tone(painter, title, row.title, f"{facts}{columns} × {rows} cells")
        crop = picture.crop(index)
        for column, (tile, pixels) in enumerate(zip(tiles, painted.pixels, strict=True)):
            painter.setPen(self._theme.color("faint"))
            painter.drawText(
                QRectF(tile.left(), tile.top() - line - 2, tile.width(), line),
                Qt.AlignmentFlag.AlignLeft,
                self.fontMetrics().elidedText(
                    COLUMNS[column], Qt.TextElideMode.ElideRight, int(tile.width())
                ),
            )
            if pixels is None:
                self._paint_hole(painter, tile, column, painted)
            else:
                painter.drawImage(tile, image_of(pixels), crop)
            painter.setPen(QPen(self._theme.color("line"), 1))
            painter.drawRect(tile.adjusted(-0.5, -0.5, 0.5, 0.5))
        bar_top = tiles[0].bottom() + 4
        pair = QRectF(tiles[0].left(), bar_top, tiles[1].right() - tiles[0].left(), line)
        self._paint_bar(painter, pair, viridis(), short(row.levels[0]), short(row.levels[1]))
        if row.difference is not None:
            alone = QRectF(tiles[2].left(), bar_top, tiles[2].width(), line)
            self._paint_bar(painter, alone, diverging(self._theme), "", f"± {short(row.reach)}")

    def _two_tone(self, painter: QPainter, place: QRectF, title: str, facts: str) -> None:
        font = self.font()
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(self._theme.color("text"))
        used = painter.boundingRect(place, Qt.AlignmentFlag.AlignLeft, title).width()
        painter.drawText(place, Qt.AlignmentFlag.AlignLeft, title)
        painter.setFont(self.font())
        painter.setPen(self._theme.color("faint"))
        rest = place.adjusted(used + 8, 0, 0, 0)
        text = self.fontMetrics().elidedText(facts, Qt.TextElideMode.ElideRight, max(0, int(rest.width())))
        painter.drawText(rest, Qt.AlignmentFlag.AlignLeft, text)

    def _paint_hole(self, painter: QPainter, tile: QRectF, column: int, painted: PaintedRow) -> None:
        painter.fillRect(tile, self._theme.color("background"))
        if column < 2:
            text = "no such channel here"
        elif painted.pixels[0] is None or painted.pixels[1] is None:
            text = "needs both sides"
        else:
            text = "grids differ"
        painter.setPen(self._theme.color("faint"))
        painter.drawText(tile, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, text)

    def _paint_bar(self, painter: QPainter, place: QRectF, table: ColourTable, low: str, high: str) -> None:
        """A colour bar with the numbers of its ends beside it; a diverging one says its reach once."""
        metrics = self.fontMetrics()
        left = metrics.horizontalAdvance(low) + 6 if low else 0
        right = metrics.horizontalAdvance(high) + 6
        painter.setPen(self._theme.color("faint"))
        painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, low)
        painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, high)
        bar = QRectF(place.left() + left, place.center().y() - 3, max(8.0, place.width() - left - right), 6)
        painter.drawImage(bar, image_of(table[None]), QRectF(0, 0, 256, 1))
        painter.setPen(QPen(self._theme.color("line"), 1))
        painter.drawRect(bar.adjusted(-0.5, -0.5, 0.5, 0.5))

    def _paint_cells(self, painter: QPainter, picture: HeatPicture) -> None:
        if self._marked is not None and self._fits(picture, self._marked):
            for column in range(3):
                # The dark theme's accent is bright enough for the maps of values, which are dark in both themes.
                accent = (self._theme if column == 2 else DARK).color("accent")
                self._cross(painter, self._marked, column, accent)
        if self._cursor is not None and self._fits(picture, self._cursor):
            for column in range(3):
                self._cross(painter, self._cursor, column, QColor("#ffffff"))
        elif self._point is not None:
            for index in range(len(picture.rows)):
                cell = picture.cell_at(index, *self._point)
                for column in range(3) if cell is not None else ():
                    self._cross(painter, cell, column, QColor("#ffffff"))

    def _cross(self, painter: QPainter, cell: Cell, column: int, color: QColor) -> None:
        """Hairlines through the cell, broken around it, so that the cell itself is seen; without them a small one is not found."""
        tile, place = self.tile(cell.row_index, column), self.place_of(cell, column)
        middle = place.center()
        lines = [
            QLineF(tile.left(), middle.y(), place.left() - 3, middle.y()),
            QLineF(place.right() + 3, middle.y(), tile.right(), middle.y()),
            QLineF(middle.x(), tile.top(), middle.x(), place.top() - 3),
            QLineF(middle.x(), place.bottom() + 3, middle.x(), tile.bottom()),
        ]
        painter.save()
        painter.setClipRect(tile)
        # White would not be seen on the difference's middle, which is the background.
        line = self._theme.color("text") if column == 2 and color == QColor("#ffffff") else QColor(color)
        line.setAlpha(130)
        painter.setPen(QPen(line, 1))
        painter.drawLines(lines)
        painter.restore()
        self._outline(painter, place, color)

    def _outline(self, painter: QPainter, place: QRectF, color: QColor) -> None:
        painter.setPen(QPen(QColor(0, 0, 0, 170), 1))
        painter.drawRect(place.adjusted(-2, -2, 1, 1))
        painter.setPen(QPen(color, 1))
        painter.drawRect(place.adjusted(-1, -1, 0, 0))


def image_of(pixels: NDArray[np.uint32]) -> QImage:
    """The pixels as an image over their own memory: valid while the array is; to be painted at once."""
    height, width = pixels.shape
    return QImage(pixels.data, width, height, pixels.strides[0], QImage.Format.Format_ARGB32_Premultiplied)
