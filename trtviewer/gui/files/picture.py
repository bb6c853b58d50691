"""What is seen as one picture, with a legend under it that says what the lines mean and what was compared."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter

from trtviewer.gui.panes.comparison_view import ComparisonView
from trtviewer.gui.theme import BOX_STYLES
from trtviewer.gui.view_model import ViewModel

LEGEND = (
    ("matched", "matched"),
    ("missed", "missed"),
    ("missed_ghost", "missed, its place on the other side"),
    ("extra", "extra"),
    ("extra_ghost", "extra, its place on the other side"),
)


def with_legend(view: ComparisonView, view_model: ViewModel) -> QImage:
    """The two panes as they are seen, and under them the legend, the frame and the thresholds."""
    picture = view.picture()
    ratio = picture.devicePixelRatio()
    theme = view_model.theme
    width = picture.width() / ratio
    height = picture.height() / ratio
    foot = 2 * view.fontMetrics().height() + 28
    made = QImage(round(width * ratio), round((height + foot) * ratio), QImage.Format.Format_RGB32)
    made.setDevicePixelRatio(ratio)
    made.fill(theme.color("surface"))
    with QPainter(made) as painter:
        painter.drawImage(QPointF(0, 0), picture)
        painter.setFont(view.font())
        metrics = painter.fontMetrics()
        x, y = 12.0, height + 10
        for kind, words in LEGEND:
            line = y + metrics.height() / 2
            painter.setPen(BOX_STYLES[kind].pen())
            painter.drawLine(QPointF(x, line), QPointF(x + 24, line))
            painter.setPen(theme.color("text"))
            painter.drawText(QRectF(x + 30, y, width, metrics.height()), Qt.AlignmentFlag.AlignVCenter, words)
            x += 30 + metrics.horizontalAdvance(words) + 20
        painter.setPen(theme.color("faint"))
        place = QRectF(12, y + metrics.height() + 6, width - 24, metrics.height())
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, caption(view_model))
    return made


def caption(view_model: ViewModel) -> str:
    """What was compared, on what, at which thresholds."""
    models, settings = view_model.models, view_model.settings
    names = [entry.name for entry in (models.reference, models.candidate) if entry is not None]
    source = view_model.source.name if view_model.source is not None else ""
    return (
        f"{' and '.join(names)} on {source}, frame {view_model.position.frame_index}; "
        f"confidence {settings.confidence:g}, NMS IoU {settings.nms_iou:g}, match IoU {settings.match_iou:g}"
    )
