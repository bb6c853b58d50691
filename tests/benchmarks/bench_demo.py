"""How many frames a second the demo shows, both networks on the CPU, in the window as it opens.

python tests/benchmarks/bench_demo.py [--seconds 15]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from PySide6.QtWidgets import QApplication

from tests.benchmarks.bench_window import run_for, wait_until
from trtviewer.gui.application import make_application
from trtviewer.gui.demo import demo_opener
from trtviewer.gui.main_window import MainWindow
from trtviewer.gui.preferences import PreferencesFile


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=15)
    arguments = parser.parse_args()
    opener = demo_opener()
    if opener is None:
        raise SystemExit("this installation has no demo")
    application = make_application(["trtviewer"])
    with tempfile.TemporaryDirectory() as folder:
        window = MainWindow(PreferencesFile(Path(folder) / "window.json"))
        window.show()
        opener(window)
        wait_until(lambda: window.view_model.comparison is not None)
        run_for(2)
        painted = 0

        def count(_: object) -> None:
            nonlocal painted
            painted += 1

        window.comparison.painted.connect(count)
        begin, first = time.perf_counter(), window.view_model.position.frame_index
        run_for(arguments.seconds)
        elapsed, last = time.perf_counter() - begin, window.view_model.position.frame_index
        print(
            f"{painted / elapsed:.1f} frames/s shown of {(last - first) / elapsed:.1f} frames/s played "
            f"on {os.cpu_count()} cores (wanted: 15)"
        )
        window.shut_down()
        window.deleteLater()
        QApplication.processEvents()
        application.processEvents()


if __name__ == "__main__":
    main()
