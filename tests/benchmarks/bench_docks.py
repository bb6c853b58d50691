"""What the docks cost the GUI thread: a table of 100,000 rows, beside Qt's own of a tenth, and each dock's refresh.

    QT_QPA_PLATFORM=offscreen python -m tests.benchmarks.bench_docks

The table's times are for one action, the docks' for one refresh with its painting (ten a second at most).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QTableWidget, QTableWidgetItem, QWidget

from tests.compare.pairs import CLASSES, PLACEMENT, compared
from trtviewer.compare.frame_comparison import FrameComparison
from trtviewer.compare.matched_video import DisagreementTable, MatchedVideoBuilder
from trtviewer.compare.settings import CompareSettings
from trtviewer.gui.application import make_application
from trtviewer.gui.docks.catalogue import DOCKS
from trtviewer.gui.docks.disagreement_rows import Column, Filter
from trtviewer.gui.view_model import FrameTimings, Requests, SideTimings, ViewModel
from trtviewer.models.spec import Family, HeadSpec, InputSpec, ModelSpec

ROWS = 100_000
QT_ROWS = 10_000
"""Rows of the usual QTableWidget: a tenth of ours, since it takes its time."""


def main() -> None:
    application = make_application(["bench"])
    print(
        f"one core of this machine; medians; {ROWS:,} disagreements, heads of 80 classes at 52, 26 and 13 cells"
    )
    table(application)
    docks(application)


def table(application: QApplication) -> None:
    """Our table of 100,000 rows beside a QTableWidget of a tenth."""
    model, requests = ViewModel(), Requests()
    dock = next(one for one in DOCKS if one.id == "disagreements").factory(model, requests)
    dock.resize(950, 300)
    dock.show()
    large = disagreements(ROWS)
    video = replace(video_of(3), disagreements=large)
    model.matched_video = video

    def show() -> None:
        dock._shown = None
        dock._refresh()
        dock.grab()

    def scroll() -> None:
        bar = dock.view.verticalScrollBar()
        bar.setValue((bar.value() + 977) % max(1, bar.maximum()))
        dock.view.viewport().grab()

    def sort(column: Column) -> None:
        dock.model.sort(int(column), Qt.SortOrder.DescendingOrder)
        dock.view.viewport().grab()

    def filter_() -> None:
        dock.model.set_filter(Filter(text=f"medium gone {np.random.default_rng().integers(10)}"))
        dock.view.viewport().grab()

    print(f"table, a new snapshot shown        {median(application, show):8.1f} ms")
    print(f"table, scrolled                    {median(application, scroll):8.1f} ms")
    print(
        f"table, sorted by score             {median(application, lambda: sort(Column.CELL_ERROR)):8.1f} ms"
    )
    print(f"table, sorted by class             {median(application, lambda: sort(Column.CLASS)):8.1f} ms")
    print(f"table, filtered by words           {median(application, filter_):8.1f} ms")
    usual = QTableWidget(QT_ROWS, len(Column))
    usual.resize(950, 300)
    usual.show()

    def fill() -> None:
        for row in range(QT_ROWS):
            for column in range(len(Column)):
                usual.setItem(row, column, QTableWidgetItem(str(row)))
        usual.viewport().grab()

    print(f"QTableWidget, {QT_ROWS:,} rows shown     {median(application, fill, 3):8.1f} ms")
    dock.close_dock()


def docks(application: QApplication) -> None:
    """One refresh of each dock, with its painting."""
    model, requests = ViewModel(), Requests()
    comparisons = [comparison(seed) for seed in range(4)]
    model.set_comparison(comparisons[0])
    made: dict[str, QWidget] = {}
    for entry in DOCKS:
        if entry.id in ("heatmaps", "error_histogram", "speed"):
            made[entry.id] = entry.factory(model, requests)
            made[entry.id].resize(950, 200)
            made[entry.id].show()
    for index in range(300):
        model.set_timings(
            FrameTimings(index, 1.0, 0.5, SideTimings(30.0, 1.0), SideTimings(20 + index % 7, 1.0))
        )
    heat = made["heatmaps"]
    wait_until(application, lambda: heat.answer_picture is not None)
    answer = heat._shown

    def heatmaps() -> None:
        heat._show(answer)
        heat.grab()

    def histogram() -> None:
        model.comparison = comparisons[np.random.default_rng().integers(4)]
        made["error_histogram"]._refresh()
        made["error_histogram"].grab()

    def speed() -> None:
        made["speed"]._refresh()
        made["speed"].grab()

    ours = median(application, heatmaps)
    print(f"heatmaps, 9 maps                   {ours:8.1f} ms")
    print(f"error histogram                    {median(application, histogram):8.1f} ms")
    print(f"speed                              {median(application, speed):8.1f} ms")
    for dock in made.values():
        dock.close_dock()


def comparison(seed: int) -> FrameComparison:
    anchors = ((10.0, 13.0), (33.0, 23.0), (60.0, 80.0))
    names = tuple(f"class {index}" for index in range(80))
    rng = np.random.default_rng(seed)
    heads = tuple(
        HeadSpec(f"s{stride}", (1, 255, 416 // stride, 416 // stride), "nchw", stride, anchors)
        for stride in (8, 16, 32)
    )
    spec = ModelSpec(Path("a.onnx"), Family.YOLO_ANCHOR, names, InputSpec("images", (416, 416)), heads)
    own = {head.output: rng.normal(-4, 1.5, head.shape).astype(np.float32) for head in heads}
    other = {
        name: (values + rng.normal(0, 0.1, values.shape)).astype(np.float32) for name, values in own.items()
    }
    assert PLACEMENT.frame_size
    return compared(spec, spec, (own, other))


def video_of(count: int):  # type: ignore[no-untyped-def]
    builder = MatchedVideoBuilder(CompareSettings(), CLASSES)
    return builder.snapshot()


def disagreements(count: int) -> DisagreementTable:
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 700, (count, 2))
    return DisagreementTable(
        frame_index=np.sort(rng.integers(0, 20_000, count)).astype(np.int32),
        kind=rng.integers(0, 2, count).astype(np.int8),
        reason=rng.integers(0, 5, count).astype(np.int8),
        class_id=rng.integers(0, 3, count).astype(np.int32),
        size=rng.integers(0, 3, count).astype(np.int8),
        stride=rng.choice([8, 16, 32], count).astype(np.int32),
        score=rng.random(count, np.float32),
        other_score=np.where(rng.random(count) < 0.3, np.nan, rng.random(count)).astype(np.float32),
        iou=rng.random(count, np.float32),
        xyxy=np.concatenate((corner, corner + 20), axis=1).astype(np.float32),
        head=np.zeros(count, np.int32),
        position=np.arange(count, dtype=np.int32),
        cell_error=rng.random(count, np.float32),
    )


def median(application: QApplication, work: Callable[[], None], times: int = 15) -> float:
    """Milliseconds of the GUI thread."""
    found = []
    for _ in range(times + 1):
        application.processEvents()
        begin = time.perf_counter()
        work()
        found.append(1e3 * (time.perf_counter() - begin))
    return float(np.median(found[1:]))


def wait_until(application: QApplication, ready: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not ready():
        application.processEvents()
        if time.monotonic() > end:
            raise TimeoutError("the dock gave no answer")


if __name__ == "__main__":
    main()
