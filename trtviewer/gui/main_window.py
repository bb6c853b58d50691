"""The window: places the parts and connects them; what they do is theirs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QEvent, Qt
from PySide6.QtGui import (
    QAction,
    QCloseEvent,
    QGuiApplication,
    QKeySequence,
)
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QMainWindow,
    QMenu,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from trtviewer.errors import TrtviewerError
from trtviewer.gui.actions import ACTIONS, Menu
from trtviewer.gui.controls.tool_row import ToolRow
from trtviewer.gui.dialogs.problem import Banners
from trtviewer.gui.dock_shelf import DockShelf
from trtviewer.gui.engine.disagreement_walk import DisagreementWalk
from trtviewer.gui.engine.engine import Engine
from trtviewer.gui.files.commands import FileCommands
from trtviewer.gui.files.makers import WHOLE_RUNS, FileMakers
from trtviewer.gui.files.session import Session
from trtviewer.gui.files.work import FileWork
from trtviewer.gui.furnishing import Furnishing
from trtviewer.gui.icons import icon
from trtviewer.gui.own_keys import wants
from trtviewer.gui.pages import Pages
from trtviewer.gui.panel import Panel
from trtviewer.gui.panes.comparison_view import ComparisonView
from trtviewer.gui.preferences import Preferences, PreferencesFile
from trtviewer.gui.start_page import StartPage
from trtviewer.gui.status import StatusBar
from trtviewer.gui.style_sheet import style_sheet
from trtviewer.gui.theme import THEMES, Theme, palette, system_theme
from trtviewer.gui.transport.transport_bar import TransportBar
from trtviewer.gui.view_commands import ViewCommands
from trtviewer.gui.view_model import Requests, ViewModel
from trtviewer.gui.what_if.unsaved import Unsaved
from trtviewer.gui.what_if.what_if import WhatIf

if TYPE_CHECKING:
    from trtviewer.gui.help.window import HelpWindow

_log = logging.getLogger(__name__)


class MainWindow(FileCommands, FileMakers, ViewCommands, Furnishing, QMainWindow):
    """Everything in it is made here; `close` ends every thread before the window goes."""

    def __init__(
        self, preferences_file: PreferencesFile, demo: Callable[[MainWindow], None] | None = None
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
        self._to_be_read: dict[Path, tuple[str, ...]] = {}
        self._help: HelpWindow | None = None
        self._stowed: QByteArray | None = None
        self._preferences_file = preferences_file
        self.preferences = preferences_file.read()
        self.view_model = ViewModel(self)
        self.view_model.theme = self._theme_of(self.preferences)
        self.requests = Requests(self)
        self.engine = Engine(self.view_model, self.requests, self)
        self.what_if = WhatIf(self.view_model, self.requests, self.engine, self)
        self.unsaved = Unsaved(self, self.view_model, self.requests)
        self.video_work = FileWork("export", self.view_model, self)
        self.report_work = FileWork("report", self.view_model, self)
        self.build_work = FileWork("build", self.view_model, self)
        self.actions_by_id: dict[str, QAction] = {}
        self._make_actions()
        self._make_central(demo)
        self._make_tool_bar()
        self.shelf = DockShelf(self, self.view_model, self.requests)
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
            action.setData(action.toolTip())
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
            made.setToolTipsVisible(True)
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
        for dock in self.shelf.docks.values():
            menu.addAction(dock.toggleViewAction())
        if self.shelf.docks:
            menu.addSeparator()
        themes = menu.addMenu("Theme")
        self._theme_actions: dict[str, QAction] = {}
        for choice, title in (("system", "As the system"), ("light", "Light"), ("dark", "Dark")):
            action = themes.addAction(title)
            action.setObjectName(f"theme.{choice}")
            action.setCheckable(True)
            action.triggered.connect(lambda _=False, c=choice: self.choose_theme(c))
            self._theme_actions[choice] = action

    def show_above_transport(self, widget: QWidget) -> None:
        """Gives a strip between the pictures and the transport to `widget`, in place of one of its kind that is there."""
        for old in self.findChildren(type(widget)):
            if old is not widget:
                old.deleteLater()
        self._central.insertWidget(self._central.indexOf(self.transport), widget)
        widget.show()

    def _make_central(self, demo: Callable[[MainWindow], None] | None) -> None:
        self.walk = DisagreementWalk(self.view_model, self.requests, self)
        self.comparison = ComparisonView(self.view_model, self)
        self.start_page = StartPage(
            self.view_model,
            self.engine.open_paths,
            self._ask,
            (lambda: demo(self)) if demo is not None else None,
            self,
        )
        self.start_page.set_recent(self.preferences)
        self._stack = Pages(self)
        self._stack.addWidget(self.start_page)
        self._stack.addWidget(self.comparison)
        self.panel = Panel(self, self.view_model, self.requests, self.actions_by_id)
        self.summary, self.thresholds, self.filters = (
            self.panel.summary,
            self.panel.thresholds,
            self.panel.filters,
        )
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

    def _make_tool_bar(self) -> None:
        self.tool_bar = QToolBar("Tools", self)
        self.tool_bar.setObjectName("tools")
        self.tool_bar.setMovable(False)
        self.tool_bar.addWidget(ToolRow(self.view_model, self.requests, self.actions_by_id, self.tool_bar))
        self.addToolBar(self.tool_bar)

    def _connect(self) -> None:
        model = self.view_model
        model.display_changed.connect(self._show_checked)
        model.playing_changed.connect(self._show_checked)
        model.theme_changed.connect(self._apply_theme)
        for signal in (
            model.comparison_changed,
            model.alone_changed,
            model.bare_changed,
            model.models_changed,
            model.source_changed,
        ):
            signal.connect(self._show_page)
        for signal in (model.models_changed, model.source_changed, model.matched_video_changed):
            signal.connect(self._show_enabled)
        model.selection_changed.connect(
            lambda selection: model.set_status("" if selection is None else selection.label)
        )
        self.comparison.chosen.connect(self.requests.select)
        self.engine.opened.connect(self._remember)
        self.engine.opened.connect(self._source_opened)
        self.engine.ambiguous.connect(self.ask_reading)
        self.requests.reveal.connect(self.shelf.reveal)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._system_theme_changed)
        model.models_changed.connect(self.show_can_build)
        model.models_changed.connect(self.furnish)
        model.source_changed.connect(self.furnish)
        self._show_page()
        self._show_checked()
        self._show_enabled()
        self.show_can_build()

    # Keys ---------------------------------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        # A key that the focused control uses itself is not taken for a shortcut: arrows move a focused slider.
        if event.type() == QEvent.Type.ShortcutOverride and wants(QApplication.focusWidget(), event):
            event.accept()
            return True
        return super().event(event)

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
        self.stow(self.preferences.layout or b"")
        self.view_model.set_playing(replace(self.view_model.playing, speed=self.preferences.speed))
        self.view_model.set_settings(self.preferences.settings)

    def _save_preferences(self) -> None:
        try:
            self._preferences_file.write(self.preferences)
        except TrtviewerError as error:
            self.view_model.set_status(str(error))

    # Following the view model -------------------------------------------------------------------------------------

    def _show_page(self, *_: object) -> None:
        model = self.view_model
        picture = any(one is not None for one in (model.comparison, model.alone, model.bare))
        ready = model.source is not None and (model.models.reference or model.models.candidate)
        page = self.comparison if picture or ready else self.start_page
        if page is not self._stack.currentWidget():
            self._stack.setCurrentWidget(page)
        # Under the start page there is nothing to play.
        self.transport.setVisible(page is self.comparison and not self.presenting)
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
            if name in ("play.start", "play.end"):
                # A camera has neither.
                action.setEnabled(source and model.source.length is not None)
            elif name.startswith("play."):
                action.setEnabled(source)
            elif name == "view.heatmap":
                reason = self._why_no_heatmap()
                action.setEnabled(not reason)
                action.setToolTip(reason or action.data())
            elif name in WHOLE_RUNS:
                action.setEnabled(self.can_run_whole())
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

    def _why_no_heatmap(self) -> str:
        model = self.view_model
        sides = (model.models.reference, model.models.candidate)
        if model.source is None or None in sides:
            return "Needs a reference, a candidate and a video: what is laid over is compared"
        if all(entry.spec is not None and entry.spec.family == "end2end" for entry in sides):
            return "These models give their boxes after NMS: there is no map of cells to lay over"
        return ""

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
        if not self._let_go():
            event.ignore()
            return
        if self.presenting:
            self.toggle_presentation()
        self.preferences = replace(
            self.preferences,
            geometry=bytes(self.saveGeometry().data()),
            layout=self.layout_to_keep(),
            speed=self.view_model.playing.speed,
            settings=self.view_model.settings,
        )
        self._save_preferences()
        self.shut_down()
        super().closeEvent(event)

    def shut_down(self) -> None:
        """Ends every thread, those that are read from last."""
        self._to_be_read.clear()
        if self._reading is not None:
            self._reading.close()
        if self._help is not None:
            self._help.stop()
            self._help = None
        self.shelf.close()
        for work in (self.video_work, self.report_work, self.build_work):
            work.close()
        self.what_if.close()
        self.engine.close()
        self.comparison.close_view()
