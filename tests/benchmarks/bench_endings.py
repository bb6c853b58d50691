"""How long the program takes to end in the middle of something, on a machine with no GPU: wanted are 2 seconds.

    python -m tests.benchmarks.bench_endings

A build (the real builder of TensorRT for RTX, on YOLOv3 with random weights) stopped by a signal; the window closed in the middle of a
build and of inference. Counted is from the signal, or the close, until the process and all that it started are gone.
What needs a GPU, an inference there and the recording of a graph, is measured by `python -m tests.gpu.figures`.
"""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path

from tests.gpu.endings import ended
from tests.gpu.yolov3 import write_yolov3
from tests.model_zoo import tiny_yolo_anchor
from trtviewer import optional

VIDEO = Path(__file__).resolve().parents[3] / "shared" / "data" / "street.avi"
BUILD = """
import sys
from pathlib import Path
from trtviewer.build.engine import build_engine
from trtviewer.build.request import BuildRequest, Runtime
from trtviewer.models.load import load_spec
seen = []
def told(progress):
    if progress.share > 0.1 and not seen:
        seen.append(progress)
        print("running", flush=True)
if __name__ == "__main__":
    spec = load_spec(Path(sys.argv[1]))
    build_engine(spec, Path(sys.argv[2]), BuildRequest(spec.path, Runtime.TENSORRT_RTX), told)
"""
WINDOW = """
import sys, time
from pathlib import Path
from PySide6.QtCore import QEventLoop
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit, QPushButton
from trtviewer.gui.application import make_application
from trtviewer.gui.main_window import MainWindow
from trtviewer.gui.preferences import PreferencesFile
def wait_until(holds):
    end = time.monotonic() + 60
    while not holds():
        if time.monotonic() > end:
            raise SystemExit("the window did not get there within a minute")
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents, 20)
if __name__ == "__main__":
    model, source, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    app = make_application(["trtviewer", "-platform", "offscreen"])
    window = MainWindow(PreferencesFile(folder / "window.json"))
    window.show()
    window.engine.open_reference(Path(model))
    window.engine.add_candidate(Path(model))
    window.engine.open_source(source)
    wait_until(lambda: window.view_model.comparison is not None)
    begin()
    print("running", flush=True)
    window.close()
"""
IN_INFERENCE = """
def begin():
    window.requests.analyse.emit()
    window.view_model.set_playing(type(window.view_model.playing)(True, 1.0, None))
    painted = []
    window.comparison.painted.connect(painted.append)
    wait_until(lambda: painted)
"""
IN_A_BUILD = """
def begin():
    window.actions_by_id["file.build_engine"].trigger()
    field = window.findChild(QLineEdit, "build.path")
    field.window().findChild(QComboBox, "build.runtime").setCurrentText("TensorRT for RTX")
    field.setText(str(folder / "out.engine"))
    field.window().findChild(QPushButton, "build.go").click()
    wait_until(lambda: any(work.task == "build" and work.done > 10 for work in window.view_model.progress))
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for variable in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
            os.environ[variable] = str(folder / variable)
        large, tiny = write_yolov3(folder / "yolov3.onnx"), tiny_yolo_anchor(folder / "tiny.onnx")
        programs = {
            "the window closed in the middle of inference, a tiny network": (IN_INFERENCE + WINDOW, tiny),
            "the window closed in the middle of inference, YOLOv3": (IN_INFERENCE + WINDOW, large),
        }
        if optional.installed("tensorrt_rtx_bindings"):
            programs["the window closed in the middle of a build, YOLOv3"] = (IN_A_BUILD + WINDOW, large)
            for how in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
                found = ended(BUILD, large, folder / "out.engine", by=how)
                print(f"a build stopped by {how.name}: ended after {found.seconds:.2f} s")
        for what, (code, model) in programs.items():
            found = ended(code, model, VIDEO, folder, wait_s=60)
            if found.out != "running\n" or found.status != 0:
                raise SystemExit(f"{what}: {found}")
            print(f"{what}: ended after {found.seconds:.2f} s")


if __name__ == "__main__":
    main()
