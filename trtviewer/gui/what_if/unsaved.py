"""Variants that were made here and not saved: whoever would let them go is asked once, to save, to discard or to stay."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from trtviewer.gui.docks.variant_model import name_of
from trtviewer.gui.view_model import Requests, ViewModel
from trtviewer.gui.what_if.state import SaveVariants, Stop, Variant

_NAMED = 5
"""So many variants are named in the question."""


@dataclass(slots=True)
class _Saving:
    files: tuple[tuple[Path, Path], ...]
    then: Callable[[], object]
    begun: bool = False


class Unsaved(QObject):
    """Asks over `window`, without holding up anything else; what was wanted is done once the answer is carried out.

    Attributes:
        asks: False where nobody is there to answer: everything is let go.
    """

    def __init__(self, window: QWidget, view_model: ViewModel, requests: Requests) -> None:
        super().__init__(window)
        self.asks = True
        self._window, self._model, self._requests = window, view_model, requests
        self._given_up: set[Path] = set()
        self._box: QMessageBox | None = None
        self._saving: _Saving | None = None
        view_model.what_if.running_changed.connect(self._go_on)

    def hold(self, going: Iterable[Path], then: Callable[[], object]) -> bool:
        """Whether something of these would be lost. Then the user is asked, and `then` is called once it may go."""
        state = self._model.what_if
        lost = [state.variant(path) for path in going if path not in self._given_up]
        lost = [variant for variant in lost if variant.unsaved]
        if not lost or not self.asks:
            return False
        if self._box is not None:
            self._box.raise_()
        elif self._saving is None:
            self._ask(lost, then)
        return True

    def _ask(self, lost: list[Variant], then: Callable[[], object]) -> None:
        box = self._box = QMessageBox(self._window)
        box.setObjectName("unsaved")
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setWindowTitle("Unsaved variants" if len(lost) > 1 else "Unsaved variant")
        box.setText(
            f"{len(lost)} variants were made here and are not saved."
            if len(lost) > 1
            else "This variant was made here and is not saved."
        )
        more = [f"and {len(lost) - _NAMED} more"] if len(lost) > _NAMED else []
        box.setInformativeText("\n".join([*map(self._name, lost[:_NAMED]), *more]))
        for name, words, role in (
            ("save", "Save…", QMessageBox.ButtonRole.AcceptRole),
            ("discard", "Discard", QMessageBox.ButtonRole.DestructiveRole),
            ("cancel", "Cancel", QMessageBox.ButtonRole.RejectRole),
        ):
            button = box.addButton(words, role)
            button.setObjectName(f"unsaved.{name}")
            button.setProperty("role", "primary" if name == "save" else "")
        box.finished.connect(lambda _: self._answered(lost, then))
        box.open()

    def _name(self, variant: Variant) -> str:
        """How it was made, after the key that shows it: two may have been made alike."""
        paths = [entry.path for entry in self._model.models.candidates]
        key = f"{paths.index(variant.path) + 1}: " if variant.path in paths else ""
        return f"{key}{name_of(variant)}"

    def _answered(self, lost: list[Variant], then: Callable[[], object]) -> None:
        box, self._box = self._box, None
        pressed = box.clickedButton().objectName() if box is not None and box.clickedButton() else ""
        if pressed == "unsaved.discard":
            self._given_up.update(one.path for one in lost)
            then()
        elif pressed == "unsaved.save":
            self._save(self._ask_files(lost), then)

    def _ask_files(self, lost: list[Variant]) -> tuple[tuple[Path, Path], ...]:
        """Where each is to be saved; nothing where the user thought better of it."""
        reference = self._model.models.reference
        stem = "" if reference is None else f"{reference.path.stem}-"
        folder = Path.home() if reference is None else reference.path.parent
        if len(lost) == 1:
            proposed = folder / f"{stem}{lost[0].path.name}"
            chosen, _ = QFileDialog.getSaveFileName(
                self._window, "Save the variant as", str(proposed), "ONNX (*.onnx)"
            )
            out = Path(chosen)
            return ((lost[0].path, out if out.suffix else out.with_suffix(".onnx")),) if chosen else ()
        chosen = QFileDialog.getExistingDirectory(self._window, "Save the variants to", str(folder))
        if not chosen:
            return ()
        return tuple((one.path, _free(Path(chosen) / f"{stem}{one.path.name}")) for one in lost)

    def _save(self, files: tuple[tuple[Path, Path], ...], then: Callable[[], object]) -> None:
        if not files:
            return
        self._saving = _Saving(files, then)
        if self._model.what_if.running:
            self._requests.what_if.emit(Stop())
        else:
            self._go_on("")

    def _go_on(self, running: str) -> None:
        """Begins once the workshop is free; when it is free again, what was wanted is done, if all of it was saved."""
        saving = self._saving
        if running or saving is None:
            return
        if not saving.begun:
            saving.begun = True
            self._requests.what_if.emit(SaveVariants(saving.files))
            return
        self._saving = None
        if not any(self._model.what_if.variant(path).unsaved for path, _ in saving.files):
            QTimer.singleShot(0, self, saving.then)


def _free(path: Path) -> Path:
    """That name, or with a number where it is taken."""
    number = 2
    free = path
    while free.exists():
        free = path.with_stem(f"{path.stem}-{number}")
        number += 1
    return free
