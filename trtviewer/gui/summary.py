"""The verdict, large, and the figures under it: of the analysed video where there is one, else of this frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from trtviewer.compare.settings import CompareSettings
from trtviewer.compare.totals import SIZES, Counts, DetectionSummary, DetectionTotals, strides_of
from trtviewer.compare.verdict import verdict
from trtviewer.gui.typography import Fitted, tabular
from trtviewer.gui.view_model import Requests, ViewModel
from trtviewer.report.sentences import side_name

if TYPE_CHECKING:
    from trtviewer.compare.frame_comparison import FrameComparison

REFRESH_MS = 100
VERDICT_SCALES = (1.25, 1.1, 1.0, 0.9)
VERDICT_LINES = 6
FINDING_LINES = 12
DASH = "–"

TIPS = {
    "missed": "Objects that the reference finds and the candidate does not.",
    "extra": "Objects that only the candidate finds.",
    "agreement": "F1 of agreement: 2 x matched / (reference + candidate). 1 means that both find the same objects.",
    "mean_iou": "Mean overlap of the matched boxes: 1 means that they lie exactly on each other.",
    "score": "Mean change of the score of matched objects, candidate - reference.",
}


def percent(share: float | None) -> str:
    return DASH if share is None else f"{100 * share:.1f} %"


class Figure(QWidget):
    """One figure: large digits, its name in faint text under them; its width does not change with its value."""

    def __init__(self, name: str, title: str, role: str, widest: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.value = QLabel(DASH, self)
        self.value.setObjectName(f"summary.{name}")
        self.value.setProperty("role", role)
        font = tabular(self.font())
        font.setPointSizeF(font.pointSizeF() * 1.6)
        font.setWeight(QFont.Weight.DemiBold)
        self.value.setFont(font)
        self.value.setMinimumWidth(self.value.fontMetrics().horizontalAdvance(widest))
        self.note = QLabel(title, self)
        self.note.setProperty("role", "faint")
        self._title = title
        self.setToolTip(TIPS[name])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.value)
        column.addWidget(self.note)

    def set(self, text: str, detail: str = "") -> None:
        self.value.setText(text)
        self.note.setText(f"{self._title} {detail}".rstrip())


class Summary(QWidget):
    """Follows the view model at ten times a second at most; says which frames and settings its figures belong to."""

    said = Signal(object)
    """The verdict, when it changed."""

    def __init__(self, view_model: ViewModel, requests: Requests, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("summary")
        self._model = view_model
        self.verdict = Fitted(VERDICT_SCALES, VERDICT_LINES, self)
        self.verdict.setObjectName("verdict")
        self.verdict.set_weight(QFont.Weight.Medium)
        self.verdict.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        rule = QFrame(self)
        rule.setProperty("role", "rule")
        self.quality = QLabel(self)
        self.quality.setObjectName("summary.quality")
        self.quality.setProperty("role", "faint")
        self.quality.setFont(tabular(self.font()))
        self.quality.setToolTip(f"{TIPS['mean_iou']}\n{TIPS['score']}")
        self.findings = Fitted((1.0,), FINDING_LINES, self)
        self.findings.setObjectName("summary.findings")
        self.findings.setProperty("role", "faint")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.verdict)
        column.addLayout(self._build_scope(requests))
        column.addLayout(self._build_figures())
        column.addWidget(rule)
        column.addLayout(self._build_table())
        column.addWidget(self.quality)
        column.addWidget(self.findings)
        self._timer = QTimer(self, interval=REFRESH_MS, singleShot=True)
        self._timer.timeout.connect(self.refresh)
        for signal in (
            view_model.comparison_changed,
            view_model.matched_video_changed,
            view_model.settings_changed,
            view_model.models_changed,
            view_model.source_changed,
            view_model.analysed_changed,
            view_model.video_errors_changed,
            view_model.findings_changed,
        ):
            signal.connect(self._changed)
        self.refresh()

    def _build_scope(self, requests: Requests) -> QHBoxLayout:
        """Which frames the figures are of, and the button that makes them those of the whole video."""
        self.scope = QLabel(self)
        self.scope.setObjectName("summary.scope")
        self.scope.setProperty("role", "faint")
        self.scope.setWordWrap(True)
        self.analyse = QPushButton("Analyse the video", self)
        self.analyse.setObjectName("summary.analyse")
        self.analyse.setToolTip(
            "Compares every frame in the background, for the figures, the timeline and the table."
        )
        self.analyse.clicked.connect(requests.analyse.emit)
        # The button comes and goes; the line keeps its height.
        self.scope.setMinimumHeight(self.analyse.sizeHint().height() + 4)
        line = QHBoxLayout()
        line.addWidget(self.scope, 1)
        line.addWidget(self.analyse)
        return line

    def _build_figures(self) -> QHBoxLayout:
        self.missed = Figure("missed", "missed", "missed", "0000", self)
        self.extra = Figure("extra", "extra", "extra", "0000", self)
        self.agreement = Figure("agreement", "agreement F1", "matched", "0.000", self)
        figures = QHBoxLayout()
        figures.setSpacing(12)
        for figure in (self.missed, self.extra, self.agreement):
            figures.addWidget(figure, 1)
        return figures

    def _build_table(self) -> QGridLayout:
        self._rows: dict[str, tuple[QLabel, QLabel, QLabel]] = {}
        self._table = QGridLayout()
        self._table.setHorizontalSpacing(12)
        self._table.setVerticalSpacing(2)
        self._table.setColumnStretch(0, 1)
        for column, title in enumerate(("", "missed of", "rate", "extra")):
            head = QLabel(title, self)
            head.setProperty("role", "faint")
            head.setAlignment(Qt.AlignmentFlag.AlignRight)
            self._table.addWidget(head, 0, column)
        for size in SIZES:
            self._row(size, f"{size.capitalize()} objects", f"summary.size.{size}")
        return self._table

    def set_roomy(self, roomy: bool) -> None:
        """Where there is room, the findings have it; elsewhere they are the verdict's tip."""
        self.findings.setVisible(roomy)

    def _changed(self, *_: object) -> None:
        if not self._timer.isActive():
            self._timer.start()

    # What is said -------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Shows the figures of now."""
        model = self._model
        video, comparison = model.matched_video, model.comparison
        done, total = model.analysed
        running = any(one.task == "analysis" for one in model.progress)
        can = comparison is not None and model.source is not None and (model.source.length or 0) > 1
        self.analyse.setVisible(can and not running and (total is None or done < total))
        if comparison is None:
            self._show_nothing()
            return
        if video is not None and video.totals.frames > 1:
            summary = video.totals
            stale = video.settings != model.settings
            count = video.totals.frames
            frames = f"{count} frames" if count == total else f"{count} of {total} frames so far"
            old = f", still at {_changed_words(video.settings, model.settings)} …" if stale else ""
            self.scope.setText(frames + old)
        else:
            summary = self._of_frame(comparison)
            self.scope.setText(f"Frame {comparison.frame.index} alone")
        found = model.findings
        fits = found is not None and found.settings == model.settings and found.frames == summary.frames
        findings = "\n".join(found.sentences) if found is not None and fits else ""
        self._say(" ".join(self._sentences(summary)), findings)
        self.findings.set_whole(findings)
        self._show(summary)

    def _say(self, words: str, findings: str = "") -> None:
        new = words != self.verdict.whole
        self.verdict.set_whole(words, findings)
        if new:
            self.said.emit(words)

    def _sentences(self, summary: DetectionSummary) -> Sequence[str]:
        models = self._model.models
        entries = {"reference": models.reference, "candidate": models.candidate}
        precisions = {
            side: {"precision": "" if entry is None else entry.precision.lower()}
            for side, entry in entries.items()
        }
        name = side_name(precisions, "candidate")
        comparison, errors = self._model.comparison, self._model.video_errors
        if summary.frames == 1 and comparison is not None:
            outputs = comparison.errors.result()
        else:
            outputs = errors.result(self._model.settings.epsilon) if errors is not None else ()
        return verdict(summary, outputs, name)

    def _of_frame(self, comparison: FrameComparison) -> DetectionSummary:
        """A few additions over one frame's matches: counts, no statistics."""
        spec = comparison.reference.spec
        totals = DetectionTotals(spec.classes, comparison.settings.confidence, strides_of(spec))
        totals.update(comparison.reference.detections, comparison.candidate.detections, comparison.matching)
        return totals.result()

    def _show_nothing(self) -> None:
        model = self._model
        if model.models.reference is None and model.models.candidate is None:
            text = "Open two models and a video to see what INT8 loses."
        elif model.models.candidate is None:
            text = "Open a candidate to compare with."
        elif model.models.reference is None:
            text = "Open a reference to compare with."
        elif model.source is None:
            text = "Open a video to compare on."
        elif "failed" in (model.models.reference.state, model.models.candidate.state):
            text = "One model could not be opened."
        elif "opening" in (model.models.reference.state, model.models.candidate.state):
            text = "Opening the models …"
        else:
            text = ""
        self._say(text)
        self.scope.setText("")
        for figure in (self.missed, self.extra, self.agreement):
            figure.set(DASH)
        for labels in self._rows.values():
            for label in labels:
                label.setText(DASH)
        self.quality.setText("")

    def _show(self, summary: DetectionSummary) -> None:
        counts = summary.counts
        self.missed.set(f"{counts.missed}", f"of {counts.reference}")
        self.extra.set(f"{counts.extra}")
        f1 = counts.agreement_f1
        self.agreement.set(DASH if f1 is None else f"{f1:.3f}")
        for size in SIZES:
            self._fill(size, summary.by_size[size])
        wanted = {f"stride {stride}": own for stride, own in summary.by_stride if stride is not None}
        for name, own in wanted.items():
            if name not in self._rows:
                self._row(name, name.capitalize(), f"summary.{name.replace(' ', '.')}")
            self._fill(name, own)
        for name in [name for name in self._rows if name.startswith("stride") and name not in wanted]:
            for label in self._rows[name]:
                label.setText(DASH)
        iou = DASH if summary.mean_iou is None else f"{summary.mean_iou:.3f}"
        delta = summary.mean_score_delta
        change = DASH if delta is None else f"{delta:+.3f}".replace("-", "−")
        self.quality.setText(f"Matched {counts.matched}   mean IoU {iou}   score {change}")

    def _row(self, key: str, title: str, name: str) -> None:
        row = len(self._rows) + 1
        self._table.addWidget(QLabel(title, self), row, 0)
        labels = []
        for column, widest in enumerate(("0000 / 0000", "100.0 %", "0000"), start=1):
            label = QLabel(DASH, self)
            label.setFont(tabular(self.font()))
            label.setAlignment(Qt.AlignmentFlag.AlignRight)
            label.setMinimumWidth(label.fontMetrics().horizontalAdvance(widest))
            self._table.addWidget(label, row, column)
            labels.append(label)
        labels[0].setObjectName(name)
        self._rows[key] = (labels[0], labels[1], labels[2])

    def _fill(self, key: str, counts: Counts) -> None:
        missed, rate, extra = self._rows[key]
        missed.setText(f"{counts.missed} / {counts.reference}")
        rate.setText(percent(counts.missed_rate))
        extra.setText(f"{counts.extra}")


def _changed_words(shown: CompareSettings, wanted: CompareSettings) -> str:
    """The thresholds that the figures are of, where they are not those of now: "confidence 0.25"."""
    differing = [name for name in asdict(shown.plain) if getattr(shown, name) != getattr(wanted, name)]
    words = [f"{name.replace('_', ' ')} {getattr(shown, name):g}" for name in differing]
    if shown.candidate_thresholds != wanted.candidate_thresholds:
        words.append("the re-fit thresholds" if shown.candidate_thresholds else "one threshold for all")
    return ", ".join(words)
