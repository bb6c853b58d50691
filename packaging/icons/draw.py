"""Draws the program's icon: two panes, an object found in the one (solid box) and lost in the other (dashed box).

    .venv/bin/python packaging/icons/draw.py        writes resources/icons/: SVG, PNG of every size, Windows' .ico

Up to 24 pixels a second drawing is used whose edges lie on whole pixels; a large one scaled down would be mud.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

SIZES = (16, 20, 22, 24, 32, 40, 48, 64, 96, 128, 256, 512)
ICO_SIZES = (16, 20, 24, 32, 40, 48, 64, 256)
LARGEST_SMALL = 24
FOLDER = Path(__file__).resolve().parents[2] / "resources" / "icons"

# The meanings' colours of trtviewer/gui/theme.py.
TILE, LEFT, RIGHT, EDGE = "#17191c", "#31404a", "#23272d", "#4a525c"
FOUND, LOST, GONE = "#35c79b", "#ff6a1f", "#39404a"

PERSON = (
    '<circle cx="{x}" cy="92" r="15"/>'
    '<path d="M{left} 132A20 20 0 0 1 {right} 132V160H{inner_right}V192H{inner_left}V160H{left}Z"/>'
)


def _person(x: int) -> str:
    return PERSON.format(x=x, left=x - 20, right=x + 20, inner_left=x - 12, inner_right=x + 12)


def _large(line: int) -> str:
    """Boxes as thick as a pixel needs at this size; at 32 pixels, with `line` 16, their edges lie on whole pixels."""
    near, far, top, bottom = 40 + line / 2, 120 - line / 2, 56 + line / 2, 208 - line / 2
    right, arm, tall = near + 96, 16 + line / 2, 24 + line / 2
    lost = near + 96, far + 96
    corners = "".join(
        f"M{x} {y + tall * down}V{y}H{x + arm * along}"
        for x, along in ((lost[0], 1), (lost[1], -1))
        for y, down in ((top, 1), (bottom, -1))
    )
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 256 256">
  <rect x="8" y="8" width="240" height="240" rx="44" fill="{TILE}" stroke="{EDGE}" stroke-width="4"/>
  <path d="M124 24H60A36 36 0 0 0 24 60V196A36 36 0 0 0 60 232H124Z" fill="{LEFT}"/>
  <path d="M132 24H196A36 36 0 0 1 232 60V196A36 36 0 0 1 196 232H132Z" fill="{RIGHT}"/>
  <g fill="{FOUND}">{_person(80)}</g>
  <path d="M{near} {top}H{far}V{bottom}H{near}Z" fill="none" stroke="{FOUND}" stroke-width="{line}"/>
  <g fill="{GONE}">{_person(176)}</g>
  <path d="{corners}M{right} 108V156M{lost[1]} 108V156" fill="none" stroke="{LOST}" stroke-width="{line}"/>
</svg>
"""


def _small(size: int) -> str:
    """On a grid of `size` pixels: one box solid, the other dashed; nothing thinner than two pixels."""
    wide, high = (size - 4) // 2, size - 4
    left, right, top, line = 1, size - 1 - wide, 2, 2
    dashes = "".join(
        f'<rect x="{x}" y="{y}" width="{w}" height="{h}"/>'
        for x, y, w, h in _dashes(right, top, wide, high, line)
    )
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}">
  <rect width="{size}" height="{size}" rx="{size / 8}" fill="{TILE}"/>
  <rect x="{left}" y="{top}" width="{wide}" height="{high}" fill="{FOUND}"/>
  <rect x="{left + line}" y="{top + line}" width="{wide - 2 * line}" height="{high - 2 * line}" fill="{LEFT}"/>
  <g fill="{LOST}">{dashes}</g>
</svg>
"""


def _drawing(size: int) -> str:
    return _small(size) if size <= LARGEST_SMALL else _large(16 if size <= 48 else 12)


def _dashes(x: int, y: int, wide: int, high: int, line: int) -> list[tuple[int, int, int, int]]:
    """Four corners and a dash in the middle of each long side, as rectangles on whole pixels."""
    # A side too short for a gap stays whole: the long sides show that the box is dashed.
    arm, tall = (wide // 2 if wide < 7 else (wide - 1) // 2), max(3, high // 4)
    middle = high - 2 * (tall + 2)
    placed = []
    for right in (False, True):
        for low in (False, True):
            for w, h in ((arm, line), (line, tall)):
                placed.append((x + wide - w if right else x, y + high - h if low else y, w, h))
        edge = x + wide - line if right else x
        placed.append((edge, y + (high - middle) // 2, line, middle))
    return placed


def _render(svg: str, size: int) -> QImage:
    image = QImage(size, size, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    with QPainter(image) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        QSvgRenderer(QByteArray(svg.encode())).render(painter)
    return image.convertToFormat(QImage.Format.Format_ARGB32)


def _png(image: QImage) -> bytes:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG", 0)  # 0 is the smallest file
    return bytes(buffer.data().data())


def _ico(pictures: dict[int, bytes]) -> bytes:
    """Windows' container: a directory of PNG files, which every Windows since Vista reads."""
    header = struct.pack("<HHH", 0, 1, len(pictures))
    offset = len(header) + 16 * len(pictures)
    entries, data = b"", b""
    for size, png in pictures.items():
        place = offset + len(data)
        entries += struct.pack("<BBBBHHII", size % 256, size % 256, 0, 0, 1, 32, len(png), place)
        data += png
    return header + entries + data


def main() -> None:
    _ = QGuiApplication([])
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "trtviewer.svg").write_text(_drawing(SIZES[-1]), "utf-8")
    pictures = {size: _png(_render(_drawing(size), size)) for size in SIZES}
    for size, png in pictures.items():
        (FOLDER / f"trtviewer-{size}.png").write_bytes(png)
    (FOLDER / "trtviewer.ico").write_bytes(_ico({size: pictures[size] for size in ICO_SIZES}))


if __name__ == "__main__":
    main()
