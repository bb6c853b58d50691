"""How long the street takes to draw: milliseconds a 720p frame on one core, by condition, and as a share of 8 ms.

    .venv/bin/python tests/benchmarks/bench_scenes.py

Times are of the processor, so that other programs on the machine count little.
"fresh" is the first playing of a scene, in which every sprite is drawn for the first time; "again" is the second.
"""

from __future__ import annotations

import time

import numpy as np

from trtviewer.opencv import cv2
from trtviewer.sources.scenes import open_scene
from trtviewer.sources.source import Source

BUDGET_MS = 8.0
FRAMES = 150


def times_ms(scene: Source, start: int) -> list[float]:
    """How long each of some frames takes."""
    found = []
    for index in range(start, start + FRAMES):
        began = time.process_time()
        scene.read(index)
        found.append((time.process_time() - began) * 1e3)
    return found


def main() -> None:
    cv2.setNumThreads(1)
    print(
        f"{'condition':10} {'opening':>9} {'fresh mean':>11} {'again p50':>10} {'again p95':>10} {'of 8 ms':>8} {'truth':>7}"
    )
    for condition in ("day", "rain", "night", "mix"):
        opening, fresh, again, truth = [], [], [], []
        for seed in (3, 8, 12):
            with open_scene(f"scene:street?condition={condition}&seed={seed}&frames=450") as scene:
                began = time.process_time()
                scene.read(1)
                opening.append((time.process_time() - began) * 1e3)
                # In "mix" these frames hold the change from day to rain.
                fresh += times_ms(scene, 120)
                again += times_ms(scene, 120)
                began = time.process_time()
                for index in range(20):
                    scene.truth(index * 7)
                truth.append((time.process_time() - began) * 50)
        middle, late = np.percentile(again, [50, 95])
        print(
            f"{condition:10} {np.median(opening):6.0f} ms {np.mean(fresh):8.1f} ms {middle:7.1f} ms {late:7.1f} ms"
            f" {middle / BUDGET_MS:8.2f} {np.median(truth):4.1f} ms"
        )


if __name__ == "__main__":
    main()
