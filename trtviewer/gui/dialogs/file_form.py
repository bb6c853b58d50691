"""A dialog that ends in a file to be written: rows of choices, the file with Browse, a sentence, and the button that begins."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from trtviewer.gui.dialogs.file_name import file_of


class FileForm(QDialog):
    """The maker adds its rows to `form` and says in `say` what would be made; `go` is dead where that cannot be.

    Args:
        name: of the dialog, and the beginning of its controls' names.
        title, verb: of the window and on the button.
        path: the file that is proposed.
        kinds: as QFileDialog's filter; suffixes: what the file may end in, the first where it has none of them.
    """

    def __init__(
        self,
        name: str,
        title: str,
        verb: str,
        path: Path,
        kinds: str,
        suffixes: tuple[str, ...],
        parent: QWidget | None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setWindowTitle(title)
        self._kinds, self._suffixes = kinds, suffixes
        self.form = QFormLayout()
        self.form.setHorizontalSpacing(16)
        self.form.setVerticalSpacing(8)
        self.path = QLineEdit(str(path))
        self.path.setObjectName(f"{name}.path")
        self.path.setMinimumWidth(320)
        browse = QPushButton("Browse…")
        browse.setObjectName(f"{name}.browse")
        browse.clicked.connect(self._browse)
        self.file_row = QHBoxLayout()
        self.file_row.setSpacing(8)
        self.file_row.addWidget(self.path, 1)
        self.file_row.addWidget(browse)
        self.words = QLabel()
        self.words.setObjectName(f"{name}.words")
        self.words.setProperty("role", "faint")
        self.words.setWordWrap(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        buttons.button(QDialogButtonBox.StandardButton.Cancel).setIcon(QIcon())
        self.go = buttons.addButton(verb, QDialogButtonBox.ButtonRole.AcceptRole)
        self.go.setObjectName(f"{name}.go")
        self.go.setProperty("role", "primary")
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(20, 16, 20, 16)
        whole.setSpacing(12)
        whole.addLayout(self.form)
        whole.addWidget(self.words)
        whole.addWidget(buttons)
        self.path.textChanged.connect(lambda _: self.say())

    @property
    def file(self) -> Path | None:
        """The file that is named; None where none is."""
        return file_of(self.path.text(), *self._suffixes)

    def say(self) -> None:
        """Says what would be made, and whether that can be."""
        file = self.file
        trouble = self.trouble() or ("" if file is not None else "Name the file.")
        there = f" {file.name} is there already, and will be replaced." if file and file.exists() else ""
        self.go.setEnabled(not trouble)
        self.words.setText(trouble or f"{self.promise()}{there}")

    def trouble(self) -> str:
        """Why nothing can be made with these choices; empty where it can."""
        return ""

    def promise(self) -> str:
        """What would be made; asked for only where it can be."""
        raise NotImplementedError

    def _browse(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, self.windowTitle(), self.path.text(), self._kinds)
        if path:
            self.path.setText(path)


def beside_source(address: str, name: str, ending: str) -> Path:
    """A file named after the source, beside it where it is a file itself, else in the home folder."""
    source = Path(address)
    folder = source.parent if source.is_file() else Path.home()
    stem = Path(name.removeprefix("scene:")).stem or "comparison"
    return folder / f"{stem}-{ending}"
