"""The help: the README's sections as pages with their pictures; its links open what they name in the window."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QImage, QTextCursor
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QListWidget, QTextBrowser, QVBoxLayout, QWidget

from trtviewer.gui.border import Border
from trtviewer.gui.help.page import dress
from trtviewer.gui.help.text import TOUR, HelpPage, help_pages
from trtviewer.gui.style_sheet import style_sheet
from trtviewer.gui.view_model import ViewModel
from trtviewer.pipeline.worker import Worker
from trtviewer.resources import readme, resource

_TEXT_WIDTH, _PICTURE_WIDTH = 760, 720
"""Pixels; a picture in a list stands further in."""
_CONTENTS_WIDTH = 224
_MARGIN = 16


@dataclass(frozen=True, eq=False, slots=True)
class _Book:
    """The pages, and each picture by its path, as wide as the text; or why they cannot be had."""

    pages: tuple[HelpPage, ...] = ()
    pictures: Mapping[str, QImage] = field(default_factory=dict)
    error: str = ""


class _Page(QTextBrowser):
    """Shows the pictures that it was given, and opens no file."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.pictures: Mapping[str, QImage] = {}

    def loadResource(self, kind: int, address: QUrl) -> object:
        return self.pictures.get(address.toString())


class HelpWindow(QDialog):
    """A window of its own, so that what a link opens is seen beside it; Escape closes it.

    Signals:
        followed(str): a link that leads into the main window was chosen.
    """

    followed = Signal(str)

    def __init__(self, view_model: ViewModel) -> None:
        super().__init__(None, Qt.WindowType.Window)
        self.setObjectName("help")
        self.setWindowTitle("Help - trtviewer")
        self.resize(1056, 760)
        self._model = view_model
        self._book: _Book | None = None
        self._wanted = TOUR
        self.contents = QListWidget(self)
        self.contents.setObjectName("help.contents")
        self.contents.setProperty("role", "contents")
        self.contents.setFixedWidth(_CONTENTS_WIDTH)
        self.contents.setWordWrap(True)
        self.contents.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.text = _Page(self)
        self.text.setObjectName("help.text")
        self.text.setOpenLinks(False)
        self.text.setProperty("role", "page")
        self.text.setLineWrapMode(QTextBrowser.LineWrapMode.FixedPixelWidth)
        self.text.setLineWrapColumnOrWidth(_TEXT_WIDTH + 2 * _MARGIN)
        self.said = QLabel("Reading …", self)
        self.said.setObjectName("help.said")
        self.said.setProperty("role", "faint")
        self.said.setContentsMargins(_MARGIN, 4, _MARGIN, 8)
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addWidget(self.text, 1)
        right.addWidget(self.said)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.contents)
        row.addLayout(right, 1)
        self.contents.currentRowChanged.connect(self._show)
        self.text.anchorClicked.connect(self._follow)
        view_model.theme_changed.connect(self._theme_changed)
        self._theme_changed()
        self._border = Border(self)
        self._border.arrived.connect(self._take)
        scale, publish = self.devicePixelRatioF(), self._border.publish
        self._worker = Worker("help", lambda cancelled: _read(scale, publish, cancelled)).start()

    def show_page(self, slug: str) -> None:
        """Turns to a page, once it is read; the tour where there is none of that name."""
        self._wanted = slug
        self._turn()
        self.show()
        self.raise_()
        self.activateWindow()

    def say(self, words: str) -> None:
        """A sentence under the text: what a link has opened."""
        self.said.setText(words)

    def stop(self) -> None:
        """Ends its thread, and takes it away."""
        self._worker.cancel()
        self._border.close()
        self._worker.join()
        self.close()
        self.deleteLater()

    def _take(self, book: _Book) -> None:
        """The text comes first, then the same with its pictures."""
        first, self._book = self._book is None, book
        self.text.pictures = book.pictures
        if first:
            self.said.setText(book.error)
            self.contents.addItems([page.title for page in book.pages])
            self.contents.setFocus()
            self._turn()
        elif book.pages[self.contents.currentRow()].pictures:
            self._show(self.contents.currentRow())

    def _turn(self) -> None:
        if self._book is not None and self._book.pages:
            slugs = [page.slug for page in self._book.pages]
            self.contents.setCurrentRow(slugs.index(self._wanted if self._wanted in slugs else TOUR))

    def _show(self, row: int) -> None:
        if self._book is None or not 0 <= row < len(self._book.pages):
            return
        document = self.text.document()
        document.setDocumentMargin(_MARGIN)
        document.setMarkdown(self._book.pages[row].markdown)
        dress(document, self._model.theme)
        self.text.moveCursor(QTextCursor.MoveOperation.Start)
        self.said.clear()

    def _follow(self, link: QUrl) -> None:
        name = link.toString()
        if name.startswith("#"):
            self.show_page(name[1:])
        else:
            self.followed.emit(name)

    def _theme_changed(self, *_: object) -> None:
        self.setStyleSheet(style_sheet(self._model.theme))
        self._show(self.contents.currentRow())


def _read(scale: float, publish: Callable[[_Book], None], cancelled: threading.Event) -> None:
    """Publishes the text, then with its pictures, `scale` pixels of the screen to one of Qt's; off the GUI thread."""
    try:
        pages = help_pages()
    except OSError as error:
        publish(_Book(error=f"{readme()} cannot be read: {error.strerror}."))
        return
    publish(_Book(pages))
    pictures = {}
    for path in (path for page in pages for path in page.pictures):
        if cancelled.is_set():
            return
        picture = QImage(str(resource(*path.split("/")[1:])))
        picture = picture.scaledToWidth(
            round(scale * _PICTURE_WIDTH), Qt.TransformationMode.SmoothTransformation
        )
        picture.setDevicePixelRatio(scale)
        pictures[path] = picture
    publish(_Book(pages, MappingProxyType(pictures)))
