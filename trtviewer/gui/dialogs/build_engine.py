"""Asks of which model an engine is to be built, for which runtime, and where to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtWidgets import QComboBox, QWidget

from trtviewer.build.request import Runtime
from trtviewer.gui.builders import TITLES, hindrance
from trtviewer.gui.dialogs.file_form import FileForm
from trtviewer.models.engine_file import ENGINE_SUFFIXES
from trtviewer.models.spec import ModelSpec

_SHORT = {Runtime.TENSORRT: "trt", Runtime.TENSORRT_RTX: "rtx"}


@dataclass(frozen=True, slots=True)
class EngineRequest:
    """What was chosen: the model, the runtime that will run its engine, and the engine's file."""

    spec: ModelSpec
    runtime: Runtime
    path: Path


class BuildEngineDialog(FileForm):
    """`request` is what was chosen.

    Args:
        models: the ONNX models to choose from, at least one. runtimes: the builders that are installed, at least one.
    """

    def __init__(
        self, models: Sequence[ModelSpec], runtimes: Sequence[Runtime], parent: QWidget | None = None
    ) -> None:
        kinds = f"Engines ({' '.join('*' + suffix for suffix in ENGINE_SUFFIXES)})"
        super().__init__("build", "Build engine", "Build", Path(), kinds, ENGINE_SUFFIXES, parent)
        self._models, self._runtimes = tuple(models), tuple(runtimes)
        self._proposed = self.path.text()
        self.model = _one_of("build.model", [spec.path.name for spec in models])
        self.runtime = _one_of("build.runtime", [TITLES[runtime] for runtime in runtimes])
        able = [index for index, runtime in enumerate(runtimes) if not hindrance(runtime)]
        self.runtime.setCurrentIndex(able[0] if able else 0)
        self.form.addRow("Model", self.model)
        self.form.addRow("To run in", self.runtime)
        self.form.addRow("File", self.file_row)
        for box in (self.model, self.runtime):
            box.currentIndexChanged.connect(lambda _: self._propose())
        self._propose()

    def request(self) -> EngineRequest:
        """What was chosen."""
        path = self.file
        assert path is not None, "the button is dead until a file is named"
        return EngineRequest(self._model, self._runtime, path)

    def trouble(self) -> str:
        return hindrance(self._runtime)

    def promise(self) -> str:
        return "Takes from seconds to minutes. The sidecar and the SHA-256 are written beside it."

    @property
    def _model(self) -> ModelSpec:
        return self._models[self.model.currentIndex()]

    @property
    def _runtime(self) -> Runtime:
        return self._runtimes[self.runtime.currentIndex()]

    def _propose(self) -> None:
        """A name of its own beside the model, until the user gives one: with the model's, it would share its sidecar."""
        if self.path.text() == self._proposed:
            model = self._model.path
            self._proposed = str(model.with_name(f"{model.stem}-{_SHORT[self._runtime]}.engine"))
            self.path.setText(self._proposed)
        self.say()


def _one_of(name: str, words: Sequence[str]) -> QComboBox:
    box = QComboBox()
    box.setObjectName(name)
    box.addItems(list(words))
    return box
