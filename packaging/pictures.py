"""Pictures of the program as it is: every mode and dock, light and dark, in two sizes; and those that the README shows.

    python packaging/pictures.py OUT_FOLDER       # all of them, to be looked at
    python packaging/pictures.py --readme         # anew the ones in resources/help/, which Help shows too

Made offscreen, on the bundled demo.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication, QPushButton

from trtviewer.bundled_demo import bundled_demo
from trtviewer.gui.application import make_application
from trtviewer.gui.main_window import MainWindow
from trtviewer.gui.preferences import PreferencesFile
from trtviewer.gui.view_model import PaneMode, Selection
from trtviewer.resources import resource

SCENE = "scene:street?condition=mix&seed=3&frames=240"
NIGHT_FRAME = 215
SIZES = ((1280, 800), (1920, 1080))
README = {
    "dark-1280x800-side_by_side": "window",
    "dark-1280x800-zoomed": "zoomed",
    "light-1280x800-split": "split",
    "light-1280x800-heat-zoomed": "heatmap",
    "light-1280x800-layers-found": "layers",
}
PATIENCE_S = 240


def wait_until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > end:
            raise SystemExit("the window did not get there")
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents, 50)


def settle(seconds: float = 0.8) -> None:
    loop = QEventLoop()
    QTimer.singleShot(int(1000 * seconds), loop.quit)
    loop.exec()


def open_demo(folder: Path) -> MainWindow:
    """The window on the demo, analysed to its end, on a frame at night."""
    demo = bundled_demo()
    window = MainWindow(PreferencesFile(folder / "window.json"))
    window.show()
    window.engine.open_reference(demo.reference)
    for index, candidate in enumerate(demo.candidates):
        window.engine.add_candidate(candidate, show=index == 0)
    window.engine.open_source(SCENE)
    model = window.view_model
    wait_until(lambda: model.comparison is not None and model.models.candidate.info is not None)
    window.requests.analyse.emit()
    wait_until(lambda: model.analysed[1] is not None and model.analysed[0] >= model.analysed[1])
    window.requests.seek.emit(NIGHT_FRAME)
    wait_until(lambda: model.comparison is not None and model.comparison.frame.index == NIGHT_FRAME)
    return window


def states(window: MainWindow) -> dict[str, Callable[[], None]]:
    """What is to be seen, by the name of its picture; each goes on from the one before."""
    made: dict[str, Callable[[], None]] = {}
    for mode in PaneMode:
        made[mode.value] = lambda mode=mode: window.set_mode(mode)
    for dock in window.shelf.docks:
        made[f"dock-{dock}"] = lambda dock=dock: (
            window.set_mode(PaneMode.SIDE_BY_SIDE),
            window.shelf.reveal(dock),
        )
    made["layers-found"] = lambda: (window.shelf.reveal("layers"), find_layers(window))
    made["zoomed"] = lambda: (window.shelf.reveal("disagreements"), zoom_to_first_miss(window))
    made["heat-zoomed"] = lambda: (window.shelf.reveal("heatmaps"), window.flip_heatmap())
    made["heat-over-picture"] = window.comparison.fit
    made["no-overlay"] = window.flip_heatmap
    return made


def find_layers(window: MainWindow) -> None:
    """Lets the Layers dock find what is to blame, once."""
    found = window.view_model.what_if
    if found.layers is None:
        window.findChild(QPushButton, "layers.find").click()
        wait_until(lambda: found.layers is not None and not window.view_model.progress)


def zoom_to_first_miss(window: MainWindow) -> None:
    comparison = window.view_model.comparison
    missed = comparison.matching.missed
    if len(missed):
        box = comparison.reference.detections.xyxy[missed.index[0]]
        window.requests.select.emit(Selection(comparison.frame.index, tuple(float(v) for v in box), "missed"))


def take_all(out: Path, only: set[str] | None = None) -> None:
    out.mkdir(parents=True, exist_ok=True)
    application = make_application(["trtviewer"])
    with tempfile.TemporaryDirectory() as folder:
        window = open_demo(Path(folder))
        for theme in ("dark", "light"):
            window.choose_theme(theme)
            for size in SIZES:
                window.resize(*size)
                for name, go in states(window).items():
                    go()
                    title = f"{theme}-{size[0]}x{size[1]}-{name}"
                    if only is None or title in only:
                        settle()
                        window.grab().save(str(out / f"{README.get(title, title) if only else title}.png"))
                        print(title)
        window.shut_down()
        window.deleteLater()
        application.processEvents()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", nargs="?", type=Path)
    parser.add_argument("--readme", action="store_true")
    arguments = parser.parse_args()
    if arguments.readme:
        take_all(resource("help"), set(README))
    elif arguments.out is not None:
        take_all(arguments.out)
    else:
        parser.error("name a folder, or --readme")


if __name__ == "__main__":
    main()
