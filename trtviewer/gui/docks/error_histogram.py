"""Error histogram: how far the candidate's outputs are from the reference's, by head and by what the channels mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from trtviewer.compare.settings import BOUNDS
from trtviewer.compare.tensor_error import ErrorHistogram, Part, TensorError
from trtviewer.gui.docks.figures import DASH, fixed, panel, share, short, tabular
from trtviewer.gui.docks.histogram_plot import HistogramPlot
from trtviewer.gui.docks.newest import Pace
from trtviewer.gui.theme import Theme
from trtviewer.gui.view_model import Requests, ViewModel

FIGURES = (
    ("mse", "MSE", "", "Mean squared error: the mean of d² over all values; d is candidate minus reference."),
    ("mae", "mean |d|", "", "The mean distance between a value and its partner."),
    ("max_abs", "max |d|", "", "The greatest distance of all; one value is enough to make it large."),
    ("over_epsilon", "over ε", "", "The share of values that differ by more than epsilon."),
    (
        "sqnr_db",
        "SQNR",
        "dB",
        "How far the signal stands above the error; 20 dB is a tenth of its amplitude.",
    ),
    ("cosine", "cosine", "", "1 where both point the same way; it forgives a common factor."),
    (
        "nonfinite",
        "inf, NaN",
        "",
        "Values that are no numbers, reference and candidate; they are left out of the rest.",
    ),
)
_GROUP_WORDS = {"box": "box", "objectness": "objectness", "class": "classes", "other": "other"}


@dataclass(frozen=True, slots=True)
class Choice:
    """Which part of the outputs is looked at; None means all."""

    output: str | None = None
    stride: int | None = None
    group: str | None = None


def make(view_model: ViewModel, requests: Requests) -> ErrorHistogramDock:
    return ErrorHistogramDock(view_model, requests)


class ErrorHistogramDock(QWidget):
    """Choosers and figures on the left, the plot on the right, and the finding in a sentence above it."""

    def __init__(self, view_model: ViewModel, requests: Requests, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("error_histogram")
        panel(self)
        self._view_model = view_model
        self._parts: tuple[Part, ...] | None = None
        self._pace = Pace(self)
        self._pace.due.connect(self._refresh)
        self._build()
        for changed in (
            view_model.comparison_changed,
            view_model.video_errors_changed,
            view_model.settings_changed,
            view_model.models_changed,
        ):
            changed.connect(self._wanted)
        view_model.theme_changed.connect(self._theme_changed)
        self._theme_changed(view_model.theme)
        self._refresh()

    def close_dock(self) -> None:
        """Forgets what was to be shown."""
        self._pace.stop()

    # ---- making

    def _build(self) -> None:
        whole = QHBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self._build_side())
        whole.addLayout(self._build_plot(), 1)
        self.output.currentIndexChanged.connect(self._refresh)
        self.group.currentIndexChanged.connect(self._refresh)
        self._span.buttonClicked.connect(self._refresh)

    def _build_side(self) -> QWidget:
        """The choosers, and the figures under them."""
        self.output = _chooser("error_histogram.output", "Output", "Which output, or which scale of it.")
        self.group = _chooser(
            "error_histogram.group", "Channels", "Which channels: those of the box, objectness, classes."
        )
        side = QWidget()
        side.setFixedWidth(316)
        left = QVBoxLayout(side)
        left.setContentsMargins(8, 8, 8, 4)
        left.setSpacing(4)
        chosen = QHBoxLayout()
        chosen.setSpacing(4)
        chosen.addWidget(self.output, 3)
        chosen.addWidget(self.group, 2)
        left.addLayout(chosen)
        left.addLayout(self._build_span())
        left.addSpacing(4)
        left.addLayout(self._build_figures())
        left.addStretch(1)
        return side

    def _build_span(self) -> QHBoxLayout:
        self.frame = _segment("error_histogram.frame", "This frame", "The frame that is shown.", "first")
        self.so_far = _segment("error_histogram.so_far", "All so far", "Every frame analysed so far.", "last")
        self.frame.setChecked(True)
        self._span = QButtonGroup(self)
        span = QHBoxLayout()
        span.setSpacing(0)
        for button in (self.frame, self.so_far):
            self._span.addButton(button)
            span.addWidget(button)
        span.addStretch(1)
        return span

    def _build_figures(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setVerticalSpacing(2)
        self._values: dict[str, QLabel] = {}
        self._titles: dict[str, QLabel] = {}
        for place, (key, title, unit, tip) in enumerate(FIGURES):
            row, column = place % 4, place // 4 * 4
            name, value, of = QLabel(title), QLabel(DASH), QLabel(unit)
            name.setProperty("role", "faint")
            of.setProperty("role", "faint")
            value.setObjectName(f"error_histogram.{key}")
            value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            tabular(value)
            value.setMinimumWidth(value.fontMetrics().horizontalAdvance("0.000e−00"))
            for label in (name, value, of):
                label.setToolTip(tip)
            grid.addWidget(name, row, column)
            grid.addWidget(value, row, column + 1)
            grid.addWidget(of, row, column + 2)
            self._values[key], self._titles[key] = value, name
        grid.setColumnMinimumWidth(3, 12)
        grid.setHorizontalSpacing(4)
        return grid

    def _build_plot(self) -> QVBoxLayout:
        """The finding in words, and the plot under it."""
        self.words = QLabel()
        self.words.setObjectName("error_histogram.words")
        self.words.setWordWrap(True)
        self.meaning = QLabel("d = candidate − reference")
        self.meaning.setProperty("role", "faint")
        self.plot = HistogramPlot()
        self.plot.epsilon_dragged.connect(self._drag)
        right = QVBoxLayout()
        right.setContentsMargins(4, 8, 8, 4)
        right.setSpacing(4)
        top = QHBoxLayout()
        top.addWidget(self.words, 1)
        top.addWidget(self.meaning)
        right.addLayout(top)
        right.addWidget(self.plot, 1)
        return right

    # ---- what is shown

    @property
    def choice(self) -> Choice:
        """What is chosen."""
        output, stride = self.output.currentData() or (None, None)
        return Choice(output, stride, self.group.currentData())

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._refresh()

    def _wanted(self) -> None:
        if self.isVisible():
            self._pace.want()

    def _refresh(self) -> None:
        comparison, so_far = self._view_model.comparison, self._view_model.video_errors
        epsilon = self._view_model.settings.epsilon
        if self.so_far.isChecked():
            parts = () if so_far is None else so_far.parts
        else:
            parts = () if comparison is None else comparison.errors.parts
        self._offer(parts or (() if comparison is None else comparison.errors.parts))
        choice = self.choice
        error: TensorError | None = None
        histogram: ErrorHistogram | None = None
        where = (choice.output, choice.group, choice.stride)
        if parts and self.so_far.isChecked():
            assert so_far is not None
            error, histogram = so_far.error_of(*where, epsilon=epsilon), so_far.histogram_of(*where)
        elif parts and comparison is not None:
            error, histogram = comparison.errors.error_of(*where), comparison.errors.histogram_of(*where)
            if comparison.errors.epsilon != epsilon:
                # The line that is being dragged leads; the frame is counted anew in a moment.
                error = replace(error, over_epsilon=histogram.share_over(epsilon), over_is_exact=False)
        self._show(error, histogram, epsilon)

    def _show(self, error: TensorError | None, histogram: ErrorHistogram | None, epsilon: float) -> None:
        for key, value in _texts(error).items():
            self._values[key].setText(value)
        odd = error is not None and bool(error.nonfinite_reference or error.nonfinite_candidate)
        self._values["nonfinite"].setStyleSheet(f"color: {self._view_model.theme.warning};" if odd else "")
        self.words.setText(self._sentence(error, epsilon))
        # The axis keeps room for epsilon, so that its lines can always be seen and caught.
        most = None if error is None or error.max_abs is None else max(error.max_abs, epsilon)
        self.plot.setVisible(histogram is not None)
        self.meaning.setVisible(histogram is not None)
        self.plot.show_histogram(histogram, most, epsilon)

    def _sentence(self, error: TensorError | None, epsilon: float) -> str:
        comparison = self._view_model.comparison
        if error is None:
            if comparison is None:
                return "Nothing is compared yet: open a reference, a candidate and a video."
            if comparison.correspondence.outputs_reason:
                return f"The outputs cannot be compared: {comparison.correspondence.outputs_reason}."
            return "No frame has been analysed yet."
        if error.over_epsilon is None:
            return "None of these values is a number on both sides."
        about = "" if error.over_is_exact else "≈ "
        far = f"{about}{share(error.over_epsilon)} of the {error.count:,} values"
        return f"<b>{far}</b> {self._what()} differ by more than {short(epsilon)}."

    def _what(self) -> str:
        choice = self.choice
        group = "" if choice.group is None else f" ({_GROUP_WORDS[choice.group]})"
        return f"of {self.output.currentText()}{group}"

    def _offer(self, parts: Sequence[Part]) -> None:
        """Offers the outputs, their scales and their groups, as these models have them."""
        if tuple(parts) == self._parts:
            return
        self._parts = tuple(parts)
        offered: list[tuple[str, object]] = []
        names = list(dict.fromkeys(part.output for part in parts))
        if len(names) != 1:
            offered.append(("all outputs", (None, None)))
        for name in names:
            strides = list(dict.fromkeys(part.stride for part in parts if part.output == name))
            offered.append((name, (name, None)))
            if len(strides) > 1:
                offered += [(f"{name}/{stride}", (name, stride)) for stride in strides]
        groups = list(dict.fromkeys(part.group for part in parts))
        for box in (self.output, self.group):
            box.setEnabled(bool(parts))
        _refill(self.output, offered)
        _refill(self.group, [("all channels", None), *((_GROUP_WORDS[group], group) for group in groups)])

    # ---- epsilon

    def _drag(self, epsilon: float) -> None:
        least, greatest = BOUNDS["epsilon"]
        self._view_model.change_settings(epsilon=min(max(epsilon, least), greatest))

    def _theme_changed(self, theme: Theme) -> None:
        self.plot.set_theme(theme)
        self._refresh()


def _texts(error: TensorError | None) -> dict[str, str]:
    if error is None:
        return dict.fromkeys((key for key, *_ in FIGURES), DASH)
    about = "" if error.over_is_exact else "≈ "
    odd = f"{error.nonfinite_reference:,}, {error.nonfinite_candidate:,}"
    return {
        "mse": short(error.mse, 4),
        "mae": short(error.mae, 4),
        "max_abs": short(error.max_abs, 4),
        "over_epsilon": DASH if error.over_epsilon is None else about + share(error.over_epsilon),
        "sqnr_db": fixed(error.sqnr_db, 1),
        "cosine": fixed(error.cosine, 5),
        "nonfinite": odd,
    }


def _refill(box: QComboBox, offered: list[tuple[str, object]]) -> None:
    """Other entries; the chosen one stays where it is still there."""
    chosen = box.currentText()
    with QSignalBlocker(box):
        box.clear()
        for text, data in offered:
            box.addItem(text, data)
        box.setCurrentIndex(max(0, box.findText(chosen)))


def _chooser(name: str, title: str, tip: str) -> QComboBox:
    box = QComboBox()
    box.setObjectName(name)
    box.setAccessibleName(title)
    box.setToolTip(tip)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(8)
    return box


def _segment(name: str, text: str, tip: str, role: str) -> QToolButton:
    button = QToolButton()
    button.setObjectName(name)
    button.setText(text)
    button.setToolTip(tip)
    button.setCheckable(True)
    button.setProperty("role", role)
    return button
