"""From typing a command to the first compared frame on the screen, cold and warm, under Xvfb.

    python tests/benchmarks/bench_start.py [--rounds 3]

The program notes the moment in its log; the clock here starts before the process does. "Cold" drops the page cache first,
where this may (root); elsewhere the first round is called cold only if nothing ran before it.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
PATIENCE_S = 60


def drop_caches() -> bool:
    try:
        os.sync()
        Path("/proc/sys/vm/drop_caches").write_text("3")
    except OSError:
        return False
    return True


def seconds_to_first_frame(command: list[str], home: Path) -> float:
    environment = {
        **os.environ,
        "HOME": str(home),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "QT_QPA_PLATFORM": "xcb",
    }
    log = home / "state" / "trtviewer" / "trtviewer.log"
    begin = time.perf_counter()
    process = subprocess.Popen(["xvfb-run", "-a", *command], env=environment, start_new_session=True)
    try:
        while time.perf_counter() - begin < PATIENCE_S:
            if log.is_file() and re.search(r"first compared frame", log.read_text(errors="replace")):
                return time.perf_counter() - begin
            time.sleep(0.01)
        raise SystemExit(f"{' '.join(command)}: no compared frame within {PATIENCE_S} s; see {log}")
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    if shutil.which("xvfb-run") is None:
        print("skipped: xvfb-run is not installed (Debian: xvfb)")
        return
    commands = {"demo": [sys.executable, "-m", "trtviewer", "demo"]}
    twin = Path(tempfile.gettempdir()) / "w" / "twin.onnx"
    if SHARED.is_dir() and twin.is_file():
        view = ["view", "--reference", str(SHARED / "yolov4-tiny.onnx"), "--candidate", str(twin)]
        commands["view"] = [sys.executable, "-m", "trtviewer", *view, "--source", str(SHARED / "street.avi")]
    for name, command in commands.items():
        for round_index in range(arguments.rounds):
            cold = round_index == 0 and drop_caches()
            with tempfile.TemporaryDirectory() as home:
                seconds = seconds_to_first_frame(command, Path(home))
            print(
                f"{name}, {'cold' if cold else 'warm'}: first compared frame after {seconds:.2f} s (wanted: 3)"
            )


if __name__ == "__main__":
    main()
