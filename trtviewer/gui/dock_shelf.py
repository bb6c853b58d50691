"""The docks of the catalogue: made when they are first seen, side by side as tabs, floating where one is dragged out."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabWidget, QWidget

from trtviewer.gui.docks.catalogue import DOCKS
from trtviewer.gui.view_model import Requests, ViewModel

HEIGHT = 228


class DockShelf(QObject):
    """Owns the dock widgets of a window; the widgets in them are made by their factories."""

    def __init__(self, window: QMainWindow, view_model: ViewModel, requests: Requests) -> None:
        super().__init__(window)
        self._window = window
        self._view_model = view_model
        self._requests = requests
        self._entries = {entry.id: entry for entry in DOCKS}
        self.docks: dict[str, QDockWidget] = {}
        options = QMainWindow.DockOption
        window.setDockOptions(options.AllowNestedDocks | options.AllowTabbedDocks | options.GroupedDragging)
        window.setTabPosition(Qt.DockWidgetArea.BottomDockWidgetArea, QTabWidget.TabPosition.North)
        before: QDockWidget | None = None
        for entry in DOCKS:
            dock = self._make(entry.id, entry.title, entry.tip)
            if before is not None:
                window.tabifyDockWidget(before, dock)
            before = dock
        self.show_first()

    def show_first(self) -> None:
        """The docks as a window has them at first."""
        for entry in DOCKS:
            self.docks[entry.id].setVisible(entry.shown)
        shown = [self.docks[entry.id] for entry in DOCKS if entry.shown]
        if shown:
            shown[0].raise_()
            # On a small screen the pictures come first.
            height = min(HEIGHT, self._window.height() // 3)
            self._window.resizeDocks([shown[0]], [height], Qt.Orientation.Vertical)

    def fill(self, dock_id: str) -> QWidget:
        """The widget in a dock; made now if it was never seen: the start does not wait for what is behind a tab."""
        dock = self.docks[dock_id]
        if dock.widget() is None:
            made = self._entries[dock_id].factory(self._view_model, self._requests)
            policy = made.sizePolicy()
            policy.setRetainSizeWhenHidden(True)  # or the docks' height would jump from tab to tab
            made.setSizePolicy(policy)
            dock.setWidget(made)
        widget: QWidget = dock.widget()
        return widget

    def _seen(self, dock_id: str, *, seen: bool) -> None:
        """Shows or hides what is in a dock: behind another tab Qt only moves it off the screen, and it would go on working."""
        dock = self.docks[dock_id]
        if seen:
            self.fill(dock_id).show()
        elif dock.widget() is not None:
            dock.widget().hide()

    def reveal(self, dock_id: str) -> None:
        """Brings a dock to the front."""
        dock = self.docks.get(dock_id)
        if dock is not None:
            dock.show()
            dock.raise_()

    def hide_all(self) -> None:
        for dock in self.docks.values():
            dock.hide()

    def close(self) -> None:
        """Ends the threads of every dock that has one."""
        for dock in self.docks.values():
            close = getattr(dock.widget(), "close_dock", None)
            if close is not None:
                close()

    def _make(self, dock_id: str, title: str, tip: str) -> QDockWidget:
        dock = QDockWidget(title, self._window)
        dock.setObjectName(f"dock.{dock_id}")
        dock.toggleViewAction().setToolTip(tip)
        # Floating out of a tab behind others it is said to be hidden, and is not.
        dock.visibilityChanged.connect(
            lambda on: self._seen(dock_id, seen=on or (dock.isFloating() and dock.isVisible()))
        )
        dock.installEventFilter(self)
        dock.topLevelChanged.connect(lambda floating: self._set_title(dock, shown=floating))
        self._set_title(dock, shown=False)
        self._window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, dock)
        self.docks[dock_id] = dock
        return dock

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # A dock that floats out of a tab behind others, by hand or by a saved layout, tells no change of visibility.
        if event.type() == QEvent.Type.Show and isinstance(watched, QDockWidget) and watched.isFloating():
            self._seen(watched.objectName().removeprefix("dock."), seen=True)
        return super().eventFilter(watched, event)

    def _set_title(self, dock: QDockWidget, *, shown: bool) -> None:
        """The tab is title enough; a dock that floats needs a bar to be moved by."""
        old = dock.titleBarWidget()
        dock.setTitleBarWidget(None if shown else QWidget(dock))
        if old is not None:
            old.deleteLater()
