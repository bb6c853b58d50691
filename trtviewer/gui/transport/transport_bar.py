"""Play, step, where we are, how fast, the timeline, and the way to the next disagreement."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QToolButton, QVBoxLayout, QWidget

from trtviewer.gui.transport.timeline import Timeline
from trtviewer.gui.typography import Elided, tabular
from trtviewer.gui.view_model import SPEEDS, Playing, Position, Requests, ViewModel


def clock(time_s: float) -> str:
    """1:02.4"""
    tenths = int(max(0.0, time_s) * 10 + 1e-6)
    return f"{tenths // 600}:{tenths // 10 % 60:02d}.{tenths % 10}"


class TransportBar(QWidget):
    """Its buttons are the window's actions, so that mouse, menu and keys do the same."""

    def __init__(
        self,
        view_model: ViewModel,
        requests: Requests,
        actions: dict[str, QAction],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("transport")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setProperty("role", "transport")
        self._model = view_model
        self._play = actions["play.toggle"]
        self.timeline = Timeline(view_model, requests, self)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 4, 12, 4)
        row.setSpacing(4)
        for name in ("play.back", "play.toggle", "play.forward"):
            row.addWidget(self._button(actions[name]))
        row.addSpacing(8)
        self.time = Elided(self)
        self.time.setObjectName("transport.time")
        self.frame = QLabel(self)
        self.frame.setObjectName("transport.frame")
        self.frame.setProperty("role", "faint")
        words = QVBoxLayout()
        words.setSpacing(0)
        for label in (self.time, self.frame):
            label.setFont(tabular(self.font()))
            words.addWidget(label)
        row.addLayout(words)
        self.speed = QToolButton(self)
        self.speed.setObjectName("transport.speed")
        self.speed.setToolTip("How fast the video plays, against its own speed.")
        self.speed.setProperty("flat", True)
        self.speed.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.speed.setFixedWidth(self.speed.fontMetrics().horizontalAdvance("0.25 x") + 24)
        menu = QMenu(self.speed)
        for speed in SPEEDS:
            entry = menu.addAction(f"{speed:g} x")
            entry.triggered.connect(
                lambda _=False, s=speed: view_model.set_playing(replace(view_model.playing, speed=s))
            )
        self.speed.setMenu(menu)
        row.addWidget(self.speed)
        row.addSpacing(8)
        row.addWidget(self.timeline, 1)
        row.addSpacing(8)
        for name in ("play.previous_disagreement", "play.next_disagreement"):
            row.addWidget(self._button(actions[name]))
        view_model.position_changed.connect(self._show_position)
        view_model.source_changed.connect(self._source_changed)
        view_model.playing_changed.connect(self._show_playing)
        self._source_changed()
        self._show_playing(view_model.playing)

    def _button(self, action: QAction) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName(f"button.{action.objectName()}")
        button.setDefaultAction(action)
        button.setProperty("flat", True)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        return button

    def _source_changed(self, *_: object) -> None:
        """Makes room for the last frame's words. Of fixed size: at each frame the whole window would be laid out anew for them."""
        source = self._model.source
        last = source.length - 1 if source is not None and source.length else 10**6
        end = clock(last / source.fps) if source is not None and source.fps and source.length else "00:00.0"
        for label, widest in ((self.time, f"{end} / {end}"), (self.frame, f"frame {last} / {last}")):
            metrics = label.fontMetrics()
            label.setFixedSize(
                metrics.horizontalAdvance(max(widest, "00:00.0 / 00:00.0", key=len)), metrics.height()
            )
        self._show_position(self._model.position)

    def _show_position(self, position: Position) -> None:
        source = self._model.source
        if source is None:
            self.time.set_whole("")
            self.frame.setText("")
            return
        if source.fps and source.length:
            self.time.set_whole(f"{clock(position.time_s)} / {clock((source.length - 1) / source.fps)}")
        else:
            # Pictures have no time; a camera has no end.
            self.time.set_whole(clock(position.time_s) if source.fps else position.name)
        # Frames count from 0, as on the command line and in the report.
        last = f" / {source.length - 1}" if source.length else ""
        self.frame.setText(f"frame {position.frame_index}{last}")

    def _show_playing(self, playing: Playing) -> None:
        self.speed.setText(f"{playing.speed:g} x")
