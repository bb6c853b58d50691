"""What the what-if of the Layers dock takes in the real window: from Apply to the first new frame, ranges collected or not.

    python tests/benchmarks/bench_what_if.py [MODEL.onnx CANDIDATE.onnx SOURCE]

By default the bundled demo; needs no display. Beside each time: how many inferences of the reference that is on this machine.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication, QComboBox, QPushButton, QSpinBox

from trtviewer.gui.application import make_application
from trtviewer.gui.main_window import MainWindow
from trtviewer.gui.preferences import PreferencesFile

DEMO = Path(__file__).resolve().parents[2] / "resources" / "demo"
DEFAULTS = (
    str(DEMO / "detector.onnx"),
    str(DEMO / "detector-int8-careless.onnx"),
    "scene:street?condition=night&seed=3&frames=200",
)
PATIENCE_S = 120
CALIBRATION_FRAMES = 64
BUDGET_S = 5.0


def main() -> int:
    reference, candidate, source = sys.argv[1:4] or DEFAULTS
    application = make_application(["bench"])
    with tempfile.TemporaryDirectory() as folder:
        window = MainWindow(PreferencesFile(Path(folder) / "window.json"))
        window.resize(1280, 800)
        window.show()
        try:
            return measure(application, window, reference, candidate, source)
        finally:
            window.unsaved.asks = False
            window.close()


def measure(
    application: QApplication, window: MainWindow, reference: str, candidate: str, source: str
) -> int:
    model = window.view_model

    def wait(done: Callable[[], bool]) -> float:
        begin = time.perf_counter()
        while not done():
            application.processEvents()
            time.sleep(0.001)
            if model.problems:
                raise SystemExit(f"{model.problems[-1].subject}: {model.problems[-1].what}")
            if time.perf_counter() - begin > PATIENCE_S:
                raise SystemExit("timed out")
        return time.perf_counter() - begin

    def idle() -> bool:
        return not model.what_if.running

    def apply() -> float:
        count = len(model.models.candidates)
        window.findChild(QPushButton, "layers.apply").click()

        def painted() -> bool:
            pane = window.comparison.panes["candidate"]
            return (
                len(model.models.candidates) > count
                and model.comparison is not None
                and model.comparison.candidate.spec.path == model.models.candidates[-1].path
                and pane.rendered is not None
                and pane.rendered.request.shown.comparison is model.comparison
            )

        taken = wait(painted)
        wait(idle)
        return taken

    window.engine.open_reference(Path(reference))
    window.engine.add_candidate(Path(candidate))
    window.engine.open_source(source)
    wait(lambda: model.comparison is not None)
    window.requests.reveal.emit("layers")
    wait(lambda: window.findChild(QPushButton, "layers.find") is not None)
    window.findChild(QSpinBox, "layers.calibration_frames").setValue(CALIBRATION_FRAMES)
    one = model.comparison.reference.times.total_ms / 1000
    print(f"{Path(reference).name} on {source}; one inference of the reference: {1000 * one:.0f} ms")

    def tell(what: str, seconds: float) -> None:
        print(f"{what:58} {seconds:6.2f} s   {seconds / one:6.0f} inferences")

    window.findChild(QPushButton, "layers.find").click()
    tell("find the layers, 16 frames", wait(lambda: model.what_if.layers is not None))
    wait(idle)
    tell(f"Apply, {CALIBRATION_FRAMES} frames to calibrate on", apply())
    worst = 0.0
    for index, method in enumerate(("mse", "percentile", "minmax", "entropy")):
        window.findChild(QComboBox, "layers.method").setCurrentIndex(index)
        taken = apply()
        worst = max(worst, taken)
        tell(f"Apply, {method}, ranges collected", taken)
    print(f"at most {BUDGET_S:g} s with ranges collected: {'kept' if worst <= BUDGET_S else 'NOT kept'}")
    return 0 if worst <= BUDGET_S else 1


if __name__ == "__main__":
    raise SystemExit(main())
