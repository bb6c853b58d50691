"""Docks and panel stand in the window while something is open; an empty window has its start page alone."""

from __future__ import annotations

from PySide6.QtCore import QByteArray

from trtviewer.gui.dock_shelf import DockShelf
from trtviewer.gui.panel import Panel
from trtviewer.gui.view_model import ViewModel


class Furnishing:
    """A part of the main window, which has all of these attributes."""

    view_model: ViewModel
    shelf: DockShelf
    panel: Panel
    presenting: bool
    _stowed: QByteArray | None
    """The layout that comes back when something opens (empty: the first one); None while it is what is seen."""

    @property
    def furnished(self) -> bool:
        """Whether docks and panel stand in the window."""
        return self._stowed is None

    def layout_to_keep(self) -> bytes:
        """What the next start begins with."""
        return bytes((self.saveState() if self._stowed is None else self._stowed).data())

    def stow(self, layout: bytes | None = None) -> None:
        """Hides docks and panel until something opens. Args: layout: what comes back then; None for what is seen now."""
        self._stowed = self.saveState() if layout is None else QByteArray(layout)
        self.shelf.hide_all()
        self.panel.hide()
        self._let_toggle(on=False)

    def furnish(self, *_: object) -> None:
        """Brings them to where they belong by what is open; a presentation hides all, and is left as it is."""
        model = self.view_model
        empty = model.source is None and model.models.reference is None and not model.models.candidates
        if self.presenting or empty == (self._stowed is not None):
            return
        if empty:
            self.stow()
            return
        layout, self._stowed = self._stowed, None
        self._let_toggle(on=True)
        if layout is None or layout.isEmpty() or not self.restoreState(layout):
            self.shelf.show_first()
        self.panel.show()

    def _let_toggle(self, *, on: bool) -> None:
        for dock in self.shelf.docks.values():
            dock.toggleViewAction().setEnabled(on)
