"""Chooses what the heatmaps show: a kind of channel, and where there are several, which."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QComboBox, QCompleter, QVBoxLayout, QWidget

from trtviewer.detect.heat import HeatChannel, HeatKind
from trtviewer.detect.scale_map import Channel

KINDS = (
    (
        HeatKind.SCORE,
        "Objectness × best class",
        "What detections are made from, before the threshold.",
    ),
    (HeatKind.OBJECTNESS, "Objectness", "Whether the cell holds any object at all."),
    (HeatKind.CLASS, "One class", "The score of one class: objectness × its probability."),
    (HeatKind.BOX, "Box channel", "Where the box lies and how large it is, as the network gives it."),
    (HeatKind.RAW, "Any raw channel", "One channel of the output, untouched."),
)

_NEEDED = {HeatKind.OBJECTNESS: "objectness", HeatKind.CLASS: "class", HeatKind.BOX: "box"}
"""The group of channels that a kind needs."""


class HeatChooser(QWidget):
    """Two lists; the second is there only where the first leaves a choice, and finds what is typed.

    Signals:
        changed(): another channel is chosen.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._channels: tuple[Channel, ...] = ()
        self.kind = QComboBox()
        self.kind.setObjectName("heatmaps.kind")
        self.kind.setAccessibleName("Channel")
        for kind, text, tip in KINDS:
            self.kind.addItem(text, kind)
            self.kind.setItemData(self.kind.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.which = QComboBox()
        self.which.setObjectName("heatmaps.which")
        self.which.setAccessibleName("Which class or channel")
        self.which.setEditable(True)
        self.which.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        completer = QCompleter(self.which.model(), self.which)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.which.setCompleter(completer)
        for box in (self.kind, self.which):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(14)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.kind)
        column.addWidget(self.which)
        self.kind.currentIndexChanged.connect(self._kind_changed)
        self.which.currentIndexChanged.connect(self.changed)
        self._fill_which()

    @property
    def channel(self) -> HeatChannel:
        """What is chosen."""
        chosen = self.which.currentData()
        kind = HeatKind(self.kind.currentData())
        return chosen if isinstance(chosen, HeatChannel) and chosen.kind is kind else HeatChannel(kind)

    def offer(self, channels: Sequence[Channel]) -> None:
        """Offers what these channels allow; a kind that they lack is dead and says so."""
        if tuple(channels) == self._channels:
            return
        self._channels = tuple(channels)
        groups = {channel.group for channel in channels}
        model = self.kind.model()
        assert isinstance(model, QStandardItemModel)
        there = []
        for index, (kind, _, tip) in enumerate(KINDS):
            needed = {"objectness", "class"} if kind is HeatKind.SCORE else {_NEEDED.get(kind, "")}
            there.append(kind is HeatKind.RAW or bool(groups & needed))
            model.item(index).setEnabled(there[index])
            model.item(index).setToolTip(tip if there[index] else "This model has no such channel.")
        self._fill_which()
        if not there[self.kind.currentIndex()]:
            self.kind.setCurrentIndex(there.index(True))

    def _kind_changed(self) -> None:
        self._fill_which()
        self.changed.emit()

    def _fill_which(self) -> None:
        """Fills the second list by the first: classes, box channels, or all channels."""
        channels = self._channels
        kind = HeatKind(self.kind.currentData())
        offered: list[tuple[str, HeatChannel]] = []
        anchors = len({channel.anchor for channel in channels})
        if kind is HeatKind.CLASS:
            names = [channel.name for channel in channels if channel.group == "class" and channel.anchor == 0]
            offered = [(name, HeatChannel(kind, class_id=place)) for place, name in enumerate(names)]
        elif kind is HeatKind.BOX:
            offered = [
                (_with_anchor(one, anchors), HeatChannel(kind, anchor=one.anchor, name=one.name))
                for one in channels
                if one.group == "box"
            ]
        elif kind is HeatKind.RAW:
            offered = [
                (f"{one.index}  {_with_anchor(one, anchors)}", HeatChannel(kind, index=one.index))
                for one in channels
            ]
        self.which.setVisible(bool(offered))
        known = [
            (self.which.itemText(index), self.which.itemData(index)) for index in range(self.which.count())
        ]
        if known == offered:
            return
        chosen = self.which.currentData()
        with QSignalBlocker(self.which):
            self.which.clear()
            for text, one in offered:
                self.which.addItem(text, one)
            place = next((i for i, (_, one) in enumerate(offered) if one == chosen), 0)
            self.which.setCurrentIndex(place if offered else -1)


def _with_anchor(channel: Channel, anchors: int) -> str:
    return f"{channel.name} · anchor {channel.anchor + 1}" if anchors > 1 else channel.name
