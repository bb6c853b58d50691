"""What this program is, on whose work it runs and on what terms, and where it looks for TensorRT."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

from PySide6.QtCore import QSize, Qt, qVersion
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QPlainTextEdit,
    QPushButton,
    QSplitter,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from trtviewer import __version__, extra_site
from trtviewer.extra_site import Site
from trtviewer.gui.program_icon import program_icon
from trtviewer.licences import PACKAGE_TERMS, Package, packages

ABOUT, LICENCES, RUNTIMES = range(3)
"""The pages, for `AboutDialog(page=...)`."""


class AboutDialog(QDialog):
    """Three pages; closes with Escape."""

    def __init__(self, parent: QWidget, page: int = ABOUT) -> None:
        super().__init__(parent)
        self.setObjectName("about")
        self.setWindowTitle("About trtviewer")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(760, 520)
        self.pages = QTabWidget(self)
        self.pages.setObjectName("about.pages")
        self.pages.setDocumentMode(True)
        self.pages.addTab(_program_page(self), "Program")
        self.pages.addTab(LicencesPage(self), "Licences")
        self.pages.addTab(RuntimesPage(self), "Runtimes")
        self.pages.setCurrentIndex(page)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.addWidget(self.pages, 1)
        column.addWidget(buttons)


def _program_page(parent: QWidget) -> QWidget:
    page = QWidget(parent)
    picture = QLabel(page)
    picture.setPixmap(program_icon().pixmap(QSize(96, 96), parent.devicePixelRatioF()))
    words = QLabel(
        f"<h2>trtviewer {__version__}</h2>"
        "<p>See what INT8 loses: a reference and a candidate detector side by side on the same frames.</p>"
        f"<p>Python {platform.python_version()}, Qt {qVersion()}"
        f"{', packaged with its own Python' if extra_site.is_packaged() else ''}</p>"
        "<p>MIT licence. What it runs on has licences of its own, on the next page.</p>",
        page,
    )
    words.setObjectName("about.words")
    words.setWordWrap(True)
    words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    row = QHBoxLayout(page)
    row.setContentsMargins(24, 24, 24, 24)
    row.setSpacing(24)
    row.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
    row.addWidget(words, 1, Qt.AlignmentFlag.AlignTop)
    return page


class LicencesPage(QWidget):
    """Each package that the program runs on, and the licences that it brings."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._packages = packages()
        self.names = QListWidget(self)
        self.names.setObjectName("licences.names")
        self.names.addItem("This program")
        for package in self._packages:
            self.names.addItem(f"{package.name} {package.version}")
        self.text = QPlainTextEdit(self)
        self.text.setObjectName("licences.text")
        self.text.setReadOnly(True)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        parts = QSplitter(self)
        parts.addWidget(self.names)
        parts.addWidget(self.text)
        parts.setStretchFactor(1, 1)
        parts.setSizes([200, 540])
        column = QVBoxLayout(self)
        column.addWidget(parts)
        self.names.currentRowChanged.connect(self._show)
        self.names.setCurrentRow(0)

    def _show(self, row: int) -> None:
        self.text.setPlainText(_own_terms() if row <= 0 else _terms_of(self._packages[row - 1]))


def _own_terms() -> str:
    if not extra_site.is_packaged():
        return (
            "trtviewer is under the MIT licence.\n\n"
            "The packages in the list were installed beside it, each by its own authors on its own terms."
        )
    file = Path(sys.executable).parent / "THIRD-PARTY-LICENCES.txt"
    return f"{PACKAGE_TERMS}\nAll of it, with the libraries of the system that are inside, is in\n{file}"


def _terms_of(package: Package) -> str:
    head = [f"{package.name} {package.version}", f"Licence: {package.licence}", package.address, package.note]
    texts = [f"--- {name} ---\n\n{text.strip()}" for name, text in package.texts]
    return "\n\n".join(["\n".join(line for line in head if line), *texts])


class RuntimesPage(QWidget):
    """Where TensorRT, pycuda and CUDA were looked for, what was found, and a way to name another folder."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        version = ".".join(platform.python_version_tuple()[:2])
        own = (
            "This packaged program brings no TensorRT and no CUDA: they must fit your driver and GPU."
            if extra_site.is_packaged()
            else "What is installed in this program's own Python is always found; these folders come after it."
        )
        words = QLabel(
            f"{own} Install them into a virtual environment of Python {version} and name its folder here, or in the "
            f"variable {extra_site.VARIABLE}. It takes effect at the next start.",
            self,
        )
        words.setWordWrap(True)
        self.places = QPlainTextEdit(self)
        self.places.setObjectName("runtimes.places")
        self.places.setReadOnly(True)
        add = QPushButton("Add folder…", self)
        add.setObjectName("runtimes.add")
        add.clicked.connect(self._ask)
        copy = QPushButton("Copy", self)
        copy.setObjectName("runtimes.copy")
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.places.toPlainText()))
        self.said = QLabel(self)
        self.said.setObjectName("runtimes.said")
        self.said.setWordWrap(True)
        row = QHBoxLayout()
        row.addWidget(add)
        row.addWidget(copy)
        row.addWidget(self.said, 1)
        column = QVBoxLayout(self)
        column.addWidget(words)
        column.addWidget(self.places, 1)
        column.addLayout(row)
        self._show()

    def add(self, folder: Path) -> None:
        """Puts a folder on the user's list, and says what was found in it."""
        try:
            site = extra_site.add_to_list(folder)
        except OSError as error:
            self.said.setText(f"{extra_site.list_file()} cannot be written: {error.strerror}.")
            return
        self._show()
        self.said.setText(f"{_found(site)[:1].upper()}{_found(site)[1:]}.")

    def _ask(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "A virtual environment, or its site-packages")
        if folder:
            self.add(Path(folder))

    def _show(self) -> None:
        sites = extra_site.look()
        lines = [f"{site.folder}\n    {site.origin}: {_found(site)}" for site in sites]
        self.places.setPlainText("\n".join(lines) or "No folder was named, and none is known.")


def _found(site: Site) -> str:
    found = ", ".join(site.runtimes) or "no runtime in it"
    return f"{found}; not used: {site.refused}" if site.refused else found
