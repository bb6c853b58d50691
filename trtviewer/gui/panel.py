"""The panel beside the pictures: verdict and figures, thresholds, and what is shown."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import (
    QDockWidget,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from trtviewer.gui.controls.filters import Filters
from trtviewer.gui.controls.thresholds import Thresholds
from trtviewer.gui.summary import Summary
from trtviewer.gui.view_model import Requests, ViewModel

WIDTH = 328
ROOMY = 960
"""From this height on everything fits with the findings under the figures."""


class Panel(QDockWidget):
    """Fixed at the right; it takes the window's whole height, so that nothing in it scrolls away behind the docks."""

    def __init__(
        self, window: QMainWindow, view_model: ViewModel, requests: Requests, actions: dict[str, QAction]
    ) -> None:
        super().__init__("Summary and thresholds", window)
        self.setObjectName("dock.panel")
        self.setFeatures(QDockWidget.DockWidgetFeature.NoDockWidgetFeatures)
        self.setTitleBarWidget(QWidget(self))
        inner = QWidget()
        inner.setProperty("role", "panel")
        inner.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.summary = Summary(view_model, requests, inner)
        self.thresholds = Thresholds(view_model, inner)
        self.filters = Filters(view_model, inner)
        reset = QPushButton("Defaults", inner)
        reset.setObjectName("thresholds.reset")
        reset.setProperty("flat", True)
        reset.setToolTip(actions["compare.reset"].toolTip())
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
        area.setFixedWidth(WIDTH)
        self.setWidget(area)
        self.summary.set_roomy(False)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.summary.set_roomy(self.height() >= ROOMY)


def _rule(parent: QWidget) -> QFrame:
    rule = QFrame(parent)
    rule.setProperty("role", "rule")
    return rule


def _heading(words: str, parent: QWidget) -> QLabel:
    label = QLabel(words, parent)
    label.setProperty("role", "heading")
    return label
