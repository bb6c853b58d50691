"""What the File menu does, and what is dropped on the window: opening, saving, sessions."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QDialog, QFileDialog, QStackedWidget

from trtviewer.errors import TrtviewerError
from trtviewer.gui.engine.engine import Engine, problem_of
from trtviewer.gui.files.picture import with_legend
from trtviewer.gui.files.session import Session, read_session, write_session
from trtviewer.gui.panes.comparison_view import ComparisonView
from trtviewer.gui.preferences import Preferences
from trtviewer.gui.start_page import paths_of
from trtviewer.gui.view_model import PaneMode, Requests, ViewModel

MODEL_FILTER = "Models (*.onnx *.engine *.plan *.trt);;All files (*)"
SOURCE_FILTER = (
    "Videos and pictures (*.mp4 *.avi *.mkv *.mov *.webm *.ts *.mpg *.m4v *.png *.jpg *.jpeg *.bmp *.tif *.webp);;"
    "All files (*)"
)


class FileCommands:
    """A part of the main window, which has all of these attributes."""

    view_model: ViewModel
    requests: Requests
    engine: Engine
    comparison: ComparisonView
    preferences: Preferences
    _stack: QStackedWidget
    _wanted: Session | None
    _reading: QDialog | None
    _to_be_read: dict[Path, tuple[str, ...]]

    def ask_anything(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self, "Open", self._folder(), "All files (*)")
        if paths:
            self.engine.open_paths(paths)

    def ask_model(self, side: str) -> None:
        path, _ = QFileDialog.getOpenFileName(self, f"Open {side}", self._folder(), MODEL_FILTER)
        if path:
            self.engine.open_paths([path], side)

    def ask_source(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Open video or picture", self._folder(), SOURCE_FILTER)
        if path:
            self.engine.open_source(path)

    def ask_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Open folder of pictures", self._folder())
        if path:
            self.engine.open_source(path)

    def _ask(self, kind: str) -> None:
        if kind == "source":
            self.ask_source()
        else:
            self.ask_model(kind)

    def ask_labels(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self,
            "Open labels: a COCO JSON, or any file of a YOLO folder",
            self._folder(),
            "Labels (*.json *.txt)",
        )
        if path:
            chosen = Path(path)
            self.engine.open_labels(chosen if chosen.suffix == ".json" else chosen.parent)

    def ask_reading(self, path: Path, readings: tuple[str, ...] = ()) -> None:
        """Asks how a model is to be read, one after the other; opens it again once that is saved."""
        self._to_be_read[path] = readings
        if self._reading is None:
            self._ask_next_reading()

    def _ask_next_reading(self) -> None:
        from trtviewer.gui.dialogs.model_reading import ModelReading

        path, readings = next(iter(self._to_be_read.items()))
        dialog = self._reading = ModelReading(path, self.view_model, readings, self)
        dialog.saved.connect(self._reading_saved)
        dialog.finished.connect(lambda: self._reading_closed(path))
        dialog.show()

    def _reading_saved(self, path: Path) -> None:
        reference = self.view_model.models.reference
        if reference is not None and reference.path == path:
            self.engine.open_reference(path)
        else:
            self.engine.add_candidate(path)

    def _reading_closed(self, path: Path) -> None:
        self._reading = None
        self._to_be_read.pop(path, None)
        if self._to_be_read:
            self._ask_next_reading()

    def _folder(self) -> str:
        recent = self.preferences.recent_sources or self.preferences.recent_models
        return (
            str(Path(recent[0]).parent) if recent and not recent[0].startswith(("scene:", "camera:")) else ""
        )

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.engine.open_paths(paths_of(event), self._side_under(event))

    def _side_under(self, event: QDropEvent) -> str | None:
        """The pane that a single model was dropped on; it decides where both panes are seen."""
        if self.view_model.display.mode is not PaneMode.SIDE_BY_SIDE or len(event.mimeData().urls()) != 1:
            return None
        if self._stack.currentWidget() is not self.comparison:
            return None
        for side, pane in self.comparison.panes.items():
            if pane.rect().contains(pane.mapFrom(self, event.position().toPoint())):
                return side
        return None

    def save_picture(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Save picture", "comparison.png", "PNG (*.png)")
        if path:
            self.save_picture_to(Path(path))

    def save_picture_to(self, path: Path) -> None:
        """Writes the panes as they are seen, with a legend."""
        from trtviewer.atomic import whole_file
        from trtviewer.errors import BadInput

        path = path if path.suffix else path.with_suffix(".png")
        try:
            with whole_file(path) as temporary:
                if not with_legend(self.comparison, self.view_model).save(str(temporary)):
                    raise BadInput(
                        "cannot be written as a picture",
                        subject=path,
                        advice="choose a name that ends in .png",
                    )
        except TrtviewerError as error:
            self.view_model.add_problem(problem_of(error, "window"))
            return
        self.view_model.set_status(f"Saved {path.name}.")

    def copy_picture(self) -> None:
        QGuiApplication.clipboard().setImage(with_legend(self.comparison, self.view_model))
        self.view_model.set_status("The picture is on the clipboard.")

    def save_figures(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Save figures", "comparison.json", "JSON (*.json)")
        if path:
            self.engine.save_figures(Path(path))

    def save_session(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Save session", "session.toml", "Sessions (*.toml)")
        if path:
            self.save_session_to(Path(path))

    def save_session_to(self, path: Path) -> None:
        try:
            view = self.comparison.viewport.view
            write_session(path, Session.of(self.view_model, view, self.engine.labels))
        except TrtviewerError as error:
            self.view_model.add_problem(problem_of(error, "window"))
            return
        self.view_model.set_status(f"Saved {path.name}.")

    def ask_session(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Open session", self._folder(), "Sessions (*.toml)")
        if path:
            self.open_session(Path(path))

    def open_session(self, path: Path) -> None:
        """Opens everything that a session names, and goes to its frame and view."""
        try:
            session = read_session(path)
        except TrtviewerError as error:
            self.view_model.add_problem(problem_of(error, "window"))
            return
        self._wanted = session
        self.view_model.set_settings(session.settings)
        self.view_model.set_display(session.display)
        if session.reference is not None:
            self.engine.open_reference(session.reference)
        for index, candidate in enumerate(session.candidates):
            self.engine.add_candidate(candidate, show=index == session.shown)
        if session.source is not None:
            self.engine.open_source(session.source)

    def _source_opened(self, *_: object) -> None:
        """The frame, the view, the loop and the truth of a session wait for its source."""
        session, source = self._wanted, self.view_model.source
        if session is None or source is None or source.address != session.source:
            return
        self._wanted = None
        self.view_model.set_playing(session.playing)
        if session.truth is not None:
            self.engine.open_labels(session.truth)
        self.view_model.change_display(truth=session.display.truth)
        self.requests.seek.emit(session.frame)
        self.comparison.viewport.set_view(session.view)
