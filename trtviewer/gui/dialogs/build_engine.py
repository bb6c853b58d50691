"""Asks of which model an engine is to be built, for which runtime, and where to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QComboBox,
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

from trtviewer.build.request import Runtime
from trtviewer.gui.builders import TITLES, hindrance
from trtviewer.gui.dialogs.file_name import file_of
from trtviewer.models.engine_file import ENGINE_SUFFIXES
from trtviewer.models.spec import ModelSpec

_SHORT = {Runtime.TENSORRT: "trt", Runtime.TENSORRT_RTX: "rtx"}


@dataclass(frozen=True, slots=True)
class EngineRequest:
    """What was chosen: the model, the runtime that will run its engine, and the engine's file."""

    spec: ModelSpec
    runtime: Runtime
    path: Path


class BuildEngineDialog(QDialog):
    """`request` is what was chosen.

    Args:
        models: the ONNX models to choose from, at least one. runtimes: the builders that are installed, at least one.
    """

    def __init__(
        self, models: Sequence[ModelSpec], runtimes: Sequence[Runtime], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("build")
        self.setWindowTitle("Build engine")
        self._models, self._runtimes = tuple(models), tuple(runtimes)
        self._typed = False
        self.model = QComboBox()
        self.model.setObjectName("build.model")
        self.model.addItems([spec.path.name for spec in models])
        self.runtime = QComboBox()
        self.runtime.setObjectName("build.runtime")
        self.runtime.addItems([TITLES[runtime] for runtime in runtimes])
        able = [index for index, runtime in enumerate(runtimes) if not hindrance(runtime)]
        self.runtime.setCurrentIndex(able[0] if able else 0)
        self.path = QLineEdit()
        self.path.setObjectName("build.path")
        self.path.setMinimumWidth(360)
        browse = QPushButton("Browse…")
        browse.setObjectName("build.browse")
        browse.clicked.connect(self._browse)
        self.words = QLabel()
        self.words.setObjectName("build.words")
        self.words.setProperty("role", "faint")
        self.words.setWordWrap(True)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.buttons.button(QDialogButtonBox.StandardButton.Cancel).setIcon(QIcon())
        self.go = self.buttons.addButton("Build", QDialogButtonBox.ButtonRole.AcceptRole)
        self.go.setObjectName("build.go")
        self.go.setProperty("role", "primary")
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)

        file = QHBoxLayout()
        file.setSpacing(8)
        file.addWidget(self.path, 1)
        file.addWidget(browse)
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.addRow("Model", self.model)
        form.addRow("To run in", self.runtime)
        form.addRow("File", file)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(20, 16, 20, 16)
        whole.setSpacing(12)
        whole.addLayout(form)
        whole.addWidget(self.words)
        whole.addWidget(self.buttons)
        self.model.currentIndexChanged.connect(self._propose)
        self.runtime.currentIndexChanged.connect(self._propose)
        self.path.textEdited.connect(self._take_typed)
        self.path.textChanged.connect(self._say)
        self._propose()
        self._say()

    def request(self) -> EngineRequest:
        """What was chosen."""
        path = file_of(self.path.text(), *ENGINE_SUFFIXES)
        assert path is not None, "the button is dead until a file is named"
        return EngineRequest(
            self._models[self.model.currentIndex()], self._runtimes[self.runtime.currentIndex()], path
        )

    def _propose(self, *_: object) -> None:
        """A name of its own beside the model: with the model's, the engine would share its sidecar."""
        if not self._typed:
            model = self._models[self.model.currentIndex()].path
            short = _SHORT[self._runtimes[self.runtime.currentIndex()]]
            self.path.setText(str(model.with_name(f"{model.stem}-{short}.engine")))
        self._say()

    def _take_typed(self, _: str) -> None:
        self._typed = True

    def _say(self, *_: object) -> None:
        path = file_of(self.path.text(), *ENGINE_SUFFIXES)
        trouble = hindrance(self._runtimes[self.runtime.currentIndex()])
        self.go.setEnabled(path is not None and not trouble)
        if trouble:
            words = trouble
        elif path is None:
            words = "Name the file."
        elif path.exists():
            words = f"{path.name} is there already: it will be replaced when the new one is whole."
        else:
            words = "Takes from seconds to minutes. The sidecar and the SHA-256 are written beside it."
        self.words.setText(words)

    def _browse(self) -> None:
        path, _ = QFileDialog.getSaveFileName(
            self, "Build engine", self.path.text(), "Engines (*.engine *.plan *.trt)"
        )
        if path:
            self._typed = True
            self.path.setText(path)
