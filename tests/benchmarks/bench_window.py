"""How long the GUI thread works for one frame of 1080p with all docks open, how late it ever is, and what a slider step costs.

    python tests/benchmarks/bench_window.py [--seconds 20] [--soak 300] [--model M --candidate M --source S]

Offscreen, at 1920x1080. Without arguments: a tiny detector and its twin on generated video, at a confidence that shows
about fifty boxes a pane, so that the window is measured and not the models. GUI time is the thread's own CPU time between
two painted frames; the watchdog is a timer of 5 ms that tells how late it came.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import av
import numpy as np
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication, QDockWidget, QSlider

from tests.model_zoo import quantized_twin, tiny_yolo_anchor
from trtviewer.gui.application import make_application
from trtviewer.gui.main_window import MainWindow
from trtviewer.gui.preferences import PreferencesFile

FRAMES = 300
BOXES = 50


def write_video(path: Path) -> Path:
    """Moving noise in 1080p: every frame differs, and a detector finds something in it."""
    chance = np.random.default_rng(0)
    ground = chance.integers(0, 256, (135 + 40, 240 + 40, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=30, options={"preset": "ultrafast", "g": "60"})
        stream.width, stream.height, stream.pix_fmt = 1920, 1080, "yuv420p"
        for index in range(FRAMES):
            shift = index % 320
            picture = np.ascontiguousarray(ground[shift // 2 : shift // 2 + 1080, shift : shift + 1920])
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        output.mux(stream.encode())
    return path


class Watchdog:
    """Notes how late a 5 ms timer comes: while it is late, the window does not answer."""

    def __init__(self) -> None:
        self.late_ms: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.timeout.connect(self._tick)
        self._timer.start(5)

    def _tick(self) -> None:
        now = time.perf_counter()
        self.late_ms.append(1e3 * (now - self._last) - 5)
        self._last = now


def wait_until(holds: object, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():  # type: ignore[operator]
        if time.monotonic() > end:
            raise SystemExit("the window did not get there within a minute")
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents, 50)


def run_for(seconds: float) -> None:
    loop = QEventLoop()
    QTimer.singleShot(int(1e3 * seconds), loop.quit)
    loop.exec()


def settle_boxes(window: MainWindow) -> None:
    """Sets the confidence so that about `BOXES` are shown on each side."""
    comparison = window.view_model.comparison
    assert comparison is not None
    scores = np.sort(comparison.reference.boxes.score)[::-1]
    confidence = float(scores[min(BOXES, len(scores) - 1)])
    window.view_model.change_settings(confidence=max(0.01, confidence), nms_iou=0.9)
    wait_until(lambda: window.view_model.comparison.settings == window.view_model.settings)
    comparison = window.view_model.comparison
    print(f"{len(comparison.reference.detections)} and {len(comparison.candidate.detections)} boxes shown")


def measure_playing(window: MainWindow, seconds: float, watchdog: Watchdog) -> None:
    marks: list[float] = []
    window.comparison.painted.connect(lambda _: marks.append(time.thread_time()))
    window.view_model.set_playing(type(window.view_model.playing)(True, 1.0, (0, FRAMES - 1)))
    run_for(2)
    marks.clear()
    watchdog.late_ms.clear()
    begin = time.perf_counter()
    run_for(seconds)
    elapsed = time.perf_counter() - begin
    work = [1e3 * (after - before) for before, after in pairwise(marks)]
    print(
        f"playing: {len(marks) / elapsed:.1f} frames/s painted; GUI thread per frame median "
        f"{statistics.median(work):.2f} ms, p99 {np.percentile(work, 99):.2f} ms (wanted: 8 and 16)"
    )
    late = np.array(watchdog.late_ms)
    print(
        f"watchdog: p99 {np.percentile(late, 99):.1f} ms late, at most {late.max():.1f} ms (wanted: under 100)"
    )


def soak(window: MainWindow, other: Path, seconds: float, watchdog: Watchdog) -> None:
    """Plays while it seeks, resizes, changes the candidate and analyses in the background; tells stalls and memory."""
    chance = random.Random(0)
    window.engine.add_candidate(other, show=False)
    window.requests.analyse.emit()
    window.view_model.set_playing(type(window.view_model.playing)(True, 1.0, None))
    deeds = (
        lambda: window.requests.seek.emit(chance.randrange(FRAMES)),
        lambda: window.resize(chance.randint(1280, 1920), chance.randint(800, 1080)),
        lambda: window.requests.show_candidate.emit(chance.randrange(2)),
        window.requests.analyse.emit,
        lambda: window.view_model.set_playing(type(window.view_model.playing)(True, 1.0, None)),
    )
    run_for(10)
    watchdog.late_ms.clear()
    memory_mb: list[float] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        chance.choice(deeds)()
        run_for(0.7)
        memory_mb.append(resident_mb())
    late = np.array(watchdog.late_ms)
    quarters = ", ".join(f"{np.median(part):.0f}" for part in np.array_split(memory_mb, 4))
    print(
        f"{seconds:.0f} s of seeking, resizing, other models and analysis: p99 {np.percentile(late, 99):.1f} ms late, at most "
        f"{late.max():.1f} ms, {int((late > 100).sum())} times above 100 ms; memory by quarters of the time, medians: "
        f"{quarters} MB, at most {max(memory_mb):.0f} MB"
    )


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def measure_slider(window: MainWindow) -> None:
    window.view_model.set_playing(type(window.view_model.playing)(False))
    run_for(0.5)
    slider = window.findChild(QSlider, "confidence")
    chance = random.Random(0)
    cpu, wall = [], []
    for _ in range(60):
        value = chance.randint(slider.minimum(), slider.maximum())
        begin, begin_cpu = time.perf_counter(), time.thread_time()
        slider.setValue(value)
        wait_until(lambda: window.view_model.comparison.settings == window.view_model.settings)
        window.comparison.panes["reference"].repaint()
        wall.append(1e3 * (time.perf_counter() - begin))
        cpu.append(1e3 * (time.thread_time() - begin_cpu))
    print(
        f"slider step to repainted boxes: median {statistics.median(wall):.1f} ms, p95 {np.percentile(wall, 95):.1f} ms; "
        f"GUI thread {statistics.median(cpu):.1f} ms (wanted: 16)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--soak", type=float, default=0, help="seconds of hasty use besides")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--candidate", type=Path)
    parser.add_argument("--source")
    arguments = parser.parse_args()
    application = make_application(["trtviewer"])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        reference = arguments.model or tiny_yolo_anchor(folder / "tiny.onnx", seed=1)
        candidate = arguments.candidate or quantized_twin(reference, folder / "twin.onnx")
        source = arguments.source or str(write_video(folder / "video.mp4"))
        window = MainWindow(PreferencesFile(folder / "window.json"))
        window.resize(1920, 1080)
        window.show()
        for dock in window.findChildren(QDockWidget):
            window.tabifiedDockWidgets(dock)
            dock.setFloating(True)  # tabbed docks would hide, and so not work
            dock.resize(900, 320)
            dock.show()
        window.engine.open_reference(reference)
        window.engine.add_candidate(candidate)
        window.engine.open_source(source)
        wait_until(
            lambda: window.view_model.comparison is not None and window.view_model.models.candidate.info
        )
        watchdog = Watchdog()
        settle_boxes(window)
        measure_playing(window, arguments.seconds, watchdog)
        measure_slider(window)
        if arguments.soak:
            soak(window, quantized_twin(reference, folder / "other.onnx", seed=7), arguments.soak, watchdog)
        window.shut_down()
        window.deleteLater()
        application.processEvents()


if __name__ == "__main__":
    main()
