"""What a window with nothing open says: three places to drop things on, the demo, and what was open lately."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QMouseEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from trtviewer.gui.preferences import Preferences
from trtviewer.gui.view_model import ModelEntry, ViewModel

MOST_SHOWN = 4


class Target(QFrame):
    """A place to drop one kind of thing on; a click asks for it instead."""

    dropped = Signal(object)
    clicked = Signal()

    def __init__(self, name: str, title: str, words: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName(f"target.{name}")
        self.setProperty("role", "card")
        self.setAcceptDrops(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(160, 92)
        self.setAccessibleName(title)
        self.title = QLabel(title, self)
        font = self.title.font()
        font.setPointSizeF(font.pointSizeF() * 1.3)
        self.title.setFont(font)
        self.words = QLabel(words, self)
        self.words.setProperty("role", "faint")
        self._default = words
        self.words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.words.setWordWrap(True)
        self.title.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.addStretch(1)
        column.addWidget(self.title)
        column.addWidget(self.words)
        column.addStretch(1)

    def sizeHint(self) -> QSize:
        return QSize(244, max(132, super().sizeHint().height()))

    def set_words(self, words: str) -> None:
        """What is there already; the invitation where empty."""
        self.words.setText(words or self._default)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.rect().contains(event.position().toPoint()):
            self.clicked.emit()

    def keyPressEvent(self, event: object) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.clicked.emit()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()
            self._light(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._light(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self._light(False)
        event.acceptProposedAction()
        self.dropped.emit(paths_of(event))

    def _light(self, on: bool) -> None:
        self.setProperty("drop", on)
        self.style().unpolish(self)
        self.style().polish(self)


def paths_of(event: QDropEvent) -> list[Path]:
    """The local files that were dropped."""
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]


class StartPage(QWidget):
    """Shown until there is a picture to show.

    Args:
        open_paths: opens dropped paths, as the side they were dropped on.
        ask: opens a file dialog for "reference", "candidate" or "source".
        demo: opens the bundled demo; None where there is none in this installation.
    """

    def __init__(
        self,
        view_model: ViewModel,
        open_paths: Callable[[Sequence[Path], str | None], None],
        ask: Callable[[str], None],
        demo: Callable[[], None] | None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("start_page")
        self._model = view_model
        self._open = open_paths
        self._recent = QGridLayout()
        self._recent.setHorizontalSpacing(24)
        self._recent.setVerticalSpacing(4)
        inner = QVBoxLayout()
        inner.setSpacing(16)
        self._build_words(inner)
        inner.addSpacing(8)
        inner.addLayout(self._build_targets(ask))
        inner.addLayout(_centred(self._build_demo(demo)))
        inner.addLayout(_centred(self._recent))
        whole = QVBoxLayout(self)
        whole.addStretch(2)
        whole.addLayout(_centred(inner))
        whole.addStretch(3)
        view_model.models_changed.connect(self._show_open)
        view_model.source_changed.connect(self._show_open)
        self._show_open()

    def _build_words(self, column: QVBoxLayout) -> None:
        heading = QLabel("See what INT8 loses", self)
        font = heading.font()
        font.setPointSizeF(font.pointSizeF() * 2)
        heading.setFont(font)
        words = QLabel("Drop two models and a video anywhere: the INT8 one becomes the candidate.", self)
        words.setProperty("role", "faint")
        for label in (heading, words):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            column.addWidget(label)

    def _build_targets(self, ask: Callable[[str], None]) -> QHBoxLayout:
        self.targets = {
            "reference": Target(
                "reference", "Reference", "Usually FP32\n.onnx, .engine or recorded outputs", self
            ),
            "candidate": Target(
                "candidate", "Candidate", "Usually INT8\n.onnx, .engine or recorded outputs", self
            ),
            "source": Target(
                "source", "Video or pictures", "A video, a picture\nor a folder of pictures", self
            ),
        }
        row = QHBoxLayout()
        row.setSpacing(16)
        for side, target in self.targets.items():
            target.clicked.connect(lambda s=side: ask(s))
            target.dropped.connect(lambda paths, s=side: self._open(paths, s if s != "source" else None))
            row.addWidget(target)
        return row

    def _build_demo(self, demo: Callable[[], None] | None) -> QHBoxLayout:
        below = QHBoxLayout()
        if demo is not None:
            self.demo = QPushButton("Try the demo", self)
            self.demo.setObjectName("start.demo")
            self.demo.setProperty("role", "primary")
            self.demo.setMinimumHeight(32)
            self.demo.clicked.connect(demo)
            below.addWidget(self.demo)
        return below

    def set_recent(self, preferences: Preferences) -> None:
        """Lists what was open lately; files that are gone are left out."""
        while (item := self._recent.takeAt(0)) is not None:
            if item.widget() is not None:
                item.widget().deleteLater()
        columns = (
            ("Recent models", [one for one in preferences.recent_models if Path(one).exists()]),
            (
                "Recent videos",
                [one for one in preferences.recent_sources if ":" in one[:8] or Path(one).exists()],
            ),
        )
        for column, (title, addresses) in enumerate(columns):
            if not addresses:
                continue
            head = QLabel(title, self)
            head.setProperty("role", "faint")
            head.setIndent(11)  # as the style sheet pads the buttons under it
            self._recent.addWidget(head, 0, column)
            for row, address in enumerate(addresses[:MOST_SHOWN], start=1):
                name = Path(address).name or address
                button = QPushButton(name.replace("&", "&&"), self)  # one alone would be a key's mark
                button.setObjectName(f"recent.{column}.{row}")
                button.setProperty("flat", True)
                button.setToolTip(address)
                button.setCursor(Qt.CursorShape.PointingHandCursor)
                button.clicked.connect(lambda _=False, a=address: self._open([a], None))
                self._recent.addWidget(button, row, column, Qt.AlignmentFlag.AlignLeft)

    def _show_open(self, *_: object) -> None:
        models, source = self._model.models, self._model.source
        for side, entry in (("reference", models.reference), ("candidate", models.candidate)):
            self.targets[side].set_words(_of_model(entry))
        self.targets["source"].set_words(f"{source.name} is open" if source is not None else "")


def _of_model(entry: ModelEntry | None) -> str:
    if entry is None:
        return ""
    words = {"opening": "opening …", "ready": "is open", "failed": "could not be opened"}
    return f"{entry.name}\n{words[entry.state.value]}"


def _centred(inner: QLayout) -> QHBoxLayout:
    row = QHBoxLayout()
    row.addStretch(1)
    row.addLayout(inner)
    row.addStretch(1)
    return row
