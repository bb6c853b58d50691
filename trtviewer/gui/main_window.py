"""The window: places the parts and connects them; what they do is theirs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QByteArray, QEvent, QObject, Qt, QTimer
from PySide6.QtGui import (
    QAction,
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QApplication,
    QComboBox,
    QDialog,
    QDockWidget,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QMenu,
    QMessageBox,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QTabBar,
    QToolBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from trtviewer import __version__
from trtviewer.errors import TrtviewerError
from trtviewer.gui.actions import ACTIONS, MODES, Menu
from trtviewer.gui.controls.filters import Filters
from trtviewer.gui.controls.model_picker import ModelPicker
from trtviewer.gui.controls.thresholds import Thresholds
from trtviewer.gui.dialogs.problem import Banners
from trtviewer.gui.dialogs.shortcuts import ShortcutSheet
from trtviewer.gui.docks.catalogue import DOCKS
from trtviewer.gui.engine import Engine, problem_of
from trtviewer.gui.icons import icon
from trtviewer.gui.panes.comparison_view import ComparisonView
from trtviewer.gui.picture_export import with_legend
from trtviewer.gui.preferences import Preferences, PreferencesFile
from trtviewer.gui.presentation import PresentationHead
from trtviewer.gui.session import Session, read_session, write_session
from trtviewer.gui.start_page import StartPage, paths_of
from trtviewer.gui.status import StatusBar
from trtviewer.gui.style_sheet import style_sheet
from trtviewer.gui.summary import Summary
from trtviewer.gui.theme import THEMES, Theme, palette, system_theme
from trtviewer.gui.transport.transport_bar import TransportBar, next_disagreement
from trtviewer.gui.video_export import VideoExport
from trtviewer.gui.view_model import SPEEDS, PaneMode, Requests, ViewModel
from trtviewer.gui.what_if import WhatIf

PANEL_WIDTH = 328
MODEL_FILTER = "Models (*.onnx *.engine *.plan *.trt);;All files (*)"
SOURCE_FILTER = (
    "Videos and pictures (*.mp4 *.avi *.mkv *.mov *.webm *.ts *.mpg *.m4v *.png *.jpg *.jpeg *.bmp *.tif *.webp);;"
    "All files (*)"
)

_log = logging.getLogger(__name__)


class MainWindow(QMainWindow):
    """Everything in it is made here; `close` ends every thread before the window goes."""

    def __init__(
        self, preferences_file: PreferencesFile, demo: Callable[[Engine], None] | None = None
    ) -> None:
        super().__init__()
        self.setObjectName("main")
        self.setWindowTitle("trtviewer")
        self.setAcceptDrops(True)
        self.setDockNestingEnabled(True)
        self.resize(1280, 800)
        self.presenting = False
        self._wanted: Session | None = None
        self._reading: QDialog | None = None
        self._preferences_file = preferences_file
        self.preferences = preferences_file.read()
        self.view_model = ViewModel(self)
        self.view_model.theme = self._theme_of(self.preferences)
        self.requests = Requests(self)
        self.engine = Engine(self.view_model, self.requests, self)
        self.what_if = WhatIf(self.view_model, self.requests, self.engine, self)
        self.video_export = VideoExport(self.view_model, self)
        self._docks: dict[str, QDockWidget] = {}
        self._dock_factories = {dock.id: dock for dock in DOCKS}
        self.actions_by_id: dict[str, QAction] = {}
        self._make_actions()
        self._make_central(demo)
        self._make_tool_bar()
        self._make_docks()
        self._make_menus()
        self.setStatusBar(StatusBar(self.view_model, self))
        self._connect()
        self._apply_theme(self.view_model.theme)
        self._restore()
        for note in self.preferences.notes:
            self.view_model.set_status(note)

    # Making -------------------------------------------------------------------------------------------------------

    def _make_actions(self) -> None:
        for entry in ACTIONS:
            action = QAction(entry.title, self)
            action.setObjectName(entry.id)
            action.setShortcuts([QKeySequence(key) for key in entry.keys])
            key = (
                QKeySequence(entry.keys[0]).toString(QKeySequence.SequenceFormat.NativeText)
                if entry.keys
                else ""
            )
            action.setToolTip(f"{entry.help}  ({key})" if key else entry.help)
            action.setStatusTip("")
            action.setCheckable(entry.checked is not None)
            action.triggered.connect(lambda _=False, run=entry.run: (run(self), self._show_checked()))
            self.addAction(action)
            self.actions_by_id[entry.id] = action

    def _make_menus(self) -> None:
        bar = self.menuBar()
        for menu in Menu:
            made = bar.addMenu(menu.value)
            made.setObjectName(f"menu.{menu.name.lower()}")
            group = 0
            for entry in ACTIONS:
                if entry.menu is not menu:
                    continue
                if entry.group != group:
                    made.addSeparator()
                    group = entry.group
                if entry.id == "file.save_picture":
                    self._recent_menu = made.addMenu("Open &recent")
                    made.addSeparator()
                made.addAction(self.actions_by_id[entry.id])
            if menu is Menu.VIEW:
                self._add_view_menus(made)
        self._fill_recent()

    def _add_view_menus(self, menu: QMenu) -> None:
        menu.addSeparator()
        for dock in self._docks.values():
            menu.addAction(dock.toggleViewAction())
        if self._docks:
            menu.addSeparator()
        themes = menu.addMenu("Theme")
        self._theme_actions: dict[str, QAction] = {}
        for choice, title in (("system", "As the system"), ("light", "Light"), ("dark", "Dark")):
            action = themes.addAction(title)
            action.setObjectName(f"theme.{choice}")
            action.setCheckable(True)
            action.triggered.connect(lambda _=False, c=choice: self.choose_theme(c))
            self._theme_actions[choice] = action

    def _make_central(self, demo: Callable[[Engine], None] | None) -> None:
        self.comparison = ComparisonView(self.view_model, self)
        self.start_page = StartPage(
            self.view_model,
            self.engine.open_paths,
            self._ask,
            (lambda: demo(self.engine)) if demo is not None else None,
            self,
        )
        self.start_page.set_recent(self.preferences)
        self._stack = QStackedWidget(self)
        self._stack.addWidget(self.start_page)
        self._stack.addWidget(self.comparison)
        self.panel = self._make_panel()
        # The panel stands beside the pictures and the docks under them: the verdict and the thresholds never scroll away.
        self.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
        self.setCorner(Qt.Corner.TopRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
        self.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self.panel)
        self.transport = TransportBar(self.view_model, self.requests, self.actions_by_id, self)
        self.banners = Banners(self.view_model, self)
        central = QWidget(self)
        self._central = QVBoxLayout(central)
        self._central.setContentsMargins(0, 0, 0, 0)
        self._central.setSpacing(0)
        self._central.addWidget(self.banners)
        self._central.addWidget(self._stack, 1)
        self._central.addWidget(self.transport)
        self.setCentralWidget(central)

    def _make_panel(self) -> QDockWidget:
        inner = QWidget()
        inner.setProperty("role", "panel")
        inner.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.summary = Summary(self.view_model, self.requests, inner)
        self.thresholds = Thresholds(self.view_model, inner)
        self.filters = Filters(self.view_model, inner)
        reset = QPushButton("Defaults", inner)
        reset.setObjectName("thresholds.reset")
        reset.setProperty("flat", True)
        reset.setToolTip(self.actions_by_id["compare.reset"].toolTip())
        reset.clicked.connect(self.thresholds.reset_all)
        head = QHBoxLayout()
        head.addWidget(_heading("Thresholds", inner))
        head.addStretch(1)
        head.addWidget(reset)
        column = QVBoxLayout(inner)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(8)
        column.addWidget(self.summary)
        column.addSpacing(4)
        column.addWidget(_rule(inner))
        column.addLayout(head)
        column.addWidget(self.thresholds)
        column.addSpacing(4)
        column.addWidget(_rule(inner))
        column.addWidget(_heading("Shown", inner))
        column.addWidget(self.filters)
        column.addStretch(1)
        area = QScrollArea(self)
        area.setObjectName("panel")
        area.setWidget(inner)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFixedWidth(PANEL_WIDTH)
        dock = QDockWidget("Summary and thresholds", self)
        dock.setObjectName("dock.panel")
        dock.setFeatures(QDockWidget.DockWidgetFeature.NoDockWidgetFeatures)
        dock.setTitleBarWidget(QWidget(dock))
        dock.setWidget(area)
        return dock

    def _make_tool_bar(self) -> None:
        self.tool_bar = QToolBar("Tools", self)
        self.tool_bar.setObjectName("tools")
        self.tool_bar.setMovable(False)
        modes = QWidget(self.tool_bar)
        row = QHBoxLayout(modes)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for place, entry in enumerate(MODES):
            button = QToolButton(modes)
            button.setObjectName(f"button.{entry.id}")
            button.setDefaultAction(self.actions_by_id[entry.id])
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            last = place == len(MODES) - 1
            button.setProperty("role", "first" if place == 0 else "last" if last else "middle")
            row.addWidget(button)
        self.tool_bar.addWidget(modes)
        gap = QWidget(self.tool_bar)
        gap.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.tool_bar.addWidget(gap)
        self.picker = ModelPicker(self.view_model, self.requests, self.actions_by_id, self.tool_bar)
        self.tool_bar.addWidget(self.picker)
        self.addToolBar(self.tool_bar)

    def _make_docks(self) -> None:
        before: QDockWidget | None = None
        for entry in DOCKS:
            dock = QDockWidget(entry.title, self)
            dock.setObjectName(f"dock.{entry.id}")
            dock.setToolTip("")
            dock.toggleViewAction().setToolTip(entry.tip)
            dock.setAllowedAreas(Qt.DockWidgetArea.AllDockWidgetAreas)
            self.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, dock)
            if before is not None:
                self.tabifyDockWidget(before, dock)
            before = dock
            dock.visibilityChanged.connect(lambda on, i=entry.id: self._fill_dock(i) if on else None)
            self._docks[entry.id] = dock
            if not entry.shown:
                dock.hide()
        shown = [dock for entry, dock in zip(DOCKS, self._docks.values(), strict=True) if entry.shown]
        if shown:
            shown[0].raise_()
            self.resizeDocks([shown[0]], [220], Qt.Orientation.Vertical)

    def _fill_dock(self, dock_id: str) -> None:
        """Makes a dock's widget when it is first seen: the start does not wait for what is behind a tab."""
        dock = self._docks[dock_id]
        if dock.widget() is None:
            dock.setWidget(self._dock_factories[dock_id].factory(self.view_model, self.requests))

    def _connect(self) -> None:
        model = self.view_model
        model.display_changed.connect(self._show_checked)
        model.playing_changed.connect(self._show_checked)
        model.theme_changed.connect(self._apply_theme)
        for signal in (
            model.comparison_changed,
            model.alone_changed,
            model.models_changed,
            model.source_changed,
        ):
            signal.connect(self._show_page)
        for signal in (model.models_changed, model.source_changed, model.matched_video_changed):
            signal.connect(self._show_enabled)
        model.selection_changed.connect(
            lambda selection: model.set_status(selection.label) if selection is not None else None
        )
        self.engine.opened.connect(self._remember)
        self.engine.opened.connect(self._source_opened)
        self.engine.ambiguous.connect(self.ask_reading)
        self.requests.reveal.connect(self.reveal)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._system_theme_changed)
        self._show_page()
        self._show_checked()
        self._show_enabled()

    # Keys ---------------------------------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        # A key that the focused control uses itself is not taken for a shortcut: arrows move a focused slider.
        if event.type() == QEvent.Type.ShortcutOverride and _wants(QApplication.focusWidget(), event):
            event.accept()
            return True
        return super().event(event)

    # What the actions do ------------------------------------------------------------------------------------------

    def set_mode(self, mode: PaneMode) -> None:
        self.view_model.change_display(mode=mode)
        self._show_checked()

    def flip_display(self, name: str) -> None:
        self.view_model.change_display(**{name: not getattr(self.view_model.display, name)})

    def flip_side(self) -> None:
        self.set_mode(PaneMode.SINGLE)
        self.comparison.flip_single()

    def skip_seconds(self, seconds: float) -> None:
        source = self.view_model.source
        if source is not None:
            frames = max(1, round((source.fps or 10) * abs(seconds)))
            step = frames if seconds > 0 else -frames
            self.requests.seek.emit(max(0, self.view_model.position.frame_index + step))

    def seek_end(self) -> None:
        source = self.view_model.source
        if source is not None and source.length:
            self.requests.seek.emit(source.length - 1)

    def go_to_disagreement(self, *, forwards: bool) -> None:
        model = self.view_model
        frame = next_disagreement(model, forwards)
        if frame is None:
            done, total = model.analysed
            rest = "" if total is None or done >= total else ": the video is not analysed to its end"
            model.set_status(f"No disagreement {'after' if forwards else 'before'} this frame{rest}.")
            return
        model.set_playing(replace(model.playing, playing=False))
        self.requests.seek.emit(frame)

    def change_speed(self, by: int) -> None:
        playing = self.view_model.playing
        place = min(range(len(SPEEDS)), key=lambda index: abs(SPEEDS[index] - playing.speed))
        place = min(len(SPEEDS) - 1, max(0, place + by))
        self.view_model.set_playing(replace(playing, speed=SPEEDS[place]))

    def set_loop_edge(self, *, first: bool) -> None:
        model = self.view_model
        if model.source is None or not model.source.length:
            return
        here = model.position.frame_index
        begin, end = model.playing.loop or (0, model.source.length - 1)
        loop = (here, max(end, here + 1)) if first else (min(begin, max(0, here - 1)), here)
        model.set_playing(replace(model.playing, loop=(loop[0], min(loop[1], model.source.length - 1))))

    def clear_loop(self) -> None:
        self.view_model.set_playing(replace(self.view_model.playing, loop=None))

    def measure_alone(self) -> None:
        self.reveal("speed")
        self.requests.measure_alone.emit()

    def reveal(self, dock_id: str) -> None:
        """Brings a dock to the front."""
        dock = self._docks.get(dock_id)
        if dock is not None:
            dock.show()
            dock.raise_()

    def toggle_presentation(self) -> None:
        """Panes, verdict and speeds only, in large type; the same key goes back to what was there."""
        self.presenting = not self.presenting
        parts = (self.menuBar(), self.tool_bar, self.statusBar(), self.transport)
        if self.presenting:
            self._before = (self.saveState(), self.windowState())
            for dock in (*self._docks.values(), self.panel):
                dock.hide()
            self._head = PresentationHead(self.view_model, self.summary, self)
            self._central.insertWidget(0, self._head)
            self.setWindowState(self.windowState() | Qt.WindowState.WindowFullScreen)
            QApplication.setOverrideCursor(Qt.CursorShape.BlankCursor)
        else:
            QApplication.restoreOverrideCursor()
            self._head.hide()
            self._head.deleteLater()
            state, window_state = self._before
            self.setWindowState(window_state)
            self.restoreState(state)
        for part in parts:
            part.setVisible(not self.presenting)
        self.comparison.set_presentation(self.presenting)
        self._show_checked()

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

    def export_video(self) -> None:
        """Asks what of the video to write, and writes it in the background."""
        from trtviewer.gui.dialogs.export import ExportDialog

        dialog = ExportDialog(self.view_model, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self.video_export.start(dialog.request()))
        dialog.open()

    def flip_heatmap(self) -> None:
        """Lays the heatmap of the smallest objects over the pictures, or takes it away; the dock need not be open."""
        self._fill_dock("heatmaps")
        self._docks["heatmaps"].widget().toggle_overlay()

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
            write_session(path, Session.of(self.view_model, self.comparison.viewport.view))
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
        """The frame, the view and the loop of a session wait for its source."""
        session, source = self._wanted, self.view_model.source
        if session is None or source is None or source.address != session.source:
            return
        self._wanted = None
        self.view_model.set_playing(session.playing)
        self.requests.seek.emit(session.frame)
        self.comparison.viewport.set_view(session.view)

    def show_shortcuts(self) -> None:
        sheet = ShortcutSheet(self)
        sheet.open()

    def show_about(self) -> None:
        box = QMessageBox(self)
        box.setObjectName("about")
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setWindowTitle("About trtviewer")
        box.setText(f"<b>trtviewer {__version__}</b>")
        box.setInformativeText(
            "See what INT8 loses: a reference and a candidate detector on the same frames."
        )
        box.open()

    def choose_theme(self, choice: str) -> None:
        """ "system", "light" or "dark"."""
        self.preferences = replace(self.preferences, theme=choice)
        self.view_model.set_theme(self._theme_of(self.preferences))
        self._show_checked()

    # Opening ------------------------------------------------------------------------------------------------------

    def _ask(self, kind: str) -> None:
        if kind == "source":
            self.ask_source()
        else:
            self.ask_model(kind)

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

    def ask_reading(self, path: Path, readings: tuple[str, ...] = ()) -> None:
        """Asks how a model is to be read; opens it again once that is saved."""
        from trtviewer.gui.dialogs.model_reading import ModelReading

        if self._reading is not None:
            self._reading.close()
        dialog = self._reading = ModelReading(path, self.view_model, readings, self)
        dialog.saved.connect(self._reading_saved)
        dialog.finished.connect(self._reading_closed)
        dialog.destroyed.connect(self._reading_closed)
        dialog.show()

    def _reading_saved(self, path: Path) -> None:
        reference = self.view_model.models.reference
        if reference is not None and reference.path == path:
            self.engine.open_reference(path)
        else:
            self.engine.add_candidate(path)

    def _reading_closed(self, *_: object) -> None:
        self._reading = None

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

    # Preferences --------------------------------------------------------------------------------------------------

    def _remember(self, kind: str, address: str) -> None:
        address = address if address.startswith(("scene:", "camera:")) else str(Path(address).absolute())
        self.preferences = self.preferences.with_recent(kind, address)
        self._fill_recent()
        self._save_preferences()

    def _fill_recent(self) -> None:
        self._recent_menu.clear()
        for address in (*self.preferences.recent_sources[:6], None, *self.preferences.recent_models[:6]):
            if address is None:
                self._recent_menu.addSeparator()
                continue
            action = self._recent_menu.addAction(Path(address).name or address)
            action.setToolTip(address)
            action.triggered.connect(lambda _=False, a=address: self.engine.open_paths([a]))
        self._recent_menu.setEnabled(bool(self.preferences.recent_sources or self.preferences.recent_models))

    def _restore(self) -> None:
        if self.preferences.geometry:
            self.restoreGeometry(QByteArray(self.preferences.geometry))
        if self.preferences.layout:
            self.restoreState(QByteArray(self.preferences.layout))
        self.view_model.set_playing(replace(self.view_model.playing, speed=self.preferences.speed))

    def _save_preferences(self) -> None:
        try:
            self._preferences_file.write(self.preferences)
        except TrtviewerError as error:
            self.view_model.set_status(str(error))

    # Following the view model -------------------------------------------------------------------------------------

    def _show_page(self, *_: object) -> None:
        model = self.view_model
        picture = model.comparison is not None or model.alone is not None
        ready = model.source is not None and (model.models.reference or model.models.candidate)
        page = self.comparison if picture or ready else self.start_page
        if page is not self._stack.currentWidget():
            self._stack.setCurrentWidget(page)
        parts = [
            entry.name for entry in (model.models.reference, model.models.candidate) if entry is not None
        ]
        names = " and ".join(parts) + (f" on {model.source.name}" if model.source is not None else "")
        self.setWindowTitle(f"{names.strip()} - trtviewer" if names.strip() else "trtviewer")

    def _show_checked(self, *_: object) -> None:
        for entry in ACTIONS:
            if entry.checked is not None:
                self.actions_by_id[entry.id].setChecked(entry.checked(self))
        for choice, action in getattr(self, "_theme_actions", {}).items():
            action.setChecked(choice == self.preferences.theme)

    def _show_enabled(self, *_: object) -> None:
        model = self.view_model
        source, models = model.source is not None, model.models
        both = models.reference is not None and models.candidate is not None
        for name, action in self.actions_by_id.items():
            if name.startswith("play."):
                action.setEnabled(source)
            elif name == "file.export_video":
                action.setEnabled(both and source)
            elif name in ("compare.analyse", "compare.measure", "compare.swap"):
                action.setEnabled(both and (source or name != "compare.analyse"))
            elif name == "compare.close_candidate":
                action.setEnabled(models.candidate is not None)
            elif name.startswith("candidate."):
                number = int(name.partition(".")[2])
                there = number <= len(models.candidates)
                action.setVisible(there)
                action.setEnabled(there)
                if there:
                    action.setText(f"Show {models.candidates[number - 1].name}")

    def _theme_of(self, preferences: Preferences) -> Theme:
        return THEMES.get(preferences.theme) or system_theme()

    def _system_theme_changed(self, *_: object) -> None:
        if self.preferences.theme == "system":
            self.view_model.set_theme(system_theme())

    def _apply_theme(self, theme: Theme) -> None:
        application = QApplication.instance()
        application.setPalette(palette(theme))
        self.setStyleSheet(style_sheet(theme))
        for entry in ACTIONS:
            if entry.icon:
                self.actions_by_id[entry.id].setIcon(icon(entry.icon, theme))

    # The end ------------------------------------------------------------------------------------------------------

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.presenting:
            self.toggle_presentation()
        self.preferences = replace(
            self.preferences,
            geometry=bytes(self.saveGeometry().data()),
            layout=bytes(self.saveState().data()),
            speed=self.view_model.playing.speed,
        )
        self._save_preferences()
        self.shut_down()
        super().closeEvent(event)

    def shut_down(self) -> None:
        """Ends every thread, those that are read from last."""
        if self._reading is not None:
            self._reading.close()
        for dock in self._docks.values():
            close = getattr(dock.widget(), "close_dock", None)
            if close is not None:
                close()
        self.video_export.close()
        self.what_if.close()
        self.engine.close()
        self.comparison.close_view()


def _wants(focused: QObject | None, event: QEvent) -> bool:
    """Whether the control that has the focus uses this key itself."""
    if not isinstance(event, QKeyEvent):
        return False
    key, plain = (
        event.key(),
        event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier),
    )
    if not plain:
        return False
    keys: Sequence[Qt.Key] = ()
    if isinstance(focused, QAbstractSlider):
        keys = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End)
    elif isinstance(focused, QAbstractItemView | QComboBox):
        keys = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_Space)
    elif isinstance(focused, QAbstractButton):
        keys = (Qt.Key.Key_Space,)
    elif isinstance(focused, QTabBar):
        keys = (Qt.Key.Key_Left, Qt.Key.Key_Right)
    return key in keys


def _rule(parent: QWidget) -> QFrame:
    rule = QFrame(parent)
    rule.setProperty("role", "rule")
    return rule


def _heading(words: str, parent: QWidget) -> QLabel:
    label = QLabel(words, parent)
    label.setProperty("role", "heading")
    return label


def later(function: Callable[[], None]) -> None:
    """Calls it once the window has been painted."""
    QTimer.singleShot(0, function)
