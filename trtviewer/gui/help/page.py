"""How a page of the help looks beyond what Qt makes of Markdown: tables, code and space in the theme's colours."""

from __future__ import annotations

from PySide6.QtGui import QTextBlockFormat, QTextCursor, QTextDocument, QTextFormat, QTextTable

from trtviewer.gui.theme import Theme

_LEADING = 3.0
"""Pixels between the lines."""


def dress(document: QTextDocument, theme: Theme) -> None:
    """Sets formats only; the text stays as it is."""
    cursor = QTextCursor(document)
    cursor.beginEditBlock()
    block = document.begin()
    while block.isValid():
        cursor.setPosition(block.position())
        wanted = QTextBlockFormat()
        wanted.setLineHeight(_LEADING, QTextBlockFormat.LineHeightTypes.LineDistanceHeight.value)
        if block.blockFormat().hasProperty(QTextFormat.Property.BlockCodeLanguage):
            wanted.setBackground(theme.color("surface"))
        cursor.mergeBlockFormat(wanted)
        block = block.next()
    for frame in document.rootFrame().childFrames():
        if isinstance(frame, QTextTable):
            table = frame.format()
            table.setBorderBrush(theme.color("line"))
            table.setCellPadding(6)
            table.setTopMargin(4)
            table.setBottomMargin(8)
            frame.setFormat(table)
    cursor.endEditBlock()
