"""Training frames from the program's own scenes, already fitted to the network's input."""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from trtviewer.opencv import cv2
from trtviewer.sources.scenes import open_scene

CONDITIONS = ("day", "rain", "night")
WIDTH, HEIGHT, TOP = 416, 234, 91
"""A 1280x720 frame in the 416x416 input: its size there, and the bar above it."""
MOST = 72
"""Objects kept of a frame."""
HELD_OUT = 900_000
"""Seeds from here on are never trained on."""
_SPAN = 200_000


@dataclass(frozen=True, slots=True)
class Frames:
    """Rendered frames.

    Attributes:
        pictures: [N, HEIGHT, WIDTH, 3] RGB uint8.
        objects: [N, MOST, 6] float32: class, x0, y0, x1, y1 in input pixels, and 1 where it is to be ignored; -1 where
            there is none.
        condition: [N] index into `CONDITIONS`.
    """

    pictures: NDArray[np.uint8]
    objects: NDArray[np.float32]
    condition: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Job:
    seed: int
    first: int
    each: int
    conditions: tuple[int, ...]
    folder: str
    count: int


def render(seeds: range, each: int, conditions_a_seed: int, workers: int) -> Frames:
    """`each` frames of each seed in each of its conditions, on `workers` processes."""
    count = len(seeds) * each * conditions_a_seed
    with tempfile.TemporaryDirectory() as folder:
        pictures = np.lib.format.open_memmap(
            Path(folder) / "p.npy", "w+", np.uint8, (count, HEIGHT, WIDTH, 3)
        )
        objects = np.lib.format.open_memmap(Path(folder) / "o.npy", "w+", np.float32, (count, MOST, 6))
        jobs = []
        for number, seed in enumerate(seeds):
            # Night twice as often as it comes up: it is the hardest.
            order = [(0, 2), (1, 2), (0, 1), (2, 1), (2, 0)][number % 5]
            conditions = CONDITIONS_ALL if conditions_a_seed == 3 else order
            jobs.append(_Job(seed, number * each * conditions_a_seed, each, conditions, folder, count))
        if workers > 1:
            with multiprocessing.get_context("spawn").Pool(workers) as pool:
                for _ in pool.imap_unordered(_work, jobs, chunksize=2):
                    pass
        else:
            for job in jobs:
                _work(job)
        condition = np.concatenate([np.repeat(np.array(job.conditions), each) for job in jobs])
        return Frames(np.array(pictures), np.array(objects), condition)


CONDITIONS_ALL = (0, 1, 2)


def _work(job: _Job) -> None:
    cv2.setNumThreads(1)
    pictures = np.lib.format.open_memmap(Path(job.folder) / "p.npy", "r+")
    objects = np.lib.format.open_memmap(Path(job.folder) / "o.npy", "r+")
    chance = np.random.default_rng(job.seed)
    row = job.first
    for condition in job.conditions:
        with open_scene(
            f"scene:street?condition={CONDITIONS[condition]}&seed={job.seed}&frames={_SPAN}"
        ) as scene:
            for index in sorted(chance.integers(0, _SPAN, job.each).tolist()):
                picture = scene.read(index).picture
                fitted = cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
                pictures[row] = fitted[..., ::-1]
                truth = scene.truth(index)
                assert truth is not None
                objects[row] = -1
                # Counted objects first, so that what is cut off is only what is ignored.
                for place, number in enumerate(np.argsort(truth.ignore, kind="stable")[:MOST]):
                    box = truth.xyxy[number] * (WIDTH / 1280)
                    objects[row, place] = (
                        truth.class_id[number],
                        box[0],
                        box[1] + TOP,
                        box[2],
                        box[3] + TOP,
                        truth.ignore[number],
                    )
                row += 1


def anchors_of(objects: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """Nine anchor sizes, the smallest first, to half a pixel: k-means under 1 - IoU, three in each scale's range of sizes.

    Without the ranges nearly all anchors would be small ones, as nearly all objects are.
    """
    kept = objects[(objects[..., 0] >= 0) & (objects[..., 5] == 0)]
    every = np.stack([kept[:, 3] - kept[:, 1], kept[:, 4] - kept[:, 2]], 1)
    side = np.sqrt(every.prod(1))
    found = []
    for low, high in ((0.0, 16.0), (16.0, 40.0), (40.0, 1e9)):
        sizes = every[(side >= low) & (side < high)]
        sizes = sizes[np.random.default_rng(seed).permutation(len(sizes))[:20000]]
        order = np.argsort(sizes.prod(1))
        centres = sizes[order[(np.array([0.1, 0.5, 0.9]) * (len(order) - 1)).astype(int)]].copy()
        for _ in range(60):
            both = np.minimum(sizes[:, None], centres[None]).prod(2)
            overlap = both / (sizes.prod(1)[:, None] + centres.prod(1)[None] - both)
            nearest = overlap.argmax(1)
            centres = np.stack(
                [np.median(sizes[nearest == k], 0) if (nearest == k).any() else centres[k] for k in range(3)]
            )
        centres = np.maximum(np.round(centres * 2) / 2, 2.0)
        found.append(centres[np.argsort(centres.prod(1))])
    return np.concatenate(found).astype(np.float32)
