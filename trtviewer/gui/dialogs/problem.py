"""An error and its advice: a banner where it concerns, never a box that blocks; [Details] shows the whole story."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from trtviewer.gui.view_model import Problem, ViewModel

PLACES = {"reference": "Reference", "candidate": "Candidate", "source": "Source", "frame": "Source"}


class Banner(QFrame):
    """One problem: what, with what, what to do; [Try again] [Details] and a way to dismiss it."""

    def __init__(self, problem: Problem, view_model: ViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"banner.{problem.place}")
        self.setProperty("role", "notice" if problem.good else "banner")
        self.problem = problem
        place = PLACES.get(problem.place, "")
        subject = f"<b>{_escape(problem.subject)}</b> " if problem.subject else ""
        head = f"{place}: " if place else ""
        advice = f"<br><span>{_escape(_sentence(problem.advice))}</span>" if problem.advice else ""
        self.words = QLabel(f"{head}{subject}{_escape(_end(problem.what))}{advice}", self)
        self.words.setObjectName("banner.words")
        self.words.setTextFormat(Qt.TextFormat.RichText)
        self.words.setWordWrap(True)
        self.words.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 8, 6)
        row.setSpacing(8)
        row.addWidget(self.words, 1)
        if problem.retry is not None:
            again = QPushButton("Try again", self)
            again.setObjectName("banner.retry")
            again.clicked.connect(lambda: (view_model.clear_problems(problem.place), problem.retry()))
            row.addWidget(again)
        if problem.choice is not None:
            words, do = problem.choice
            choice = QPushButton(words, self)
            choice.setObjectName("banner.choice")
            choice.clicked.connect(lambda: (view_model.clear_problems(problem.place), do()))
            row.addWidget(choice)
        if problem.details:
            details = QPushButton("Details", self)
            details.setObjectName("banner.details")
            details.clicked.connect(self._show_details)
            row.addWidget(details)
        dismiss = QPushButton("Dismiss", self)
        dismiss.setObjectName("banner.dismiss")
        dismiss.clicked.connect(lambda: view_model.clear_problems(problem.place))
        row.addWidget(dismiss)

    def _show_details(self) -> None:
        DetailsDialog(self.problem, self.window()).open()


class Banners(QWidget):
    """All problems of now, one under the other; takes no room while there is none."""

    def __init__(self, view_model: ViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = view_model
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(1)
        view_model.problems_changed.connect(self._show)
        self._show(view_model.problems)

    def _show(self, problems: tuple[Problem, ...]) -> None:
        while (item := self._column.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for problem in problems:
            self._column.addWidget(Banner(problem, self._model, self))
        self.setVisible(bool(problems))


class DetailsDialog(QDialog):
    """The whole of an error, to read and to copy."""

    def __init__(self, problem: Problem, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("details")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Details")
        self.resize(760, 420)
        text = QPlainTextEdit(problem.details, self)
        text.setObjectName("details.text")
        text.setReadOnly(True)
        text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        copy = buttons.addButton("Copy", QDialogButtonBox.ButtonRole.ActionRole)
        copy.setObjectName("details.copy")
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(problem.details))
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.addWidget(text)
        column.addWidget(buttons)


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _sentence(text: str) -> str:
    return _end(text[:1].upper() + text[1:])


def _end(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
