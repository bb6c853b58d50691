"""Reading video: what exactness costs beside OpenCV's own reading, side by side in one run.

    python tests/benchmarks/bench_sources.py [VIDEO]...

Without an argument a 1280x720 H.264 video (three B-frames, key frames 250 apart) is written first; the real street
video is added where it is there.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from trtviewer.sources.video import VideoSource

STREET = Path(__file__).resolve().parents[3] / "shared" / "data" / "street.avi"
SEEKS = 30


def main(paths: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        videos = [Path(path) for path in paths] or [written(Path(folder) / "hd.mp4")]
        if not paths and STREET.exists():
            videos.append(STREET)
        for video in videos:
            measure(video)


def measure(path: Path) -> None:
    """Prints one line a question; times are medians, the ratio is ours to OpenCV's."""
    opening = milliseconds(lambda: VideoSource(path).close(), 3)
    with VideoSource(path) as source:
        capture = cv2.VideoCapture(str(path))
        pick = random.Random(1)
        picks = [pick.randrange(source.length) for _ in range(SEEKS)]
        print(
            f"{path.name}: {source.length} frames of {source.size[1]}x{source.size[0]}, opened in {opening:.0f} ms"
        )
        ours, theirs = [], []
        capture.read()
        for index in range(1, min(200, source.length)):
            ours.append(milliseconds(lambda index=index: source.read(index)))  # type: ignore[misc]
            theirs.append(milliseconds(capture.read))
        told("next frame", ours, theirs)
        last = min(200, source.length) - 1
        back = [
            milliseconds(lambda index=index: source.read(index)) for index in range(last - 1, last - 25, -1)
        ]  # type: ignore[misc]
        told("one frame back, kept", back, ours)
        ours, theirs = [], []
        for index in picks:
            ours.append(milliseconds(lambda index=index: source.read(index)))  # type: ignore[misc]
            theirs.append(milliseconds(lambda index=index: sought(capture, index)))  # type: ignore[misc]
        told("random seek, exact", ours, theirs)
        print(f"  kept frames: {source.cached_bytes / 1e6:.0f} MB")
        capture.release()


def told(what: str, ours: list[float], theirs: list[float]) -> None:
    mine, other = statistics.median(ours), statistics.median(theirs)
    print(
        f"  {what:22} {mine:8.2f} ms (worst {max(ours):.0f}), beside {other:8.2f} ms: ratio {mine / other:.2f}"
    )


def sought(capture: cv2.VideoCapture, index: int) -> None:
    capture.set(cv2.CAP_PROP_POS_FRAMES, index)
    capture.read()


def milliseconds(work: Callable[[], object], times: int = 1) -> float:
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken)


def written(path: Path, count: int = 600) -> Path:
    """A moving noise picture: harder to decode than a drawing, easier than a street."""
    base = cv2.resize(np.random.default_rng(1).integers(0, 256, (90, 160, 3), np.uint8), (1600, 900))
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        stream.codec_context.options = {"bf": "3", "g": "250", "keyint_min": "250", "preset": "veryfast"}
        for index in range(count):
            left, top = index * 5 % 320, index * 3 % 180
            picture = np.ascontiguousarray(base[top : top + 720, left : left + 1280])
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts, frame.time_base = index, Fraction(1, 30)
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return path


if __name__ == "__main__":
    main(sys.argv[1:])
