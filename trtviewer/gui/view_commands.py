"""What the View, Play, Compare and Help menus do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QVBoxLayout

from trtviewer.gui.dialogs.shortcuts import ShortcutSheet
from trtviewer.gui.help.links import follow
from trtviewer.gui.panes.comparison_view import ComparisonView
from trtviewer.gui.preferences import Preferences
from trtviewer.gui.presentation import PresentationHead
from trtviewer.gui.summary import Summary
from trtviewer.gui.transport.transport_bar import TransportBar
from trtviewer.gui.view_model import SPEEDS, PaneMode, Requests, TruthLayer, ViewModel

if TYPE_CHECKING:
    from trtviewer.gui.dock_shelf import DockShelf
    from trtviewer.gui.help.window import HelpWindow


class ViewCommands:
    """A part of the main window, which has all of these attributes."""

    view_model: ViewModel
    requests: Requests
    comparison: ComparisonView
    summary: Summary
    transport: TransportBar
    shelf: DockShelf
    preferences: Preferences
    presenting: bool
    _help: HelpWindow | None
    _central: QVBoxLayout

    def set_mode(self, mode: PaneMode) -> None:
        self.view_model.change_display(mode=mode)
        self._show_checked()

    def flip_display(self, name: str) -> None:
        self.view_model.change_display(**{name: not getattr(self.view_model.display, name)})

    def go_back(self) -> None:
        """Leaves the presentation; else lets go of the chosen place and shows the whole frame."""
        if self.presenting:
            self.toggle_presentation()
        else:
            self.requests.select.emit(None)
            self.comparison.fit()

    def flip_truth(self, layer: TruthLayer) -> None:
        shown = self.view_model.display.truth
        self.view_model.change_display(truth=TruthLayer.OFF if shown is layer else layer)

    def flip_side(self) -> None:
        self.set_mode(PaneMode.SINGLE)
        self.comparison.flip_single()

    def flip_heatmap(self) -> None:
        """Lays the heatmap of the smallest objects over the pictures, or takes it away; the dock need not be open."""
        self.shelf.fill("heatmaps").toggle_overlay()

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
        self.shelf.reveal("speed")
        self.requests.measure_alone.emit()

    def toggle_presentation(self) -> None:
        """Panes, verdict and speeds only, in large type; the same key goes back to what was there."""
        self.presenting = not self.presenting
        parts = (self.menuBar(), self.tool_bar, self.statusBar(), self.transport)
        if self.presenting:
            self._before = (self.saveState(), self.windowState())
            self.shelf.hide_all()
            self.panel.hide()
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
        if not self.presenting:
            self.furnish()
            self._show_page()
        self.comparison.set_presentation(self.presenting)
        self._show_checked()

    def show_help(self, page: str) -> None:
        """The help's window, on a page (`HelpPage.slug`); one that is open turns to it."""
        from trtviewer.gui.help.window import HelpWindow

        if self._help is None:
            self._help = HelpWindow(self.view_model)
            self._help.followed.connect(self._follow)
        self._help.show_page(page)

    def _follow(self, link: str) -> None:
        said = follow(self, link)
        self._help.say(said)
        self.view_model.set_status(said)

    def show_shortcuts(self) -> None:
        sheet = ShortcutSheet(self)
        sheet.open()

    def show_about(self, page: int = 0) -> None:
        """The dialog, on one of its pages (`about.LICENCES`, `about.RUNTIMES`)."""
        from trtviewer.gui.dialogs.about import AboutDialog

        AboutDialog(self, page).open()

    def choose_theme(self, choice: str) -> None:
        """ "system", "light" or "dark"."""
        self.preferences = replace(self.preferences, theme=choice)
        self.view_model.set_theme(self._theme_of(self.preferences))
        self._show_checked()
