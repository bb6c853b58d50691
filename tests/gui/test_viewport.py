"""One zoom and pan, exact at every edge."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPointF, QSizeF

from trtviewer.gui.panes.viewport import FIT, Viewport, mapping

FRAME = (100, 200)
PANE = QSizeF(400, 300)


def test_that_fit_shows_the_whole_frame_in_the_middle() -> None:
    where = mapping(FIT, FRAME, PANE)
    assert (where.scale, where.dx, where.dy) == (2.0, 0.0, 50.0)


def test_that_zooming_keeps_the_point_under_the_mouse() -> None:
    viewport = Viewport()
    at = QPointF(300, 150)
    before = mapping(viewport.view, FRAME, PANE).to_frame(at)
    viewport.zoom_by(4, at, FRAME, PANE)
    assert mapping(viewport.view, FRAME, PANE).to_frame(at) == pytest.approx(before)
    assert mapping(viewport.view, FRAME, PANE).scale == pytest.approx(8)


def test_that_panning_stops_at_the_edge_and_comes_back_at_once() -> None:
    viewport = Viewport()
    viewport.zoom_by(4, QPointF(200, 150), FRAME, PANE)
    viewport.pan_by(QPointF(10_000, 0), FRAME, PANE)
    assert mapping(viewport.view, FRAME, PANE).dx == pytest.approx(0)
    viewport.pan_by(QPointF(-10, 0), FRAME, PANE)
    assert mapping(viewport.view, FRAME, PANE).dx == pytest.approx(-10)


def test_that_one_to_one_counts_pixels_of_the_screen() -> None:
    viewport = Viewport()
    viewport.one_to_one(FRAME, PANE, ratio=2.0)
    assert mapping(viewport.view, FRAME, PANE).scale == pytest.approx(0.5)


def test_that_a_box_is_shown_in_the_middle() -> None:
    viewport = Viewport()
    viewport.show_box((90, 40, 110, 60), FRAME, PANE)
    where = mapping(viewport.view, FRAME, PANE)
    assert where.to_frame(QPointF(200, 150)) == pytest.approx((100, 50))
    assert where.scale > 3
